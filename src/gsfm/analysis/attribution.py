r"""What each gene of a set adds to the score of another gene.

A score is taken apart by the family of the model that gave it, always so that the parts add up:

- of `Linear` and `Features` it is a sum over the set's genes as it stands;
- of `Autoencoder` it is split by integrated gradients (Sundararajan et al. 2017,
  arXiv:1703.01365);
- `Popularity`, `Attribute` and `Annotation` say the same whatever the set: nothing is a gene's;
- of any other family, by Shapley values over random orders of the genes (Castro et al. 2009,
  doi:10.1016/j.cor.2008.04.004): in each order a gene has what the score gains as it joins, so
  that the gains of an order add up to the whole.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gsfm.completion.identifiers import Ids
from gsfm.models import (
    Adaptive,
    Annotation,
    Attribute,
    Autoencoder,
    Ensemble,
    Features,
    Linear,
    Model,
    Popularity,
)
from gsfm.models.autoencoder.model import LAYER_NORM_EPSILON
from gsfm.models.evidence import covered

Numbers = NDArray[np.float64]

#: Orders of the genes, and as many reversed, for the families without a formula.
ORDERS = 8
#: Points of the integral along a path; doubled up to `MOST_NODES` until the shares add up.
NODES, MOST_NODES = 32, 512
#: Error of a sum of shares, of what they add up to (or of 1, if that is less).
TOLERANCE = 1e-3


class Kind(NamedTuple):
    """A kind of evidence: what a member of the model adds to the score."""

    name: str
    weight: float  # of its evidence in the score
    evidence: float  # weight x evidence is its part of the score
    baseline: float  # its part of the score were there no gene in the set
    shares: Numbers  # (n,) what each gene of the set adds; baseline + sum = weight x evidence


class Shares(NamedTuple):
    """A score, taken apart: the constant and the kinds add up to it."""

    score: float
    constant: float
    kinds: list[Kind]

    @property
    def baseline(self) -> float:
        """What the score would be were there no gene in the set."""
        return float(self.constant + sum(kind.baseline for kind in self.kinds))

    @property
    def of_genes(self) -> Numbers:
        """(n,) what each gene of the set adds, over all kinds."""
        return np.asarray(sum(kind.shares for kind in self.kinds), np.float64)


def shares(model: Model, ids: Ids, gene: int, *, seed: int = 0) -> Shares:
    """Take apart the score of `gene` for the set `ids`, of which it is not one.

    The weights that an ensemble gives its members for this set, and the mean and the spread by
    which their scores are standardised, are held as they are.
    """
    score = float(model.score([ids])[0, gene])
    if not isinstance(model, Ensemble):
        base, of_genes = _raw(model, ids, gene, np.zeros(len(model.vocabulary), bool), seed)
        name = model.family
        return Shares(score, 0.0, [Kind(name, 1.0, base + of_genes.sum(), base, of_genes)])

    members = model.encode([ids])
    weights, constant = np.array(model.config.weights, float), 0.0
    if isinstance(model, Adaptive):
        fitted, constants, _, _ = model._fit_weights(members)
        weights, constant = fitted[0], float(constants[0])
    kinds = []
    for name, weight, (member, _, own, columns) in zip(
        kind_names(model), weights, model._parts(members), strict=True
    ):
        local = np.full(len(model.vocabulary), -1)
        local[columns] = np.arange(own.shape[1])
        part = np.zeros(len(ids))
        base = 0.0
        if local[gene] >= 0:
            known = local[ids] >= 0
            base, part[known] = _standardised(
                member, local[ids[known]].astype(np.int32), int(local[gene]), seed
            )
            if isinstance(model, Adaptive) and isinstance(member, Features):
                base, part = _squeezed(base, part)  # as its `_score_and_evidence` does
        kinds.append(Kind(name, weight, base + part.sum(), weight * base, weight * part))
    return Shares(score, constant, kinds)


def kind_names(model: Ensemble) -> list[str]:
    """A name for each member: its family, what it is of, and a number if there are several."""
    names = []
    for member in model.members:
        of = getattr(member.config, "of", None)
        names.append(f"{member.family}: {of}" if of else member.family)
    return [
        f"{name} {names[: i + 1].count(name)}" if names.count(name) > 1 else name
        for i, name in enumerate(names)
    ]


def _standardised(model: Model, ids: Ids, gene: int, seed: int) -> tuple[float, Numbers]:
    """The baseline and the shares of a member's standardised score."""
    others = np.ones(len(model.vocabulary), bool)
    others[ids] = False
    scores = model.score([ids])[0, others].astype(np.float64)
    spread = scores.std()
    if spread == 0:
        return 0.0, np.zeros(len(ids))
    base, of_genes = _raw(model, ids, gene, others, seed)
    return base / spread, of_genes / spread


def _squeezed(base: float, part: Numbers) -> tuple[float, Numbers]:
    """The same for the inverse hyperbolic sine of a sum: each share in proportion.

    What integrated gradients along the straight path give, exactly.
    """
    total = part.sum()
    if abs(total) < 1e-9:
        return float(np.arcsinh(base)), part / np.sqrt(1 + base**2)
    rise = (np.arcsinh(base + total) - np.arcsinh(base)) / total
    return float(np.arcsinh(base)), part * rise


