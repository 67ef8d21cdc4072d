"""Adaptive: an ensemble with separate weights for each set.

How useful each kind of evidence is for a set can be estimated from the set itself: from how well it
predicts the genes of the set when they are left out.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse as sp

from gsfm.genes import Vocabulary
from gsfm.models.annotation import Annotation
from gsfm.models.base import Model
from gsfm.models.ensemble import Ensemble, EnsembleConfig
from gsfm.models.evidence import rows_of, shuffled, standardize
from gsfm.models.features import Features
from gsfm.models.membership import row_blocks
from gsfm.models.settings import require
from gsfm.models.types import Floats, Ids, Numbers, Parts
from gsfm.sets import GeneSets

#: Prior weights of a library's evidence (its terms, and its counts of annotations), and their
#: precision, learned on older releases. Of two genes with as many terms in common with a set, the
#: one in fewer other terms is the better candidate.
LIBRARY_WEIGHTS = (0.5, -0.3)
LIBRARY_PRIOR_PRECISION = 100.0
#: Genes outside the set in the regression.
OTHERS = 3000
#: Sets whose evidence is in memory at once.
BLOCK = 32

#: The members of an untrained model, each with its prior weight.
MEMBERS: tuple[tuple[float, dict[str, Any]], ...] = (
    (1.0, {"family": "autoencoder"}),
    (0.2, {"family": "linear"}),
    (0.2, {"family": "features", "of": "words"}),
    (0.2, {"family": "features", "of": "domains"}),
    (0.6, {"family": "features", "of": "windows"}),
    (0.0, {"family": "features", "of": "regions"}),
    (0.0, {"family": "attribute", "of": "length"}),
    (0.0, {"family": "attribute", "of": "coding"}),
    (0.0, {"family": "attribute", "of": "autosomal"}),
    (0.0, {"family": "popularity"}),
)


@dataclass(frozen=True)
class AdaptiveConfig(EnsembleConfig):
    """Settings of `Adaptive`."""

    weights: tuple[float, ...] = tuple(weight for weight, _ in MEMBERS)  # prior, of each member
    members: tuple[dict[str, Any], ...] = field(default=tuple(member for _, member in MEMBERS))
    #: Prior precision of the weights, in genes of a set: one number for all, or one for each.
    prior_precision: float | tuple[float, ...] = 10.0

    def __post_init__(self) -> None:
        super().__post_init__()
        n, each = len(self.members), self.precisions
        right = len(each) == n
        require(right, f"prior_precision must be one number, or one a member, {n}, not {len(each)}")
        require(min(each) > 0, f"prior_precision must be above 0, not {min(each)}")

    @property
    def precisions(self) -> tuple[float, ...]:
        """The prior precision of the weight of each member."""
        each = self.prior_precision
        return each if isinstance(each, tuple) else (each,) * len(self.members)


class Adaptive(Ensemble):
    r"""The log-odds of being a member, from several models' evidence with weights for each set.

    The standardized scores of each member model are a kind of evidence :math:`e_m`. For each set a
    logistic regression separates the genes of the set, with their leave-one-out scores, from other
    genes:

    .. math:: \log \frac{P}{1 - P} = b + \sum_m w_m e_m, \qquad
              w_m \sim N(\text{weights}_m, 1 / \text{prior_precision}_m)

    where the genes of the set together have the same weight as the others. So a set of few genes
    has about the prior weights, and a set of many genes its own.

    `with_library` adds the evidence of a library.

    Examples
    --------
    >>> from gsfm.models import Cooccurrence, Popularity
    >>> corpus = GeneSets.from_lists([["A", "B", "C"], ["X", "Y", "Z"], ["X", "Y"]])
    >>> members = [Cooccurrence().fit(corpus), Popularity().fit(corpus)]
    >>> model = Adaptive.of(members, weights=[1, 0])
    >>> scores = model.score([["A", "B"]])
    >>> model.vocabulary[int(scores[0, 2:].argmax()) + 2]
    'C'
    >>> model.weigh([["A", "B"]]).shape  # the weights of the two for this set
    (1, 2)
    """

    family = "adaptive"
    description = "Ensemble that weighs its evidence by how well it predicts each set's own genes"
    paper = "Jacobs et al., Neural Computation 1991, doi:10.1162/neco.1991.3.1.79"
    Config = AdaptiveConfig
    config: AdaptiveConfig

    def weigh(self, sets: Any) -> Floats:
        """Return the weights of the members' evidence for each set, (n, members) float32."""
        members = self.encode(sets)
        fits = [self._fit_weights(block)[0] for _, block in row_blocks(members, BLOCK)]
        return np.concatenate([np.empty((0, len(self.members))), *fits]).astype(np.float32)

    def with_library(
        self,
        library: GeneSets,
        *,
        weights: tuple[float, float] = LIBRARY_WEIGHTS,
        prior_precision: float = LIBRARY_PRIOR_PRECISION,
        max_containment: float = 0.8,
    ) -> Adaptive:
        """Return a model that uses a library, too, for completing the library's terms.

        Two members are added: which genes share terms with the input genes (`Features`), and in how
        many terms a gene is (`Annotation`). The query may be a term of the library, or an older
        release of one: a term is no evidence of itself.

        Parameters
        ----------
        library
            Gene sets by approved symbols; each counts as one, whatever its weight. Genes that are
            not in this model's vocabulary come after its own.
        weights
            Prior weights of the two members.
        prior_precision
            Prior precision of these weights.
        max_containment
            Terms with this share of their genes in a set are excluded for that set.

        Returns
        -------
        Adaptive
            A new model, to which a further library can be added; this one does not change.

        Raises
        ------
        ValueError
            If no term of the library has a gene, or a setting is out of its range.

        Examples
        --------
        >>> from gsfm.models import Popularity
        >>> model = Adaptive.of([Popularity().fit(GeneSets.from_lists([["A", "B"], ["A"]]))])
        >>> library = GeneSets.from_lists([["A", "X"], ["A", "X", "Y"], ["B", "Z"]])
        >>> [result] = model.with_library(library).score([["A"]])  # of A, B, X, Y and Z
        >>> bool(result[2] > result[4])
        True
        """
        used = np.unique(library.indices)
        symbols = [*self.vocabulary, *(library.vocabulary[int(gene)] for gene in used)]
        terms = library.reindex(Vocabulary(dict.fromkeys(symbols)))
        members: list[Model] = [
            Features(max_containment=max_containment),
            Annotation(max_containment=max_containment),
        ]
        for member in members:
            member.fit(terms, weights=np.ones(len(terms)))
        model = Adaptive.of(
            [*self.members, *members],
            weights=[*self.config.weights, *weights],
            prior_precision=(*self.config.precisions, *[float(prior_precision)] * len(members)),
        )
        model.manifest = {**self.manifest, **model.manifest}
        if "config" in model.manifest:
            model.manifest["config"] = dataclasses.asdict(model.config)
        return model

    def _score(self, members: sp.csr_array) -> Floats:
        return self._combined(members)[0]

    def _score_and_evidence(self, members: sp.csr_array) -> tuple[Floats, Floats, Floats]:
        scores, left_out = self._combined(members)
        rows = rows_of(members)
        evidence = scores.copy()
        evidence[rows, members.indices] = left_out
        evidence = standardize(evidence, members)
        return scores, evidence, evidence[rows, members.indices]

    def _weights_of(self, members: sp.csr_array) -> tuple[Numbers, float]:
        fitted, constants, _, _ = self._fit_weights(members)
        return fitted[0], float(constants[0])

    def _member_attribution(self, member: Model, ids: Ids, gene: int, random_state: int) -> Parts:
        return member._evidence_attribution(ids, gene, random_state)

    def _combined(self, members: sp.csr_array) -> tuple[Floats, Floats]:
        """Scores (n, genes), and (members,) the leave-one-out scores of the members.

        The weights are fitted with all members: without one gene they would change little.
        """
        scores = np.empty(members.shape, np.float32)
        own = np.empty(len(members.indices), np.float32)
        for rows, block in row_blocks(members, BLOCK):
            weights, base, of_genes, left_out = self._fit_weights(block)
            scores[rows] = base[:, None]
            for m, evidence in enumerate(of_genes):
                scores[rows] += weights[:, m, None].astype(np.float32) * evidence
            owner = rows_of(block)
            at = slice(members.indptr[rows.start], members.indptr[rows.stop])
            own[at] = base[owner] + (weights[owner] * left_out).sum(axis=1)
        return scores, own

    def _fit_weights(self, members: sp.csr_array) -> tuple[Numbers, Numbers, list[Floats], Numbers]:
        """The weights (n, models), the constants (n,), and the evidence.

        That is (n, genes) for each model, and (members, models) leave-one-out for the members.
        """
        n, genes = members.shape
        of_genes, of_members = [], []
        for model, _, own, columns in self._parts(members):
            every, left_out = model.evidence(own)
            if own is not members:  # other genes, or in another order
                theirs, every = every, np.zeros(members.shape, np.float32)
                every[:, columns] = theirs
                mine = np.zeros(members.shape, np.float32)
                mine[rows_of(own), np.arange(genes)[columns][own.indices]] = left_out
                left_out = mine[rows_of(members), members.indices]
            of_genes.append(every)
            of_members.append(left_out)
        others = shuffled(genes)[:OTHERS]
        inside = np.stack(of_members, axis=1).astype(np.float64)  # (members, m)
        outside = np.stack([e[:, others] for e in of_genes], axis=2)  # (n, others, m)
        weights, base = np.empty((n, len(self.members))), np.zeros(n)
        prior, precision = np.array(self.config.weights), np.array(self.config.precisions)
        for u in range(n):
            own = slice(members.indptr[u], members.indptr[u + 1])
            rest = outside[u][~np.isin(others, members.indices[own])].astype(np.float64)
            weights[u], base[u] = _logistic(inside[own], rest, prior, precision)
        return weights, base, of_genes, inside


