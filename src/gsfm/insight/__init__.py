"""What a trained model is asked."""

from gsfm.insight._complete import Completion, LibraryCompletion, complete, complete_many
from gsfm.insight._describe import describe
from gsfm.insight._explain import Explanation, explain

__all__ = [
    "Completion",
    "Explanation",
    "LibraryCompletion",
    "complete",
    "complete_many",
    "describe",
    "explain",
]
