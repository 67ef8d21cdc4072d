"""Where genes lie: chromosome, first and last base, strand, band."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

import polars as pl

from gsfm.errors import GsfmError
from gsfm.genes import tables

_LOCUS = r"(?:chr)?([0-9]{1,2}|X|Y):([0-9]+)-([0-9]+)"


def positions(symbols: Iterable[str]) -> pl.DataFrame:
    """Return where genes lie on GRCh38: one row a symbol, in the order given.

    Parameters
    ----------
    symbols
        Approved symbols, as `resolve` gives them; one that is no approved symbol has nulls.

    Returns
    -------
    polars.DataFrame
        ``symbol``; ``chromosome`` (``"1"`` to ``"22"``, ``"X"``, ``"Y"``, ``"MT"``); ``start`` and
        ``end`` (Int64: the first and the last base, both of the gene, counted from 1, whatever the
        strand); ``strand`` (Int8: 1 or -1); ``band`` (``"17p13.1"``). Null where unknown: the
        chromosome is known of more genes than start, end and strand, which are known or unknown
        together.

    Raises
    ------
    TypeError
        If `symbols` is one text.

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
    if isinstance(symbols, str):
        raise TypeError(f"positions takes a list of symbols: use [{symbols!r}]")
    given = pl.Series("symbol", list(symbols), dtype=pl.String).to_frame()
    return given.join(_known(), on="symbol", how="left", maintain_order="left")


@functools.cache
def _known() -> pl.DataFrame:
    """Return the positions of all genes, by row; of the file only these columns are read."""
    stored = ["symbol", "chromosome", "start", "length", "strand", "band"]
    return tables.read("genes", stored).select("symbol", *tables.PLACE)


def within(locus: str) -> list[str]:
    """Return the genes that lie in a part of a chromosome of GRCh38, wholly or in part.

    Parameters
    ----------
    locus
        ``"chr7:117000000-118000000"``: the first and the last base, counted from 1; ``chr`` and
        commas in the numbers may be there or not.

    Returns
    -------
    list of str
        Approved symbols, in the order of their first bases. Genes without a known position are
        never among them.

    Raises
    ------
    GsfmError
        If `locus` is no such text, or no gene lies there.

    Examples
    --------
    >>> from gsfm import genes
    >>> genes.within("chr7:117,450,000-117,700,000")
    ['CFTR', 'CFTR-AS1']
    """
    parts = re.fullmatch(_LOCUS, locus.replace(",", "").strip(), re.IGNORECASE)
    known = _known().drop_nulls("start")
    chromosome = parts[1].upper() if parts else ""
    if not parts or chromosome not in known["chromosome"].unique() or int(parts[2]) > int(parts[3]):
        raise GsfmError(
            f"{locus!r} is no place on the genome: it is written chr7:117000000-118000000, with "
            "the first and the last base, on chromosome 1 to 22, X or Y of GRCh38"
        )
    first, last = int(parts[2]), int(parts[3])
    there = pl.col("chromosome") == chromosome, pl.col("start") <= last, pl.col("end") >= first
    found = known.filter(*there).sort("start", "symbol")["symbol"].to_list()
    if not found:
        raise GsfmError(f"no gene lies in {locus} of GRCh38; is it the right assembly?")
    return found
