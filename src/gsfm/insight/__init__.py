"""What a trained model is asked."""

from gsfm.insight._annotate import Annotation, annotate
from gsfm.insight._complete import Completion, LibraryCompletion, complete, complete_many
from gsfm.insight._describe import describe
from gsfm.insight._discover import Discovery, biomarkers, targets
from gsfm.insight._embed import Nearest, Vectors, embed_genes, embed_sets, nearest
from gsfm.insight._enrich import enrich, enrich_ranked
from gsfm.insight._enrichment import Enrichment
from gsfm.insight._explain import Explanation, explain
from gsfm.insight._map import Map, map_sets
from gsfm.insight._network import Network, network
from gsfm.insight._ora import ora
from gsfm.insight._prerank import prerank
from gsfm.insight._prioritise import Priorities, prioritise
from gsfm.insight._ranked import read_ranked
from gsfm.insight._relate import Neighbours, Relation, relate
from gsfm.insight._term import TermGenes, term
from gsfm.insight._understudied import Understudied, understudied

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
    "describe",
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
    "read_ranked",
    "relate",
    "targets",
    "term",
    "understudied",
]
