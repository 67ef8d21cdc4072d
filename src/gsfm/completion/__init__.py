"""From scores to a result: identifier mapping, ranking, calibration and the result."""

from gsfm.completion.calibration import Calibration
from gsfm.completion.ranking import Completion, LibraryCompletion, rank
from gsfm.completion.result import Result

__all__ = ["Calibration", "Completion", "LibraryCompletion", "Result", "rank"]
