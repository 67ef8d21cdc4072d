"""Calibration: right where the truth is known, wrong without it, and safe in files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression

from gsfm import GeneSets, GsfmError, ModelFormatError, NotCalibratedError, NotFittedError
from gsfm.completion import Calibration
from gsfm.completion.calibration import (
    TERMS,
    Binned,
    _deviations,
    _ends,
    _never_rising,
    _sigmoid,
    meaning,
)
from gsfm.completion.reliability import bins_of, calibration_error
from gsfm.models import Adaptive, Linear, Popularity, load

GENES, BLOCKS = 1000, 10


class Oracle(Linear):
    """Scores the genes of a set's main block 1, and all others 0."""

    leaves_itself_out = True

    def _score(self, members):
        block = np.arange(GENES) // (GENES // BLOCKS)
        of_block = sp.csr_array(np.eye(BLOCKS, dtype=np.float32)[block])
        main = (members @ of_block).toarray().argmax(axis=1)
        return (block == main[:, None]).astype(np.float32)


def halves(n: int, random_state: int) -> tuple[GeneSets, GeneSets, np.ndarray]:
    """Sets whose genes are drawn with a known probability inside one block, and another outside.

    Returns the two halves, and for each set the probability that a gene of its block, and one of
    the others, is hidden, given that it is not shown.
    """
    rng = np.random.default_rng(random_state)
    width = GENES // BLOCKS
    shown, hidden, truth = [], [], []
    for _ in range(n):
        inside, outside = rng.uniform(0.1, 0.9), rng.uniform(0.0, 0.02)
        main = rng.integers(BLOCKS)
        p = np.where(np.arange(GENES) // width == main, inside, outside)
        genes = np.flatnonzero(rng.random(GENES) < p)
        side = rng.random(len(genes)) < 0.5
        shown.append(genes[side])
        hidden.append(genes[~side])
        # Not shown: hidden, of half the chance, or not in the set at all.
        truth.append([q / 2 / (1 - q / 2) for q in (inside, outside)])
    vocabulary = GeneSets.from_lists([[f"G{i:03}" for i in range(GENES)]]).vocabulary
    return (
        GeneSets.from_ids(vocabulary, shown),
        GeneSets.from_ids(vocabulary, hidden),
        np.array(truth),
    )


@pytest.fixture(scope="module")
def oracle() -> Oracle:
    shown, hidden, _ = halves(300, random_state=1)
    model = Oracle()
    model._vocabulary = shown.vocabulary
    return model.calibrate(shown, hidden)


def test_probabilities_are_the_known_ones(oracle):
    shown, hidden, truth = halves(400, random_state=2)
    probability = oracle.probability(shown)
    own = oracle.score(shown) > 0
    missing = shown.to_csr().toarray() == 0
    y = hidden.to_csr().toarray()
    for column, chosen in enumerate((own & missing, ~own & missing)):
        predicted = np.array(
            [row[pick].mean() for row, pick in zip(probability, chosen, strict=True)]
        )
        # One for all genes of a block: they have the same score.
        assert all(np.ptp(row[pick]) < 1e-6 for row, pick in zip(probability, chosen, strict=True))
        # Right on average, within four standard errors over the sets; one in a thousand more for
        # what was fitted to as many sets.
        off = predicted - truth[:, column]
        assert abs(off.mean()) < 4 * off.std() / np.sqrt(len(off)) + 1e-3
        # And set by set, far better inside the block than any one number for all sets.
        constant = np.abs(truth[:, column].mean() - truth[:, column]).mean()
        assert np.abs(off).mean() < (0.45, 1.0)[column] * constant
    assert calibration_error(probability[missing], y[missing]) < 0.005
    top = own & missing
    assert calibration_error(probability[top], y[top]) < 0.035


def test_without_calibration_they_are_wrong(oracle):
    """The same measure of the scores themselves, and of one curve for all sets."""
    shown, hidden, truth = halves(400, random_state=2)
    score = oracle.score(shown)
    top = (score > 0) & (shown.to_csr().toarray() == 0)
    y = hidden.to_csr().toarray()
    assert calibration_error(expit(score)[top], y[top]) > 0.3
    flat = Oracle()
    flat._vocabulary = oracle.vocabulary
    flat.calibration = Calibration(oracle.calibration.prior_weights, (1e9,) * 5)

    def worst(model: Linear) -> float:
        """The largest error over a quarter of the sets, from the hard ones to the easy ones."""
        p = model.probability(shown)
        quarters = np.array_split(np.argsort(truth[:, 0]), 4)
        return max(abs((p - y)[rows][top[rows]].mean()) for rows in quarters)

    assert worst(oracle) < 0.08 < 0.12 < worst(flat)


@settings(max_examples=40, deadline=None)
@given(
    random_state=st.integers(0, 10_000),
    n=st.integers(1, 4),
    genes=st.integers(2, 60),
    ties=st.booleans(),
    usual=st.lists(st.floats(-5, 5), min_size=5, max_size=5),
    missing_fraction=st.sampled_from([0.5, 0.001, 0.2, 0.8, 0.999]),
)
def test_probability_never_falls_with_the_evidence(
    random_state, n, genes, ties, usual, missing_fraction
):
    rng = np.random.default_rng(random_state)
    members = sp.csr_array((rng.random((n, genes)) < rng.random()).astype(np.float32))
    evidence = rng.normal(size=(n, genes)).astype(np.float32)
    if ties:
        evidence = np.rint(evidence)
    own = rng.normal(size=len(members.indices)).astype(np.float32)
    calibration = Calibration(tuple(usual), tuple(rng.uniform(0.1, 10, 5)))
    p = calibration.probabilities(evidence, own, members, missing_fraction)
    assert p.shape == (n, genes)
    assert p.dtype == np.float32
    assert ((p >= 0) & (p <= 1)).all()
    inside = members.toarray() > 0
    for u in range(n):
        if not inside[u].any():
            assert not p[u].any()
            continue
        # Members too, each by its evidence as if left out.
        x = evidence[u].copy()
        x[inside[u]] = own[members.indptr[u] : members.indptr[u + 1]]
        order = np.argsort(x, kind="stable")
        assert (np.diff(p[u, order]) >= -1e-6).all()
        # Equal evidence, equal probability.
        assert all(np.ptp(p[u, x == value]) == 0 for value in np.unique(x))


def test_bins_hold_every_gene_once():
    rng = np.random.default_rng(0)
    members = sp.csr_array((rng.random((7, 90)) < 0.2).astype(np.float32))
    hidden = sp.csr_array(((rng.random((7, 90)) < 0.2) & (members.toarray() == 0)).astype("f4"))
    evidence = np.rint(3 * rng.normal(size=(7, 90))).astype(np.float32)
    own = evidence[members.nonzero()] + np.float32(0.25)
    binned = Binned.of(evidence, own, members, hidden)
    for u in range(7):
        outside = np.flatnonzero(members.toarray()[u] == 0)
        order = outside[np.argsort(-evidence[u, outside], kind="stable")]
        k = binned.n_bins[u]
        sizes = binned.genes[u, :k].astype(int)
        assert sizes.sum() == len(outside) == binned.others[u]
        assert (sizes > 0).all()
        rank = np.arange(1, len(order) + 1)
        for b, part in enumerate(np.split(np.arange(len(order)), np.cumsum(sizes)[:-1])):
            x = evidence[u, order[part]]
            assert binned.evidence[u, b] == pytest.approx(x.mean())
            assert binned.log_rank[u, b] == pytest.approx(np.log(rank[part]).mean())
            assert binned.hidden[u, b] == hidden.toarray()[u, order[part]].sum()
            # What has the same evidence is in the same bin.
            assert not set(x) & set(np.delete(evidence[u, order], part))
            above = np.inf if b == 0 else evidence[u, order[part[0] - 1]]
            lowest = -np.inf if b == k - 1 else x.min()
            mine = own[members.indptr[u] : members.indptr[u + 1]]
            above_all = evidence[u, order[part[0] - 1]] if b else np.inf
            assert above == above_all
            assert binned.left_out[u, b] == ((mine >= lowest) & (mine < above_all)).sum()
    assert _ends(1).tolist() == [1]
    assert _ends(28_000)[-1] == 28_000
    assert len(_ends(28_000)) < 50


def test_pooling_is_isotonic_regression():
    rng = np.random.default_rng(0)
    for _ in range(50):
        z, n = rng.normal(size=12) * 2, rng.integers(1, 9, 12).astype(float)
        wanted = IsotonicRegression(increasing=False).fit_transform(
            np.arange(12), _sigmoid(z), sample_weight=n
        )
        np.testing.assert_allclose(_sigmoid(_never_rising(z, n)), wanted, atol=1e-9)


def test_the_gradient_is_that_of_the_loss(monkeypatch):
    """The optimizer's function against differences: the deviations move with what is usual."""
    import scipy.optimize

    shown, hidden, _ = halves(30, random_state=3)
    model = Oracle()
    model._vocabulary = shown.vocabulary
    noise = np.random.default_rng(0).normal(size=(30, GENES)).astype(np.float32)
    members = shown.to_csr()
    evidence = model._score(members) * 2 + noise
    binned = Binned.of(evidence, evidence[members.nonzero()], members, hidden.to_csr())
    seen = []

    def look(loss, start, **settings):
        at = start + np.random.default_rng(1).normal(size=len(start)) / 3
        got = loss(at)[1]
        steps = 1e-4 * np.eye(len(at))
        wanted = [(loss(at + step)[0] - loss(at - step)[0]) / 2e-4 for step in steps]
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-7)
        seen.append(True)
        return scipy.optimize.OptimizeResult(x=at)

    monkeypatch.setattr("scipy.optimize.minimize", look)
    Calibration.fit(binned)
    assert seen


