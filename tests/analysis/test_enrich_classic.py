"""Over-representation and prerank: against SciPy, GSEApy, and by hand."""

from __future__ import annotations

import io
import sys

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gsfm import (
    FormatError,
    GeneSets,
    GsfmError,
    MissingExtraError,
    UnknownGenesError,
    Vocabulary,
)
from gsfm.analysis import enrich, ora, prerank
from gsfm.analysis.enrichment.common import false_discovery_rate
from gsfm.genes import read_ranked
from gsfm.sets.overlap import p_values as overlap_p_values

GENES = [f"gene{i:03}" for i in range(200)]
RNG = np.random.default_rng(0)
LIBRARY = GeneSets.from_lists(
    {
        f"term {i}": RNG.choice(GENES[:150], n, replace=False).tolist()
        for i, n in enumerate([5, 9, 30, 60])
    },
    vocabulary=Vocabulary(GENES),
)
GIVEN = [*LIBRARY.genes(1)[:6], *GENES[100:112]]


def _table(given: set[str], term: set[str], background: set[str]) -> list[list[int]]:
    given, term = given & background, term & background
    return [
        [len(given & term), len(given - term)],
        [len(term - given), len(background - given - term)],
    ]


@pytest.mark.parametrize("kind", ["library", "custom"])
def test_ora_is_fisher_s_exact_test(kind):
    background = set(GENES[20:]) if kind == "custom" else {GENES[i] for i in LIBRARY.indices}
    setting = sorted(background) if kind == "custom" else "library"
    found = ora(GIVEN, LIBRARY, background=setting, min_size=1)
    assert len(found) == len(LIBRARY)
    for row in found:
        term = set(LIBRARY[LIBRARY.names.index(row["term"])].genes)
        table = _table(set(GIVEN), term, background)
        peer = stats.fisher_exact(table, alternative="greater")
        assert row["p_value"] == pytest.approx(peer.pvalue)
        assert row["odds_ratio"] == pytest.approx(peer.statistic)
        assert row["overlap"] == table[0][0] == len(row["overlap_genes"])
        assert row["overlap_genes"] == sorted(set(GIVEN) & term & background)
        assert row["expected"] == pytest.approx(
            sum(table[0]) * (table[0][0] + table[1][0]) / len(background)
        )
    assert found.table["term"][0] == "term 1"
    assert found.table["p_value"].is_sorted()
    np.testing.assert_allclose(
        found.table["fdr"], stats.false_discovery_control(found.table["p_value"])
    )
    assert found.provenance["background"]["kind"] == kind


@settings(max_examples=30)
@given(st.integers(1, 1500), st.data())
def test_the_hypergeometric_tail_is_that_of_scipy(n_background, data):
    n = data.draw(st.integers(0, n_background))
    m = data.draw(st.integers(0, n_background))
    k = np.unique(np.linspace(0, min(n, m), 5).astype(int))
    mine = overlap_p_values(k, np.full(len(k), n), np.full(len(k), m), n_background)
    peer = stats.hypergeom.sf(k - 1, n_background, m, n)
    np.testing.assert_allclose(mine, peer, rtol=1e-6, atol=1e-290)


def test_ora_of_all_genes_counts_all_approved_ones():
    found = ora(
        ["BRCA1", "BRCA2", "RAD51"],
        GeneSets.from_lists({"hr": ["BRCA1", "RAD51", "PALB2"]}),
        background="all",
        min_size=2,
    )
    [n] = [found.provenance["background"]["genes"]]
    assert n > 40_000
    assert found.table["p_value"].item() == pytest.approx(stats.hypergeom.sf(1, n, 3, 3))


