"""What is known of genes beside who they are: how well studied, and whether outside the cell."""

from __future__ import annotations

import functools
from collections.abc import Iterable

import polars as pl

from gsfm.genes import tables


def facts(symbols: Iterable[str]) -> pl.DataFrame:
    """Return how many papers genes have, and whether their proteins are outside the cell.

    Parameters
    ----------
    symbols
        Approved symbols, as `resolve` gives them; one that is no approved symbol has nulls.

    Returns
    -------
    polars.DataFrame
        One row a symbol, in the order given: ``symbol``; ``locus_type`` (of HGNC);
        ``papers`` (UInt32: papers that NCBI linked to the gene by 2022-09-12); ``extracellular``
        (whether the Gene Ontology places it in the extracellular region, extracellular vesicles and
        high-throughput assays not counted).

    Raises
    ------
    TypeError
        If `symbols` is one text.

    Examples
    --------
    >>> from gsfm import genes
    >>> for row in genes.facts(["TP53", "ALB", "C1orf141", "no gene"]).rows():
    ...     print(row)
    ('TP53', 'gene with protein product', 11067, False)
    ('ALB', 'gene with protein product', 695, True)
    ('C1orf141', 'gene with protein product', 8, False)
    ('no gene', None, None, None)
    """
    if isinstance(symbols, str):
        raise TypeError(f"facts takes a list of symbols: use [{symbols!r}]")
    given = pl.Series("symbol", list(symbols), dtype=pl.String).to_frame()
    return given.join(_known(), on="symbol", how="left", maintain_order="left")


@functools.cache
def _known() -> pl.DataFrame:
    return tables.read("genes", ["symbol", "locus_type"]).hstack(tables.read("facts"))
