"""Intervals and tests against resampling, enumeration and scipy."""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest, wilcoxon

from gsfm.benchmark import statistics
from gsfm.benchmark.statistics import holm, interval, paired


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("statistic", ["median", "mean"])
def test_resampled_statistics_have_the_exact_distribution(size, statistic):
    data = np.sort(np.random.default_rng(size).normal(size=size))
    # Every resample there is.
    of = {"median": np.median, "mean": np.mean}[statistic]
    exact = np.array([of(sample) for sample in itertools.product(data, repeat=size)]).round(9)
    draw = {"median": statistics._medians, "mean": statistics._means}[statistic]
    drawn = draw(data, 40_000, np.random.default_rng(0)).round(9)
    values = np.unique(exact)
    assert set(drawn) <= set(values)
    for value in values:
        share = np.mean(exact == value)
        # Four standard errors.
        assert np.mean(drawn == value) == pytest.approx(
            share, abs=4 * np.sqrt(share * (1 - share) / 40_000) + 1e-9
        )


@pytest.mark.parametrize("size", [100, 101])
def test_medians_are_those_of_resamples(size):
    rng = np.random.default_rng(size)
    data = np.sort(rng.random(size))
    resampled = np.median(data[rng.integers(size, size=(4000, size))], axis=1)
    drawn = statistics._medians(data, 4000, rng)
    assert kstest(resampled, drawn).pvalue > 0.001


@pytest.mark.parametrize("statistic", ["median", "mean"])
def test_interval_is_that_of_resampling(statistic):
    rng = np.random.default_rng(0)
    data = rng.beta(5, 2, 300)
    of = {"median": np.median, "mean": np.mean}[statistic]
    resampled = of(data[rng.integers(300, size=(20_000, 300))], axis=1)
    expected = np.quantile(resampled, [0.025, 0.975])
    width = expected[1] - expected[0]
    found = interval(data, statistic, n=20_000)
    np.testing.assert_allclose(found, expected, atol=width / 25)
    assert found == interval(rng.permutation(data), statistic, n=20_000)
    assert found != interval(data, statistic, n=20_000, seed=1)


def test_interval_in_chunks(monkeypatch):
    data = np.random.default_rng(0).random(50)
    whole = interval(data, "mean")
    monkeypatch.setattr(statistics, "_CHUNK", 50 * 7)  # 1000 is no multiple of 7
    low, high = interval(data, "mean")
    assert low == pytest.approx(whole[0], abs=0.02)
    assert high == pytest.approx(whole[1], abs=0.02)
    assert low < data.mean() < high


@pytest.mark.parametrize("statistic", ["median", "mean"])
def test_interval_of_little(statistic):
    assert interval([0.25], statistic) == (0.25, 0.25)
    assert interval([0.25, np.nan, 0.25], statistic) == (0.25, 0.25)
    assert np.isnan(interval([], statistic)).all()
    assert np.isnan(interval([np.nan], statistic)).all()


def test_interval_refuses():
    with pytest.raises(ValueError, match="each term"):
        interval([[1, 2]])
    with pytest.raises(ValueError, match="not 'mode'"):
        interval([1], "mode")
    with pytest.raises(ValueError, match="n must be"):
        interval([1], n=0)


@given(
    st.lists(st.floats(0, 1) | st.sampled_from([0.01, 0.05, 1, np.nan]), min_size=0, max_size=8),
    st.floats(0.001, 0.999),
)
@settings(max_examples=200)
def test_holm_rejects_what_the_procedure_rejects(p, level):
    adjusted = holm(p)
    tests = sorted((value, i) for i, value in enumerate(p) if not np.isnan(value))
    rejected = set()
    for r, (value, i) in enumerate(tests):
        if value * (len(tests) - r) > level:
            break
        rejected.add(i)
    assert {i for i, value in enumerate(adjusted) if value <= level} == rejected
    assert np.isnan(adjusted).tolist() == np.isnan(np.array(p, float)).tolist()


def test_holm_known_answer():
    assert holm([0.01, 0.02, 0.03, 0.5]).tolist() == pytest.approx([0.04, 0.06, 0.06, 0.5])
    assert holm([0.6, 0.6]).tolist() == [1, 1]


def results(values: dict[str, list[float | None]], task="task", split=0):
    return pl.concat(
        pl.DataFrame(
            {
                "task": task,
                "method": method,
                "term": [f"term {i}" for i in range(len(of))],
                "split": split,
                "auroc": pl.Series(of, dtype=pl.Float32),
            }
        )
        for method, of in values.items()
    )


