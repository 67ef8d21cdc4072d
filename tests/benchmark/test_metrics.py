"""Metrics against scikit-learn, and against definitions spelt out."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    average_precision_score,
    ndcg_score,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

from gsfm.benchmark.metrics import Ranking, matched_auroc, matched_percentiles


def make(seed: int, *, n: int = 6, genes: int = 60, distinct: int = 8):
    """Random questions: many ties (few distinct scores), ragged, some genes no candidates."""
    rng = np.random.default_rng(seed)
    scores = rng.integers(distinct, size=(n, genes)).astype(np.float32)
    scores[rng.random(scores.shape) < 0.05] = rng.choice([-np.inf, np.inf])
    ranked = rng.random(scores.shape) < rng.uniform(0.3, 1)
    wanted = ranked & (rng.random(scores.shape) < rng.uniform(0.05, 0.5, (n, 1)))
    ranked[:, :2], wanted[:, :2] = True, [True, False]  # never undefined
    return scores, ranked, wanted


def finite(scores):
    """The same order without infinities, which scikit-learn refuses."""
    return np.nan_to_num(scores, posinf=1e6, neginf=-1e6)


def each(scores, ranked, wanted, function):
    """Apply ``function(truth, scores)`` to the candidates of each question."""
    return np.array(
        [
            function(w[r].astype(int), finite(s)[r])
            for s, r, w in zip(scores, ranked, wanted, strict=True)
        ]
    )


CASES = [(seed, distinct) for seed in range(12) for distinct in (1, 2, 8, 1000)]


@pytest.mark.parametrize(("seed", "distinct"), CASES)
def test_as_scikit_learn(seed, distinct):
    case = make(seed, distinct=distinct)
    ranking = Ranking.of(*case)
    np.testing.assert_allclose(ranking.auroc(), each(*case, roc_auc_score), atol=1e-12)
    np.testing.assert_allclose(
        ranking.average_precision(), each(*case, average_precision_score), atol=1e-12
    )
    for k in (1, 5, 100):
        expected = each(*case, lambda truth, s, k=k: ndcg_score([truth], [s], k=k))
        np.testing.assert_allclose(ranking.ndcg(k), expected, atol=1e-12)


def test_as_scikit_learn_at_full_size():
    rng = np.random.default_rng(5)
    scores = rng.standard_normal((3, 14_700)).astype(np.float32).round(2)
    ranked = rng.random(scores.shape) < 0.999
    wanted = ranked & (rng.random(scores.shape) < 0.002)
    ranking = Ranking.of(scores, ranked, wanted)
    case = scores, ranked, wanted
    np.testing.assert_allclose(ranking.auroc(), each(*case, roc_auc_score), atol=1e-12)
    np.testing.assert_allclose(
        ranking.average_precision(), each(*case, average_precision_score), atol=1e-12
    )
    expected = each(*case, lambda truth, s: ndcg_score([truth], [s], k=100))
    np.testing.assert_allclose(ranking.ndcg(100), expected, atol=1e-12)


@pytest.mark.parametrize(("seed", "distinct"), CASES)
def test_enrichment_score_is_the_largest_lead(seed, distinct):
    def lead(truth, scores):
        best = 0.0
        for threshold in np.unique(scores):
            passed = scores >= threshold
            tpr = (passed & (truth == 1)).sum() / (truth == 1).sum()
            fpr = (passed & (truth == 0)).sum() / (truth == 0).sum()
            best = max(best, tpr - fpr)
        return best

    case = make(seed, distinct=distinct)
    np.testing.assert_allclose(Ranking.of(*case).enrichment_score(), each(*case, lead), atol=1e-12)


@given(
    scores=st.lists(st.integers(0, 2), min_size=2, max_size=6),
    wanted=st.integers(1, 62),
    k=st.integers(1, 8),
)
@settings(max_examples=60)
def test_recall_is_the_mean_over_all_ways_to_break_ties(scores, wanted, k):
    n = len(scores)
    hidden = {i for i in range(n) if wanted >> i & 1}
    if not 0 < len(hidden) < n:
        return
    shares = [
        len(hidden & set(sorted(order, key=lambda i: -scores[i])[:k])) / min(k, len(hidden))
        for order in itertools.permutations(range(n))  # sorted() is stable
    ]
    mask = [[i in hidden for i in range(n)]]
    found = Ranking.of([scores], [[True] * n], mask).recall(k)
    assert found[0] == pytest.approx(np.mean(shares))


@pytest.mark.parametrize(("seed", "distinct"), CASES)
def test_matched_auroc_pair_by_pair(seed, distinct):
    scores, ranked, wanted = make(seed, distinct=distinct)
    order = np.random.default_rng(seed).permutation(scores.shape[1])
    window = 4
    questions, flat = [], {}
    for row in range(len(scores)):
        means = []
        for place, gene in enumerate(order):
            if not wanted[row, gene]:
                continue
            results = []
            for j in range(1, window + 1):
                if place - j < 0 or place + j >= len(order):
                    continue
                pair = order[place - j], order[place + j]
                if any(not ranked[row, g] or wanted[row, g] for g in pair):
                    continue
                mine = scores[row, gene]
                results += [1.0 if mine > scores[row, g] else 0.5 * (mine == scores[row, g])
                            for g in pair]  # fmt: skip
            flat[row, int(gene)] = np.mean(results) if results else np.nan
            if results:
                means.append(np.mean(results))
        questions.append(np.mean(means) if means else np.nan)
    case = scores, ranked, wanted, order, window
    np.testing.assert_allclose(matched_auroc(*case), questions)
    owner, gene, shares = matched_percentiles(*case)
    assert len(shares) == wanted.sum()
    expected = [flat[key] for key in zip(owner.tolist(), gene.tolist(), strict=True)]
    np.testing.assert_allclose(shares, expected)


@given(seed=st.integers(0, 10_000), window=st.integers(1, 40))
@settings(max_examples=60)
def test_popularity_scores_one_half_when_popularity_is_matched(seed, window):
    rng = np.random.default_rng(seed)
    popularity = rng.permutation(80) ** 2  # distinct counts
    ranked = rng.random((5, 80)) < 0.8
    # The popular are more likely hidden.
    wanted = ranked & (rng.random((5, 80)) < 0.5 * popularity / popularity.max())
    scores = np.broadcast_to(popularity.astype(np.float32), (5, 80))
    found = matched_auroc(scores, ranked, wanted, np.argsort(popularity), window)
    assert set(found[~np.isnan(found)].tolist()) <= {0.5}
    shares = matched_percentiles(scores, ranked, wanted, np.argsort(popularity), window)[2]
    assert np.isnan(found).tolist() == [
        bool(np.isnan(part).all())
        for part in np.split(shares, np.cumsum(wanted.sum(1))[:-1])
    ]  # fmt: skip


def test_popularity_is_half_for_some():
    popularity = np.arange(30.0)
    wanted = np.zeros((1, 30), bool)
    wanted[0, [3, 20, 28]] = True
    everyone = np.ones((1, 30), bool)
    assert matched_auroc([popularity], everyone, wanted, np.arange(30)) == [0.5]
    assert Ranking.of([popularity], everyone, wanted).auroc()[0] > 0.5


@pytest.mark.parametrize(("seed", "distinct"), CASES)
def test_roc_is_that_of_scikit_learn(seed, distinct):
    def at_grid(truth, scores):
        fpr, tpr, _ = roc_curve(truth, scores, drop_intermediate=False)
        curve = []
        for i in range(101):
            last = np.flatnonzero(fpr <= i / 100)[-1]
            if last + 1 == len(fpr):
                curve.append(1.0)
                continue
            part = (i / 100 - fpr[last]) / (fpr[last + 1] - fpr[last])
            curve.append(tpr[last] + part * (tpr[last + 1] - tpr[last]))
        return curve

    case = make(seed, distinct=distinct)
    np.testing.assert_allclose(Ranking.of(*case).roc(), each(*case, at_grid), atol=1e-9)


def test_areas_under_the_curves():
    ranking = Ranking.of(*make(3, genes=200))
    np.testing.assert_allclose(
        np.trapezoid(ranking.roc(20_001)) / 20_000, ranking.auroc(), atol=1e-4
    )
    steps = ranking.precision_recall(20_001)[:, 1:]
    np.testing.assert_allclose(steps.mean(1), ranking.average_precision(), atol=2e-3)


@pytest.mark.parametrize(("seed", "distinct"), CASES)
def test_precision_recall_is_that_of_scikit_learn(seed, distinct):
    def at_grid(truth, scores):
        precision, recall, _ = precision_recall_curve(truth, scores)
        # From the highest threshold down, without scikit-learn's own first point (0, 1).
        precision, recall = precision[-2::-1], recall[-2::-1]
        first = np.flatnonzero(recall > 0)[0]
        return [precision[max(np.argmax(recall >= i / 100 - 1e-12), first)] for i in range(101)]

    case = make(seed, distinct=distinct)
    np.testing.assert_allclose(Ranking.of(*case).precision_recall(), each(*case, at_grid))


METHODS = [
    Ranking.auroc,
    Ranking.average_precision,
    Ranking.enrichment_score,
    Ranking.percentiles,
    Ranking.roc,
    Ranking.precision_recall,
    lambda r: r.ndcg(100),
    lambda r: r.recall(10),
]


@pytest.mark.parametrize("method", METHODS)
def test_only_the_order_of_the_candidates_matters(method):
    scores, ranked, wanted = make(1)
    expected = method(Ranking.of(scores, ranked, wanted))
    other = np.where(ranked, np.sign(scores) * 3 + 2 * np.arctan(scores), np.nan)
    np.testing.assert_array_equal(method(Ranking.of(other, ranked, wanted)), expected)
    # Row by row, and with the genes in another order.
    alone = [method(Ranking.of(*(a[i : i + 1] for a in (scores, ranked, wanted)))) for i in (0, 4)]
    if method is not Ranking.percentiles:
        np.testing.assert_array_equal(np.concatenate(alone), expected[[0, 4]])
        mixed = np.random.default_rng(0).permutation(scores.shape[1])
        again = method(Ranking.of(scores[:, mixed], ranked[:, mixed], wanted[:, mixed]))
        np.testing.assert_allclose(again, expected, rtol=1e-12)


def test_hidden_genes_are_named():
    scores, ranked, wanted = make(2)
    ranking = Ranking.of(scores, ranked, wanted)
    assert sorted(zip(ranking.owner, ranking.gene, strict=True)) == list(
        zip(*np.nonzero(wanted), strict=True)
    )
    for owner, gene, share in zip(
        ranking.owner, ranking.gene, ranking.percentiles(), strict=True
    ):  # fmt: skip
        others = scores[owner, ranked[owner] & ~wanted[owner]]
        mine = scores[owner, gene]
        assert share == pytest.approx(np.mean((others < mine) + 0.5 * (others == mine)))
    assert len(ranking) == 6
    assert repr(ranking) == f"Ranking(6 questions, {wanted.sum()} hidden genes)"


def test_all_tied():
    ranking = Ranking.of(np.zeros((1, 10)), np.ones((1, 10)), np.arange(10)[None] < 2)
    assert ranking.auroc() == [0.5]
    assert ranking.average_precision() == [0.2]
    assert ranking.enrichment_score() == [0]
    assert ranking.recall(1) == pytest.approx(0.2)
    assert ranking.recall(5) == pytest.approx(0.5)
    assert ranking.recall(50) == [1]
    np.testing.assert_allclose(ranking.roc(), np.linspace(0, 1, 101)[None])
    assert (ranking.precision_recall() == 0.2).all()


def test_perfect_and_worst():
    everyone, wanted = np.ones((2, 10), bool), np.tile(np.arange(10) >= 8, (2, 1))
    ranking = Ranking.of([np.arange(10), -np.arange(10)], everyone, wanted)
    assert ranking.auroc().tolist() == [1, 0]
    assert ranking.enrichment_score().tolist() == [1, 0]
    assert ranking.recall(1).tolist() == [1, 0]
    assert ranking.ndcg(100)[0] == pytest.approx(1)
    assert ranking.ndcg(8)[1] == 0
    assert ranking.average_precision().tolist() == pytest.approx([1, (1 / 9 + 2 / 10) / 2])


def test_infinite_scores_are_in_order():
    # Genes that are no candidates are kept apart from candidates of infinite score.
    scores = np.array([[np.inf, 5, np.inf, -np.inf, 0]])
    ranked = np.array([[True, True, False, True, True]])
    wanted = np.array([[True, False, False, True, False]])
    ranking = Ranking.of(scores, ranked, wanted)
    assert ranking.above.tolist() == [0, 3]
    assert ranking.tied.tolist() == [1, 1]
    assert ranking.auroc() == [0.5]


@pytest.mark.parametrize(
    ("ranked", "wanted"),
    [
        ([False] * 4, [False] * 4),  # no candidate
        ([True] * 4, [False] * 4),  # nothing hidden
        ([True, True, False, False], [True, True, False, False]),  # all candidates hidden
    ],
)
@pytest.mark.parametrize("method", METHODS)
def test_undefined_is_nan_and_leaves_the_neighbors_alone(ranked, wanted, method):
    scores = [[3.0, 1, 2, 0]] * 3
    good = [True] * 4, [True, True, False, False]
    alone = method(Ranking.of(scores[:1], [good[0]], [good[1]]))
    ranking = Ranking.of(scores, [good[0], ranked, good[0]], [good[1], wanted, good[1]])
    assert ranking.defined.tolist() == [True, False, True]
    expected = [*alone, *[alone[0] * np.nan] * (len(method(ranking)) - 2 * len(alone)), *alone]
    np.testing.assert_array_equal(method(ranking), expected)
    batch = scores, [good[0], ranked, good[0]], [good[1], wanted, good[1]]
    matched = matched_auroc(*batch, [0, 2, 1, 3])
    assert np.isnan(matched).tolist() == [False, True, False]


@pytest.mark.parametrize("shape", [(0, 5), (3, 0), (0, 0)])
@pytest.mark.parametrize("method", METHODS)
def test_nothing_at_all(shape, method):
    nothing = np.zeros(shape, bool)
    found = method(Ranking.of(np.zeros(shape), nothing, nothing))
    assert np.isnan(found).all()
    assert len(found) == (0 if method is Ranking.percentiles else shape[0])
    assert len(matched_auroc(np.zeros(shape), nothing, nothing, np.arange(shape[1]))) == shape[0]


@pytest.mark.parametrize("function", [Ranking.of, lambda *a: matched_auroc(*a, [0, 1])])
def test_refused(function):
    yes, no = [[True, True]], [[True, False]]
    with pytest.raises(ValueError, match="score of candidate 1 in row 0 is NaN"):
        function([[1, np.nan]], yes, no)
    function([[1, np.nan]], no, no)
    with pytest.raises(ValueError, match="gene 1 in row 0 is hidden, but is no candidate"):
        function([[1, 2]], no, yes)
    with pytest.raises(ValueError, match="one shape"):
        function([[1, 2, 3]], no, yes)
    with pytest.raises(ValueError, match="one shape"):
        function([1, 2], [True, True], [True, False])


def test_refused_settings():
    ranking = Ranking.of([[1, 2]], [[True, True]], [[True, False]])
    for method in (ranking.recall, ranking.ndcg):
        with pytest.raises(ValueError, match="k must be 1"):
            method(0)
    for method in (ranking.roc, ranking.precision_recall):
        with pytest.raises(ValueError, match="2 points"):
            method(1)
    case = [[1.0, 2]], [[True, True]], [[True, False]]
    with pytest.raises(ValueError, match="each of the 2 gene ids once"):
        matched_auroc(*case, [0, 0])
    with pytest.raises(ValueError, match="window"):
        matched_auroc(*case, [0, 1], 0)