def test_the_deviation_is_the_maximum_of_its_posterior():
    from scipy.optimize import minimize

    shown, _, _ = halves(3, random_state=5)
    members = shown.to_csr()
    evidence = np.random.default_rng(0).normal(size=members.shape).astype(np.float32)
    binned = Binned.of(evidence, evidence[members.nonzero()] + 1, members)
    confidence = np.array([0.5, 1, 2, 4, 1])
    terms = binned.terms()
    usual = binned.prior()[:, None] + terms @ np.array([-1, 1, 0.5, 0, 0.2])
    own, _ = _deviations(binned, terms, usual, confidence)
    for u in range(3):

        def loss(v, u=u):
            z = usual[u] + terms[u] @ v
            fit = binned.genes[u] @ np.logaddexp(0, z) - binned.left_out[u] @ z
            return fit + 0.5 * confidence @ v**2

        best = minimize(loss, np.zeros(5), tol=1e-10)
        np.testing.assert_allclose(own[u], best.x, atol=1e-3)


# -- other shares than a half ----------------------------------------------------------------------


def overlapping(n: int, random_state: int) -> list[np.ndarray]:
    """Sets of the same made-up world as `halves` has, whole: blocks that overlap in other genes."""
    shown, hidden, _ = halves(n, random_state)
    return [np.union1d(shown.ids(i), hidden.ids(i)) for i in range(n)]


