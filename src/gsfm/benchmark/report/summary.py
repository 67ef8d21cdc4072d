"""The summary of a benchmark: all values with their intervals and definitions.

The page and the table for a README are made of it, and of the curves.
"""

from __future__ import annotations

import functools
import json
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import resources
from typing import Any, Literal

import numpy as np
import polars as pl

from gsfm.benchmark import metrics
from gsfm.benchmark.statistics import interval, paired
from gsfm.report import json_value

Statistic = Literal["median", "mean"]
Records = Iterator[dict[str, Any]]
_Figure = Callable[[pl.Series, Statistic], list[float]]

#: The format of ``summary.json`` and its version; a reader refuses any other.
FORMAT, VERSION = "gsfm benchmark summary", 1

#: The metrics of a question, the first ones first in every report.
METRICS = ("auroc", "matched_auroc", *metrics.METRICS[1:-1])
#: The metrics of the tests and the strata.
TESTED = ("auroc", "matched_auroc", "average_precision")

#: A method that was fitted again without the training sets that leak a term is called
#: ``<name>, without leaks``.
WITHOUT_LEAKS = ", without leaks"

#: Protocols about pairs of genes, rather than terms of a library.
PAIRS = ("new-relations", "new-interactions", "context-switch")

#: The classes of size by the least number of genes of a term.
SIZES = {1: "1-9", 10: "10-19", 20: "20-49", 50: "50-99", 100: "100-199", 200: "200+"}

_SIZE = pl.max_horizontal(
    pl.when(pl.col("n_shown") + pl.col("n_hidden") >= low).then(low) for low in SIZES
)
_EVERY_K = pl.col("k").n_unique().over("term") == pl.col("k").n_unique()
#: The stratifications of terms: the number of a stratum, and the names of the strata.
_OF_TERMS: dict[str, tuple[pl.Expr, Mapping[int, str]]] = {
    "term size": (pl.when(~pl.col("protocol").is_in(PAIRS)).then(_SIZE), SIZES),
    "shown": (pl.col("k"), {}),
    "shown, same terms": (pl.when(_EVERY_K).then("k"), {}),
    "leaked": (pl.col("leaked").cast(pl.Int32), {0: "not leaked", 1: "leaked"}),
}
#: The same of genes.
_OF_GENES: dict[str, tuple[pl.Expr, Mapping[int, str]]] = {
    "popularity": (pl.col("decile"), {}),
    "papers": (pl.col("understudied").cast(pl.Int32), {0: "others", 1: "understudied"}),
}

#: The definition of every key of the summary; a part of it.
DEFINITIONS: dict[str, str] = tomllib.loads(
    resources.files("gsfm.benchmark.report").joinpath("definitions.toml").read_text("utf-8")
)


