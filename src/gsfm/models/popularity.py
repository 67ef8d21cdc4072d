"""Popularity: how often a gene occurs, whatever the set; a baseline without any biology.

Well-studied genes are in every list, so that a model that always ranks them first is right
surprisingly often (Gillis & Pavlidis 2011). Every other model has to do better than this one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gsfm.models.constant import ConstantModel
from gsfm.models.settings import Positive, Settings
from gsfm.models.types import Floats, Numbers
from gsfm.sets import GeneSets


@dataclass(frozen=True)
class PopularityConfig(Settings):
    """Settings of `Popularity`."""

    #: Sets added to the count of every gene, so that a gene in no set has a score.
    pseudocount: Positive = 1.0


class Popularity(ConstantModel):
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
    tensor = "log_frequency"

    def _fit(self, sets: GeneSets, weights: Floats, random_state: int) -> None:
        of_member = np.repeat(weights, sets.sizes).astype(np.float64)
        counts = np.bincount(sets.indices, weights=of_member, minlength=sets.n_genes)
        c, total = self.config.pseudocount, float(weights.sum(dtype=np.float64))
        self.values = np.log((c + counts) / (c + total)).astype(np.float32)

    def log_gene_frequency(self) -> Numbers:
        return self.values.astype(np.float64)
