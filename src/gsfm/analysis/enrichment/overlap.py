"""The overlap of a gene set with terms, against random genes that are as popular."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from gsfm.models.types import Mask, Numbers

Ids = NDArray[np.int64]

#: The background is cut into so many strata of equal size by the popularity of the genes; into
#: fewer if a stratum would have less than `FEWEST` genes.
STRATA = 12
FEWEST = 200
#: Probabilities that are computed at once; bounds the working memory.
AT_ONCE = 4_000_000


def strata(of_gene: Numbers, pool: Mask, ids: Ids) -> list[Ids]:
    """The genes of a pool in strata of similar popularity, the most popular first.

    What must be corrected is that well-studied genes are in many sets and in many terms. So the
    strata of a set become fewer until the share of their genes that is in the set falls from each
    to the next (isotonic regression): a set of genes that are seldom studied is compared with all
    genes. More strata would be valid, too, but those of the most popular genes are then half full
    of ribosomal proteins, of which seven are nothing remarkable.

    Parameters
    ----------
    of_gene
        (genes,) the popularity of each.
    pool
        (genes,) the background.
    ids
        The genes of the set.

    Examples
    --------
    >>> popularity, pool = np.arange(800), np.ones(800, bool)
    >>> [len(group) for group in strata(popularity, pool, np.array([799, 798, 650]))]
    [200, 600]
    >>> [len(group) for group in strata(popularity, pool, np.array([1, 2, 3]))]
    [800]
    """
    genes = np.flatnonzero(pool)
    genes = genes[np.argsort(-of_gene[genes], kind="stable")]
    groups: list[list[Ids]] = []
    shares: list[float] = []
    for part in np.array_split(genes, max(1, min(STRATA, len(genes) // FEWEST))):
        own = [part]
        while True:
            size = sum(map(len, own))
            share = sum(int(np.isin(one, ids).sum()) for one in own) / max(size, 1)
            if not shares or share < shares[-1]:
                break
            own = groups.pop() + own
            shares.pop()
        groups.append(own)
        shares.append(share)
    return [np.concatenate(own) for own in groups]


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
