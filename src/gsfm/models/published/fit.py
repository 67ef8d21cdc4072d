"""Fitting the published architecture, by the authors' recipe, on the cores of one machine.

What is computed is their loss, optimizer and schedule. What is spared is the product with a
multi-hot vector (a sum of the rows of the shown genes, and a gradient for these rows alone) and
autograd's copies of the last layer.
"""

from __future__ import annotations

import itertools
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from gsfm.models.published.model import PAD, SPECIAL
from gsfm.sets import GeneSets
from gsfm.training import checkpoint
from gsfm.training.allocator import freed_memory_kept
from gsfm.training.batches import Batch, members_at_random
from gsfm.training.interrupt import Interrupted, stop_request
from gsfm.training.loss import logistic_loss
from gsfm.training.precision import choose_dtype
from gsfm.training.run import Progress, Run

if TYPE_CHECKING:
    from gsfm.models.published import Published, PublishedConfig

#: Every so many steps, moments below this are 0. (A moment falls by a tenth in a step, at most.)
SWEEP, SMALLEST = 100, 1e-30
PATIENCE, FACTOR = 10, 0.25  # passes without a better loss, and what the learning rate becomes


def fit_published(
    model: Published,
    sets: GeneSets,
    *,
    weights: NDArray[np.floating],
    random_state: int = 0,
    run: Run | None = None,
) -> list[dict[str, Any]]:
    """Fit `model` in place and return its learning curve; see `Published`.

    Parameters, errors and the curve are those of `fit_autoencoder`.
    """
    run, config = run or Run(), model.config
    if run.n_threads is not None:
        torch.set_num_threads(run.n_threads)
    dtype = choose_dtype(run.precision)
    set_weights = torch.from_numpy(np.asarray(weights, np.float32))
    batches = Batches(sets, config, random_state)
    steps_a_pass = batches.a_pass
    steps = config.epochs * steps_a_pass
    watched = {max(1, round(config.epochs * i / run.watches)) for i in range(1, run.watches + 1)}
    watched.add(config.epochs)

    torch.manual_seed(random_state)
    stacks = [
        [torch.nn.Linear(a, b) for a, b in itertools.pairwise(widths)] for widths in model.widths()
    ]
    first_layer, *layers = itertools.chain(*stacks)
    last_layer = layers.pop()
    # (tokens, width): the rows of the shown genes are summed.
    table = torch.nn.Parameter(first_layer.weight.detach().T.contiguous())
    table.grad = gradient = torch.zeros_like(table)
    first_bias = first_layer.bias
    depth = config.depth  # layers of the encoder; its last one is linear
    named: dict[str, torch.Tensor] = {"first.weight": table, "first.bias": first_bias}
    for i, layer in enumerate([*layers, last_layer]):
        named |= {f"{i}.weight": layer.weight, f"{i}.bias": layer.bias}
    counts = torch.ones(config.vocab_size)
    optimizer = torch.optim.Adam(named.values(), lr=config.learning_rate, fused=True)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, "min", factor=FACTOR, patience=PATIENCE
    )

    identity = checkpoint.identity(config, sets, weights, random_state, dtype)
    curve: list[dict[str, Any]] = []
    done, before, loss_sum = 0, 0.0, 0.0
    if run.resume and run.checkpoint is not None and run.checkpoint.exists():
        place = checkpoint.resume(run.checkpoint, named, optimizer, identity)
        done, before, curve = place["step"], place["seconds"], place["curve"]
        loss_sum = place["loss_sum"]
        counts = torch.tensor(place["counts"])
        schedule.load_state_dict(place["schedule"])
        for group in optimizer.param_groups:
            group["lr"] = place["learning_rate"]
    model.curve = curve  # as it grows: whoever watches the model may read it
    started = saved = time.monotonic()
    losses: deque[float] = deque(maxlen=100)

    def elapsed() -> float:
        return before + time.monotonic() - started

    def hand_over() -> None:
        """Give the model the parameters; all but the counts share their memory."""
        arrays = [
            (layer.weight.detach().numpy(), layer.bias.detach().numpy())
            for layer in (*layers, last_layer)
        ]
        model.encoder = [(table.detach().numpy(), first_bias.detach().numpy())]
        model.encoder += arrays[: depth - 1]
        model.decoder = arrays[depth - 1 :]
        balance = config.weighted_loss == "balance"
        model.counts = counts.numpy().copy() if balance else None

    def place_now() -> dict[str, Any]:
        return {
            "step": done,
            "seconds": elapsed(),
            "curve": curve,
            "identity": identity,
            "loss_sum": loss_sum,
            "counts": counts.tolist(),
            "schedule": schedule.state_dict(),
            "learning_rate": optimizer.param_groups[0]["lr"],
        }

    # The next batch is drawn while a step is computed.
    with stop_request() as asked_to_stop, freed_memory_kept(), ThreadPoolExecutor(1) as ahead:
        next_batch = ahead.submit(batches, done)
        while done < steps:
            epoch, at = divmod(done, steps_a_pass)
            rows, batch = next_batch.result()
            next_batch = ahead.submit(batches, done + 1)
            shown, owner, hidden, hidden_rows = map(
                torch.from_numpy, (batch.shown, batch.shown_rows, batch.hidden, batch.hidden_rows)
            )
            torch.manual_seed(hash((random_state, done)) & 0x7FFFFFFF)
            positive = None
            if config.weighted_loss == "balance":
                counts += torch.bincount(hidden, minlength=config.vocab_size)
                counts[PAD] += batch.n  # no set has this token: it counts the sets
                positive = (counts[PAD] - counts) / counts

            offsets = torch.searchsorted(owner, torch.arange(batch.n))
            with torch.no_grad():
                pooled = functional.embedding_bag(shown, table, offsets, mode="sum")
            pooled.requires_grad_()
            x = pooled + first_bias
            for i, layer in enumerate(layers, 1):
                if i != depth:
                    x = functional.dropout(x.relu(), config.dropout)
                x = layer(x)
            if depth != len(layers) + 1:
                x = functional.dropout(x.relu(), config.dropout)
            loss = logistic_loss(
                x,
                last_layer.weight,
                last_layer.bias,
                (hidden_rows, hidden),
                set_weights[torch.from_numpy(rows)],
                positive,
                dtype,
            )
            loss.backward()  # type: ignore[no-untyped-call]
            assert pooled.grad is not None
            # A token's gradient is the sum over the sets that show it.
            by_token = torch.argsort(shown, stable=True)
            met, times = torch.unique_consecutive(shown[by_token], return_counts=True)
            begin = times.cumsum(0) - times
            sums = functional.embedding_bag(owner[by_token], pooled.grad, begin, mode="sum")
            gradient.index_copy_(0, met, sums)
            optimizer.step()
            gradient.index_fill_(0, met, 0)
            if done % SWEEP == 0:
                sweep(optimizer)
            for name, parameter in named.items():
                if name != "first.weight":
                    parameter.grad = None

            losses.append(loss.item())
            loss_sum += losses[-1]
            done += 1
            ends_pass = done % steps_a_pass == 0
            seconds = elapsed()  # read once: what is reported is what was decided by
            out_of_time = run.max_seconds is not None and seconds >= run.max_seconds
            seen, mean_loss = None, float(np.mean(losses))
            if ends_pass:
                schedule.step(loss_sum / steps_a_pass)
                loss_sum = 0.0
            if (ends_pass and epoch + 1 in watched) or out_of_time:
                hand_over()
                seen = run.watch(model) if run.watch is not None else None
                point = {"step": done, "seconds": elapsed(), "loss": mean_loss, "watched": seen}
                # The loss is a mean over all tokens: small.
                curve.append({k: v and round(v, 6) for k, v in point.items()})
                seconds = elapsed()
            sets_seen = epoch * len(sets) + min((at + 1) * config.batch_size, len(sets))
            rate = sets_seen / max(seconds, 1e-9)
            run.progress(Progress(done, steps, seconds, mean_loss, seen, rate, run.max_seconds))
            stop = asked_to_stop() and done < steps
            ends = stop or out_of_time or done == steps
            if run.checkpoint is not None and (
                ends or time.monotonic() - saved > run.checkpoint_seconds
            ):
                checkpoint.write(run.checkpoint, named, optimizer, place_now())
                saved = time.monotonic()
            if stop:
                hand_over()
                raise Interrupted(f"stopped after step {done} of {steps}")
            if ends:
                break
    hand_over()
    return curve


