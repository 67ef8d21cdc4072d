"""Popularity of genes, on which null distributions are matched, and their p-values."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from gsfm.analysis.sources import PAPERS, collection
from gsfm.analysis.terms import Terms
from gsfm.models import Model
from gsfm.models.types import Numbers


def popularity(model: Model, terms: Terms | None = None) -> tuple[Numbers, str]:
    """(genes,) the popularity of each gene, and what was counted.

    The log frequency in the model's training corpus, if the model has counted it. Otherwise the log
    frequency in `terms`, or the number of papers of the embedded corpus.
    """
    values = model.log_gene_frequency()
    if values is not None:
        return values, "log frequency in the training corpus"
    if terms is not None:
        counts = np.bincount(terms.members.indices, minlength=len(terms.vocabulary))
        return np.log1p(counts), "number of terms with the gene"
    count = np.diff(collection(PAPERS, model.vocabulary).by_gene.indptr)
    return count.astype(np.float64), "papers of the embedded corpus"


def empirical_p_value(observed: float, null: ArrayLike) -> float:
    """(1 + k) / (1 + n) for k of n values of the null distribution that are as large or larger."""
    values = np.asarray(null)
    return float((1 + (values >= observed).sum()) / (1 + values.size))
