"""What a trained model is asked."""

from gsfm.insight._complete import Completion, LibraryCompletion, complete, complete_many
from gsfm.insight._describe import describe

__all__ = ["Completion", "LibraryCompletion", "complete", "complete_many", "describe"]
