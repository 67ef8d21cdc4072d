"""Families that are fitted step by step with torch."""

from __future__ import annotations

import importlib
from typing import ClassVar

from gsfm.errors import MissingExtraError
from gsfm.models.base import Model
from gsfm.models.types import Floats
from gsfm.sets import GeneSets


class StepwiseModel(Model):
    """A model that a `gsfm.training.loop.Learner` fits."""

    fit_needs_torch = True
    can_resume = True
    learns_in_steps = True
    #: Module and name of the learner. It needs torch, which scoring does not.
    learner: ClassVar[tuple[str, str]]

    def _fit(self, sets: GeneSets, weights: Floats, random_state: int) -> None:
        try:
            import torch  # noqa: F401
        except ImportError:
            raise MissingExtraError(
                f"fitting a model of the family {self.family}", "train"
            ) from None
        from gsfm.training.loop import fit

        module, name = self.learner
        learner = getattr(importlib.import_module(module), name)
        self.curve = fit(learner(self, sets, weights, random_state))
