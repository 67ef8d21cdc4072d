"""Linear: EASE, the closed-form item-item autoencoder of Steck (WWW 2019), with set weights.

Each set is reconstructed from itself while no gene may explain itself: one matrix to invert.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Self

import numpy as np
import scipy.sparse as sp

from gsfm.completion.batches import batches
from gsfm.models import sparse
from gsfm.models.attribution import contrast
from gsfm.models.base import Model
from gsfm.models.settings import Count, NonNegative, NonNegativeInt, Positive, Settings, require
from gsfm.models.storage import take
from gsfm.models.term_matrix import Standardized, TermMatrix, cached, holders, moments, sums
from gsfm.models.types import Cache, Floats, Ids, Mask, Parts, Progress, Tensors
from gsfm.sets import GeneSets

LAPACK_ROWS = 2048  # of the blocks that LAPACK inverts


@dataclass(frozen=True)
class LinearConfig(Settings):
    """Settings of `Linear`."""

    regularization: Positive = 50.0  # ridge, in sets of weight 1: larger trusts rare pairs less
    size_exponent: NonNegative = 0.5  # a set of size s counts 1 / s ** this
    min_sets: Count = 1  # genes in fewer sets get no weights; bounds the matrix (genes^2 x 4 bytes)
    prune: NonNegativeInt = 0  # strongest weights kept of each gene, as float16; 0: all, as float32
    dimensions: Count = 128  # length of the vectors of embed_sets and embed_genes


class Linear(Model):
    r"""EASE: scores are a linear function of the members, fitted in closed form.

    .. math::
        \min_B \sum_u w_u \lVert x_u - x_u B \rVert^2 + \lambda \lVert B \rVert_F^2
        \quad \text{with} \quad B_{jj} = 0

    has the solution :math:`B_{ij} = -P_{ij} / P_{jj}` for :math:`i \ne j`, with
    :math:`P = (X^\top W X + \lambda I)^{-1}`. The score of gene :math:`j` for a set is
    :math:`\sum_{i \in set} B_{ij}`: about 1 for a gene that the others predict, 0 for one that is
    independent of them, below 0 for one that is rarely with them.

    Examples
    --------
    >>> from gsfm.sets import GeneSets
    >>> corpus = GeneSets.from_lists([["A", "B", "C"], ["X", "Y", "Z"]] * 8)
    >>> model = Linear(regularization=1, size_exponent=0).fit(corpus)
    >>> model.score([["A", "B"]]).round(2)
    array([[0.47, 0.47, 0.94, 0.  , 0.  , 0.  ]], dtype=float32)
    """

    family = "linear"
    description = "Closed-form item-item autoencoder (EASE) with weighted sets"
    paper = "Steck, WWW 2019, doi:10.1145/3308558.3313710"
    Config = LinearConfig
    config: LinearConfig
    leaves_itself_out = True

    #: (genes, genes): row i holds what gene i adds to every gene's score. Dense if nothing was
    #: pruned, else sparse rows.
    matrix: Floats | sp.csr_array

    def _fit(self, sets: GeneSets, weights: Floats, random_state: int) -> None:
        c = self.config
        members = sets.to_csr()  # (sets, genes)
        weights = weights / np.maximum(sets.sizes, 1).astype(np.float32) ** c.size_exponent
        occurs = np.bincount(sets.indices, minlength=sets.n_genes) >= c.min_sets
        genes = np.flatnonzero(occurs)
        enough = len(genes) >= 2
        require(enough, f"fewer than 2 genes occur in at least {c.min_sets} sets (min_sets)")
        if len(genes) < sets.n_genes:
            members = members[:, genes]

        inverse = np.empty((len(genes), len(genes)), np.float32)
        for start, rows in sparse.gram_blocks(members, weights):
            inverse[start : start + len(rows)] = rows
        del members
        inverse.flat[:: len(genes) + 1] += np.float32(c.regularization)
        _invert(inverse)

        # B = -P / diag(P), column by column, with a zero diagonal; in place, as it is large.
        inverse /= -inverse.diagonal().copy()
        np.fill_diagonal(inverse, 0)
        if c.prune:
            kept = _strongest(inverse, c.prune).tocoo()
            coordinates = (genes[kept.row], genes[kept.col])
            shape = (sets.n_genes, sets.n_genes)
            self.matrix = sp.coo_array((kept.data, coordinates), shape=shape).tocsr()
        elif len(genes) == sets.n_genes:
            self.matrix = inverse
        else:
            self.matrix = np.zeros((sets.n_genes, sets.n_genes), np.float32)
            self.matrix[np.ix_(genes, genes)] = inverse

    def pruned(self, keep: int) -> Self:
        r"""Return this model with only the `keep` strongest weights of each gene.

        The weights kept are those of the genes with the largest partial correlation,
        :math:`|P_{ij}| / \sqrt{P_{ii} P_{jj}} = \sqrt{B_{ij} B_{ji}}`. By magnitude alone, which
        favors genes in many sets, average precision suffers more.

        A pruned model, whose weights are stored as float16, cannot be pruned again (ValueError).

        Examples
        --------
        >>> from gsfm.sets import GeneSets
        >>> corpus = GeneSets.from_lists([["A", "B", "C"], ["C", "D"]])
        >>> model = Linear(regularization=1).fit(corpus)
        >>> model.n_parameters, model.pruned(1).matrix.nnz
        (16, 4)
        """
        require(keep >= 1, "keep must be 1 or more")
        vocabulary = self.vocabulary  # raises if there is no model yet
        whole = not isinstance(self.matrix, sp.csr_array)
        require(whole, "this model was pruned already; prune the one that has all weights")
        model = type(self)(dataclasses.replace(self.config, prune=keep))
        model._vocabulary = vocabulary
        model.matrix = _strongest(self.matrix, keep)
        model.manifest = {**self.manifest, "config": dataclasses.asdict(model.config)}
        for name in ("calibration", "typical"):  # of other scores
            model.manifest.pop(name, None)
        return model

    def _score(self, members: sp.csr_array) -> Floats:
        scores = members @ self.matrix  # (n, genes)
        return np.asarray(scores.toarray() if isinstance(scores, sp.csr_array) else scores)

    def _term_matrix(self, members: sp.csr_array, cache: Cache, progress: Progress) -> TermMatrix:
        found = cached(cache, lambda: {"moments": moments(members, *sums(members, self.matrix))})

        def scores(gene: int, terms: Ids | None) -> Floats:
            # No gene has a weight of its own, so that a score leaves the gene out.
            of_terms = members if terms is None else members[terms]
            return np.asarray(of_terms @ self._weights(gene))

        return Standardized(found["moments"], scores)

    def _weights(self, gene: int) -> Floats:
        """(genes,) the weights whose sum is a term's score of the gene: a column of the matrix."""
        if not isinstance(self.matrix, sp.csr_array):
            return np.ascontiguousarray(self.matrix[:, gene])
        weights = np.zeros(self.matrix.shape[0], np.float32)
        rows, at = holders(self.matrix, gene)
        weights[rows] = self.matrix.data[at]
        return weights

    def _attribution(self, ids: Ids, gene: int, others: Mask, random_state: int) -> Parts:
        return 0.0, np.asarray(self.matrix[ids] @ contrast(gene, others))

    def _embed_genes(self) -> Floats:
        # A gene's vector is its row of weights, in fewer dimensions.
        matrix, width = self.matrix, self.config.dimensions
        return self._cached("gene_vectors", lambda: sparse.principal_rows(matrix, width))

    def _tensors(self) -> Tensors:
        if isinstance(self.matrix, sp.csr_array):
            return sparse.csr_tensors(self.matrix, "weights")
        return {"weights": self.matrix}

    def _restore(self, tensors: Tensors) -> None:
        n = len(self.vocabulary)
        if self.config.prune:
            self.matrix = sparse.take_csr(tensors, "weights", n, n)
        else:
            self.matrix = take(tensors, "weights", n, n, kinds="f").astype(np.float32, copy=False)


