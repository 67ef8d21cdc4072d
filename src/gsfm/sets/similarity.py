"""Near-duplicates: MinHash signatures, their bands, and the exact Jaccard index.

The signature of a set is the smallest hash of its members under each of many permutations. The
expected fraction of equal values in the signatures of two sets is their Jaccard index (Broder 1997,
10.1109/SEQUEN.1997.666900). The hashes of the genes are those of `datasketch.MinHash`, so that the
signatures are the same, bit for bit. Its LSH index holds a Python set for every band of every set,
which would take gigabytes; sorting the bands gives the same candidates.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm.errors import check_given, check_least, check_type, needs_extra
from gsfm.genes import Vocabulary
from gsfm.sets import csr
from gsfm.sets.csr import Int32s, Int64s

if TYPE_CHECKING:
    from gsfm.sets.genesets import GeneSets

#: Probability to find a pair exactly at the threshold; it is higher for pairs above it.
RECALL = 0.99

#: Pairs that are compared at once.
_PAIRS = 1 << 16


def near_duplicates(
    sets: GeneSets, threshold: float, n_permutations: int, random_state: int
) -> pl.DataFrame:
    """The table of `GeneSets.near_duplicates`."""
    # Equal sets have equal signatures: the first one represents them until the end.
    first, sizes = csr.first_equal(sets.indptr, sets.indices), sets.sizes
    rows = np.flatnonzero((first == np.arange(len(first))) & (sizes > 0))
    part, members, _ = csr.gather(sets.indptr, sets.indices, None, rows)
    signed = signatures(sets.vocabulary, part, members, n_permutations, random_state)
    left, right = _candidates(signed, sizes[rows], *bands(threshold, n_permutations), threshold)
    shared = _intersections(part, members, left, right)
    left, right = rows[left], rows[right]
    jaccard = shared / (sizes[left] + sizes[right] - shared)
    distinct = pl.DataFrame({"left": left, "right": right, "jaccard": jaccard})
    equal = pl.DataFrame({"left": rows, "right": rows, "jaccard": np.ones(len(rows))})
    copies = pl.DataFrame({"copy": np.flatnonzero(sizes), "of": first[sizes > 0]})
    one, other = pl.col("first"), pl.col("second")
    pairs = (
        pl.concat([equal, distinct.filter(pl.col("jaccard") >= threshold)])
        .join(copies.select(first="copy", left="of"), on="left")
        .join(copies.select(second="copy", right="of"), on="right")
        .filter((pl.col("left") != pl.col("right")) | (one < other))
        .select(
            pl.min_horizontal(one, other), pl.max_horizontal(one, other).alias("second"), "jaccard"
        )
        .sort("first", "second")
    )
    names = sets.metadata["name"]
    return pairs.select(
        "first",
        "second",
        names.gather(pairs["first"]).alias("first_name"),
        names.gather(pairs["second"]).alias("second_name"),
        "jaccard",
    )


def bands(threshold: float, n_permutations: int) -> tuple[int, int]:
    """How to cut signatures into bands: (number, width); sets that share a band are candidates.

    The widest bands, for the fewest candidates, that miss a pair at the threshold with a
    probability of at most 1 %.
    """
    for width in range(n_permutations // 2, 1, -1):
        n_bands = n_permutations // width
        if 1 - (1 - threshold**width) ** n_bands >= RECALL:
            return n_bands, width
    return n_permutations, 1


def signatures(
    vocabulary: Vocabulary, indptr: Int64s, indices: Int32s, n_permutations: int, random_state: int
) -> NDArray[np.uint32]:
    """(n_sets, n_permutations) MinHash signatures; no set may be empty."""
    with needs_extra("finding near-duplicates", "corpus"):
        from datasketch import MinHash
    # (n_permutations, n_genes): the hashes of a gene are those of the set of this gene alone.
    used = np.flatnonzero(csr.count(indices, len(vocabulary)))
    hashes = np.zeros((n_permutations, len(vocabulary)), np.uint32)
    symbols = [[vocabulary[int(gene)].encode()] for gene in used]
    sketches = MinHash.bulk(symbols, num_perm=n_permutations, seed=random_state)
    if len(used):
        hashes[:, used] = np.stack([sketch.hashvalues for sketch in sketches], axis=1)
    result = np.empty((len(indptr) - 1, n_permutations), np.uint32)
    for first, last in csr.chunks(indptr):
        members = indices[indptr[first] : indptr[last]]
        starts = indptr[first:last] - indptr[first]
        for k in range(n_permutations):
            result[first:last, k] = np.minimum.reduceat(hashes[k][members], starts)
    return result


def _candidates(
    signed: NDArray[np.uint32], sizes: Int64s, n_bands: int, width: int, threshold: float
) -> tuple[Int64s, Int64s]:
    """Pairs that share a band and whose sizes and signatures allow the threshold."""
    n, n_permutations = signed.shape
    # Five standard errors below the threshold: one pair in millions is missed.
    least = threshold - 5 * np.sqrt(threshold * (1 - threshold) / n_permutations)
    found: Int64s = np.empty(0, np.int64)
    for band in range(n_bands):
        keys = np.zeros(n, np.uint64)
        for column in signed[:, band * width : (band + 1) * width].T:
            keys ^= column
            keys *= np.uint64(0x9E3779B97F4A7C15)
            keys ^= keys >> np.uint64(29)
        order = np.argsort(keys, kind="stable")
        fresh = []
        for left, right in _pairs_of_equals(keys[order]):
            one, other = order[left], order[right]
            small, large = np.sort([sizes[one], sizes[other]], axis=0)
            good = small >= threshold * large
            one, other = one[good], other[good]
            alike = (signed[one] == signed[other]).mean(axis=1) >= least
            one, other = one[alike], other[alike]
            fresh.append(np.minimum(one, other) * n + np.maximum(one, other))
        found = np.unique(np.concatenate([found, *fresh]))
    return found // max(n, 1), found % max(n, 1)


def _pairs_of_equals(keys: NDArray[Any]) -> Iterator[tuple[Int64s, Int64s]]:
    """All pairs of positions with the same value in a sorted array, in parts."""
    stops = np.flatnonzero(np.append(keys[1:] != keys[:-1], True)) + 1
    stop_of = np.repeat(stops, np.diff(stops, prepend=0))
    # The number of pairs whose first position this is.
    offsets = csr.to_indptr(stop_of - np.arange(len(stop_of)) - 1)
    for first, last in csr.chunks(offsets, _PAIRS):
        left = first + csr.owners(offsets, first, last)
        right = left + 1 + np.arange(offsets[first], offsets[last]) - offsets[left]
        yield left, right


def _intersections(indptr: Int64s, indices: Int32s, left: Int64s, right: Int64s) -> Int64s:
    """(n_pairs,) the number of members that the sets `left` and `right` share, pair by pair."""
    import scipy.sparse as sp

    sizes = np.diff(indptr)
    shape = len(sizes), int(indices.max(initial=0)) + 1
    members = sp.csr_array((np.ones(len(indices), np.int32), indices, indptr), shape=shape)
    parts = [np.empty(0, np.int64)]
    for first, last in csr.chunks(csr.to_indptr(sizes[left] + sizes[right]), 1 << 20):
        both = members[left[first:last]].multiply(members[right[first:last]])
        parts.append(np.asarray(both.sum(axis=1), np.int64))
    return np.concatenate(parts)


def clusters(pairs: pl.DataFrame, n_sets: int) -> Int64s:
    """Assign the same number to sets that a chain of near-duplicate pairs connects.

    Parameters
    ----------
    pairs
        The result of `GeneSets.near_duplicates`.
    n_sets
        Number of sets in the collection.

    Returns
    -------
    ndarray
        (n_sets,) int64: the row of the first set of each set's cluster; for a set without a
        near-duplicate its own row.

    Examples
    --------
    >>> pairs = pl.DataFrame({"first": [0, 2], "second": [2, 3]})
    >>> clusters(pairs, 5)
    array([0, 1, 0, 0, 4])
    """
    # Imported here, because it takes a tenth of a second.
    import scipy.sparse as sp
    from scipy.sparse.csgraph import connected_components

    check_given(n_sets=n_sets)
    check_least(0, n_sets=n_sets)
    check_type(pl.DataFrame, "the result of GeneSets.near_duplicates", pairs=pairs)
    one, other = pairs["first"].to_numpy(), pairs["second"].to_numpy()
    graph = sp.coo_array((np.ones(len(one), np.int8), (one, other)), shape=(n_sets, n_sets))
    _, label = connected_components(graph, directed=False)
    _, first = np.unique(label, return_index=True)
    return np.asarray(first[label], np.int64)
