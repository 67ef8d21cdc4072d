"""Model-based enrichment: what its score is, that its p-values hold, and what it knows."""

from __future__ import annotations

import itertools
import json

import numpy as np
import polars as pl
import pytest
from scipy import stats

import gsfm
from gsfm import GeneSets, GsfmError, UnknownGenesError
from gsfm.analysis import enrich
from gsfm.analysis.enrichment.null import Null, draw, profile, strata
from gsfm.models import Ensemble, Linear, Popularity

GENES = [f"gene{i:03}" for i in range(500)]
RNG = np.random.default_rng(0)
#: How often a gene is met falls steeply, as in real collections.
FAME = 1 / (np.arange(500) + 60.0)


def _some(n: int, fame: np.ndarray, rng: np.random.Generator) -> list[str]:
    return [GENES[i] for i in rng.choice(500, n, replace=False, p=fame / fame.sum())]


@pytest.fixture(scope="module")
def model() -> Ensemble:
    """Of a corpus with structure (neighbors go together) and with famous genes."""
    sets = [_some(12, FAME, RNG) for _ in range(300)]
    sets += [GENES[i : i + 10] for i in RNG.integers(0, 490, 300)]
    corpus = GeneSets.from_lists(sets, vocabulary=gsfm.Vocabulary(GENES))
    members = [Linear(regularization=5.0).fit(corpus), Popularity().fit(corpus)]
    return Ensemble.of(members, weights=[1.0, 0.3])


@pytest.fixture(scope="module")
def library() -> GeneSets:
    """Terms of neighbors, and terms of famous genes."""
    near = {f"near {i}": GENES[i : i + 15] for i in range(0, 480, 12)}
    return GeneSets.from_lists(near | {f"famous {i}": _some(15, FAME, RNG) for i in range(40)})


def test_the_score_is_the_mean_evidence_each_given_gene_left_out(model, library):
    given = GENES[100:108]
    found = enrich(given, library, draws=20, top=None, model=model)
    assert len(found) == len(library)
    # By hand: scores of the whole set for the others, of the set without it for a given gene.
    column = {gene: i for i, gene in enumerate(model.vocabulary.symbols)}
    inside = np.isin(model.vocabulary.symbols, given)

    def evidence(genes: list[str]) -> np.ndarray:
        scores = model.score([genes])[0].astype(float)
        rest = scores[~np.isin(model.vocabulary.symbols, genes)]
        return (scores - rest.mean()) / rest.std()

    of_genes = evidence(given)
    for gene in given:
        of_genes[column[gene]] = evidence([g for g in given if g != gene])[column[gene]]
    assert inside.sum() == 8
    of_genes = np.clip(of_genes, -2, 4)
    for row in found:
        genes = library[library.names.index(row["term"])].genes
        expected = np.mean([of_genes[column[gene]] for gene in genes])
        assert row["score"] == pytest.approx(expected, abs=1e-3)
        assert row["size"] == len(genes)
        assert row["overlap_genes"] == sorted(set(genes) & set(given))
        assert row["overlap"] == len(row["overlap_genes"])
        assert not set(row["predicted_members"]) & set(given)
    assert found.table["term"][0] == "near 96"
    assert found.table["z_score"].is_sorted(descending=True)


@pytest.mark.parametrize("power", [0.0, 2.0])
def test_p_values_are_uniform_under_the_null(model, library, power):
    """For random sets of any popularity, also the most famous; drawn without any strata."""
    rng = np.random.default_rng(int(power))
    fame = FAME**power
    p_values = []
    for _ in range(80):
        found = enrich(_some(20, fame, rng), library, draws=200, top=None, model=model)
        p_values.append(found.table.sort("term")["p_value"].to_numpy())
    at = np.array(p_values)  # (80, terms); the terms of one set are not independent
    one_each = at[np.arange(80), rng.integers(0, at.shape[1], 80)]
    assert stats.kstest(one_each, "uniform").pvalue > 0.01
    # And over all of them, which has more to say: about as many below each bound as it says.
    for bound in (0.5, 0.2, 0.1, 0.05):
        assert (at <= bound).mean() == pytest.approx(bound, abs=0.35 * bound)
    assert (at <= 0.01).mean() < 0.025


