"""Batches of sets, each split at random into shown and hidden members."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field

import numpy as np
from numpy.typing import NDArray

from gsfm.errors import require
from gsfm.sets import GeneSets

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Batch:
    """n sets; each member is either shown or hidden."""

    shown: Ids  # gene ids, set by set
    shown_rows: Ids  # the set of each, 0 .. n - 1, ascending
    hidden: Ids
    hidden_rows: Ids
    n: int


@dataclass
class HoldOutBatches:
    """Draw batches; each depends on the seed and the step only, so that a fit can be resumed.

    Parameters
    ----------
    sets, weights
        The corpus and (n_sets,) how often a set is drawn, relative to the others. Only sets of two
        genes or more are drawn.
    batch_size
        Sets in a batch, drawn with replacement.
    share
        Bounds of the share of a set that is shown; drawn uniformly for each set.
    max_members
        Larger sets are subsampled to this many members.
    random_state
        Seed of everything random.
    part
        The sets of a batch that are returned, for one of several processes.

    Examples
    --------
    >>> sets = GeneSets.from_lists([["A", "B", "C", "D"], ["C", "D", "E"]])
    >>> draw = HoldOutBatches(sets, np.ones(2), batch_size=3, share=(0.5, 0.5), max_members=9)
    >>> batch = draw(step=1)
    >>> batch.n, len(batch.shown) + len(batch.hidden) >= 9
    (3, True)
    """

    sets: GeneSets
    weights: NDArray[np.floating]
    _: KW_ONLY
    batch_size: int
    share: tuple[float, float]
    max_members: int
    random_state: int = 0
    part: slice = field(default_factory=lambda: slice(None))

    def __post_init__(self) -> None:
        self._rows = np.flatnonzero((self.sets.sizes >= 2) & (self.weights > 0))
        require(len(self._rows), "no set with two genes or more has a weight above 0")
        usable = np.asarray(self.weights[self._rows], np.float64)
        self._cumulative = np.cumsum(usable / usable.sum())

    def __call__(self, step: int) -> Batch:
        """Return the batch of a step."""
        rng = np.random.default_rng([self.random_state, step])
        drawn = np.searchsorted(self._cumulative, rng.random(self.batch_size), side="right")
        # Rounding can leave the last sum slightly below 1.
        rows = self._rows[np.minimum(drawn, len(self._rows) - 1)]
        share = rng.uniform(*self.share, size=self.batch_size)
        return split(self.sets, rows, share, rng, max_members=self.max_members, part=self.part)


def split(
    sets: GeneSets,
    rows: Ids,
    share: NDArray[np.floating],
    rng: np.random.Generator,
    *,
    max_members: int | None = None,
    part: slice = slice(None),
) -> Batch:
    """Split the sets `rows` at random, showing `share` of each, and never all or nothing.

    With `part`, only these of the `rows` are returned, with the split that they have among all.
    """
    genes, owner, rank = members_at_random(sets, rows, rng, part)
    sizes = sizes_of(sets, rows[part])
    kept = np.minimum(sizes, max_members or sizes)
    n_shown = np.clip(np.rint(kept * share[part]).astype(np.int64), 1, np.maximum(kept - 1, 1))
    shown = rank < n_shown[owner]
    hidden = ~shown & (rank < kept[owner])
    return Batch(genes[shown], owner[shown], genes[hidden], owner[hidden], len(sizes))


def sizes_of(sets: GeneSets, rows: Ids) -> Ids:
    """The sizes of these sets; the others are not read."""
    return sets.indptr[rows + 1] - sets.indptr[rows]


def members_at_random(
    sets: GeneSets, rows: Ids, rng: np.random.Generator, part: slice = slice(None)
) -> tuple[Ids, Ids, Ids]:
    """The members of the sets `rows[part]`, in a random order within each.

    (n_members,) each: the gene ids, the position of the set in `rows[part]`, ascending, and the
    rank in the order of the set.
    """
    # Numbers are drawn for all rows, so that a row's order is the same in every part.
    sizes = sizes_of(sets, rows)
    number = rng.random(int(sizes.sum()))
    begin = int(sizes[: part.start or 0].sum())
    rows, sizes = rows[part], sizes[part]
    starts = np.cumsum(sizes) - sizes
    owner = np.repeat(np.arange(len(rows)), sizes)
    number = number[begin : begin + len(owner)]
    position = np.arange(len(owner)) + np.repeat(sets.indptr[rows] - starts, sizes)
    # Sort by (set, random number).
    order = np.argsort(owner + number, kind="stable")
    rank = np.arange(len(owner)) - np.repeat(starts, sizes)
    return sets.indices[position[order]].astype(np.int64), owner, rank
