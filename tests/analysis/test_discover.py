"""Biomarkers, targets and understudied genes: known biology, leave-one-out, and bad input."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from gsfm import GeneSets, GsfmError, UnknownGenesError, UnknownTermError, genes, libraries
from gsfm.analysis import annotate, biomarkers, complete, targets, term, understudied
from gsfm.analysis.discover.few_papers import COLUMNS as OF_UNDERSTUDIED
from gsfm.analysis.discover.members import COLUMNS, FAMILIES, PLACES
from gsfm.analysis.term_scores import MISSING

ACUTE_PHASE = ["CRP", "SAA1", "FGA", "HP", "ORM1"]
ERBB = ["EGFR", "ERBB2", "GRB2", "SHC1"]


# -- biomarkers ------------------------------------------------------------------------------------


def test_biomarkers_of_the_acute_phase_are_secreted(shipped):
    found = biomarkers(ACUTE_PHASE, which="new", top=20, model=shipped).table
    assert {"FGB", "FGG", "SAA2", "SERPINA1", "APOA1"} <= set(found["symbol"])
    assert found["kind"].list.contains("secreted").sum() >= 17
    reason = dict(found.select("symbol", "reason").rows())["SERPINA1"]
    assert reason == ["extracellular region (GO:0005576)"]
    assert not found["annotated"].any()


def test_every_biomarker_is_outside_the_cell(shipped):
    found = biomarkers("GO:0006281", top=100, model=shipped).table
    outside = set(genes.facts(found["symbol"]).filter("extracellular")["symbol"])
    places = ("go-cc", "protein-classes")
    by_id = {i: one for one in places for i in libraries.load(one).metadata["id"]}
    at = {i: set(libraries.find(i, by_id[i]).genes) for kind in PLACES for i in kind.terms}
    for symbol, kinds in found.select("symbol", "kind").rows():
        assert ("secreted" in kinds) == (symbol in outside)
        assert ("cell surface" in kinds) == any(symbol in at[i] for i in PLACES[1].terms)
        assert ("blood plasma" in kinds) == any(symbol in at[i] for i in PLACES[2].terms)
    # Nuclear proteins are none, whatever the exosome's mass spectrometry has.
    assert not {"RAD51", "TP53", "MSH2", "GAPDH"} & set(found["symbol"])


# -- targets ---------------------------------------------------------------------------------------


def test_targets_of_the_erbb_pathway_are_kinases(shipped):
    found = targets(ERBB, top=10, model=shipped).table
    assert {"EGFR", "ERBB2", "ERBB3", "ERBB4", "SRC"} <= set(found["symbol"])
    assert found["kind"].list.contains("protein kinase").mean() >= 0.8
    assert dict(found.select("symbol", "annotated").rows())["EGFR"]
    assert not {"GRB2", "SHC1"} & set(found["symbol"])


@pytest.mark.parametrize(
    ("family", "are", "are_not"),
    [
        (
            "protein kinase",
            "ABL1 BRAF EGFR ERBB3 MTOR ATM PDK1 RIOK1 HASPIN",
            "PTEN TP53 CDKN1A CCL2 NRP1 BRD4 TOP1 PKM TRRAP",
        ),
        ("lipid kinase", "PIK3CA PI4KA PIP5K1A SPHK1 DGKA", "KRAS PIK3R1 ATM MTOR TRRAP"),
        ("GPCR", "ADRB1 DRD2 OPRM1 GLP1R GRM5 SMO", "OR5A1 GNAS"),
        ("nuclear receptor", "ESR1 AR PPARG NR3C1", "STAT3 MYC"),
        ("ion channel", "SCN5A KCNH2 CFTR GABRA1 CACNA1C", "ACTB"),
        ("transporter", "SLC6A4 ABCB1 SLC5A2 ATP4A", "ALB"),
        ("protease", "DPP4 F10 ACE MMP9 REN", "SERPINA1"),
        ("phosphodiesterase", "PDE5A PDE4B", "PLCG1"),
        ("histone deacetylase", "HDAC1 HDAC6", "EP300"),
        ("cytochrome P450", "CYP19A1 CYP17A1", "POR"),
    ],
)
def test_families_hold_what_drugs_bind(shipped, family, are, are_not):
    found = targets([*are.split(), *are_not.split()], top=None, model=shipped).table
    kinds = dict(found.select("symbol", "kind").rows())
    assert all(family in kinds[gene] for gene in are.split())
    assert not any(family in kinds.get(gene, []) for gene in are_not.split())
    assert family in {kind.name for kind in FAMILIES}


# -- both ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ask", [biomarkers, targets])
def test_the_numbers_are_those_of_the_term(shipped, ask):
    found = ask("chloride transport", library="go-bp", top=30, model=shipped)
    whole = term("chloride transport", "go-bp", top=None, which="all", model=shipped).table
    columns = ["annotated", "score", "z_score", "probability", "gene_rank"]
    both = found.table.join(whole, on="symbol", suffix="_there", maintain_order="left")
    assert both.height == 30
    for name in columns:
        np.testing.assert_allclose(both[name], both[f"{name}_there"], rtol=1e-4)
    assert both["rank_there"].is_sorted()
    assert found.provenance["set"]["name"] == "chloride transport (GO:0006821)"


@pytest.mark.parametrize("ask", [biomarkers, targets])
def test_a_term_misses_a_fifth_and_a_list_a_half(shipped, ask):
    of_term = ask("chloride transport", library="go-bp", top=5, model=shipped)
    of_genes = ask(ERBB, top=5, which="new", model=shipped)
    for found, share, words in ((of_term, MISSING, "random 80% of"), (of_genes, 0.5, "half of")):
        assert found.provenance["missing_fraction"] == share
        assert words in found.provenance["columns"]["probability"]
    whole = complete(ERBB, top=None, model=shipped).table.select("symbol", wanted="probability")
    both = of_genes.table.join(whole, on="symbol", maintain_order="left")
    np.testing.assert_allclose(both["probability"], both["wanted"], rtol=1e-4)


@pytest.mark.parametrize("ask", [biomarkers, targets])
def test_which_genes_are_shown(shipped, ask):
    every = ask(ERBB, top=None, model=shipped).table
    parts = [ask(ERBB, top=5, which=which, model=shipped).table for which in ("annotated", "new")]
    for part in parts:
        same = every.filter(pl.col("symbol").is_in(part["symbol"].to_list()))
        assert same["rank"].to_list() == part["rank"].to_list()
    assert parts[0]["annotated"].all()
    assert not parts[1]["annotated"].any()
    some = ask(ERBB, background=["ERBB3", "MET", "ALB", "nonsense", "EGFR"], model=shipped)
    assert set(some.table["symbol"]) <= {"ERBB3", "MET", "ALB", "EGFR"}
    assert some.table["rank"].to_list() == list(range(1, len(some) + 1))
    assert some.unmapped == ["nonsense"]
    there = every.filter(pl.col("symbol") == "MET").row(0, named=True)
    here = some.table.filter(pl.col("symbol") == "MET").row(0, named=True)
    assert {**there, "rank": 0} == {**here, "rank": 0}


def test_what_is_told(shipped):
    found = targets(["p185erbb2", "Egfr", "nonsense"], top=3, model=shipped)
    assert found.unmapped[-1] == "nonsense"
    assert (
        set(found.provenance["columns"]) == set(found.table.columns) == {*COLUMNS, "kind", "drugs"}
    )
    assert {"erlotinib", "gefitinib"} <= set(found.table["drugs"].explode())
    assert json.loads(json.dumps(found.to_dict()))["results"][0]["kind"] == ["protein kinase"]
    assert "protein kinase" in found.summary()
    assert "3 targets of the input genes" in repr(found)


@pytest.mark.parametrize("ask", [biomarkers, targets])
def test_bad_questions(small, ask):
    with pytest.raises(UnknownTermError, match="like it: chloride transport"):
        ask("chlorid transport", library="go-bp", model=small)
    with pytest.raises(UnknownGenesError, match="no gene of the set is known"):
        ask(["nonsense"], model=small)
    with pytest.raises(UnknownGenesError, match="it needs at least 2"):
        ask(["TP53"], model=small)
    with pytest.raises(UnknownGenesError, match="no gene of the background is known"):
        ask(["TP53", "EGFR"], background=["nonsense"], model=small)
    with pytest.raises(ValueError, match="top"):
        ask(["TP53", "EGFR"], top=0, model=small)
    with pytest.raises(ValueError, match="which"):
        ask(["TP53", "EGFR"], which="some", model=small)


# -- understudied ----------------------------------------------------------------------------------

FEW = ["TAS2R41", "TAS2R45", "CLDN24", "UPRT", "PSTK", "OR5D3", "ZNF888"]


@pytest.fixture(scope="module")
def terms() -> GeneSets:
    """Some terms of GO, among them bitter taste."""
    go = libraries.load("go-bp")
    at = go.metadata["id"].to_list().index("GO:0050913")
    rows = np.random.default_rng(0).choice(len(go), 300, replace=False)
    return go[np.union1d(rows, [at])]


def test_understudied_genes_and_what_they_do(shipped, terms):
    found = understudied(terms, background=[*FEW, "TP53", "MALAT1"], model=shipped).table
    assert not {"TP53", "MALAT1"} & set(found["symbol"])
    assert found["papers"].max() <= 20
    assert found["symbol"][0].startswith("TAS2R")
    assert found["term"][0] == "sensory perception of bitter taste"
    assert found["probability"][0] > 0.9
    assert found["split_half_auroc"][0] > 0.9
    assert found["rank"].to_list() == list(range(1, len(found) + 1))


def test_the_numbers_are_those_of_annotate(shipped, terms):
    found = understudied(
        terms, background=FEW, top_terms=3, max_size=10**6, min_size=1, model=shipped
    )
    for symbol in ("TAS2R41", "UPRT"):
        mine = found.table.filter(pl.col("symbol") == symbol)
        theirs = annotate(symbol, terms, which="new", top=3, model=shipped).table
        columns = [
            "id",
            "size",
            "support",
            "score",
            "probability",
            "z_score_across_terms",
            "split_half_auroc",
        ]
        assert mine["id"].to_list() == theirs["id"].to_list()
        for name in columns[1:]:
            np.testing.assert_allclose(mine[name], theirs[name], rtol=1e-4)
    assert found.provenance["missing_fraction"] == MISSING
    assert "are a random 80% of the whole set" in found.provenance["columns"]["probability"]
    best = found.table.group_by("rank", maintain_order=True).first()["support"]
    assert best.is_sorted(descending=True)
    known = annotate("PSTK", terms, which="annotated", top=None, fast=True, model=shipped)
    annotated = found.table.filter(pl.col("symbol") == "PSTK")["annotated_terms"]
    assert annotated.to_list() == [len(known)] * 3


def test_settings_of_understudied(shipped, terms):
    tight = understudied(terms, background=FEW, max_papers=8, max_size=20, top=2, model=shipped)
    assert len(tight) == 2
    assert tight.table["papers"].max() <= 8
    assert tight.table["size"].max() <= 20
    assert set(tight.provenance["columns"]) == set(tight.table.columns) == set(OF_UNDERSTUDIED)
    assert "coding genes of up to 8 papers" in tight.summary()
    everything = understudied(terms, background=[*FEW, "LINC01000"], coding=False, model=shipped)
    assert "LINC01000" in everything.table["symbol"].to_list()


def test_bad_questions_of_understudied(small, terms):
    with pytest.raises(GsfmError, match="knows no coding gene of up to 20 papers"):
        understudied("go-bp", model=small)
    with pytest.raises(GsfmError, match=r"no term of .* has 4,000 to 5,000 genes"):
        understudied("go-bp", min_size=4000, max_size=5000, model=small)
    with pytest.raises(GsfmError, match=r"no library 'go-bb'.*did you mean 'go-bp'"):
        understudied("go-bb", model=small)
    with pytest.raises(UnknownGenesError, match="background"):
        understudied("go-bp", background=["nonsense"], model=small)
    for setting in ({"max_papers": -1}, {"top_terms": 0}, {"top": 0}):
        with pytest.raises(ValueError, match=next(iter(setting))):
            understudied("go-bp", **setting, model=small)
