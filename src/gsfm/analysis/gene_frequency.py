"""How popular genes are, which nulls are matched on: how often each was met."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from gsfm.models import Model

Numbers = NDArray[np.float64]

#: What `Model.log_gene_frequency` counts.
COUNTED = "log frequency in the training corpus"


def popularity(model: Model) -> tuple[Numbers, str]:
    """(genes,) how popular each gene is, and what was counted."""
    values = model.log_gene_frequency()
    if values is not None:
        return values, COUNTED
    # Here and not above: a completion needs no papers.
    from gsfm.analysis.query import PAPERS, collection

    count = np.diff(collection(PAPERS, model.vocabulary).by_gene.indptr)
    return count.astype(np.float64), "papers of the embedded corpus"
