"""What an enrichment gives besides its table: GSEApy's tables, running sums, groups, plots."""

from __future__ import annotations

import itertools
import json

import networkx as nx
import numpy as np
import pandas as pd
import polars as pl
import pytest

import gsfm
from gsfm import GeneSets, GsfmError, Vocabulary
from gsfm.analysis import enrich, ora
from gsfm.errors import UnknownTermError
from gsfm.models import Linear

gseapy = pytest.importorskip("gseapy")
pytest.importorskip("matplotlib")

GENES = [f"gene{i:03}" for i in range(200)]
RNG = np.random.default_rng(0)
SETS = {
    f"$x^2$ <term> {i} of a long name " + "of something " * 5: RNG.choice(GENES, n, replace=False)
    for i, n in enumerate([5, 9, 30, 60])
}
SETS["twin"] = [*SETS[next(iter(SETS))], GENES[0]]
LIBRARY = GeneSets.from_lists(SETS, vocabulary=Vocabulary(GENES))
GIVEN = [*LIBRARY.genes(1)[:6], *LIBRARY.genes(0), *GENES[100:112]]
RANKED = dict(zip(GENES, RNG.normal(0, 1, 200), strict=True))
RANKED |= {gene: 2 + i / 10 for i, gene in enumerate(LIBRARY.genes(1))}
RANKED |= {gene: -2 - i / 10 for i, gene in enumerate(LIBRARY.genes(0))}


@pytest.fixture(scope="module")
def overlaps():
    return enrich(GIVEN, LIBRARY, method="ora", background=GENES, min_size=1)


@pytest.fixture(scope="module")
def ranked():
    return enrich(RANKED, LIBRARY, method="prerank", permutations=50)


def test_the_table_of_enrichr_is_that_of_gseapy(overlaps):
    found = overlaps.to_gseapy()
    sets = {name: list(genes) for name, genes in SETS.items()}
    peer = gseapy.enrich(gene_list=GIVEN, gene_sets=sets, background=GENES, outdir=None).results
    assert found.columns.to_list() == peer.columns.to_list()
    found, peer = (
        one.set_index("Term").sort_index().drop(columns="Gene_set") for one in (found, peer)
    )
    for column in ("Overlap", "Genes"):
        parts = [[sorted(text.split(";")) for text in one[column]] for one in (found, peer)]
        assert parts[0] == parts[1]
    for column in ("P-value", "Adjusted P-value"):
        np.testing.assert_allclose(found[column], peer[column], rtol=1e-6)
    # GSEApy adds a half to each cell of the table, or not, by its version.
    assert np.corrcoef(found["Odds Ratio"].rank(), peer["Odds Ratio"].rank())[0, 1] > 0.9


def test_the_table_of_prerank_is_that_of_gseapy(ranked):
    found = ranked.to_gseapy()
    peer = gseapy.prerank(
        rnk=pd.Series(RANKED).sort_values(ascending=False),
        gene_sets={name: list(genes) for name, genes in SETS.items()},
        **{"min_size": 5, "permutation_num": 50, "seed": 0, "outdir": None, "no_plot": True},
    ).res2d
    assert found.columns.to_list() == peer.columns.to_list()
    found, peer = (one.set_index("Term").sort_index() for one in (found, peer))
    for column in ("Name", "Tag %", "Gene %", "Lead_genes"):
        assert found[column].to_list() == peer[column].to_list()
    for column in ("ES", "NES", "NOM p-val", "FDR q-val", "FWER p-val"):
        np.testing.assert_allclose(found[column], peer[column].astype(float))


def test_a_running_sum_ends_at_0_and_has_the_es_and_the_leading_edge(ranked, overlaps):
    for row in ranked:
        sums = ranked.running_sum(row["term"])
        assert sums["gene"].to_list() == sorted(GENES, key=lambda gene: -RANKED[gene])
        values = sums["running_sum"].to_numpy()
        assert values[-1] == pytest.approx(0, abs=1e-9)
        at = int(np.abs(values).argmax())
        assert values[at] == pytest.approx(row["es"])
        edge = sums[: at + 1] if row["es"] > 0 else sums[at + 1 :].reverse()
        assert edge.filter("in_term")["gene"].to_list() == row["leading_edge"]
    with pytest.raises(UnknownTermError, match="no term 'nothing' in this result"):
        ranked.running_sum("nothing")
    with pytest.raises(GsfmError, match="only the method prerank has a running sum"):
        overlaps.running_sum("twin")


def test_groups_have_the_best_term_first(overlaps):
    for (group,), part in overlaps.table.group_by("group"):
        assert part["representative"].to_list() == [True] + [False] * (len(part) - 1)
        assert group == 1 or part["rank"][0] > 1
    group = dict(overlaps.table.select("term", "group").rows())
    assert group["twin"] == group[next(iter(SETS))]
    assert len(set(group.values())) == 4
    plain = enrich(GIVEN, LIBRARY, method="ora", background=GENES, min_size=1, group=False)
    assert plain.table.equals(overlaps.table.drop("group", "representative"))
    assert set(overlaps.provenance["columns"]) == set(overlaps.table.columns)


