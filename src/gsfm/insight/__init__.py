"""What a trained model is asked."""

from gsfm.insight._annotate import Annotation, annotate
from gsfm.insight._complete import Completion, LibraryCompletion, complete, complete_many
from gsfm.insight._describe import describe
from gsfm.insight._term import TermGenes, term

__all__ = [
    "Annotation",
    "Completion",
    "LibraryCompletion",
    "TermGenes",
    "annotate",
    "complete",
    "complete_many",
    "describe",
    "term",
]
