"""Fitting with torch: the loop, batches, losses, checkpoints and processes, for any family."""

from gsfm.training.interrupt import Interrupted
from gsfm.training.processes import Processes, start
from gsfm.training.run import Progress, Run

__all__ = ["Interrupted", "Processes", "Progress", "Run", "start"]
