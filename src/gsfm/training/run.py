"""How a fit is run: never what is learned, but for the precision of the arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True)
class Progress:
    """A moment of a fit.

    `loss` is the mean over the last hundred steps; `watched` is what `Run.watch` gave, if it was
    called at this step (recall@50 in `gsfm train`).
    """

    step: int
    steps: int
    seconds: float
    loss: float
    watched: float | None = None
    sets_per_second: float = 0.0
    max_seconds: float | None = None  # when the run ends at the latest

    @property
    def seconds_left(self) -> float:
        """Time left at the average rate so far, or until the run's time is over.

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


@dataclass(frozen=True)
class Run:
    """How a fit is run.

    A family uses what has a meaning for it: a closed-form model has no checkpoints.
    """

    n_threads: int | None = None  # None: as the libraries choose
    precision: str = "auto"  # auto (bf16 where the processor has it), bf16 or fp32
    watch: Callable[[Any], float] | None = None  # measures the model, on data kept from the fit
    watches: int = 16  # how often it is called
    checkpoint: Path | None = None  # file that is kept up to date
    checkpoint_seconds: float = 120.0  # time between checkpoints
    resume: bool = False  # go on from the checkpoint if it is there
    max_seconds: float | None = None  # end after the step that takes it past this time
    progress: Callable[[Progress], None] = field(default=lambda progress: None)
    devices: int | Literal["auto"] = 1  # processes on each machine; auto: one for each GPU
    nodes: int = 1  # machines
    strategy: str = "auto"  # how the processes work together: auto or ddp
    accelerator: str = "cpu"  # cpu, cuda, or auto (cuda where there is one)

    def __post_init__(self) -> None:
        if self.precision not in ("auto", "bf16", "fp32"):
            raise ValueError(f"precision must be auto, bf16 or fp32, not {self.precision!r}")
        if self.n_threads is not None and self.n_threads < 1:
            raise ValueError(f"threads must be 1 or more, not {self.n_threads}")
        if self.max_seconds is not None and self.max_seconds <= 0:
            raise ValueError(f"max_seconds must be above 0, not {self.max_seconds}")
        if self.watches < 0 or self.checkpoint_seconds < 0:
            raise ValueError("watches and checkpoint_seconds must be 0 or more")
        if self.devices != "auto" and (not isinstance(self.devices, int) or self.devices < 1):
            raise ValueError(f"devices must be 1 or more, or auto, not {self.devices!r}")
        if self.nodes < 1:
            raise ValueError(f"nodes must be 1 or more, not {self.nodes}")
        if self.strategy not in ("auto", "ddp"):
            # Every process holds the whole model: it is small, and needs no sharding.
            raise ValueError(f"strategy must be auto or ddp, not {self.strategy!r}")
        if self.accelerator not in ("cpu", "cuda", "auto"):
            raise ValueError(f"accelerator must be cpu, cuda or auto, not {self.accelerator!r}")

    @property
    def is_plain(self) -> bool:
        """Whether one process on the processor does it all."""
        return (self.devices, self.nodes, self.strategy, self.accelerator) == (1, 1, "auto", "cpu")
