"""Held-out sets: the recall of hidden genes, and calibration with its error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gsfm.completion.batches import batches
from gsfm.completion.reliability import calibration_error
from gsfm.errors import check_type
from gsfm.models import Model
from gsfm.sets import GeneSets
from gsfm.training.batches import Batch, split

SMALLEST, LARGEST = 10, 500  # sizes of the sets that are held out
BLOCK = 256  # sets scored at once
TOPS = (10, 100)  # best genes of each set that the calibration errors are over


@dataclass(frozen=True)
class HeldOut:
    """Sets held out from training, each halved: one half is shown, the other is hidden."""

    shown: GeneSets
    hidden: GeneSets

    @classmethod
    def draw(
        cls, sets: GeneSets, n: int, *, random_state: int = 0
    ) -> tuple[HeldOut, NDArray[np.int64]]:
        """Draw up to `n` sets, at most a tenth of all; return them and the other rows.

        Examples
        --------
        >>> corpus = GeneSets.from_lists([[f"G{i + j}" for j in range(12)] for i in range(40)])
        >>> held, rows = HeldOut.draw(corpus, 3)
        >>> len(held), len(rows), held.shown.sizes.tolist()
        (3, 37, [6, 6, 6])
        """
        rng = np.random.default_rng([random_state, 1])
        sizes = sets.sizes
        usable = np.flatnonzero((sizes >= SMALLEST) & (sizes <= LARGEST) & (sets.weights > 0))
        n = min(n, len(usable), len(sets) // 10)
        rows = np.sort(rng.choice(usable, n, replace=False))
        halves = split(sets, rows, np.full(n, 0.5), rng)
        held_out = cls(*(_as_sets(sets, halves, side) for side in ("shown", "hidden")))
        return held_out, np.delete(np.arange(len(sets)), rows)

    def __len__(self) -> int:
        return len(self.shown)

    def __getitem__(self, rows: slice) -> HeldOut:
        return HeldOut(self.shown[rows], self.hidden[rows])

    def recall(self, model: Model, k: int = 50) -> float:
        """Mean over the sets of the share of hidden genes (at most k) that are among the k best."""
        total = 0.0
        for block in batches(len(self), BLOCK):
            shown, hidden = self.shown[block], self.hidden[block]
            scores = model.score(shown)
            scores[shown.to_csr().nonzero()] = -np.inf
            top = np.argpartition(-scores, min(k, scores.shape[1]) - 1, axis=1)[:, :k]
            found = np.take_along_axis(hidden.to_csr().toarray(), top, axis=1).sum(axis=1)
            total += float((found / np.minimum(hidden.sizes, k)).sum())
        return total / len(self)


def calibrate(model: Model, held: HeldOut) -> dict[str, Any]:
    """Calibrate a model on every other held-out set, and measure the error on the rest.

    Parameters
    ----------
    model
        A fitted model; it becomes calibrated (`Model.calibrate`).
    held
        Sets that the model was not fitted on: 40 or more.

    Returns
    -------
    dict
        ``fitted_sets`` and ``measured_sets``; the expected calibration errors, in ten bins of
        equal mass, over the 10 and 100 best genes of each measured set, ``error_top_10`` and
        ``error_top_100``; and for each of the two the mean predicted probability, ``told_``, and
        the observed frequency of hidden genes, ``found_``.

    Examples
    --------
    >>> from gsfm.models import Popularity
    >>> from gsfm.sets import GeneSets
    >>> rng = np.random.default_rng(0)
    >>> corpus = GeneSets.from_lists([
    ...     [f"G{g}" for g in rng.choice(50, 12, replace=False)] for _ in range(400)
    ... ])
    >>> held, rows = HeldOut.draw(corpus, 40)
    >>> model = Popularity().fit(corpus[rows])
    >>> measured = calibrate(model, held)
    >>> measured["measured_sets"], 0.1 < measured["predicted_top_10"] < 0.2
    (20, True)
    """
    check_type(Model, "a fitted model", model=model)
    check_type(HeldOut, "a HeldOut", held=held)
    fit, test = held[::2], held[1::2]
    model.calibrate(fit.shown, fit.hidden)
    predicted, observed = [], []
    for rows in batches(len(test), BLOCK):
        block = test[rows]
        scores, probability = model.score_and_probability(block.shown)
        shown = block.shown.reindex(model.vocabulary).to_csr()
        scores[shown.nonzero()] = -np.inf
        best = np.argsort(-scores, axis=1, kind="stable")[:, : max(TOPS)]
        # A small vocabulary may have fewer genes to rank than that.
        ranked = np.isfinite(np.take_along_axis(scores, best, axis=1))
        predicted.append(np.where(ranked, np.take_along_axis(probability, best, axis=1), np.nan))
        hidden = block.hidden.reindex(model.vocabulary).to_csr().toarray()
        observed.append(np.take_along_axis(hidden, best, axis=1))
    p, y = np.concatenate(predicted), np.concatenate(observed)
    record: dict[str, Any] = {"fitted_sets": len(fit), "measured_sets": len(test)}
    for top in TOPS:
        ranked = ~np.isnan(p[:, :top])
        a, b = p[:, :top][ranked], y[:, :top][ranked]
        record[f"error_top_{top}"] = round(calibration_error(a, b), 5)
        record[f"predicted_top_{top}"] = round(float(a.mean()), 5)
        record[f"observed_top_{top}"] = round(float(b.mean()), 5)
    return record


def _as_sets(sets: GeneSets, halves: Batch, side: str) -> GeneSets:
    genes, owner = getattr(halves, side), getattr(halves, f"{side}_rows")
    order = np.lexsort((genes, owner))
    sizes = np.bincount(owner, minlength=halves.n)
    return GeneSets(sets.vocabulary, np.concatenate([[0], np.cumsum(sizes)]), genes[order])
