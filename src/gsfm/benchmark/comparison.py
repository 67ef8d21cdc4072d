"""Two runs of a benchmark side by side: is B better than A, and beyond chance?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from gsfm.benchmark.report.summary import TESTED, WITHOUT_LEAKS, center
from gsfm.benchmark.results import Results
from gsfm.benchmark.statistics import holm, interval, paired
from gsfm.errors import GsfmError
from gsfm.report import Report

#: What the columns of the table hold: it is part of the report.
DEFINITIONS = {
    "a, b": "the statistic of the metric over terms, in each run",
    "difference": "mean over terms of b less a, term by term",
    "low, high": "95% bootstrap interval of difference, over terms",
    "better": "share of the terms where b is better, equal ones counted half",
    "p_value": "two-sided Wilcoxon signed-rank test over terms",
    "p_holm": "p_value after Holm's correction over all rows of the metric",
}


def compare(a: Results | str | Path, b: Results | str | Path) -> Report:
    """Compare what two runs found, method by method, on the questions that both asked.

    A method that both runs have is compared with itself; and if each run has just one method of
    its own, these two with each other. Tasks are compared if both runs asked the same questions,
    as they do with the same library, options, seed and background: then every difference is
    paired by task, term, repetition (``split``) and number of genes shown (``k``).

    Parameters
    ----------
    a, b
        Two folders of results, open or by their paths.

    Returns
    -------
    Report
        A row for each task, method and metric: ``task``, ``method_a``, ``method_b``, ``metric``,
        ``statistic``, ``terms``, ``a``, ``b``, ``difference``, ``low``, ``high``, ``better``,
        ``p_value``, ``p_holm``. The provenance says what the columns hold, what only one run has,
        and what is not compared, and why.

    Raises
    ------
    GsfmError
        If a folder holds no results, or the runs have no answers of one method to the same
        questions.

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
    left_out = _different_questions(one.about, other.about)
    tasks = [task for task in _common(one, other, "task") if task not in left_out]
    if not tasks:
        reasons = [f"{task}: {reason}" for task, reason in left_out.items()]
        more = f", and {len(reasons) - 1} tasks more" if len(reasons) > 1 else ""
        raise GsfmError(
            "the two runs cannot be compared: they asked no questions in common "
            f"({reasons[0] + more if reasons else 'no task has the same name in both'}); "
            "put the methods into one run, or run both with the same tasks, seed and background"
        )
    metrics = list(TESTED)
    if _corpus(one) != _corpus(other):
        metrics.remove("matched_auroc")
        left_out["matched_auroc"] = "the runs count the popularity of genes in different corpora"
    rows = []
    for task in tasks:
        for method_a, method_b in _pairs(one, other):
            found = _differences(
                _answers(one, task, method_a), _answers(other, task, method_b), metrics
            )
            head = {"task": task, "method_a": method_a, "method_b": method_b}
            rows += [head | row for row in found]
    if not rows:
        raise GsfmError(
            "the two runs cannot be compared: no method has the same name in both, and not each "
            "of them has just one method of its own"
        )
    table = pl.DataFrame(rows)
    adjusted = np.empty(table.height)
    for metric in metrics:
        chosen = (table["metric"] == metric).to_numpy()
        adjusted[chosen] = holm(table["p_value"].to_numpy()[chosen])
    return Report(
        table.with_columns(p_holm=adjusted),
        {
            "a": _said_of(one),
            "b": _said_of(other),
            "only_in_a": _only(one, other),
            "only_in_b": _only(other, one),
            "not_compared": left_out,
            "columns": DEFINITIONS,
        },
    )


def _names(results: Results, kind: str) -> list[str]:
    """The names of the tasks or methods."""
    return [record[kind] for record in results.about[f"{kind}s"]]


def _common(one: Results, other: Results, kind: str) -> list[str]:
    return [name for name in _names(one, kind) if name in _names(other, kind)]


def _only(one: Results, other: Results) -> dict[str, list[str]]:
    """The tasks and methods that the other run lacks."""
    return {
        f"{kind}s": [name for name in _names(one, kind) if name not in _names(other, kind)]
        for kind in ("task", "method")
    }


def _pairs(one: Results, other: Results) -> list[tuple[str, str]]:
    """The methods to compare with each other."""
    pairs = [(name, name) for name in _common(one, other, "method")]
    # One that was fitted again without leaks is no other method.
    own = [
        [name for name in _only(*sides)["methods"] if not name.endswith(WITHOUT_LEAKS)]
        for sides in ((one, other), (other, one))
    ]
    if all(len(names) == 1 for names in own):
        pairs.append((own[0][0], own[1][0]))
    return pairs


def _answers(results: Results, task: str, method: str) -> pl.DataFrame:
    return results.questions.filter((pl.col("task") == task) & (pl.col("method") == method))


def _said_of(results: Results) -> dict[str, Any]:
    """Which run it is."""
    keys = ("name", "gsfm", "seed", "hash")
    known = {key: results.about[key] for key in keys if key in results.about}
    return {"folder": results.folder.name} | known


def _corpus(results: Results) -> Any:
    """The hash of what popularity is counted in."""
    return (results.about.get("corpus") or {}).get("hash")


def _different_questions(one: dict[str, Any], other: dict[str, Any]) -> dict[str, str]:
    """Of the tasks that both runs have, those that asked different questions, and why."""
    theirs = {task["task"]: task for task in other["tasks"]}
    found = {}
    for task in one["tasks"]:
        if task["task"] not in theirs:
            continue
        pair = task, theirs[task["task"]]
        hashes, protocols, sizes = (
            [side.get(key) for side in pair] for key in ("hash", "protocol", "genes")
        )
        if None in hashes:
            found[task["task"]] = "nothing was asked in one of them"
        elif hashes[0] == hashes[1]:
            continue
        elif protocols[0] != protocols[1]:
            found[task["task"]] = f"the protocols are {protocols[0]} and {protocols[1]}"
        elif one["seed"] != other["seed"]:
            found[task["task"]] = f"the seeds are {one['seed']} and {other['seed']}"
        elif sizes[0] != sizes[1]:
            found[task["task"]] = "the backgrounds have {:,} and {:,} genes".format(
                *(size["background"] for size in sizes)
            )
        else:
            found[task["task"]] = "other data, options or genes of the background"
    return found


def _differences(
    a: pl.DataFrame, b: pl.DataFrame, metrics: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """A row for each metric, from the answers of two methods to the same questions."""
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
        low, high = interval(differences.to_numpy(), "mean")
        # b first, so that the share of terms is where b is better.
        long = terms.unpivot(["b", "a"], index="term", variable_name="method", value_name=metric)
        test = paired(long.with_columns(task=pl.lit("")), metric).row(0, named=True)
        statistic = center(metric)
        yield {
            "metric": metric,
            "statistic": statistic,
            "terms": terms.height,
            **{side: getattr(terms[side], statistic)() for side in ("a", "b")},
            "difference": differences.mean(),
            "low": low,
            "high": high,
            "better": test["better"],
            "p_value": test["p_value"],
        }
