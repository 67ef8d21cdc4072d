"""The evidence for one gene in every term of a library.

A model answers a set with the scores of all genes. A term matrix answers the reverse question: one
gene, all terms. Where a family's score is a product of a part for the term and a part for the gene,
its term matrix keeps the parts for the terms, with the mean and the standard deviation of each
term's scores over the genes outside it. The evidence for a gene is then one matrix-vector product.

The evidence is that of `Model.evidence`: the score, standardized over the genes outside the term;
for a gene of the term, its leave-one-out score.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gsfm.models.evidence import standardize

if TYPE_CHECKING:
    from gsfm.models.base import Model

Ids = NDArray[np.integer[Any]]
Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]
#: Arrays that take long to compute, by name; empty at first, or read from a file.
Cache: TypeAlias = dict[str, NDArray[Any]]
#: Called with the number of terms done and the number of all.
Progress: TypeAlias = Callable[[int, int], None] | None

#: Terms that are worked on at once; bounds the working memory.
BLOCK = 1024


class TermMatrix(ABC):
    """The evidence of one model for a gene, in every term."""

    @abstractmethod
    def evidence(self, gene: int) -> Numbers:
        """(terms,) evidence for the gene in each term; any number in terms that hold it."""

    @abstractmethod
    def leave_one_out(self, terms: Ids, gene: int) -> Numbers:
        """(k,) evidence for the gene in `terms`, which hold it, each without the gene."""


class Rescored(TermMatrix):
    """The form for any family: every term is scored again for each gene."""

    def __init__(self, model: Model, members: sp.csr_array, progress: Progress = None) -> None:
        self.model, self.members, self.progress = model, members, progress

    def evidence(self, gene: int) -> Numbers:
        return self._score(self.members, gene)

    def leave_one_out(self, terms: Ids, gene: int) -> Numbers:
        if not self.model.leaves_itself_out:
            return self._score(without(self.members, terms, gene), gene)
        return self._score(self.members[terms], gene)

    def _score(self, members: sp.csr_array, gene: int) -> Numbers:
        n = members.shape[0]
        out = np.empty(n)
        for rows in blocks(n, 64):
            block = members[rows]
            if self.model.leaves_itself_out:
                evidence = self.model.evidence(block)[0]
            else:
                evidence = standardize(self.model.score(block), block)
            out[rows] = evidence[:, gene]
            if self.progress is not None:
                self.progress(min(rows.stop, n), n)
        return out


class Constant(TermMatrix):
    """The form for scores that are the same for every set."""

    def __init__(self, scores: Numbers, members: sp.csr_array) -> None:
        self.scores = scores
        powers = np.array([scores, scores**2])
        total = powers.sum(axis=1, keepdims=True)
        self.moments = moments(members, total, (members @ powers.T).T)

    def evidence(self, gene: int) -> Numbers:
        return standard(self.scores[gene], self.moments)

    def leave_one_out(self, terms: Ids, gene: int) -> Numbers:
        return standard(self.scores[gene], self.moments, terms)


def cached(cache: Cache, compute: Callable[[], Cache]) -> Cache:
    """Return `cache`, filled by `compute` if it is empty."""
    if not cache:
        cache.update(compute())
    return cache


def holders(matrix: sp.csr_array, column: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows with an entry in a column, and its position: faster than slicing the column."""
    at = np.flatnonzero(matrix.indices == column)
    return np.searchsorted(matrix.indptr, at, side="right") - 1, at


def without(members: sp.csr_array, terms: Ids, gene: int) -> sp.csr_array:
    """(k, genes) the rows of `terms`, each without the gene."""
    rows = members[terms]
    stays = rows.indices != gene
    indptr = np.concatenate([[0], np.cumsum(stays)])[rows.indptr].astype(rows.indptr.dtype)
    return sp.csr_array((rows.data[stays], rows.indices[stays], indptr), shape=rows.shape)


def moments(members: sp.csr_array, of_all: Numbers, of_own: Numbers) -> Numbers:
    """(2, terms) the mean of each term's scores over the genes outside it, and 1 / their spread.

    From sums of the scores and of their squares, (2, terms), over all genes and over the term's
    own. The second is 0 for scores that are all equal.
    """
    others = np.maximum(members.shape[1] - np.diff(members.indptr), 1)
    mean, square = (of_all - of_own) / others
    variance = square - mean**2
    # The variance of equal scores is a rounding error.
    flat = variance <= 1e-9 * square
    return np.array([mean, np.where(flat, 0.0, 1 / np.sqrt(np.where(flat, 1.0, variance)))])


def standard(scores: Any, moments: Numbers, terms: Any = slice(None)) -> Numbers:
    """(terms,) the scores of one gene, standardized."""
    return np.asarray((scores - moments[0, terms]) * moments[1, terms], np.float64)


def sums(members: sp.csr_array, matrix: Any) -> tuple[Numbers, Numbers]:
    """(2, terms) sums of scores and of their squares, over all genes and over a term's own.

    The scores of a term are the sum of its genes' rows of `matrix`, (genes, genes), of any kind.
    """
    every, own = np.empty((2, 2, members.shape[0]))
    for rows in blocks(members.shape[0]):
        scores = sp.csr_array(members[rows] @ matrix)  # (n, genes)
        theirs = scores.multiply(members[rows]).tocsr()
        for out, values in ((every, scores), (own, theirs)):
            ones = np.ones(values.shape[1])
            out[0, rows] = values @ ones
            np.square(values.data, out=values.data)
            out[1, rows] = values @ ones
    return every, own


def blocks(n: int, size: int = BLOCK) -> Iterator[slice]:
    """Slices of `size` rows that cover n."""
    for start in range(0, n, size):
        yield slice(start, start + size)
