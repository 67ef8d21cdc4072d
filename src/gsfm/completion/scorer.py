"""What a completion needs of a model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from gsfm.completion.calibration import Calibration
from gsfm.genes import Vocabulary

Floats = NDArray[np.float32]


class Scorer(Protocol):
    """A model as a completion sees it; `gsfm.models.Model` is one."""

    family: ClassVar[str]
    manifest: dict[str, Any]
    calibration: Calibration | None

    @property
    def vocabulary(self) -> Vocabulary:
        """The genes that are scored."""

    def score(self, sets: Sequence[NDArray[Any]], /) -> Floats:
        """(n, genes) the score of every gene for each set of gene ids."""

    def score_and_probability(
        self, sets: Sequence[NDArray[Any]], /, *, missing_fraction: float
    ) -> tuple[Floats, Floats]:
        """(n, genes) each: the scores and the calibrated probabilities."""


def model_told(model: Scorer) -> dict[str, Any]:
    """Which model answered."""
    manifest = model.manifest
    canonical = json.dumps(manifest, sort_keys=True, default=str)
    return {
        "name": manifest.get("name", model.family),
        "family": model.family,
        "version": manifest.get("gsfm_version"),
        "manifest_sha256": hashlib.sha256(canonical.encode()).hexdigest(),
        "genes": len(model.vocabulary),
    }
