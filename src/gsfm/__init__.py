"""A Gene Set Foundation Model: learn what genes mean from the company they keep."""

from gsfm._errors import (
    FormatError,
    GsfmError,
    MissingExtraError,
    ModelFormatError,
    NotCalibratedError,
    NotFittedError,
    UnknownGenesError,
    UnknownTermError,
)
from gsfm._version import __version__
from gsfm.genes import Vocabulary
from gsfm.models import load
from gsfm.sets import GeneSet, GeneSets

__all__ = [
    "FormatError",
    "GeneSet",
    "GeneSets",
    "GsfmError",
    "MissingExtraError",
    "ModelFormatError",
    "NotCalibratedError",
    "NotFittedError",
    "UnknownGenesError",
    "UnknownTermError",
    "Vocabulary",
    "__version__",
    "load",
]