def _logistic(
    inside: Numbers, outside: Numbers, prior: Numbers, prior_precision: Numbers
) -> tuple[Numbers, float]:
    """Logistic regression with a normal prior of the (m,) weights, by Newton's method.

    `inside` (k, m) and `outside` (l, m) are the evidence of the two classes, which both have the
    weight k; `prior_precision` is the precision of the prior. Also returns the constant.
    """
    k = len(inside)
    if k == 0 or len(outside) == 0:
        return prior, 0.0
    x = np.concatenate([inside, outside])
    x = np.column_stack([x, np.ones(len(x))])
    y = np.repeat([1.0, 0.0], [k, len(outside)])
    share = np.repeat([1.0, k / len(outside)], [k, len(outside)])
    # The constant has a weak prior too: it has no finite optimum if the classes are separable.
    precision = np.append(prior_precision, 0.01)
    center = np.append(prior, 0.0)

    def loss(w: Numbers) -> float:
        z = x @ w
        fit = share @ (np.logaddexp(0, z) - y * z)
        return float(fit + 0.5 * precision @ (w - center) ** 2)

    w, now = center, loss(center)
    for _ in range(25):
        p = 1 / (1 + np.exp(-np.clip(x @ w, -500, 500)))
        gradient = x.T @ (share * (p - y)) + precision * (w - center)
        curvature = (x * (share * p * (1 - p))[:, None]).T @ x + np.diag(precision)
        step = np.linalg.solve(curvature, gradient)
        size = 1.0
        # The loss is convex, but a whole step can go too far.
        while (new := loss(w - size * step)) > now and size > 1e-6:
            size /= 2
        w, gained, now = w - size * step, now - new, new
        if gained < 1e-6 * max(1.0, now):
            break
    return w[:-1], float(w[-1])
