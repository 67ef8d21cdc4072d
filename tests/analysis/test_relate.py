"""Gene and gene: by hand on a small model, and as biology has it on the shipped one."""

from __future__ import annotations

import json

import numpy as np
import pytest

from gsfm import GeneSet, GeneSets, GsfmError, UnknownGenesError, corpus
from gsfm.analysis import relate

CYCLE = [
    *("CCNE1", "CCNE2", "CCNA2", "CDC25A", "E2F1", "RB1", "CDKN1A", "CDKN1B", "CDC6", "MCM2"),
    *("MCM7", "CCND1", "CDK4", "SKP2"),
]
MEIOSIS = [
    *("SPO11", "SYCP1", "SYCP2", "SYCP3", "DMC1", "MSH4", "MSH5", "HORMAD1", "MEI4", "REC8"),
    *("STAG3", "MLH1", "MLH3", "TEX11", "SYCE1", "PRDM9"),
]


def z(model, given, symbol):
    """A gene's score for a set, standardized over the genes that are not in it, in plain NumPy."""
    scores = dict(zip(model.vocabulary, model.score([given])[0].astype(float), strict=True))
    others = np.array([s for gene, s in scores.items() if gene not in given])
    return (scores[symbol] - others.mean()) / others.std()


def test_a_relation_is_the_mean_of_both_directions(small):
    found = relate("p53", top=5, model=small)
    assert found.table["rank"].to_list() == [1, 2, 3, 4, 5]
    assert found.table["score"].is_sorted(descending=True)
    expected = {
        gene: (z(small, ["TP53"], gene) + z(small, [gene], "TP53")) / 2
        for gene in small.vocabulary
        if gene != "TP53"
    }
    best = sorted(expected, key=lambda gene: -expected[gene])[:5]
    assert found.table["symbol"].to_list() == best
    assert found.table["relation"].to_list() == pytest.approx([expected[g] for g in best], rel=1e-3)
    there = relate("TP53", "BRCA1", model=small).relation
    back = relate("BRCA1", "TP53", model=small).relation
    assert there["relation"] == pytest.approx(expected["BRCA1"], rel=1e-3)
    assert back["relation"] == pytest.approx(there["relation"])
    assert back["ranks"] == there["ranks"][::-1]


def test_in_a_context_a_neighbor_is_near_the_gene_and_at_home_there(small, worlds):
    arrest = relate("TP53", context=worlds[0][1:5], top=23, model=small)
    repair = relate("TP53", context=worlds[2][:4], top=23, model=small)
    assert set(arrest.table["symbol"][:3]) <= set(worlds[0])
    assert set(repair.table["symbol"][:3]) <= set(worlds[2])
    for row in arrest:
        assert row["score"] == pytest.approx(min(row["relation"], row["context_score"]))
        assert row["in_context"] == (row["symbol"] in worlds[0][1:5])
        if not row["in_context"]:
            home = z(small, worlds[0][1:5], row["symbol"])
            assert row["context_score"] == pytest.approx(home, rel=1e-3, abs=1e-3)
            gain = z(small, ["TP53", *worlds[0][1:5]], row["symbol"]) - home
            assert row["gain"] == pytest.approx(gain, rel=1e-3, abs=1e-3)
    named = relate("TP53", context=GeneSet("repair", tuple(worlds[2][:4])), top=23, model=small)
    assert named.table.equals(repair.table)
    assert named.provenance["context"]["name"] == "repair"
    # The gene itself is no context gene.
    with_it = relate("TP53", context=["TP53", *worlds[2][:4]], top=23, model=small)
    assert with_it.table.equals(repair.table)


def test_the_same_gene_has_other_neighbors_in_another_context(shipped):
    cycle = relate("CDK2", context=CYCLE, top=20, model=shipped)
    meiosis = relate("CDK2", context=MEIOSIS, top=20, model=shipped)
    cycle, meiosis = set(cycle.table["symbol"]), set(meiosis.table["symbol"])
    assert {"CCNE1", "CCNA2", "CDK4", "CDKN1B"} <= cycle
    assert not {"CCNE1", "CCNA2", "CDK4", "CDKN1B"} & meiosis
    assert {"RAD51", "ATM"} & meiosis
    repair = ["RAD51", "BRCA2", "PALB2", "RAD52", "XRCC2", "XRCC3", "BARD1", "MRE11", "NBN"]
    transcription = ["ESR1", "EP300", "CREBBP", "NCOA2", "AR", "HDAC1", "MED1", "NCOR1", "SP1"]
    repair = set(relate("BRCA1", context=repair, top=15, model=shipped).table["symbol"])
    transcription = set(
        relate("BRCA1", context=transcription, top=15, model=shipped).table["symbol"]
    )
    assert len({"BRCA2", "RAD51", "ATM", "BRIP1", "RAD50"} & repair) >= 4
    assert {"ESR1", "E2F1", "TP53"} & transcription
    assert len(repair & transcription) <= 5


