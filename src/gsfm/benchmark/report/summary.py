"""The summary of a benchmark: all values with their intervals and definitions.

`summarize` turns the tables of a run into ``summary.json``: flat lists of records, each value with
its 95% interval, and `DEFINITIONS` of all keys. The page and the table for a README are made of it
(and of the curves, which are separate because they are long).
"""

from __future__ import annotations

import functools
import json
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import resources
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import polars as pl

from gsfm.benchmark import metrics
from gsfm.benchmark.statistics import interval, paired
from gsfm.report import json_value

Statistic = Literal["median", "mean"]
_Figure = Callable[[pl.Series, Statistic], list[float]]

#: The format of ``summary.json`` and its version; a reader refuses any other.
FORMAT, VERSION = "gsfm benchmark summary", 1

#: The metrics of a question, the first ones first in every report.
METRICS = ("auroc", "matched_auroc", *metrics.METRICS[1:-1])
#: The metrics of the tests and the strata.
TESTED = ("auroc", "matched_auroc", "average_precision")

#: A method that was fitted again without the training sets that cover a term is called
#: ``<name>, without leaks``.
WITHOUT_LEAKS = ", without leaks"

#: Protocols about pairs of genes, rather than terms of a library.
PAIRS = ("new-relations", "new-interactions", "context-switch")

#: The least number of genes of a term in each class of size; the last class is open.
SIZES = (1, 10, 20, 50, 100, 200)

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
        ``task``, ``term``, ``covering``: how many training sets cover the term. Other terms of the
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
    genes = genes.with_columns(pl.col("auroc", "matched_auroc").cast(pl.Float64).fill_nan(None))
    genes = genes.join(_parts_of_genes(backgrounds), on=["task", "gene"], how="left")
    if leaks is not None:
        leaked = leaks.select("task", "term", leaked=pl.col("covering") > 0)
        questions = questions.join(leaked, on=["task", "term"], how="left")
        counted = pl.col("task").is_in(leaks["task"].unique().to_list())
        questions = questions.with_columns(
            leaked=pl.when(counted).then(pl.col("leaked").fill_null(value=False))
        )
    task_rows = _tasks(questions, backgrounds, tasks)
    method_rows = _methods(questions, methods)
    rivals = [row["method"] for row in method_rows if row["without_leaks_of"] is None]
    figure = functools.partial(_figure, n=resamples, seed=seed)
    found: dict[str, list[dict[str, Any]]] = {
        key: [] for key in ("results", "strata", "lift", "tests", "verdicts")
    }
    for task in (row["task"] for row in task_rows):
        own, hidden = (table.filter(pl.col("task") == task) for table in (questions, genes))
        scored = set(own["method"].unique())
        present = [row["method"] for row in method_rows if row["method"] in scored]
        results = []
        for method in present:
            mine, genes_of_mine = (t.filter(pl.col("method") == method) for t in (own, hidden))
            of = {"task": task, "method": method}
            results += [of | row for row in _results(_per_term(mine), figure)]
            found["strata"] += [of | row for row in _strata(mine, genes_of_mine, figure)]
            if reference in present and method != reference:
                theirs = _per_term(own.filter(pl.col("method") == reference))
                found["lift"] += [of | row for row in _lift(_per_term(mine), theirs, figure)]
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


def _per_term(questions: pl.DataFrame, *also: str) -> pl.DataFrame:
    """The mean of each metric over the questions of a term (and of each value of `also`)."""
    return questions.group_by(*also, "term", maintain_order=True).agg(pl.col(METRICS).mean())


def _results(terms: pl.DataFrame, figure: _Figure) -> Iterator[dict[str, Any]]:
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


