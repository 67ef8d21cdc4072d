"""All questions of a method: the tables, against questions measured one by one."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import average_precision_score, ndcg_score, roc_auc_score

from gsfm import GeneSets, Vocabulary
from gsfm.benchmark.methods import Method
from gsfm.benchmark.metrics import METRICS, Ranking, matched_auroc, matched_percentiles, measure
from gsfm.benchmark.questions import Questions

GENES = 70


class Table(Method):
    """Returns the scores that it was made with."""

    kind = "a table"
    vocabulary = None

    def __init__(self, scores, name="table"):
        self.scores, self.name = np.asarray(scores), name

    def score(self, questions, rows):
        return self.scores[rows]


def make(seed=0, n=23, candidates=False):
    rng = np.random.default_rng(seed)
    background = Vocabulary(f"G{i:02}" for i in range(GENES))
    shown, hidden, ranked = [], [], []
    for _ in range(n):
        genes = rng.permutation(GENES - 1)  # the last gene is never hidden
        a, b, c = rng.integers(1, 9, 3)
        shown.append(genes[:a])
        hidden.append(genes[a : a + b])
        ranked.append(genes[a : a + b + 10 + c])
    table = pl.DataFrame(
        {"term": [f"term {i // 2}" for i in range(n)], "split": [i % 2 for i in range(n)]}
    ).with_columns(k=pl.lit(None), context=pl.lit("more"))
    questions = Questions(
        "half-split",
        background,
        GeneSets.from_ids(background, shown),
        GeneSets.from_ids(background, hidden),
        table,
        candidates=GeneSets.from_ids(background, ranked) if candidates else None,
    )
    scores = rng.integers(12, size=(n, GENES)).astype(np.float32)
    popularity = rng.integers(1000, size=GENES)
    papers = rng.integers(1000, size=GENES)
    return questions, scores, popularity, papers


@pytest.mark.parametrize("candidates", [False, True])
def test_each_question(candidates):
    questions, scores, popularity, papers = make(candidates=candidates)
    found = measure(Table(scores), questions, popularity, papers, batch=10).questions
    assert found.height == len(questions)
    order = np.argsort(popularity, kind="stable")
    for i, row in enumerate(found.iter_rows(named=True)):
        hidden = np.isin(np.arange(GENES), questions.hidden.ids(i))
        if questions.candidates is None:
            ranked = ~np.isin(np.arange(GENES), questions.shown.ids(i))
        else:
            ranked = np.isin(np.arange(GENES), questions.candidates.ids(i))
        truth, mine = hidden[ranked], scores[i, ranked]
        ranking = Ranking.of(scores[[i]], ranked[None], hidden[None])
        expected = {
            "protocol": "half-split",
            "term": f"term {i // 2}",
            "split": i % 2,
            "k": None,
            "n_shown": len(questions.shown.ids(i)),
            "n_hidden": hidden.sum(),
            "n_candidates": ranked.sum(),
            "auroc": roc_auc_score(truth, mine),
            "average_precision": average_precision_score(truth, mine),
            "ndcg_100": ndcg_score([truth], [mine], k=100),
            "recall_10": ranking.recall(10)[0],
            "recall_50": ranking.recall(50)[0],
            "recall_100": ranking.recall(100)[0],
            "enrichment_score": ranking.enrichment_score()[0],
            "matched_auroc": matched_auroc(scores[[i]], ranked[None], hidden[None], order)[0],
        }
        if np.isnan(expected["matched_auroc"]):
            expected["matched_auroc"] = None
        assert list(row) == list(expected)
        assert row == {
            k: v if v is None or isinstance(v, str) else pytest.approx(v, rel=1e-6)
            for k, v in expected.items()
        }
    assert (
        found.select("split", "k", "n_shown", "n_hidden", "n_candidates").dtypes == [pl.Int32] * 5
    )
    assert found.select(METRICS).dtypes == [pl.Float32] * len(METRICS)


def test_genes_and_curves_are_means():
    questions, scores, popularity, papers = make(1)
    found = measure(Table(scores), questions, popularity, papers, batch=7)
    everything = slice(0, len(questions))
    ranked, wanted = questions.ranked(everything), questions.wanted(everything)
    ranking = Ranking.of(scores, ranked, wanted)
    order = np.argsort(popularity, kind="stable")
    _, gene, matched = matched_percentiles(scores, ranked, wanted, order)
    expected = []
    for i in np.flatnonzero(wanted.any(0)).tolist():
        known = matched[(gene == i) & ~np.isnan(matched)]
        expected.append(
            {
                "gene": f"G{i:02}",
                "popularity": popularity[i],
                "papers": papers[i],
                "n": wanted[:, i].sum(),
                "auroc": pytest.approx(ranking.percentiles()[ranking.gene == i].mean(), rel=1e-6),
                "matched_auroc": pytest.approx(known.mean(), rel=1e-6) if len(known) else None,
            }
        )
    assert found.genes.to_dicts() == expected
    assert found.genes.dtypes == [pl.String, *[pl.Int64] * 3, *[pl.Float32] * 2]
    assert "G69" not in found.genes["gene"]

    curves = found.curves
    assert curves["curve"].to_list() == ["roc"] * 101 + ["pr"] * 101
    for name, curve in (("roc", ranking.roc()), ("pr", ranking.precision_recall())):
        one = curves.filter(curve=name)
        np.testing.assert_allclose(one["x"], np.arange(101) / 100, rtol=1e-6)
        np.testing.assert_allclose(one["y"], curve.mean(0), rtol=1e-6)


def test_batches_change_nothing_and_progress_is_told():
    questions, scores, popularity, papers = make(2)
    calls = []
    whole = measure(Table(scores), questions, popularity, papers)
    parts = measure(
        Table(scores), questions, popularity, papers, batch=5, progress=lambda *a: calls.append(a)
    )
    assert calls == [(5, 23), (10, 23), (15, 23), (20, 23), (23, 23)]
    assert whole.questions.equals(parts.questions)
    for one, other in ((whole.genes, parts.genes), (whole.curves, parts.curves)):
        for column in one.columns:
            if one[column].dtype == pl.String:
                assert one[column].equals(other[column])
            else:
                a, b = one[column].to_numpy(), other[column].to_numpy()
                np.testing.assert_allclose(a, b, rtol=1e-6)


def test_popularity_as_the_score_has_a_matched_auroc_of_one_half():
    questions, _, _, papers = make(3)
    popularity = np.random.default_rng(0).permutation(GENES)  # distinct
    method = Table(np.broadcast_to(popularity.astype(np.float32), (len(questions), GENES)))
    found = measure(method, questions, popularity, papers)
    assert found.questions["matched_auroc"].drop_nulls().unique().to_list() == [0.5]
    assert found.genes["matched_auroc"].drop_nulls().unique().to_list() == [0.5]


def test_a_question_with_nothing_to_tell_apart_is_null():
    background = Vocabulary(["A", "B", "C"])
    table = pl.DataFrame({"term": ["a", "b"], "split": [0, 0], "k": [None, 3]})
    sets = [GeneSets.from_ids(background, ids) for ids in ([[0], [0]], [[1, 2], [1]])]
    found = measure(
        Table(np.eye(3)[[0, 0]]), Questions("p", background, *sets, table), [1] * 3, [1] * 3
    )
    first, second = found.questions.select(METRICS).rows()
    assert first == (None,) * len(METRICS)
    assert second == (0.5, 0.5, pytest.approx((1 + 1 / np.log2(3)) / 2), 1, 1, 1, 0, None)
    assert found.questions["k"].to_list() == [None, 3]
    assert found.genes.select("gene", "n", "auroc").rows() == [("B", 2, 0.5), ("C", 1, None)]
    assert found.curves["y"].null_count() == 0


def test_no_question():
    questions, scores, popularity, papers = make(n=0)
    found = measure(Table(scores), questions, popularity, papers)
    other = measure(Table(make()[1]), *(make()[i] for i in (0, 2, 3)))
    assert found.questions.height == found.genes.height == 0
    assert found.questions.schema == other.questions.schema
    assert found.genes.schema == other.genes.schema
    assert found.curves["y"].null_count() == 202


def test_refused():
    questions, scores, popularity, papers = make()
    with pytest.raises(ValueError, match="popularity needs a number for each of the 70 genes"):
        measure(Table(scores), questions, popularity[1:], papers)
    with pytest.raises(ValueError, match="papers needs"):
        measure(Table(scores), questions, popularity, papers[None])
    with pytest.raises(ValueError, match="batch"):
        measure(Table(scores), questions, popularity, papers, batch=0)
    with pytest.raises(ValueError, match=r"short, questions 0 to 22: .* one shape"):
        measure(Table(scores[:, 1:], "short"), questions, popularity, papers)
    gene = questions.hidden.ids(13)[0]
    scores[13, gene] = np.nan
    message = f"broken, questions 10 to 19: the score of candidate {gene} in row 3 is NaN"
    with pytest.raises(ValueError, match=message):
        measure(Table(scores, "broken"), questions, popularity, papers, batch=10)
