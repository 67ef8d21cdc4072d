"""The null of the model's evidence for a term: its evidence for typical gene sets."""

from __future__ import annotations

import contextlib
import weakref
from dataclasses import dataclass
from typing import Any

import numpy as np

from gsfm.analysis import cache
from gsfm.analysis.terms import Terms
from gsfm.models import Model, typical
from gsfm.models.types import Floats, Numbers
from gsfm.models.typical import Typical
from gsfm.progress import Progress
from gsfm.sets import GeneSets

#: A p-value is a fraction of the typical sets if as many have such a score; else that of the tail.
ENOUGH = 10
#: Shape of the tail; above 0 it is heavier than an exponential one, as that of evidence is.
SHAPE = 0.1
#: Nulls that are cached for each model.
CACHED = 2
#: Changes whenever a cached `Typical` would no longer equal the computed one.
CACHE_FORMAT = "gsfm-typical/1"

#: Of each model, by the terms: the `Typical` it was computed from, and the null.
_nulls: weakref.WeakKeyDictionary[Model, dict[str, tuple[Typical, Null]]]
_nulls = weakref.WeakKeyDictionary()
#: Of each model without its own: the manifest of its fit, and the `Typical`.
_typical: weakref.WeakKeyDictionary[Model, tuple[Any, Typical]] = weakref.WeakKeyDictionary()


def typical_of(model: Model, progress: Progress | None = None) -> Typical:
    """The evidence of a model for typical gene sets.

    That of the model itself, which `gsfm.train` computes. For other models, of papers of the
    embedded corpus, which is cached on the disk; if the papers have too few of the model's genes,
    of random gene sets.
    """
    if model.typical is not None:
        return model.typical
    # A model that is fitted anew has a new manifest.
    fit, found = _typical.get(model, (None, None))
    if found is None or fit is not model.manifest:
        found = _typical_of_papers(model, progress)
        _typical[model] = model.manifest, found
    return found


def _typical_of_papers(model: Model, progress: Progress | None) -> Typical:
    from gsfm import corpus  # not needed by models that have their own

    papers = typical.sample(corpus.embedded().reindex(model.vocabulary), typical.SETS, 0)
    if len(papers) < typical.FEWEST:
        source = "random gene sets"
        return Typical.fit(model, _random_sets(model), source, progress)
    source = "papers of the embedded corpus"
    file = cache.cache_file("typical", model, CACHE_FORMAT)
    arrays = cache.read_cache(file)
    with contextlib.suppress(ValueError):  # another file, or none: it is written anew
        return typical.restore(arrays, len(model.vocabulary), source)
    found = Typical.fit(model, papers, source, progress)
    cache.write_cache(file, found.tensors())
    return found


def _random_sets(model: Model) -> GeneSets:
    """Gene sets of 5 to 50 genes, or at most half of the genes of the model."""
    n, rng = len(model.vocabulary), np.random.default_rng(0)
    sizes = np.minimum(rng.integers(5, 51, typical.SETS), max(1, n // 2))
    sets = [
        [model.vocabulary[int(i)] for i in rng.choice(n, size, replace=False)] for size in sizes
    ]
    return GeneSets.from_lists(sets, vocabulary=model.vocabulary)


@dataclass(frozen=True)
class Null:
    """The null distribution of a statistic: its values for typical gene sets."""

    values: Floats  # (terms, sets)
    mean: Numbers  # (terms,)
    spread: Numbers  # (terms,) standard deviation
    threshold: Numbers  # (terms,) the largest value below the upper tenth
    excess: Numbers  # (terms,) mean excess of the upper tenth over it

    @classmethod
    def of(cls, values: Floats) -> Null:
        """Compute the moments, and those of the upper tenth."""
        mean = values.mean(axis=1, dtype=np.float64)
        spread = values.std(axis=1, dtype=np.float64)
        # The spread of equal values is a rounding error.
        spread[spread <= 1e-6 * np.abs(mean)] = 0
        k = _upper(values)
        largest = np.partition(values, -k - 1, axis=1)[:, -k - 1 :]
        threshold = largest[:, 0].astype(np.float64)
        excess = largest[:, 1:].mean(axis=1, dtype=np.float64) - threshold
        return cls(values, mean, spread, threshold, excess)

    def judge(self, observed: Numbers) -> tuple[Numbers, Numbers]:
        r"""Return z-scores and p-values, (terms,) each, of observed statistics.

        With :math:`c` of the :math:`N` typical sets as large as the observed one or larger, p is
        :math:`(1 + c) / (N + 1)` where :math:`c \ge 10`. A smaller p is that of the tail, the
        generalized Pareto distribution of the excess of the upper tenth, :math:`k` values, over the
        next value :math:`u`, :math:`m` on average (enlarged by :math:`1 / k`, as it is uncertain):

        .. math:: p = \frac{k + 1}{N + 1} \left(1 + \xi \frac{x - u}{m (1 - \xi)}\right)^{-1 / \xi}

        The shape :math:`\xi = 0.1` is assumed, because it cannot be estimated from a few hundred
        values. A tail from the moments only (gamma) made small p-values ten times too small.

        Pareto tails of permutation nulls: Knijnenburg et al., Bioinformatics 2009,
        doi:10.1093/bioinformatics/btp211.
        """
        n, k = self.values.shape[1], _upper(self.values)
        at_least = (self.values >= observed[:, None]).sum(axis=1)
        varies = self.spread > 0
        spread = np.where(varies, self.spread, 1)
        # Ties at the top have no excess.
        scale = np.maximum(self.excess * (1 + 1 / k), spread / 10) * (1 - SHAPE)
        above = np.maximum(observed - self.threshold, 0) / scale
        tail = (k + 1) / (n + 1) * (1 + SHAPE * above) ** (-1 / SHAPE)
        p = np.where(at_least >= ENOUGH, (1 + at_least) / (n + 1), tail)
        z = np.where(varies, (observed - self.mean) / spread, 0.0)
        return z, np.where(varies, p, 1.0)


def _upper(values: Floats) -> int:
    """The number of values in the upper tenth."""
    return int(max(ENOUGH, values.shape[1] // 10))


def null_of(model: Model, terms: Terms, progress: Progress | None = None) -> Null:
    """The null of the mean evidence over the genes of each term, computed or remembered."""
    reference = typical_of(model, progress)
    key = cache.digest("", terms.members.indices, terms.members.indptr)
    cached = _nulls.setdefault(model, {})
    before, null = cached.get(key, (None, None))
    if null is None or before is not reference:
        if len(cached) >= CACHED:
            cached.pop(next(iter(cached)))
        null = Null.of(reference.of_terms(terms.members))
        cached[key] = reference, null
    return null
