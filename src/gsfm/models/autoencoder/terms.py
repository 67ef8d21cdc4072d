"""The autoencoder's term matrix: a term is the vector that the network makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from gsfm.models.membership import row_blocks
from gsfm.models.term_matrix import BLOCK, TermMatrix, cached, moments, standard, without
from gsfm.models.types import Cache, Floats, Ids, Numbers, Progress

if TYPE_CHECKING:
    from gsfm.models.autoencoder.model import Autoencoder


class Vectors(TermMatrix):
    """Terms as (terms, d) vectors; a score is a product with the gene's output vector."""

    def __init__(
        self, model: Autoencoder, members: sp.csr_array, cache: Cache, progress: Progress
    ) -> None:
        self.model, self.members = model, members
        found = cached(cache, lambda: self._compute(progress))
        self.vectors, self.moments = found["vectors"], found["moments"]
        # The model needs these sums too.
        model.gene_sums = model.gene_sums or (found["total"], found["gram"].astype(np.float64))

    def _compute(self, progress: Progress) -> Cache:
        vectors, of_terms = self._vectors(self.members, progress)
        total, gram = self.model.sums_over_genes()
        # Single precision is what the Gram matrix was computed in.
        gram = gram.astype(np.float32)
        return {"vectors": vectors, "moments": of_terms, "total": total, "gram": gram}

    def evidence(self, gene: int) -> Numbers:
        return self._standard(self.vectors, self.moments, gene)

    def leave_one_out(self, terms: Ids, gene: int) -> Numbers:
        return self._standard(*self._vectors(without(self.members, terms, gene)), gene)

    def _standard(self, vectors: Floats, of_terms: Numbers, gene: int) -> Numbers:
        scores = vectors @ self.model.output_vectors[gene] + self.model.output_bias[gene]
        return standard(scores, of_terms)

    def _vectors(self, members: sp.csr_array, progress: Progress = None) -> tuple[Floats, Numbers]:
        """(terms, d) vectors, and (2, terms) moments of the scores."""
        model, n = self.model, members.shape[0]
        vectors, own = np.empty((n, model.config.dimensions), np.float32), np.empty((2, n))
        for rows, block in row_blocks(members, BLOCK):
            vectors[rows] = model.embed_sets(block)
            for i in range(n)[rows]:
                genes = members.indices[members.indptr[i] : members.indptr[i + 1]]
                scores = model.output_vectors[genes] @ vectors[i] + model.output_bias[genes]
                own[:, i] = scores.sum(), scores @ scores
            if progress is not None:
                progress(rows.stop, n)
        return vectors, moments(members, np.array(model.score_moments(vectors)), own)
