"""The evidence for one gene in every term of a library.

A fast form keeps what depends on the terms only, with the mean and the standard deviation of each
term's scores over the genes outside it. The evidence is that of `Model.evidence`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gsfm.models.evidence import standardize
from gsfm.models.membership import row_blocks
from gsfm.models.types import Cache, Ids, Numbers, Progress

if TYPE_CHECKING:
    from gsfm.models.base import Model

#: Terms that are worked on at once; bounds the working memory.
BLOCK = 1024


class TermMatrix(ABC):
    """The evidence of one model for a gene, in every term."""

    @abstractmethod
    def evidence(self, gene: int) -> Numbers:
        """(terms,) evidence for the gene in each term; undefined in terms that have the gene."""

    @abstractmethod
    def leave_one_out(self, terms: Ids, gene: int) -> Numbers:
        """(k,) evidence for the gene in `terms` that have it, each without the gene."""


class Rescored(TermMatrix):
    """The form for any family: every term is scored again for each gene."""

    def __init__(self, model: Model, members: sp.csr_array, progress: Progress = None) -> None:
        self.model, self.members, self.progress = model, members, progress

    def evidence(self, gene: int) -> Numbers:
        return self._score(self.members, gene)

    def leave_one_out(self, terms: Ids, gene: int) -> Numbers:
        alone = self.model.leaves_itself_out
        members = self.members[terms] if alone else without(self.members, terms, gene)
        return self._score(members, gene)

    def _score(self, members: sp.csr_array, gene: int) -> Numbers:
        out = np.empty(members.shape[0])
        for rows, block in row_blocks(members, 64, self.progress):
            if self.model.leaves_itself_out:
                evidence = self.model.evidence(block)[0]
            else:
                evidence = standardize(self.model.score(block), block)
            out[rows] = evidence[:, gene]
        return out


class Standardized(TermMatrix):
    """Scores of one gene in every term, standardized by the `moments` of each term's scores.

    `scores` gives them for all terms, or leave-one-out for some terms that have the gene.
    """

    def __init__(self, moments: Numbers, scores: Callable[[int, Ids | None], Any]) -> None:
        self.moments, self.scores = moments, scores

    def evidence(self, gene: int) -> Numbers:
        return standard(self.scores(gene, None), self.moments)

    def leave_one_out(self, terms: Ids, gene: int) -> Numbers:
        return standard(self.scores(gene, terms), self.moments[:, terms])


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

    From sums of the scores and of their squares, (2, terms), over all genes and over the genes of
    the term. The second is 0 for scores that are all equal.
    """
    others = np.maximum(members.shape[1] - np.diff(members.indptr), 1)
    mean, square = (of_all - of_own) / others
    variance = square - mean**2
    # The variance of equal scores is a rounding error.
    flat = variance <= 1e-9 * square
    return np.array([mean, np.where(flat, 0.0, 1 / np.sqrt(np.where(flat, 1.0, variance)))])


def standard(scores: Any, moments: Numbers) -> Numbers:
    """(terms,) the scores of one gene, standardized."""
    return np.asarray((scores - moments[0]) * moments[1], np.float64)


def sums(members: sp.csr_array, matrix: Any) -> tuple[Numbers, Numbers]:
    """(2, terms) sums of scores and of their squares, over all genes and over those of the term.

    The scores of a term are the sum of its genes' rows of `matrix`, (genes, genes), of any kind.
    """
    every, own = np.empty((2, 2, members.shape[0]))
    for rows, block in row_blocks(members, BLOCK):
        scores = sp.csr_array(block @ matrix)  # (n, genes)
        for out, values in ((every, scores), (own, scores.multiply(block).tocsr())):
            ones = np.ones(values.shape[1])
            out[0, rows] = values @ ones
            np.square(values.data, out=values.data)
            out[1, rows] = values @ ones
    return every, own
