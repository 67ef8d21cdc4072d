"""Compare two runs of a benchmark, with intervals and tests."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from gsfm.benchmark.report.summary import TESTED, WITHOUT_LEAKS, center
from gsfm.benchmark.results import Results
from gsfm.benchmark.statistics import holm, interval, signed_rank
from gsfm.errors import GsfmError
from gsfm.report import Report

#: The definitions of the columns, a part of the report.
DEFINITIONS = {
    "a, b": "the statistic of the metric over terms, in each run",
    "difference": "mean over terms of b less a, term by term",
    "low, high": "95% bootstrap interval of difference, over terms",
    "better": "share of the terms where b is better, equal ones counted half",
    "p_value": "two-sided Wilcoxon signed-rank test over terms",
    "p_holm": "p_value after Holm's correction over all rows of the metric",
}


def compare(a: Results | str | Path, b: Results | str | Path) -> Report:
    """Compare two runs, method by method, on the questions that both have.

    A method of both runs is compared between them. If each run has exactly one method that the
    other lacks, these two are compared, too. Tasks are compared if both runs have the same
    questions, which they have for the same library, options, seed and background. All differences
    are paired by task, term, repetition (``split``) and number of shown genes (``k``).

    Parameters
    ----------
    a, b
        Two folders of results, open or by their paths.

    Returns
    -------
    Report
        A row for each task, method and metric: ``task``, ``method_a``, ``method_b``, ``metric``,
        ``statistic``, ``terms``, ``a``, ``b``, ``difference``, ``low``, ``high``, ``better``,
        ``p_value``, ``p_holm``. The provenance has the definitions of the columns, the tasks and
        methods of only one run, and what is not compared with the reason.

    Raises
    ------
    GsfmError
        If a folder holds no results, or no method of both runs scored the same questions.

    Examples
    --------
    >>> import tempfile
    >>> from gsfm.benchmark.config import Benchmark, Corpus, Task, Trained
    >>> from gsfm.benchmark.runner import run
    >>> from gsfm.sets import GeneSets
    >>> here = Path(tempfile.mkdtemp())
    >>> terms = {"one": "ABCDEFGHIJKL", "two": "GHIJKLMNOPQR"}
    >>> GeneSets.from_lists({k: list(v) for k, v in terms.items()}).save(here / "library.gsets")
    >>> sets = [list("ABCDEFGHIJKL"), list("GHIJKLMNOPQR"), list("MNOPQR")] * 2
    >>> GeneSets.from_lists(sets).save(here / "corpus.gsets")
    >>> task = Task("half-split", {"library": "library.gsets"}, name="letters")
    >>> for family in ("popularity", "cooccurrence"):
    ...     method = Trained("a method", family)
    ...     benchmark = Benchmark([task], [method], corpus=Corpus("corpus.gsets"), data=here)
    ...     _ = run(benchmark, here / family, pages=False)
    >>> report = compare(here / "popularity", here / "cooccurrence")
    >>> report.table.select("task", "metric", "terms").row(0)
    ('letters', 'auroc', 2)
    """
    one, other = (side if isinstance(side, Results) else Results.open(side) for side in (a, b))
    excluded = _different_questions(one.about, other.about)
    common, *own_tasks = _names(one, other, "task")
    tasks = [task for task in common if task not in excluded]
    if not tasks:
        reasons = [f"{task}: {reason}" for task, reason in excluded.items()]
        more = f", and {len(reasons) - 1} tasks more" if len(reasons) > 1 else ""
        raise GsfmError(
            "the two runs cannot be compared: they have no questions in common "
            f"({reasons[0] + more if reasons else 'no task has the same name in both'}); "
            "put the methods into one run, or run both with the same tasks, seed and background"
        )
    metrics = list(TESTED)
    # The corpus in which popularity is counted.
    if len({(side.about.get("corpus") or {}).get("hash") for side in (one, other)}) > 1:
        metrics.remove("matched_auroc")
        excluded["matched_auroc"] = "the runs count the popularity of genes in different corpora"
    methods, *own_methods = _names(one, other, "method")
    pairs = [(name, name) for name in methods]
    # A method that was fitted again without leaks does not count.
    rivals = [[m for m in own if not m.endswith(WITHOUT_LEAKS)] for own in own_methods]
    if [len(names) for names in rivals] == [1, 1]:
        pairs.append((rivals[0][0], rivals[1][0]))
    rows = [
        {"task": task, "method_a": a, "method_b": b, **row}
        for task, (a, b) in itertools.product(tasks, pairs)
        for row in _differences(
            one.questions.filter(task=task, method=a),
            other.questions.filter(task=task, method=b),
            metrics,
        )
    ]
    if not rows:
        raise GsfmError(
            "the two runs cannot be compared: no method has the same name in both, and not each "
            "of them has just one method of its own"
        )
    adjusted = pl.col("p_value").map_batches(lambda p: pl.Series(holm(p)), return_dtype=pl.Float64)
    table = pl.DataFrame(rows).with_columns(p_holm=adjusted.over("metric"))
    return Report(
        table,
        {
            "a": _record(one),
            "b": _record(other),
            "only_in_a": {"tasks": own_tasks[0], "methods": own_methods[0]},
            "only_in_b": {"tasks": own_tasks[1], "methods": own_methods[1]},
            "not_compared": excluded,
            "columns": DEFINITIONS,
        },
    )


def _names(one: Results, other: Results, kind: str) -> tuple[list[str], list[str], list[str]]:
    """The names of the tasks or methods of both runs, of only the first, and of only the other."""
    a, b = ([record[kind] for record in side.about[f"{kind}s"]] for side in (one, other))
    return [x for x in a if x in b], [x for x in a if x not in b], [x for x in b if x not in a]


def _record(results: Results) -> dict[str, Any]:
    """The identity of a run."""
    keys = ("name", "gsfm", "seed", "hash")
    known = {key: results.about[key] for key in keys if key in results.about}
    return {"folder": results.folder.name} | known


def _different_questions(one: dict[str, Any], other: dict[str, Any]) -> dict[str, str]:
    """The tasks of both runs that have different questions, with the reason."""
    theirs = {task["task"]: task for task in other["tasks"]}
    found = {}
    for task in (task for task in one["tasks"] if task["task"] in theirs):
        pair = task, theirs[task["task"]]
        hashes, protocols, genes = (
            [side.get(key) for side in pair] for key in ("hash", "protocol", "genes")
        )
        if None in hashes:
            reason = "one of them has no questions"
        elif hashes[0] == hashes[1]:
            continue
        elif protocols[0] != protocols[1]:
            reason = f"the protocols are {protocols[0]} and {protocols[1]}"
        elif one["seed"] != other["seed"]:
            reason = f"the seeds are {one['seed']} and {other['seed']}"
        elif genes[0] != genes[1]:
            sizes = " and ".join(f"{side['background']:,}" for side in genes)
            reason = f"the backgrounds have {sizes} genes"
        else:
            reason = "other data, options or genes of the background"
        found[task["task"]] = reason
    return found


def _differences(
    a: pl.DataFrame, b: pl.DataFrame, metrics: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """A row for each metric, from the scores of two methods on the same questions."""
    key = ["term", "split", "k"]
    both = a.join(b, on=key, suffix="_b", nulls_equal=True, validate="1:1", maintain_order="left")
    for metric in metrics:
        terms = (
            both.select("term", a=pl.col(metric), b=pl.col(f"{metric}_b"))
            .cast({"a": pl.Float64, "b": pl.Float64})
            .fill_nan(None)
            .drop_nulls()
            .group_by("term", maintain_order=True)
            .mean()
        )
        if not terms.height:
            continue
        differences = terms["b"] - terms["a"]
        low, high = interval(differences, "mean")
        _, _, better, p = signed_rank(differences.to_numpy())
        statistic = center(metric)
        yield {
            "metric": metric,
            "statistic": statistic,
            "terms": terms.height,
            **{side: getattr(terms[side], statistic)() for side in ("a", "b")},
            "difference": differences.mean(),
            "low": low,
            "high": high,
            "better": better,
            "p_value": p,
        }
