"""The loop in which families are fitted with torch: batches, checkpoints, processes.

It knows no family. Only torch's own parts need the extra ``train``; several processes need the
extra ``scale``.
"""

from gsfm.training.interrupt import Interrupted
from gsfm.training.processes import Processes, start
from gsfm.training.run import Progress, Run

__all__ = ["Interrupted", "Processes", "Progress", "Run", "start"]
