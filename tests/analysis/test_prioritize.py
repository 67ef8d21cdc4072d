"""Candidates for a phenotype: known disease genes in their loci, leave-one-out, and bad input."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsfm import GeneSets, GsfmError, UnknownGenesError, UnknownTermError, genes, libraries
from gsfm.analysis import prioritize, term
from gsfm.analysis.prioritization import ALIKE, COLUMNS, SEEDS, TERM_COLUMNS
from gsfm.models import Cooccurrence, Linear, Popularity

FANCONI = ["FANCA", "FANCC", "FANCE", "FANCF", "FANCG", "FANCL", "FANCB", "BRCA2", "PALB2"]
RETINITIS = ["RHO", "USH2A", "PDE6B", "PDE6A", "CRB1", "EYS", "RPGR", "ABCA4", "CNGB1", "RLBP1"]
KALLMANN = ["GNRHR", "KISS1R", "TACR3", "GNRH1", "PROKR2", "FGFR1", "CHD7"]


# -- known disease genes among their neighbors ----------------------------------------------------


@pytest.mark.parametrize(
    ("seeds", "hidden", "locus"),
    [
        (FANCONI, "FANCD2", "chr3:8000000-12000000"),
        (RETINITIS, "RPE65", "chr1:66,500,000-70,500,000"),
        (KALLMANN, "KISS1", "1:202000000-207000000"),
    ],
)
def test_a_disease_gene_is_first_in_its_locus(shipped, seeds, hidden, locus):
    found = prioritize(locus, seeds=seeds, top=None, why=False, model=shipped)
    first = found.table.row(0, named=True)
    assert first["symbol"] == hidden
    assert not first["annotated"]
    assert first["p_value"] <= 0.005
    assert first["percentile"] > 99.5
    assert found.table.height > 15
    explained = prioritize(locus, seeds=seeds, top=1, model=shipped).table.row(0, named=True)
    assert {one.split()[0] for one in explained.pop("why")} <= set(seeds)
    assert explained == first


def test_the_gene_of_cystic_fibrosis_is_known_and_found_without_itself(shipped):
    terms = ["GO:0006821", "GO:0042045"]
    found = prioritize("chr7:115000000-119000000", terms=terms, library="go-bp", model=shipped)
    first = found.table.row(0, named=True)
    assert (first["symbol"], first["annotated"]) == ("CFTR", True)
    assert found.table["annotated"].sum() == 1
    assert not any(one.startswith("CFTR") for one in first["why"])
    assert len(found.seeds) == SEEDS


def test_one_term_gives_what_the_term_itself_gives(shipped):
    few = ["ATM", "RAD51", "PARP1", "INS", "TRIP13"]
    repair = ["ATM", "RAD51", "BRCA1", "BRCA2", "PALB2", "CHEK2", "TRIP13", "MRE11"]
    library = {"repair": repair, "hormones": ["INS", "GCG", "SST", "PPY"]}
    found = prioritize(few, terms="repair", library=library, why=False, model=shipped).table
    whole = term("repair", library, top=None, model=shipped).table
    whole = whole.filter(pl.col("symbol").is_in(few))
    columns = ["symbol", "annotated", "score", "z_score", "probability", "gene_rank"]
    np.testing.assert_allclose(
        found.sort("symbol").select(columns[2:]).to_numpy(),
        whole.sort("symbol").select(columns[2:]).to_numpy(),
        rtol=1e-4,
    )
    assert (
        found.sort("symbol")["annotated"].to_list() == whole.sort("symbol")["annotated"].to_list()
    )


# -- what the numbers are --------------------------------------------------------------------------


def test_a_seed_is_scored_by_the_others(small, worlds):
    seeds = worlds[0][:4]
    found = prioritize([seeds[0], "EGFR"], seeds=seeds, model=small)
    rows = {row["symbol"]: row for row in found}
    alone = small.score([seeds[1:]])[0]
    assert rows[seeds[0]]["score"] == pytest.approx(alone[small.vocabulary.ids([seeds[0]])[0]])
    assert rows[seeds[0]]["annotated"]
    assert not rows["EGFR"]["annotated"]
    whole = small.score([seeds])[0]
    assert rows["EGFR"]["score"] == pytest.approx(whole[small.vocabulary.ids(["EGFR"])[0]])


def test_the_p_value_is_among_genes_as_popular(shipped):
    found = prioritize(["TP53", "FANCD2", "OR5D3"], seeds=FANCONI, model=shipped).table
    p = dict(found.select("symbol", "p_value").rows())
    # TP53 is near everything; among genes as famous it is less special than FANCD2.
    assert p["FANCD2"] < 0.01 < p["OR5D3"]
    assert p["FANCD2"] <= p["TP53"]
    assert found["p_value"].min() >= 1 / (1 + ALIKE)


@given(
    st.lists(st.integers(0, 23), min_size=1, max_size=8, unique=True),
    st.lists(st.integers(0, 23), min_size=2, max_size=8, unique=True),
)
def test_candidates_do_not_change_each_other(small, worlds, candidates, seeds):
    every = [gene for world in worlds for gene in world]
    named, given_seeds = [every[i] for i in candidates], [every[i] for i in seeds]
    together = prioritize(named, seeds=given_seeds, top=None, why=False, model=small).table
    turned = prioritize(
        named[::-1], seeds=given_seeds[::-1], top=None, why=False, model=small
    ).table
    assert together.rows() == turned.rows()
    assert sorted(together["symbol"]) == sorted(named)
    assert together["z_score"].is_sorted(descending=True)
    assert together["p_value"].is_between(0, 1, closed="right").all()
    assert together["percentile"].is_between(0, 100).all()
    assert together["annotated"].to_list() == [s in given_seeds for s in together["symbol"]]
    for row in together.drop("rank").iter_rows():
        alone = prioritize([row[0]], seeds=given_seeds, why=False, model=small).table.drop("rank")
        assert alone.row(0) == pytest.approx(row, nan_ok=True)


@pytest.mark.parametrize("family", [Cooccurrence, Popularity, Linear])
def test_any_family_and_no_calibration(family, worlds):
    rows = GeneSets.from_lists([world[i : i + 4] for world in worlds for i in range(5)] * 3)
    found = prioritize([*worlds[0][4:6], "EGFR"], seeds=worlds[0][:4], model=family().fit(rows))
    assert "probability" not in found.table.columns
    if family is not Popularity:
        assert set(found.table["symbol"][:2]) == set(worlds[0][4:6])


# -- several terms ---------------------------------------------------------------------------------


@pytest.fixture
def library(tmp_path):
    """Terms of which two are the phenotype, and many that a famous gene has."""
    path = tmp_path / "signs.gmt"
    rows = {
        "fever": ["TP53", "MDM2", "CDKN1A", "EGFR"],
        "rash": ["TP53", "MDM2", "BAX", "ERBB2"],
        **{f"sign {i}": ["TP53", "KRAS", "MYC"] for i in range(20)},
    }
    text = "".join("\t".join([name, "", *ids]) + "\n" for name, ids in rows.items())
    path.write_text(text)
    return path


def test_seeds_of_several_terms_are_the_genes_with_terms_like_these(small, library, monkeypatch):
    monkeypatch.setattr("gsfm.analysis.prioritization.SEEDS", 2)
    found = prioritize(["BBC3"], terms=["fever", "rash"], library=library, why=False, model=small)
    # MDM2 has both and nothing else; TP53 has both among many; each other has one alone.
    assert found.seeds[0] == "MDM2" or "MDM2" in found.seeds
    assert "TP53" not in found.seeds
    assert found.provenance["phenotype"]["chosen"].startswith("the 2 genes")
    every = prioritize(["BBC3"], terms=["fever"], library=library, why=False, model=small)
    assert sorted(every.seeds) == ["CDKN1A", "EGFR", "MDM2", "TP53"]


def test_each_term_alone_is_told(small, library):
    found = prioritize(["CDKN1A", "KRAS"], terms=["fever", "rash"], library=library, model=small)
    assert found.by_term.columns[1:] == ["library", "id", "term", *TERM_COLUMNS]
    terms_of_gene = found.by_term.filter(pl.col("symbol") == "CDKN1A")
    assert dict(terms_of_gene.select("term", "annotated").rows()) == {"fever": True, "rash": False}
    best = terms_of_gene.sort("z_score")["term"][-1]
    assert found.table.filter(pl.col("symbol") == "CDKN1A")["term"].to_list() == [best]
    assert found.by_term["symbol"].unique(maintain_order=True).to_list() == list(
        found.table["symbol"]
    )


def test_terms_and_seeds_together(small, library):
    found = prioritize(["BBC3"], terms="fever", seeds=["RAD51"], library=library, model=small)
    assert sorted(found.seeds) == ["CDKN1A", "EGFR", "MDM2", "RAD51", "TP53"]
    assert "and the input seeds" in found.summary()


# -- the report ------------------------------------------------------------------------------------


def test_every_identifier_is_accounted_for(small, worlds):
    found = prioritize(["hdm2", "nonsense", "ALB"], seeds=["p53", "CDKN1A", "no gene"], model=small)
    assert found.unmapped == ["nonsense", "no gene"]
    assert found.not_in_model == ["ALB"]
    assert "hdm2 = MDM2" in found.summary()
    assert "1 candidates (0 annotated), by 2 seeds: the input seeds" in found.summary()


def test_the_provenance_explains_every_column(small, library):
    found = prioritize(["BBC3", "TP53"], terms=["fever", "rash"], library=library, model=small)
    assert set(found.provenance["columns"]) - {"columns of by_term"} == set(found.table.columns)
    assert set(found.table.columns) <= set(COLUMNS)
    whole = json.loads(json.dumps(found.to_dict()))
    assert len(whole["by_term"]) == 4
    assert whole["provenance"]["phenotype"]["terms"][0]["term"] == "fever"


def test_a_locus_is_reported(shipped):
    found = prioritize(["chr17:43000000-43200000", "TP53"], seeds=FANCONI, top=1, model=shipped)
    assert found.table["symbol"].to_list() == ["BRCA1"]
    (place,) = found.provenance["candidates"]["loci"]
    assert place == "chr17:43000000-43200000"
    assert place in found.summary()


# -- what is wrong is said -------------------------------------------------------------------------


def test_bad_input(small, library):
    seeds = ["TP53", "MDM2"]
    with pytest.raises(UnknownTermError, match=r"no term 'fevr' in .*like it: fever"):
        prioritize(["BAX"], terms="fevr", library=library, model=small)
    with pytest.raises(UnknownGenesError, match="no gene of the candidates is known"):
        prioritize(["nonsense"], seeds=seeds, model=small)
    with pytest.raises(UnknownGenesError, match="the candidates is empty"):
        prioritize([], seeds=seeds, model=small)
    with pytest.raises(UnknownGenesError, match=r"knows 1 gene of the phenotype; .* at least 2"):
        prioritize(["BAX"], seeds=["TP53"], model=small)
    with pytest.raises(UnknownGenesError, match="no gene of the seeds"):
        prioritize(["BAX"], seeds=["nonsense"], model=small)
    with pytest.raises(GsfmError, match="no phenotype is given"):
        prioritize(["BAX"], model=small)
    with pytest.raises(ValueError, match="top must be 1 or more"):
        prioritize(["BAX"], seeds=seeds, top=0, model=small)
    for text in ("chr7:5-3", "chr99:1-2", "chr7:a-b", "X:12", "7:1"):
        with pytest.raises(GsfmError, match="is no place on the genome"):
            prioritize(text, seeds=seeds, model=small)
    with pytest.raises(GsfmError, match="no gene lies in"):
        prioritize("chr1:1-2", seeds=seeds, model=small)


def test_an_added_library_of_phenotypes(small, tmp_path, monkeypatch):
    monkeypatch.setenv("GSFM_HOME", str(tmp_path / "home"))
    entrez = dict(genes.table().select("symbol", "entrez_id").rows())
    table = tmp_path / "phenotype_to_genes.txt"
    lines = ["hpo_id\thpo_name\tncbi_gene_id\tgene_symbol\tdisease_id"]
    for symbol in ("TP53", "MDM2", "CDKN1A"):
        lines.append(f"HP:0002664\tNeoplasm\t{entrez[symbol]}\t{symbol}\tOMIM:151623")
    table.write_text("\n".join(lines) + "\n")
    libraries.add(table, name="hpo")
    libraries.add(table, name="diseases", by="diseases")
    for name in ("HP:0002664", "neoplasm", "OMIM:151623"):
        found = prioritize(["BAX", "EGFR"], terms=[name], model=small)
        assert found.table["symbol"][0] == "BAX"
        assert sorted(found.seeds) == ["CDKN1A", "MDM2", "TP53"]