def test_each_library_has_its_own_background():
    other = GeneSets.from_lists({"few": GENES[100:106], "rest": GENES[106:120]})
    both = ora(GIVEN, [LIBRARY, other], min_size=1)
    alone = ora(GIVEN, other, min_size=1)
    mine = both.table.filter(library="library 2").select("term", "p_value").sort("term")
    assert mine.equals(alone.table.select("term", "p_value").sort("term"))
    assert both.provenance["background"]["genes"] == [
        len(np.unique(LIBRARY.indices)),
        len(np.unique(other.indices)),
    ]


@pytest.mark.parametrize("method", ["ora", "prerank"])
def test_ranks_and_false_discovery_rates_are_those_of_each_library_alone(method):
    """Two libraries at once are the tables of each, one below the other."""
    settings = {"method": method, "min_size": 1}
    if method == "prerank":
        pytest.importorskip("gseapy")
        settings["permutations"] = 50
    query = _ranked() if method == "prerank" else GIVEN
    libraries = [LIBRARY[:2], LIBRARY[2:]]
    both = enrich(query, libraries, background=GENES, top=1, **settings)
    alone = [enrich(query, one, background=GENES, top=1, **settings).table for one in libraries]
    names = [one.drop("library") for one in alone]
    assert both.table.drop("library").equals(pl.concat(names))
    assert both.table["rank"].to_list() == [1, 1]
    titles, tables = zip(*both.parts(), strict=True)
    assert titles == ("library 1: 1 of 2 terms", "library 2: 1 of 2 terms")
    assert not {"library", "link"} & set(tables[0].columns)
    for title in titles:
        assert title in repr(both)
        assert f"<h2>{title}</h2>" in both._repr_html_()
    if method == "ora":
        row = both.table.row(0, named=True)
        assert tables[0]["overlap"].to_list() == [f"{row['overlap']}/{row['size']}"]


def test_both_limits_of_size_are_inclusive():
    genes = ["TP53", "MDM2", "BAX", "ATM"]
    terms = {str(n): genes[:n] for n in (1, 2, 3, 4)}
    found = ora(genes, terms, min_size=2, max_size=3, top=None)
    assert sorted(found.table["term"]) == ["2", "3"]


def test_identifiers_of_any_kind_are_one_gene():
    terms = GeneSets.from_lists({"arrest": ["TP53", "CDKN1A", "MDM2"], "rest": ["EGFR", "GRB2"]})
    found = ora(["p53", "7157", "Cdkn1a", "nonsense", "KRAS"], terms, min_size=1)
    assert found.table["overlap_genes"][0].to_list() == ["CDKN1A", "TP53"]
    assert found.unmapped == ["nonsense"]
    assert found.not_in_background == ["KRAS"]
    assert "read as (2): p53 = TP53, 7157 = TP53" in found.summary()


def test_known_biology_of_the_shipped_libraries():
    repair = ora(["BRCA1", "BRCA2", "RAD51", "PALB2", "ATM", "CHEK2"], "go-bp", top=10)
    assert any("repair" in term for term in repair.table["term"])
    assert repair.table["id"].str.starts_with("GO:").all()
    everything = ora(["RPL3", "RPL4", "RPS3", "RPS6", "RPL5", "RPS8"], top=20)
    assert any("ribosom" in term.lower() for term in everything.table["term"])
    assert len(everything.provenance["libraries"]) >= 5


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_false_discovery_rate_is_that_of_scipy(p_values):
    np.testing.assert_allclose(
        false_discovery_rate(p_values), stats.false_discovery_control(p_values), rtol=1e-12
    )


@pytest.mark.parametrize(
    ("genes", "library", "settings", "error", "message"),
    [
        (["nonsense"], LIBRARY, {}, UnknownGenesError, "nonsense"),
        ([], LIBRARY, {}, UnknownGenesError, "empty"),
        (["TP53"], LIBRARY, {}, UnknownGenesError, "TP53; give another background or library"),
        (
            ["TP53"],
            LIBRARY,
            {"background": "all"},
            GsfmError,
            "no gene of the set is in any tested term",
        ),
        (GIVEN, LIBRARY, {"min_size": 100}, GsfmError, "100 or more genes"),
        (GIVEN, LIBRARY, {"min_size": 9, "max_size": 3}, GsfmError, "no size of a term"),
    ],
)
def test_ora_of_bad_input(genes, library, settings, error, message):
    with pytest.raises(error, match=message):
        ora(genes, library, **settings)


