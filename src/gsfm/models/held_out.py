"""The recall of hidden genes of held-out sets, which is watched while a model is trained."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gsfm.models import Model
from gsfm.models.membership import slices
from gsfm.sets import GeneSets
from gsfm.training.batches import Batch, split

SMALLEST, LARGEST = 10, 500  # sizes of the sets that are held out
BLOCK = 256  # sets scored at once


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
        for block in slices(len(self), BLOCK):
            shown, hidden = self.shown[block], self.hidden[block]
            scores = model.score(shown)
            scores[shown.to_csr().nonzero()] = -np.inf
            top = np.argpartition(-scores, min(k, scores.shape[1]) - 1, axis=1)[:, :k]
            found = np.take_along_axis(hidden.to_csr().toarray(), top, axis=1).sum(axis=1)
            total += float((found / np.minimum(hidden.sizes, k)).sum())
        return total / len(self)


def _as_sets(sets: GeneSets, halves: Batch, side: str) -> GeneSets:
    genes, owner = getattr(halves, side), getattr(halves, f"{side}_rows")
    order = np.lexsort((genes, owner))
    sizes = np.bincount(owner, minlength=halves.n)
    return GeneSets(sets.vocabulary, np.concatenate([[0], np.cumsum(sizes)]), genes[order])
