"""Fitting the autoencoder, by one process or several."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from gsfm.errors import require
from gsfm.models.autoencoder.model import LAYER_NORM_EPSILON, AutoencoderConfig
from gsfm.sets import GeneSets
from gsfm.sets.csr import chunks
from gsfm.training.batches import Batch, HoldOutBatches
from gsfm.training.loop import Learner
from gsfm.training.loss import hidden_gene_loss, logistic_loss

WARM_UP = 50  # steps, or a twentieth of a short run
FINAL_SHARE = 0.02  # of the peak learning rate, at the end of the cosine
AVERAGING_INTERVAL = 4  # steps: the parameters change little in between


class Network(nn.Module):
    """The autoencoder as a torch module: the same tensors, under the same names.

    `dtype` is the precision of the matrix products; the parameters themselves are float32.
    """

    def __init__(self, n_genes: int, config: AutoencoderConfig, dtype: torch.dtype) -> None:
        super().__init__()
        d, hidden = config.dimensions, config.hidden
        self.config, self.dtype = config, dtype
        self.input_vectors = nn.Parameter(torch.randn(n_genes, d) * d**-0.5)
        if not config.tied:
            self.output_vectors = nn.Parameter(torch.randn(n_genes, d) * 0.02)
        self.output_bias = nn.Parameter(torch.zeros(n_genes))
        self.norm_in = nn.LayerNorm(d, eps=LAYER_NORM_EPSILON)
        self.up = nn.Linear(d, hidden)
        self.down = nn.Linear(hidden, d)
        self.norm_out = nn.LayerNorm(d, eps=LAYER_NORM_EPSILON)
        with torch.no_grad():
            # The block starts close to the identity.
            self.down.weight.mul_(0.1)

    @property
    def table(self) -> Tensor:
        """(genes, d) output vectors."""
        return self.input_vectors if self.config.tied else self.output_vectors

    def forward(self, genes: Tensor, offsets: Tensor, dropout: Tensor | None = None) -> Tensor:
        """(n, d) set vectors, by gene ids and set starts; `dropout` are factors of the pooled."""
        ends = torch.cat([offsets[1:], offsets.new_tensor([len(genes)])])
        sizes = (ends - offsets).clamp(min=1).float()
        x = functional.embedding_bag(genes, self.input_vectors, offsets, mode="sum")
        x = self.norm_in(x / sizes.sqrt()[:, None])
        if dropout is not None:
            x = x * dropout
        half = self.dtype
        up = functional.linear(x.to(half), self.up.weight.to(half), self.up.bias.to(half))
        up = functional.gelu(up, approximate="tanh")
        down = functional.linear(up, self.down.weight.to(half), self.down.bias.to(half))
        out: Tensor = self.norm_out(x + down.float())
        return out


class AutoencoderLearner(Learner):
    """The parameters, batches and steps of an autoencoder.

    No array as long as the members is made, so that a mapped corpus may be larger than memory.
    Several processes give the model of one, except for rounding.
    """

    config: AutoencoderConfig

    def prepare(self) -> None:
        config, sets, weights = self.config, self.sets, self.weights
        sets.validate()
        count, size = self.processes.count, config.batch_size
        require(size >= count, f"batch_size {size} is too small for {count} processes")
        self.part = self.processes.part(config.batch_size)
        network = Network(sets.n_genes, config, self.dtype)
        drawn = weights / np.maximum(sets.sizes, 1) ** config.size_exponent
        self._batches = HoldOutBatches(
            sets,
            drawn,
            batch_size=config.batch_size,
            share=(config.input_low, config.input_high),
            max_members=config.max_members,
            random_state=self.random_state,
            part=self.part,
        )
        with torch.no_grad():
            # Start from the frequency of each gene, among the members or in the sets.
            counts = _expected_counts(sets, drawn)
            total = drawn.sum() if config.loss == "logistic" else counts.sum()
            frequency = (counts + 1e-6 * counts.sum() / sets.n_genes) / total
            network.output_bias.copy_(torch.from_numpy(np.log(frequency)))
        self.network = network.to(self.device)
        self.parameters = dict(network.named_parameters())
        # Only the tables, which have a row for each gene, decay.
        tables = [p for name, p in self.parameters.items() if name.endswith("put_vectors")]
        small = [p for name, p in self.parameters.items() if not name.endswith("put_vectors")]
        groups = [(tables, config.weight_decay), (small, 0.0)]
        self.optimizer = torch.optim.AdamW(
            [{"params": params, "weight_decay": decay} for params, decay in groups],
            lr=config.learning_rate,
            betas=(0.9, 0.99),
            fused=True,
        )
        n_sets = int(np.count_nonzero(weights))
        self.steps = max(1, int(np.ceil(config.epochs * n_sets / config.batch_size)))
        if config.average:
            self.averages = {name: p.detach().clone() for name, p in self.parameters.items()}
        self._vectors_of = self.processes.wrap(network)

    def batch(self, step: int) -> Batch:
        return self._batches(step)

    def step(self, step: int, batch: Batch) -> float:
        config, device = self.config, self.device
        for group in self.optimizer.param_groups:
            group["lr"] = config.learning_rate * _schedule(step, self.steps, bool(self.averages))
        shown, shown_rows, hidden, hidden_rows = self.tensors(batch)
        offsets = torch.searchsorted(shown_rows, torch.arange(batch.n, device=device))
        dropout = None
        if config.dropout:
            dropout = _dropout(config, self.seed_of(step))[self.part].to(device)
        vectors = self._vectors_of(shown, offsets, dropout)
        inputs, targets = (shown_rows, shown), (hidden_rows, hidden)
        if config.targets == "all":
            targets = torch.cat([shown_rows, hidden_rows]), torch.cat([shown, hidden])
            inputs = shown_rows[:0], shown[:0]  # a shown gene is a candidate, too
        layer = self.network.table, self.network.output_bias
        if config.loss == "logistic":
            weights = torch.ones(batch.n, device=device)
            loss = logistic_loss(vectors, *layer, targets, weights, None, self.dtype)
        else:
            loss = hidden_gene_loss(vectors, *layer, inputs, targets, self.dtype)
        self.optimizer.zero_grad(set_to_none=True)
        # The processes' gradients are averaged; their parts may differ by one set.
        share: float = (self.part.stop - self.part.start) / config.batch_size
        self.processes.backward(loss * (share * self.processes.count))
        self.optimizer.step()
        if self.averages and (step % AVERAGING_INTERVAL == 0 or step == self.steps):
            weight = AVERAGING_INTERVAL / (config.average * step)
            _update_averages(self.parameters, self.averages, weight)
        return float(loss.item()) * share

    def sets_seen(self, step: int) -> int:
        return step * self.config.batch_size

    def hand_over(self) -> None:
        parameters = self.averages or self.parameters
        arrays = {name: p.detach().cpu().numpy() for name, p in parameters.items()}
        model = self.model
        model.input_vectors = arrays.pop("input_vectors")
        model.output_vectors = arrays.pop("output_vectors", model.input_vectors)
        model.output_bias = arrays.pop("output_bias")
        model.block = arrays
        model.gene_sums = None  # those of the vectors before


def _expected_counts(sets: GeneSets, drawn: NDArray[np.floating]) -> NDArray[np.float64]:
    """(genes,) how often each gene is drawn, if the sets are drawn as often as `drawn` says."""
    counts = np.zeros(sets.n_genes)
    for first, last in chunks(sets.indptr):
        indptr = sets.indptr[first : last + 1]
        times = np.repeat(drawn[first:last], np.diff(indptr))
        np.add.at(counts, sets.indices[indptr[0] : indptr[-1]], times)
    return counts


def _dropout(config: AutoencoderConfig, seed: int) -> Tensor:
    """(batch_size, d) 0 with probability `config.dropout`, else the factor that keeps the mean."""
    kept = 1 - config.dropout
    generator = torch.Generator().manual_seed(seed)
    out = torch.empty(config.batch_size, config.dimensions)
    return out.bernoulli_(kept, generator=generator).div_(kept)


def _schedule(step: int, steps: int, averaged: bool) -> float:
    """Share of the peak learning rate: a linear warm-up, then a cosine; the peak, if averaged."""
    warm = min(1.0, step / max(1, min(WARM_UP, steps // 20)))
    if averaged:
        return warm
    return warm * max(FINAL_SHARE, 0.5 * (1 + float(np.cos(np.pi * step / steps))))


def _update_averages(
    parameters: Mapping[str, Tensor], averages: Mapping[str, Tensor], weight: float
) -> None:
    """Move the running averages towards the parameters (Shamir and Zhang, ICML 2013).

    With a weight of 1 / (share * step) they are over about the last `share` of the steps.
    """
    for name, p in parameters.items():
        averages[name].lerp_(p.detach(), min(1.0, weight))
