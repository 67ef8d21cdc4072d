"""Fitting the autoencoder on the cores of one machine."""

from __future__ import annotations

import time
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gsfm.models._run import Progress, Run
from gsfm.models.autoencoder import Autoencoder
from gsfm.sets import GeneSets
from gsfm.training import _checkpoint
from gsfm.training._batches import HoldOutBatches
from gsfm.training._interrupt import Interrupted, stop_request
from gsfm.training._loss import hidden_gene_loss
from gsfm.training._network import Network

WARM_UP = 50  # steps, or a twentieth of a short run
FINAL_SHARE = 0.02  # of the peak learning rate, at the end of the cosine


def fit_autoencoder(
    model: Autoencoder,
    sets: GeneSets,
    *,
    weights: NDArray[np.floating],
    seed: int = 0,
    run: Run | None = None,
) -> list[dict[str, Any]]:
    """Fit `model` in place and return its learning curve.

    Parameters
    ----------
    model
        Its `config` says what to learn and for how long.
    sets, weights
        The corpus, and how often each set is drawn (before its size is taken into account).
    seed
        The same seed, corpus and number of threads give the same model, also when the run was
        interrupted and resumed.
    run
        Threads, precision, checkpoint, progress.

    Returns
    -------
    list of dict
        step, seconds, loss and what `run.watch` gave, each time it was called.

    Raises
    ------
    FormatError
        If the checkpoint to resume from belongs to another run.
    Interrupted
        On Ctrl-C, after the checkpoint is written.
    """
    run = run or Run()
    if run.threads is not None:
        torch.set_num_threads(run.threads)
    config = model.config
    dtype = choose_dtype(run.precision)
    torch.manual_seed(seed)
    network = Network(sets.n_genes, config, dtype)

    drawn = weights / np.maximum(sets.sizes, 1) ** config.size_exponent
    batches = HoldOutBatches(
        sets,
        drawn,
        batch_size=config.batch_size,
        share=(config.input_low, config.input_high),
        max_members=config.max_members,
        seed=seed,
    )
    with torch.no_grad():
        # Start from how often each gene would be met.
        met = np.bincount(sets.indices, np.repeat(drawn, sets.sizes), minlength=sets.n_genes)
        frequency = (met + 1e-6 * met.sum() / sets.n_genes) / met.sum()
        network.output_bias.copy_(torch.from_numpy(np.log(frequency)))
    optimiser = torch.optim.AdamW(
        [
            {"params": network.tables(), "weight_decay": config.weight_decay},
            {"params": network.small(), "weight_decay": 0.0},
        ],
        lr=config.learning_rate,
        betas=(0.9, 0.99),
        fused=True,
    )
    steps = max(1, int(np.ceil(config.epochs * len(sets) / config.batch_size)))
    watched = {max(1, round(steps * i / run.watches)) for i in range(1, run.watches + 1)}
    watched.add(steps)
    identity = _checkpoint.identity(config, sets, drawn, seed, dtype)
    parameters = dict(network.named_parameters())

    curve: list[dict[str, Any]] = []
    first, before = 1, 0.0
    if run.resume and run.checkpoint is not None and run.checkpoint.exists():
        place = _checkpoint.resume(run.checkpoint, parameters, optimiser, identity)
        first, before, curve = place["step"] + 1, place["seconds"], place["curve"]
    started = saved = time.monotonic()
    losses: deque[float] = deque(maxlen=100)

    def elapsed() -> float:
        return before + time.monotonic() - started

    network.train()
    with stop_request() as asked_to_stop:
        for step in range(first, steps + 1):
            for group in optimiser.param_groups:
                group["lr"] = config.learning_rate * _schedule(step, steps)
            if config.dropout:
                torch.manual_seed(hash((seed, step)) & 0x7FFFFFFF)
            batch = batches(step)
            shown, hidden, rows_of = map(
                torch.from_numpy, (batch.shown, batch.hidden, batch.shown_rows)
            )
            offsets = torch.searchsorted(rows_of, torch.arange(batch.n))
            vectors = network(shown, offsets)
            loss = hidden_gene_loss(
                vectors,
                network.table,
                network.output_bias,
                (rows_of, shown),
                (torch.from_numpy(batch.hidden_rows), hidden),
                dtype,
            )
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            losses.append(loss.item())
            mean_loss = float(np.mean(losses))
            seen = None
            out_of_time = run.max_seconds is not None and elapsed() >= run.max_seconds
            if step in watched or out_of_time:
                if run.watch is not None:
                    _hand_over(network, model)
                    seen = run.watch(model)
                point = {"step": step, "seconds": elapsed(), "loss": mean_loss, "watched": seen}
                curve.append({k: v and round(v, 4) for k, v in point.items()})
            rate = (step - first + 1) * batch.n / max(time.monotonic() - started, 1e-9)
            now = Progress(step, steps, elapsed(), mean_loss, seen, rate, run.max_seconds)
            run.progress(now)
            stop = asked_to_stop() and step < steps
            ends = stop or out_of_time or step == steps
            if run.checkpoint is not None and (
                ends or time.monotonic() - saved > run.checkpoint_seconds
            ):
                place = {"step": step, "seconds": elapsed(), "curve": curve, "identity": identity}
                _checkpoint.write(run.checkpoint, parameters, optimiser, place)
                saved = time.monotonic()
            if stop:
                _hand_over(network, model)
                raise Interrupted(f"stopped after step {step} of {steps}")
            if ends:
                break
    _hand_over(network, model)
    return curve


def choose_dtype(precision: str) -> torch.dtype:
    """bf16 where the processor multiplies it faster than float32, unless told otherwise."""
    if precision == "auto":
        capabilities = torch.backends.cpu.get_cpu_capability()
        flags = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
        fast = "AVX512" in capabilities and ("amx_bf16" in flags or "avx512_bf16" in flags)
        precision = "bf16" if fast else "fp32"
    return torch.bfloat16 if precision == "bf16" else torch.float32


def _schedule(step: int, steps: int) -> float:
    """Share of the peak learning rate: a linear warm-up, then a cosine."""
    warm = min(1.0, step / max(1, min(WARM_UP, steps // 20)))
    return warm * max(FINAL_SHARE, 0.5 * (1 + float(np.cos(np.pi * step / steps))))


def _hand_over(network: Network, model: Autoencoder) -> None:
    """Give the network's parameters to the model, which then shares their memory."""
    arrays = {name: p.detach().numpy() for name, p in network.named_parameters()}
    model.input_vectors = arrays.pop("input_vectors")
    model.output_vectors = arrays.pop("output_vectors", model.input_vectors)
    model.output_bias = arrays.pop("output_bias")
    model.block = arrays
