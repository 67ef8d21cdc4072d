"""How much two collections have in common: every pair of sets that share a gene."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gsfm.sets import csr
from gsfm.sets.csr import Int64s

#: Products of the sparse matrices that are formed at once.
_PRODUCTS = 1 << 24


def shared_counts(
    left: sp.csr_array, right: sp.csr_array
) -> Iterator[tuple[Int64s, Int64s, Int64s]]:
    """Pairs of rows with a common column, block by block: (left row, right row, how many)."""
    transposed = right.T.tocsr()
    # The products that each row of `left` costs bound the pairs that it can give.
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


def p_values(
    shared: Int64s, left_size: Int64s, right_size: Int64s, background: int
) -> NDArray[np.float64]:
    """Chance to share as many genes or more, were the right set drawn from the background.

    The upper tail of the hypergeometric distribution, computed once for each distinct case.
    """
    # Imported here: scipy.stats takes half a second.
    from scipy.stats import hypergeom

    cases = np.stack([shared, left_size, right_size], axis=1)
    distinct, inverse = np.unique(cases, axis=0, return_inverse=True)
    k, n, m = distinct.T
    return np.asarray(hypergeom.sf(k - 1, background, n, m))[inverse.ravel()]
