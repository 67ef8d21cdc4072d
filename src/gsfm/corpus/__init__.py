"""Training corpora: built from gene-set files and public resources."""

from gsfm.corpus.builder import build
from gsfm.corpus.description import Description, content_hash, describe
from gsfm.corpus.drawing import plot
from gsfm.corpus.gene_features import features
from gsfm.corpus.shipped import embedded, load

__all__ = [
    "Description",
    "build",
    "content_hash",
    "describe",
    "embedded",
    "features",
    "load",
    "plot",
]