def test_without_matching_on_popularity_they_would_not_be(model, library):
    """The same sets against random ones of all genes alike: what the strata are for."""
    rng = np.random.default_rng(3)
    from gsfm.analysis.enrichment.model import signatures

    terms = library.reindex(model.vocabulary)
    members = terms.to_csr() / terms.sizes[:, None]
    ids = [np.sort(rng.choice(500, 20, replace=False)) for _ in range(200)]
    null = Null.of(np.asarray(members @ signatures(model, ids).T, np.float32))
    famous = [model.vocabulary.ids(_some(20, FAME**2, rng)) for _ in range(60)]
    p = [
        null.judge(np.asarray(members @ signatures(model, [one])[0], np.float32))[1]
        for one in famous
    ]
    of_famous = np.array(p)[:, [name.startswith("famous") for name in terms.names]]
    assert (of_famous <= 0.05).mean() > 0.15


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


def test_random_sets_have_the_size_and_the_popularity_of_the_given_one():
    pool = np.arange(500) % 5 > 0
    groups = strata(np.log(FAME), pool)
    assert np.sort(np.concatenate(groups)).tolist() == np.flatnonzero(pool).tolist()
    for group in groups:
        assert len(group) >= 20
        assert len(group) < 40 or FAME[group].max() / FAME[group].min() < 1.3
    assert all(FAME[a].min() > FAME[b].max() for a, b in itertools.pairwise(groups))
    ids = np.array([1, 2, 3, 124, 126, 499])
    counts = profile(groups, ids)
    assert (counts[0], sum(counts)) == (3, 6)
    rng = np.random.default_rng(0)
    for _ in range(20):
        one = draw(groups, counts, rng)
        assert profile(groups, one) == counts
        assert len(np.unique(one)) == 6
        assert pool[one].all()


def test_a_background_bounds_the_terms_the_genes_and_the_null(model, library):
    measured = GENES[:200]
    given = [*GENES[40:50], GENES[300], "no such gene"]
    found = enrich(given, library, background=measured, draws=20, top=None, model=model)
    assert found.not_in_background == [GENES[300]]
    assert found.unmapped == ["no such gene"]
    assert found.provenance["background"]["genes"] == 200
    assert sum(found.provenance["null"]["strata"]) == 200
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
    first = enrich(genes, library, draws=30, random_state=1, model=model)
    assert (
        enrich(genes, library, draws=30, random_state=1, model=model).to_dict() == first.to_dict()
    )
    other = enrich(genes, library, draws=30, random_state=2, model=model)
    assert other.table["z_score"].to_list() != first.table["z_score"].to_list()
    json.dumps(first.to_dict())
    assert set(first.provenance["columns"]) == set(first.table.columns)


def test_false_discovery_rate_is_over_all_terms_not_those_shown(model, library):
    shown = enrich(GENES[5:25], library, draws=30, top=3, model=model).table
    whole = enrich(GENES[5:25], library, draws=30, top=None, model=model).table
    assert shown.equals(whole.head(3))
    np.testing.assert_allclose(whole["fdr"], stats.false_discovery_control(whole["p_value"]))


def test_a_ranked_list_has_two_directions(model, library):
    statistics = dict(zip(GENES, RNG.normal(0, 0.1, 500), strict=True))
    statistics |= dict.fromkeys(GENES[100:110], 5.0) | dict.fromkeys(GENES[300:310], -4.0)
    found = enrich(statistics, library, top_genes=10, draws=30, top=None, model=model)
    best = found.table.unique("direction", keep="first")
    assert dict(best.select("direction", "term").rows()) == {"up": "near 96", "down": "near 300"}
    assert len(found) == 2 * len(library)
    # Each direction is what `enrich` says of its genes, with the list as the background.
    up = enrich(GENES[100:110], library, background=GENES, draws=30, top=None, model=model)
    mine = found.table.filter(direction="up").sort("term")
    np.testing.assert_allclose(mine["p_value"], up.table.sort("term")["p_value"])
    # Turned round, up is down.
    turned = {gene: -value for gene, value in statistics.items()}
    back = enrich(turned, library, top_genes=10, draws=30, top=None, model=model).table
    down = back.filter(direction="down").sort("term")
    np.testing.assert_allclose(mine["z_score"], down["z_score"])
    inputs = found.inputs.drop_nulls("direction")
    assert inputs.filter(direction="up")["symbol"].to_list() == GENES[100:110]


