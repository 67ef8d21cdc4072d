"""Annotation: in how many terms of a library a gene is, without the term of the query.

The number of annotations of a gene alone predicts new ones well (Gillis & Pavlidis 2012).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from gsfm.models.attribution import constant
from gsfm.models.base import Model
from gsfm.models.evidence import contained_terms
from gsfm.models.settings import FractionTo1, Positive, Settings, require
from gsfm.models.sparse import csr_tensors, take_csr
from gsfm.models.storage import take
from gsfm.models.types import Floats, Ids, Mask, Parts, Tensors
from gsfm.sets import GeneSets


@dataclass(frozen=True)
class AnnotationConfig(Settings):
    """Settings of `Annotation`."""

    max_containment: FractionTo1 = 0.8  # terms with this share of their genes in a set are excluded
    pseudocount: Positive = 1.0  # terms added to every count, so that a gene in none has a score


class Annotation(Model):
    r"""The log of the number of terms of a library that have the gene, without those of the set.

    .. math:: s_{uj} = \log \Big( c + \sum_{t \notin C_u} w_t x_{tj} \Big)

    with the 0/1 membership :math:`x`, the terms' weights :math:`w`, the pseudocount :math:`c`, and
    the terms :math:`C_u` of which the set contains the share `max_containment` of the genes. They
    are the set itself, if the library has it, an older release of it, and the terms that are part
    of it.

    Examples
    --------
    >>> library = GeneSets.from_lists([["A", "B"], ["B"], ["B", "C"]])
    >>> model = Annotation().fit(library)
    >>> np.exp(model.score([["C"], ["A", "B"]])).round()
    array([[2., 4., 2.],
           [1., 2., 2.]], dtype=float32)
    """

    family = "annotation"
    description = "In how many terms of a library a gene is, without the term of the query"
    paper = "Gillis & Pavlidis, PLoS Comput Biol 2012, doi:10.1371/journal.pcbi.1002444"
    Config = AnnotationConfig
    config: AnnotationConfig
    leaves_itself_out = True  # the terms that the set contains do not count

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

    def _score(self, members: sp.csr_array) -> Floats:
        own = contained_terms(members, self._by_term, self.config.max_containment)  # (n, terms)
        own.data = self.weights[own.indices]
        counts = self._counts - (own @ self._by_term).toarray()  # (n, genes)
        scores: Floats = np.log(np.float32(self.config.pseudocount) + np.maximum(counts, 0))
        return scores

    def _attribution(self, ids: Ids, gene: int, others: Mask, random_state: int) -> Parts:
        return constant(self, ids, gene, others)

    def _embed_genes(self) -> Floats:
        logs: Floats = np.log(np.float32(self.config.pseudocount) + self._counts)
        return logs[:, None]

    def _tensors(self) -> Tensors:
        return {**csr_tensors(self.terms, "terms"), "weights": self.weights}

    def _restore(self, tensors: Tensors) -> None:
        weights = take(tensors, "weights", None, kinds="f").astype(np.float32)
        terms = take_csr(tensors, "terms", len(self.vocabulary), len(weights))
        require((weights >= 0).all(), "the tensor 'weights' holds a number below 0")
        ones = (terms.data == 1).all()
        require(ones, "the tensor 'terms.values' holds something other than 1")
        self._take(terms, weights)
        used = (np.diff(self._by_term.indptr) > 0).all()
        require(used, "the tensor 'weights' has a number for a term without a gene")
