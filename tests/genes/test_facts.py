"""Papers of genes, and which are outside the cell: known genes, and how the file was built."""

from __future__ import annotations

import importlib.util
import sqlite3
import sys
from pathlib import Path

import polars as pl
import pytest

from gsfm import genes

SCRIPT = Path(__file__).parents[2] / "scripts" / "build_gene_facts.py"


def test_famous_genes_have_many_papers_and_others_few() -> None:
    facts = genes.facts(genes.vocabulary().symbols)
    assert facts.height == genes.table().height
    best = facts.sort("papers", descending=True)["symbol"].head(10).to_list()
    assert {"TP53", "TNF", "EGFR"} <= set(best)
    coding = facts.filter(pl.col("locus_type") == "gene with protein product")
    assert 15 < coding["papers"].median() < 100
    assert (coding["papers"] > 0).mean() > 0.98


def test_what_is_outside_the_cell() -> None:
    outside = genes.facts(["ALB", "APOA1", "INS", "CRP", "COL1A1", "MMP9", "IL6", "FGB"])
    assert outside["extracellular"].all()
    # Exosomes and plasma hold these; they do their work within the cell.
    inside = genes.facts(["GAPDH", "ACTB", "TP53", "MSH2", "RPL3", "LMNA"])
    assert not inside["extracellular"].any()
    every = genes.facts(genes.vocabulary().symbols)
    assert 2_000 < every["extracellular"].sum() < 3_500


def test_a_symbol_that_is_none_has_nulls() -> None:
    assert genes.facts(["nonsense"]).row(0) == ("nonsense", None, None, None)
    with pytest.raises(TypeError, match="list of symbols"):
        genes.facts("TP53")


def test_the_provenance_names_the_sources() -> None:
    facts = genes.provenance()["facts"]
    assert "NCBI Gene 2022-09-12" in facts["sources"][0]["content"]
    every = genes.facts(genes.vocabulary().symbols)
    assert every["papers"].sum() == facts["gene-paper links"]
    assert every["extracellular"].sum() == facts["extracellular"]


def test_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    org, go = tmp_path / "org.sqlite", tmp_path / "go.sqlite"
    with sqlite3.connect(org) as database:
        database.executescript(
            """
            CREATE TABLE genes (_id, gene_id);
            CREATE TABLE pubmed (_id, pubmed_id);
            CREATE TABLE go_cc (_id, go_id, evidence);
            INSERT INTO genes VALUES (1, '7157'), (2, '213'), (3, '2597'), (4, '999999999');
            INSERT INTO pubmed VALUES (1, '1'), (1, '1'), (1, '2'), (2, '3'), (4, '9');
            INSERT INTO go_cc VALUES (1, 'GO:0005576', 'HDA'), (2, 'GO:0005615', 'IDA'),
                                     (3, 'GO:0070062', 'IDA');
            """
        )
    with sqlite3.connect(go) as database:
        database.executescript(
            """
            CREATE TABLE go_term (_id, go_id, ontology);
            CREATE TABLE go_cc_parents (_id, _parent_id, relationship_type);
            INSERT INTO go_term VALUES (1, 'GO:0005576', 'CC'), (2, 'GO:0005615', 'CC'),
                                       (3, 'GO:1903561', 'CC'), (4, 'GO:0070062', 'CC');
            INSERT INTO go_cc_parents VALUES (2, 1, 'part of'), (3, 2, 'part of'), (4, 3, 'isa');
            """
        )
    spec = importlib.util.spec_from_file_location("build_gene_facts", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    arguments = ["build", "--org-db", str(org), "--go-db", str(go), "-o", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", arguments)
    script.main()
    built = pl.read_parquet(tmp_path / "facts.parquet")
    rows = genes.table().select("symbol").hstack(built)
    facts = {symbol: rest for symbol, *rest in rows.rows()}
    # Counted once; a high-throughput assay and an exosome place nothing outside.
    assert facts["TP53"] == [2, False]
    assert facts["ALB"] == [1, True]
    assert facts["GAPDH"] == [0, False]
    assert rows["papers"].sum() == 3
