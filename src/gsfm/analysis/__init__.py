"""What a trained model is asked."""

from gsfm.analysis.annotation import Annotation, annotate
from gsfm.analysis.discover import (
    Discovery,
    Understudied,
    biomarkers,
    targets,
    understudied,
)
from gsfm.analysis.embedding import Nearest, Vectors, embed_genes, embed_sets, nearest
from gsfm.analysis.enrichment.common import Enrichment
from gsfm.analysis.enrichment.model import enrich, enrich_ranked
from gsfm.analysis.enrichment.ora import ora
from gsfm.analysis.enrichment.prerank import prerank
from gsfm.analysis.explanation import Explanation, explain
from gsfm.analysis.networks import Network, network
from gsfm.analysis.prioritization import Priorities, prioritise
from gsfm.analysis.projection import Map, map_sets
from gsfm.analysis.relations import Neighbours, Relation, relate
from gsfm.analysis.term_genes import TermGenes, term
from gsfm.completion import Completion, LibraryCompletion, complete, complete_many

__all__ = [
    "Annotation",
    "Completion",
    "Discovery",
    "Enrichment",
    "Explanation",
    "LibraryCompletion",
    "Map",
    "Nearest",
    "Neighbours",
    "Network",
    "Priorities",
    "Relation",
    "TermGenes",
    "Understudied",
    "Vectors",
    "annotate",
    "biomarkers",
    "complete",
    "complete_many",
    "embed_genes",
    "embed_sets",
    "enrich",
    "enrich_ranked",
    "explain",
    "map_sets",
    "nearest",
    "network",
    "ora",
    "prerank",
    "prioritise",
    "relate",
    "targets",
    "term",
    "understudied",
]
