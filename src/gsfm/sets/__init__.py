"""Gene sets and libraries: hold them, read and write every usual format, filter, compare."""

from gsfm.sets._genesets import GeneSet, GeneSets

__all__ = ["GeneSet", "GeneSets"]
