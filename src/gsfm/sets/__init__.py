"""Gene sets and libraries: containers, file formats, filters and comparisons."""

from gsfm.io.notes import Note, ReadReport
from gsfm.sets.algebra import concat
from gsfm.sets.description import describe
from gsfm.sets.files import read, write
from gsfm.sets.genesets import GeneSet, GeneSets
from gsfm.sets.similarity import clusters

__all__ = [
    "GeneSet",
    "GeneSets",
    "Note",
    "ReadReport",
    "clusters",
    "concat",
    "describe",
    "read",
    "write",
]
