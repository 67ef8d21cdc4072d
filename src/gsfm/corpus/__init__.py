"""Training corpora: built from gene-set files and public resources."""

from gsfm.corpus.builder import build
from gsfm.corpus.description import Description, describe
from gsfm.corpus.drawing import plot
from gsfm.corpus.gene_features import features
from gsfm.corpus.hashing import content_hash
from gsfm.corpus.loading import load
from gsfm.corpus.shipped import embedded

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
