"""From gene sets of any form to a 0/1 membership matrix, or to a corpus."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import scipy.sparse as sp

from gsfm.completion.batches import batches
from gsfm.errors import require
from gsfm.genes import Vocabulary
from gsfm.models.types import Ids, Progress, SetsLike
from gsfm.sets import GeneSets


def encode(sets: SetsLike, vocabulary: Vocabulary) -> sp.csr_array:
    """(n, genes) float32 0/1 membership of `sets`; symbols outside the vocabulary are left out."""
    if is_matrix(sets):
        return _checked(sets, len(vocabulary))
    if isinstance(sets, GeneSets):
        own = sets.reindex(vocabulary).to_csr()
        data, indices, indptr = own.data, own.indices, own.indptr
    else:
        rows = [np.unique(_ids(one, vocabulary)) for one in sets]
        indptr = np.cumsum([0, *map(len, rows)])
        indices = np.concatenate(rows) if rows else np.empty(0, np.int32)
        data = np.ones(len(indices), np.float32)
    # 32 bits, if they are enough: a product with a model's 32-bit matrix would copy that first.
    narrow = np.int32 if len(indices) <= np.iinfo(np.int32).max else np.int64
    indptr, indices = indptr.astype(narrow), indices.astype(narrow, copy=False)
    return sp.csr_array((data, indices, indptr), shape=(len(indptr) - 1, len(vocabulary)))


def as_corpus(sets: SetsLike, vocabulary: Vocabulary | Iterable[str] | None) -> GeneSets:
    """Return `sets` as a collection; see `Model.fit` for the vocabulary."""
    if isinstance(sets, GeneSets):
        require(vocabulary is None, "a GeneSets has its own vocabulary; leave out vocabulary")
        return sets
    if vocabulary is not None and not isinstance(vocabulary, Vocabulary):
        vocabulary = Vocabulary(vocabulary)
    if not is_matrix(sets):
        sets = [one if isinstance(one, np.ndarray | str) else list(one) for one in sets]
    if not is_matrix(sets) and all(map(are_symbols, sets)):
        lists: Any = sets
        return GeneSets.from_lists(lists, vocabulary=vocabulary)
    if vocabulary is None:
        raise ValueError("gene ids and a matrix have no symbols; name the genes with vocabulary")
    members = encode(sets, vocabulary)
    return GeneSets(vocabulary, members.indptr, members.indices)


def is_matrix(sets: Any) -> bool:
    """Whether `sets` is a matrix with a row for each set: sparse, or a two-dimensional array."""
    return sp.issparse(sets) or (isinstance(sets, np.ndarray) and sets.ndim == 2)


def symbols_of(sets: SetsLike) -> list[Any]:
    """The symbols of each set; none for a set of gene ids."""
    if isinstance(sets, GeneSets):
        return [sets.genes(i) for i in range(len(sets))]
    return [one if are_symbols(one) else () for one in sets]


def are_symbols(one: Any) -> bool:
    """Whether a set consists of symbols (as an empty one does) rather than of gene ids."""
    if isinstance(one, np.ndarray):
        return one.dtype.kind not in "iu" or len(one) == 0
    return not isinstance(next(iter(one), ""), int | np.integer)


def row_blocks(
    members: sp.csr_array, size: int, progress: Progress = None
) -> Iterator[tuple[slice, sp.csr_array]]:
    """Blocks of `size` rows of a matrix, each with its place; progress is reported after each."""
    n = members.shape[0]
    for rows in batches(n, size):
        yield rows, members[rows]
        if progress is not None:
            progress(rows.stop, n)


def _ids(one: Any, vocabulary: Vocabulary) -> Ids:
    """The gene ids of one set, which are checked, or those of its symbols that are known."""
    if isinstance(one, str):
        raise TypeError("a model takes a list of sets; wrap a single set in a list")
    if are_symbols(one):
        ids = vocabulary.ids(one)
        return ids[ids >= 0]
    ids, n = np.asarray(one), len(vocabulary)
    whole = ids.dtype.kind in "iu"
    require(whole, f"a set holds symbols or integer gene ids, not {ids.dtype}", TypeError)
    require(ids.min() >= 0 and ids.max() < n, f"a gene id is outside 0..{n - 1}")
    return ids.astype(np.int32)


def _checked(matrix: Any, genes: int) -> sp.csr_array:
    """A sparse matrix as 0/1 membership of `genes` genes."""
    n = matrix.shape[1]
    require(n == genes, f"the matrix has {n} columns; there are {genes} genes")
    members = sp.csr_array(matrix, dtype=np.float32, copy=True)
    members.eliminate_zeros()
    require((members.data == 1).all(), "the matrix holds something other than 0 and 1")
    members.sum_duplicates()  # sorts the indices, too
    members.data[:] = 1
    return members
