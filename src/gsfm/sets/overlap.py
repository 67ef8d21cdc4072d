"""Overlap of two collections: every pair of sets that share a gene."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from gsfm.errors import check_least, require
from gsfm.genes import Vocabulary
from gsfm.sets import csr
from gsfm.sets.csr import Int64s

if TYPE_CHECKING:
    from gsfm.sets.genesets import GeneSets

Numbers = NDArray[np.float64]

#: Products of the sparse matrices that are formed at once.
_PRODUCTS = 1 << 24
#: The most genes of a background: the products of `p_values` fit into 64 bits.
MOST = 10**9


def compare(
    one: GeneSets,
    other: GeneSets,
    background: int | None,
    min_shared: int,
    min_jaccard: float,
    max_p_value: float,
) -> pl.DataFrame:
    """The table of `GeneSets.overlap`."""
    vocabulary = one.vocabulary
    if other.vocabulary != vocabulary:
        extra = (symbol for symbol in other.vocabulary if symbol not in one.vocabulary)
        vocabulary = Vocabulary((*vocabulary, *extra))
    left, right = one.reindex(vocabulary), other.reindex(vocabulary)
    least = int(np.count_nonzero(left.gene_frequencies + right.gene_frequencies))
    background = check_background(least if background is None else background)
    message = f"the background must be at least the {least} genes that occur, not {background}"
    require(background >= least, message)
    none, both = np.empty(0, np.int64), pl.col("shared")
    parts = []
    # The empty block gives the table its columns if there is no other.
    for rows, columns, shared in chain(shared_counts(left.to_csr(), right.to_csr()), [(none,) * 3]):
        sizes = {"left_size": left.sizes[rows], "right_size": right.sizes[columns]}
        part = (
            pl.DataFrame({"left": rows, "right": columns, **sizes, "shared": shared})
            .with_columns(jaccard=both / (pl.col("left_size") + pl.col("right_size") - both))
            .filter(both >= min_shared, pl.col("jaccard") >= min_jaccard)
        )
        k, n, m = (part[name].to_numpy() for name in ("shared", "left_size", "right_size"))
        part = part.with_columns(p_value=p_values(k, n, m, background))
        parts.append(part.filter(pl.col("p_value") <= max_p_value))
    table = pl.concat(parts)
    return table.select(
        "left",
        "right",
        left.metadata["name"].gather(table["left"]).alias("left_name"),
        right.metadata["name"].gather(table["right"]).alias("right_name"),
        pl.exclude("left", "right"),
    )


def shared_counts(
    left: sp.csr_array, right: sp.csr_array
) -> Iterator[tuple[Int64s, Int64s, Int64s]]:
    """Pairs of rows with a common column, block by block: (left row, right row, how many)."""
    transposed = right.T.tocsr()
    # The number of products of each row of `left` bounds the number of its pairs.
    cost = np.diff(transposed.indptr)[left.indices].astype(np.int64)
    total = csr.to_indptr(cost)
    for first, last in csr.chunks(total[left.indptr], _PRODUCTS):
        block = (left[first:last] @ transposed).tocoo()
        rows, columns = block.coords
        order = np.lexsort((columns, rows))
        yield (
            rows[order].astype(np.int64) + first,
            columns[order].astype(np.int64),
            np.rint(block.data[order]).astype(np.int64),
        )


def check_background(background: int) -> int:
    """The number of genes of a background, if it is one."""
    check_least(0, background=background)
    require(background <= MOST, f"background must be {MOST:,} genes or fewer, not {background:,}")
    return int(background)


def p_values(shared: Int64s, left: Int64s, right: Int64s, background: int) -> Numbers:
    """The hypergeometric probability of an overlap, or a larger one, by chance.

    Parameters
    ----------
    shared, left, right
        (n,) the sizes of the overlap and of the two sets.
    background
        Number of genes from which the members of one of the sets are drawn at random.

    Returns
    -------
    ndarray
        (n,) what ``scipy.stats.hypergeom.sf(shared - 1, background, left, right)`` gives, without
        the import of scipy.stats, which takes longer than all the other imports.

    Examples
    --------
    >>> one = np.array([1])
    >>> p_values(one, one, one, 4)  # the only gene drawn is the only one of the other set
    array([0.25])
    """
    cases, inverse = np.unique(np.stack([shared, left, right]), axis=1, return_inverse=True)
    (k, n, m), N = cases, background
    # The sum of the probabilities of an overlap of k to min(n, m).
    last = np.minimum(n, m)
    total = np.zeros(len(k))
    at = np.flatnonzero(k <= last)
    i, n, m, last = np.maximum(k, n + m - N)[at], n[at], m[at], last[at]
    chance = _probability(i, n, m, N)
    # So far below the mean that the following terms of the sum could not be told from this one.
    certain = (i < n * m / N) & (chance < 1e-200)
    total[at[certain]] = 1
    at, i, chance, n, m, last = (values[~certain] for values in (at, i, chance, n, m, last))
    while len(at):
        total[at] += chance
        # The ratio of successive terms; the sum ends behind the mode, when terms no longer count.
        ratio = (m - i) * (n - i) / ((i + 1) * (N - n - m + i + 1))
        goes_on = (i < last) & ((ratio >= 1) | (chance > 1e-17 * total[at]))
        chance, i = (chance * ratio)[goes_on], i[goes_on] + 1
        at, n, m, last = at[goes_on], n[goes_on], m[goes_on], last[goes_on]
    return np.asarray(np.minimum(total, 1.0)[inverse.ravel()])


def _probability(i: Int64s, n: Int64s, m: Int64s, N: int) -> Numbers:
    """The hypergeometric probability of an overlap of exactly `i`.

    Differences of large logarithms of factorials would lose digits. Here they are written as
    Stirling's approximation, whose large terms cancel exactly, and its small remainders
    (the saddle-point form of Loader 2000).
    """
    # Imported here: it takes longer than a query.
    from scipy.special import gammaln, xlog1py, xlogy

    def remainder(k: Int64s) -> Numbers:
        """The logarithm of ``k!``, less ``k * log(k) - k``."""
        large = np.maximum(k, 16.0)
        square = large**2
        series = (1 / 12 - (1 / 360 - (1 / 1260 - 1 / 1680 / square) / square) / square) / large
        small = gammaln(k + 1.0) - xlogy(k, k) + k
        return np.asarray(np.where(k < 16, small, np.log(2 * np.pi * large) / 2 + series))

    counts = np.stack([i, m - i, n - i, N - n - m + i])
    expected = np.stack([n * m, (N - n) * m, n * (N - m), (N - n) * (N - m)]) / N
    excess = np.array([[1], [-1], [-1], [1]]) * (i * N - n * m) / N
    # A margin of 0 makes a count, its expectation and the excess 0.
    divergence = xlog1py(counts, excess / np.where(expected, expected, 1)).sum(0)
    margins = np.stack([m, N - m, n, N - n])
    rest = remainder(margins).sum(0) - remainder(np.array(N)) - remainder(counts).sum(0)
    return np.asarray(np.exp(rest - divergence))