@functools.singledispatch
def _raw(
    model: Any, ids: Ids, gene: int, others: NDArray[np.bool_], seed: int
) -> tuple[float, Numbers]:
    """The baseline and (n,) the shares of a gene's score less the mean score of the `others`.

    No gene may be among the others: then it is the score itself.
    """
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(len(ids)) for _ in range(ORDERS)]
    orders += [order[::-1] for order in orders]  # pairs of opposite orders err less than others
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


@_raw.register(Popularity)
@_raw.register(Attribute)
@_raw.register(Annotation)
def _(
    model: Model, ids: Ids, gene: int, others: NDArray[np.bool_], seed: int
) -> tuple[float, Numbers]:
    scores = model.score([ids])[0].astype(np.float64)
    mean = scores[others].mean() if others.any() else 0.0
    return float(scores[gene] - mean), np.zeros(len(ids))


@_raw.register
def _(
    model: Linear, ids: Ids, gene: int, others: NDArray[np.bool_], seed: int
) -> tuple[float, Numbers]:
    return 0.0, _rows(model.matrix[ids]) @ _against(gene, others)


@_raw.register
def _(
    model: Features, ids: Ids, gene: int, others: NDArray[np.bool_], seed: int
) -> tuple[float, Numbers]:
    vectors = model.vectors
    if model.config.covered is not None:
        # As its `_score`: without the features that the set covers, and scaled to length 1 again.
        members = model.encode([ids])
        without = covered(members, model._by_feature, model.config.covered)
        scale = model._scale(without)[0]
        keep = sp.diags_array(1 - without.toarray()[0])
        vectors = (sp.diags_array(scale) @ vectors @ keep).tocsr()
    target = vectors.T @ _against(gene, others)  # (features,)
    return 0.0, np.asarray(vectors[ids] @ target, np.float64) / max(len(ids), 1)


def _against(gene: int, others: NDArray[np.bool_]) -> Numbers:
    """(genes,) what to multiply scores with: 1 for the gene, less the mean of the others."""
    target = others / -max(int(others.sum()), 1)
    target[gene] += 1
    return np.asarray(target, np.float64)


def _rows(matrix: Any) -> Any:
    return matrix if sp.issparse(matrix) else np.asarray(matrix, np.float64)


@_raw.register
def _(
    model: Autoencoder, ids: Ids, gene: int, others: NDArray[np.bool_], seed: int
) -> tuple[float, Numbers]:
    """Integrated gradients from the empty set to the set.

    The path is a straight line in what the first layer norm gives: from its bias, which is what an
    empty set gives, to the set's. That is the same as adding all genes to the set at the same pace,
    for the norm does not tell 10% of a set from all of it. What it gives is a sum over the genes
    (each vector less its mean, over the norm's spread), and so is the integral.
    """
    b = {name: tensor.astype(np.float64) for name, tensor in model.block.items()}
    out = model.output_vectors.astype(np.float64)
    against = _against(gene, others)
    target = b["norm_out.weight"] * (against @ out)  # (d,)
    constant = float(against @ model.output_bias + against @ out @ b["norm_out.bias"])

    centred = model.input_vectors[ids].astype(np.float64)
    centred = (centred - centred.mean(axis=1, keepdims=True)) / np.sqrt(max(len(ids), 1))
    whole = centred.sum(axis=0)
    spread = np.sqrt((whole**2).mean() + LAYER_NORM_EPSILON)
    steps = centred / spread * b["norm_in.weight"]  # (n, d); their sum is the whole way

    def at(points: Numbers) -> tuple[Numbers, Numbers]:
        """(k,) the score at points of the way, and (k, d) its gradient in the block's input."""
        x = points[:, None] * steps.sum(axis=0) + b["norm_in.bias"]
        up = x @ b["up.weight"].T + b["up.bias"]
        active, slope = _gelu(up)
        y = x + active @ b["down.weight"].T + b["down.bias"]
        y -= y.mean(axis=1, keepdims=True)
        length = np.sqrt((y**2).mean(axis=1, keepdims=True) + LAYER_NORM_EPSILON)
        y /= length
        # Backwards: through the norm, then through the block and around it.
        back = target - target.mean() - y * (y * target).mean(axis=1, keepdims=True)
        back /= length
        back += ((back @ b["down.weight"]) * slope) @ b["up.weight"]
        return y @ target + constant, back

    base, end = at(np.array([0.0, 1.0]))[0]
    nodes = NODES
    while True:
        points, lengths = np.polynomial.legendre.leggauss(nodes)
        gradients = at((points + 1) / 2)[1]
        of_genes = np.asarray(steps @ (lengths / 2 @ gradients), np.float64)
        error = abs(of_genes.sum() - (end - base))
        if error <= TOLERANCE / 10 * max(1.0, abs(end - base)) or nodes >= MOST_NODES:
            return float(base), of_genes
        nodes *= 2


def _gelu(x: Numbers) -> tuple[Numbers, Numbers]:
    """`gsfm.models.autoencoder._gelu` and its derivative."""
    c = np.sqrt(2 / np.pi)
    t = np.tanh(c * (x + 0.044715 * x**3))
    slope = 0.5 * (1 + t) + 0.5 * x * (1 - t**2) * c * (1 + 3 * 0.044715 * x**2)
    return 0.5 * x * (1 + t), slope
