"""The interface of a model that completion uses, and the provenance of its results."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from gsfm.completion.calibration import HALF, Calibration
from gsfm.completion.identifiers import MappedIdentifiers
from gsfm.genes import Vocabulary
from gsfm.version import __version__

Floats = NDArray[np.float32]


class Scorer(Protocol):
    """A model as completion uses it; `gsfm.models.Model` is one."""

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


def score(
    model: Scorer, sets: Sequence[NDArray[Any]], *, missing_fraction: float = HALF
) -> tuple[Floats, Floats]:
    """(n, genes) scores and probabilities; the latter are nan if the model is not calibrated."""
    if model.calibration is not None:
        return model.score_and_probability(sets, missing_fraction=missing_fraction)
    scores = model.score(sets)
    return scores, np.broadcast_to(np.float32(np.nan), scores.shape)


def describe_model(model: Scorer) -> dict[str, Any]:
    """The part of a provenance that identifies the model."""
    manifest = model.manifest
    canonical = json.dumps(manifest, sort_keys=True, default=str)
    return {
        "name": manifest.get("name", model.family),
        "family": model.family,
        "version": manifest.get("gsfm_version"),
        "manifest_sha256": hashlib.sha256(canonical.encode()).hexdigest(),
        "genes": len(model.vocabulary),
    }


def provenance(
    task: str, model: Scorer, mapped: MappedIdentifiers | None = None, **more: Any
) -> dict[str, Any]:
    """The provenance of a result: the verb, version, model, input genes and more; for JSON."""
    about = {"task": task, "gsfm_version": __version__, "model": describe_model(model)}
    return {**about, **({} if mapped is None else {"input": mapped.describe()}), **more}
