"""Positions of genes: chromosome, first and last base, strand, band."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from gsfm.errors import FormatError, GsfmError, check_type
from gsfm.genes import tables
from gsfm.io.foreign import BED
from gsfm.io.streams import open_source
from gsfm.io.text import head, lines

_LOCUS = r"(?:chr)?([0-9]{1,2}|X|Y):([0-9]+)-([0-9]+)"


def positions(symbols: Iterable[str]) -> pl.DataFrame:
    """Return the positions of genes on GRCh38.

    Parameters
    ----------
    symbols
        Approved symbols, as `resolve` returns them; any other text has nulls.

    Returns
    -------
    polars.DataFrame
        One row for each symbol, in the order of the input: ``symbol``; ``chromosome`` (``"1"`` to
        ``"22"``, ``"X"``, ``"Y"``, ``"MT"``); ``start`` and ``end`` (Int64: the first and the last
        base of the gene, counted from 1 on the forward strand); ``strand`` (Int8: 1 or -1);
        ``band`` (``"17p13.1"``). Unknown values are null: more genes have a chromosome than start,
        end and strand, which are known or unknown together.

    Raises
    ------
    TypeError
        If `symbols` is one string.

    See Also
    --------
    provenance : The source, its release, and how many genes have a position.

    Examples
    --------
    >>> from gsfm import genes
    >>> for row in genes.positions(["TP53", "MYC", "MT-ND1", "no gene"]).rows():
    ...     print(row)
    ('TP53', '17', 7668402, 7687550, -1, '17p13.1')
    ('MYC', '8', 127735434, 127742951, 1, '8q24.21')
    ('MT-ND1', 'MT', None, None, None, None)
    ('no gene', None, None, None, None, None)
    """
    return tables.rows_of(symbols, _table(), "positions")


@functools.cache
def _table() -> pl.DataFrame:
    """Return the positions of all genes; only these columns of the file are read."""
    stored = ["symbol", "chromosome", "start", "length", "strand", "band"]
    return tables.read("genes", stored).select("symbol", *tables.PLACE)


def within(locus: str) -> list[str]:
    """Return the genes that overlap a region of GRCh38.

    Parameters
    ----------
    locus
        ``"chr7:117000000-118000000"``: the first and the last base, counted from 1; ``chr`` and
        commas in the numbers are optional.

    Returns
    -------
    list of str
        Approved symbols, in the order of their first bases, without genes of unknown position.

    Raises
    ------
    GsfmError
        If `locus` does not have this form, or no gene overlaps it.

    Examples
    --------
    >>> from gsfm import genes
    >>> genes.within("chr7:117,450,000-117,700,000")
    ['CFTR', 'CFTR-AS1']
    """
    check_type(str, "one text", locus=locus)
    parts = re.fullmatch(_LOCUS, locus.replace(",", "").strip(), re.IGNORECASE)
    known = _table().drop_nulls("start")
    chromosome = parts[1].upper() if parts else ""
    if not parts or chromosome not in known["chromosome"].unique() or int(parts[2]) > int(parts[3]):
        raise GsfmError(
            f"{locus!r} is no place on the genome: write it as chr7:117000000-118000000, with the "
            "first and the last base, on chromosome 1 to 22, X or Y of GRCh38"
        )
    first, last = int(parts[2]), int(parts[3])
    inside = pl.col("chromosome") == chromosome, pl.col("start") <= last, pl.col("end") >= first
    found = known.filter(*inside).sort("start", "symbol")["symbol"].to_list()
    if not found:
        raise GsfmError(f"no gene lies in {locus} of GRCh38; is it the right assembly?")
    return found


def read_bed(path: str | Path) -> list[str] | None:
    """Return the intervals of a BED file as `within` takes them; None if it is no BED file.

    Raises
    ------
    FormatError
        If a line is no interval.
    """
    with open_source(path) as source:
        if not re.match(BED, head(source)[:8192].decode("utf-8", "replace")):
            return None
        found = []
        for number, line in lines(source):
            if not line.strip() or line.startswith(("track", "browser", "#")):
                continue
            cells = line.split()
            if len(cells) < 3 or not (cells[1].isdigit() and cells[2].isdigit()):
                raise FormatError(source.name, "this is no interval of BED", line=number)
            found.append(f"{cells[0]}:{int(cells[1]) + 1}-{cells[2]}")
    return found
