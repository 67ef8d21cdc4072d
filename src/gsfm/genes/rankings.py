"""Ranked lists: genes, each with a statistic that has a sign."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm.errors import FormatError, GsfmError
from gsfm.genes.lists import _QUOTES, GENE_HEADERS, plain
from gsfm.io.notes import Notes
from gsfm.io.streams import open_source
from gsfm.io.text import lines

#: A ranked list: by identifier, or pairs of an identifier and its statistic, or a table whose first
#: two columns are these.
RankedLike: TypeAlias = Mapping[str, float] | Iterable[tuple[str, float]] | pl.DataFrame
#: Columns that say how much a gene changed, best first. A p-value has no sign and is none.
STATISTIC_HEADERS = (
    *("stat", "statistic", "t", "score", "scores", "zscore", "z", "signal2noise", "rank", "metric"),
    *("logfc", "log2fc", "logfoldchange", "log2foldchange", "logfoldchanges", "avglog2fc"),
)


def pairs(ranked: RankedLike) -> tuple[list[str], NDArray[np.float64]]:
    """The identifiers and the statistics of a ranked list.

    Raises
    ------
    GsfmError
        If it is empty, a statistic is no number, or none has a sign.
    """
    if isinstance(ranked, pl.DataFrame):
        if ranked.width < 2:
            raise GsfmError("a ranked list needs a column of genes and one of statistics")
        rows: list[tuple[str, float]] = ranked.select(ranked.columns[:2]).rows()
    else:
        rows = list(ranked.items()) if isinstance(ranked, Mapping) else list(ranked)
    if not rows:
        raise GsfmError("the ranked list is empty; give at least one gene with its statistic")
    genes = [str(gene) for gene, _ in rows]
    statistics = np.array([value for _, value in rows], np.float64)
    if not np.isfinite(statistics).all():
        gene = genes[int(np.flatnonzero(~np.isfinite(statistics))[0])]
        raise GsfmError(f"the statistic of {gene} is not a finite number; leave such genes out")
    if not statistics.any():
        raise GsfmError("all statistics of the ranked list are 0; they rank nothing")
    return genes, statistics


def read_ranked(path: str | Path | BinaryIO) -> pl.DataFrame:
    """Read a ranked list: a gene and a statistic in each line, as in RNK, TSV and CSV files.

    Without a header the first two columns are read. With one, the columns are found by their
    names: that of the genes (``gene``, ``symbol``, ...), and the first of ``stat``, ``t``,
    ``score``, ``logFC`` and the like; or else the first two.

    Parameters
    ----------
    path
        The file, ``-`` for standard input, or a binary stream; gzip, zstd and zip are understood.

    Returns
    -------
    polars.DataFrame
        ``gene`` and ``statistic``. Genes without a number (empty, ``NA``) are left out.

    Raises
    ------
    FormatError
        If a line has no second column, or something else than a number in it.

    Examples
    --------
    >>> import io
    >>> table = b"gene,pvalue,logFC\\nTP53,0.01,-2\\nMDM2,0.2,NA\\nBAX,1,1.5\\n"
    >>> read_ranked(io.BytesIO(table)).rows()
    [('TP53', -2.0), ('BAX', 1.5)]
    """
    with open_source(path) as source:
        rows = [(n, text) for n, text in lines(source, Notes()) if not text.startswith("#")]
        name = source.name
    if not rows:
        raise FormatError(name, "no gene in it: give a gene and a statistic a line")
    first = rows[0][1]
    separator = next((s for s in ("\t", ",", ";") if s in first), None)
    cells = [
        (n, [c.strip().strip(_QUOTES).strip() for c in text.split(separator)]) for n, text in rows
    ]
    at_gene, at_statistic, header = _columns(cells[0][1])
    genes, statistics = [], []
    for n, row in cells[header:]:
        if len(row) <= max(at_gene, at_statistic):
            raise FormatError(name, "give a gene and a statistic a line", line=n)
        text = row[at_statistic]
        if plain(text) in ("", "na", "nan", "null", "none") or not row[at_gene]:
            continue
        try:
            value = float(text)
        except ValueError:
            raise FormatError(name, f"{text!r} is not a number", line=n) from None
        if not math.isfinite(value):
            raise FormatError(name, f"{text!r} is not a finite number", line=n)
        genes.append(row[at_gene])
        statistics.append(value)
    if not genes:
        raise FormatError(name, "no gene with a statistic in it")
    return pl.DataFrame({"gene": genes, "statistic": statistics})


def _columns(first: list[str]) -> tuple[int, int, bool]:
    """The columns of genes and statistics, and whether the first row is a header."""
    names = [plain(cell) for cell in first]
    is_gene = [i for i, name in enumerate(names) if name in GENE_HEADERS]
    statistic = [names.index(name) for name in STATISTIC_HEADERS if name in names]
    if statistic and (is_gene or statistic[0] > 0):
        at_gene = is_gene[0] if is_gene else 0
        return at_gene, statistic[0], True
    if len(first) > 1 and not is_gene:
        try:
            float(first[1])
        except ValueError:
            return 0, 1, plain(first[1]) not in ("", "na", "nan")
        return 0, 1, False
    at_gene = is_gene[0] if is_gene else 0
    return at_gene, 1 if at_gene == 0 else 0, bool(is_gene)
