"""One contract, one file per model family; save and load."""

from gsfm.models._base import FAMILIES, Model

__all__ = ["FAMILIES", "Model"]
