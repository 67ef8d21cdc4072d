"""Two folders of results side by side, against answers worked out by hand."""

from __future__ import annotations

import json

import polars as pl
import pytest
from scipy.stats import wilcoxon

from gsfm.benchmark.comparison import compare
from gsfm.benchmark.report.summary import METRICS
from gsfm.benchmark.results import FORMAT
from gsfm.errors import GsfmError

TERMS = [f"t{i}" for i in range(10)]


def folder(
    path, answers, *, seed=0, hashes=None, corpus="c0", background=100, protocol="half-split"
):
    """A folder of results: for each task and method, the AUROC of each term, repetition by
    repetition."""
    tasks = list(dict.fromkeys(task for task, _ in answers))
    methods = list(dict.fromkeys(method for _, method in answers))
    about = {
        "format": FORMAT,
        "name": path.name,
        "gsfm": "0",
        "seed": seed,
        "hash": "h",
        "corpus": {"hash": corpus},
        "tasks": [
            {
                "task": task,
                "protocol": protocol,
                "hash": (hashes or {}).get(task, "same"),
                "genes": {"background": background},
            }
            for task in tasks
        ],
        "methods": [{"method": method} for method in methods],
    }
    rows = [
        {"task": task, "method": method, "term": term, "split": split, "k": None}
        | dict.fromkeys(METRICS, 0.5)
        | {"auroc": value}
        for (task, method), splits in answers.items()
        for split, values in enumerate(splits)
        for term, value in zip(TERMS, values, strict=True)
    ]
    path.mkdir()
    (path / "run.json").write_text(json.dumps(about))
    kinds = {"k": pl.Int32} | dict.fromkeys(METRICS, pl.Float32)
    pl.DataFrame(rows, schema_overrides=kinds).write_parquet(path / "results.parquet")
    return path


BASE = [0.50, 0.55, 0.60, 0.65, 0.70, 0.75, 0.80, 0.85, 0.90, 0.95]
GAIN = [0.01, 0.02, 0.03, 0.04, 0.05, -0.01, 0.02, 0.03, 0.01, 0.04]


def better(values=BASE):
    return [value + gain for value, gain in zip(values, GAIN, strict=True)]


def test_the_same_method_in_both(tmp_path):
    # Of two repetitions, the second is the same in both runs: the gain is halved.
    a = folder(tmp_path / "a", {("GO", "ours"): [BASE, BASE]})
    b = folder(tmp_path / "b", {("GO", "ours"): [better(), BASE]})
    report = compare(a, b)
    row = report.table.row(by_predicate=pl.col("metric") == "auroc", named=True)
    assert (row["task"], row["method_a"], row["method_b"], row["terms"]) == (
        "GO",
        "ours",
        "ours",
        10,
    )
    assert row["statistic"] == "median"
    assert row["a"] == pytest.approx(0.725, abs=1e-6)
    # Halved gains: 0.725 is the mean of .70 + .025 and .75 - .005 before; the order stays.
    assert row["b"] == pytest.approx((0.725 + 0.745) / 2, abs=1e-6)
    assert row["difference"] == pytest.approx(0.012, abs=1e-6)
    assert 0 < row["low"] < 0.012 < row["high"] < 0.025
    assert row["better"] == 0.9
    halves = [gain / 2 for gain in GAIN]
    # Ranks do not depend on the scale, but ties do on rounding.
    assert row["p_value"] == pytest.approx(wilcoxon(halves, zero_method="zsplit").pvalue, abs=0.01)
    equal = report.table.row(by_predicate=pl.col("metric") == "average_precision", named=True)
    assert (equal["statistic"], equal["difference"], equal["p_value"]) == ("mean", 0, 1)
    assert report.provenance["a"]["folder"] == "a"
    assert report.provenance["not_compared"] == {}


def test_holm_is_over_the_rows_of_a_metric(tmp_path):
    tasks = ("GO", "KEGG", "GWAS")
    a = folder(tmp_path / "a", {(task, "ours"): [BASE] for task in tasks})
    b = folder(tmp_path / "b", {(task, "ours"): [better()] for task in tasks})
    table = compare(a, b).table.filter(pl.col("metric") == "auroc")
    assert table.height == 3
    assert table["p_holm"].to_list() == pytest.approx((table["p_value"] * 3).to_list())