@pytest.mark.parametrize("share", [0.1, 0.2, 0.35, 0.7])
def test_the_share_that_is_missing_makes_it_right(oracle, share):
    """With the right missing fraction, the predicted probability is the observed frequency."""
    rng = np.random.default_rng(7)
    whole = overlapping(300, random_state=4)
    shown, y = [], np.zeros((len(whole), GENES), bool)
    for i, genes in enumerate(whole):
        mixed = rng.permutation(genes)
        n = round(share * len(mixed))
        y[i, mixed[:n]] = True
        shown.append(np.sort(mixed[n:]))
    sets = GeneSets.from_ids(oracle.vocabulary, shown)
    own = (oracle.score(sets) > 0) & (sets.to_csr().toarray() == 0)
    found = y[own].mean()
    right = abs(oracle.probability(sets, missing_fraction=share)[own].mean() - found)
    half = abs(oracle.probability(sets)[own].mean() - found)
    assert right < 0.03
    assert right < half / 4


def test_a_half_is_what_it_was(oracle):
    shown, _, _ = halves(30, random_state=6)
    predicted = oracle.probability(shown)
    np.testing.assert_array_equal(predicted, oracle.probability(shown, missing_fraction=0.5))
    for options in ({}, {"missing_fraction": 0.5}):
        np.testing.assert_array_equal(predicted, oracle.score_and_probability(shown, **options)[1])
    # And by the formula of halves: n of n are missing, and each gene left out stands for one.
    members = shown.to_csr()
    binned = Binned.of(*oracle.evidence(members), members)
    terms = binned.terms()
    prior = np.log(binned.size / np.maximum(binned.others - binned.size, 1))
    usual = prior[:, None] + terms @ np.array(oracle.calibration.prior_weights)
    own, _ = _deviations(binned, terms, usual, np.array(oracle.calibration.prior_precision))
    curves = usual + np.einsum("nbk,nk->nb", terms, own)
    for curve, genes, k in zip(curves, binned.genes, binned.n_bins, strict=True):
        curve[:k] = _never_rising(curve[:k], genes[:k])
    np.testing.assert_array_equal(oracle.calibration._curves(binned), curves)


