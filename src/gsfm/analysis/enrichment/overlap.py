"""The overlap of a gene set with terms, against random genes that are as popular."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from gsfm.models.types import Mask, Numbers

Ids = NDArray[np.int64]

#: The background is cut into so many parts of equal size by one measure of popularity, and each of
#: these by the other; into fewer if a stratum would have less than `FEWEST` genes.
PARTS = 6
FEWEST = 20
#: Probabilities that are computed at once; bounds the working memory.
AT_ONCE = 4_000_000


def strata(first: Numbers, second: Numbers, pool: Mask) -> list[Ids]:
    """The genes of a pool in strata of similar popularity by two measures, (genes,) each.

    Finer strata would be valid, too, but a stratum of the most popular genes is then half full of
    ribosomal proteins, and seven of these are nothing remarkable.

    Examples
    --------
    >>> met, terms = np.arange(100), np.tile([1, 9], 50)
    >>> [sorted(group.tolist())[:3] for group in strata(met, terms, np.ones(100, bool))]
    [[51, 53, 55], [50, 52, 54], [1, 3, 5], [0, 2, 4]]
    """
    genes = np.flatnonzero(pool)
    parts = max(1, min(PARTS, int(np.sqrt(len(genes) / FEWEST))))

    def cut(group: Ids, of_gene: Numbers) -> list[Ids]:
        return np.array_split(group[np.argsort(-of_gene[group], kind="stable")], parts)

    return [one for group in cut(genes, first) for one in cut(group, second)]


def matched_p_values(overlap: Ids, of_terms: Ids, of_set: Ids, sizes: Ids) -> Numbers:
    r"""(terms,) the probability of such an overlap or more with random genes of the same strata.

    Parameters
    ----------
    overlap
        (terms,) the genes of the set in each term.
    of_terms
        (terms, strata) the genes of each term in each stratum.
    of_set, sizes
        (strata,) the genes of the set, and of the background.

    Notes
    -----
    The overlap within a stratum is hypergeometric, and those of the strata are independent: their
    sum is distributed as the convolution. With one stratum, it is the test of `ora`.

    Examples
    --------
    One of two rare genes, and two of three famous ones, of 10 each:

    >>> counts = np.array([2, 3])
    >>> famous, both = np.array([[0, 2]]), np.array([[1, 2]])
    >>> matched_p_values(np.array([2]), famous, counts, np.array([10, 10])).round(4)
    array([0.0667])
    >>> matched_p_values(np.array([3]), both, counts, np.array([10, 10])).round(4)
    array([0.0133])
    """
    p = np.ones(len(overlap))
    used = of_set > 0
    of_terms, of_set, sizes = of_terms[:, used], of_set[used], sizes[used]
    largest = np.minimum(of_terms, of_set).sum(axis=1)
    rows = np.flatnonzero(overlap)
    rows = rows[np.argsort(largest[rows], kind="stable")]
    start = 0
    while start < len(rows):
        # Terms of similar size together: none is padded to more than twice its length.
        longest = max(2 * int(largest[rows[start]]), 16)
        end = int(np.searchsorted(largest[rows], longest, side="right"))
        end = min(end, start + max(1, AT_ONCE // (longest + 1)))
        part = rows[start:end]
        chances = _convolved(of_terms[part], of_set, sizes, int(largest[part].max()))
        at_least = np.cumsum(chances[:, ::-1], axis=1)[:, ::-1]
        p[part] = at_least[np.arange(len(part)), overlap[part]]
        start = end
    return np.minimum(p, 1)


def _convolved(of_terms: Ids, of_set: Ids, sizes: Ids, largest: int) -> Numbers:
    """(terms, largest + 1) the probability of each overlap."""
    chances = np.zeros((len(of_terms), largest + 1))
    chances[:, 0] = 1
    reached = 0
    for in_terms, n, size in zip(of_terms.T, of_set.tolist(), sizes.tolist(), strict=True):
        counts, of_count = np.unique(in_terms, return_inverse=True)
        own = _hypergeometric(counts, n, size)[of_count]
        summed = np.zeros_like(chances)
        for k in range(min(own.shape[1], largest + 1)):
            width = min(reached, largest - k) + 1
            summed[:, k : k + width] += chances[:, :width] * own[:, k, None]
        chances, reached = summed, min(reached + own.shape[1] - 1, largest)
    return chances


def _hypergeometric(counts: Ids, n: int, size: int) -> Numbers:
    """(counts, k) the probability of k of `counts` genes among n of `size`."""
    k = np.arange(min(n, int(counts.max())) + 1)
    m = counts[:, None]
    possible = (k <= m) & (n - k <= size - m)
    k, m = np.broadcast_arrays(np.where(possible, k, 0), m)
    rest = np.where(possible, n - k, 0)

    def log_choose(of: Any, some: Any) -> Numbers:
        of, some = np.asarray(of, np.float64), np.asarray(some, np.float64)
        return np.asarray(gammaln(of + 1) - gammaln(some + 1) - gammaln(of - some + 1))

    other = np.maximum(size - m, rest)
    logs = log_choose(m, k) + log_choose(other, rest) - log_choose(size, n)
    return np.where(possible, np.exp(np.minimum(logs, 0)), 0.0)
