"""The contribution of each gene of a set to the score of another gene.

They add up to the score: the terms of a sum where the score is one, integrated gradients for the
autoencoder, and Shapley values for any other family.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gsfm.models.types import Ids, Mask, Numbers, Parts

if TYPE_CHECKING:
    from gsfm.models.base import Model

#: Random orders of the genes, and as many reversed, in `shapley`.
ORDERS = 8
#: Largest error of the sum of the parts, relative to the score (or to 1, if that is larger).
TOLERANCE = 1e-3


class Kind(NamedTuple):
    """A kind of evidence: the contribution of a member of the model to the score."""

    name: str
    weight: float  # of its evidence in the score
    evidence: float  # weight x evidence is its part of the score
    baseline: float  # its part of the score for an empty set
    shares: Numbers  # (n,) of each gene of the set; baseline + sum = weight x evidence


class Attribution(NamedTuple):
    """A score and its parts: the constant and the kinds add up to it."""

    score: float
    constant: float
    kinds: list[Kind]

    @property
    def baseline(self) -> float:
        """The score for an empty set."""
        return float(self.constant + sum(kind.baseline for kind in self.kinds))

    @property
    def by_gene(self) -> Numbers:
        """(n,) the contribution of each gene of the set, over all kinds."""
        return np.asarray(sum(kind.shares for kind in self.kinds), np.float64)


def shapley(model: Model, ids: Ids, gene: int, others: Mask, random_state: int) -> Parts:
    """Shapley values over random orders (Castro et al. 2009, doi:10.1016/j.cor.2008.04.004).

    In each order it is the gain of the score when the gene joins the set; see `Model._attribution`.
    """
    rng = np.random.default_rng(random_state)
    orders = [rng.permutation(len(ids)) for _ in range(ORDERS)]
    orders += [order[::-1] for order in orders]  # pairs of opposite orders have a smaller error
    total = np.zeros(len(ids))
    empty = np.empty(0, np.int32)
    base = 0.0
    for order in orders:
        growing = [np.sort(ids[order[:k]]) if k else empty for k in range(len(ids) + 1)]
        scores = model.score(growing).astype(np.float64)
        height = scores[:, gene]
        if others.any():
            height = height - scores[:, others].mean(axis=1)
        total[order] += np.diff(height)
        base = float(height[0])
    return base, total / len(orders)


def constant(model: Model, ids: Ids, gene: int, others: Mask) -> Parts:
    """The parts of a score that is the same for every set: all of it is the baseline."""
    scores = model.score([ids])[0].astype(np.float64)
    mean = scores[others].mean() if others.any() else 0.0
    return float(scores[gene] - mean), np.zeros(len(ids))


def contrast(gene: int, others: Mask) -> Numbers:
    """(genes,) factors of the scores: 1 for the gene, less the mean of the `others`."""
    target = others / -max(int(others.sum()), 1)
    target[gene] += 1
    return np.asarray(target, np.float64)
