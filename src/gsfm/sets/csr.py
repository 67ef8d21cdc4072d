"""Arithmetic of memberships: pure functions of `indptr`, `indices` and member weights.

All functions process the members in chunks of whole sets, so that the working memory is a few
megabytes for any number of members. A chunk is sorted by 64-bit keys (set, gene), for which NumPy
uses vector instructions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gsfm.errors import require
from gsfm.sets.formats.parallel import in_order

Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
Floats = NDArray[np.float32]

#: Members of a chunk: few enough for the processor's cache.
CHUNK = 1 << 18


def chunks(indptr: Int64s, size: int = CHUNK) -> Iterator[tuple[int, int]]:
    """Ranges of whole sets, (first, past the last), with about `size` members each."""
    n = len(indptr) - 1
    first = 0
    while first < n:
        last = int(np.searchsorted(indptr, indptr[first] + size, side="right")) - 1
        last = min(max(last, first + 1), n)
        yield first, last
        first = last


def owners(indptr: Int64s, first: int, last: int) -> Int64s:
    """The set of each member of the sets `first` to `last`, counted from `first`."""
    return np.repeat(np.arange(last - first), np.diff(indptr[first : last + 1]))


def to_indptr(sizes: NDArray[Any]) -> Int64s:
    """(n,) sizes to (n + 1,) offsets."""
    indptr = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=indptr[1:])
    return indptr


def check_offsets(indptr: Int64s, indices: NDArray[Any], weights: NDArray[Any] | None) -> None:
    """Raise ValueError unless the lengths of the arrays fit together."""
    whole = len(indptr) > 0 and indptr[0] == 0 and indptr[-1] == len(indices)
    require(whole, "indptr must start at 0 and end at the number of members")
    # Neighbors are compared: a difference of damaged offsets could wrap around to a small one.
    require((indptr[1:] >= indptr[:-1]).all(), "indptr must not decrease")
    complete = weights is None or len(weights) == len(indices)
    require(complete, "member_weights needs one weight a member")


def as_ids(values: ArrayLike, n_genes: int) -> Int32s:
    """Integers as gene ids; ValueError unless all of them are those of genes."""
    ids = np.asarray(values)
    require(ids.ndim == 1 and (ids.dtype.kind in "iu" or not len(ids)), "gene ids are integers")
    inside = not len(ids) or (ids.min() >= 0 and ids.max() < n_genes)
    require(inside, "a gene id is outside the vocabulary")
    return ids.astype(np.int32, copy=False)


def check(indptr: Int64s, indices: NDArray[Any], n_genes: int) -> None:
    """Raise ValueError unless every set's ids are ascending, distinct and below `n_genes`.

    This and `check_offsets` are the only checks of sparse arrays, of sets and of models alike.
    """
    as_ids(indices, n_genes)
    for first, last in chunks(indptr):
        start, stop = int(indptr[first]), int(indptr[last])
        part = indices[start:stop]
        rising = part[1:] > part[:-1]
        borders = indptr[first + 1 : last] - start
        borders = borders[(borders > 0) & (borders < len(part))]
        rising[borders - 1] = True  # the first member of a set may be smaller than the last one
        require(rising.all(), "gene ids must be ascending and distinct within each set")


def gather(
    indptr: Int64s, indices: Int32s, weights: Floats | None, rows: Int64s
) -> tuple[Int64s, Int32s, Floats | None]:
    """The sets `rows`, in that order; a run of neighbors is a view, not a copy."""
    if len(rows) and int(rows[-1]) - int(rows[0]) == len(rows) - 1 and (np.diff(rows) == 1).all():
        start, stop = indptr[rows[0]], indptr[rows[-1] + 1]
        new = indptr[rows[0] : rows[-1] + 2] - start
        return new, indices[start:stop], None if weights is None else weights[start:stop]
    starts = indptr[rows]
    new = to_indptr(indptr[rows + 1] - starts)
    out = np.empty(new[-1], np.int32)
    out_weights = None if weights is None else np.empty(new[-1], np.float32)
    for first, last in chunks(new):
        a, b = int(new[first]), int(new[last])
        # The position of each member in the old arrays.
        shift = starts[first:last] - new[first:last]
        take = np.arange(a, b) + np.repeat(shift, np.diff(new[first : last + 1]))
        out[a:b] = indices[take]
        if weights is not None and out_weights is not None:
            out_weights[a:b] = weights[take]
    return new, out, out_weights


def remap(
    indptr: Int64s, indices: Int32s, weights: Floats | None, mapping: Int32s
) -> tuple[Int64s, Int32s, Floats | None]:
    """Renumber the genes: id ``g`` becomes ``mapping[g]``, and is removed if that is -1.

    The new ids are ascending and distinct within each set. Of members that become the same gene,
    the largest weight is kept. The input need not be sorted.
    """
    bits = int(mapping.max(initial=0)).bit_length()

    def part(span: tuple[int, int]) -> tuple[Int32s, Floats, NDArray[Any]]:
        first, last = span
        start, stop = int(indptr[first]), int(indptr[last])
        # One sortable number for each member: its set, then its gene.
        keys = owners(indptr, first, last)
        keys <<= bits
        keys |= mapping[indices[start:stop]]  # -1 has every bit set: the key is -1, the smallest
        heavy = np.empty(0, np.float32)
        if weights is None:
            keys.sort()
        else:
            order = np.lexsort((-weights[start:stop], keys))
            keys, heavy = keys[order], weights[start:stop][order]
        keep = np.append(True, keys[1:] != keys[:-1])[: len(keys)]
        keep &= keys >= 0
        keys, heavy = keys[keep], heavy[keep] if len(heavy) else heavy
        sizes = np.bincount(keys >> bits, minlength=last - first)
        keys &= (1 << bits) - 1
        return keys.astype(np.int32), heavy, sizes

    parts: list[Int32s] = []
    weight_parts: list[Floats] = []
    sizes: list[NDArray[Any]] = []
    for ids, heavy, counts in in_order(part, chunks(indptr)):
        parts.append(ids)
        weight_parts.append(heavy)
        sizes.append(counts)
    out_weights = None if weights is None else join(weight_parts, np.float32)
    return to_indptr(join(sizes, np.int64)), join(parts, np.int32), out_weights


def join(parts: list[NDArray[Any]], dtype: type) -> NDArray[Any]:
    """Concatenate, and release each part as soon as it is copied; `parts` is emptied."""
    out: NDArray[Any] = np.empty(sum(map(len, parts)), dtype)
    stop = len(out)
    while parts:
        part = parts.pop()
        out[stop - len(part) : stop] = part
        stop -= len(part)
    return out


def count(ids: Int32s, n: int) -> Int64s:
    """How often each id below `n` occurs; in parts, because bincount makes a wider copy."""
    total = np.zeros(n, np.int64)
    for start in range(0, len(ids), CHUNK):
        total += np.bincount(ids[start : start + CHUNK], minlength=n)
    return total


def first_equal(indptr: Int64s, indices: Int32s) -> Int64s:
    """(n_sets,) for each set, the first set with exactly the same members.

    Sets are grouped by a 64-bit hash, and then compared member by member.
    """
    hashes = _hashes(indptr, indices)
    _, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    result = first[inverse].astype(np.int64)
    # Equal hashes of unequal sets: compare these sets by their bytes.
    exact: dict[bytes, int] = {}
    for row in np.flatnonzero(~_equal(indptr, indices, np.arange(len(result)), result)):
        members = indices[indptr[row] : indptr[row + 1]].tobytes()
        result[row] = exact.setdefault(members, int(row))
    return result


def _hashes(indptr: Int64s, indices: Int32s) -> NDArray[np.uint64]:
    """(n_sets,) sums of a pseudo-random number for each member (the finalizer of splitmix64)."""
    z = np.arange(1, int(indices.max(initial=0)) + 2, dtype=np.uint64)
    z *= np.uint64(0x9E3779B97F4A7C15)
    z ^= z >> np.uint64(30)
    z *= np.uint64(0xBF58476D1CE4E5B9)
    z ^= z >> np.uint64(27)
    z *= np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    hashes = np.empty(len(indptr) - 1, np.uint64)
    for first, last in chunks(indptr):
        total = np.zeros(int(indptr[last] - indptr[first]) + 1, np.uint64)
        np.cumsum(z[indices[indptr[first] : indptr[last]]], out=total[1:])
        at = indptr[first : last + 1] - indptr[first]
        hashes[first:last] = total[at[1:]] - total[at[:-1]]  # modulo 2**64, as intended
    return hashes


def _equal(indptr: Int64s, indices: Int32s, one: Int64s, other: Int64s) -> NDArray[np.bool_]:
    """Whether the sets `one` and `other` have the same members, pair by pair."""
    sizes = np.diff(indptr)
    equal: NDArray[np.bool_] = sizes[one] == sizes[other]
    rows = np.flatnonzero(equal & (one != other))
    mine, my_members, _ = gather(indptr, indices, None, one[rows])
    _, their_members, _ = gather(indptr, indices, None, other[rows])
    wrong = np.flatnonzero(my_members != their_members)
    equal[rows[np.searchsorted(mine, wrong, side="right") - 1]] = False
    return equal
