"""Standardized and leave-one-out scores, which can be compared between sets and models."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gsfm.models.types import Floats

if TYPE_CHECKING:
    from gsfm.models.base import Model

#: The members of a set are left out in so many folds; those of a smaller set one by one.
FOLDS = 8


def standardize(scores: Floats, members: sp.csr_array) -> Floats:
    """Return scores less their mean, over their standard deviation, set by set.

    `scores` and the 0/1 `members` are (n, genes). The mean and the (population) standard deviation
    are over the genes that are not members; where they are all equal, the result is 0.
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


def evidence(model: Model, sets: Sequence[NDArray[Any]]) -> Floats:
    """(n, genes) the standardized score of each gene for each set; of members, leave-one-out.

    A member is left out alone or with up to an eighth of the set. The only gene of a set has no
    other gene to be scored by: its evidence is 0.
    """
    members = model.encode(sets)
    of_genes, of_members = model.evidence(members)
    rows = rows_of(members)
    alone = np.diff(members.indptr)[rows] == 1
    out = np.array(of_genes, np.float32)
    out[rows, members.indices] = np.where(alone, np.float32(0), of_members)
    return out


def rows_of(members: sp.csr_array) -> NDArray[np.int64]:
    """(members,) the row of each."""
    return np.repeat(np.arange(members.shape[0]), np.diff(members.indptr))


def divide_by_others(total: Floats, members: sp.csr_array) -> None:
    """Turn sums over the members, without the gene itself, into means, in place."""
    others = np.broadcast_to(np.diff(members.indptr)[:, None], total.shape).astype(np.float32)
    others[rows_of(members), members.indices] -= 1
    total /= np.maximum(others, 1)


def left_out(members: sp.csr_array) -> tuple[sp.csr_array, NDArray[np.int64]]:
    """Return the sets without some of their members, so that each member is left out once.

    The first result, (k n, genes), has for each of k folds the n sets without the members of that
    fold; the second, (members,), the row in which each member is left out. A set of one gene keeps
    it. The folds depend on the set only.
    """
    sizes = np.diff(members.indptr)
    rows = rows_of(members)
    # In a random order of the genes, so that genes with similar names are in different folds.
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


def contained_terms(members: sp.csr_array, terms: sp.csr_array, share: float) -> sp.csr_array:
    """(n, terms) 1 where a set contains a term: it has at least a `share` of the term's genes.

    These are the term that the set is, in this release or another, and the terms below it, which
    would predict the set's own members. `members` is (n, genes) and `terms` (terms, genes).
    """
    sizes = np.diff(terms.indptr)
    ones = np.ones(len(terms.indices), np.float32)
    has = sp.csr_array((ones, terms.indices, terms.indptr), shape=terms.shape)
    overlap = (members @ has.T).tocsr()  # (n, terms)
    # A little less, because 0.55 * 20 is more than 11 in floating point.
    enough = overlap.data >= share * sizes[overlap.indices] - 1e-6
    overlap.data = enough.astype(np.float32)
    overlap.eliminate_zeros()
    return overlap


@functools.lru_cache(maxsize=4)
def shuffled(genes: int) -> NDArray[np.int64]:
    """(genes,) the same random order each time."""
    return np.random.default_rng(0).permutation(genes)
