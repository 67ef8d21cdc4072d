"""The verbs: what a model answers about genes, gene sets and terms."""

from gsfm.analysis.annotation import Annotation, annotate
from gsfm.analysis.completion import complete
from gsfm.analysis.discover import Discovery, Understudied, biomarkers, targets, understudied
from gsfm.analysis.embedding import Vectors, embed
from gsfm.analysis.enrichment.common import Enrichment
from gsfm.analysis.enrichment.enrich import enrich
from gsfm.analysis.enrichment.network import TermNetwork
from gsfm.analysis.enrichment.ora import ora
from gsfm.analysis.enrichment.ordered import ordered_ora
from gsfm.analysis.enrichment.prerank import prerank
from gsfm.analysis.explanation import Explanation, explain
from gsfm.analysis.networks import Network, network
from gsfm.analysis.prioritization import Priorities, prioritize
from gsfm.analysis.projection import Map, map
from gsfm.analysis.relations import Neighbors, Relation, relate
from gsfm.analysis.similarity import Nearest, nearest
from gsfm.analysis.term_genes import TermGenes, term
from gsfm.completion import Completion, LibraryCompletion

__all__ = [
    "Annotation",
    "Completion",
    "Discovery",
    "Enrichment",
    "Explanation",
    "LibraryCompletion",
    "Map",
    "Nearest",
    "Neighbors",
    "Network",
    "Priorities",
    "Relation",
    "TermGenes",
    "TermNetwork",
    "Understudied",
    "Vectors",
    "annotate",
    "biomarkers",
    "complete",
    "embed",
    "enrich",
    "explain",
    "map",
    "nearest",
    "network",
    "ora",
    "ordered_ora",
    "prerank",
    "prioritize",
    "relate",
    "targets",
    "term",
    "understudied",
]
