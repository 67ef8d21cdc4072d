"""The summary of a benchmark, against answers worked out by hand."""

from __future__ import annotations

import json

import polars as pl
import pytest
from scipy.stats import wilcoxon

from gsfm.benchmark.report.summary import DEFINITIONS, METRICS, summarize, summary_text

NO_GENES = pl.DataFrame(
    schema={
        "task": pl.String,
        "method": pl.String,
        "gene": pl.String,
        "auroc": pl.Float32,
        "matched_auroc": pl.Float32,
    }
)
BACKGROUND = pl.DataFrame({"task": ["GO"], "gene": ["A"], "popularity": [1], "papers": [1]})


def question(term, auroc, *, method="ours", task="GO", split=0, k=None, size=12, **metrics):
    row = {
        "task": task,
        "protocol": "half-split" if k is None else "hold-out",
        "method": method,
        "term": term,
        "split": split,
        "k": k,
        "n_shown": size // 2,
        "n_hidden": size - size // 2,
        **dict.fromkeys(METRICS, 0.5),
        "auroc": auroc,
    }
    return row | metrics


def table(rows):
    kinds = {"k": pl.Int32} | dict.fromkeys(METRICS, pl.Float32)
    return pl.DataFrame(rows, schema_overrides=kinds)


def only(records, **wanted):
    """The one record that has these values."""
    found = [r for r in records if all(r.get(k) == v for k, v in wanted.items())]
    assert len(found) == 1, found
    return found[0]


def test_a_terms_repetitions_are_averaged_first():
    rows = [
        question("x", 0.8, split=0),
        question("x", 0.6, split=1),
        question("y", 0.9),
        question("z", 0.5),
        question("z", float("nan"), split=1),  # undefined: left out
    ]
    found = only(summarize(table(rows), NO_GENES, BACKGROUND)["results"], metric="auroc")
    assert found["terms"] == 3
    assert found["median"][0] == 0.7
    assert found["mean"][0] == 0.7
    low, high = found["mean"][1:]
    assert 0.5 <= low < 0.7 < high <= 0.9
    # numpy.quantile of 0.5, 0.7, 0.9
    assert found["spread"] == [0.52, 0.6, 0.8, 0.88]


def test_an_undefined_metric_has_no_record():
    rows = [question("x", 0.8, matched_auroc=None), question("y", 0.9, ndcg_100=None)]
    found = summarize(table(rows), NO_GENES, BACKGROUND)["results"]
    assert only(found, metric="matched_auroc")["terms"] == 1
    assert only(found, metric="ndcg_100")["terms"] == 1
    assert only(found, metric="auroc")["terms"] == 2
    rows = [row | {"matched_auroc": None} for row in rows]
    found = summarize(table(rows), NO_GENES, BACKGROUND)
    assert "matched_auroc" not in {r["metric"] for r in found["results"] + found["verdicts"]}


def test_strata_of_terms():
    rows = [
        question("tiny", 0.1, size=9),
        question("a", 0.2, size=10),
        question("b", 0.4, size=19),
        question("large", 0.9, size=200),
    ]
    leaks = pl.DataFrame(
        {"task": ["GO", "GO", "other"], "term": ["a", "b", "tiny"], "leaking_sets": [3, 0, 1]}
    )
    summary = summarize(table(rows), NO_GENES, BACKGROUND, leaks=leaks)
    found = {
        (r["by"], r["stratum"]): (r["n"], r["median"][0])
        for r in summary["strata"]
        if r["metric"] == "auroc"
    }
    assert found == {
        ("term size", "1-9"): (1, 0.1),
        ("term size", "10-19"): (2, 0.3),
        ("term size", "200+"): (1, 0.9),
        ("leaked", "not leaked"): (3, 0.4),
        ("leaked", "leaked"): (1, 0.2),
    }
    assert summary["tasks"][0]["leaked_terms"] == 1
    assert "leaked" not in {r["by"] for r in summarize(table(rows), NO_GENES, BACKGROUND)["strata"]}


