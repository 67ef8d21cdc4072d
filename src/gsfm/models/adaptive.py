"""Adaptive: an ensemble that weighs its evidence anew for each set.

A pathway's genes are known by their company, the genes of a genome-wide association by where they
lie, a cell's genes by what else is expressed. Which evidence speaks for a set can be seen from the
set itself: from how well each kind predicts the set's own genes when they are left out of it.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gsfm.genes import Vocabulary
from gsfm.models.annotation import Annotation
from gsfm.models.base import Floats, Model, require
from gsfm.models.ensemble import Ensemble, EnsembleConfig
from gsfm.models.evidence import rows_of, shuffled, standardize
from gsfm.models.features import Features
from gsfm.models.term_matrix import Ids
from gsfm.sets import GeneSets

#: What is assumed of the weights of a library's evidence, its terms and its counts of annotations,
#: and with what confidence: learned on older releases. A gene of a term is in the terms above it
#: too, so that a term's own genes look better predicted by the library than new ones are; and of
#: two genes that share as many terms with a set, the one in few other terms is the better guess.
LIBRARY_WEIGHTS = (0.5, -0.3)
LIBRARY_CONFIDENCE = 100.0
#: Genes that a set's members are told from.
OTHERS = 3000
#: Sets whose evidence is held at once; bounds the working memory.
BLOCK = 32

Numbers = NDArray[np.float64]

#: The members of an untrained model, each with the weight that is assumed of it.
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

    weights: tuple[float, ...] = tuple(weight for weight, _ in MEMBERS)  # assumed of each member
    members: tuple[dict[str, Any], ...] = field(default=tuple(member for _, member in MEMBERS))
    #: In the assumed weights, as much as that of so many genes of a set; one for all, or for each.
    confidence: float | tuple[float, ...] = 10.0

    def __post_init__(self) -> None:
        super().__post_init__()
        n, each = len(self.members), self.confidences
        require(
            len(each) == n,
            f"confidence must be one number, or one a member, {n}, not {len(each)}",
        )
        require(min(each) > 0, f"confidence must be above 0, not {min(each)}")

    @property
    def confidences(self) -> tuple[float, ...]:
        """The confidence in the weight of each member."""
        if isinstance(self.confidence, tuple):
            return self.confidence
        return (self.confidence,) * len(self.members)


class Adaptive(Ensemble):
    r"""The log-odds of being a member, from several models' evidence, weighed set by set.

    Each member model's standardized scores are a kind of evidence :math:`e_m`. For each set a
    logistic regression tells the set's own genes, each scored as if it were left out of the set,
    from other genes:

    .. math:: \log \frac{P}{1 - P} = b + \sum_m w_m e_m, \qquad
              w_m \sim N(\text{weights}_m, 1 / \text{confidence}_m)

    with the members together counting as much as the others. So a few genes leave the assumed
    weights as they are, and many genes find their own.

    `with_library` adds what a library says of the genes of its terms.

    Examples
    --------
    >>> from gsfm.models import Cooccurrence, Popularity
    >>> corpus = GeneSets.from_lists([["A", "B", "C"], ["X", "Y", "Z"], ["X", "Y"]])
    >>> members = [Cooccurrence().fit(corpus), Popularity().fit(corpus)]
    >>> model = Adaptive.of(members, weights=[1, 0])
    >>> scores = model.score([["A", "B"]])
    >>> model.vocabulary[int(scores[0, 2:].argmax()) + 2]
    'C'
    >>> model.weigh([["A", "B"]]).shape  # the weights that this set gives the two
    (1, 2)
    """

    family = "adaptive"
    description = "Ensemble that weighs its evidence by how well it predicts each set's own genes"
    paper = "Jacobs et al., Neural Computation 1991, doi:10.1162/neco.1991.3.1.79"
    Config = AdaptiveConfig
    config: AdaptiveConfig

    def weigh(self, sets: Any) -> Floats:
        """Return the weights that each set gives the members' evidence, (n, members) float32.

        Parameters
        ----------
        sets
            As in `score`.
        """
        members = self.encode(sets)
        fits = [self._fit_weights(block)[0] for _, block in _blocks(members)]
        return np.concatenate([np.empty((0, len(self.members))), *fits]).astype(np.float32)

    def with_library(
        self,
        library: GeneSets,
        *,
        weights: tuple[float, float] = LIBRARY_WEIGHTS,
        confidence: float = LIBRARY_CONFIDENCE,
        covered: float = 0.8,
    ) -> Adaptive:
        """Return a model that knows a library, too, for completing the library's terms.

        Its evidence is this model's and that of two more members: which genes share terms with the
        given ones (`Features`), and in how many terms a gene is (`Annotation`). What is asked about
        may be a term of the library, or an older release of one: it is no evidence of itself.

        Parameters
        ----------
        library
            Gene sets by approved symbols; each counts as one, whatever its weight. Genes in a term
            that this model does not know come after its own in the vocabulary.
        weights
            Assumed of the two.
        confidence
            In these weights.
        covered
            Terms of which a set holds this share of the genes are left out for it.

        Returns
        -------
        Adaptive
            A new model, to be asked and saved like any other; this one stays as it is. A further
            library can be added to it.

        Raises
        ------
        NotFittedError
            If this model is neither fitted nor loaded.
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
        members: list[Model] = [Features(covered=covered), Annotation(covered=covered)]
        for member in members:
            member.fit(terms, weights=np.ones(len(terms)))
        model = Adaptive.of(
            [*self.members, *members],
            weights=[*self.config.weights, *weights],
            confidence=(*self.config.confidences, *[float(confidence)] * len(members)),
        )
        model.manifest = {**self.manifest, **model.manifest}
        if "config" in model.manifest:
            model.manifest["config"] = dataclasses.asdict(model.config)
        return model

    # -- asking ----------------------------------------------------------------------------------

    def _score(self, members: sp.csr_array) -> Floats:
        return self._combined(members)[0]

    def _score_and_evidence(self, members: sp.csr_array) -> tuple[Floats, Floats, Floats]:
        scores, left_out = self._combined(members)
        rows = rows_of(members)
        evidence = scores.copy()
        evidence[rows, members.indices] = left_out
        evidence = standardize(evidence, members)
        return scores, evidence, evidence[rows, members.indices]

    def _weights_of(self, members: sp.csr_array) -> tuple[NDArray[np.float64], float]:
        fitted, constants, _, _ = self._fit_weights(members)
        return fitted[0], float(constants[0])

    def _member_attribution(
        self, member: Model, ids: Ids, gene: int, random_state: int
    ) -> tuple[float, Numbers]:
        return member._evidence_attribution(ids, gene, random_state)

    def _combined(self, members: sp.csr_array) -> tuple[Floats, Floats]:
        """Scores (n, genes), and (members,) those of the sets' own genes as if left out.

        A gene's evidence is without it, but the set's weights are not: they are few numbers, and
        to fit them anew for each gene would change little.
        """
        scores = np.empty(members.shape, np.float32)
        own = np.empty(len(members.indices), np.float32)
        for rows, block in _blocks(members):
            weights, base, of_genes, left_out = self._fit_weights(block)
            scores[rows] = base[:, None]
            for m, evidence in enumerate(of_genes):
                scores[rows] += weights[:, m, None].astype(np.float32) * evidence
            owner = rows_of(block)
            at = slice(members.indptr[rows.start], members.indptr[rows.start + block.shape[0]])
            own[at] = base[owner] + (weights[owner] * left_out).sum(axis=1)
        return scores, own

    def _fit_weights(self, members: sp.csr_array) -> tuple[Numbers, Numbers, list[Floats], Numbers]:
        """The weights (n, models), the constants (n,), and the evidence.

        The evidence is an array (n, genes) for each model, and one (members, models) for the sets'
        own genes, each as if it were left out.
        """
        n, genes = members.shape
        of_genes, of_members = [], []
        for model, _, own, columns in self._parts(members):
            theirs, left_out = model.evidence(own)
            if own is members:  # the same genes in the same order
                of_genes.append(theirs)
                of_members.append(left_out)
                continue
            every = np.zeros(members.shape, np.float32)
            every[:, columns] = theirs
            mine = np.zeros(members.shape, np.float32)
            mine[rows_of(own), np.arange(genes)[columns][own.indices]] = left_out
            of_genes.append(every)
            of_members.append(mine[rows_of(members), members.indices])
        others = shuffled(genes)[:OTHERS]
        inside = np.stack(of_members, axis=1).astype(np.float64)  # (members, m)
        outside = np.stack([e[:, others] for e in of_genes], axis=2)  # (n, others, m)
        weights, base = np.empty((n, len(self.members))), np.zeros(n)
        assumed, precision = np.array(self.config.weights), np.array(self.config.confidences)
        for u in range(n):
            ids = members.indices[members.indptr[u] : members.indptr[u + 1]]
            own = inside[members.indptr[u] : members.indptr[u + 1]]
            rest = outside[u][~np.isin(others, ids)].astype(np.float64)
            weights[u], base[u] = _logistic(own, rest, assumed, precision)
        return weights, base, of_genes, inside


def _blocks(members: sp.csr_array) -> list[tuple[slice, sp.csr_array]]:
    starts = range(0, members.shape[0], BLOCK)
    return [(slice(i, i + BLOCK), members[i : i + BLOCK]) for i in starts]


def _logistic(
    inside: Numbers, outside: Numbers, assumed: Numbers, confidence: Numbers
) -> tuple[Numbers, float]:
    """Fit a logistic regression around the `assumed` weights, by Newton's method.

    Parameters
    ----------
    inside, outside
        (k, m) and (l, m) evidence of the two classes; both classes weigh k.
    assumed
        (m,) the prior means of the weights.
    confidence
        (m,) their precisions.

    Returns
    -------
    weights, base
        (m,) and the constant.
    """
    k = len(inside)
    if k == 0 or len(outside) == 0:
        return assumed, 0.0
    x = np.concatenate([inside, outside])
    x = np.column_stack([x, np.ones(len(x))])
    y = np.repeat([1.0, 0.0], [k, len(outside)])
    share = np.repeat([1.0, k / len(outside)], [k, len(outside)])
    # Some precision for the constant too: a set that can be told apart has no end to it.
    precision = np.append(confidence, 0.01)
    center = np.append(assumed, 0.0)

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
