"""The loop in which a model is fitted step by step with torch."""

from __future__ import annotations

import dataclasses
import time
import zlib
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gsfm.sets import GeneSets
from gsfm.training import checkpoint
from gsfm.training.allocator import keep_freed_memory
from gsfm.training.batches import Batch
from gsfm.training.interrupt import Interrupted, stop_request
from gsfm.training.processes import start
from gsfm.training.run import Progress


class Learner(ABC):
    """What a family adds to the loop: parameters, optimizer, batches, and what a step computes.

    A subclass defines the abstract methods; `prepare` sets the attributes that are declared here.
    Steps are counted from 1. What happens in a step may depend on the seed and the number of the
    step only, so that a fit that is resumed gives the same model.
    """

    steps: int
    #: What is learned. With the state of the optimizer it is stored in the checkpoint.
    parameters: Mapping[str, torch.Tensor]
    optimizer: torch.optim.Optimizer
    #: Running averages of the parameters, if the model consists of them.
    averages: Mapping[str, torch.Tensor] = MappingProxyType({})
    #: The model is watched only after a multiple of this many steps.
    watch_interval = 1
    #: Decimal places of the learning curve.
    decimals = 4

    def __init__(
        self, model: Any, sets: GeneSets, weights: NDArray[np.float32], random_state: int
    ) -> None:
        self.model, self.sets, self.weights, self.random_state = model, sets, weights, random_state
        self.config, self.run = model.config, model.run
        self.processes = start(self.run)
        self.device = torch.device(self.processes.device)
        if self.run.n_threads is not None:
            torch.set_num_threads(self.run.n_threads)
        self.dtype = choose_dtype(self.run.precision, self.device)
        torch.manual_seed(random_state)
        self.prepare()
        #: Everything that the result depends on; a checkpoint of anything else is refused.
        self.identity = {
            "config": dataclasses.asdict(self.config),
            "seed": random_state,
            "precision": str(self.dtype),
            "vocabulary": sets.vocabulary.hash,
            "sets": len(sets),
            "members": len(sets.indices),
            "content": zlib.crc32(np.ascontiguousarray(sets.indices).data),
            "weights": zlib.crc32(np.ascontiguousarray(weights).data),
        }

    @abstractmethod
    def prepare(self) -> None:
        """Make the parameters, the optimizer and all else that a step needs."""

    @abstractmethod
    def batch(self, step: int) -> Any:
        """Draw the batch of a step; called in another thread, in the order of the steps."""

    @abstractmethod
    def step(self, step: int, batch: Any) -> float:
        """Update the parameters; return this process's part of the loss of the batch."""

    @abstractmethod
    def sets_seen(self, step: int) -> int:
        """Return how many sets all processes have used up to this step."""

    @abstractmethod
    def hand_over(self) -> None:
        """Give the model the parameters; they may share memory."""

    def state(self) -> dict[str, Any]:
        """Return what a resumed fit needs beside the parameters and their moments, for JSON."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:  # noqa: B027 (most have nothing to restore)
        """Continue from a `state`."""

    def seed_of(self, step: int) -> int:
        """Return the seed of what is random in a step."""
        return hash((self.random_state, step)) & 0x7FFFFFFF

    def tensors(self, batch: Batch) -> list[torch.Tensor]:
        """Return ``shown``, ``shown_rows``, ``hidden`` and ``hidden_rows`` on the device."""
        arrays = batch.shown, batch.shown_rows, batch.hidden, batch.hidden_rows
        return [torch.from_numpy(ids).to(self.device, non_blocking=True) for ids in arrays]


def choose_dtype(precision: str, device: torch.device | None = None) -> torch.dtype:
    """The precision of matrix products; auto is bf16 where the device has fast instructions."""
    if precision == "auto" and device is not None and device.type == "cuda":
        precision = "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    elif precision == "auto":
        capabilities = torch.backends.cpu.get_cpu_capability()
        flags = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
        fast = "AVX512" in capabilities and ("amx_bf16" in flags or "avx512_bf16" in flags)
        precision = "bf16" if fast else "fp32"
    return torch.bfloat16 if precision == "bf16" else torch.float32


def fit(learner: Learner) -> list[dict[str, Any]]:
    """Run all steps, and return the learning curve.

    Only the first process writes the checkpoint, watches the model and reports the progress.

    Returns
    -------
    list of dict
        step, seconds, loss and the value of `Run.watch`, for each time that it was called.

    Raises
    ------
    FormatError
        If the checkpoint to resume from belongs to another run.
    Interrupted
        On Ctrl-C, after the checkpoint is written.
    """
    run, processes, steps = learner.run, learner.processes, learner.steps
    every, evaluations = learner.watch_interval, range(1, run.watches + 1)
    points = steps // every
    watched = {every * max(1, round(points * i / run.watches)) for i in evaluations} | {steps}
    curve: list[dict[str, Any]] = []
    first, before = 1, 0.0
    # The first process knows whether there is a checkpoint; all of them read it.
    found = run.resume and run.checkpoint is not None and run.checkpoint.exists()
    if processes.sum(found and processes.is_first)[0]:
        assert run.checkpoint is not None
        state = checkpoint.resume(run.checkpoint, learner)
        first, before, curve = state["step"] + 1, state["seconds"], state["curve"]
    learner.model.curve = curve  # while it grows: `Run.watch` may read it
    started = saved = time.monotonic()
    losses: deque[float] = deque(maxlen=100)

    def elapsed() -> float:
        return before + time.monotonic() - started

    # The next batch is drawn while a step is computed: it may have to come from the disk.
    with stop_request() as stop_requested, keep_freed_memory(), ThreadPoolExecutor(1) as ahead:
        next_batch = ahead.submit(learner.batch, first)
        for step in range(first, steps + 1):
            batch = next_batch.result()
            next_batch = ahead.submit(learner.batch, step + 1)
            loss = learner.step(step, batch)
            seconds = elapsed()  # read once, so that the progress agrees with the decision
            out_of_time = run.max_seconds is not None and seconds >= run.max_seconds
            # The clock of the first process decides.
            loss, ends_now = processes.sum(loss, out_of_time and processes.is_first)
            losses.append(loss)
            mean_loss, value = float(np.mean(losses)), None
            if step in watched or ends_now:
                if run.watch is not None and processes.is_first:
                    learner.hand_over()
                    value = run.watch(learner.model)
                point = {"step": step, "seconds": elapsed(), "loss": mean_loss, "watched": value}
                curve.append({k: v and round(v, learner.decimals) for k, v in point.items()})
                seconds = elapsed()
            if processes.is_first:
                rate = learner.sets_seen(step) / max(seconds, 1e-9)
                now = Progress(step, steps, seconds, mean_loss, value, rate, run.max_seconds)
                run.progress(now)
            # Ctrl-C may have reached some of the processes only.
            stopped = processes.sum(stop_requested() and step < steps)[0] > 0
            ends = stopped or ends_now or step == steps
            overdue = time.monotonic() - saved > run.checkpoint_seconds
            if processes.is_first and run.checkpoint is not None and (ends or overdue):
                state = {"step": step, "seconds": elapsed(), "curve": curve}
                checkpoint.write(run.checkpoint, learner, state)
                saved = time.monotonic()
            if stopped:
                learner.hand_over()
                raise Interrupted(f"stopped after step {step} of {steps}")
            if ends:
                break
    learner.hand_over()
    return curve
