"""Combined enrichment: its test of the overlap, its p-value and score, and its inputs."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import roc_auc_score

import gsfm
from gsfm import GeneSets, GsfmError
from gsfm.analysis import enrich, ora, ordered_ora
from gsfm.analysis.enrichment import overlap
from gsfm.analysis.enrichment.combined import model_weight
from gsfm.analysis.enrichment.null import Null
from gsfm.analysis.enrichment.overlap import matched_p_values, strata
from gsfm.models import Ensemble, Linear, Popularity
from gsfm.models.typical import Typical, bounded_evidence

GENES = [f"gene{i:03}" for i in range(500)]
RNG = np.random.default_rng(0)
#: The frequency of genes falls steeply, as in real collections.
FAME = 1 / (np.arange(500) + 60.0)


def _some(n: int, fame: np.ndarray, rng: np.random.Generator) -> list[str]:
    return [GENES[i] for i in rng.choice(500, n, replace=False, p=fame / fame.sum())]


SETS = [_some(12, FAME, RNG) + GENES[i : i + 8] for i in RNG.integers(0, 490, 400)]
#: Terms of neighbors and of famous genes, all among the first 440 genes.
NEAR = {f"near {i}": GENES[i : i + 15] for i in range(0, 420, 12)}
FAMOUS = {
    f"famous {i}": [g for g in _some(n, FAME, RNG) if g < "gene440"]
    for i, n in enumerate(RNG.integers(8, 60, 30))
}
LIBRARY = GeneSets.from_lists(NEAR | FAMOUS, vocabulary=gsfm.Vocabulary(GENES))


@pytest.fixture(autouse=True)
def small_strata(monkeypatch):
    """There are 500 genes."""
    monkeypatch.setattr(overlap, "FEWEST", 20)
    monkeypatch.setattr(overlap, "STRATA", 25)


@pytest.fixture(scope="module")
def model() -> Ensemble:
    rows = GeneSets.from_lists(SETS, vocabulary=gsfm.Vocabulary(GENES))
    members = [Linear(regularization=5.0).fit(rows), Popularity().fit(rows)]
    model = Ensemble.of(members, weights=[1.0, 0.3])
    model.typical = Typical.fit(model, rows, "sets of the corpus")
    return model


def _whole(genes, model, libraries=LIBRARY, **options):
    options = {"top": None, "group": False, **options}
    return enrich(genes, libraries, model=model, **options)


# -- the test of the overlap -----------------------------------------------------------------------


@st.composite
def _tiny(draw):
    """Up to 3 strata of up to 5 genes, a term, and the number of genes of a set in each."""
    sizes = draw(st.lists(st.integers(1, 5), min_size=1, max_size=3))
    in_term = [draw(st.integers(0, size)) for size in sizes]
    in_set = [draw(st.integers(0, size)) for size in sizes]
    return np.array(sizes), np.array(in_term), np.array(in_set)


@settings(max_examples=60)
@given(_tiny())
def test_the_p_value_is_that_of_all_sets_with_as_many_genes_in_each_stratum(case):
    sizes, in_term, in_set = case
    # The term has the first genes of each stratum, which is no loss.
    choices = [itertools.combinations(range(n), k) for n, k in zip(sizes, in_set, strict=True)]
    overlaps = np.array(
        [
            sum(sum(gene < m for gene in one) for one, m in zip(chosen, in_term, strict=True))
            for chosen in itertools.product(*map(list, choices))
        ]
    )
    possible = np.arange(np.minimum(in_term, in_set).sum() + 1)
    found = matched_p_values(possible, np.tile(in_term, (len(possible), 1)), in_set, sizes)
    expected = (overlaps >= possible[:, None]).mean(axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@settings(max_examples=30)
@given(st.integers(1, 3000), st.data())
def test_of_one_stratum_it_is_the_hypergeometric_test(size, data):
    n = data.draw(st.integers(1, min(size, 400)))
    m = np.array(data.draw(st.lists(st.integers(0, size), min_size=1, max_size=6)))
    k = np.array([data.draw(st.integers(0, int(min(n, one)))) for one in m])
    found = matched_p_values(k, m[:, None], np.array([n]), np.array([size]))
    np.testing.assert_allclose(found, stats.hypergeom.sf(k - 1, size, m, n), rtol=1e-6, atol=1e-280)


def test_many_terms_of_all_sizes_are_as_one_by_one(monkeypatch):
    rng = np.random.default_rng(1)
    sizes = np.array([400, 400, 300, 20])
    of_terms = rng.binomial(sizes, rng.uniform(0, 0.8, (200, 1)))
    of_set = np.array([60, 10, 0, 3])
    overlap = rng.binomial(np.minimum(of_terms, of_set).sum(axis=1), 0.4)
    found = matched_p_values(overlap, of_terms, of_set, sizes)
    alone = [
        matched_p_values(overlap[[i]], of_terms[[i]], of_set, sizes)[0] for i in range(len(overlap))
    ]
    np.testing.assert_allclose(found, alone, rtol=1e-9)
    assert (found[overlap == 0] == 1).all()
    monkeypatch.setattr("gsfm.analysis.enrichment.overlap.AT_ONCE", 100)
    np.testing.assert_allclose(matched_p_values(overlap, of_terms, of_set, sizes), found, rtol=1e-9)


def test_it_is_the_fraction_of_simulated_sets():
    rng = np.random.default_rng(2)
    sizes, in_term, in_set = np.array([50, 200, 900]), np.array([20, 30, 10]), np.array([15, 30, 5])
    simulated = sum(
        rng.hypergeometric(m, size - m, n, 100_000)
        for size, m, n in zip(sizes, in_term, in_set, strict=True)
    )
    for k in (5, 9, 12, 15, 17):
        p = matched_p_values(np.array([k]), in_term[None], in_set, sizes).item()
        error = math.sqrt(p * (1 - p) / 100_000)
        assert (simulated >= k).mean() == pytest.approx(p, abs=4 * error + 1e-5)


@given(st.integers(1, 1200), st.integers(0, 60), st.integers(0, 3))
@settings(max_examples=40)
def test_strata_part_the_pool_and_their_share_of_the_set_falls(n, n_set, seed):
    rng = np.random.default_rng(seed)
    pool = rng.random(1300) < n / 1300
    pool[0] = True
    of_gene = rng.integers(0, 30, 1300).astype(float)
    ids = rng.choice(np.flatnonzero(pool), min(n_set, pool.sum()), replace=False)
    groups = strata(of_gene, pool, ids)
    assert np.sort(np.concatenate(groups)).tolist() == np.flatnonzero(pool).tolist()
    assert len(groups) <= min(overlap.STRATA, max(1, pool.sum() // overlap.FEWEST))
    # The most popular first.
    for a, b in itertools.pairwise(groups):
        assert of_gene[a].min() >= of_gene[b].max()
    shares = [np.isin(group, ids).mean() for group in groups]
    assert all(a > b for a, b in itertools.pairwise(shares))


def test_the_shares_of_strata_are_those_of_isotonic_regression():
    """By scikit-learn, of 25 parts of equal size."""
    rng = np.random.default_rng(4)
    for _ in range(20):
        of_gene, pool = rng.random(2400), np.ones(2400, bool)
        ids = rng.choice(2400, 150, replace=False, p=(w := of_gene**0.5) / w.sum())
        groups = strata(of_gene, pool, ids)
        parts = np.array_split(np.argsort(-of_gene), 25)
        shares = [np.isin(part, ids).mean() for part in parts]
        fitted = IsotonicRegression(increasing=False).fit_transform(range(25), shares)
        mine = np.empty(2400)
        for group in groups:
            mine[group] = np.isin(group, ids).mean()
        np.testing.assert_allclose([mine[part].mean() for part in parts], fitted, atol=1e-12)


def _strata_of(model, pool: np.ndarray, ids: np.ndarray) -> list[np.ndarray]:
    return strata(model.log_gene_frequency(), pool, ids)


def _in_strata(groups: list[np.ndarray], ids: np.ndarray) -> np.ndarray:
    return np.array([np.isin(group, ids).sum() for group in groups])


def _by_overlap(model, lists: list[list[str]], pool: np.ndarray) -> np.ndarray:
    """(lists, terms) p-values of the overlap, by hand."""
    terms = [np.array([GENES.index(g) for g in LIBRARY[i].genes]) for i in range(len(LIBRARY))]
    found = []
    for genes in lists:
        ids = np.array([GENES.index(g) for g in genes])
        ids = ids[pool[ids]]
        groups = _strata_of(model, pool, ids)
        of_terms = np.array([_in_strata(groups, term) for term in terms])
        sizes = np.array([len(group) for group in groups])
        overlap = np.array([np.isin(ids, term).sum() for term in terms])
        found.append(matched_p_values(overlap, of_terms, _in_strata(groups, ids), sizes))
    return np.array(found)


# -- the result ------------------------------------------------------------------------------------


def test_columns_by_hand(model):
    genes = [*GENES[100:108], *_some(10, FAME, np.random.default_rng(5)), GENES[470]]
    genes = list(dict.fromkeys(genes))
    found = _whole(genes, model)
    table = found.table
    assert len(table) == len(LIBRARY)
    assert found.provenance["method"] == "combined"
    pool = np.isin(np.arange(500), LIBRARY.indices)
    expected = _by_overlap(model, [genes], pool)[0]
    alone = _whole(genes, model, method="model").table
    of_model = dict(alone.select("term", "p_value").rows())
    inside = np.isin(GENES, genes)
    of_genes = bounded_evidence(model, [np.flatnonzero(inside)])[0]
    # Each gene of the set, with its leave-one-out evidence, among all other genes.
    auroc = roc_auc_score(inside, of_genes)
    weight = min(max(4 * auroc - 2, 0), 1)
    assert found.provenance["model_weight"] == {
        "set": {
            "weight": pytest.approx(weight, abs=0.002),
            "coherence": pytest.approx(auroc, abs=0.0006),
        }
    }
    assert 0 < weight <= 1
    weight = found.provenance["model_weight"]["set"]["weight"]
    background = int(pool.sum())
    used = [g for g in genes if pool[GENES.index(g)]]
    groups = _strata_of(model, pool, np.array([GENES.index(g) for g in used]))
    assert GENES[470] not in used
    for row in found:
        i = LIBRARY.names.index(row["term"])
        term = set(LIBRARY[i].genes)
        assert row["size"] == len(term)
        assert row["overlap_genes"] == sorted(term & set(genes))
        k = row["overlap"]
        assert k == len(row["overlap_genes"])
        assert row["overlap_p_value"] == pytest.approx(expected[i], rel=1e-9)
        assert row["model_p_value"] == pytest.approx(of_model[row["term"]], rel=1e-6)
        p = min(1, row["overlap_p_value"] / 0.9, row["model_p_value"] / 0.1)
        assert row["p_value"] == pytest.approx(p, rel=1e-9)
        score = -math.log10(row["overlap_p_value"]) - weight * math.log10(row["model_p_value"])
        score += math.log10(len(term) / (len(term) + 100))
        assert row["score"] == pytest.approx(score, abs=1e-6)
        odds = k * (background - len(used) - len(term) + k) / ((len(used) - k) * (len(term) - k))
        assert row["odds_ratio"] == pytest.approx(odds)
        by_chance = sum(
            np.isin(group, [GENES.index(g) for g in used]).mean()
            * np.isin(group, [GENES.index(g) for g in term]).sum()
            for group in groups
        )
        assert row["expected"] == pytest.approx(by_chance)
        assert not set(row["predicted_members"]) & set(genes)
        assert set(row["predicted_members"]) <= term
    assert table["score"].is_sorted(descending=True)
    assert table["rank"].to_list() == list(range(1, len(table) + 1))
    np.testing.assert_allclose(table["fdr"], stats.false_discovery_control(table["p_value"]))
    assert set(found.provenance["columns"]) == set(table.columns)
    assert found.provenance["null"]["source"] == "sets of the corpus"
    json.dumps(found.to_dict())
    shown = enrich(genes, LIBRARY, top=3, group=False, model=model).table
    assert shown.equals(table.head(3))


def test_the_weight_of_the_model():
    aurocs = (0.0, 0.5, 0.55, 0.6, 0.75, 1.0, float("nan"))
    assert [model_weight(one) for one in aurocs] == [0, 0, 0.2, 0.4, 1, 1, 1]


def test_of_genes_without_coherence_the_model_has_little_weight(model):
    """Genes of which none is predicted by the others; of one gene, the model has all of it."""
    genes = GENES[7:440:43]
    found = _whole(genes, model)
    own = found.provenance["model_weight"]["set"]
    assert own["weight"] == pytest.approx(max(4 * own["coherence"] - 2, 0), abs=0.003)
    assert own["weight"] < 0.5
    assert f"its weight is {own['weight']:.2g}" in found.summary()
    alone = _whole(GENES[100:101], model)
    assert alone.provenance["model_weight"] == {"set": {"weight": 1.0, "coherence": None}}
    assert "its weight" not in alone.summary()


def test_a_term_without_an_overlap_is_found(model):
    """The neighbors of the genes of the set, which have none of them."""
    terms = {"others": GENES[300:307], "neighbors": GENES[108:115], "famous": GENES[:9]}
    apart = GeneSets.from_lists(terms, vocabulary=LIBRARY.vocabulary)
    for genes in (GENES[100:108], [*GENES[100:108], *GENES[3:5]]):
        found = _whole(genes, model, apart, background="all").table
        row = next(found.filter(term="neighbors").iter_rows(named=True))
        assert (row["overlap"], row["odds_ratio"], row["overlap_genes"]) == (0, 0.0, [])
        assert row["overlap_p_value"] == 1
        assert row["model_p_value"] == found["model_p_value"].min()
        assert row["model_p_value"] < 0.1
        assert row["predicted_members"]
        assert row["score"] > found.filter(term="others")["score"].item()
    # `ora` has an error for a set without any overlap; this has not.
    with pytest.raises(GsfmError, match="no gene of the set is in any tested term"):
        ora(GENES[100:108], apart, background=GENES)
    assert _whole(GENES[100:108], model, apart).table["term"][0] == "neighbors"


def test_what_the_overlap_finds_is_not_lost(model):
    found = _whole(GENES[100:108], model).table
    assert (found["p_value"] <= found["overlap_p_value"] / 0.9 + 1e-12).all()


@pytest.mark.parametrize("size", [5, 20, 60])
@pytest.mark.parametrize("power", [0.0, 2.0])
def test_p_values_of_random_lists_are_as_often_small_as_they_say(model, power, size):
    rng = np.random.default_rng(int(power) + size)
    lists = [_some(size, FAME**power, rng) for _ in range(60)]
    pool = np.ones(500, bool)
    of_overlap = _by_overlap(model, lists, pool)
    members = LIBRARY.to_csr()
    ids = [np.sort([GENES.index(gene) for gene in one]) for one in lists]
    null = Null.of(model.typical.of_terms(members))
    scores = (members @ bounded_evidence(model, ids).T / LIBRARY.sizes[:, None]).T
    of_model = np.array([null.judge(one.astype(float))[1] for one in scores])
    p = np.minimum(of_overlap / 0.9, of_model / 0.1)
    # An eighth of 500 genes, the most famous: within a stratum, they are not all alike.
    bound = 0.08 if (power, size) == (2.0, 60) else 0.05
    assert (p <= 0.05).mean() <= bound
    assert (of_overlap <= 0.05).mean() <= bound
    found = _whole(lists[0], model, background=GENES).table
    order = [LIBRARY.names.index(term) for term in found["term"]]
    np.testing.assert_allclose(found["p_value"], np.minimum(p[0, order], 1), rtol=1e-3)


def test_without_matching_on_popularity_they_would_be_small(model):
    """The same lists with one stratum, as in `ora`: what the strata are for."""
    rng = np.random.default_rng(3)
    lists = [_some(40, FAME**2, rng) for _ in range(60)]
    famous = np.array([name.startswith("famous") for name in LIBRARY.names])
    matched = _by_overlap(model, lists, np.ones(500, bool))[:, famous]
    members = [set(LIBRARY[i].genes) for i in np.flatnonzero(famous)]
    overlaps = np.array([[len(own & set(genes)) for own in members] for genes in lists])
    plain = stats.hypergeom.sf(overlaps - 1, 500, [len(own) for own in members], 40)
    assert (plain <= 0.05).mean() > 0.2
    assert (matched <= 0.05).mean() < 0.08


# -- backgrounds and libraries ---------------------------------------------------------------------


def test_genes_outside_the_library_are_used_by_the_model_only(model):
    inside, outside = GENES[100:104], GENES[480:484]
    found = _whole([*inside, *outside, "no such gene"], model)
    about = found.provenance["input"]
    assert (about["genes"], about["not_in_library"], about["not_in_background"]) == (8, outside, [])
    assert found.provenance["background"]["kind"] == "library"
    assert "in no term, used by the model only (4): gene480, gene481, gene482" in found.summary()
    assert found.unmapped == ["no such gene"]
    assert found.inputs["input"].to_list() == [*inside, *outside, "no such gene"]
    without = _whole(inside, model)
    columns = ["term", "overlap", "expected", "odds_ratio", "overlap_p_value", "overlap_genes"]
    assert found.table.sort("term").select(columns).equals(without.table.sort("term")[columns])
    assert without.provenance["input"]["not_in_library"] == []
    assert "used by the model only" not in without.summary()
    with_them = found.table.sort("term")["model_p_value"].to_numpy()
    assert np.abs(with_them - without.table.sort("term")["model_p_value"].to_numpy()).max() > 0.01
    # All genes of the set may be outside.
    only = _whole(outside, model)
    assert only.table["overlap"].sum() == 0
    assert (only.table["overlap_p_value"] == 1).all()
    # With another background, genes outside are not used at all.
    listed = _whole([*inside, *outside], model, background=GENES[:450])
    assert listed.not_in_background == outside
    assert "not_in_library" not in listed.provenance["input"]
    assert "not in the background, not used (4): gene480" in listed.summary()


def test_several_libraries_are_each_as_if_alone(model):
    parts = [LIBRARY[:35], LIBRARY[35:]]
    genes = [*GENES[100:108], *_some(10, FAME, np.random.default_rng(4))]
    both = _whole(genes, model, parts)
    sizes = [len(np.unique(one.indices)) for one in parts]
    assert both.provenance["background"]["genes"] == sizes
    assert both.table["library"].unique(maintain_order=True).to_list() == ["library 1", "library 2"]
    in_any = np.isin(np.arange(500), LIBRARY.indices)
    for i, part in enumerate(parts):
        own = both.table.filter(library=f"library {i + 1}")
        alone = _whole(genes, model, part).table
        assert own["term"].to_list() == alone["term"].to_list()
        assert own["rank"].to_list() == list(range(1, len(part) + 1))
        for column in ("overlap_p_value", "expected", "odds_ratio", "score", "p_value", "fdr"):
            np.testing.assert_allclose(own[column], alone[column], rtol=1e-5)
        np.testing.assert_allclose(own["fdr"], stats.false_discovery_control(own["p_value"]))
    assert both.provenance["input"]["not_in_library"] == [
        g for g in genes if not in_any[GENES.index(g)]
    ]


def test_a_background_that_is_a_list(model):
    measured = GENES[:200]
    genes = [*GENES[40:50], GENES[300]]
    found = _whole(genes, model, background=measured)
    assert found.not_in_background == [GENES[300]]
    assert found.provenance["background"]["genes"] == 200
    assert found.provenance["input"]["genes"] == 10
    whole = {name: set(LIBRARY[i].genes) for i, name in enumerate(LIBRARY.names)}
    for row in found:
        assert row["size"] == len(whole[row["term"]] & set(measured)) >= 5
    tested = {row["term"] for row in found}
    assert tested == {name for name, own in whole.items() if len(own & set(measured)) >= 5}
    # So are the strata: those of the measured genes.
    pool = np.arange(500) < 200
    groups = _strata_of(model, pool, np.arange(40, 50))
    sizes = np.array([len(group) for group in groups])
    of_set = _in_strata(groups, np.arange(40, 50))
    for row in found:
        of_term = _in_strata(groups, [GENES.index(g) for g in whole[row["term"]]])
        p = matched_p_values(np.array([row["overlap"]]), of_term[None], of_set, sizes)
        assert row["overlap_p_value"] == pytest.approx(p.item(), rel=1e-9)


def test_a_background_that_is_a_number(model):
    """Genes that the model does not know are rare: they are in the last stratum."""
    genes = _some(20, FAME, np.random.default_rng(6))
    as_all = _whole(genes, model, background="all").table.sort("term")
    same = _whole(genes, model, background=500).table.sort("term")
    more = _whole(genes, model, background=5000)
    assert more.provenance["background"] == {
        **more.provenance["background"],
        **{"kind": "number", "genes": 5000},
    }
    for column in ("overlap_p_value", "expected", "odds_ratio", "p_value"):
        np.testing.assert_allclose(same[column], as_all[column], rtol=1e-12)
    more = more.table.sort("term")
    assert (more["overlap_p_value"] <= same["overlap_p_value"] + 1e-12).all()
    assert (more["expected"] <= same["expected"] + 1e-12).all()
    assert more["model_p_value"].equals(same["model_p_value"])
    for row in more.iter_rows(named=True):
        k, m = row["overlap"], row["size"]
        odds = k * (5000 - 20 - m + k) / ((20 - k) * (m - k))
        assert row["odds_ratio"] == pytest.approx(odds)
    with pytest.raises(GsfmError, match="a background of 100 genes is too small"):
        _whole(genes, model, background=100)
    with pytest.raises((GsfmError, ValueError, TypeError), match="background"):
        _whole(genes, model, background=-5)


def test_a_number_below_the_genes_of_the_model_is_the_test_of_ora(model):
    """Which genes these are is not known."""
    found = _whole(GENES[100:108], model, background=460).table
    for row in found.iter_rows(named=True):
        p = stats.hypergeom.sf(row["overlap"] - 1, 460, row["size"], 8)
        assert row["overlap_p_value"] == pytest.approx(p, rel=1e-9)


def test_a_library_of_one_family_finds_its_genes(model):
    """Its genes are all that is known, of a number of genes."""
    family = GeneSets.from_lists({"family": GENES[300:340]}, vocabulary=LIBRARY.vocabulary)
    found = _whole(GENES[300:306], model, family, background=20000).table
    assert found["overlap_p_value"].item() < 1e-10


def test_a_model_that_counts_no_genes_is_matched_on_the_library_alone(model, monkeypatch):
    monkeypatch.setattr(type(model), "log_gene_frequency", lambda self: None)
    matched = _whole(GENES[100:108], model).provenance["null"]["matched_on"]
    assert matched == "number of terms with the gene"


# -- ranked lists, and what a result can do --------------------------------------------------------


@pytest.fixture(scope="module")
def ranked() -> dict[str, float]:
    values = dict(zip(GENES, np.random.default_rng(7).normal(0, 1, 500), strict=True))
    values |= {gene: 4 + i / 10 for i, gene in enumerate(GENES[100:110])}
    return values | {gene: -4 - i / 10 for i, gene in enumerate(GENES[300:310])}


@pytest.mark.parametrize("background", [None, "library"])
def test_a_ranked_list_has_the_overlaps_of_ordered_ora(model, ranked, background):
    settings = {"background": background}
    libraries = [LIBRARY[:35], LIBRARY[35:]]
    by = ["library", "direction", "term"]
    found = _whole(ranked, model, libraries, top_genes=10, **settings)
    table = found.table.sort(by)
    peer = ordered_ora(ranked, libraries, top=None, **settings).table.sort(by)
    assert len(table) == 2 * len(LIBRARY)
    columns = [*by, "size", "prefix", "overlap", "expected", "odds_ratio", "prefix_p_value"]
    columns.append("overlap_genes")
    assert table.select(columns).equals(peer.select(columns))
    assert table["overlap_p_value"].equals(peer["p_value"].rename("overlap_p_value"))
    # The model has the genes at each end.
    for side, genes in (("up", GENES[100:110]), ("down", GENES[300:310])):
        own = _whole(genes, model, libraries, method="model").table.sort("library", "term")
        part = table.filter(direction=side)
        if background == "library":
            np.testing.assert_allclose(part["model_p_value"], own["p_value"], rtol=1e-6)
        chosen = found.inputs.filter(direction=side)["symbol"].to_list()
        assert sorted(chosen) == genes
    for row in table.iter_rows(named=True):
        p = min(1, row["overlap_p_value"] / 0.9, row["model_p_value"] / 0.1)
        assert row["p_value"] == pytest.approx(p, rel=1e-9)
        weight = found.provenance["model_weight"][row["direction"]]["weight"]
        score = -math.log10(row["overlap_p_value"]) - weight * math.log10(row["model_p_value"])
        score += math.log10(row["size"] / (row["size"] + 100))
        assert row["score"] == pytest.approx(score, abs=1e-6)
    for name in ("library 1", "library 2"):
        own = found.table.filter(library=name)
        np.testing.assert_allclose(own["fdr"], stats.false_discovery_control(own["p_value"]))
        assert own["score"].is_sorted(descending=True)
    best = found.table.filter(library="library 1").unique("direction", keep="first")
    assert dict(best.select("direction", "term").rows()) == {"up": "near 96", "down": "near 300"}
    assert set(found.provenance["columns"]) == set(found.table.columns)
    json.dumps(found.to_dict())
    if background is None:
        return
    turned = {gene: -value for gene, value in ranked.items()}
    back = _whole(turned, model, libraries, top_genes=10, **settings).table
    down = back.filter(direction="down").sort("library", "term")
    up = table.filter(direction="up")
    np.testing.assert_allclose(down["p_value"], up["p_value"], rtol=1e-9)


def test_a_ranked_list_of_one_sign(model):
    one = {GENES[100 + i]: 1.0 + i for i in range(8)}
    found = _whole(one, model, background="library")
    assert found.table["direction"].unique().to_list() == ["up"]
    assert list(found.provenance["model_weight"]) == ["up"]


def test_several_lists(model):
    lists = {"one": GENES[100:108], "other": [*GENES[300:308], GENES[490]]}
    found = _whole(lists, model)
    for name, genes in lists.items():
        alone = _whole(genes, model).table
        assert found.table.filter(list=name).drop("list").equals(alone)
    assert "gene490" in found.summary()


def test_a_table_for_gseapy(model):
    pytest.importorskip("pandas")
    found = _whole(GENES[100:108], model)
    frame = found.to_gseapy()
    assert frame["Term"].to_list() == found.table["term"].to_list()
    assert frame["P-value"].to_list() == found.table["p_value"].to_list()
    row = found.table.row(0, named=True)
    assert frame["Overlap"][0] == f"{row['overlap']}/{row['size']}"
    assert frame["Genes"][0] == ";".join(row["overlap_genes"])
    score = -math.log(row["p_value"]) * row["odds_ratio"]
    assert frame["Combined Score"][0] == pytest.approx(score)


@pytest.mark.parametrize("kind", ["bar", "dot"])
def test_plots(model, ranked, kind, tmp_path):
    pytest.importorskip("matplotlib")
    for genes in (GENES[100:108], ranked):
        found = enrich(genes, LIBRARY, top=5, model=model)
        found.plot(kind, tmp_path / "plot.svg")
        text = (tmp_path / "plot.svg").read_text()
        assert all(term in text for term in found.table["term"].unique())