# -- prerank ---------------------------------------------------------------------------------------


def _ranked() -> dict[str, float]:
    values = RNG.normal(0, 1, 200)
    values[np.isin(GENES, LIBRARY.genes(2))] += 2.0
    values[np.isin(GENES, LIBRARY.genes(1))] -= 2.5
    return dict(zip(GENES, values, strict=True))


def test_prerank_is_that_of_gseapy():
    gseapy = pytest.importorskip("gseapy")
    pd = pytest.importorskip("pandas")
    ranked = _ranked()
    found = prerank(ranked, LIBRARY, permutations=100, random_state=3)
    sets = {name: list(LIBRARY.genes(i)) for i, name in enumerate(LIBRARY.names)}
    peer = gseapy.prerank(
        rnk=pd.Series(ranked).sort_values(ascending=False),
        gene_sets=sets,
        min_size=5,
        permutation_num=100,
        seed=3,
        threads=1,
        outdir=None,
        no_plot=True,
    ).res2d.set_index("Term")
    assert set(found.table["term"]) == set(peer.index)
    for row in found:
        theirs = peer.loc[row["term"]]
        assert row["es"] == pytest.approx(theirs["ES"])
        assert row["nes"] == pytest.approx(theirs["NES"])
        assert row["fwer"] == pytest.approx(theirs["FWER p-val"])
        assert row["leading_edge"] == theirs["Lead_genes"].split(";")
    by_term = {row["term"]: row for row in found}
    assert by_term["term 2"]["nes"] > 1.5
    assert by_term["term 1"]["nes"] < -1.5
    assert found.provenance["null"] == {"permutations": 100, "random_state": 3, "weight": 1.0}
    for n_threads in (1, 2, 5):
        settings = {"permutations": 100, "random_state": 3, "n_threads": n_threads}
        assert prerank(ranked, LIBRARY, **settings).table.equals(found.table)


def test_prerank_without_gseapy_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "gseapy", None)
    with pytest.raises(MissingExtraError, match=r"pip install '.\[gsea\]'"):
        prerank(_ranked(), LIBRARY)


# -- files of ranked lists -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "TP53\t-2\nBAX\t1.5\n",
        "# made by hand\nTP53,-2\nBAX,1.5\n",
        "gene,stat\nTP53,-2\nBAX,1.5\nMDM2,NA\n",
        '"","baseMean","log2FoldChange","stat","pvalue"\n"TP53",10,-1,-2,0.1\n"BAX",9,1,1.5,0.1\n',
        "names;scores\r\nTP53;-2\r\nBAX;1.5\r\n",
        "logFC\tSymbol\n-2\tTP53\n1.5\tBAX\n",
    ],
)
def test_a_ranked_list_in_any_usual_table(text):
    assert read_ranked(io.BytesIO(text.encode())).rows() == [("TP53", -2.0), ("BAX", 1.5)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("TP53\nBAX\n", "line 1: give a gene and a statistic"),
        ("TP53\t1\nBAX\tmuch\n", "line 2: 'much' is not a number"),
        ("TP53\t1.5\nBAX\tinf\n", "line 2: 'inf' is not a finite number"),
        ("gene\tstat\n", "no gene with a statistic"),
    ],
)
def test_a_file_that_is_no_ranked_list(text, message):
    with pytest.raises(FormatError, match=message):
        read_ranked(io.BytesIO(text.encode()))


# -- what a ranked list cannot decide --------------------------------------------------------------


