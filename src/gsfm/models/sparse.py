"""Gene-by-gene matrices: the Gram matrix, pruning, storage, principal coordinates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gsfm.models.membership import row_blocks
from gsfm.models.storage import take
from gsfm.models.types import Floats, Tensors
from gsfm.sets import csr

#: Rows of a gene-by-gene matrix that are computed at once; bounds the working memory.
BLOCK = 512


def gram_blocks(members: sp.csr_array, weights: Floats) -> Iterator[tuple[int, Floats]]:
    """Yield the first row and the rows, (block, genes), of X' W X, block after block.

    X is the (sets, genes) 0/1 membership and W the diagonal of the sets' weights: the entry (i, j)
    is the weight of the sets that hold both i and j.
    """
    of_member = np.repeat(weights, np.diff(members.indptr))
    weighted = sp.csr_array((of_member, members.indices, members.indptr), members.shape)
    for rows, block in row_blocks(weighted.T.tocsr(), BLOCK):
        yield rows.start, (block @ members).toarray()


def keep_largest(blocks: Iterable[tuple[Floats, Floats]], keep: int) -> sp.csr_array:
    """Stack blocks of rows, keeping the `keep` most important entries of each row, as sparse rows.

    A block is rows of values and, in the same shape, how important each is (0 is never kept). Of
    equal entries those in the smaller columns are kept. Values are rounded to float16, as
    `csr_tensors` stores them, so that the loaded model is the same as the fitted one.
    """
    sizes, indices, data = [np.zeros(1, np.int64)], [], []
    width = 0
    for block, importance in blocks:
        width = block.shape[1]
        k = min(keep, width)
        edge = np.partition(importance, width - k, axis=1)[:, width - k]
        smallest = np.finfo(np.float32).smallest_subnormal
        rows, columns = np.nonzero(importance >= np.maximum(edge, smallest)[:, None])
        # All above the edge are kept, and as many at the edge as there is room for.
        tied = importance[rows, columns] == edge[rows]
        room = k - np.bincount(rows[~tied], minlength=len(block))
        before = np.cumsum(tied) - tied  # tied entries before this one, from the first row on
        first = np.searchsorted(rows, np.arange(len(block)))
        at_row_start = np.append(before, tied.sum())[first]
        values = block[rows, columns].astype(np.float16).astype(np.float32)
        kept = (~tied | (before - at_row_start[rows] < room[rows])) & (values != 0)
        sizes.append(np.bincount(rows[kept], minlength=len(block)))
        indices.append(columns[kept].astype(np.int32))
        data.append(values[kept])
    indptr = np.cumsum(np.concatenate(sizes))
    index = np.concatenate(indices)
    return sp.csr_array((np.concatenate(data), index, indptr), shape=(len(indptr) - 1, width))


def csr_tensors(matrix: sp.csr_array, prefix: str) -> Tensors:
    """Three tensors of a sparse matrix of float16-rounded values, with a row for each gene."""
    narrow = np.uint16 if matrix.shape[1] <= np.iinfo(np.uint16).max + 1 else np.int32
    return {
        f"{prefix}.indptr": matrix.indptr.astype(np.int64),
        f"{prefix}.indices": matrix.indices.astype(narrow),
        f"{prefix}.values": matrix.data.astype(np.float16),
    }


def take_csr(tensors: Tensors, prefix: str, *shape: int) -> sp.csr_array:
    """The inverse of `csr_tensors`; ValueError if it is not a sparse matrix of the shape."""
    genes, width = shape
    indptr = take(tensors, f"{prefix}.indptr", genes + 1, kinds="iu").astype(np.int64)
    indices = take(tensors, f"{prefix}.indices", None, kinds="iu")
    n = len(indices)
    values = take(tensors, f"{prefix}.values", n, kinds="f").astype(np.float32)
    try:
        csr.check_offsets(indptr, indices, values)
        csr.check(indptr, indices, width)
    except ValueError as error:
        raise ValueError(f"the tensors '{prefix}': {error}") from None
    # 32-bit indices keep products with 32-bit memberships in 32 bits.
    wide = np.int64 if n > np.iinfo(np.int32).max else np.int32
    return sp.csr_array((values, indices.astype(wide), indptr.astype(wide)), shape=(genes, width))


def principal_rows(matrix: Any, dimensions: int) -> Floats:
    """Coordinates of the rows of a (genes, n) `matrix` in its leading right singular vectors, U S.

    Dot products between rows are preserved as well as possible with `dimensions` numbers. The
    method is subspace iteration from a fixed start (Halko et al. 2011, 10.1137/090771806).
    """
    n = matrix.shape[1]
    k = min(dimensions, n)
    basis: NDArray[Any] = np.random.default_rng(0).standard_normal((n, min(k + 16, n)))
    for _ in range(4):
        basis = _orthonormal(matrix @ _orthonormal(basis))
        basis = _orthonormal(matrix.T @ basis)  # (n, k + 16)
    rows = np.asarray(matrix @ basis, np.float64)  # (n, k + 16)
    # Rotate so that the directions come in order of size, and keep the first k.
    vectors = np.linalg.eigh(rows.T @ rows)[1][:, ::-1][:, :k]
    rows = rows @ vectors
    rows *= np.where(-rows.min(axis=0) > rows.max(axis=0), -1, 1)  # a deterministic sign
    return np.pad(rows, ((0, 0), (0, k - rows.shape[1]))).astype(np.float32)


def _orthonormal(columns: NDArray[Any]) -> Floats:
    """An orthonormal basis of a few long columns, by their Gram matrix: faster than by QR."""
    columns = columns.astype(np.float64)
    values, vectors = np.linalg.eigh(columns.T @ columns)
    kept = values > values[-1] * 1e-14
    if not kept.any():
        kept[-1] = True  # of a matrix of zeros: one direction, of length 0
    lengths = np.sqrt(np.maximum(values[kept], np.finfo(float).tiny))
    basis: Floats = (columns @ (vectors[:, kept] / lengths)).astype(np.float32)
    return basis
