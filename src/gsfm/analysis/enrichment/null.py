"""The null of model-based enrichment: random sets of the same size and popularity of genes."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gsfm.analysis.cache import digest
from gsfm.analysis.terms import Terms
from gsfm.completion.batches import batches
from gsfm.models import Model
from gsfm.models.types import Floats, Mask, Numbers
from gsfm.progress import Progress

Ids = NDArray[np.int64]


#: A stratum spans popularities up to this factor, and has as many genes as the next line says or
#: more. Popular genes, of which there are few, are matched closely, too.
FACTOR = 1.25
FEWEST = 20
#: A p-value is a fraction of the random sets if as many have such a score; else that of the tail.
ENOUGH = 10
#: Shape of the tail; above 0 it is heavier than an exponential one, as that of evidence is.
SHAPE = 0.1
#: Random sets scored at once.
BATCH = 32
#: Nulls that are cached for each model.
CACHED = 8

_nulls: weakref.WeakKeyDictionary[Model, dict[Any, Null]] = weakref.WeakKeyDictionary()


def strata(of_gene: Numbers, pool: Mask) -> list[Ids]:
    """The genes of a pool in strata of similar popularity, the most popular first.

    `of_gene` has the (genes,) logarithms of their popularities.

    Examples
    --------
    >>> counts = np.concatenate([np.arange(1000, 900, -1), np.ones(500)])
    >>> [len(s) for s in strata(np.log(counts), np.ones(600, bool))]
    [100, 500]
    """
    genes = np.flatnonzero(pool)
    genes = genes[np.argsort(-of_gene[genes], kind="stable")]
    values = of_gene[genes]
    starts = [0]
    while True:
        wide = np.searchsorted(-values, -values[starts[-1]] + np.log(FACTOR), side="right")
        end = max(int(wide), starts[-1] + FEWEST)
        if end + FEWEST > len(genes):  # the rest is too small for a stratum
            return np.split(genes, starts[1:])
        starts.append(end)


def profile(groups: list[Ids], ids: Ids) -> tuple[int, ...]:
    """The number of genes of `ids` in each stratum."""
    genes = np.concatenate(groups)
    of_gene = np.zeros(int(genes.max()) + 1, np.int64)
    of_gene[genes] = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    return tuple(np.bincount(of_gene[ids], minlength=len(groups)).tolist())


def draw(groups: list[Ids], counts: tuple[int, ...], rng: np.random.Generator) -> Ids:
    """A random set with `counts` genes of each stratum."""
    parts = [
        rng.choice(group, count, replace=False)
        for group, count in zip(groups, counts, strict=True)
        if count
    ]
    return np.sort(np.concatenate(parts))


@dataclass(frozen=True)
class Null:
    """The null distribution of a statistic: its values for random sets."""

    values: Floats  # (terms, draws), ascending along the draws
    mean: Numbers  # (terms,)
    spread: Numbers  # (terms,) standard deviation

    @classmethod
    def of(cls, values: Floats) -> Null:
        """Sort the values and compute their moments."""
        mean = values.mean(axis=1, dtype=np.float64)
        spread = values.std(axis=1, dtype=np.float64)
        # The spread of equal values is a rounding error.
        spread[spread <= 1e-6 * np.abs(mean)] = 0
        return cls(np.sort(values, axis=1), mean, spread)

    def judge(self, observed: Numbers) -> tuple[Numbers, Numbers]:
        r"""Return z-scores and p-values, (terms,) each, of observed statistics.

        With :math:`c` of the :math:`N` random sets as large as the observed one or larger, p is
        :math:`(1 + c) / (N + 1)` where :math:`c \ge 10`. A smaller p is that of the tail, the
        generalized Pareto distribution of the excess of the upper tenth, :math:`k` values, over the
        next value :math:`u`, :math:`m` on average (enlarged by :math:`1 / k`, as it is uncertain):

        .. math:: p = \frac{k + 1}{N + 1} \left(1 + \xi \frac{x - u}{m (1 - \xi)}\right)^{-1 / \xi}

        The shape :math:`\xi = 0.1` is assumed, because it cannot be estimated from a few hundred
        values. A tail from the moments only (gamma) made small p-values ten times too small.

        Pareto tails of permutation nulls: Knijnenburg et al., Bioinformatics 2009,
        doi:10.1093/bioinformatics/btp211.
        """
        n = self.values.shape[1]
        k = max(ENOUGH, n // 10)
        at_least = n - np.array(
            [np.searchsorted(v, x) for v, x in zip(self.values, observed, strict=True)]
        )
        threshold = self.values[:, -k - 1].astype(np.float64)
        excess = self.values[:, -k:].mean(axis=1, dtype=np.float64) - threshold
        varies = self.spread > 0
        spread = np.where(varies, self.spread, 1)
        # Ties at the top have no excess.
        scale = np.maximum(excess * (1 + 1 / k), spread / 10) * (1 - SHAPE)
        above = np.maximum(observed - threshold, 0) / scale
        tail = (k + 1) / (n + 1) * (1 + SHAPE * above) ** (-1 / SHAPE)
        p = np.where(at_least >= ENOUGH, (1 + at_least) / (n + 1), tail)
        z = np.where(varies, (observed - self.mean) / spread, 0.0)
        return z, np.where(varies, p, 1.0)


def null_of(
    model: Model,
    terms: Terms,
    groups: list[Ids],
    counts: tuple[int, ...],
    statistic: Callable[[list[Ids]], Floats],
    *,
    draws: int,
    random_state: int,
    progress: Progress | None,
    text: str,
) -> Null:
    """Draw the null, or take it from the cache: it depends on a set's counts, not on its genes.

    `statistic` is a function from sets to their (terms, sets) statistics.
    """
    terms_and_strata = digest("", *groups, terms.members.indices, terms.members.indptr)
    key = (terms_and_strata, counts, draws, random_state, repr(model.manifest))
    cached = _nulls.setdefault(model, {})
    if key not in cached:
        rng = np.random.default_rng(random_state)
        sets = [draw(groups, counts, rng) for _ in range(draws)]
        values = np.empty((len(terms.source), draws), np.float32)
        for part in batches(draws, BATCH, text, progress):
            values[:, part] = statistic(sets[part])
        if len(cached) >= CACHED:
            cached.pop(next(iter(cached)))
        cached[key] = Null.of(values)
    return cached[key]