def _strongest(matrix: Floats, keep: int) -> sp.csr_array:
    """The `keep` weights of each row with the largest partial correlation."""
    # The two directions of a pair have one sign, so that their product is the squared correlation.
    blocks = ((matrix[i], matrix[i] * matrix[:, i].T) for i in batches(len(matrix), sparse.BLOCK))
    return sparse.keep_largest(blocks, keep)


def _invert(matrix: Floats) -> None:
    """Replace a symmetric positive definite (n, n) matrix by its inverse, in place.

    LAPACK inverts small blocks, and matrix products join them by the Schur complement. Some builds
    of OpenBLAS crash from about 28 thousand rows on, and products use the processor better.
    """
    n = len(matrix)
    if n <= LAPACK_ROWS:
        _invert_block(matrix)
        return
    h = n // 2
    a, b, d = matrix[:h, :h], matrix[:h, h:], matrix[h:, h:]
    _invert(a)
    w = a @ b
    _subtract(d, b.T, w)
    _invert(d)  # now the inverse of the Schur complement
    np.matmul(w, d, out=b)
    np.negative(b, out=b)
    _subtract(a, b, w.T)
    matrix[h:, :h] = b.T


def _subtract(matrix: Floats, left: Floats, right: Floats) -> None:
    """Subtract a product that is symmetric from a symmetric matrix, in place, by half of it."""
    for rows in batches(len(matrix), LAPACK_ROWS):
        matrix[rows, rows.start :] -= left[rows] @ right[:, rows.start :]
        matrix[rows.stop :, rows] = matrix[rows, rows.stop :].T


def _invert_block(block: Floats) -> None:
    # Here and not above: an import of 100 ms that prediction does not need.
    from scipy.linalg.lapack import spotrf, spotri

    factor, info = spotrf(block, lower=1)
    if info == 0:
        inverse, info = spotri(factor, lower=1)
    require(info == 0, "the genes' matrix cannot be inverted; raise the regularization")
    # LAPACK fills one triangle.
    lower = np.tril(inverse)
    block[...] = lower + np.tril(inverse, -1).T