def test_strata_by_number_of_genes_shown():
    rows = [
        question("small", 0.1, k=3, average_precision=0.2),
        question("large", 0.5, k=3, average_precision=0.4),
        question("large", 0.9, k=10, average_precision=0.7),
    ]
    strata = summarize(table(rows), NO_GENES, BACKGROUND)["strata"]
    assert only(strata, by="shown", stratum="3", metric="auroc")["median"][0] == 0.3
    assert only(strata, by="shown", stratum="3", metric="average_precision")["mean"][0] == 0.3
    # Only "large" has questions with 3 and with 10.
    same = [only(strata, by="shown, same terms", stratum=k, metric="auroc") for k in ("3", "10")]
    assert [(r["n"], r["median"][0]) for r in same] == [(1, 0.5), (1, 0.9)]


def test_strata_of_genes():
    # Ten genes, of which three have no set: together they are the first three tenths.
    genes = [f"g{i}" for i in range(10)]
    background = pl.DataFrame(
        {
            "task": "GO",
            "gene": genes,
            "popularity": [0, 0, 0, 3, 4, 5, 6, 7, 8, 90],
            "papers": [0, 1, 1, 3, 4, 5, 6, 7, 8, 90],
        }
    )
    hidden = pl.DataFrame(
        {
            "task": "GO",
            "method": "ours",
            "gene": ["g0", "g2", "g3", "g9"],
            "auroc": [0.1, 0.5, 0.6, 0.9],
            "matched_auroc": [None, None, 0.5, 0.7],
        }
    )
    summary = summarize(table([question("x", 0.5)]), hidden, background)
    task = summary["tasks"][0]
    assert task["background"] == 10
    # The mean rank of the three is 2: a share of (2 - 0.5) / 10, in the second tenth.
    assert task["popularity_deciles"] == {"2": [0, 0, 3]} | {
        str(i + 1): [p, p, 1] for i, p in enumerate([3, 4, 5, 6, 7, 8, 90], start=3)
    }
    # A fifth is two genes; the second and the third have as many papers.
    assert task["understudied"] == {"most_papers": 1, "genes": 3}
    found = {
        (r["by"], r["stratum"], r["metric"]): (r["n"], r["median"][0])
        for r in summary["strata"]
        if r["by"] in ("popularity", "papers")
    }
    assert found == {
        ("popularity", "2", "auroc"): (2, 0.3),
        ("popularity", "4", "auroc"): (1, 0.6),
        ("popularity", "10", "auroc"): (1, 0.9),
        ("popularity", "4", "matched_auroc"): (1, 0.5),
        ("popularity", "10", "matched_auroc"): (1, 0.7),
        ("papers", "understudied", "auroc"): (2, 0.3),
        ("papers", "others", "auroc"): (2, 0.75),
        ("papers", "others", "matched_auroc"): (2, 0.6),
    }


@pytest.fixture
def rivals():
    """Three methods on twelve terms: two alike, one that is worse, and one fitted again."""
    rows = []
    for i in range(12):
        a = 0.5 + i / 40
        rows += [
            question(f"t{i}", 0.1 + i / 50, method="popularity"),
            question(f"t{i}", a, method="ours"),
            question(f"t{i}", a + (0.02 if i % 2 else -0.02), method="peer"),
            question(f"t{i}", a - 0.1, method="ours, without leaks"),
        ]
    return table(rows)


def test_lift_is_counted_term_by_term(rivals):
    summary = summarize(rivals, NO_GENES, BACKGROUND, reference="popularity")
    found = only(summary["lift"], method="ours", metric="auroc")
    # 0.4 + i / 200 for i = 0..11
    assert found["mean"][0] == 0.4275
    assert found["terms"] == 12
    assert {r["method"] for r in summary["lift"]} == {"ours", "peer", "ours, without leaks"}
    summary = summarize(rivals, NO_GENES, BACKGROUND, reference="absent")
    assert summary["lift"] == []
    assert summary["reference"] is None


