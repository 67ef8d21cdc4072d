"""Model families with one contract, each in its file or folder; training, saving and loading."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from gsfm.models.adaptive import Adaptive
from gsfm.models.als import ALS
from gsfm.models.annotation import Annotation
from gsfm.models.autoencoder import Autoencoder
from gsfm.models.base import FAMILIES, Model
from gsfm.models.constant import Attribute, Popularity
from gsfm.models.cooccurrence import Cooccurrence
from gsfm.models.ensemble import Ensemble
from gsfm.models.features import Features
from gsfm.models.linear import Linear
from gsfm.models.published import Published
from gsfm.models.registry import ModelLike, describe, families, load, load_model
from gsfm.models.svd import SVD

if TYPE_CHECKING:
    from gsfm.models.held_out import HeldOut, calibrate
    from gsfm.models.trainer import peak_memory, train

__all__ = [
    "ALS",
    "FAMILIES",
    "SVD",
    "Adaptive",
    "Annotation",
    "Attribute",
    "Autoencoder",
    "Cooccurrence",
    "Ensemble",
    "Features",
    "HeldOut",
    "Linear",
    "Model",
    "ModelLike",
    "Popularity",
    "Published",
    "calibrate",
    "describe",
    "families",
    "load",
    "load_model",
    "peak_memory",
    "train",
]

#: What prediction does not need is imported when it is first used (PEP 562).
_LAZY = {"held_out": ("HeldOut", "calibrate"), "trainer": ("peak_memory", "train")}


def __getattr__(name: str) -> Any:
    for module, names in _LAZY.items():
        if name in names:
            return getattr(importlib.import_module(f"gsfm.models.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
