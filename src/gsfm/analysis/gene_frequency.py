"""How popular genes are, which nulls are matched on: how often each was met."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from gsfm.models import Model

Numbers = NDArray[np.float64]

#: What is counted in `counted`.
COUNTED = "log frequency in the training corpus"


def counted(model: Model) -> Numbers | None:
    """(genes,) the logarithm of how often each gene is in the training corpus.

    None of a model that has not counted: neither it nor a member is `gsfm.models.Popularity`. A
    gene that the member does not know has its least.
    """
    for one in (model, *getattr(model, "members", ())):
        frequency = getattr(one, "log_frequency", None)
        if frequency is not None:
            values = np.full(len(model.vocabulary), float(frequency.min()))
            ids = model.vocabulary.ids(one.vocabulary.symbols)
            values[ids[ids >= 0]] = frequency[ids >= 0]
            return values
    return None


def popularity(model: Model) -> tuple[Numbers, str]:
    """(genes,) how popular each gene is, and what was counted."""
    values = counted(model)
    if values is not None:
        return values, COUNTED
    # Here and not above: a completion needs no papers.
    from gsfm.analysis.query import PAPERS, collection

    count = np.diff(collection(PAPERS, model.vocabulary).by_gene.indptr)
    return count.astype(np.float64), "papers of the embedded corpus"
