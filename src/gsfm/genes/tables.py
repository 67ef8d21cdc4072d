"""The bundled gene table: one row a human gene, and the genes of mouse and rat beside it.

Inside, a gene is its row in `genes.parquet` (ascending by symbol), and ids are the numbers behind
their prefixes: small files, and lookups among integers. `table` gives all of it in full.
"""

from __future__ import annotations

import functools
import json
from importlib import resources
from typing import Any

import polars as pl

from gsfm.genes.vocab import Vocabulary

# What may stand around a name in a file: blanks (also invisible ones) and quotes.
_AROUND = " \t\r\n\v\f\u00a0\u200b\ufeff\"'`\u2018\u2019\u201c\u201d"

#: Where a gene lies, out of the columns of `genes.parquet`.
PLACE = (
    pl.col("chromosome"),
    pl.col("start").cast(pl.Int64),
    (pl.col("start").cast(pl.Int64) + pl.col("length") - 1).alias("end"),
    pl.col("strand"),
    pl.col("band"),
)


def bare(names: pl.Series) -> pl.Series:
    """Return the names without blanks and quotes around them.

    Examples
    --------
    >>> bare(pl.Series([' "Tp53" '])).to_list()
    ['Tp53']
    """
    return names.str.strip_chars(_AROUND)


def read(name: str, columns: list[str] | None = None) -> pl.DataFrame:
    """Return one of the bundled files, or some columns of it."""
    with resources.as_file(resources.files("gsfm.genes") / "data" / f"{name}.parquet") as path:
        return pl.read_parquet(path, columns=columns)


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
    """Return where the bundled table comes from: sources, releases, licenses, hashes, counts.

    Under ``facts`` the same of what `facts` tells.

    Examples
    --------
    >>> from gsfm import genes
    >>> genes.provenance()["sources"][0]["content"]
    'HGNC, MGI and RGD of 2026-06-25'
    """
    return {**_about("genes"), "facts": _about("facts")}


def _about(name: str) -> dict[str, Any]:
    text = (resources.files("gsfm.genes") / "data" / f"{name}.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@functools.cache
def table() -> pl.DataFrame:
    """Return the gene table: one row an approved human gene, ascending by symbol.

    Returns
    -------
    polars.DataFrame
        ``symbol``, ``name`` (null for some genes approved after 2024-07), ``hgnc_id``,
        ``locus_type``, ``chromosome``, ``start``, ``end``, ``strand``, ``band`` (as `positions`
        has them), ``previous``, ``aliases``, ``entrez_id``, ``ensembl_id``,
        ``ensembl_other`` (of alternative loci), ``uniprot``, ``uniprot_other`` (further
        accessions, mostly unreviewed), ``domains`` (Pfam accessions of its proteins' domains),
        ``mouse``, ``mgi_id``, ``rat``, ``rgd_id``. Where nothing is known, columns of lists have
        an empty list, others null.

    Examples
    --------
    >>> from gsfm import genes
    >>> row = genes.table().row(by_predicate=pl.col("symbol") == "CD8B", named=True)
    >>> row["name"], row["hgnc_id"], row["domains"], row["mouse"]
    ('CD8 subunit beta', 'HGNC:1707', ['PF07686'], ['Cd8b1'])
    """
    genes = read("genes").hstack(read("domains")).with_row_index("gene")
    names = read("names").rename({"name": "text"})
    columns = {
        "previous": "previous",
        "alias": "aliases",
        "uniprot": "uniprot",
        "uniprot (other)": "uniprot_other",
    }
    for kind, column in columns.items():
        listed = names.filter(pl.col("kind") == kind).group_by("gene", maintain_order=True)
        genes = _beside(genes, listed.agg(pl.col("text").alias(column)))
    for species, ids, prefix in (("mouse", "mgi_id", "MGI:"), ("rat", "rgd_id", "RGD:")):
        across = (
            read("orthologs")
            .filter(pl.col("species") == species)
            .select(
                pl.col("symbol").alias(species),
                pl.format(prefix + "{}", "id").alias(ids),
                pl.col("genes").alias("gene"),
            )
            .explode("gene")
            .group_by("gene", maintain_order=True)
        )
        genes = _beside(genes, across.agg(species, ids))
    return genes.select(
        "symbol",
        "name",
        pl.format("HGNC:{}", "hgnc").alias("hgnc_id"),
        "locus_type",
        *PLACE,
        "previous",
        "aliases",
        pl.col("entrez").cast(pl.String).alias("entrez_id"),
        _ensembl(pl.col("ensembl")).alias("ensembl_id"),
        pl.col("ensembl_other").list.eval(_ensembl(pl.element())),
        "uniprot",
        "uniprot_other",
        pl.col("domains").list.eval(_pfam(pl.element())),
        "mouse",
        "mgi_id",
        "rat",
        "rgd_id",
    )


def names_of(symbols: pl.Series) -> pl.Series:
    """The names of genes, null for a symbol that is not an approved one."""
    table = named_genes()
    # Rows are ascending by symbol: a search of a few is faster than a join with all.
    at = table["symbol"].search_sorted(symbols).clip(upper_bound=table.height - 1)
    known = table["symbol"].gather(at) == symbols
    return table["name"].gather(at).zip_with(known, pl.Series([None], dtype=pl.String))


@functools.cache
def named_genes() -> pl.DataFrame:
    """Every approved symbol and its name; `gsfm.genes.table` would read and join far more."""
    return read("genes", ["symbol", "name"])


def _beside(genes: pl.DataFrame, lists: pl.DataFrame) -> pl.DataFrame:
    """Put columns of lists beside the genes; empty lists where a gene has none."""
    nothing = pl.lit([], dtype=pl.List(pl.String))
    return genes.join(lists, on="gene", how="left", maintain_order="left").with_columns(
        pl.col(column).fill_null(nothing) for column in lists.columns if column != "gene"
    )


def _ensembl(number: pl.Expr) -> pl.Expr:
    return pl.format("ENSG{}", number.cast(pl.String).str.zfill(11))


def _pfam(number: pl.Expr) -> pl.Expr:
    return pl.format("PF{}", number.cast(pl.String).str.zfill(5))
