"""Compile training corpora: from gene-set files and public resources to one file."""

from gsfm.corpus._build import build
from gsfm.corpus._describe import Description, describe
from gsfm.corpus._embedded import embedded
from gsfm.corpus._features import features
from gsfm.corpus._hash import content_hash
from gsfm.corpus._load import load
from gsfm.corpus._plot import plot

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
