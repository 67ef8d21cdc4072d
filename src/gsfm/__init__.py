"""A Gene Set Foundation Model: learn what genes mean from the company they keep."""

from gsfm.errors import (
    FormatError,
    GsfmError,
    MissingExtraError,
    ModelFormatError,
    NotCalibratedError,
    NotFittedError,
    UnknownGenesError,
    UnknownTermError,
)
from gsfm.genes import Vocabulary
from gsfm.models import load
from gsfm.sets import GeneSet, GeneSets
from gsfm.version import __version__

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
