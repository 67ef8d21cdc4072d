"""Reliability against a plain computation, pair by pair, and what a bootstrap of terms gives."""

from __future__ import annotations

import numpy as np
import pytest

from gsfm import GeneSets, GsfmError, NotCalibratedError, Vocabulary
from gsfm.benchmark import half_split, reliability
from gsfm.models import Linear


def made():
    rng = np.random.default_rng(0)
    names = [[f"{block}{i:02}" for i in range(20)] for block in "ABC"]
    lists = [
        rng.choice(names[i % 3], rng.integers(11, 18), replace=False).tolist() for i in range(150)
    ]
    corpus = GeneSets.from_lists(lists)
    learn = half_split(corpus[:90], splits=1)
    model = Linear(regularization=5).fit(corpus[:90]).calibrate(learn.shown, learn.hidden)
    # A background that is smaller than the vocabulary, and in another order.
    background = Vocabulary(reversed([gene for gene in corpus.vocabulary if gene != "A00"]))
    terms = GeneSets.from_lists(
        {f"term {i}": lists[90 + i] for i in range(60)}, vocabulary=corpus.vocabulary
    )
    return model, half_split(terms.reindex(background), splits=2, seed=1)


@pytest.fixture(scope="module")
def case():
    return made()


@pytest.fixture(scope="module")
def found(case):
    return reliability(*case, bins=4, tops=[3, 10], resamples=200)


def pairs(model, questions):
    """(term, rank, probability, hidden) of every ranked pair, one by one."""
    out = []
    background = questions.background.symbols
    for i in range(len(questions)):
        shown = set(questions.shown.genes(i))
        hidden = set(questions.hidden.genes(i))
        score, predicted = (
            dict(zip(model.vocabulary.symbols, array[0].tolist(), strict=True))
            for array in model.score_and_probability([sorted(shown)])
        )
        # Ties in the order of the background, as a stable sort leaves them.
        ranked = sorted((g for g in background if g not in shown), key=lambda g: -score[g])
        out += [
            (questions.table["term"][i], rank, predicted[gene], gene in hidden)
            for rank, gene in enumerate(ranked, 1)
        ]
    return out


def test_errors_and_bins_by_brute_force(case, found):
    every = pairs(*case)
    assert found.errors.height == 6
    for over, most in (("all", 10**9), ("top 10", 10), ("top 3", 3)):
        chosen = [(p, y) for _, rank, p, y in every if rank <= most]
        row = found.errors.filter(over=over, binning="equal width").row(0, named=True)
        assert row["pairs"] == len(chosen)
        assert row["predicted"] == pytest.approx(np.mean([p for p, _ in chosen]), abs=1e-5)
        assert row["observed"] == pytest.approx(np.mean([y for _, y in chosen]))
        error = 0.0
        for b in range(4):
            bin_ = [(p, y) for p, y in chosen if b / 4 <= p < (b + 1) / 4 or (b == 3 and p == 1)]
            error += abs(sum(p for p, _ in bin_) - sum(y for _, y in bin_)) / len(chosen)
            predicted = found.bins.filter(over=over, binning="equal width", bin=b + 1)
            assert predicted["pairs"].sum() == len(bin_)
            if bin_:
                assert predicted["observed"].item() == pytest.approx(np.mean([y for _, y in bin_]))
        assert row["error"] == pytest.approx(error, abs=1e-4)
        assert row["low"] <= row["high"]
        mass = found.bins.filter(over=over, binning="equal mass")
        assert mass["pairs"].sum() == len(chosen)
        assert mass["predicted"].is_sorted()


def test_the_bootstrap_is_over_terms(case, found):
    """The interval of a bin's share, against resampling the terms by hand."""
    every = pairs(*case)
    terms = sorted({term for term, *_ in every})
    hits = {term: [0, 0] for term in terms}
    for term, rank, p, y in every:
        if rank <= 10 and p >= 0.75:
            hits[term][0] += 1
            hits[term][1] += y
    counts = np.array([hits[term] for term in terms])
    assert counts.sum() > 0
    rng = np.random.default_rng(5)
    drawn = [counts[rng.integers(len(terms), size=len(terms))].sum(axis=0) for _ in range(2000)]
    low, high = np.quantile([y / n for n, y in drawn if n], [0.025, 0.975])
    row = found.bins.filter(over="top 10", binning="equal width", bin=4).row(0, named=True)
    assert row["low"] == pytest.approx(low, abs=0.02)
    assert row["high"] == pytest.approx(high, abs=0.02)


def test_same_seed_same_figures(case, found):
    again = reliability(*case, bins=4, tops=[10, 3], resamples=200)
    assert again.errors.equals(found.errors)
    assert again.bins.equals(found.bins)


def test_the_plot(found, tmp_path):
    pytest.importorskip("matplotlib")
    found.plot(tmp_path / "reliability.svg", title="a title")
    text = (tmp_path / "reliability.svg").read_text()
    assert text.startswith("<?xml")
    with pytest.raises(GsfmError, match=r"\.png, \.svg or \.pdf"):
        found.plot(tmp_path / "reliability.txt")


def test_wrong_use_is_refused(case):
    model, questions = case
    for wrong in ({"bins": 0}, {"tops": []}, {"tops": [0]}, {"resamples": 0}):
        with pytest.raises(ValueError, match="must be 1 or more"):
            reliability(model, questions, **wrong)
    fresh = Linear(regularization=5).fit(
        GeneSets.from_lists([list(questions.background)], vocabulary=questions.background)
    )
    with pytest.raises(NotCalibratedError):
        reliability(fresh, questions)


def test_the_share_that_the_model_is_told(case):
    model, questions = case
    few = reliability(model, questions, missing_fraction=0.2, tops=[10], resamples=10)
    usual = reliability(model, questions, tops=[10], resamples=10)
    half = reliability(model, questions, missing_fraction=0.5, tops=[10], resamples=10)
    assert half.errors.equals(usual.errors)
    predicted = [each.errors.row(0, named=True) for each in (few, usual)]
    assert predicted[0]["observed"] == predicted[1]["observed"]
    assert predicted[0]["predicted"] < 0.6 * predicted[1]["predicted"]
    with pytest.raises(ValueError, match="fraction of the whole set"):
        reliability(model, questions, missing_fraction=1)
