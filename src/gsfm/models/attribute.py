"""Attribute: a number that each gene has, whatever the set.

Long genes are hit by more variants, few associations are reported on the X chromosome, and a screen
cannot find genes that it does not cover. Alone such a number predicts little. In a model that
weighs its evidence by the set (`Adaptive`), it corrects the other evidence where the genes of a set
show that it matters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from gsfm import genes
from gsfm.genes.tables import read
from gsfm.models.constant import ConstantModel
from gsfm.models.settings import Settings
from gsfm.models.types import Floats
from gsfm.sets import GeneSets

#: The locus type of a gene that codes for a protein, as HGNC calls it.
CODING = "gene with protein product"
#: The chromosomes that are not autosomes.
SEX_OR_MITOCHONDRIAL = ("X", "Y", "MT")


@dataclass(frozen=True)
class AttributeConfig(Settings):
    """Settings of `Attribute`."""

    #: Log of the gene's extent; whether it codes for a protein; whether it is on an autosome.
    of: Literal["length", "coding", "autosomal"] = "length"


class Attribute(ConstantModel):
    """A number of each gene, the same for every set: its length, its kind, or its place.

    The numbers come from the bundled gene table; only the vocabulary of the corpus is used. They
    are standardized over the vocabulary. A gene that is not in the table has 0, the mean.

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

    def _fit(self, sets: GeneSets, weights: Floats, random_state: int) -> None:
        symbols = sets.vocabulary.symbols
        if self.config.of == "autosomal":
            autosome = genes.positions(symbols)["chromosome"].is_in(SEX_OR_MITOCHONDRIAL).not_()
            raw = autosome.cast(float).to_numpy()
        elif self.config.of == "length":
            place = genes.positions(symbols)
            raw = np.log((place["end"] - place["start"] + 1).cast(float).to_numpy())
        else:
            locus_types = dict(read("genes", ["symbol", "locus_type"]).iter_rows())
            found = [locus_types.get(symbol) for symbol in symbols]
            raw = np.array([np.nan if kind is None else kind == CODING for kind in found], float)
        has = ~np.isnan(raw)
        values = np.zeros(len(raw))
        if has.any():
            spread = raw[has].std()
            values[has] = (raw[has] - raw[has].mean()) / (spread if spread > 0 else 1)
        self.values = values.astype(np.float32)