def test_kappa_is_that_of_the_table_of_both_terms(overlaps):
    from gsfm.analysis.enrichment.groups import kappa

    values = kappa(overlaps.members.of_terms)
    n = overlaps.members.of_terms.shape[1]
    sets = [set(overlaps.genes_of(row)) for row in range(len(overlaps))]
    for (i, a), (j, b) in itertools.combinations(enumerate(sets), 2):
        both, neither = len(a & b), n - len(a | b)
        by_chance = (len(a) * len(b) + (n - len(a)) * (n - len(b))) / n**2
        assert values[i, j] == pytest.approx(((both + neither) / n - by_chance) / (1 - by_chance))


def test_a_model_joins_terms_that_share_no_gene():
    terms = {"arrest": ["TP53", "MDM2"], "stop": ["CDKN1A", "BAX"], "growth": ["EGFR", "GRB2"]}
    rows = [["TP53", "MDM2", "CDKN1A", "BAX"], ["EGFR", "GRB2", "KRAS"]] * 5
    model = Linear(regularization=1.0, dimensions=2).fit(GeneSets.from_lists(rows))
    found = ora(["TP53", "CDKN1A", "EGFR"], terms, min_size=2)
    assert found.grouped().table["group"].n_unique() == 3
    groups = dict(found.grouped(model=model).table.select("term", "group").rows())
    assert groups["arrest"] == groups["stop"] != groups["growth"]
    own = enrich(["TP53", "CDKN1A"], terms, min_size=2, model=model).table
    assert own["group"].n_unique() == 2


def test_the_network_of_terms_is_read_by_others(overlaps, tmp_path):
    found = overlaps.network()
    assert {found.edges["source"][0], found.edges["target"][0]} == {"twin", next(iter(SETS))}
    assert set(found.table["term"]) == set(SETS)
    found.save(tmp_path / "terms.graphml")
    graph = nx.read_graphml(tmp_path / "terms.graphml")
    assert set(graph.nodes) == set(SETS)
    assert graph.nodes["twin"]["size"] == 6
    found.save(tmp_path / "terms.json")
    assert (
        json.loads((tmp_path / "terms.json").read_text())["data"]["provenance"]["method"] == "ora"
    )
    two = ora(GIVEN, [LIBRARY, LIBRARY[:2]], background=GENES, min_size=1).network()
    assert two.table["term"].is_unique().all()
    assert "twin" in two.table["term"]


@pytest.mark.parametrize("kind", ["bar", "dot", "running_sum", "upset", "network"])
def test_plots_have_the_names_as_they_are(kind, ranked, tmp_path):
    path = tmp_path / "plot.svg"
    figure = ranked.plot(kind, path)
    assert figure.axes
    text = path.read_text()
    assert text.startswith("<?xml")
    assert "$x^2$ &lt;term&gt;" in text
    assert "twin" in text
    ranked.plot(kind, tmp_path / "again.svg")
    assert (tmp_path / "again.svg").read_text() == text
    ranked.plot(kind, tmp_path / "page.html", top=1)
    page = (tmp_path / "page.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "<svg" in page
    assert "<script" not in page
    with pytest.raises(GsfmError, match=r"plot\.gif: choose an ending of \.png, \.svg"):
        ranked.plot(kind, tmp_path / "plot.gif")
    assert not (tmp_path / "plot.gif").exists()


def test_plots_of_a_set_and_of_lists(overlaps, tmp_path):
    overlaps.plot("bar", tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    overlaps.plot("upset", tmp_path / "a.pdf")
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    lists = {"one $a$": GIVEN, "two\x1b": GIVEN[:8]}
    found = enrich(lists, LIBRARY, method="ora", background=GENES, min_size=1)
    figure = found.dot_plot(tmp_path / "lists.svg", top=2)
    assert [t.get_text() for t in figure.axes[0].get_xticklabels()] == ["one $a$", "two\ufffd"]
    assert "\x1b" not in (tmp_path / "lists.svg").read_text()
    for kind in ("bar", "upset", "network"):
        found.plot(kind, list="one $a$", terms=None)
    figure = found.plot("bar", terms=["twin"], list="one $a$")
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["twin"]
    ordered = enrich(RANKED, LIBRARY, method="ora", min_size=1)
    assert ordered.plot("bar").axes[0].get_legend() is not None
    with pytest.raises(ValueError, match="kind must be bar, dot"):
        found.plot("pie")
    with pytest.raises(GsfmError, match="only the method prerank has a running sum"):
        found.plot("running_sum")
    with pytest.raises(GsfmError, match="no term to draw"):
        found.plot("bar", library="nothing")


def test_prerank_of_several_lists_keeps_each_ranking():
    lists = {"one": RANKED, "other": {gene: -value for gene, value in RANKED.items()}}
    found = gsfm.enrich(lists, LIBRARY, method="prerank", permutations=20)
    name = found.table["term"][0]
    one, other = (found.running_sum(name, list=key)["running_sum"] for key in lists)
    assert one.len() == other.len() == 200
    assert float(one.abs().max()) == pytest.approx(float(other.abs().max()))
    assert set(found.to_gseapy()["Name"]) == set(lists)
    table = found.table
    rows = [table.row(by_predicate=(pl.col("term") == name) & (pl.col("list") == k)) for k in lists]
    assert len(rows) == 2


def test_a_missing_library_for_plots_is_named(overlaps, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(gsfm.MissingExtraError, match=r"a plot needs the extra plot"):
        overlaps.plot()