def test_tests_and_verdicts(rivals):
    methods = [{"method": "ours", "kind": "a sum", "training_seconds": 12.5}]
    summary = summarize(rivals, NO_GENES, BACKGROUND, methods=methods)
    pairs = [(r["one"], r["other"]) for r in summary["tests"] if r["metric"] == "auroc"]
    assert pairs == [("ours", "popularity"), ("ours", "peer"), ("popularity", "peer")]
    ours = [0.5 + i / 40 for i in range(12)]
    p = wilcoxon([a - 0.1 - i / 50 for i, a in enumerate(ours)], zero_method="zsplit").pvalue
    found = only(summary["tests"], one="ours", other="popularity", metric="auroc")
    assert found["p_value"] == pytest.approx(p, rel=1e-2)
    assert found["p_holm"] == pytest.approx(3 * p, rel=1e-2)
    assert found["better"] == 1
    verdict = only(summary["verdicts"], metric="auroc")
    assert verdict["best"] == "ours"
    assert verdict["second"] == "peer"
    assert verdict["not_told_apart"] == ["peer"]
    # If all are equal, no method is distinguished.
    equal = only(summary["verdicts"], metric="average_precision")
    assert len(equal["not_told_apart"]) == 2


def test_a_method_fitted_again_is_shown_and_not_tested(rivals):
    summary = summarize(rivals, NO_GENES, BACKGROUND)
    again = only(summary["methods"], method="ours, without leaks")
    assert again["without_leaks_of"] == "ours"
    assert only(summary["methods"], method="ours")["without_leaks_of"] is None
    shown = only(summary["results"], method="ours, without leaks", metric="auroc")
    assert shown["median"][0] == 0.5375
    assert not [r for r in summary["tests"] if "without" in r["one"] + r["other"]]


def test_what_is_known_of_tasks_and_methods_is_kept(rivals):
    summary = summarize(
        rivals,
        NO_GENES,
        BACKGROUND,
        tasks=[{"task": "empty", "protocol": "time-split", "skipped": {"no pair": 4}}],
        methods=[
            {"method": "peer", "kind": "embedding", "size_bytes": 10},
            {"method": "gone", "kind": "refused all"},
        ],
        about={"name": "a run", "seed": 7},
    )
    empty, go = summary["tasks"]
    assert (empty["task"], empty["protocol"], empty["terms"]) == ("empty", "time-split", 0)
    assert empty["skipped"] == {"no pair": 4}
    assert (go["terms"], go["questions"], go["background"]) == (12, 12, 1)
    assert [m["method"] for m in summary["methods"][:3]] == ["peer", "gone", "popularity"]
    assert summary["methods"][0]["size_bytes"] == 10
    assert summary["about"] == {"name": "a run", "seed": 7}


def test_every_key_is_defined(rivals):
    summary = summarize(rivals, NO_GENES, BACKGROUND)
    defined = {name.strip() for names in DEFINITIONS for name in names.split(",")}
    assert set(summary) - {"format", "version", "definitions"} <= defined
    assert set(METRICS) <= defined


def test_text_has_a_record_on_a_line(rivals):
    summary = summarize(rivals, NO_GENES, BACKGROUND)
    text = summary_text(summary)
    assert json.loads(text) == summary
    line = next(line for line in text.splitlines() if '"metric": "enrichment_score"' in line)
    assert json.loads(line.rstrip(","))["metric"] == "enrichment_score"


def test_the_seed_is_obeyed(rivals):
    one = summarize(rivals, NO_GENES, BACKGROUND, seed=1)
    assert one == summarize(rivals, NO_GENES, BACKGROUND, seed=1)
    other = summarize(rivals, NO_GENES, BACKGROUND, seed=2)
    assert one["results"] != other["results"]
