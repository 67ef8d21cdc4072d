"""Facts about genes: the number of papers, and whether the protein is outside the cell."""

from __future__ import annotations

import functools
from collections.abc import Iterable

import polars as pl

from gsfm.genes import tables


def facts(symbols: Iterable[str]) -> pl.DataFrame:
    """Return the number of papers of genes, and whether their proteins are outside the cell.

    Parameters
    ----------
    symbols
        Approved symbols, as `resolve` returns them; any other text has nulls.

    Returns
    -------
    polars.DataFrame
        One row for each symbol, in the order of the input: ``symbol``; ``locus_type`` (of HGNC);
        ``papers`` (UInt32: papers that NCBI linked to the gene by 2022-09-12); ``extracellular``
        (whether the Gene Ontology annotates it with the extracellular region, except for
        extracellular vesicles and high-throughput assays).

    Raises
    ------
    TypeError
        If `symbols` is one string.

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
    return tables.rows_of(symbols, _table(), "facts")


@functools.cache
def _table() -> pl.DataFrame:
    return tables.read("genes", ["symbol", "locus_type"]).hstack(tables.read("facts"))