def sweep(optimizer: torch.optim.Optimizer) -> None:
    """Set moments to 0 before they are subnormal numbers, on which a processor is slow.

    The moments of a gene that is not met fade by a factor at each step. Those swept are far too
    small to move a parameter.
    """
    for state in optimizer.state.values():
        for moment in (state["exp_avg"], state["exp_avg_sq"]):
            moment.masked_fill_(moment.abs() < SMALLEST, 0)


class Batches:
    """The batches of all passes; batch `step`, from 0, depends on the seed and the step alone."""

    def __init__(self, sets: GeneSets, config: PublishedConfig, random_state: int) -> None:
        self.sets, self.config, self.random_state = sets, config, random_state
        self.a_pass = -(-len(sets) // config.batch_size)
        self._epoch, self._order = -1, np.empty(0, np.int64)

    def __call__(self, step: int) -> tuple[NDArray[np.int64], Batch]:
        """Return the rows of the sets of a step, and what is shown and hidden of them."""
        size = self.config.batch_size
        epoch, at = divmod(step, self.a_pass)
        if epoch != self._epoch:
            self._order = np.random.default_rng([self.random_state, epoch]).permutation(
                len(self.sets)
            )
            self._epoch = epoch
        rows = self._order[at * size : (at + 1) * size]
        rng = np.random.default_rng([self.random_state, epoch, at])
        return rows, draw(self.sets, rows, self.config.partition, rng)


def draw(
    sets: GeneSets, rows: NDArray[np.int64], partition: float, rng: np.random.Generator
) -> Batch:
    """The tokens of the sets `rows`, each set with a share `partition` of them hidden."""
    genes, owner, rank = members_at_random(sets, rows, rng)
    tokens = genes + len(SPECIAL)
    if partition == 0:
        return Batch(tokens, owner, tokens, owner, len(rows))
    # The authors show strictly fewer than this share, so that one is always hidden.
    n_shown = np.ceil(sets.sizes[rows] * (1 - partition)).astype(np.int64) - 1
    shown = rank < n_shown[owner]
    return Batch(tokens[shown], owner[shown], tokens[~shown], owner[~shown], len(rows))
