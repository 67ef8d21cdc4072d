"""The processes that fit a model together with Lightning Fabric; a single one needs no Fabric."""

from __future__ import annotations

import atexit
import functools
import logging
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gsfm.errors import GsfmError, check_type, needs_extra, require
from gsfm.training.run import Run

if TYPE_CHECKING:
    from lightning_fabric import Fabric
    from torch import Tensor, nn


@dataclass(frozen=True)
class Processes:
    """The processes of a fit, as seen by one of them.

    Each holds the whole model and computes the gradient of its part of a batch. All copies are
    updated by the mean of the gradients, so they stay the same.
    """

    device: str = "cpu"  # of this process
    fabric: Fabric | None = None  # None: this process is the only one

    @property
    def rank(self) -> int:
        """Number of this process, from 0."""
        return 0 if self.fabric is None else self.fabric.global_rank

    @property
    def count(self) -> int:
        """Number of processes."""
        return 1 if self.fabric is None else self.fabric.world_size

    @property
    def is_first(self) -> bool:
        """Whether this is the process that reports and writes files."""
        return self.rank == 0

    def part(self, n: int) -> slice:
        """Return this process's part of n sets; the parts differ by one set at most."""
        return slice(self.rank * n // self.count, (self.rank + 1) * n // self.count)

    def wrap(self, network: nn.Module) -> Any:
        """Return `network` so that its gradients become the mean over the processes."""
        return network if self.fabric is None else self.fabric.setup_module(network)

    def backward(self, loss: Tensor) -> None:
        """Compute the gradients."""
        if self.fabric is None:
            loss.backward()  # type: ignore[no-untyped-call]
        else:
            self.fabric.backward(loss)

    def sum(self, *values: float) -> list[float]:
        """Sum numbers over the processes, the same result in each."""
        if self.fabric is None:
            return list(values)
        import torch

        # Apple's GPUs have no double precision, but are not supported.
        total = torch.tensor(values, dtype=torch.float64, device=self.fabric.device)
        self.fabric.all_reduce(total, reduce_op="sum")
        return total.tolist()

    def wait(self) -> None:
        """Return when all processes have reached this call."""
        if self.fabric is not None:
            self.fabric.barrier()


def start(run: Run) -> Processes:
    """Start the processes of a run; a second call returns the same ones.

    Where a launcher (torchrun, SLURM's srun) has started them, they connect to each other.
    Otherwise this process starts the others, with the command or the script that started itself.

    Raises
    ------
    GsfmError
        If the machine, or the launcher, does not have what the run needs.
    MissingExtraError
        If the run needs several processes and Lightning Fabric is not installed.

    Examples
    --------
    >>> processes = start(Run())
    >>> processes.count, processes.is_first, processes.part(100)
    (1, True, slice(0, 100, None))
    """
    check_type(Run, "a gsfm.training.Run", run=run)
    if run.is_plain or (run.devices, run.nodes, run.strategy) == (1, 1, "auto"):
        count = os.environ.get("WORLD_SIZE", "1") if "TORCHELASTIC_RUN_ID" in os.environ else "1"
        message = f"torchrun started {count} processes; set --devices and --nodes (as in Run)"
        require(count == "1", message, GsfmError)
        return Processes("cpu" if run.is_plain else _accelerator(run)[0])
    return _launch(*_accelerator(run), run.nodes)


def _accelerator(run: Run) -> tuple[str, int]:
    """cpu or cuda, and the number of processes on a machine."""
    gpus = 0
    if run.accelerator != "cpu":
        with needs_extra("a fit on a GPU", "train"):
            import torch
        gpus = torch.cuda.device_count()
    message = "no CUDA GPU was found; use the accelerator cpu or auto"
    require(gpus or run.accelerator != "cuda", message, GsfmError)
    devices = max(gpus, 1) if run.devices == "auto" else run.devices
    message = f"the run needs {devices} GPUs, but there are {gpus}"
    require(not gpus or devices <= gpus, message, GsfmError)
    return "cuda" if gpus else "cpu", devices


@functools.cache
def _launch(accelerator: str, devices: int, nodes: int) -> Processes:
    # A process can launch once: a second call has other arguments.
    message = "this process fits on other devices already; start a new one for these"
    require(not _launch.cache_info().currsize, message, GsfmError)
    # Without a launcher, this process starts the others as it was started itself.
    can_start = devices == 1 or "LOCAL_RANK" in os.environ or Path(sys.argv[0]).is_file()
    message = "several processes are started by gsfm train or a script, not by a prompt"
    require(can_start, message, GsfmError)
    with needs_extra("a fit by several processes", "scale"):
        import lightning_fabric
        from lightning_fabric.utilities.exceptions import MisconfigurationException
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    try:
        fabric = lightning_fabric.Fabric(
            accelerator=accelerator, devices=devices, num_nodes=nodes, strategy="ddp"
        )
        fabric.launch()
    except (ValueError, RuntimeError, MisconfigurationException) as error:
        reason = " ".join(str(error).split())
        raise GsfmError(f"the processes could not be started: {reason}") from error
    if accelerator == "cpu":
        atexit.register(_leave)
    return Processes(str(fabric.device), fabric)


def _leave() -> None:
    """Leave the group: its remaining threads would abort a process that ends."""
    import torch.distributed as group

    if group.is_initialized():
        group.destroy_process_group()
