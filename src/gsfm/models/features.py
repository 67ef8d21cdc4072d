"""Features: how similar genes are in their names, protein domains, positions, or sets.

It is weak evidence, but genes that are in no set have it, too. A feature is represented by the set
of the genes that have it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gsfm.models.attribution import contrast
from gsfm.models.base import Model
from gsfm.models.evidence import contained_terms, divide_by_others, rows_of
from gsfm.models.membership import row_blocks
from gsfm.models.settings import AtLeast2, Count, FractionTo1, Settings, require
from gsfm.models.sparse import csr_tensors, principal_rows, take_csr
from gsfm.models.storage import take
from gsfm.models.term_matrix import BLOCK, Standardized, TermMatrix, cached, moments, sums
from gsfm.models.types import Cache, Floats, Ids, Mask, Numbers, Parts, Progress, Tensors
from gsfm.sets import GeneSets

#: Features of so many genes or more are handled as dense matrices, the others as sparse ones.
COMMON = 64


@dataclass(frozen=True)
class FeaturesConfig(Settings):
    """Settings of `Features`."""

    #: What the features are.
    of: Literal["sets", "words", "domains", "windows", "regions"] = "sets"
    largest: AtLeast2 = 3000  # features of more genes than this are excluded
    dimensions: Count = 64  # length of the vectors of `embed_genes`
    #: Features with this share of their genes in a set are excluded for that set.
    max_containment: FractionTo1 | None = None


class Features(Model):
    r"""Mean cosine between the feature vectors of a gene and of the genes of the set.

    A gene's vector holds :math:`\sqrt{w_f} \log (G / n_f)` for each feature f that it has, one that
    :math:`n_f` of all G genes have (Spärck Jones 1972), and is scaled to length 1. With
    ``of="sets"`` the features are the sets of the corpus, with their weights :math:`w_f`. The
    others come from the bundled gene table (`gsfm.corpus.features`); of the corpus only the
    vocabulary matters then.

    A set that is itself among the features is no evidence of its own genes: with `max_containment`,
    the features that have that share of their genes in a set are excluded for this set, as if they
    had been removed before the fit.

    Examples
    --------
    >>> corpus = GeneSets.from_lists([["A", "B"], ["B", "C"], ["X", "Y"]])
    >>> Features().fit(corpus).score([["A"]]).round(2)
    array([[0.  , 0.71, 0.  , 0.  , 0.  ]], dtype=float32)
    """

    family = "features"
    description = (
        "Mean similarity in words of names, protein domains, places in the genome, or sets"
    )
    paper = "Spärck Jones, J. Documentation 1972, doi:10.1108/eb026526"
    Config = FeaturesConfig
    config: FeaturesConfig
    leaves_itself_out = True

    #: (genes, features) rows of length 1, or 0 for a gene without features.
    vectors: sp.csr_array
    _by_feature: sp.csr_array  # (features, genes)
    _squares: Floats  # (genes,) the squared length of each row: 1 or 0, but for rounding

    def _fit(self, sets: GeneSets, weights: Floats, random_state: int) -> None:
        if self.config.of != "sets":
            from gsfm.corpus import features

            sets = features(self.config.of).reindex(sets.vocabulary)
            weights = np.ones(len(sets), np.float32)
        sizes = sets.sizes  # (features,) how many genes have it
        kept = np.flatnonzero((sizes >= 2) & (sizes <= self.config.largest))
        value = np.sqrt(weights[kept]) * np.log(sets.n_genes / sizes[kept])
        vectors = sets.to_csr()[kept].T.tocsr()  # (genes, features)
        vectors.sort_indices()
        rows = rows_of(vectors)
        entries = value[vectors.indices]
        length = np.sqrt(np.bincount(rows, entries**2, minlength=sets.n_genes))
        entries /= np.where(length > 0, length, 1)[rows]
        # Rounded as they are stored, so that the fitted model is the same as the loaded one.
        vectors.data = entries.astype(np.float16).astype(np.float32)
        vectors.eliminate_zeros()
        self._take(vectors)

    def _take(self, vectors: sp.csr_array) -> None:
        self.vectors = vectors
        # Every call needs it, and it takes longer to make than to use.
        self._by_feature = vectors.T.tocsr()
        self._squares = np.asarray(vectors.multiply(vectors).sum(axis=1), np.float32)

    def _score(self, members: sp.csr_array) -> Floats:
        rows = rows_of(members)
        profile = members @ self.vectors  # (n, features)
        scale = None
        if self.config.max_containment is not None:
            excluded = contained_terms(members, self._by_feature, self.config.max_containment)
            scale = self._scale(excluded)
            of_members = scale[rows, members.indices]
            scaled = sp.csr_array((of_members, members.indices, members.indptr), members.shape)
            profile = scaled @ self.vectors
            profile = profile - profile.multiply(excluded)
        total: Floats = (profile @ self._by_feature).toarray()  # (n, genes)
        squares = self._squares[members.indices]
        if scale is not None:
            total *= scale
            squares = squares * (of_members > 0)
        # A member is no evidence of itself: it is compared with the others.
        total[rows, members.indices] -= squares
        divide_by_others(total, members)
        return total

    def _scale(self, excluded: sp.csr_array) -> Floats:
        """(n, genes) factors that restore the length of the rows of `vectors`; 0 for empty rows.

        `excluded` says which features are excluded, (n, features).
        """
        squared = self._by_feature.power(2)
        lost = (excluded @ squared).toarray() / np.where(self._squares > 0, self._squares, 1)
        left: Floats = 1 - lost
        # For a gene whose features are all excluded, rounding leaves a little.
        return np.where(left > 1e-5, 1 / np.sqrt(np.maximum(left, 1e-5)), 0).astype(np.float32)

    def _score_and_evidence(self, members: sp.csr_array) -> tuple[Floats, Floats, Floats]:
        # Few genes have a feature in common with a set, and their standardized scores are huge.
        scores, of_genes, of_members = super()._score_and_evidence(members)
        return scores, np.arcsinh(of_genes), np.arcsinh(of_members)

    def _term_matrix(self, members: sp.csr_array, cache: Cache, progress: Progress) -> TermMatrix:
        if self.config.max_containment is not None:
            return super()._term_matrix(members, cache, progress)
        return _FeatureTerms(self, members, cache)

    @property
    def has_fast_term_matrix(self) -> bool:
        """Not if features are excluded for each set."""
        return self.config.max_containment is None

    def _attribution(self, ids: Ids, gene: int, others: Mask, random_state: int) -> Parts:
        vectors = self.vectors
        if self.config.max_containment is not None:
            # As in `_score`: without the excluded features, scaled to length 1 again.
            members = self.encode([ids])
            excluded = contained_terms(members, self._by_feature, self.config.max_containment)
            scale = self._scale(excluded)[0]
            keep = sp.diags_array(1 - excluded.toarray()[0])
            vectors = (sp.diags_array(scale) @ vectors @ keep).tocsr()
        target = vectors.T @ contrast(gene, others)  # (features,)
        return 0.0, np.asarray(vectors[ids] @ target, np.float64) / max(len(ids), 1)

    def _evidence_attribution(self, ids: Ids, gene: int, random_state: int) -> Parts:
        # The inverse hyperbolic sine of a sum is split in proportion to the terms of the sum, as
        # integrated gradients along the straight path are.
        base, part = self._standardized_attribution(ids, gene, random_state)
        total = part.sum()
        if abs(total) < 1e-9:
            return float(np.arcsinh(base)), part / np.sqrt(1 + base**2)
        rise = (np.arcsinh(base + total) - np.arcsinh(base)) / total
        return float(np.arcsinh(base)), part * rise

    def _embed_genes(self) -> Floats:
        width = self.config.dimensions
        return self._cached("gene_vectors", lambda: principal_rows(self.vectors, width))

    def _tensors(self) -> Tensors:
        return {**csr_tensors(self.vectors, "vectors"), "have": self._sizes().astype(np.int32)}

    def _restore(self, tensors: Tensors) -> None:
        sizes = take(tensors, "have", None, kinds="iu")
        self._take(take_csr(tensors, "vectors", len(self.vocabulary), len(sizes)))
        same = np.array_equal(sizes, self._sizes())
        require(same, "the tensor 'have' does not count the genes of each feature")

    def _sizes(self) -> NDArray[np.int64]:
        """(features,) how many genes have each."""
        return np.asarray(np.diff(self._by_feature.indptr), np.int64)


class _FeatureTerms(Standardized):
    """A score is the mean of the cosines between the gene and the term's genes."""

    def __init__(self, model: Features, members: sp.csr_array, cache: Cache) -> None:
        self.model, self.members = model, members
        self.sizes = np.diff(members.indptr)
        found = cached(cache, lambda: {"moments": self._compute()})
        super().__init__(found["moments"], self._scores)

    def _compute(self) -> Numbers:
        genes, features = self.model.vectors.shape
        if features > genes:
            similarity = (self.model.vectors @ self.model._by_feature).tocsr()
            every, own = sums(self.members, similarity)
        else:
            every, own = self._by_feature()
        # Scores are means over the term's genes.
        scale = 1 / np.maximum(self.sizes, 1)
        powers = np.array([scale, scale**2])
        return moments(self.members, every * powers, own * powers)

    def _by_feature(self) -> tuple[Numbers, Numbers]:
        members, vectors = self.members, self.model.vectors  # (genes, features)
        profiles = (members @ vectors).tocsr()  # (terms, features)
        every, own = np.empty((2, 2, members.shape[0]))
        every[0] = profiles @ np.asarray(vectors.sum(axis=0, dtype=np.float64)).ravel()
        every[1] = _quadratic(profiles, (vectors.T @ vectors).tocsr(), self.model._sizes())
        for rows, block in row_blocks(members, 256):
            dense, of_term = profiles[rows].toarray(), rows_of(block)
            theirs = vectors[block.indices]  # (members, features)
            of_member = rows_of(theirs)
            entries = theirs.data * dense[of_term[of_member], theirs.indices]
            scores = np.bincount(of_member, entries, len(of_term))
            own[0, rows] = np.bincount(of_term, scores, block.shape[0])
            own[1, rows] = np.bincount(of_term, scores**2, block.shape[0])
        return every, own

    def evidence(self, gene: int) -> Numbers:
        return np.arcsinh(super().evidence(gene))

    def leave_one_out(self, terms: Ids, gene: int) -> Numbers:
        return np.arcsinh(super().leave_one_out(terms, gene))

    def _scores(self, gene: int, terms: Ids | None) -> Numbers:
        vectors = self.model.vectors
        similarity = vectors @ vectors[[gene]].toarray()[0]  # (genes,) cosines
        if terms is None:
            return np.asarray(self.members @ similarity / np.maximum(self.sizes, 1))
        # Compared with the others alone, as the model does.
        total = self.members[terms] @ similarity - self.model._squares[gene]
        return np.asarray(total / np.maximum(self.sizes[terms] - 1, 1))


def _quadratic(rows: sp.csr_array, gram: sp.csr_array, sizes: Ids) -> Numbers:
    """(n,) r G r' for each sparse row r: the sum of the squared scores of all genes.

    The few features of many genes fill most of the Gram matrix. They are taken out of it and
    handled as dense matrices.
    """
    common = sizes >= COMMON
    rare = ~common
    few, many = rows[:, rare], rows[:, common]
    dense = gram[common][:, common].toarray()
    across, sparse = gram[rare][:, common], gram[rare][:, rare]
    out = np.empty(rows.shape[0])
    for at, block in row_blocks(many, BLOCK):
        x, y = block.toarray(), few[at]
        product = x @ dense + 2 * (y @ across).toarray()
        out[at] = np.einsum("nc,nc->n", product, x) + (y @ sparse).multiply(y).sum(axis=1)
    return out