def test_each_has_one_method_of_its_own(tmp_path):
    # A method that was fitted again without leaks is no other one.
    methods = ("popularity", "old", "old, without leaks")
    a = folder(tmp_path / "a", {("GO", method): [BASE] for method in methods})
    b = folder(tmp_path / "b", {("GO", "popularity"): [BASE], ("GO", "new"): [better()]})
    report = compare(a, b)
    table = report.table.filter(pl.col("metric") == "auroc")
    assert table.select("method_a", "method_b").rows() == [
        ("popularity", "popularity"),
        ("old", "new"),
    ]
    assert table["difference"].to_list() == pytest.approx([0, 0.024], abs=1e-6)
    assert report.provenance["only_in_a"] == {"tasks": [], "methods": [*methods[1:]]}
    assert report.provenance["only_in_b"] == {"tasks": [], "methods": ["new"]}


def test_methods_of_which_no_two_belong_together(tmp_path):
    a = folder(tmp_path / "a", {("GO", "old"): [BASE], ("GO", "older"): [BASE]})
    b = folder(tmp_path / "b", {("GO", "new"): [BASE]})
    with pytest.raises(GsfmError, match="no method has the same name"):
        compare(a, b)


def test_what_only_one_run_has_is_said(tmp_path):
    a = folder(tmp_path / "a", {("GO", "ours"): [BASE], ("KEGG", "ours"): [BASE]})
    b = folder(
        tmp_path / "b",
        {("GO", "ours"): [BASE], ("GWAS", "ours"): [BASE], ("GO", "peer"): [BASE]},
    )
    report = compare(a, b)
    assert set(report.table["task"]) == {"GO"}
    assert report.provenance["only_in_a"] == {"tasks": ["KEGG"], "methods": []}
    assert report.provenance["only_in_b"] == {"tasks": ["GWAS"], "methods": ["peer"]}


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"seed": 1}, "the seeds are 0 and 1"),
        ({"background": 1200}, "the backgrounds have 100 and 1,200 genes"),
        ({"protocol": "hold-out"}, "the protocols are half-split and hold-out"),
        ({}, "other data, options or genes"),
    ],
)
def test_different_questions(tmp_path, other, reason):
    answers = {("GO", "ours"): [BASE], ("KEGG", "ours"): [BASE]}
    a = folder(tmp_path / "a", answers)
    b = folder(tmp_path / "b", answers, hashes={"GO": "another"}, **other)
    report = compare(a, b)
    assert set(report.table["task"]) == {"KEGG"}
    assert reason in report.provenance["not_compared"]["GO"]
    b = folder(tmp_path / "c", answers, hashes={"GO": "another", "KEGG": "another"}, **other)
    with pytest.raises(GsfmError, match=reason):
        compare(a, b)


def test_no_task_in_common(tmp_path):
    a = folder(tmp_path / "a", {("GO", "ours"): [BASE]})
    b = folder(tmp_path / "b", {("KEGG", "ours"): [BASE]})
    with pytest.raises(GsfmError, match="no task has the same name"):
        compare(a, b)


def test_matched_auroc_needs_one_corpus(tmp_path):
    answers = {("GO", "ours"): [BASE]}
    a = folder(tmp_path / "a", answers)
    assert set(compare(a, a).table["metric"]) == {"auroc", "matched_auroc", "average_precision"}
    b = folder(tmp_path / "b", answers, corpus="c1")
    report = compare(a, b)
    assert set(report.table["metric"]) == {"auroc", "average_precision"}
    assert "corpora" in report.provenance["not_compared"]["matched_auroc"]


def test_a_folder_without_results(tmp_path):
    a = folder(tmp_path / "a", {("GO", "ours"): [BASE]})
    with pytest.raises(GsfmError, match=r"run\.json"):
        compare(a, tmp_path)


def test_the_report_prints_and_is_json(tmp_path):
    a = folder(tmp_path / "a", {("GO", "ours"): [BASE]})
    b = folder(tmp_path / "b", {("GO", "ours"): [better()]})
    report = compare(a, b)
    assert "p_holm" in repr(report)
    assert json.loads(json.dumps(report.to_dict()))["results"][0]["method_a"] == "ours"
