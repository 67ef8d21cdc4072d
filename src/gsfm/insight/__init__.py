"""What a trained model is asked."""

from gsfm.insight._complete import Completion, LibraryCompletion, complete, complete_many
from gsfm.insight._describe import describe
from gsfm.insight._embed import Nearest, Vectors, embed_genes, embed_sets, nearest
from gsfm.insight._explain import Explanation, explain
from gsfm.insight._map import Map, map_sets
from gsfm.insight._network import Network, network
from gsfm.insight._relate import Neighbours, Relation, relate

__all__ = [
    "Completion",
    "Explanation",
    "LibraryCompletion",
    "Map",
    "Nearest",
    "Neighbours",
    "Network",
    "Relation",
    "Vectors",
    "complete",
    "complete_many",
    "describe",
    "embed_genes",
    "embed_sets",
    "explain",
    "map_sets",
    "nearest",
    "network",
    "relate",
]
