"""How a model is fitted: this never changes the result, except for the precision of arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True)
class Progress:
    """A moment of a fit.

    `loss` is the mean over the last hundred steps; `watched` is the value of `Run.watch`, if it was
    called at this step (recall@50 in `gsfm train`).
    """

    step: int
    steps: int
    seconds: float
    loss: float
    watched: float | None = None
    sets_per_second: float = 0.0
    max_seconds: float | None = None  # when the fit ends at the latest

    @property
    def seconds_left(self) -> float:
        """Time left at the average rate so far, or until `max_seconds`.

        Examples
        --------
        >>> Progress(step=10, steps=100, seconds=5.0, loss=1.0).seconds_left
        45.0
        >>> Progress(step=10, steps=100, seconds=5.0, loss=1.0, max_seconds=20.0).seconds_left
        15.0
        """
        left = self.seconds * (self.steps - self.step) / max(self.step, 1)
        if self.max_seconds is not None:
            left = min(left, max(self.max_seconds - self.seconds, 0.0))
        return left


def silent(progress: Progress) -> None:
    """Show no progress."""


@dataclass(frozen=True)
class Run:
    """How a model is fitted.

    A family uses the fields that have a meaning for it: a closed-form model has no checkpoints.
    """

    n_threads: int | None = None  # None: the default of the libraries
    precision: str = "auto"  # auto (bf16 where the processor has it), bf16 or fp32
    watch: Callable[[Any], float] | None = None  # evaluates the model, on data not used to fit it
    watches: int = 16  # how often it is called
    checkpoint: Path | None = None  # file that is kept up to date
    checkpoint_seconds: float = 120.0  # time between checkpoints
    resume: bool = False  # continue from the checkpoint if it exists
    max_seconds: float | None = None  # end after the step that takes it past this time
    progress: Callable[[Progress], None] = silent
    devices: int | Literal["auto"] = 1  # processes on each machine; auto: one for each GPU
    nodes: int = 1  # machines
    # Every process holds the whole model: it is small, and needs no sharding.
    strategy: str = "auto"  # how the processes work together: auto or ddp
    accelerator: str = "cpu"  # cpu, cuda, or auto (cuda where there is one)

    def __post_init__(self) -> None:
        number = isinstance(self.devices, int) and self.devices >= 1
        for name, holds, text in (
            ("precision", self.precision in ("auto", "bf16", "fp32"), "auto, bf16 or fp32"),
            ("n_threads", self.n_threads is None or self.n_threads >= 1, "1 or more"),
            ("max_seconds", self.max_seconds is None or self.max_seconds > 0, "above 0"),
            ("watches", self.watches >= 0, "0 or more"),
            ("checkpoint_seconds", self.checkpoint_seconds >= 0, "0 or more"),
            ("devices", self.devices == "auto" or number, "1 or more, or auto"),
            ("nodes", self.nodes >= 1, "1 or more"),
            ("strategy", self.strategy in ("auto", "ddp"), "auto or ddp"),
            ("accelerator", self.accelerator in ("cpu", "cuda", "auto"), "cpu, cuda or auto"),
        ):
            if not holds:
                raise ValueError(f"{name} must be {text}, not {getattr(self, name)!r}")

    @property
    def is_plain(self) -> bool:
        """Whether one process on the processor fits the model."""
        return (self.devices, self.nodes, self.strategy, self.accelerator) == (1, 1, "auto", "cpu")
