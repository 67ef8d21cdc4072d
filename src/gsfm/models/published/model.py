"""The gene set foundation model of Clarke et al. 2026 (Patterns, 10.1016/j.patter.2026.101565).

A multi-layer perceptron whose target is the set itself, or the part of it that was hidden. The file
layout is the authors' own, so that their checkpoints load here and what is fitted here loads there.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.sparse as sp

from gsfm.genes import Vocabulary
from gsfm.models.base import StepwiseModel
from gsfm.models.settings import Count, Fraction, NonNegativeInt, Positive, Settings, require
from gsfm.models.storage import take, vocab_lines
from gsfm.models.types import Floats, Tensors
from gsfm.sets import GeneSets

#: The tokens before the genes: for unknown words, and to fill up batches.
SPECIAL = ("<unk>", "<pad>")
PAD = 1


@dataclass(frozen=True)
class PublishedConfig(Settings):
    """Settings of `Published`; the first six are the authors', with their names.

    The defaults are those of the weights that they released.
    """

    vocab_size: NonNegativeInt = 0  # genes and the two special tokens; `fit` sets it
    d_model: Count = 256  # width of the middle layer, the vector of a set
    depth: Count = 2  # linear layers of the encoder, and of the decoder
    dropout: Fraction = 0.2  # share of hidden units that are 0 in training
    partition: Fraction = 0.0  # share of a set that is hidden in training; 0 hides nothing
    weighted_loss: Literal["none", "unseen", "balance"] | None = "none"  # see `Published`
    epochs: Count = 50  # passes over the corpus
    batch_size: Count = 128  # sets in a step
    learning_rate: Positive = 1e-3  # of Adam; multiplied by 1/4 after 10 passes without a gain

    def __post_init__(self) -> None:
        super().__post_init__()
        # The widest layer has d_model x 2^(depth - 1) units.
        require(self.depth <= 16, "depth must be 1 to 16")
        unseen = self.partition > 0 or self.weighted_loss != "unseen"
        require(unseen, "weighted_loss 'unseen' needs a partition above 0")


class Published(StepwiseModel):
    r"""The denoising autoencoder of Clarke et al. 2026; scores are logits.

    Layers of :math:`W x + b` with ReLU (and dropout in training) between them, none after the last
    of the encoder and of the decoder. With :math:`d` for ``d_model`` the widths are

    - encoder: V, d 2^(depth-1), ..., 2d, d
    - decoder: d, d, 2d, ..., d 2^(depth-2), V

    where V counts the genes and the tokens ``<unk>`` and ``<pad>``. The input is multi-hot. A gene
    that is not in the vocabulary is left out (`unknown` names it), never fed as ``<unk>``, and the
    scores have no columns for the two tokens.

    Training hides a random share `partition` of each set's genes, anew in every pass, and minimizes
    the binary cross-entropy of the hidden ones against all tokens. With ``partition = 0`` nothing
    is hidden: all genes of the set are both input and target; dropout alone is the noise.
    `weighted_loss`:

    - ``"none"`` (or null): every gene has the weight 1;
    - ``"balance"``: a positive has the weight (sets seen without the gene) / (sets seen with it),
      running counts that start at 1;
    - ``"unseen"``: positives that were shown have the weight 0. As a gene that was shown is never a
      positive, this is the same as ``"none"``.

    Examples
    --------
    >>> from gsfm.sets import GeneSets
    >>> corpus = GeneSets.from_lists([["A", "B", "C"], ["X", "Y", "Z"]] * 8)
    >>> model = Published(d_model=8, depth=1, dropout=0.0, partition=0.4, learning_rate=0.05)
    >>> scores = model.fit(corpus).score([["A", "B"]])
    >>> model.vocabulary[int(scores[0, 2:].argmax()) + 2]
    'C'
    """

    family = "published"
    description = "Denoising autoencoder on multi-hot sets; reads the published checkpoints"
    paper = "Clarke et al., Patterns 2026, doi:10.1016/j.patter.2026.101565"
    Config = PublishedConfig
    config: PublishedConfig
    learner = ("gsfm.models.published.fit", "PublishedLearner")

    #: (weight, bias) of each layer; weights are (in, out) in the encoder's first layer, whose
    #: rows are summed for the genes of a set, and (out, in) elsewhere.
    encoder: list[tuple[Floats, Floats]]
    decoder: list[tuple[Floats, Floats]]
    #: (V,) running counts of `weighted_loss` "balance"; the authors call the tensor ``bias``.
    counts: Floats | None = None

    def widths(self) -> tuple[list[int], list[int]]:
        """Widths of the encoder and of the decoder, from input to output."""
        c = self.config
        encoder = [c.d_model * 2**i for i in reversed(range(1, c.depth))]
        decoder = [c.d_model * 2**i for i in range(c.depth - 1)]
        return [c.vocab_size, *encoder, c.d_model], [c.d_model, *decoder, c.vocab_size]

    def _fit(self, sets: GeneSets, weights: Floats, random_state: int) -> None:
        self.config = dataclasses.replace(self.config, vocab_size=sets.n_genes + len(SPECIAL))
        super()._fit(sets, weights, random_state)

    def _embed_sets(self, members: sp.csr_array) -> Floats:
        weight, bias = self.encoder[0]
        # A product with a multi-hot vector is a sum of rows.
        x: Floats = members @ weight[len(SPECIAL) :] + bias  # (n, width)
        for weight, bias in self.encoder[1:]:
            np.maximum(x, 0, out=x)
            x = x @ weight.T + bias
        return x  # (n, d_model)

    def _score(self, members: sp.csr_array) -> Floats:
        x = self._embed_sets(members)
        for i, (weight, bias) in enumerate(self.decoder):
            if i:
                np.maximum(x, 0, out=x)
            x = x @ weight.T + bias
        return x[:, len(SPECIAL) :]

    def _embed_genes(self) -> Floats:
        # A gene's vector is that of the set of that gene alone.
        return self._embed_sets(sp.eye_array(len(self.vocabulary), dtype=np.float32, format="csr"))

    def _read_vocab(self, text: str) -> Vocabulary:
        lines = vocab_lines(text)
        special = tuple(lines[: len(SPECIAL)]) == SPECIAL
        require(special, f"the first two lines must be {SPECIAL[0]} and {SPECIAL[1]}")
        n = self.config.vocab_size
        require(len(lines) == n, f"{len(lines)} lines, but config.json has vocab_size {n}")
        return Vocabulary(lines[len(SPECIAL) :])

    def _vocab_lines(self) -> Sequence[str]:
        return [*SPECIAL, *self.vocabulary]

    def _tensors(self) -> Tensors:
        out: Tensors = {}
        first, bias = self.encoder[0]
        encoder = [(first.T, bias), *self.encoder[1:]]
        for name, layers in (("encoder", encoder), ("decoder", self.decoder)):
            for i, (weight, bias) in enumerate(layers):
                out[f"{name}.layers.{3 * i}.weight"] = weight
                out[f"{name}.layers.{3 * i}.bias"] = bias
        if self.counts is not None:
            out["bias"] = self.counts
        return out

    def _restore(self, tensors: Tensors) -> None:
        whole = self.config.vocab_size == len(self.vocabulary) + len(SPECIAL)
        require(whole, f"vocab_size is not the number of genes and {len(SPECIAL)}")

        def stack(name: str, widths: list[int]) -> list[tuple[Floats, Floats]]:
            layers = []
            for i, (a, b) in enumerate(itertools.pairwise(widths)):
                # Linear layer, activation and dropout alternate: the linear ones are 0, 3, 6, ...
                weight = take(tensors, f"{name}.layers.{3 * i}.weight", b, a, kinds="f")
                bias = take(tensors, f"{name}.layers.{3 * i}.bias", b, kinds="f")
                layers.append((weight.astype(np.float32), bias.astype(np.float32)))
            return layers

        encoder, decoder = self.widths()
        (weight, bias), *rest = stack("encoder", encoder)
        self.encoder = [(np.ascontiguousarray(weight.T), bias), *rest]
        self.decoder = stack("decoder", decoder)
        if self.config.weighted_loss == "balance":
            self.counts = take(tensors, "bias", encoder[0], kinds="f").astype(np.float32)
