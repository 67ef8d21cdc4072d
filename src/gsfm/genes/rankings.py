"""Ranked lists: genes, each with a signed statistic."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm.errors import FormatError, GsfmError
from gsfm.genes.lists import GENE_HEADERS, plain, unquoted
from gsfm.io.streams import open_source
from gsfm.io.text import lines

#: A ranked list: a mapping or pairs of an identifier and its statistic, or a table whose first two
#: columns are these.
RankedLike: TypeAlias = Mapping[str, float] | Iterable[tuple[str, float]] | pl.DataFrame
#: Names of columns with a signed statistic, in order of preference; a p-value has no sign.
STATISTIC_HEADERS = (
    *("stat", "statistic", "t", "score", "scores", "zscore", "z", "signal2noise", "rank", "metric"),
    *("logfc", "log2fc", "logfoldchange", "log2foldchange", "logfoldchanges", "avglog2fc"),
)

#: Texts of a missing statistic, as `plain` returns them.
_MISSING = ("", "na", "nan", "null", "none")


def pairs(ranked: RankedLike) -> tuple[list[str], NDArray[np.float64]]:
    """Return the identifiers and the statistics of a ranked list.

    An empty list, a statistic that is not a finite number, and statistics that are all 0 are a
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
    if not statistics.any():
        raise GsfmError("all statistics of the ranked list are 0; they rank nothing")
    return genes, statistics


def read_ranked(path: str | Path | BinaryIO) -> pl.DataFrame:
    """Read a ranked list: a gene and a statistic in each line, as in RNK, TSV and CSV files.

    Without a header, the first two columns are read. With a header, the columns are found by their
    names: the gene column (``gene``, ``symbol``, ...), and the first of ``stat``, ``t``, ``score``,
    ``logFC`` and others; or else the first two columns.

    Parameters
    ----------
    path
        The file, ``-`` for standard input, or a binary stream; may be in gzip, zstd or zip.

    Returns
    -------
    polars.DataFrame
        ``gene`` and ``statistic``, without genes whose statistic is missing (empty, ``NA``).

    Raises
    ------
    FormatError
        If a line has no second column, or the statistic is not a number.

    Examples
    --------
    >>> import io
    >>> table = b"gene,pvalue,logFC\\nTP53,0.01,-2\\nMDM2,0.2,NA\\nBAX,1,1.5\\n"
    >>> read_ranked(io.BytesIO(table)).rows()
    [('TP53', -2.0), ('BAX', 1.5)]
    """
    with open_source(path) as source:
        rows = [(n, text) for n, text in lines(source) if not text.startswith("#")]
    name = source.name
    if not rows:
        raise FormatError(name, "it contains no gene: give a gene and a statistic in each line")
    separator = next((s for s in ("\t", ",", ";") if s in rows[0][1]), None)
    cells = [(n, [unquoted(cell) for cell in text.split(separator)]) for n, text in rows]
    at_gene, at_statistic, header = _columns(cells[0][1])
    found = []
    for n, row in cells[header:]:
        if len(row) <= max(at_gene, at_statistic):
            raise FormatError(name, "give a gene and a statistic in each line", line=n)
        gene, text = row[at_gene], row[at_statistic]
        if not gene or plain(text) in _MISSING:
            continue
        value = _number(text)
        if value is None or not math.isfinite(value):
            what = "number" if value is None else "finite number"
            raise FormatError(name, f"{text!r} is not a {what}", line=n)
        found.append((gene, value))
    if not found:
        raise FormatError(name, "it contains no gene with a statistic")
    return pl.DataFrame(found, ["gene", "statistic"], orient="row")


def _columns(first: list[str]) -> tuple[int, int, bool]:
    """The columns of genes and statistics, and whether the first row is a header."""
    names = [plain(cell) for cell in first]
    gene = next((i for i, name in enumerate(names) if name in GENE_HEADERS), None)
    statistic = next((names.index(name) for name in STATISTIC_HEADERS if name in names), None)
    if statistic is not None and (gene is not None or statistic > 0):
        return gene or 0, statistic, True
    if gene is None and len(first) > 1:
        return 0, 1, _number(first[1]) is None and names[1] not in ("", "na")
    return gene or 0, int(not gene), gene is not None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