def test_the_more_is_missing_the_likelier_is_every_gene(oracle, model):
    shown, _, _ = halves(60, random_state=8)
    sets = [["A0", "A1", "A2"], ["B1"], [], ["A0", "B0", "C0"], [f"C{i}" for i in range(12)]]
    for one, queries in ((oracle, shown), (model, sets)):
        shares = [1e-6, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.6, 0.75, 0.9, 0.99]
        predicted = np.stack([one.probability(queries, missing_fraction=share) for share in shares])
        assert np.isfinite(predicted).all()
        assert ((predicted >= 0) & (predicted <= 1)).all()
        assert (np.diff(predicted, axis=0) >= -1e-6).all()
        some = predicted[-1] > 0
        assert (predicted[shares.index(0.5)][some] > predicted[shares.index(0.2)][some]).all()
    assert not predicted[:, 2].any()  # of an empty set nothing is missing


@pytest.mark.parametrize("missing", [0, 1, -0.1, 1.5, float("nan"), float("inf")])
def test_what_is_no_share_is_refused(model, missing):
    members = model.encode([["A0", "A1"]])
    queries = [
        lambda: model.probability([["A0", "A1"]], missing_fraction=missing),
        lambda: model.score_and_probability([["A0", "A1"]], missing_fraction=missing),
        lambda: model.calibration.probabilities(*model.evidence(members), members, missing),
        lambda: meaning(missing),
    ]
    for ask in queries:
        with pytest.raises(ValueError, match=r"missing_fraction, the fraction .* must be above 0"):
            ask()


def test_the_meaning_tells_the_share():
    half = (
        "the chance that the gene is one of the set's missing genes, if the input genes are a "
        "random half of the whole set: of all genes with 0.3, about 3 in 10 are"
    )
    assert meaning() == meaning(0.5) == half
    assert "if the input genes are a random 80% of the whole set:" in meaning(0.2)
    assert "a random 12.5% of" in meaning(0.875)


# -- what a user meets -----------------------------------------------------------------------------


