"""Features: how alike genes are in what is known of them one by one.

Two genes with the same protein domain, words of their names in common, or places close to each
other on the chromosome have something in common that no gene set has to tell. It is little, but
genes that are in no set have it, too. A feature is held as the set of the genes that have it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gsfm.models.attribution import contrast
from gsfm.models.base import Floats, Model, Tensors, require, take
from gsfm.models.evidence import covered, rows_of
from gsfm.models.sparse import csr_tensors, principal_rows, take_csr
from gsfm.models.term_matrix import (
    Cache,
    Ids,
    Mask,
    Numbers,
    Progress,
    TermMatrix,
    blocks,
    cached,
    moments,
    standard,
    sums,
)
from gsfm.sets import GeneSets

#: A feature of so many genes is worked on with dense matrices, the others with sparse ones.
COMMON = 64


@dataclass(frozen=True)
class FeaturesConfig:
    """Settings of `Features`."""

    #: What the features are.
    of: Literal["sets", "words", "domains", "windows", "regions"] = "sets"
    largest: int = 3000  # features of more genes than this are left out
    dimensions: int = 64  # length of the vectors of `embed_genes`
    covered: float | None = None  # leave out those of whose genes a set holds this share, for it

    def __post_init__(self) -> None:
        require(self.largest >= 2, f"largest must be 2 or more, not {self.largest}")
        if self.covered is not None:
            require(
                0 < self.covered <= 1, f"covered must be above 0 and up to 1, not {self.covered}"
            )
        require(self.dimensions >= 1, f"dimensions must be 1 or more, not {self.dimensions}")


class Features(Model):
    r"""Mean cosine between the feature vectors of a gene and of the genes of the set.

    A gene's vector holds :math:`\sqrt{w_f} \log (G / n_f)` for each feature f that it has, one that
    :math:`n_f` of all G genes have (Spärck Jones 1972), and is scaled to length 1. With
    ``of="sets"`` the features are the sets of the corpus, with their weights :math:`w_f`. The
    others come from the bundled gene table (`gsfm.corpus.features`); of the corpus only the
    vocabulary matters then.

    A set that is itself among the features is no evidence of its own genes: with `covered`, the
    features of which a set holds that share of the genes are left out for this set, as if they had
    been removed before the fit.

    Examples
    --------
    >>> corpus = GeneSets.from_lists([["A", "B"], ["B", "C"], ["X", "Y"]])
    >>> Features().fit(corpus).score([["A"]]).round(2)
    array([[0.  , 0.71, 0.  , 0.  , 0.  ]], dtype=float32)
    """

    family = "features"
    description = "Mean likeness in words of names, protein domains, places in the genome, or sets"
    paper = "Spärck Jones, J. Documentation 1972, doi:10.1108/eb026526"
    Config = FeaturesConfig
    config: FeaturesConfig
    leaves_itself_out = True

    #: (genes, features) rows of length 1, or 0 for a gene without features.
    vectors: sp.csr_array
    _by_feature: sp.csr_array  # (features, genes)
    _squares: Floats  # (genes,) the squared length of each row: 1 or 0, but for rounding
    _gene_vectors: Floats | None = None

    def _fit(self, sets: GeneSets, weights: Floats, random_state: int) -> None:
        if self.config.of != "sets":
            from gsfm.corpus import features

            sets = features(self.config.of).reindex(sets.vocabulary)
            weights = np.ones(len(sets), np.float32)
        have = sets.sizes  # (features,) how many genes have it
        kept = np.flatnonzero((have >= 2) & (have <= self.config.largest))
        value = np.sqrt(weights[kept]) * np.log(sets.n_genes / have[kept])
        vectors = sets.to_csr()[kept].T.tocsr()  # (genes, features)
        vectors.sort_indices()
        rows = rows_of(vectors)
        entries = value[vectors.indices]
        length = np.sqrt(np.bincount(rows, entries**2, minlength=sets.n_genes))
        entries /= np.where(length > 0, length, 1)[rows]
        # As precise as they are stored, so that the model that was fitted is the one loaded.
        vectors.data = entries.astype(np.float16).astype(np.float32)
        vectors.eliminate_zeros()
        self._take(vectors)

    def _take(self, vectors: sp.csr_array) -> None:
        self.vectors, self._gene_vectors = vectors, None
        # By feature, as it is needed for each question, and takes longer to make than to use.
        self._by_feature = vectors.T.tocsr()
        self._squares = np.asarray(vectors.multiply(vectors).sum(axis=1), np.float32)

    # -- asking ----------------------------------------------------------------------------------

    def _score(self, members: sp.csr_array) -> Floats:
        sizes, rows = np.diff(members.indptr), rows_of(members)
        profile = members @ self.vectors  # (n, features)
        scale = None
        if self.config.covered is not None:
            without = covered(members, self._by_feature, self.config.covered)
            scale = self._scale(without)
            of_members = scale[rows, members.indices]
            scaled = sp.csr_array((of_members, members.indices, members.indptr), members.shape)
            profile = scaled @ self.vectors
            profile = profile - profile.multiply(without)
        total: Floats = (profile @ self._by_feature).toarray()  # (n, genes)
        squares = self._squares[members.indices]
        if scale is not None:
            total *= scale
            squares = squares * (of_members > 0)
        # A member is no evidence of itself: it is compared with the others.
        others = np.broadcast_to(sizes[:, None], total.shape).astype(np.float32)
        others[rows, members.indices] -= 1
        total[rows, members.indices] -= squares
        total /= np.maximum(others, 1)
        return total

    def _scale(self, without: sp.csr_array) -> Floats:
        """(n, genes) what makes rows of `vectors` as long again as they were, 0 if all is gone.

        `without` says which features are left out, (n, features).
        """
        squared = self._by_feature.power(2)
        lost = (without @ squared).toarray() / np.where(self._squares > 0, self._squares, 1)
        left: Floats = 1 - lost
        # Of a gene whose features are all left out, rounding leaves a little.
        return np.where(left > 1e-5, 1 / np.sqrt(np.maximum(left, 1e-5)), 0).astype(np.float32)

    def _score_and_evidence(self, members: sp.csr_array) -> tuple[Floats, Floats, Floats]:
        # Few genes share anything with a set, and their standard scores are huge.
        scores, of_genes, of_members = super()._score_and_evidence(members)
        return scores, np.arcsinh(of_genes), np.arcsinh(of_members)

    def _term_matrix(self, members: sp.csr_array, cache: Cache, progress: Progress) -> TermMatrix:
        if self.config.covered is not None:
            return super()._term_matrix(members, cache, progress)
        return _FeatureTerms(self, members, cache)

    @property
    def has_fast_term_matrix(self) -> bool:
        """Not if some features are left out for each set."""
        return self.config.covered is None

    def _attribution(
        self, ids: Ids, gene: int, others: Mask, random_state: int
    ) -> tuple[float, Numbers]:
        vectors = self.vectors
        if self.config.covered is not None:
            # As in `_score`: without the features that the set covers, scaled to length 1 again.
            without = covered(self.encode([ids]), self._by_feature, self.config.covered)
            scale = self._scale(without)[0]
            keep = sp.diags_array(1 - without.toarray()[0])
            vectors = (sp.diags_array(scale) @ vectors @ keep).tocsr()
        target = vectors.T @ contrast(gene, others)  # (features,)
        return 0.0, np.asarray(vectors[ids] @ target, np.float64) / max(len(ids), 1)

    def _evidence_attribution(
        self, ids: Ids, gene: int, random_state: int
    ) -> tuple[float, Numbers]:
        # Of the inverse hyperbolic sine of a sum each gene has a part in proportion: exactly what
        # integrated gradients along the straight path give.
        base, part = self._standardized_attribution(ids, gene, random_state)
        total = part.sum()
        if abs(total) < 1e-9:
            return float(np.arcsinh(base)), part / np.sqrt(1 + base**2)
        rise = (np.arcsinh(base + total) - np.arcsinh(base)) / total
        return float(np.arcsinh(base)), part * rise

    def _embed_genes(self) -> Floats:
        if self._gene_vectors is None:
            self._gene_vectors = principal_rows(self.vectors, self.config.dimensions)
        return self._gene_vectors

    # -- files -----------------------------------------------------------------------------------

    def _tensors(self) -> Tensors:
        return {**csr_tensors(self.vectors, "vectors"), "have": self._have().astype(np.int32)}

    def _restore(self, tensors: Tensors) -> None:
        have = take(tensors, "have", None, kinds="iu")
        self._take(take_csr(tensors, "vectors", len(self.vocabulary), len(have)))
        if not np.array_equal(have, self._have()):
            raise ValueError("the tensor 'have' does not count the genes of each feature")

    def _have(self) -> NDArray[np.int64]:
        """(features,) how many genes have each."""
        return np.asarray(np.diff(self._by_feature.indptr), np.int64)


class _FeatureTerms(TermMatrix):
    """A score is the mean of the cosines between the gene and the term's genes."""

    def __init__(self, model: Features, members: sp.csr_array, cache: Cache) -> None:
        self.model, self.members = model, members
        self.sizes = np.diff(members.indptr)
        self.moments = cached(cache, lambda: {"moments": self._compute()})["moments"]

    def _compute(self) -> Numbers:
        genes, features = self.model.vectors.shape
        # Of papers there are more than genes.
        every, own = self._by_likeness() if features > genes else self._by_feature()
        # Scores are means over the term's genes.
        scale = 1 / np.maximum(self.sizes, 1)
        powers = np.array([scale, scale**2])
        return moments(self.members, every * powers, own * powers)

    def _by_likeness(self) -> tuple[Numbers, Numbers]:
        return sums(self.members, (self.model.vectors @ self.model._by_feature).tocsr())

    def _by_feature(self) -> tuple[Numbers, Numbers]:
        members, vectors = self.members, self.model.vectors  # (genes, features)
        profiles = (members @ vectors).tocsr()  # (terms, features)
        every, own = np.empty((2, 2, members.shape[0]))
        every[0] = profiles @ np.asarray(vectors.sum(axis=0, dtype=np.float64)).ravel()
        every[1] = _quadratic(profiles, (vectors.T @ vectors).tocsr(), self.model._have())
        for rows in blocks(members.shape[0], 256):
            block = members[rows]
            dense, of_term = profiles[rows].toarray(), rows_of(block)
            theirs = vectors[block.indices]  # (members, features)
            of_member = rows_of(theirs)
            entries = theirs.data * dense[of_term[of_member], theirs.indices]
            scores = np.bincount(of_member, entries, len(of_term))
            own[0, rows] = np.bincount(of_term, scores, block.shape[0])
            own[1, rows] = np.bincount(of_term, scores**2, block.shape[0])
        return every, own

    def evidence(self, gene: int) -> Numbers:
        scores = self.members @ self._likeness(gene) / np.maximum(self.sizes, 1)
        return np.arcsinh(standard(scores, self.moments))

    def leave_one_out(self, terms: Ids, gene: int) -> Numbers:
        # Compared with the others alone, as the model does.
        total = self.members[terms] @ self._likeness(gene) - self.model._squares[gene]
        scores = total / np.maximum(self.sizes[terms] - 1, 1)
        return np.arcsinh(standard(scores, self.moments, terms))

    def _likeness(self, gene: int) -> Floats:
        """(genes,) how alike each is to the gene."""
        vectors = self.model.vectors
        return np.asarray(vectors @ vectors[[gene]].toarray()[0])


def _quadratic(rows: sp.csr_array, gram: sp.csr_array, have: Ids) -> Numbers:
    """(n,) r G r' for each sparse row r: the sum of the squared scores of all genes.

    The few features that many genes have fill most of the Gram matrix: they are taken out of it,
    and worked on with dense matrices.
    """
    common = have >= COMMON
    rare = ~common
    few, many = rows[:, rare], rows[:, common]
    dense = gram[common][:, common].toarray()
    across, sparse = gram[rare][:, common], gram[rare][:, rare]
    out = np.empty(rows.shape[0])
    for at in blocks(rows.shape[0]):
        x, y = many[at].toarray(), few[at]
        product = x @ dense + 2 * (y @ across).toarray()
        out[at] = np.einsum("nc,nc->n", product, x) + (y @ sparse).multiply(y).sum(axis=1)
    return out