def test_partners_stand_out_among_pairs_as_popular(shipped):
    found = relate("TP53", "MDM2", draws=16, model=shipped).relation
    assert 240 <= found["pairs"] <= 256  # 16 x 16, less a gene with itself
    assert found["p_value"] < 0.01
    assert found["null_median"] < found["relation"]
    assert relate("IFIT1", "IFIT3", draws=16, model=shipped).relation["p_value"] < 0.02
    assert relate("RPL3", "OR1A1", draws=16, model=shipped).relation["p_value"] > 0.05


def test_the_seed_chooses_the_pairs(small):
    def null(random_state):
        return relate("TP53", "MDM2", draws=10, random_state=random_state, model=small).relation[
            "null_median"
        ]

    assert null(1) == null(1)
    assert len({null(seed) for seed in range(5)}) > 1


def test_the_p_value_is_the_share_of_pairs(small):
    found = relate("TP53", "MDM2", draws=22, model=small).relation
    # With 22 of 22 other genes drawn on both sides, the null is every ordered pair of others.
    others = [g for g in small.vocabulary if g not in ("TP53", "MDM2")]
    assert len(others) == 22
    near = {(a, b): z(small, [a], b) for a in others for b in others if a != b}
    null = np.array([(near[a, b] + near[b, a]) / 2 for a, b in near])
    assert found["pairs"] == len(null) == 22 * 21
    expected = (1 + (null >= found["relation"] - 1e-5).sum()) / (1 + len(null))
    assert found["p_value"] == pytest.approx(expected)


def test_shared_contexts(shipped):
    library = GeneSets.from_lists(
        {
            "p53": ["TP53", "MDM2", "CDKN1A", "BAX"],
            "wider": ["TP53", "MDM2", "CDKN1A", "BAX", "ATM", "CHEK2"],
            "without": ["TP53", "CDKN1A", "BBC3", "PMAIP1", "BAX"],
            "elsewhere": ["RPL3", "RPS6", "RPL5"],
        }
    )
    found = relate("MDM2", "p53", libraries=[library], top=3, draws=10, model=shipped)
    terms = [row for row in found if row["kind"] == "term"]
    assert [(row["name"], row["how"]) for row in terms[:2]] == [("p53", "both"), ("wider", "both")]
    assert terms[2]["name"] == "without"
    assert terms[2]["how"].startswith("MDM2 predicted, rank ")
    assert len(terms) == 3
    papers = [row for row in found if row["kind"] == "paper"]
    assert len(papers) == 3
    embedded = corpus.embedded()
    both = [i for i in range(len(embedded)) if {"TP53", "MDM2"} <= set(embedded.genes(i))]
    assert found.provenance["shared"]["papers"] == len(both)
    for row in papers:
        assert {"TP53", "MDM2"} <= set(embedded.genes(embedded.names.index(row["name"])))
    near = [row["name"] for row in found if row["kind"] == "gene"]
    assert len(near) == 3
    assert not {"TP53", "MDM2"} & set(near)


def test_bad_questions(small, worlds):
    with pytest.raises(UnknownGenesError, match="nonsense is no known gene"):
        relate("nonsense", model=small)
    with pytest.raises(UnknownGenesError, match="the model knows 2 of the 3 genes of the context"):
        relate("TP53", context=["MDM2", "BAX", "nonsense"], model=small)
    with pytest.raises(UnknownGenesError, match="no gene of the context"):
        relate("TP53", context=["nonsense"], model=small)
    with pytest.raises(GsfmError, match="both TP53"):
        relate("TP53", "p53", model=small)
    with pytest.raises(ValueError, match="draws"):
        relate("TP53", "MDM2", draws=1, model=small)
    with pytest.raises(ValueError, match="top"):
        relate("TP53", top=0, model=small)


def test_reports(small, worlds):
    found = relate("p53", context=[*worlds[2][:4], "nonsense"], model=small)
    assert found.unmapped == ["nonsense"]
    whole = json.loads(json.dumps(found.to_dict()))
    assert whole["provenance"]["gene"] == "TP53"
    assert set(whole["results"][0]) <= set(whole["provenance"]["columns"]) | {"symbol", "name"}
    pair = relate("p53", "MDM2", model=small)
    whole = json.loads(json.dumps(pair.to_dict()))
    assert whole["relation"]["genes"] == ["TP53", "MDM2"]
    assert "papers of the embedded corpus" in whole["provenance"]["null"]["popularity"]
    assert "p = " in pair.headline()
