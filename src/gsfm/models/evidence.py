"""Scores as evidence: comparable between sets, between models, and between members and others."""

from __future__ import annotations

import functools

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Floats = NDArray[np.float32]

#: The folds in which the members of a set are left out of it; a smaller set is left one by one.
FOLDS = 8


def standardize(scores: Floats, members: sp.csr_array) -> Floats:
    """Return scores less their mean, over their standard deviation, set by set.

    Parameters
    ----------
    scores
        (n, genes).
    members
        (n, genes) 0/1 membership. Members get a value like the others, but the mean and the
        (population) standard deviation are over the genes that are not members.

    Returns
    -------
    ndarray
        (n, genes) float32; zeros for a set whose non-members all have the same score.
    """
    rows = rows_of(members)
    sizes = np.diff(members.indptr)
    n = np.maximum(scores.shape[1] - sizes, 1)  # (n,) non-members

    def mean(values: Floats) -> NDArray[np.float64]:
        inside = np.bincount(rows, values[rows, members.indices], minlength=len(sizes))
        return np.asarray((values.sum(axis=1, dtype=np.float64) - inside) / n)

    centered = scores - mean(scores).astype(np.float32)[:, None]
    deviation = np.sqrt(np.maximum(mean(centered * centered), 0)).astype(np.float32)
    flat = deviation == 0
    centered /= np.where(flat, 1, deviation)[:, None]
    centered[flat] = 0
    return np.asarray(centered)


def rows_of(members: sp.csr_array) -> NDArray[np.int64]:
    """(members,) the row of each."""
    return np.repeat(np.arange(members.shape[0]), np.diff(members.indptr))


def left_out(members: sp.csr_array) -> tuple[sp.csr_array, NDArray[np.int64]]:
    """Return the sets without some of their members, so that each member is left out once.

    Which members are left out together depends on nothing but the set.

    Returns
    -------
    rest
        (k n, genes) for each of k folds the n sets without the members of that fold.
    at
        (members,) the row of `rest` in which each is left out. A set of one gene has it there all
        the same.
    """
    sizes = np.diff(members.indptr)
    rows = rows_of(members)
    # The order of a random number that each gene has: neighbors by name should not go together.
    key = shuffled(members.shape[1])[members.indices]
    order = np.lexsort((key, rows))
    rank = np.empty(len(rows), np.int64)
    rank[order] = np.arange(len(rows)) - members.indptr[:-1].astype(np.int64)[rows]
    fold = rank % FOLDS
    k = min(FOLDS, int(sizes.max(initial=1)))
    stays = (fold != np.arange(k)[:, None]) | (sizes[rows] == 1)  # (k, members)
    folds, places = np.nonzero(stays)
    at = np.bincount(folds * len(sizes) + rows[places], minlength=k * len(sizes))
    rest = sp.csr_array(
        (members.data[places], members.indices[places], np.concatenate([[0], np.cumsum(at)])),
        shape=(k * len(sizes), members.shape[1]),
    )
    return rest, fold * len(sizes) + rows


def covered(members: sp.csr_array, holders: sp.csr_array, share: float) -> sp.csr_array:
    """Return which terms each set covers: those of which it holds at least a share of the genes.

    Such a term tells nothing of other genes, but would tell the set's own ones well: the term that
    the set is, in this release or another, and the terms below it.

    Parameters
    ----------
    members
        (n, genes) 0/1 membership.
    holders
        (terms, genes), whose stored entries say which genes each term has.
    share
        Above 0 and up to 1.

    Returns
    -------
    csr_array
        (n, terms) float32, 1 where a set covers a term.
    """
    sizes = np.diff(holders.indptr)
    ones = np.ones(len(holders.indices), np.float32)
    has = sp.csr_array((ones, holders.indices, holders.indptr), shape=holders.shape)
    shared = (members @ has.T).tocsr()  # (n, terms)
    # A little less, because 0.55 * 20 is more than 11 in floating point.
    enough = shared.data >= share * sizes[shared.indices] - 1e-6
    shared.data = enough.astype(np.float32)
    shared.eliminate_zeros()
    return shared


@functools.lru_cache(maxsize=4)
def shuffled(genes: int) -> NDArray[np.int64]:
    """(genes,) the same random order each time."""
    return np.random.default_rng(0).permutation(genes)
