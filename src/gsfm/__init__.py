"""A gene set foundation model: complete gene sets, annotate genes, and find relations.

The verbs use the shipped model by default. Submodules and verbs are imported when they are first
used.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

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
from gsfm.version import __version__

if TYPE_CHECKING:
    from gsfm import analysis, benchmark, corpus, genes, libraries, models, scverse, sets, training
    from gsfm.analysis import (
        annotate,
        complete,
        discover,
        embed,
        enrich,
        explain,
        map,
        nearest,
        network,
        prioritize,
        relate,
        term,
    )
    from gsfm.genes import Vocabulary
    from gsfm.models import load, train
    from gsfm.sets import GeneSet, GeneSets

_PACKAGES = {
    *("analysis", "benchmark", "corpus", "genes", "libraries"),
    *("models", "scverse", "sets", "training"),
}
#: Where the other names come from; the verbs come from `gsfm.analysis`.
_HOMES = {
    "GeneSet": "gsfm.sets",
    "GeneSets": "gsfm.sets",
    "Vocabulary": "gsfm.genes",
    "load": "gsfm.models",
    "train": "gsfm.models",
}

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
    "analysis",
    "annotate",
    "benchmark",
    "complete",
    "corpus",
    "discover",
    "embed",
    "enrich",
    "explain",
    "genes",
    "libraries",
    "load",
    "map",
    "models",
    "nearest",
    "network",
    "prioritize",
    "relate",
    "scverse",
    "sets",
    "term",
    "train",
    "training",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        module = sys.modules[__name__]
        raise AttributeError(f"module 'gsfm' has no attribute {name!r}", name=name, obj=module)
    if name in _PACKAGES:
        return importlib.import_module(f"gsfm.{name}")
    value = getattr(importlib.import_module(_HOMES.get(name, "gsfm.analysis")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
