"""What a trained model is asked."""

from gsfm.insight._complete import Completion, LibraryCompletion, complete, complete_many
from gsfm.insight._describe import describe
from gsfm.insight._enrich import enrich, enrich_ranked
from gsfm.insight._enrichment import Enrichment
from gsfm.insight._ora import ora
from gsfm.insight._prerank import prerank
from gsfm.insight._ranked import read_ranked

__all__ = [
    "Completion",
    "Enrichment",
    "LibraryCompletion",
    "complete",
    "complete_many",
    "describe",
    "enrich",
    "enrich_ranked",
    "ora",
    "prerank",
    "read_ranked",
]
