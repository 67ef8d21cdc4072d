"""Fitting the autoencoder, alone or as one of several processes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gsfm.models.autoencoder import Autoencoder, AutoencoderConfig
from gsfm.models.autoencoder.network import Network
from gsfm.sets import GeneSets
from gsfm.sets.csr import chunks
from gsfm.training import checkpoint
from gsfm.training.allocator import freed_memory_kept
from gsfm.training.batches import HoldOutBatches
from gsfm.training.interrupt import Interrupted, stop_request
from gsfm.training.loss import hidden_gene_loss, logistic_loss
from gsfm.training.precision import choose_dtype
from gsfm.training.processes import start
from gsfm.training.run import Progress, Run

WARM_UP = 50  # steps, or a twentieth of a short run
FINAL_SHARE = 0.02  # of the peak learning rate, at the end of the cosine
AVERAGED_EACH = 4  # steps: the weights of the steps between are much the same


def fit_autoencoder(
    model: Autoencoder,
    sets: GeneSets,
    *,
    weights: NDArray[np.floating],
    random_state: int = 0,
    run: Run | None = None,
) -> list[dict[str, Any]]:
    """Fit `model` in place and return its learning curve.

    Parameters
    ----------
    model
        Its `config` says what to learn and for how long.
    sets, weights
        The corpus, and how often each set is drawn (before its size is taken into account). No
        array as long as the members is made, so that a mapped corpus may be larger than memory.
    random_state
        The same seed, corpus and number of threads give the same model, also when the run was
        interrupted and resumed. Several processes give the model of one, but for rounding.
    run
        Threads, precision, checkpoint, progress, processes. The first process alone writes, watches
        and reports.

    Returns
    -------
    list of dict
        step, seconds, loss and what `run.watch` gave, each time it was called.

    Raises
    ------
    ValueError
        If there is nothing to learn from, or a batch has fewer sets than there are processes.
    FormatError
        If the checkpoint to resume from belongs to another run.
    GsfmError
        If the processes that the run asks for cannot be started.
    Interrupted
        On Ctrl-C, after the checkpoint is written.
    """
    run, config = run or Run(), model.config
    processes = start(run)
    device = torch.device(processes.device)
    if run.n_threads is not None:
        torch.set_num_threads(run.n_threads)
    if config.batch_size < processes.count:
        raise ValueError(
            f"a batch of {config.batch_size} is too small for {processes.count} processes: "
            "each needs a set of it"
        )
    sets.validate()
    dtype = choose_dtype(run.precision, device)
    torch.manual_seed(random_state)
    network = Network(sets.n_genes, config, dtype)

    drawn = weights / np.maximum(sets.sizes, 1) ** config.size_exponent
    part = processes.part(config.batch_size)
    batches = HoldOutBatches(
        sets,
        drawn,
        batch_size=config.batch_size,
        share=(config.input_low, config.input_high),
        max_members=config.max_members,
        random_state=random_state,
        part=part,
    )
    with torch.no_grad():
        # Start from how often each gene would be met: among members, or in how many of the sets.
        met = _met(sets, drawn)
        total = drawn.sum() if config.loss == "logistic" else met.sum()
        frequency = (met + 1e-6 * met.sum() / sets.n_genes) / total
        network.output_bias.copy_(torch.from_numpy(np.log(frequency)))
    network.to(device)
    optimizer = torch.optim.AdamW(
        [
            {"params": network.tables(), "weight_decay": config.weight_decay},
            {"params": network.small(), "weight_decay": 0.0},
        ],
        lr=config.learning_rate,
        betas=(0.9, 0.99),
        fused=True,
    )
    n_sets = int(np.count_nonzero(weights))
    steps = max(1, int(np.ceil(config.epochs * n_sets / config.batch_size)))
    watched = {max(1, round(steps * i / run.watches)) for i in range(1, run.watches + 1)}
    watched.add(steps)
    identity = checkpoint.identity(config, sets, drawn, random_state, dtype)
    parameters = dict(network.named_parameters())
    averages = {n: p.detach().clone() for n, p in parameters.items()} if config.average else {}

    curve: list[dict[str, Any]] = []
    first, before = 1, 0.0
    # The first process knows whether there is a checkpoint; all of them read it.
    found = run.resume and run.checkpoint is not None and run.checkpoint.exists()
    if processes.sum(found and processes.is_first)[0]:
        assert run.checkpoint is not None
        place = checkpoint.resume(run.checkpoint, parameters, optimizer, identity, averages)
        first, before, curve = place["step"] + 1, place["seconds"], place["curve"]
    model.curve = curve  # as it grows: whoever watches the model may read it
    vectors_of = processes.wrap(network)
    share = (part.stop - part.start) / config.batch_size  # of a batch that is this process's
    started = saved = time.monotonic()
    losses: deque[float] = deque(maxlen=100)

    def elapsed() -> float:
        return before + time.monotonic() - started

    def on_device(ids: NDArray[np.int64]) -> torch.Tensor:
        return torch.from_numpy(ids).to(device, non_blocking=True)

    # The next batch is drawn while a step is computed: it may have to come from the disk.
    with stop_request() as asked_to_stop, freed_memory_kept(), ThreadPoolExecutor(1) as ahead:
        next_batch = ahead.submit(batches, first)
        for step in range(first, steps + 1):
            batch = next_batch.result()
            next_batch = ahead.submit(batches, step + 1)
            for group in optimizer.param_groups:
                group["lr"] = config.learning_rate * _schedule(step, steps, bool(averages))
            shown, rows_of = on_device(batch.shown), on_device(batch.shown_rows)
            offsets = torch.searchsorted(rows_of, torch.arange(batch.n, device=device))
            dropout = None
            if config.dropout:
                dropout = _dropout(config, hash((random_state, step)) & 0x7FFFFFFF)[part].to(device)
            vectors = vectors_of(shown, offsets, dropout)
            given = rows_of, shown
            wanted = on_device(batch.hidden_rows), on_device(batch.hidden)
            if config.targets == "all":
                wanted = torch.cat([given[0], wanted[0]]), torch.cat([given[1], wanted[1]])
                given = given[0][:0], given[1][:0]  # then a shown gene is a candidate, too
            layer = network.table, network.output_bias
            if config.loss == "logistic":
                every = torch.ones(batch.n, device=device)
                loss = logistic_loss(vectors, *layer, wanted, every, None, dtype)
            else:
                loss = hidden_gene_loss(vectors, *layer, given, wanted, dtype)
            optimizer.zero_grad(set_to_none=True)
            # The processes' gradients are averaged; a part may have a set more than another.
            processes.backward(loss * (share * processes.count))
            optimizer.step()
            if averages and (step % AVERAGED_EACH == 0 or step == steps):
                _take_in(parameters, averages, AVERAGED_EACH / (config.average * step))
            seconds = elapsed()  # read once: what is reported is what was decided by
            out_of_time = run.max_seconds is not None and seconds >= run.max_seconds
            # By the clock of the first process.
            batch_loss, ends_now = processes.sum(
                loss.item() * share, out_of_time and processes.is_first
            )
            losses.append(batch_loss)
            mean_loss = float(np.mean(losses))
            seen = None
            if step in watched or ends_now:
                if run.watch is not None and processes.is_first:
                    _hand_over(averages or parameters, model)
                    seen = run.watch(model)
                point = {"step": step, "seconds": elapsed(), "loss": mean_loss, "watched": seen}
                curve.append({k: v and round(v, 4) for k, v in point.items()})
                seconds = elapsed()
            if processes.is_first:
                seconds_here = max(time.monotonic() - started, 1e-9)
                rate = (step - first + 1) * config.batch_size / seconds_here
                now = Progress(step, steps, seconds, mean_loss, seen, rate, run.max_seconds)
                run.progress(now)
            # Ctrl-C may have reached some of the processes only.
            stop = processes.sum(asked_to_stop() and step < steps)[0] > 0
            ends = stop or ends_now or step == steps
            if (
                processes.is_first
                and run.checkpoint is not None
                and (ends or time.monotonic() - saved > run.checkpoint_seconds)
            ):
                place = {"step": step, "seconds": elapsed(), "curve": curve, "identity": identity}
                checkpoint.write(run.checkpoint, parameters, optimizer, place, averages)
                saved = time.monotonic()
            if stop:
                _hand_over(averages or parameters, model)
                raise Interrupted(f"stopped after step {step} of {steps}")
            if ends:
                break
    _hand_over(averages or parameters, model)
    return curve


def _met(sets: GeneSets, drawn: NDArray[np.floating]) -> NDArray[np.float64]:
    """(genes,) how often each gene is met, if each set is as often as `drawn` says."""
    met = np.zeros(sets.n_genes)
    for first, last in chunks(sets.indptr):
        indptr = sets.indptr[first : last + 1]
        times = np.repeat(drawn[first:last], np.diff(indptr))
        np.add.at(met, sets.indices[indptr[0] : indptr[-1]], times)
    return met


def _dropout(config: AutoencoderConfig, random_state: int) -> torch.Tensor:
    """(batch_size, d) 0 with probability `config.dropout`, else what keeps the mean."""
    kept = 1 - config.dropout
    generator = torch.Generator().manual_seed(random_state)
    out = torch.empty(config.batch_size, config.dimensions)
    return out.bernoulli_(kept, generator=generator).div_(kept)


def _schedule(step: int, steps: int, averaged: bool) -> float:
    """Share of the peak learning rate: a linear warm-up, then a cosine; the peak, if averaged."""
    warm = min(1.0, step / max(1, min(WARM_UP, steps // 20)))
    if averaged:
        return warm
    return warm * max(FINAL_SHARE, 0.5 * (1 + float(np.cos(np.pi * step / steps))))


def _take_in(
    parameters: Mapping[str, torch.Tensor], averages: Mapping[str, torch.Tensor], weight: float
) -> None:
    """Take the parameters into their running averages.

    With a weight of 1 / (share * step) the average is over about the last `share` of the steps, at
    any time: Shamir and Zhang 2013, Stochastic gradient descent for non-smooth optimization (ICML).
    """
    for name, p in parameters.items():
        averages[name].lerp_(p.detach(), min(1.0, weight))


def _hand_over(parameters: Mapping[str, torch.Tensor], model: Autoencoder) -> None:
    """Give the parameters to the model, which then shares their memory if it can."""
    arrays = {name: p.detach().cpu().numpy() for name, p in parameters.items()}
    model.input_vectors = arrays.pop("input_vectors")
    model.output_vectors = arrays.pop("output_vectors", model.input_vectors)
    model.output_bias = arrays.pop("output_bias")
    model.block = arrays
    model.gene_sums = None  # of vectors that it no longer has