def _strata(
    questions: pl.DataFrame, genes: pl.DataFrame, figure: _Figure
) -> Iterator[dict[str, Any]]:
    """A record for each part of one method's terms and genes, and each metric tested."""
    # (by, a row for each term or gene of a part, the names of the parts if they have some)
    parts: list[tuple[str, pl.DataFrame, dict[int, str]]] = []
    # Questions about pairs of genes have no term size.
    if questions["protocol"][0] not in PAIRS:
        size = pl.col("n_shown") + pl.col("n_hidden")
        part = pl.max_horizontal(pl.when(size >= low).then(low) for low in SIZES)
        names = {low: f"{low}-{high - 1}" for low, high in pairwise(SIZES)}
        names[SIZES[-1]] = f"{SIZES[-1]}+"
        parts.append(("term size", _per_term(questions.with_columns(part=part), "part"), names))
    by_k = questions.filter(pl.col("k").is_not_null()).with_columns(part="k")
    if by_k.height:
        every = pl.col("k").n_unique().over("term") == by_k["k"].n_unique()
        parts.append(("shown", _per_term(by_k, "part"), {}))
        parts.append(("shown, same terms", _per_term(by_k.filter(every), "part"), {}))
    if "leaked" in questions.columns:
        part = pl.col("leaked").cast(pl.Int32)
        names = {0: "not leaked", 1: "leaked"}
        parts.append(("leaked", _per_term(questions.with_columns(part=part), "part"), names))
    parts.append(("popularity", genes.with_columns(part="decile"), {}))
    part = pl.col("understudied").cast(pl.Int32)
    parts.append(("papers", genes.with_columns(part=part), {0: "others", 1: "understudied"}))
    for by, table, names in parts:
        for metric in (name for name in TESTED if name in table.columns):
            defined = table.drop_nulls(["part", metric]).sort("part")
            for (number,), rows in defined.group_by("part", maintain_order=True):
                yield {
                    "by": by,
                    "stratum": names.get(number, str(number)),
                    "metric": metric,
                    "n": rows.height,
                    center(metric): figure(rows[metric], center(metric)),
                }


def _parts_of_genes(backgrounds: pl.DataFrame) -> pl.DataFrame:
    """``task``, ``gene``, ``decile`` (1 to 10, by popularity), ``understudied``.

    Genes of equal counts are in one part, so that the parts are independent of the order.
    """
    among = (pl.col("popularity").rank("average").over("task") - 0.5) / pl.len().over("task")
    fewer = (pl.col("papers").rank("min").over("task") - 1) / pl.len().over("task")
    return backgrounds.with_columns(
        decile=(among * 10).floor().cast(pl.Int32).clip(0, 9) + 1, understudied=fewer < 0.2
    )


def _lift(mine: pl.DataFrame, theirs: pl.DataFrame, figure: _Figure) -> Iterator[dict[str, Any]]:
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
    parts = _parts_of_genes(backgrounds)
    rows = []
    for task in dict.fromkeys([*known, *questions["task"].unique(maintain_order=True)]):
        own = questions.filter(pl.col("task") == task)
        genes = parts.filter(pl.col("task") == task)
        row = {
            "task": task,
            "protocol": own["protocol"][0] if own.height else None,
            "background": genes.height,
            "terms": own["term"].n_unique(),
            "questions": own.select("term", "split", "k").n_unique() if own.height else 0,
        }
        row |= json_value(known.get(task, {}))
        deciles = genes.group_by("decile").agg(
            pl.col("popularity").min().alias("low"),
            pl.col("popularity").max().alias("high"),
            n=pl.len(),
        )
        row["popularity_deciles"] = {
            str(decile): [low, high, n] for decile, low, high, n in deciles.sort("decile").rows()
        }
        few = genes.filter(pl.col("understudied"))
        row["understudied"] = {"most_papers": few["papers"].max(), "genes": few.height}
        if "leaked" in own.columns and own["leaked"].count():
            row["leaked_terms"] = own.filter(pl.col("leaked"))["term"].n_unique()
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


def _tests(questions: pl.DataFrame, sides: Sequence[str]) -> Iterator[dict[str, Any]]:
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
                "difference": _rounded(row["difference"]),
                "better": _rounded(row["better"]),
                "p_value": float(f"{row['p_value']:.3g}"),
                "p_holm": float(f"{row['p_holm']:.3g}"),
            }


def _verdicts(
    results: Sequence[Mapping[str, Any]], tests: Sequence[Mapping[str, Any]], sides: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """For each metric tested: which method is best, and which the tests do not tell from it."""
    for metric in TESTED:
        name = center(metric)
        figures = {
            row["method"]: row[name]
            for row in results
            if row["metric"] == metric and row["method"] in sides
        }
        if not figures:
            continue
        order = sorted(figures, key=lambda method: -figures[method][0])
        best, *others = order
        beaten = {
            row["other" if row["one"] == best else "one"]
            for row in tests
            if row["metric"] == metric
            and row["p_holm"] < 0.05
            and best == (row["one"] if row["better"] > 0.5 else row["other"])
        }
        yield {
            "metric": metric,
            "best": best,
            name: figures[best],
            "second": others[0] if others else None,
            "not_told_apart": [other for other in others if other not in beaten],
        }
