"""The set autoencoder: sparse input, random hold-out, multinomial likelihood.

A set is the normalized sum of its genes' input vectors, passed through one residual block; every
gene is then scored by the product with its output vector. It is trained to give the hidden part of
a set a high probability among all genes that it was not shown, with the multinomial likelihood of
Liang et al. 2018 (10.1145/3178876.3186150), or to give each gene the probability of being a member
(`loss`). No dense multi-hot vector is ever made.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gsfm.models.autoencoder.attribution import integrated_gradients
from gsfm.models.autoencoder.layers import gelu, layer_norm
from gsfm.models.autoencoder.terms import Vectors
from gsfm.models.evidence import left_out, standardize
from gsfm.models.membership import slices
from gsfm.models.settings import (
    AtLeast2,
    Count,
    Fraction,
    NonNegative,
    Positive,
    Settings,
    require,
)
from gsfm.models.stepwise import StepwiseModel
from gsfm.models.storage import take
from gsfm.models.term_matrix import TermMatrix
from gsfm.models.types import Cache, Floats, Ids, Mask, Numbers, Parts, Progress, Tensors
from gsfm.sets import GeneSets

#: The largest integer, on either side of 0, of each `storage` that uses integers.
STEPS = {"int8": 127, "int4": 7}
#: Rows of a table that are unpacked at once.
ROWS = 1024


@dataclass(frozen=True)
class AutoencoderConfig(Settings):
    """Settings of `Autoencoder`: its shape, then how it is trained."""

    dimensions: Count = 512  # length of a gene's vector and of a set's vector
    hidden: Count = 1024  # width of the residual block
    tied: bool = False  # one table of gene vectors for input and output
    #: How tables are stored; int8 and int4 with a scale for each row.
    storage: Literal["float32", "float16", "int8", "int4"] = "float16"
    epochs: Positive = 16.0  # passes: sets drawn in training / sets in the corpus
    batch_size: Count = 1024  # sets in a step
    learning_rate: Positive = 3e-3  # peak; warms up, and falls as a cosine if nothing is averaged
    average: Fraction = 0.25  # share of the steps, the last, that the weights are a mean over
    weight_decay: NonNegative = 0.0  # of the gene tables (AdamW)
    dropout: Fraction = 0.0  # on the pooled set vector
    input_low: float = 0.1  # smallest share of a set that is shown; the rest is the target
    input_high: float = 0.9  # largest share of a set that is shown
    targets: Literal["hidden", "all"] = "hidden"  # which genes are targets; all: shown ones, too
    #: Multinomial: which of all genes is the next member. Logistic: is this gene a member.
    loss: Literal["multinomial", "logistic"] = "multinomial"
    max_members: AtLeast2 = 512  # larger sets are subsampled, anew in every pass
    size_exponent: NonNegative = 0.0  # a set of size s is drawn in proportion to weight / s ** this

    def __post_init__(self) -> None:
        super().__post_init__()
        shares = 0 < self.input_low <= self.input_high < 1
        require(shares, "0 < input_low <= input_high < 1 must hold")
        # The logistic loss has no candidates: a shown gene that is no target would be a negative.
        whole = self.loss == "multinomial" or self.targets == "all"
        require(whole, "the logistic loss is over all members: it needs targets='all'")


class Autoencoder(StepwiseModel):
    """The set autoencoder.

    Examples
    --------
    >>> from gsfm.sets import GeneSets
    >>> corpus = GeneSets.from_lists([["A", "B", "C"], ["X", "Y", "Z"]] * 8)
    >>> model = Autoencoder(dimensions=8, hidden=8, epochs=50, batch_size=16)
    >>> scores = model.fit(corpus).score([["A", "B"]])
    >>> model.vocabulary[int(scores[0, 2:].argmax()) + 2]
    'C'
    """

    family = "autoencoder"
    description = "Sparse-input autoencoder with random hold-out and multinomial likelihood"
    paper = "Liang et al., WWW 2018, doi:10.1145/3178876.3186150"
    Config = AutoencoderConfig
    learner = ("gsfm.models.autoencoder.fit", "AutoencoderLearner")
    can_distribute = True
    skips_weightless = True
    config: AutoencoderConfig

    input_vectors: Floats  # (genes, d)
    output_vectors: Floats  # (genes, d); the same array as input_vectors if tied
    output_bias: Floats  # (genes,)
    block: dict[str, Floats]  # the residual block's small tensors, see `shapes`
    gene_sums: tuple[Numbers, Numbers] | None = None  # see `sums_over_genes`

    def _fit(self, sets: GeneSets, weights: Floats, random_state: int) -> None:
        super()._fit(sets, weights, random_state)
        # Rounded as they are stored, so that the fitted model is the same as the loaded one.
        self._restore(self._tensors())

    @staticmethod
    def shapes(config: AutoencoderConfig) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the residual block's tensors."""
        d, hidden = config.dimensions, config.hidden
        weights = {"norm_in": (d,), "up": (hidden, d), "down": (d, hidden), "norm_out": (d,)}
        out: dict[str, tuple[int, ...]] = {}
        for name, shape in weights.items():
            out |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
        return out

    # -- scoring ---------------------------------------------------------------------------------

    def _embed_sets(self, members: sp.csr_array) -> Floats:
        b = self.block
        sizes = np.maximum(np.diff(members.indptr), 1).astype(np.float32)
        x = members @ self.input_vectors / np.sqrt(sizes)[:, None]  # (n, d)
        x = layer_norm(x, b["norm_in.weight"], b["norm_in.bias"])
        up = gelu(x @ b["up.weight"].T + b["up.bias"])  # (n, hidden)
        x = x + up @ b["down.weight"].T + b["down.bias"]
        return layer_norm(x, b["norm_out.weight"], b["norm_out.bias"])

    def _score(self, members: sp.csr_array) -> Floats:
        # The logits: log-probabilities of being the next member, up to a constant for each set; or,
        # with the logistic loss, log-odds of being a member.
        scores: Floats = self._embed_sets(members) @ self.output_vectors.T  # (n, genes)
        scores += self.output_bias
        return scores

    def _score_and_evidence(self, members: sp.csr_array) -> tuple[Floats, Floats, Floats]:
        # As in `Model`, but without the scores of all genes for each fold: their mean and spread
        # follow from the mean and the Gram matrix of the output vectors.
        scores = self._score(members)
        of_genes = standardize(scores, members)
        rest, at = left_out(members)
        n = len(scores)
        vectors = self._embed_sets(rest)  # (folds n, d)
        total, squares = self.score_moments(vectors)
        others = np.maximum(len(self.output_bias) - np.diff(rest.indptr), 1)
        left = np.zeros(len(at))
        # Set by set: all its folds need the scores of the same few genes.
        for u in range(n):
            of_set = slice(members.indptr[u], members.indptr[u + 1])
            genes, out = members.indices[of_set], at[of_set]
            own = vectors[u::n] @ self.output_vectors[genes].T + self.output_bias[genes]
            own = own.astype(np.float64)  # (folds, genes of the set)
            left[of_set] = own[out // n, np.arange(len(genes))]
            if len(genes) > 1:  # a single gene stays in its set
                own[out // n, np.arange(len(genes))] = 0
            total[u::n] -= own.sum(axis=1)
            squares[u::n] -= np.einsum("fg,fg->f", own, own)
        mean = total / others
        spread = np.sqrt(np.maximum(squares / others - mean**2, 0))[at]
        of_members = np.divide(left - mean[at], spread, out=np.zeros_like(left), where=spread > 0)
        return scores, of_genes, of_members.astype(np.float32)

    def score_moments(self, vectors: Floats) -> tuple[Numbers, Numbers]:
        """(n,) sums of the scores of all genes, and of their squares, for (n, d) set vectors."""
        total, gram = self.sums_over_genes()
        with_one = np.column_stack([vectors, np.ones(len(vectors))]).astype(np.float64)
        return with_one @ total, np.einsum("nd,nd->n", with_one @ gram, with_one)

    def sums_over_genes(self) -> tuple[Numbers, Numbers]:
        """Sum (d + 1,) and Gram matrix (d + 1, d + 1) of the output vectors and their biases."""
        if self.gene_sums is None:
            table = np.column_stack([self.output_vectors, self.output_bias])
            # The product in single precision: it takes most of the time of the first call.
            gram = (table.T @ table).astype(np.float64)
            self.gene_sums = table.sum(axis=0, dtype=np.float64), gram
        return self.gene_sums

    def _embed_genes(self) -> Floats:
        return self.output_vectors

    def _term_matrix(self, members: sp.csr_array, cache: Cache, progress: Progress) -> TermMatrix:
        return Vectors(self, members, cache, progress)

    def _attribution(self, ids: Ids, gene: int, others: Mask, random_state: int) -> Parts:
        return integrated_gradients(self, ids, gene, others)

    @property
    def n_parameters(self) -> int:
        """Numbers stored in the model, of which two may share a byte."""
        n, d = len(self.vocabulary), self.config.dimensions
        return sum(n * d if t.dtype == np.uint8 else t.size for t in self._tensors().values())

    def _fingerprint_arrays(self) -> Iterable[NDArray[Any]]:
        # A part of the vectors is enough to tell two fits apart.
        return self.output_bias, self.output_vectors[::64]

    # -- files -----------------------------------------------------------------------------------

    def _tensors(self) -> Tensors:
        # The block is small compared with the tables: eight bits would save little more.
        width = np.float32 if self.config.storage == "float32" else np.float16
        out: Tensors = {name: tensor.astype(width) for name, tensor in self.block.items()}
        out["output_bias"] = self.output_bias
        tables = {"input_vectors": self.input_vectors}
        if not self.config.tied:
            tables["output_vectors"] = self.output_vectors
        for name, table in tables.items():
            if self.config.storage in STEPS:
                steps = STEPS[self.config.storage]
                scale = _short(np.abs(table).max(axis=1, keepdims=True) / steps)
                whole = np.rint(table / scale).astype(np.int8)
                out[name] = _two_a_byte(whole) if self.config.storage == "int4" else whole
                out[f"{name}.scale"] = scale[:, 0].astype(np.float32)
            else:
                out[name] = table.astype(self.config.storage)
        return out

    def _restore(self, tensors: Tensors) -> None:
        n, d = len(self.vocabulary), self.config.dimensions
        self.gene_sums = None
        self.output_bias = take(tensors, "output_bias", n).astype(np.float32)
        self.block = {
            name: take(tensors, name, *shape).astype(np.float32)
            for name, shape in self.shapes(self.config).items()
        }

        def table(name: str) -> Floats:
            packed = self.config.storage == "int4"
            stored = take(tensors, name, n, (d + 1) // 2 if packed else d)
            bytes_ = not packed or stored.dtype == np.uint8
            require(bytes_, f"a table of int4 must be of bytes (U8), not {stored.dtype}")
            whole = packed or stored.dtype == np.int8
            scale = take(tensors, f"{name}.scale", n).astype(np.float32) if whole else None
            values = np.empty((n, d), np.float32)
            # Some rows at a time: allocating memory takes longer than the arithmetic.
            for rows in slices(n, ROWS):
                values[rows] = _one_a_byte(stored[rows], d) if packed else stored[rows]
                if scale is not None:
                    values[rows] *= scale[rows, None]
            return values

        self.input_vectors = table("input_vectors")
        self.output_vectors = self.input_vectors if self.config.tied else table("output_vectors")


def _two_a_byte(whole: NDArray[np.int8]) -> NDArray[np.uint8]:
    """Pack (n, d) numbers of -7 to 7 as (n, ceil(d / 2)) bytes: 8 more, the first in the low bits.

    Examples
    --------
    >>> _two_a_byte(np.array([[-7, 7, 0]], np.int8)).tolist()
    [[241, 136]]
    """
    nibbles = (np.pad(whole, ((0, 0), (0, whole.shape[1] % 2))) + 8).astype(np.uint8)
    return np.asarray(nibbles[:, ::2] | nibbles[:, 1::2] << 4, np.uint8)


def _one_a_byte(packed: NDArray[Any], d: int) -> NDArray[np.int8]:
    """Undo `_two_a_byte`."""
    nibbles = np.stack([packed & 15, packed >> 4], axis=2).reshape(len(packed), -1)
    return nibbles[:, :d].astype(np.int8) - np.int8(8)


def _short(scale: Floats) -> Floats:
    """Round up to 11 significant bits: 127 times that is exact, so that storing twice is too."""
    mantissa, exponent = np.frexp(scale)
    short = np.ldexp(np.ceil(mantissa * 2048) / 2048, exponent)
    return np.where(scale == 0, 1, short).astype(np.float32)
