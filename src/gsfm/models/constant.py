"""Families whose scores are the same for every set: counts and attributes of genes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import scipy.sparse as sp

from gsfm import genes
from gsfm.genes.tables import read
from gsfm.models.attribution import constant
from gsfm.models.base import Model
from gsfm.models.settings import Positive, Settings
from gsfm.models.storage import take
from gsfm.models.term_matrix import Standardized, TermMatrix, moments
from gsfm.models.types import Cache, Floats, Ids, Mask, Numbers, Parts, Progress, Tensors
from gsfm.sets import GeneSets

#: The locus type of a gene that codes for a protein, as HGNC calls it.
CODING = "gene with protein product"
#: The chromosomes that are not autosomes.
SEX_OR_MITOCHONDRIAL = ("X", "Y", "MT")


class ConstantModel(Model):
    """A number for each gene, which is its score for every set."""

    leaves_itself_out = True
    #: Name of the numbers in ``model.safetensors``.
    tensor: ClassVar[str] = "values"
    values: Floats  # (genes,)

    def _score(self, members: sp.csr_array) -> Floats:
        return np.broadcast_to(self.values, members.shape)

    def _term_matrix(self, members: sp.csr_array, cache: Cache, progress: Progress) -> TermMatrix:
        scores = self.values.astype(np.float64)
        powers = np.array([scores, scores**2])
        total = powers.sum(axis=1, keepdims=True)
        found = moments(members, total, (members @ powers.T).T)
        return Standardized(found, lambda gene, terms: scores[gene])

    def _attribution(self, ids: Ids, gene: int, others: Mask, random_state: int) -> Parts:
        return constant(self, ids, gene, others)

    def _embed_genes(self) -> Floats:
        return self.values[:, None]

    def _tensors(self) -> Tensors:
        return {self.tensor: self.values}

    def _restore(self, tensors: Tensors) -> None:
        values = take(tensors, self.tensor, len(self.vocabulary), kinds="f")
        self.values = values.astype(np.float32)


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
        known = raw[~np.isnan(raw)]
        if len(known):
            raw = (raw - known.mean()) / (known.std() or 1)
        self.values = np.nan_to_num(raw).astype(np.float32)
