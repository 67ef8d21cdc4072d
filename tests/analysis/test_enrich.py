"""Model-based enrichment: what its score is, that its p-values hold, and what it knows."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from scipy import stats

import gsfm
from gsfm import GeneSets, GsfmError, UnknownGenesError, corpus
from gsfm.analysis import enrich
from gsfm.analysis.enrichment.null import Null, null_of, typical_of
from gsfm.analysis.terms import load_terms
from gsfm.models import Ensemble, Linear, Popularity
from gsfm.models.evidence import evidence
from gsfm.models.typical import Typical, bounded_evidence

GENES = [f"gene{i:03}" for i in range(500)]
RNG = np.random.default_rng(0)
#: How often a gene is met falls steeply, as in real collections.
FAME = 1 / (np.arange(500) + 60.0)


def _some(n: int, fame: np.ndarray, rng: np.random.Generator) -> list[str]:
    return [GENES[i] for i in rng.choice(500, n, replace=False, p=fame / fame.sum())]


#: Gene sets with structure, as those of studies have.
TYPICAL = [_some(8, FAME, RNG) + GENES[i : i + 7] for i in RNG.integers(0, 490, 400)]


@pytest.fixture(scope="module")
def model() -> Ensemble:
    """Of a corpus with structure (neighbors go together) and with famous genes."""
    sets = [_some(12, FAME, RNG) for _ in range(300)]
    sets += [GENES[i : i + 10] for i in RNG.integers(0, 490, 300)]
    rows = GeneSets.from_lists(sets, vocabulary=gsfm.Vocabulary(GENES))
    members = [Linear(regularization=5.0).fit(rows), Popularity().fit(rows)]
    model = Ensemble.of(members, weights=[1.0, 0.3])
    typical = GeneSets.from_lists(TYPICAL, vocabulary=rows.vocabulary)
    model.typical = Typical.fit(model, typical, "sets of the corpus")
    return model


@pytest.fixture(scope="module")
def library() -> GeneSets:
    """Terms of neighbors, and terms of famous genes."""
    near = {f"near {i}": GENES[i : i + 15] for i in range(0, 480, 12)}
    return GeneSets.from_lists(near | {f"famous {i}": _some(15, FAME, RNG) for i in range(40)})


def _by_hand(model, given: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """(genes,) the evidence for every gene; bounded, without the trend along the frequency."""
    symbols = np.array(model.vocabulary.symbols)

    def standard(genes: list[str]) -> np.ndarray:
        scores = model.score([genes])[0].astype(float)
        rest = scores[~np.isin(symbols, genes)]
        return (scores - rest.mean()) / rest.std()

    # The scores of the whole set for the others, and of the set without it for an input gene.
    values = standard(given)
    for gene in given:
        at = GENES.index(gene)
        values[at] = standard([other for other in given if other != gene])[at]
    bounded = np.clip(values, -2, 4)
    x = model.log_gene_frequency()
    return values, bounded if x is None else bounded - np.polyval(np.polyfit(x, bounded, 2), x)


@pytest.mark.parametrize("counts", [True, False])
def test_the_score_is_the_mean_evidence_of_the_genes_of_a_term(model, library, counts, monkeypatch):
    if not counts:
        monkeypatch.setattr(type(model), "log_gene_frequency", lambda self: None)
    given = GENES[100:108]
    found = enrich(given, library, method="model", top=None, model=model)
    assert len(found) == len(library)
    of_genes, bounded = _by_hand(model, given)
    assert counts == (abs(bounded.mean()) < 1e-9)
    for row in found:
        genes = library[library.names.index(row["term"])].genes
        ids = model.vocabulary.ids(genes)
        assert row["score"] == pytest.approx(bounded[ids].mean(), abs=1e-3)
        assert row["size"] == len(genes)
        assert row["overlap_genes"] == sorted(set(genes) & set(given))
        assert row["overlap"] == len(row["overlap_genes"])
        others = sorted((of_genes[i] for i in ids if GENES[i] not in given), reverse=True)[:5]
        predicted = of_genes[model.vocabulary.ids(row["predicted_members"])]
        expected = [value for value in others if value > 0]
        np.testing.assert_allclose(predicted, expected, atol=1e-3)
        assert not set(row["predicted_members"]) & set(given)
    assert found.table["term"][0] == "near 96"
    assert found.table["z_score"].is_sorted(descending=True)
    assert found.provenance["null"] == {"sets": 400, "source": "sets of the corpus"}


def _p_values(model, library, lists, evidence_of=bounded_evidence) -> np.ndarray:
    """(lists, terms) p-values, of all lists at once, as `enrich` has them."""
    members = library.reindex(model.vocabulary).to_csr()
    sizes = library.sizes[:, None]
    if evidence_of is bounded_evidence:
        values = model.typical.of_terms(members)
    else:
        sets = [np.asarray(one, np.int64) for one in map(model.vocabulary.ids, TYPICAL)]
        values = np.asarray(members @ evidence_of(model, sets).T / sizes, np.float32)
    null = Null.of(values)
    scores = members @ evidence_of(model, [np.sort(model.vocabulary.ids(g)) for g in lists]).T
    return np.array([null.judge(one)[1] for one in (scores / sizes).T.astype(float)])


@pytest.mark.parametrize("size", [5, 20, 200])
@pytest.mark.parametrize("power", [0.0, 2.0])
def test_p_values_of_random_lists_are_as_often_small_as_they_say(model, library, power, size):
    """Or less often: of lists of any popularity, also the most famous, and of any size."""
    rng = np.random.default_rng(int(power))
    lists = [_some(size, FAME**power, rng) for _ in range(150)]
    at = _p_values(model, library, lists)
    for bound in (0.1, 0.05, 0.01, 0.001):
        assert (at <= bound).mean() < 1.2 * bound
    assert (at <= 0.5).mean() > 0.4  # not everything is 1
    found = enrich(lists[0], library, method="model", top=None, group=False, model=model).table
    order = [library.names.index(term) for term in found["term"]]
    np.testing.assert_allclose(found["p_value"], at[0, order], rtol=1e-3)


def test_with_the_trend_along_the_frequency_they_would_be_small(model, library):
    """The same lists, if the trend is not subtracted: what its subtraction is for."""
    rng = np.random.default_rng(3)
    lists = [_some(20, FAME**2, rng) for _ in range(60)]
    famous = [name.startswith("famous") for name in library.names]
    with_trend = _p_values(model, library, lists, lambda m, ids: np.clip(evidence(m, ids), -2, 4))
    assert (with_trend[:, famous] <= 0.05).mean() > 0.1
    assert (_p_values(model, library, lists)[:, famous] <= 0.05).mean() < 0.06


@pytest.mark.parametrize("kind", ["exponential", "normal", "gamma"])
def test_the_tail_of_a_known_distribution_is_told_a_little_too_large(kind):
    law = {"exponential": stats.expon, "normal": stats.norm, "gamma": stats.gamma(3)}[kind]
    values = law.rvs(size=(2000, 200), random_state=1).astype(np.float32)
    null = Null.of(values)
    for exact in (0.5, 0.1, 0.01, 1e-3, 1e-4):
        z, p = null.judge(np.full(2000, law.isf(exact)))
        true_z = (law.isf(exact) - law.mean()) / law.std()
        assert np.median(z) == pytest.approx(true_z, rel=0.05, abs=0.05)
        # In the middle it is right; far out too large, most for a light tail.
        assert exact * 0.9 < np.median(p) < exact * (1.15 if exact >= 0.1 else 20)
    rising = np.array([null.judge(np.full(2000, x))[1] for x in range(9)])
    assert (np.diff(rising, axis=0) <= 0).all()
    # Of as many p-values of the law itself, as many as should be are small, or fewer.
    p = np.array([null.judge(law.rvs(size=2000, random_state=i))[1] for i in range(2, 32)])
    assert (p <= 0.05).mean() == pytest.approx(0.05, rel=0.1)
    assert (p <= 1e-3).mean() < 1.2e-3


def test_ties_count_for_the_null_and_a_term_that_nothing_moves_says_nothing():
    still = Null.of(np.repeat(np.array([[0.0], [1.0]], np.float32), 30, axis=1))
    np.testing.assert_array_equal(still.judge(np.array([0.0, 2.0])), [[0, 0], [1, 1]])
    tied = Null.of(np.tile(np.array([0, 1], np.float32), 20)[None])
    assert tied.judge(np.array([1.0]))[1] == pytest.approx(21 / 41)
    assert 0 < tied.judge(np.array([1.5]))[1] < 0.1


def test_a_background_bounds_the_terms_the_genes_and_the_null(model, library):
    measured = GENES[:200]
    given = [*GENES[40:50], GENES[300], "no such gene"]
    found = enrich(given, library, method="model", background=measured, top=None, model=model)
    assert found.not_in_background == [GENES[300]]
    assert found.unmapped == ["no such gene"]
    assert found.provenance["background"]["genes"] == 200
    assert found.provenance["input"]["genes"] == 10
    whole = {one: set(library[i].genes) for i, one in enumerate(library.names)}
    for row in found:
        assert row["size"] == len(whole[row["term"]] & set(measured)) >= 5
    left_out = [name for name, genes in whole.items() if len(genes & set(measured)) < 5]
    assert found.provenance["libraries"][0]["excluded"] == len(left_out) > 0
    assert "not in the background, not used (1): gene300" in found.summary()
    assert "no such gene" in found.summary()


def test_the_same_question_has_the_same_answer_and_the_null_is_remembered(model, library):
    genes = GENES[5:25]
    first = enrich(genes, library, method="model", model=model)
    assert enrich(genes, library, method="model", model=model).to_dict() == first.to_dict()
    json.dumps(first.to_dict())
    assert set(first.provenance["columns"]) == set(first.table.columns)
    terms = load_terms(library, model.vocabulary)
    assert null_of(model, terms) is null_of(model, load_terms(library, model.vocabulary))
    part = load_terms(library[:9], model.vocabulary)
    assert null_of(model, part).values.shape == (9, 400)
    same = null_of(model, terms).values[:9]
    np.testing.assert_allclose(null_of(model, part).values, same, atol=1e-5)
    # Other typical sets are another null.
    sets = GeneSets.from_lists(TYPICAL[:250], vocabulary=model.vocabulary)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model, "typical", Typical.fit(model, sets, "others"))
        assert null_of(model, terms).values.shape == (80, 250)
        other = enrich(genes, library, method="model", model=model)
        assert other.provenance["null"] == {"sets": 250, "source": "others"}
        assert other.table["z_score"].to_list() != first.table["z_score"].to_list()


def test_a_model_without_typical_sets_is_compared_with_random_ones(model, library, monkeypatch):
    monkeypatch.setattr("gsfm.models.typical.SETS", 300)
    plain = Ensemble.of(model.members, weights=[1.0, 0.3])
    assert plain.typical is None
    found = enrich(GENES[100:108], library, method="model", top=1, model=plain)
    assert found.provenance["null"] == {"sets": 300, "source": "random gene sets"}
    assert found.table["term"].item() == "near 96"
    assert found.table["p_value"].item() < 0.001
    assert typical_of(plain) is typical_of(plain)
    assert plain.typical is None  # it is no part of the model
    # A model that is fitted anew has others.
    tiny = Popularity().fit([GENES[:40]])
    assert typical_of(tiny).mean.shape == (40,)
    tiny.fit([GENES[:30]])
    assert typical_of(tiny).mean.shape == (30,)


def test_a_model_of_real_genes_is_compared_with_papers(tmp_path, monkeypatch):
    monkeypatch.setattr("gsfm.analysis.cache.cache_folder", lambda: tmp_path)
    papers = corpus.embedded()
    often = np.argsort(-papers.gene_frequencies, kind="stable")[:1500]
    symbols = [papers.vocabulary[int(i)] for i in often]
    model = Popularity().fit([symbols[:900], symbols])
    found = enrich(symbols[:9], {"one": symbols[5:20]}, method="model", model=model)
    assert found.provenance["null"]["source"] == "papers of the embedded corpus"
    assert found.provenance["null"]["sets"] >= 200
    # They are cached: another model with the same contents computes nothing.
    monkeypatch.setattr(Typical, "fit", None)
    again = Popularity().fit([symbols[:900], symbols])
    np.testing.assert_array_equal(typical_of(again).mean, typical_of(model).mean)


def test_false_discovery_rate_is_over_all_terms_not_those_shown(model, library):
    shown = enrich(GENES[5:25], library, method="model", top=3, model=model).table
    whole = enrich(GENES[5:25], library, method="model", top=None, model=model).table
    assert shown.equals(whole.head(3))
    np.testing.assert_allclose(whole["fdr"], stats.false_discovery_control(whole["p_value"]))


def test_a_ranked_list_has_two_directions(model, library):
    statistics = dict(zip(GENES, RNG.normal(0, 0.1, 500), strict=True))
    statistics |= dict.fromkeys(GENES[100:110], 5.0) | dict.fromkeys(GENES[300:310], -4.0)
    found = enrich(statistics, library, method="model", top_genes=10, top=None, model=model)
    best = found.table.unique("direction", keep="first")
    assert dict(best.select("direction", "term").rows()) == {"up": "near 96", "down": "near 300"}
    assert len(found) == 2 * len(library)
    # Each direction is what `enrich` says of its genes, with the list as the background.
    up = enrich(GENES[100:110], library, method="model", background=GENES, top=None, model=model)
    mine = found.table.filter(direction="up").sort("term")
    np.testing.assert_allclose(mine["p_value"], up.table.sort("term")["p_value"])
    # Turned round, up is down.
    turned = {gene: -value for gene, value in statistics.items()}
    back = enrich(turned, library, method="model", top_genes=10, top=None, model=model).table
    down = back.filter(direction="down").sort("term")
    np.testing.assert_allclose(mine["z_score"], down["z_score"])
    inputs = found.inputs.drop_nulls("direction")
    assert inputs.filter(direction="up")["symbol"].to_list() == GENES[100:110]


def test_a_ranked_list_of_one_sign_and_of_a_gene_twice(model, library):
    ranked = [(GENES[100], 1.0), (GENES[101], 2.0), (GENES[100], 3.0), (GENES[0], 0.0)]
    found = enrich(
        ranked, library, method="model", top_genes=1, top=None, background="all", model=model
    )
    assert found.table["direction"].unique().to_list() == ["up"]
    assert found.inputs["direction"].to_list() == ["up", None, "up", None]
    frame = pl.DataFrame(ranked, schema=["gene", "t"], orient="row")
    again = enrich(
        frame, library, method="model", top_genes=1, top=None, background="all", model=model
    )
    assert again.table.equals(found.table)


@pytest.mark.parametrize("method", ["model", "combined"])
@pytest.mark.parametrize(
    ("genes", "settings", "error", "message"),
    [
        ([], {}, UnknownGenesError, "empty"),
        (["nonsense"], {}, UnknownGenesError, "nonsense"),
        (GENES[:3], {"background": GENES[9:90]}, UnknownGenesError, "gene000"),
        (GENES[:3], {"background": ["nonsense"]}, UnknownGenesError, "the background"),
        (
            GENES[:3],
            {"libraries": GeneSets.from_lists([["TP53"]])},
            GsfmError,
            "no term of library 1 has 5 or more genes",
        ),
        (GENES[:3], {"libraries": "no such library"}, GsfmError, "no such library"),
        (GENES[:3], {"libraries": []}, GsfmError, "no library"),
        (GENES[:3], {"top": 0}, ValueError, "top"),
        (GENES[:3], {"background": "some"}, ValueError, "background"),
        (GENES[:3], {"top_genes": 3}, ValueError, "top_genes belongs to a ranked list"),
        ({}, {}, GsfmError, "empty"),
        ({"gene001": float("nan")}, {}, GsfmError, "gene001"),
        ({"gene001": 0.0}, {}, GsfmError, "all statistics"),
        ({"gene001": 1.0, "gene002": -1.0}, {"top_genes": 0}, ValueError, "top_genes"),
    ],
)
def test_bad_input_is_an_error_that_says_what(
    model, library, method, genes, settings, error, message
):
    settings = {"libraries": library, "model": model, "method": method, **settings}
    with pytest.raises(error, match=message):
        enrich(genes, **settings)


@pytest.mark.parametrize("method", ["model", "combined"])
def test_scores_that_are_not_finite_are_an_error(model, library, method, monkeypatch):
    damaged = Popularity().fit([GENES])
    damaged.typical = model.typical
    monkeypatch.setattr(damaged, "evidence", lambda members: (np.full((1, 500), np.nan), 0.0))
    with pytest.raises(GsfmError, match="not finite numbers; is it damaged"):
        enrich(GENES[:3], library, method=method, model=damaged)


def test_a_number_of_genes_is_no_background_of_the_model(model, library):
    with pytest.raises(ValueError, match="belongs to method 'ora' or 'combined'"):
        enrich(GENES[:3], library, method="model", background=600, model=model)


# -- known biology, on the shipped model -----------------------------------------------------------

INTERFERON = ["STAT1", "IRF9", "MX1", "OAS1", "ISG15", "IFIT1", "IFIT3", "RSAD2"]


def test_interferon_genes(shipped):
    for method in ("model", "combined"):
        found = enrich(INTERFERON, "reactome", method=method, top=5, group=False, model=shipped)
        assert any("nterferon" in term for term in found.table["term"])
        assert (found.table["p_value"] < 0.01).all()
        assert found.provenance["null"]["source"] == "training sets"


@pytest.mark.parametrize("method", ["model", "combined"])
def test_a_term_is_found_that_shares_no_gene(shipped, method):
    """The other interferon genes, among terms of other things."""
    terms = GeneSets.from_lists(
        {
            "interferon, others": ["IFI44", "IFI44L", "OAS2", "OAS3", "MX2", "IFIT2", "XAF1"],
            "repair": ["BRCA1", "BRCA2", "RAD51", "PALB2", "ATM", "ATR", "CHEK1"],
            "ribosome": ["RPL3", "RPL4", "RPS3", "RPS6", "RPL5", "RPS8", "RPL7"],
            "collagen": ["COL1A1", "COL1A2", "COL3A1", "FN1", "SPARC", "COL5A1", "LUM"],
        }
    )
    by = {"model": "z_score", "combined": "score"}[method]
    found = enrich(INTERFERON, terms, method=method, group=False, model=shipped)
    best = found.table.row(0, named=True)
    assert (best["term"], best["overlap"]) == ("interferon, others", 0)
    assert best[by] > 2 * max(found.table[by][1:])
    assert best["p_value"] < 0.05
    repair = ["MRE11", "NBN", "RAD50", "BARD1"]
    found = enrich(repair, terms, method=method, group=False, model=shipped)
    assert found.table["term"][0] == "repair"
