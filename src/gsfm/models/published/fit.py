"""Fitting the published architecture by the authors' recipe, on the cores of one machine.

Two costs are avoided: the product with a multi-hot vector (it is a sum of the rows of the shown
genes, with a gradient for these rows alone), and autograd's copies of the last layer.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from gsfm.models.published.model import PAD, SPECIAL, PublishedConfig
from gsfm.sets import GeneSets
from gsfm.training.batches import Batch, members_at_random
from gsfm.training.loop import Learner
from gsfm.training.loss import logistic_loss

#: Every so many steps, moments below this are set to 0. (A step reduces a moment by at most 10%.)
SWEEP, SMALLEST = 100, 1e-30
PATIENCE, FACTOR = 10, 0.25  # passes without a better loss, and the factor of the learning rate


class PublishedLearner(Learner):
    """The parameters, batches and steps of the published architecture."""

    config: PublishedConfig
    decimals = 6  # the loss is a mean over all tokens, and small

    def prepare(self) -> None:
        config, sets = self.config, self.sets
        self._weights = torch.from_numpy(self.weights)
        self._epoch, self._order = -1, np.empty(0, np.int64)
        self.watch_interval = -(-len(sets) // config.batch_size)  # steps of a pass
        self.steps = config.epochs * self.watch_interval
        pairs = itertools.chain.from_iterable(map(itertools.pairwise, self.model.widths()))
        layers = [torch.nn.Linear(a, b) for a, b in pairs]
        # (tokens, width): the rows of the shown genes are summed.
        self._table = torch.nn.Parameter(layers[0].weight.detach().T.contiguous())
        self._table.grad = self._gradient = torch.zeros_like(self._table)
        self._bias = layers[0].bias
        self._layers = layers[1:]
        self.parameters = {"first.weight": self._table, "first.bias": self._bias}
        for i, layer in enumerate(self._layers):
            self.parameters |= {f"{i}.weight": layer.weight, f"{i}.bias": layer.bias}
        self._counts = torch.ones(config.vocab_size)
        self._loss_sum = 0.0  # over the pass so far
        self.optimizer = torch.optim.Adam(
            self.parameters.values(), lr=config.learning_rate, fused=True
        )
        self._schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
            self.optimizer, "min", factor=FACTOR, patience=PATIENCE
        )

    def batch(self, step: int) -> tuple[NDArray[np.int64], Batch]:
        """Return the rows of the sets of a step, and their members."""
        size = self.config.batch_size
        epoch, at = divmod(step - 1, self.watch_interval)
        if epoch != self._epoch:
            rng = np.random.default_rng([self.random_state, epoch])
            self._epoch, self._order = epoch, rng.permutation(len(self.sets))
        rows = self._order[at * size : (at + 1) * size]
        rng = np.random.default_rng([self.random_state, epoch, at])
        return rows, draw(self.sets, rows, self.config.partition, rng)

    def step(self, step: int, batch: tuple[NDArray[np.int64], Batch]) -> float:
        config, (rows, drawn) = self.config, batch
        shown, shown_rows, hidden, hidden_rows = self.tensors(drawn)
        torch.manual_seed(self.seed_of(step - 1))
        positive = None
        if config.weighted_loss == "balance":
            self._counts += torch.bincount(hidden, minlength=config.vocab_size)
            self._counts[PAD] += drawn.n  # no set has this token: it counts the sets
            positive = (self._counts[PAD] - self._counts) / self._counts

        offsets = torch.searchsorted(shown_rows, torch.arange(drawn.n))
        with torch.no_grad():
            pooled = functional.embedding_bag(shown, self._table, offsets, mode="sum")
        pooled.requires_grad_()
        x = pooled + self._bias
        for i, layer in enumerate(self._layers, 1):
            if i != config.depth:  # the last layer of the encoder is linear
                x = functional.dropout(x.relu(), config.dropout)
            if i < len(self._layers):
                x = layer(x)
        last, weights = self._layers[-1], self._weights[torch.from_numpy(rows)]
        targets = hidden_rows, hidden
        loss = logistic_loss(x, last.weight, last.bias, targets, weights, positive, self.dtype)
        self.processes.backward(loss)
        assert pooled.grad is not None
        # The gradient of a token is the sum over the sets that show it.
        by_token = torch.argsort(shown, stable=True)
        tokens, times = torch.unique_consecutive(shown[by_token], return_counts=True)
        begin = times.cumsum(0) - times
        sums = functional.embedding_bag(shown_rows[by_token], pooled.grad, begin, mode="sum")
        self._gradient.index_copy_(0, tokens, sums)
        self.optimizer.step()
        self._gradient.index_fill_(0, tokens, 0)
        if (step - 1) % SWEEP == 0:
            sweep(self.optimizer)
        for parameter in list(self.parameters.values())[1:]:  # all but the table
            parameter.grad = None
        self._loss_sum += (value := loss.item())
        if step % self.watch_interval == 0:
            self._schedule.step(self._loss_sum / self.watch_interval)
            self._loss_sum = 0.0
        return value

    def sets_seen(self, step: int) -> int:
        epoch, at = divmod(step - 1, self.watch_interval)
        n = len(self.sets)
        return epoch * n + min((at + 1) * self.config.batch_size, n)

    def hand_over(self) -> None:
        model, depth = self.model, self.config.depth
        # Weights and biases alternate.
        flat = [parameter.detach().numpy() for parameter in self.parameters.values()]
        arrays = list(zip(flat[::2], flat[1::2], strict=True))
        model.encoder, model.decoder = arrays[:depth], arrays[depth:]
        balance = self.config.weighted_loss == "balance"
        model.counts = self._counts.numpy().copy() if balance else None

    def state(self) -> dict[str, Any]:
        return {
            "loss_sum": self._loss_sum,
            "counts": self._counts.tolist(),
            "schedule": self._schedule.state_dict(),
            "learning_rate": self.optimizer.param_groups[0]["lr"],
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._loss_sum = state["loss_sum"]
        self._counts = torch.tensor(state["counts"])
        self._schedule.load_state_dict(state["schedule"])
        for group in self.optimizer.param_groups:
            group["lr"] = state["learning_rate"]


def sweep(optimizer: torch.optim.Optimizer) -> None:
    """Set moments to 0 before they become subnormal numbers, on which a processor is slow."""
    for state in optimizer.state.values():
        for moment in (state["exp_avg"], state["exp_avg_sq"]):
            moment.masked_fill_(moment.abs() < SMALLEST, 0)


def draw(
    sets: GeneSets, rows: NDArray[np.int64], partition: float, rng: np.random.Generator
) -> Batch:
    """The tokens of the sets `rows`, with a share `partition` of each set hidden."""
    genes, owner, rank = members_at_random(sets, rows, rng)
    tokens = genes + len(SPECIAL)
    if partition == 0:
        return Batch(tokens, owner, tokens, owner, len(rows))
    # The authors show strictly fewer than this share, so that one is always hidden.
    n_shown = np.ceil(sets.sizes[rows] * (1 - partition)).astype(np.int64) - 1
    shown = rank < n_shown[owner]
    return Batch(tokens[shown], owner[shown], tokens[~shown], owner[~shown], len(rows))
