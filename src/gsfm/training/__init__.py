"""Fitting models, with progress, checkpoints and what a fit cost.

Only the families that are fitted with torch need the extra ``train``; several processes need the
extra ``scale``.
"""

from gsfm.training._calibrate import calibrate
from gsfm.training._interrupt import Interrupted
from gsfm.training._monitor import HeldOut
from gsfm.training._processes import Processes, start
from gsfm.training._train import peak_memory, train

__all__ = ["HeldOut", "Interrupted", "Processes", "calibrate", "peak_memory", "start", "train"]
