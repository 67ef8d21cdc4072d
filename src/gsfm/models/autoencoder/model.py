"""The set autoencoder: sparse input, random hold-out, multinomial likelihood.

A set is the normalized sum of its genes' input vectors, passed through one residual block; every
gene is then scored by the product with its output vector. The loss is the multinomial likelihood of
Liang et al. 2018 (10.1145/3178876.3186150) of the hidden genes of a set, or logistic.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gsfm.completion.batches import batches
from gsfm.models.attribution import TOLERANCE, contrast
from gsfm.models.base import StepwiseModel
from gsfm.models.evidence import left_out, standardize
from gsfm.models.membership import row_blocks
from gsfm.models.settings import AtLeast2, Count, Fraction, NonNegative, Positive, Settings, require
from gsfm.models.storage import take
from gsfm.models.term_matrix import BLOCK, TermMatrix, cached, moments, standard, without
from gsfm.models.types import Cache, Floats, Ids, Mask, Numbers, Parts, Progress, Tensors
from gsfm.sets import GeneSets

#: The largest integer, on either side of 0, of each `storage` that uses integers.
STEPS = {"int8": 127, "int4": 7}
#: Rows of a table that are unpacked at once.
ROWS = 1024
#: Added to a variance before the square root, as torch.nn.LayerNorm does.
LAYER_NORM_EPSILON = 1e-5
#: Points of the integral along the path; doubled up to `MOST_NODES` until the parts add up.
NODES, MOST_NODES = 32, 512


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

    def _embed_sets(self, members: sp.csr_array) -> Floats:
        b = self.block
        sizes = np.maximum(np.diff(members.indptr), 1).astype(np.float32)
        x = members @ self.input_vectors / np.sqrt(sizes)[:, None]  # (n, d)
        x = _layer_norm(x, b["norm_in.weight"], b["norm_in.bias"])
        up = _gelu(x @ b["up.weight"].T + b["up.bias"])  # (n, hidden)
        x = x + up @ b["down.weight"].T + b["down.bias"]
        return _layer_norm(x, b["norm_out.weight"], b["norm_out.bias"])

    def _score(self, members: sp.csr_array) -> Floats:
        # The logits: log-probabilities of being the next member, up to a constant for each set; or,
        # with the logistic loss, log-odds of being a member.
        scores: Floats = self._embed_sets(members) @ self.output_vectors.T  # (n, genes)
        scores += self.output_bias
        return scores

    def _score_and_evidence(self, members: sp.csr_array) -> tuple[Floats, Floats, Floats]:
        # As in `Model`, but the mean and the spread of a fold's scores follow from the mean and the
        # Gram matrix of the output vectors.
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
        return _Vectors(self, members, cache, progress)

    def _attribution(self, ids: Ids, gene: int, others: Mask, random_state: int) -> Parts:
        return _integrated_gradients(self, ids, gene, others)

    @property
    def n_parameters(self) -> int:
        """Numbers stored in the model, of which two may share a byte."""
        n, d = len(self.vocabulary), self.config.dimensions
        return sum(n * d if t.dtype == np.uint8 else t.size for t in self._tensors().values())

    def _fingerprint_arrays(self) -> Iterable[NDArray[Any]]:
        # Not as they are stored: to quantize them takes longer.
        tables = (
            (self.input_vectors,) if self.config.tied else (self.input_vectors, self.output_vectors)
        )
        return *self.block.values(), self.output_bias, *tables

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
            for rows in batches(n, ROWS):
                values[rows] = _one_a_byte(stored[rows], d) if packed else stored[rows]
                if scale is not None:
                    values[rows] *= scale[rows, None]
            return values

        self.input_vectors = table("input_vectors")
        self.output_vectors = self.input_vectors if self.config.tied else table("output_vectors")


def _layer_norm(x: Floats, weight: Floats, bias: Floats) -> Floats:
    """Normalize each row, as ``torch.nn.LayerNorm`` does."""
    x = x - x.mean(axis=1, keepdims=True)
    x /= np.sqrt((x * x).mean(axis=1, keepdims=True) + LAYER_NORM_EPSILON)
    x *= weight
    x += bias
    return x


def _gelu(x: Floats) -> Floats:
    """The Gaussian error linear unit, in its tanh form (Hendrycks & Gimpel, arXiv:1606.08415)."""
    cube = x * x * x  # many times faster than **
    inner = np.float32(np.sqrt(2 / np.pi)) * (x + np.float32(0.044715) * cube)
    out: Floats = np.float32(0.5) * x * (1 + np.tanh(inner))
    return out


def _gelu_and_slope(x: Numbers) -> tuple[Numbers, Numbers]:
    """`_gelu` and its derivative."""
    c = np.sqrt(2 / np.pi)
    t = np.tanh(c * (x + 0.044715 * x**3))
    slope = 0.5 * (1 + t) + 0.5 * x * (1 - t**2) * c * (1 + 3 * 0.044715 * x**2)
    return 0.5 * x * (1 + t), slope


class _Vectors(TermMatrix):
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
        gram = gram.astype(np.float32)  # as it was computed
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
        for rows, block in row_blocks(members, BLOCK, progress):
            vectors[rows] = model.embed_sets(block)
            for i in range(n)[rows]:
                genes = members.indices[members.indptr[i] : members.indptr[i + 1]]
                scores = model.output_vectors[genes] @ vectors[i] + model.output_bias[genes]
                own[:, i] = scores.sum(), scores @ scores
        return vectors, moments(members, np.array(model.score_moments(vectors)), own)


def _integrated_gradients(model: Autoencoder, ids: Ids, gene: int, others: Mask) -> Parts:
    """Integrated gradients (Sundararajan et al. 2017, arXiv:1703.01365); see `Model._attribution`.

    The path is a straight line in the output of the first layer norm: from its bias, which is its
    output for an empty set, to its output for the set. That output is a sum over the genes (each
    vector less its mean, over the norm's spread), and so is the integral.
    """
    b = {name: tensor.astype(np.float64) for name, tensor in model.block.items()}
    out = model.output_vectors.astype(np.float64)
    against = contrast(gene, others)
    target = b["norm_out.weight"] * (against @ out)  # (d,)
    constant = float(against @ model.output_bias + against @ out @ b["norm_out.bias"])

    centered = model.input_vectors[ids].astype(np.float64)
    centered = (centered - centered.mean(axis=1, keepdims=True)) / np.sqrt(max(len(ids), 1))
    whole = centered.sum(axis=0)
    spread = np.sqrt((whole**2).mean() + LAYER_NORM_EPSILON)
    steps = centered / spread * b["norm_in.weight"]  # (n, d); their sum is the whole path

    def at(points: Numbers) -> tuple[Numbers, Numbers]:
        """(k,) the score at points of the path, and (k, d) its gradient in the block's input."""
        x = points[:, None] * steps.sum(axis=0) + b["norm_in.bias"]
        up = x @ b["up.weight"].T + b["up.bias"]
        active, slope = _gelu_and_slope(up)
        y = x + active @ b["down.weight"].T + b["down.bias"]
        y -= y.mean(axis=1, keepdims=True)
        length = np.sqrt((y**2).mean(axis=1, keepdims=True) + LAYER_NORM_EPSILON)
        y /= length
        # Backwards: through the norm, then through the block and its residual connection.
        back = target - target.mean() - y * (y * target).mean(axis=1, keepdims=True)
        back /= length
        back += ((back @ b["down.weight"]) * slope) @ b["up.weight"]
        return y @ target + constant, back

    base, end = at(np.array([0.0, 1.0]))[0]
    nodes = NODES
    while True:
        points, lengths = np.polynomial.legendre.leggauss(nodes)
        gradients = at((points + 1) / 2)[1]
        of_genes = np.asarray(steps @ (lengths / 2 @ gradients), np.float64)
        error = abs(of_genes.sum() - (end - base))
        if error <= TOLERANCE / 10 * max(1.0, abs(end - base)) or nodes >= MOST_NODES:
            return float(base), of_genes
        nodes *= 2


def _two_a_byte(whole: NDArray[np.int8]) -> NDArray[np.uint8]:
    """Pack (n, d) numbers of -7 to 7 as (n, ceil(d / 2)) bytes: 8 more, the first in the low bits.

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