def corpus_and_halves():
    rng = np.random.default_rng(0)
    names = [[f"{block}{i}" for i in range(12)] for block in "ABC"]
    lists = [
        rng.choice(names[i % 3], rng.integers(6, 11), replace=False).tolist() for i in range(240)
    ]
    corpus = GeneSets.from_lists(lists)
    cut = [len(one) // 2 for one in lists]
    shown, hidden = (
        GeneSets.from_lists(part, vocabulary=corpus.vocabulary)
        for part in (
            [one[:k] for one, k in zip(lists[120:], cut[120:], strict=True)],
            [one[k:] for one, k in zip(lists[120:], cut[120:], strict=True)],
        )
    )
    return corpus[:120], shown, hidden


@pytest.fixture
def model() -> Linear:
    corpus, shown, hidden = corpus_and_halves()
    return Linear(regularization=2).fit(corpus).calibrate(shown, hidden)


def test_save_and_load_keep_the_calibration(model, tmp_path):
    model.save(tmp_path / "model")
    back = load(tmp_path / "model")
    assert back.calibration == model.calibration
    sets = [["A0", "A1", "A2"], ["B1"], [], ["A0", "B0", "C0"]]
    np.testing.assert_array_equal(back.probability(sets), model.probability(sets))
    for one, other in zip(
        back.score_and_probability(sets), (model.score(sets), model.probability(sets)), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    assert back.manifest["calibration"] == model.manifest["calibration"]
    assert model.manifest["calibration"]["sets"] == 120
    back.save(tmp_path / "again")
    assert {p.name: p.read_bytes() for p in (tmp_path / "model").iterdir()} == {
        p.name: p.read_bytes() for p in (tmp_path / "again").iterdir()
    }


def test_a_folder_without_it_loads_as_before(model, tmp_path):
    model.save(tmp_path / "model")
    (tmp_path / "model" / "calibration.json").unlink()
    back = load(tmp_path / "model")
    assert back.calibration is None
    np.testing.assert_array_equal(back.score([["A0"]]), model.score([["A0"]]))
    with pytest.raises(NotCalibratedError, match="this linear model is not calibrated"):
        back.probability([["A0"]])


def test_a_damaged_file_is_refused(model, tmp_path):
    folder = tmp_path / "model"
    model.save(folder)
    path: Path = folder / "calibration.json"
    good = json.loads(path.read_text())

    def refused(text: str, *words: str) -> None:
        path.write_text(text)
        with pytest.raises(ModelFormatError) as caught:
            load(folder)
        for word in ("calibration.json", *words):
            assert word in str(caught.value)

    for text in ("", "{", "[]", "null", '{"prior_weights": NaN}'):
        refused(text)
    for field in ("format", "prior_weights", "prior_precision"):
        refused(json.dumps({k: v for k, v in good.items() if k != field}), field)
        for wrong in ("no such thing", 1, None, [], {}):
            refused(json.dumps({**good, field: wrong}), field)
    for field in ("prior_weights", "prior_precision"):
        for term in TERMS:
            for wrong in ("1", None, True, [1], 1e300):
                changed = {**good[field], term: wrong}
                refused(json.dumps({**good, field: changed}), f"{field}.{term}")
    refused(
        json.dumps({**good, "prior_precision": {**good["prior_precision"], "rank": 0}}),
        "prior_precision.rank",
    )
    refused(json.dumps({**good, "surplus": 1}), "surplus")
    path.write_text(json.dumps(good))
    assert load(folder).calibration == model.calibration


def test_a_new_fit_and_a_pruned_model_are_not_calibrated(model):
    corpus, _, _ = corpus_and_halves()
    pruned = model.pruned(4)
    assert pruned.calibration is None
    assert "calibration" not in pruned.manifest
    assert "calibration" in model.manifest
    model.fit(corpus)
    assert model.calibration is None
    assert "calibration" not in model.manifest


def test_wrong_use_is_refused(model):
    corpus, shown, hidden = corpus_and_halves()
    fresh = Linear(regularization=2).fit(corpus)
    with pytest.raises(NotCalibratedError, match="gsfm train calibrates"):
        fresh.score_and_probability([["A0"]])
    with pytest.raises(GsfmError, match="20 halved sets or more, not 19"):
        fresh.calibrate(shown[:19], hidden[:19])
    with pytest.raises(GsfmError, match="no sets"):
        fresh.calibrate(shown[:0], hidden[:0])
    with pytest.raises(ValueError, match="as many sets"):
        fresh.calibrate(shown, hidden[:50])
    assert fresh.calibration is None
    with pytest.raises(NotFittedError):
        Linear().calibrate(shown, hidden)
    with pytest.raises(ValueError, match="batch_size"):
        model.probability([["A0"]], batch_size=0)
    with pytest.raises(ValueError, match="prior_weights must hold 5"):
        Calibration((1.0,), (1.0,) * 5)
    with pytest.raises(ValueError, match="above 0"):
        Calibration((0.0,) * 5, (0.0,) * 5)
    model.matrix = np.full_like(model.matrix, np.inf)
    with (
        np.errstate(invalid="ignore"),
        pytest.raises(GsfmError, match="not finite"),
    ):
        model.probability([["A0", "A1"]])


def test_size_batches_and_order_do_not_matter(model):
    sets = [["A0", "A1", "A2"], ["B1"], [], ["A0", "B0", "C0"], ["C1", "C4", "C5", "A9"]] * 3
    whole = model.probability(sets)
    for size in (1, 4, 1000):
        np.testing.assert_allclose(model.probability(sets, batch_size=size), whole, atol=1e-6)
    assert not whole[2].any()  # nothing given, nothing missing


def test_adaptive_leaves_its_own_genes_out():
    corpus, _, _ = corpus_and_halves()
    adaptive = Adaptive.of(
        [Linear(regularization=2).fit(corpus), Popularity().fit(corpus)], weights=[1, 0]
    )
    members = adaptive.encode([["A0", "A1", "A2", "B7"], ["C1", "C2", "C3", "C4"]])
    scores, of_genes, own = adaptive._score_and_evidence(members)
    np.testing.assert_array_equal(scores, adaptive._score(members))
    np.testing.assert_array_equal(of_genes, adaptive.evidence(members)[0])
    outside = members.toarray() == 0
    for u in range(2):
        # Standardized over the genes outside, and ordered as the scores are.
        assert of_genes[u, outside[u]].mean() == pytest.approx(0, abs=1e-5)
        assert of_genes[u, outside[u]].std() == pytest.approx(1, abs=1e-4)
        assert np.corrcoef(of_genes[u, outside[u]], scores[u, outside[u]])[0, 1] > 0.9999
    # The gene of another block is the least expected of its set.
    first = [adaptive.vocabulary[int(g)] for g in members.indices[:4]]
    assert first[int(own[:4].argmin())] == "B7"


# -- the measure -----------------------------------------------------------------------------------


def test_bins_and_error_by_hand():
    p = np.array([0.0, 0.05, 0.1, 0.1, 0.95, 1.0])
    assert bins_of(p, 10, "equal width").tolist() == [0, 0, 1, 1, 9, 9]
    assert bins_of(p, 3, "equal mass").tolist() == [0, 0, 1, 1, 2, 2]
    assert bins_of(np.full(5, 0.3), 4, "equal mass").tolist() == [3] * 5  # ties stay together
    y = np.array([0, 0, 0, 1, 1, 1])
    gaps = (0.05, 0.8, 0.05)  # of sums, in the three pairs
    assert calibration_error(p, y, bins=3) == pytest.approx(sum(gaps) / 6)
    assert np.isnan(calibration_error([], []))
    with pytest.raises(ValueError, match="bins"):
        bins_of(p, 0, "equal width")
