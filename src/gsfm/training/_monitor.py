"""What is watched while a model trains: recall of genes hidden from sets it never trains on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gsfm.models import Model
from gsfm.sets import GeneSets
from gsfm.training._batches import split


@dataclass(frozen=True)
class HeldOut:
    """Sets kept from training, each halved: one half is shown, the other is to be found."""

    shown: GeneSets
    hidden: GeneSets

    @classmethod
    def draw(
        cls, sets: GeneSets, n: int, *, weights: NDArray[np.floating] | None = None, seed: int = 0
    ) -> tuple[HeldOut, NDArray[np.int64]]:
        """Draw up to n sets of 10 to 500 genes; return them and the rows left for training."""
        rng = np.random.default_rng([seed, 0x5E7])
        fit = (sets.sizes >= 10) & (sets.sizes <= 500)
        if weights is not None:
            fit &= weights > 0
        candidates = np.flatnonzero(fit)
        # Never hold out more than a tenth of what there is.
        n = min(n, len(candidates), len(sets) // 10)
        rows = np.sort(rng.choice(candidates, n, replace=False)) if n else np.empty(0, np.int64)
        halves = split(sets, rows, np.full(n, 0.5), rng)

        def side(genes: NDArray[np.int64], owner: NDArray[np.int64]) -> GeneSets:
            order = np.lexsort((genes, owner))
            sizes = np.bincount(owner, minlength=n)
            return GeneSets(sets.vocabulary, np.concatenate([[0], np.cumsum(sizes)]), genes[order])

        held_out = cls(
            side(halves.shown, halves.shown_rows), side(halves.hidden, halves.hidden_rows)
        )
        return held_out, np.setdiff1d(np.arange(len(sets)), rows)

    def recall(self, model: Model, k: int = 50) -> float:
        """Mean over sets of the share of hidden genes among the k best (of at most k)."""
        total = 0.0
        for start in range(0, len(self.shown), 256):
            rows = np.arange(start, min(start + 256, len(self.shown)))
            shown, hidden = self.shown[rows], self.hidden[rows]
            scores = model.score(shown)
            known, wanted = shown.to_csr(), hidden.to_csr()
            scores[known.nonzero()] = -np.inf
            top = np.argpartition(-scores, min(k, scores.shape[1] - 1), axis=1)[:, :k]
            hits = np.take_along_axis(wanted.toarray(), top, axis=1).sum(axis=1)
            total += float((hits / np.minimum(hidden.sizes, k)).sum())
        return total / max(len(self.shown), 1)
