"""The bundled gene table: one row for each human gene, with its mouse and rat orthologs.

In the files, a gene is its row in `genes.parquet` (ascending by symbol), and an id is the number
after its prefix, for small files and lookups of integers. `table` returns all of it in full.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable
from importlib import resources
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm.errors import check_type
from gsfm.genes.vocab import Vocabulary

_DATA = resources.files("gsfm.genes") / "data"

# Characters around names in files: white space (also invisible) and quotes.
_AROUND = " \t\r\n\v\f\u00a0\u200b\ufeff\"'`\u2018\u2019\u201c\u201d"

#: Columns of `table`, by the kinds of names in the file.
_NAMES = {
    "previous": "previous",
    "alias": "aliases",
    "uniprot": "uniprot",
    "uniprot (other)": "uniprot_other",
}

#: The position of a gene, from the columns of `genes.parquet`.
PLACE = (
    pl.col("chromosome"),
    pl.col("start").cast(pl.Int64),
    (pl.col("start").cast(pl.Int64) + pl.col("length") - 1).alias("end"),
    pl.col("strand"),
    pl.col("band"),
)


def bare(names: pl.Series) -> pl.Series:
    """Return the names without white space and quotes around them.

    Examples
    --------
    >>> bare(pl.Series([' "Tp53" '])).to_list()
    ['Tp53']
    """
    return names.str.strip_chars(_AROUND)


def encode(values: pl.Series) -> tuple[pl.Series, NDArray[np.uint32]]:
    """Return the distinct values, by first appearance, and the position of each value in them.

    Examples
    --------
    >>> distinct, positions = encode(pl.Series(["b", "a", "b"]))
    >>> distinct.to_list(), positions.tolist()
    (['b', 'a'], [0, 1, 0])
    """
    distinct = values.unique(maintain_order=True)
    if len(distinct) == len(values):
        return distinct, np.arange(len(values), dtype=np.uint32)
    rows = distinct.to_frame("value").with_row_index("row")
    table = values.to_frame("value")
    found = table.join(rows, on="value", how="left", nulls_equal=True, maintain_order="left")
    return distinct, found["row"].to_numpy()


def read(name: str, columns: list[str] | None = None) -> pl.DataFrame:
    """Return one of the bundled files, or some columns of it."""
    with resources.as_file(_DATA / f"{name}.parquet") as path:
        return pl.read_parquet(path, columns=columns)


def rows_of(symbols: Iterable[str], table: pl.DataFrame, caller: str) -> pl.DataFrame:
    """Return the rows of a table for these symbols, in order; null for other texts."""
    if isinstance(symbols, str):
        raise TypeError(f"{caller} takes a list of symbols: use [{symbols!r}]")
    check_type(Iterable, "a list of symbols", symbols=symbols)
    try:
        query = pl.Series("symbol", list(symbols), dtype=pl.String).to_frame()
    except TypeError:
        raise TypeError(f"{caller} takes a list of symbols, which are texts") from None
    return query.join(table, on="symbol", how="left", maintain_order="left")


@functools.cache
def symbols() -> pl.Series:
    """Return the approved symbols, by row."""
    return read("genes", ["symbol"])["symbol"]


@functools.cache
def vocabulary() -> Vocabulary:
    """Return the vocabulary of all approved symbols, ascending.

    The same object each time: about 45 thousand genes, read once.

    Examples
    --------
    >>> from gsfm import genes
    >>> "TP53" in genes.vocabulary()
    True
    """
    return Vocabulary(symbols())


def provenance() -> dict[str, Any]:
    """Return the provenance of the bundled table: sources, releases, licenses, hashes, counts.

    ``facts`` has the same for the data of `facts`, and ``accessions`` for further identifiers.

    Examples
    --------
    >>> from gsfm import genes
    >>> genes.provenance()["sources"][0]["content"]
    'HGNC, MGI and RGD of 2026-06-25'
    """
    genes, facts, accessions = (
        json.loads((_DATA / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("genes", "facts", "accessions")
    )
    return {**genes, "facts": facts, "accessions": accessions}


@functools.cache
def table() -> pl.DataFrame:
    """Return the gene table: one row for each approved human gene, ascending by symbol.

    Returns
    -------
    polars.DataFrame
        ``symbol``, ``name`` (null for some genes approved after 2024-07), ``hgnc_id``,
        ``locus_type``, ``chromosome``, ``start``, ``end``, ``strand``, ``band`` (as in
        `positions`), ``previous``, ``aliases``, ``entrez_id``, ``ensembl_id``,
        ``ensembl_other`` (of alternative loci), ``uniprot``, ``uniprot_other`` (further
        accessions, mostly unreviewed), ``domains`` (Pfam accessions of its proteins' domains),
        ``mouse``, ``mgi_id``, ``rat``, ``rgd_id``. Missing values are empty lists in columns of
        lists, and null in the others.

    Examples
    --------
    >>> from gsfm import genes
    >>> row = genes.table().row(by_predicate=pl.col("symbol") == "CD8B", named=True)
    >>> row["name"], row["hgnc_id"], row["domains"], row["mouse"]
    ('CD8 subunit beta', 'HGNC:1707', ['PF07686'], ['Cd8b1'])
    """
    genes = read("genes").hstack(read("domains")).with_row_index("gene")
    names = read("names").rename({"name": "text"})
    lists = [
        names.filter(pl.col("kind") == kind).select("gene", pl.col("text").alias(column))
        for kind, column in _NAMES.items()
    ]
    orthologs = read("orthologs").rename({"genes": "gene"}).explode("gene")
    for species, column, prefix in (("mouse", "mgi_id", "MGI:"), ("rat", "rgd_id", "RGD:")):
        ids = pl.format(prefix + "{}", "id").alias(column)
        own = orthologs.filter(pl.col("species") == species)
        lists.append(own.select("gene", pl.col("symbol").alias(species), ids))
    for entries in lists:
        listed = entries.group_by("gene", maintain_order=True).agg(pl.all())
        genes = genes.join(listed, on="gene", how="left", maintain_order="left")
    texts = pl.List(pl.String)
    genes = genes.with_columns(pl.col(texts).fill_null(pl.lit([], texts)))
    return genes.select(
        pl.col("symbol", "name"),
        pl.format("HGNC:{}", "hgnc").alias("hgnc_id"),
        "locus_type",
        *PLACE,
        pl.col("previous", "aliases"),
        pl.col("entrez").cast(pl.String).alias("entrez_id"),
        _accession("ENSG", pl.col("ensembl"), 11).alias("ensembl_id"),
        pl.col("ensembl_other").list.eval(_accession("ENSG", pl.element(), 11)),
        pl.col("uniprot", "uniprot_other"),
        pl.col("domains").list.eval(_accession("PF", pl.element(), 5)),
        pl.col("mouse", "mgi_id", "rat", "rgd_id"),
    )


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
    return rows_of(symbols, _facts(), "facts")


@functools.cache
def _facts() -> pl.DataFrame:
    return read("genes", ["symbol", "locus_type"]).hstack(read("facts"))


def names_of(symbols: pl.Series) -> pl.Series:
    """Return the names of genes, null for other symbols than approved ones."""
    table = named_genes()
    # Rows are ascending by symbol: a search for a few is faster than a join with all.
    at = table["symbol"].search_sorted(symbols).clip(upper_bound=table.height - 1)
    approved = table["symbol"].gather(at) == symbols
    return table["name"].gather(at).zip_with(approved, pl.Series([None], dtype=pl.String))


@functools.cache
def named_genes() -> pl.DataFrame:
    """Return every approved symbol and its name; `gsfm.genes.table` reads and joins far more."""
    return read("genes", ["symbol", "name"])


def _accession(prefix: str, number: pl.Expr, digits: int) -> pl.Expr:
    return pl.format(prefix + "{}", number.cast(pl.String).str.zfill(digits))