def test_paired_is_scipy_on_the_terms_of_both():
    rng = np.random.default_rng(0)
    a, b, c = rng.random((3, 40)).round(2)
    b[:5] = a[:5]  # equal terms
    left_out = [None if i % 7 == 0 else value for i, value in enumerate(c.tolist())]
    table = results({"a": a, "b": b, "c": left_out}).sample(fraction=1, shuffle=True, seed=1)
    # Terms in any order; the methods in the order of the table.
    methods = table["method"].unique(maintain_order=True).to_list()
    values = {k: np.float32(v).astype(float) for k, v in (("a", a), ("b", b), ("c", c))}
    found = paired(table)
    assert found.select("one", "other").rows() == list(itertools.combinations(methods, 2))
    for row in found.iter_rows(named=True):
        d = values[row["one"]] - values[row["other"]]
        if "c" in (row["one"], row["other"]):
            d = d[np.arange(40) % 7 > 0]
        assert row["task"] == "task"
        assert row["n_terms"] == len(d)
        assert row["difference"] == pytest.approx(np.median(d))
        assert row["better"] == pytest.approx(np.mean(d > 0) + np.mean(d == 0) / 2)
        assert row["p_value"] == pytest.approx(wilcoxon(d, zero_method="zsplit").pvalue)
    np.testing.assert_allclose(found["p_holm"], holm(found["p_value"]))


def test_paired_p_is_that_of_all_signs():
    d = np.array([0.11, 0.23, -0.07, 0.31, 0.19, -0.02, 0.41, 0.29])
    ranks = np.abs(d).argsort().argsort() + 1
    sums = [
        np.dot(signs, ranks) for signs in itertools.product([0, 1], repeat=len(d))
    ]  # under the null each sign is as likely as the other
    observed = ranks[d > 0].sum()
    upper = np.mean(np.array(sums) >= observed)
    row = paired(results({"a": 0.5 + d, "b": np.full(8, 0.5)})).row(0, named=True)
    assert row["p_value"] == pytest.approx(2 * upper)


def test_repetitions_of_a_term_are_averaged_first():
    rng = np.random.default_rng(3)
    a, b = rng.random((2, 2, 12))
    both = pl.concat([results({"a": a[i], "b": b[i]}, split=i) for i in range(2)])
    averaged = results({"a": a.mean(0), "b": b.mean(0)})
    found, expected = paired(both), paired(averaged)
    assert found["n_terms"].item() == 12
    assert found["p_value"].item() == pytest.approx(expected["p_value"].item())
    assert found["difference"].item() == pytest.approx(expected["difference"].item(), abs=1e-6)


def test_tasks_are_families_of_their_own():
    rng = np.random.default_rng(4)
    values = {name: rng.random(20) for name in "abc"}
    one, other = results(values, "x"), results({k: values[k] for k in "ab"}, "y")
    found = paired(pl.concat([one, other]))
    assert found["task"].to_list() == ["x", "x", "x", "y"]
    assert found.filter(task="x").equals(paired(one))
    last = found.row(3, named=True)
    assert last["p_holm"] == last["p_value"] == found.row(0, named=True)["p_value"]


def test_paired_on_little():
    same = paired(results({"a": [0.5, 0.6], "b": [0.5, 0.6]})).row(0, named=True)
    assert (same["difference"], same["better"], same["p_value"], same["p_holm"]) == (0, 0.5, 1, 1)
    # One common term; none; a method that answered nothing; a method alone.
    assert paired(results({"a": [0.5], "b": [0.7]}))["p_value"].to_list() == [1]
    apart = paired(results({"a": [None, 0.5], "b": [0.5, np.nan]}))
    assert apart.drop("task", "one", "other").rows() == [(0, None, None, None, None)]
    assert paired(results({"a": [0.5], "b": [None]})).height == 0
    assert paired(results({"a": [0.5]})).height == 0
    assert paired(results({"a": [0.5]}).clear()).schema == same_schema()


def same_schema():
    return paired(results({"a": [0.5], "b": [0.7]})).schema


def test_another_metric():
    table = results({"a": [0.1, 0.2, 0.4], "b": [0.3, 0.3, 0.3]}).rename({"auroc": "recall_10"})
    assert paired(table, "recall_10")["difference"].item() == pytest.approx(-0.1)
