"""Annotation: in how many terms of a library a gene is, but for the term that is asked about.

What is known of a gene in one respect will be found in another: the number of annotations alone
predicts new ones well (Gillis & Pavlidis 2012). A term's own genes have one annotation more than
they would have without it, so that it must not count for them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from gsfm.models.attribution import constant
from gsfm.models.base import Floats, Model, Tensors, require, take
from gsfm.models.evidence import covered
from gsfm.models.sparse import csr_tensors, take_csr
from gsfm.models.term_matrix import Ids, Mask, Numbers
from gsfm.sets import GeneSets


@dataclass(frozen=True)
class AnnotationConfig:
    """Settings of `Annotation`."""

    covered: float = 0.8  # terms of which a set holds this share of the genes do not count for it
    pseudocount: float = 1.0  # terms added to every gene's count, so that one in none has a score

    def __post_init__(self) -> None:
        require(0 < self.covered <= 1, f"covered must be above 0 and up to 1, not {self.covered}")
        require(self.pseudocount > 0, f"pseudocount must be above 0, not {self.pseudocount}")


class Annotation(Model):
    r"""The log of the number of a library's terms that have the gene, less those that the set is.

    .. math:: s_{uj} = \log \Big( c + \sum_{t \notin C_u} w_t x_{tj} \Big)

    with the 0/1 membership :math:`x`, the terms' weights :math:`w`, the pseudocount :math:`c`, and
    the terms :math:`C_u` that the set covers: it holds the share `covered` of their genes. They are
    the set itself, if the library has it, an older release of it, and what is wholly inside of it.

    Examples
    --------
    >>> library = GeneSets.from_lists([["A", "B"], ["B"], ["B", "C"]])
    >>> model = Annotation().fit(library)
    >>> np.exp(model.score([["C"], ["A", "B"]])).round()
    array([[2., 4., 2.],
           [1., 2., 2.]], dtype=float32)
    """

    family = "annotation"
    description = "In how many terms of a library a gene is, but for the term that is asked about"
    paper = "Gillis & Pavlidis, PLoS Comput Biol 2012, doi:10.1371/journal.pcbi.1002444"
    Config = AnnotationConfig
    config: AnnotationConfig
    leaves_itself_out = True  # the terms of which the set is made do not count

    #: (genes, terms) 1 for each term that the gene is in.
    terms: sp.csr_array
    weights: Floats  # (terms,)
    _by_term: sp.csr_array  # (terms, genes)
    _counts: Floats  # (genes,)

    def _fit(self, sets: GeneSets, weights: Floats, random_state: int) -> None:
        self._take(sets.to_csr().T.tocsr(), weights)

    def _take(self, terms: sp.csr_array, weights: Floats) -> None:
        terms.sort_indices()
        self.terms, self.weights = terms, weights
        self._by_term = terms.T.tocsr()
        self._counts = np.asarray(terms @ weights.astype(np.float64), np.float32)

    # -- asking ----------------------------------------------------------------------------------

    def _score(self, members: sp.csr_array) -> Floats:
        own = covered(members, self._by_term, self.config.covered)  # (n, terms)
        own.data = self.weights[own.indices]
        counts = self._counts - (own @ self._by_term).toarray()  # (n, genes)
        scores: Floats = np.log(np.float32(self.config.pseudocount) + np.maximum(counts, 0))
        return scores

    def _attribution(
        self, ids: Ids, gene: int, others: Mask, random_state: int
    ) -> tuple[float, Numbers]:
        return constant(self, ids, gene, others)

    def _embed_genes(self) -> Floats:
        logs: Floats = np.log(np.float32(self.config.pseudocount) + self._counts)
        return logs[:, None]

    # -- files -----------------------------------------------------------------------------------

    def _tensors(self) -> Tensors:
        return {**csr_tensors(self.terms, "terms"), "weights": self.weights}

    def _restore(self, tensors: Tensors) -> None:
        weights = take(tensors, "weights", None, kinds="f").astype(np.float32)
        terms = take_csr(tensors, "terms", len(self.vocabulary), len(weights))
        if (weights < 0).any():
            raise ValueError("the tensor 'weights' holds a number below 0")
        if (terms.data != 1).any():
            raise ValueError("the tensor 'terms.values' holds something other than 1")
        self._take(terms, weights)
        if (np.diff(self._by_term.indptr) == 0).any():
            raise ValueError("the tensor 'weights' has a number for a term without a gene")
