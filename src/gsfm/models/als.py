"""ALS: weighted matrix factorization of implicit feedback, by the library implicit.

The library fits the genes' vectors; a set's vector is the least-squares solution for its members.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from gsfm.errors import needs_extra
from gsfm.models.base import Model
from gsfm.models.settings import AtLeast1, Count, Positive, Settings
from gsfm.models.storage import take
from gsfm.models.types import Floats, Tensors
from gsfm.sets import GeneSets


@dataclass(frozen=True)
class ALSConfig(Settings):
    """Settings of `ALS`."""

    dimensions: Count = 128  # length of the vectors of genes and sets
    confidence: AtLeast1 = 10.0  # of a membership; a gene that is not in the set has 1
    regularization: Positive = 1.0  # ridge on the vectors
    iterations: Count = 15  # alternations between sets and genes


class ALS(Model):
    r"""Weighted matrix factorization by alternating least squares.

    Vectors :math:`x_u` of sets and :math:`y_j` of genes minimize

    .. math::
        \sum_{u,j} c_{uj} (m_{uj} - x_u^\top y_j)^2
        + \lambda \Big(\sum_u \lVert x_u \rVert^2 + \sum_j \lVert y_j \rVert^2\Big)

    with the 0/1 membership :math:`m`, and the confidence :math:`c` of a membership, multiplied by
    the weight of the set but at least 1; 1 where the gene is not in the set. The score of gene j
    for a set is :math:`x^\top y_j`, about 1 for a gene like its members.

    Examples
    --------
    >>> from gsfm.sets import GeneSets
    >>> corpus = GeneSets.from_lists([["A", "B", "C"], ["X", "Y", "Z"]] * 8)
    >>> model = ALS(dimensions=2, confidence=100, regularization=0.01).fit(corpus)
    >>> abs(model.score([["A", "B"]]).round(1)).tolist()
    [[1.0, 1.0, 1.0, 0.0, 0.0, 0.0]]
    """

    family = "als"
    description = "Matrix factorization of implicit feedback (fitted by the library implicit)"
    paper = "Hu, Koren & Volinsky, ICDM 2008, doi:10.1109/ICDM.2008.22"
    Config = ALSConfig
    config: ALSConfig

    vectors: Floats  # (genes, dimensions)

    def _fit(self, sets: GeneSets, weights: Floats, random_state: int) -> None:
        with needs_extra("fitting an 'als' model", "bench"):
            from implicit.cpu.als import AlternatingLeastSquares
            from threadpoolctl import threadpool_limits
        c = self.config
        members = sp.csr_matrix(sets.to_csr())  # (sets, genes)
        confidence = np.repeat(np.maximum(c.confidence * weights, 1), sets.sizes)
        members.data = confidence.astype(np.float32)
        with threadpool_limits(1, "blas"):  # the library has threads of its own
            library = AlternatingLeastSquares(
                factors=c.dimensions,
                regularization=c.regularization,
                iterations=c.iterations,
                num_threads=self.run.n_threads or 0,
                random_state=random_state,
            )
            library.fit(members, show_progress=False)
        self.vectors = np.asarray(library.item_factors, np.float32)

    def _embed_sets(self, members: sp.csr_array) -> Floats:
        c, y = self.config, self.vectors
        ridge = np.float32(c.regularization) * np.eye(y.shape[1], dtype=y.dtype)
        all_genes = self._cached("gram", lambda: y.T @ y + ridge)  # (dimensions, dimensions)
        out = np.zeros((members.shape[0], y.shape[1]), np.float32)
        for i, (start, stop) in enumerate(zip(members.indptr, members.indptr[1:], strict=False)):
            own = y[members.indices[start:stop]]
            gram = all_genes + np.float32(c.confidence - 1) * (own.T @ own)
            out[i] = np.linalg.solve(gram, c.confidence * own.sum(axis=0))
        return out  # (n, dimensions)

    def _score(self, members: sp.csr_array) -> Floats:
        return self._embed_sets(members) @ self.vectors.T  # (n, genes)

    def _embed_genes(self) -> Floats:
        return self.vectors

    def _tensors(self) -> Tensors:
        return {"vectors": self.vectors}

    def _restore(self, tensors: Tensors) -> None:
        n, width = len(self.vocabulary), self.config.dimensions
        self.vectors = take(tensors, "vectors", n, width, kinds="f").astype(np.float32)
