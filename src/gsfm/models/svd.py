"""SVD: sets in a space of few dimensions, the leading singular vectors of the membership matrix.

Latent semantic indexing (Deerwester et al. 1990) with sets as documents and genes as words.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from gsfm.models.base import Model
from gsfm.models.settings import Count, NonNegative, Settings
from gsfm.models.sparse import gram_blocks, principal_rows
from gsfm.models.storage import take
from gsfm.models.types import Floats, Tensors
from gsfm.sets import GeneSets


@dataclass(frozen=True)
class SVDConfig(Settings):
    """Settings of `SVD`."""

    dimensions: Count = 512  # singular vectors kept: the length of the vector of a set
    size_exponent: NonNegative = 0.5  # a set of size s counts 1 / s ** this, as in `Linear`
    gene_exponent: NonNegative = 0.25  # a gene in sets of weight c counts 1 / c ** this


class SVD(Model):
    r"""Truncated singular value decomposition; scores are the reconstructed memberships.

    With the 0/1 membership :math:`X`, the diagonal weights of the sets :math:`W` (each divided by
    its size to the power ``size_exponent``) and of the genes :math:`D` (the weight of a gene's sets
    to the power ``-gene_exponent``), and the leading right singular vectors :math:`V` of
    :math:`W^{1/2} X D`,

    .. math:: s = x D V V^\top

    is the score of a set :math:`x`: its scaled membership, projected on the leading directions.
    ``gene_exponent = 0`` is the decomposition of the plain membership matrix.

    Examples
    --------
    >>> from gsfm.sets import GeneSets
    >>> corpus = GeneSets.from_lists([["A", "B", "C"], ["X", "Y", "Z"]] * 8)
    >>> model = SVD(dimensions=2, gene_exponent=0).fit(corpus)
    >>> model.score([["A", "B"]]).round(2)
    array([[0.67, 0.67, 0.67, 0.  , 0.  , 0.  ]], dtype=float32)
    """

    family = "svd"
    description = "Truncated SVD of the membership matrix (latent semantic indexing, PureSVD)"
    paper = "Cremonesi et al., RecSys 2010, doi:10.1145/1864708.1864721"
    Config = SVDConfig
    config: SVDConfig

    scale: Floats  # (genes,): D
    vectors: Floats  # (genes, dimensions): V

    def _fit(self, sets: GeneSets, weights: Floats, random_state: int) -> None:
        c = self.config
        members = sets.to_csr()  # (sets, genes)
        occurs = np.asarray(weights @ members, np.float32)  # (genes,)
        scale = np.where(occurs > 0, np.maximum(occurs, 1e-12) ** -c.gene_exponent, 0)
        self.scale = scale.astype(np.float32)
        weights = weights / np.maximum(sets.sizes, 1).astype(np.float32) ** c.size_exponent
        # The right singular vectors are the eigenvectors of the genes' matrix D X' W X D.
        gram = np.empty((sets.n_genes, sets.n_genes), np.float32)
        for start, rows in gram_blocks(members, weights):
            rows *= self.scale
            gram[start : start + len(rows)] = rows * self.scale[start : start + len(rows), None]
        directions = principal_rows(gram, c.dimensions)  # of length: the eigenvalue
        lengths = np.linalg.norm(directions, axis=0)
        kept = lengths > lengths.max() * 1e-6
        self.vectors = directions[:, kept] / lengths[kept]

    def _embed_sets(self, members: sp.csr_array) -> Floats:
        return np.asarray(members @ self._embed_genes())  # (n, dimensions)

    def _score(self, members: sp.csr_array) -> Floats:
        return self._embed_sets(members) @ self.vectors.T  # (n, genes)

    def _embed_genes(self) -> Floats:
        return self.scale[:, None] * self.vectors

    def _tensors(self) -> Tensors:
        return {"scale": self.scale, "vectors": self.vectors}

    def _restore(self, tensors: Tensors) -> None:
        n = len(self.vocabulary)
        self.scale = take(tensors, "scale", n, kinds="f").astype(np.float32)
        self.vectors = take(tensors, "vectors", n, None, kinds="f").astype(np.float32)
