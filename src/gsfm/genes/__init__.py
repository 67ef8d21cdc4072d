"""Identifier mapping: from any gene identifier to an approved human symbol."""

from gsfm.genes.locations import positions, within
from gsfm.genes.reading import GeneList, read, read_genes, read_ranked
from gsfm.genes.record import GeneRecord, show
from gsfm.genes.resolution import Resolution
from gsfm.genes.resolver import Species, resolve
from gsfm.genes.tables import facts, provenance, table, vocabulary
from gsfm.genes.vocab import Vocabulary

__all__ = [
    "GeneList",
    "GeneRecord",
    "Resolution",
    "Species",
    "Vocabulary",
    "facts",
    "positions",
    "provenance",
    "read",
    "read_genes",
    "read_ranked",
    "resolve",
    "show",
    "table",
    "vocabulary",
    "within",
]
