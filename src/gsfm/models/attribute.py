"""Attribute: a number that each gene has, whatever the set.

Long genes are hit by more variants, associations are seldom sought on the X chromosome, and what a
screen cannot see is in none of its lists. Alone such a number predicts little; in a model that
weighs its evidence by the set (`Adaptive`), it corrects the others where a set's own genes show
that it matters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.sparse as sp

from gsfm import genes
from gsfm.genes.tables import read
from gsfm.models.attribution import constant
from gsfm.models.base import Floats, Model, Tensors, take
from gsfm.models.term_matrix import Cache, Constant, Ids, Mask, Numbers, Progress, TermMatrix
from gsfm.sets import GeneSets

#: The locus type of a gene that codes for a protein, as HGNC calls it.
CODING = "gene with protein product"
#: The chromosomes that are no autosomes.
SEX_OR_MITOCHONDRIAL = ("X", "Y", "MT")


@dataclass(frozen=True)
class AttributeConfig:
    """Settings of `Attribute`."""

    #: Log of the gene's extent; whether it codes for a protein; whether it is on an autosome.
    of: Literal["length", "coding", "autosomal"] = "length"


class Attribute(Model):
    """A number of each gene, the same for every set: how long it is, of what kind, or where.

    From the bundled gene table: of the corpus only the vocabulary matters. The numbers are
    standardized over the vocabulary; a gene of which nothing is known has 0, the mean.

    Examples
    --------
    >>> corpus = GeneSets.from_lists([["DMD", "H2AC1", "TP53"]])
    >>> Attribute(of="length").fit(corpus).score([["TP53"]]).round(1)
    array([[ 1.3, -1.2, -0.1]], dtype=float32)
    """

    family = "attribute"
    description = "A number that each gene has, whatever the set: its length, kind or place"
    paper = "Young et al., Genome Biology 2010, doi:10.1186/gb-2010-11-2-r14"
    Config = AttributeConfig
    config: AttributeConfig
    leaves_itself_out = True  # the number is the gene's, whatever the set

    values: Floats  # (genes,)

    def _fit(self, sets: GeneSets, weights: Floats, random_state: int) -> None:
        symbols = sets.vocabulary.symbols
        if self.config.of == "autosomal":
            autosome = genes.positions(symbols)["chromosome"].is_in(SEX_OR_MITOCHONDRIAL).not_()
            raw = autosome.cast(float).to_numpy()
        elif self.config.of == "length":
            place = genes.positions(symbols)
            raw = np.log((place["end"] - place["start"] + 1).cast(float).to_numpy())
        else:
            kind = dict(read("genes", ["symbol", "locus_type"]).iter_rows())
            known = [kind.get(symbol) for symbol in symbols]
            raw = np.array([np.nan if k is None else k == CODING for k in known], float)
        has = ~np.isnan(raw)
        values = np.zeros(len(raw))
        if has.any():
            spread = raw[has].std()
            values[has] = (raw[has] - raw[has].mean()) / (spread if spread > 0 else 1)
        self.values = values.astype(np.float32)

    def _score(self, members: sp.csr_array) -> Floats:
        return np.tile(self.values, (members.shape[0], 1))

    def _term_matrix(self, members: sp.csr_array, cache: Cache, progress: Progress) -> TermMatrix:
        return Constant(self.values.astype(np.float64), members)

    def _attribution(
        self, ids: Ids, gene: int, others: Mask, random_state: int
    ) -> tuple[float, Numbers]:
        return constant(self, ids, gene, others)

    def _embed_genes(self) -> Floats:
        return self.values[:, None]

    def _tensors(self) -> Tensors:
        return {"values": self.values}

    def _restore(self, tensors: Tensors) -> None:
        n = len(self.vocabulary)
        self.values = take(tensors, "values", n, kinds="f").astype(np.float32)
