"""Where genes lie: chromosome, first and last base, strand, band."""

from __future__ import annotations

import functools
from collections.abc import Iterable

import polars as pl

from gsfm.genes import _table


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
    return _table.read("genes", stored).select("symbol", *_table.PLACE)