def summarize(
    questions: pl.DataFrame,
    genes: pl.DataFrame,
    backgrounds: pl.DataFrame,
    *,
    tasks: Sequence[Mapping[str, Any]] = (),
    methods: Sequence[Mapping[str, Any]] = (),
    leaks: pl.DataFrame | None = None,
    reference: str | None = "popularity",
    about: Mapping[str, Any] | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Summarize the tables of a benchmark.

    Parameters
    ----------
    questions
        A row for each task, method and question: ``task``, ``protocol``, ``method``, ``term``,
        ``split``, ``k``, ``n_shown``, ``n_hidden``, and the `METRICS` (null where undefined).
    genes
        A row for each task, method and gene that was ever hidden: ``task``, ``method``, ``gene``,
        ``auroc``, ``matched_auroc``.
    backgrounds
        A row for each task and gene of its background: ``task``, ``gene``, ``popularity`` (sets of
        the training corpus that have it), ``papers``.
    tasks
        The records of the tasks: ``task``, and other entries of the summary (``skipped``,
        ``background``, ``about``, ...). In the order of the report.
    methods
        The records of the methods: ``method``, ``kind``, ``training_seconds``,
        ``peak_memory_bytes``, ``size_bytes``, and other entries. In the order of the report.
    leaks
        ``task``, ``term``, ``find_leaks``: how many training sets leak the term. Other terms of the
        same tasks have none; for other tasks it is unknown. None if leakage was ignored.
    reference
        The reference method of lift; there is no lift if it is not among the methods.
    about
        The run: its name, configuration, versions, hashes. JSON-serializable.
    resamples, seed
        Number of resamples and seed of the bootstrap.

    Returns
    -------
    dict
        The content of ``summary.json``: values are rounded to 4 places, p-values to 3 digits.

    Examples
    --------
    >>> row = {"task": "GO", "protocol": "half-split", "split": 0, "k": None, "n_shown": 5,
    ...        "n_hidden": 6, **{metric: 0.5 for metric in METRICS}}
    >>> questions = pl.DataFrame(
    ...     [row | {"method": m, "term": t, "auroc": a}
    ...      for m, t, a in [("A", "x", 0.8), ("A", "y", 0.9), ("B", "x", 0.7), ("B", "y", 0.5)]])
    >>> genes = pl.DataFrame({"task": ["GO"], "method": ["A"], "gene": ["TP53"], "auroc": [0.9],
    ...                       "matched_auroc": [0.8]})
    >>> background = pl.DataFrame(
    ...     {"task": ["GO"], "gene": ["TP53"], "popularity": [12], "papers": [3]})
    >>> summary = summarize(questions, genes, background)
    >>> [(r["method"], r["median"][0]) for r in summary["results"] if r["metric"] == "auroc"]
    [('A', 0.85), ('B', 0.6)]
    """
    questions = questions.with_columns(pl.col(METRICS).cast(pl.Float64).fill_nan(None))
    questions = _with_leaks(questions, leaks)
    backgrounds = _with_strata(backgrounds)
    genes = genes.with_columns(pl.col("auroc", "matched_auroc").cast(pl.Float64).fill_nan(None))
    genes = genes.join(backgrounds, on=["task", "gene"], how="left")
    task_rows = _tasks(questions, backgrounds, tasks)
    method_rows = _methods(questions, methods)
    rivals = [row["method"] for row in method_rows if row["without_leaks_of"] is None]
    figure = functools.partial(_figure, n=resamples, seed=seed)
    found: dict[str, list[dict[str, Any]]] = {
        key: [] for key in ("results", "strata", "lift", "tests", "verdicts")
    }
    for task in (row["task"] for row in task_rows):
        own, hidden = questions.filter(task=task), genes.filter(task=task)
        scored = set(own["method"])
        present = [row["method"] for row in method_rows if row["method"] in scored]
        terms = {method: _per_term(own.filter(method=method)) for method in present}
        results = []
        for method in present:
            of = {"task": task, "method": method}
            strata = _strata(own.filter(method=method), hidden.filter(method=method), figure)
            results += [of | row for row in _results(terms[method], figure)]
            found["strata"] += [of | row for row in strata]
            if reference in terms and method != reference:
                lift = _lift(terms[method], terms[reference], figure)
                found["lift"] += [of | row for row in lift]
        sides = [method for method in present if method in rivals]
        tests = list(_tests(own.filter(pl.col("method").is_in(sides)), sides))
        found["results"] += results
        found["tests"] += tests
        found["verdicts"] += [{"task": task} | row for row in _verdicts(results, tests, sides)]
    return {
        "format": FORMAT,
        "version": VERSION,
        "about": json_value(dict(about or {})),
        "definitions": DEFINITIONS,
        "reference": reference if reference in rivals else None,
        "bootstrap": {"resamples": resamples, "seed": seed},
        "tasks": task_rows,
        "methods": method_rows,
        **found,
    }


def summary_text(summary: Mapping[str, Any]) -> str:
    """The summary as JSON with one record a line, so that two versions have a short diff.

    Examples
    --------
    >>> print(summary_text({"version": 1, "tasks": [{"task": "GO"}, {"task": "KEGG"}]}))
    {
    "version": 1,
    "tasks": [
     {"task": "GO"},
     {"task": "KEGG"}
    ]
    }
    <BLANKLINE>
    """
    parts = []
    for key, value in summary.items():
        text = _json(value)
        if isinstance(value, list) and value:
            text = "[\n " + ",\n ".join(map(_json, value)) + "\n]"
        parts.append(f"{_json(key)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _json(value: Any) -> str:
    return json.dumps(json_value(value), ensure_ascii=False, allow_nan=False)


def _figure(values: pl.Series, statistic: Statistic, *, n: int, seed: int) -> list[float]:
    """[value, low, high] of a statistic, rounded, with its 95% bootstrap interval."""
    ends = interval(values.to_numpy(), statistic, n=n, seed=seed)
    return [_rounded(end) for end in (getattr(values, statistic)(), *ends)]


def _rounded(figure: float) -> float:
    return round(float(figure), 4)


def center(metric: str) -> Statistic:
    """The usual statistic of a metric over terms: ``"mean"`` or ``"median"``.

    The median for areas under ROC curves; the mean for average precision, which is near 0 for most
    terms and large for a few.
    """
    return "median" if metric in ("auroc", "matched_auroc", "enrichment_score") else "mean"


def subject(task: Mapping[str, Any]) -> tuple[str, int]:
    """The unit of a task and its number: terms, or questions if it is about pairs."""
    noun = "question" if task["protocol"] in PAIRS else "term"
    return noun, task[f"{noun}s"]


def _with_leaks(questions: pl.DataFrame, leaks: pl.DataFrame | None) -> pl.DataFrame:
    """The questions with ``leaked``: whether a training set leaks the term; null if unknown."""
    if leaks is None:
        return questions.with_columns(leaked=pl.lit(None, pl.Boolean))
    leaked = leaks.select("task", "term", leaked=pl.col("leaking_sets") > 0)
    counted = pl.col("task").is_in(leaks["task"].unique().to_list())
    return questions.join(leaked, on=["task", "term"], how="left").with_columns(
        leaked=pl.when(counted).then(pl.col("leaked").fill_null(value=False))
    )


def _with_strata(backgrounds: pl.DataFrame) -> pl.DataFrame:
    """The genes with ``decile`` (1 to 10, by popularity) and ``understudied``.

    Genes of equal counts are in one stratum, so that the strata are independent of the order.
    """
    among = (pl.col("popularity").rank("average").over("task") - 0.5) / pl.len().over("task")
    fewer = (pl.col("papers").rank("min").over("task") - 1) / pl.len().over("task")
    return backgrounds.with_columns(
        decile=(among * 10).floor().cast(pl.Int32).clip(0, 9) + 1, understudied=fewer < 0.2
    )


def _per_term(questions: pl.DataFrame, *also: str) -> pl.DataFrame:
    """The mean of each metric over the questions of a term (and of each value of `also`)."""
    return questions.group_by(*also, "term", maintain_order=True).agg(pl.col(METRICS).mean())


def _results(terms: pl.DataFrame, figure: _Figure) -> Records:
    """A record for each metric that is defined for some term of one method."""
    for metric in METRICS:
        values = terms[metric].drop_nulls()
        if len(values):
            ends = np.quantile(values.to_numpy(), [0.05, 0.25, 0.75, 0.95])
            yield {
                "metric": metric,
                "terms": len(values),
                "median": figure(values, "median"),
                "mean": figure(values, "mean"),
                "spread": [_rounded(end) for end in ends],
            }


def _strata(questions: pl.DataFrame, genes: pl.DataFrame, figure: _Figure) -> Records:
    """A record for each stratum of one method's terms and genes, and each metric tested."""
    for by, (number, names) in (_OF_TERMS | _OF_GENES).items():
        table = genes if by in _OF_GENES else questions
        table = table.with_columns(stratum=number).drop_nulls("stratum").sort("stratum")
        if by in _OF_TERMS:
            table = _per_term(table, "stratum")
        for metric in (name for name in TESTED if name in table.columns):
            defined = table.drop_nulls(metric).group_by("stratum", maintain_order=True)
            for (stratum,), rows in defined:
                yield {
                    "by": by,
                    "stratum": names.get(stratum, str(stratum)),
                    "metric": metric,
                    "n": rows.height,
                    center(metric): figure(rows[metric], center(metric)),
                }


def _lift(mine: pl.DataFrame, theirs: pl.DataFrame, figure: _Figure) -> Records:
    """A record for each tested metric: the difference from the reference, term by term."""
    both = mine.join(theirs, on="term")
    for metric in TESTED:
        values = (both[metric] - both[f"{metric}_right"]).drop_nulls()
        if len(values):
            yield {"metric": metric, "terms": len(values), "mean": figure(values, "mean")}


def _tasks(
    questions: pl.DataFrame, backgrounds: pl.DataFrame, tasks: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """A record for each task, also for those without a question."""
    known = {str(row["task"]): dict(row) for row in tasks}
    rows = []
    for task in dict.fromkeys([*known, *questions["task"].unique(maintain_order=True)]):
        own, genes = questions.filter(task=task), backgrounds.filter(task=task)
        count = pl.col("popularity")
        deciles = genes.group_by("decile").agg(count.min(), high=count.max(), n=pl.len())
        few = genes.filter("understudied")
        row = {
            "task": task,
            "protocol": own["protocol"][0] if own.height else None,
            "background": genes.height,
            "terms": own["term"].n_unique(),
            "questions": own.select("term", "split", "k").n_unique() if own.height else 0,
            **json_value(known.get(task, {})),
            "popularity_deciles": {str(i): each for i, *each in deciles.sort("decile").rows()},
            "understudied": {"most_papers": few["papers"].max(), "genes": few.height},
        }
        if own["leaked"].count():
            row["leaked_terms"] = own.filter("leaked")["term"].n_unique()
        rows.append(row)
    return rows


def _methods(questions: pl.DataFrame, methods: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A record for each method, in the order of the run."""
    costs = dict.fromkeys(("kind", "training_seconds", "peak_memory_bytes", "size_bytes"))
    rows = {str(row["method"]): {**costs, **json_value(row)} for row in methods}
    for name in questions["method"].unique(maintain_order=True):
        rows.setdefault(name, {"method": name, **costs})
    for name, row in rows.items():
        base = name.removesuffix(WITHOUT_LEAKS)
        row["without_leaks_of"] = base if base != name and base in rows else None
    return [{"method": row.pop("method"), **row} for row in rows.values()]


def _tests(questions: pl.DataFrame, sides: Sequence[str]) -> Records:
    """A record for each tested metric and two methods of a task, in the order of the run."""
    in_order = questions.sort(pl.col("method").cast(pl.Enum(sides)), maintain_order=True)
    for metric in TESTED:
        for row in paired(in_order, metric).drop_nulls("p_value").iter_rows(named=True):
            yield {
                "task": row["task"],
                "metric": metric,
                "one": row["one"],
                "other": row["other"],
                "terms": row["n_terms"],
                **{name: _rounded(row[name]) for name in ("difference", "better")},
                **{name: float(f"{row[name]:.3g}") for name in ("p_value", "p_holm")},
            }


def _verdicts(
    results: Sequence[Mapping[str, Any]], tests: Sequence[Mapping[str, Any]], sides: Sequence[str]
) -> Records:
    """For each metric tested: the best method, and those without a significant difference."""
    for metric in TESTED:
        name = center(metric)
        mine = [row for row in results if row["metric"] == metric and row["method"] in sides]
        if not mine:
            continue
        best, *others = sorted(mine, key=lambda row: -row[name][0])
        # Of each significant test, the worse method and the better one.
        beaten = {
            (row["other"], row["one"]) if row["better"] > 0.5 else (row["one"], row["other"])
            for row in tests
            if row["metric"] == metric and row["p_holm"] < 0.05
        }
        names = [row["method"] for row in others]
        yield {
            "metric": metric,
            "best": best["method"],
            name: best[name],
            "second": names[0] if names else None,
            "not_told_apart": [m for m in names if (m, best["method"]) not in beaten],
        }
