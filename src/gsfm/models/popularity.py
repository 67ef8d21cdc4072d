"""Popularity: how often a gene occurs, whatever the set; the baseline that knows no biology.

Well-studied genes are in every list, so that a model which always answers them is right
surprisingly often (Gillis & Pavlidis 2011). What a model is worth is what it adds to this.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from gsfm.models.attribution import constant
from gsfm.models.base import Floats, Model, Tensors, require, take
from gsfm.models.term_matrix import Cache, Constant, Ids, Mask, Numbers, Progress, TermMatrix
from gsfm.sets import GeneSets


@dataclass(frozen=True)
class PopularityConfig:
    """Settings of `Popularity`."""

    pseudocount: float = (
        1.0  # sets added to every gene's count, so that a gene never seen has a score
    )

    def __post_init__(self) -> None:
        require(self.pseudocount > 0, "pseudocount must be above 0")


class Popularity(Model):
    r"""The log of the weighted frequency of each gene, the same for every set.

    .. math:: s_j = \log \frac{c + \sum_u w_u x_{uj}}{c + \sum_u w_u}

    with the 0/1 membership :math:`x`, the sets' weights :math:`w` and the pseudocount :math:`c`.

    Examples
    --------
    >>> from gsfm.sets import GeneSets
    >>> corpus = GeneSets.from_lists([["A", "B"], ["B"], ["B", "C"]])
    >>> Popularity().fit(corpus).score([["A"]]).round(3)
    array([[-0.693,  0.   , -0.693]], dtype=float32)
    """

    family = "popularity"
    description = "How often a gene occurs, the same answer for every set"
    paper = "Gillis & Pavlidis, PLoS ONE 2011, doi:10.1371/journal.pone.0017258"
    Config = PopularityConfig
    config: PopularityConfig
    leaves_itself_out = True  # the score is the gene's, whatever the set

    log_frequency: Floats  # (genes,)

    def _fit(self, sets: GeneSets, weights: Floats, random_state: int) -> None:
        of_member = np.repeat(weights, sets.sizes).astype(np.float64)
        counts = np.bincount(sets.indices, weights=of_member, minlength=sets.n_genes)
        c, total = self.config.pseudocount, float(weights.sum(dtype=np.float64))
        self.log_frequency = np.log((c + counts) / (c + total)).astype(np.float32)

    def _score(self, members: sp.csr_array) -> Floats:
        return np.broadcast_to(self.log_frequency, members.shape)

    def _term_matrix(self, members: sp.csr_array, cache: Cache, progress: Progress) -> TermMatrix:
        return Constant(self.log_frequency.astype(np.float64), members)

    def _attribution(
        self, ids: Ids, gene: int, others: Mask, random_state: int
    ) -> tuple[float, Numbers]:
        return constant(self, ids, gene, others)

    def log_gene_frequency(self) -> Numbers:
        return self.log_frequency.astype(np.float64)

    def _embed_genes(self) -> Floats:
        return self.log_frequency[:, None]

    def _tensors(self) -> Tensors:
        return {"log_frequency": self.log_frequency}

    def _restore(self, tensors: Tensors) -> None:
        n = len(self.vocabulary)
        self.log_frequency = take(tensors, "log_frequency", n, kinds="f").astype(np.float32)
