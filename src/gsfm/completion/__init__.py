"""From scores to an answer: the query, the ranking, the probabilities, and the result."""

from gsfm.completion.calibration import Calibration
from gsfm.completion.ranking import Completion, LibraryCompletion, rank, rank_sets
from gsfm.completion.result import Result

__all__ = [
    "Calibration",
    "Completion",
    "LibraryCompletion",
    "Result",
    "rank",
    "rank_sets",
]
