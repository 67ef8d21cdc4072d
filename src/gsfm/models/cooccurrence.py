"""Co-occurrence: a gene is scored by its mean similarity to the genes of the set.

The item-based neighborhood method of Deshpande & Karypis 2004, with both of their similarities.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.sparse as sp

from gsfm.models.base import Model
from gsfm.models.evidence import divide_by_others
from gsfm.models.settings import Count, Settings
from gsfm.models.sparse import csr_tensors, gram_blocks, keep_largest, principal_rows, take_csr
from gsfm.models.types import Floats, Tensors
from gsfm.sets import GeneSets


@dataclass(frozen=True)
class CooccurrenceConfig(Settings):
    """Settings of `Cooccurrence`."""

    similarity: Literal["cosine", "conditional"] = "cosine"  # the first discounts popular genes
    top: Count = 256  # similar genes kept of each gene, as float16: bounds memory and file
    dimensions: Count = 128  # length of the vectors of embed_sets and embed_genes


class Cooccurrence(Model):
    r"""Mean similarity to the members of the set.

    With :math:`C_{ij}` the weight of the sets that hold both i and j, the similarity is

    .. math:: \text{conditional: } \frac{C_{ij}}{C_{ii}} = P(j \mid i)
        \qquad \text{cosine: } \frac{C_{ij}}{\sqrt{C_{ii} C_{jj}}}

    and the score of j for a set is the mean over its members i other than j; between 0 and 1.
    For each gene i the `top` most similar genes are kept, the others count as 0.

    Examples
    --------
    >>> from gsfm.sets import GeneSets
    >>> corpus = GeneSets.from_lists([["A", "B"], ["A", "B"], ["A", "C"], ["A"]])
    >>> model = Cooccurrence(similarity="conditional").fit(corpus)
    >>> model.score([["A"], ["B"]])
    array([[0.  , 0.5 , 0.25],
           [1.  , 0.  , 0.  ]], dtype=float32)
    """

    family = "cooccurrence"
    description = "Mean similarity (cosine or conditional probability) to the genes of the set"
    paper = "Deshpande & Karypis, ACM TOIS 2004, doi:10.1145/963770.963776"
    Config = CooccurrenceConfig
    config: CooccurrenceConfig
    leaves_itself_out = True

    #: (genes, genes) sparse: row i holds the similarities of the genes most similar to gene i.
    similarities: sp.csr_array

    def _fit(self, sets: GeneSets, weights: Floats, random_state: int) -> None:
        members = sets.to_csr()  # (sets, genes)
        occurs = np.asarray(weights @ members)  # (genes,): C_jj
        inverse = np.divide(1, occurs, out=np.zeros_like(occurs), where=occurs > 0)

        def blocks() -> Iterator[tuple[Floats, Floats]]:
            for start, rows in gram_blocks(members, weights):
                stop = start + len(rows)
                # A gene is no evidence of itself.
                rows[np.arange(len(rows)), np.arange(start, stop)] = 0
                if self.config.similarity == "cosine":
                    rows *= np.sqrt(inverse[start:stop])[:, None]
                    rows *= np.sqrt(inverse)
                else:
                    rows *= inverse[start:stop][:, None]
                yield rows, rows

        self.similarities = keep_largest(blocks(), self.config.top)

    def _score(self, members: sp.csr_array) -> Floats:
        total: Floats = (members @ self.similarities).toarray()  # (n, genes)
        divide_by_others(total, members)  # the similarity of a gene to itself is 0
        return total

    def _embed_genes(self) -> Floats:
        # A gene's vector is its row of similarities, in fewer dimensions.
        matrix, width = self.similarities, self.config.dimensions
        return self._cached("gene_vectors", lambda: principal_rows(matrix, width))

    def _tensors(self) -> Tensors:
        return csr_tensors(self.similarities, "similarities")

    def _restore(self, tensors: Tensors) -> None:
        n = len(self.vocabulary)
        self.similarities = take_csr(tensors, "similarities", n, n)
