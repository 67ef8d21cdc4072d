"""Ranked lists: genes, each with a signed statistic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm.errors import GsfmError

#: A ranked list: a mapping or pairs of an identifier and its statistic, or a table whose first two
#: columns are these.
RankedLike: TypeAlias = Mapping[str, float] | Iterable[tuple[str, float]] | pl.DataFrame


def pairs(ranked: RankedLike) -> tuple[list[str], NDArray[np.float64]]:
    """Return the identifiers and the statistics of a ranked list.

    An empty list, a statistic that is not a finite number, and statistics that are all equal are a
    GsfmError.
    """
    if isinstance(ranked, pl.DataFrame):
        if ranked.width < 2:
            raise GsfmError("a ranked list needs a column of genes and one of statistics")
        ranked = ranked[:, :2].rows()
    rows = list(ranked.items() if isinstance(ranked, Mapping) else ranked)
    if not rows:
        raise GsfmError("the ranked list is empty; give at least one gene with its statistic")
    genes = [str(gene) for gene, _ in rows]
    statistics = np.array([value for _, value in rows], np.float64)
    finite = np.isfinite(statistics)
    if not finite.all():
        gene = genes[int(finite.argmin())]
        raise GsfmError(f"the statistic of {gene} is not a finite number; remove such genes")
    one = statistics[0]
    if (statistics == one).all() and (len(rows) > 1 or one == 0):
        raise GsfmError(f"all statistics of the ranked list are {one:g}; they rank nothing")
    return genes, statistics