def test_a_term_with_the_whole_list_is_not_tested_and_counted():
    pytest.importorskip("gseapy")
    ranked = dict(zip(["TP53", "CDKN1A", "MDM2", "BAX", "FAS"], [3, 2, 1, -1, -2.0], strict=True))
    terms = GeneSets.from_lists({"all": list(ranked), "some": ["TP53", "BAX"]})
    found = prerank(ranked, terms, min_size=1, permutations=50)
    assert found.table["term"].to_list() == ["some"]
    assert found.provenance["ranked"]["terms_with_the_whole_list"] == 1
    with pytest.raises(GsfmError, match=r"^nothing can be tested: 1 term of .* with all \d genes"):
        prerank(ranked, {"all": list(ranked), "other": ["BRCA1"]}, min_size=1)
    assert "terms with all genes of the list, not tested: 1" in found.summary()
    with pytest.raises(GsfmError, match="with all 5 genes of the list, and none with 1 to 4"):
        prerank(ranked, terms[:1], min_size=1)
    with pytest.raises(GsfmError, match="the list has 5 known genes, too few"):
        prerank(ranked, terms)


@pytest.mark.parametrize("value", [0.0, 1.5])
def test_a_constant_statistic_is_refused(value):
    with pytest.raises(GsfmError, match="they rank nothing"):
        prerank(dict.fromkeys(GENES, value), LIBRARY)


@pytest.mark.parametrize("scale", [1e-310, 1.7e308])
def test_statistics_of_any_size(scale):
    pytest.importorskip("gseapy")
    values = np.random.default_rng(3).uniform(-1, 1, len(GENES))
    columns = ["term", "es", "nes", "p_value"]
    found, expected = (
        prerank(dict(zip(GENES, v, strict=True)), LIBRARY, permutations=20).table.select(columns)
        for v in (values * scale, values)
    )
    assert found["term"].equals(expected["term"])
    assert found.drop("term").to_numpy() == pytest.approx(expected.drop("term").to_numpy(), 1e-6)


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf"), 11.0])
def test_weight_and_permutations_have_a_range(weight):
    pytest.importorskip("gseapy")
    ranked = dict(zip(GENES, range(200), strict=True))
    with pytest.raises(ValueError, match="weight must be 0 to 10"):
        prerank(ranked, LIBRARY, weight=weight)
    with pytest.raises(ValueError, match="permutations must be 1 or more"):
        prerank(ranked, LIBRARY, permutations=0)


def test_ties_are_broken_at_random(capfd):
    """A random sign enriches no family of genes that the alphabet puts side by side."""
    pytest.importorskip("gseapy")
    rng = np.random.default_rng(5)
    genes = sorted(GENES)
    ranked = dict(zip(genes, rng.choice([-1.0, 1.0], len(genes)), strict=True))
    # Each term is a run of the alphabet: in the order of names, many would be enriched.
    families = GeneSets.from_lists({f"{i}": genes[i : i + 10] for i in range(0, 190, 5)})
    found = prerank(ranked, families, permutations=200, random_state=1)
    assert (found.table["fdr"] < 0.05).sum() == 0
    n = found.provenance["ranked"]["genes"]
    assert found.provenance["ranked"] == {"genes": n, "tied": n, "terms_with_the_whole_list": 0}
    assert f"{n} of {n} genes have the statistic of another gene" in found.summary()
    assert not prerank(ranked, families, permutations=200, random_state=2).table.equals(found.table)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("number", [0, -1, 2.5, 20000.0, float("nan"), True, 10**10, 10**30, 3])
def test_what_is_no_number_of_genes_as_the_background(number):
    with pytest.raises((GsfmError, TypeError, ValueError), match=r"^(a )?background "):
        ora(GIVEN, LIBRARY, background=number, min_size=1)
    for method, query in (("model", GIVEN), ("prerank", {"TP53": 1.0, "EGFR": -1.0})):
        with pytest.raises(ValueError, match="background"):
            enrich(query, LIBRARY, background=number, method=method)
