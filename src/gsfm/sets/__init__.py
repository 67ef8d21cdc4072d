"""Gene sets and libraries: hold them, read and write every usual format, filter, compare."""

from gsfm.sets._algebra import concat
from gsfm.sets._describe import describe
from gsfm.sets._genesets import GeneSet, GeneSets
from gsfm.sets._io import read, write
from gsfm.sets._lists import read_genes
from gsfm.sets._report import Note, ReadReport
from gsfm.sets._similar import clusters

__all__ = [
    "GeneSet",
    "GeneSets",
    "Note",
    "ReadReport",
    "clusters",
    "concat",
    "describe",
    "read",
    "read_genes",
    "write",
]