def test_a_ranked_list_of_one_sign_and_of_a_gene_twice(model, library):
    ranked = [(GENES[100], 1.0), (GENES[101], 2.0), (GENES[100], 3.0), (GENES[0], 0.0)]
    found = enrich(ranked, library, top_genes=1, draws=20, top=None, background="all", model=model)
    assert found.table["direction"].unique().to_list() == ["up"]
    assert found.inputs["direction"].to_list() == ["up", None, "up", None]
    frame = pl.DataFrame(ranked, schema=["gene", "t"], orient="row")
    again = enrich(frame, library, top_genes=1, draws=20, top=None, background="all", model=model)
    assert again.table.equals(found.table)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda m, s: enrich([], s, model=m), UnknownGenesError, "empty"),
        (lambda m, s: enrich(["nonsense"], s, model=m), UnknownGenesError, "nonsense"),
        (
            lambda m, s: enrich(GENES[:3], s, background=GENES[9:90], model=m),
            UnknownGenesError,
            "gene000",
        ),
        (
            lambda m, s: enrich(GENES[:3], s, background=["nonsense"], model=m),
            UnknownGenesError,
            "the background",
        ),
        (
            lambda m, s: enrich(GENES[:3], GeneSets.from_lists([["TP53"] * 1]), model=m),
            GsfmError,
            "no term of library 1 has 5 or more genes",
        ),
        (lambda m, s: enrich(GENES[:3], "no such library", model=m), GsfmError, "no such library"),
        (lambda m, s: enrich(GENES[:3], [], model=m), GsfmError, "no library"),
        (lambda m, s: enrich(GENES[:3], s, draws=3, model=m), ValueError, "draws"),
        (lambda m, s: enrich(GENES[:3], s, top=0, model=m), ValueError, "top"),
        (lambda m, s: enrich(GENES[:3], s, background="some", model=m), ValueError, "background"),
        (lambda m, s: enrich({}, s, model=m), GsfmError, "empty"),
        (lambda m, s: enrich({"gene001": float("nan")}, s, model=m), GsfmError, "gene001"),
        (lambda m, s: enrich({"gene001": 0.0}, s, model=m), GsfmError, "all statistics"),
    ],
)
def test_bad_input_is_an_error_that_says_what(model, library, call, error, message):
    with pytest.raises(error, match=message):
        call(model, library)


# -- known biology, on the shipped model -----------------------------------------------------------

INTERFERON = ["STAT1", "IRF9", "MX1", "OAS1", "ISG15", "IFIT1", "IFIT3", "RSAD2"]


@pytest.fixture(scope="module")
def shipped():
    return gsfm.load()


def test_interferon_genes(shipped):
    found = enrich(INTERFERON, "reactome", draws=20, top=5, model=shipped)
    assert any("nterferon" in term for term in found.table["term"])
    assert (found.table["p_value"] < 0.01).all()


def test_a_term_is_found_that_shares_no_gene(shipped):
    """The other interferon genes, among terms of other things."""
    terms = GeneSets.from_lists(
        {
            "interferon, others": ["IFI44", "IFI44L", "OAS2", "OAS3", "MX2", "IFIT2", "XAF1"],
            "repair": ["BRCA1", "BRCA2", "RAD51", "PALB2", "ATM", "ATR", "CHEK1"],
            "ribosome": ["RPL3", "RPL4", "RPS3", "RPS6", "RPL5", "RPS8", "RPL7"],
            "collagen": ["COL1A1", "COL1A2", "COL3A1", "FN1", "SPARC", "COL5A1", "LUM"],
        }
    )
    found = enrich(INTERFERON, terms, draws=20, model=shipped)
    best = found.table.row(0, named=True)
    assert (best["term"], best["overlap"]) == ("interferon, others", 0)
    assert best["z_score"] > 2 * max(found.table["z_score"][1:])
    repair = enrich(["MRE11", "NBN", "RAD50", "BARD1"], terms, draws=20, model=shipped)
    assert repair.table["term"][0] == "repair"
