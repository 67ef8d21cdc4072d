"""The sections of a benchmark's page: the figures and drawings that the templates show.

Each section is a function of a `View`. Its result is empty if the run did not measure it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import polars as pl

from gsfm.benchmark.report import figures as plots
from gsfm.benchmark.report.figures import Figure
from gsfm.benchmark.report.summary import METRICS, PAIRS, SIZES, TESTED, center, subject
from gsfm.errors import count

#: The names of the metrics in the field.
NAMES = {
    "auroc": "AUROC",
    "matched_auroc": "matched AUROC",
    "average_precision": "average precision",
    "ndcg_100": "NDCG@100",
    "recall_10": "recall@10",
    "recall_50": "recall@50",
    "recall_100": "recall@100",
    "enrichment_score": "enrichment score",
}
#: The metrics of sections that show two of them.
BOTH = ("auroc", "average_precision")
#: The least number of terms for the same-terms line of a hold-out.
FEWEST = 10

Task = Mapping[str, Any]


class Panel(NamedTuple):
    """A drawing of a task, and the figures that its text needs."""

    task: Task
    svg: str
    data: Any


class Group(NamedTuple):
    """Drawings of one kind."""

    title: str
    panels: Sequence[Panel]


class View:
    """A summary with the lookups that the sections need."""

    def __init__(self, summary: Mapping[str, Any], curves: pl.DataFrame | None = None) -> None:
        self.summary = summary
        self.curves = pl.DataFrame() if curves is None else curves
        self.tasks: list[Task] = [task for task in summary["tasks"] if task["terms"]]
        self.methods = {row["method"]: row for row in summary["methods"]}
        self.rivals = [m for m, row in self.methods.items() if not row.get("without_leaks_of")]
        self.looks = plots.styles(self.rivals, summary.get("reference"))
        self._results = {(r["task"], r["method"], r["metric"]): r for r in summary["results"]}
        self._verdicts = {(r["task"], r["metric"]): r for r in summary.get("verdicts", ())}

    def figure(self, task: str, method: str, metric: str, key: str = "") -> Figure | None:
        """[figure, low, high] of a metric's usual statistic, or another entry of its record."""
        row = self._results.get((task, method, metric))
        return None if row is None else row[key or center(metric)]

    def verdict(self, task: str, metric: str = "auroc") -> dict[str, Any] | None:
        """The best method, and those that do not differ from it significantly."""
        return self._verdicts.get((task, metric))

    def ranked(self, task: str, metric: str) -> list[tuple[str, Figure]]:
        """The methods that have a figure, the best first."""
        rows = ((name, self.figure(task, name, metric)) for name in self.rivals)
        return _best_first((name, figure) for name, figure in rows if figure is not None)

    def stratum(self, task: str, by: str, metric: str) -> dict[str, dict[str, dict[str, Any]]]:
        """The records of a stratification, by method and stratum."""
        found: dict[str, dict[str, dict[str, Any]]] = {}
        for row in self.summary["strata"]:
            if (row["task"], row["by"], row["metric"]) == (task, by, metric):
                found.setdefault(row["method"], {})[row["stratum"]] = row
        return found

    def of(self, *protocols: str) -> list[Task]:
        """The tasks of these protocols."""
        return [task for task in self.tasks if task["protocol"] in protocols]

    def libraries(self) -> list[Task]:
        """The tasks about terms, rather than pairs of genes."""
        return [task for task in self.tasks if task["protocol"] not in PAIRS]


def _best_first(rows: Iterable[tuple[Any, ...]]) -> list[Any]:
    return sorted(rows, key=lambda row: -row[1][0])


def _groups(panels: Mapping[str, Iterable[Panel]]) -> list[Group]:
    """The groups that have drawings, by their titles."""
    groups = [Group(title, list(drawn)) for title, drawn in panels.items()]
    return [group for group in groups if group.panels]


# -- filters of the templates ----------------------------------------------------------------------


def number(figure: float | None, *, signed: bool = False) -> str:
    """Three decimal places, with a minus as wide as a plus."""
    if figure is None:
        return "–"
    figure = round(figure, 3) + 0.0  # not -0
    return (f"{figure:+.3f}" if signed else f"{figure:.3f}").replace("-", "−")


def statistic(metric: str) -> str:
    """``median AUROC``: a metric with its usual statistic."""
    return f"{center(metric)} {NAMES[metric]}"


def p_value(p: float) -> str:
    """``p = 0.012``"""
    return "p < 1e−300" if p < 1e-300 else f"p = {p:.2g}".replace("-", "−")


def listed(names: Iterable[str]) -> str:
    """``a, b and c``"""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def duration(seconds: float | None) -> str:
    """Seconds, or minutes or hours where they are many."""
    if seconds is None:
        return "–"
    if seconds < 600:
        return "< 0.1 s" if seconds < 0.1 else f"{seconds:,.1f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 7200 else f"{seconds / 3600:,.1f} h"


def figures(rows: Iterable[tuple[str, Figure]]) -> str:
    """``ours 0.912, peer 0.850``"""
    return ", ".join(f"{method} {figure[0]:.3f}" for method, figure, *_ in rows)


def pretty(value: Any) -> str:
    """Indented JSON."""
    return json.dumps(value, indent=2, ensure_ascii=False)


FILTERS = (center, subject, count, number, statistic, p_value, listed, duration, figures, pretty)


# -- the sections ----------------------------------------------------------------------------------


def summary_section(view: View) -> dict[str, Any]:
    """The methods that are among the best in most tasks."""
    tops = dict.fromkeys(view.rivals, 0)
    for task in view.tasks:
        if verdict := view.verdict(task["task"]):
            for method in (verdict["best"], *verdict["not_told_apart"]):
                tops[method] += 1
    most = max(tops.values())
    return {"most": most, "leaders": [method for method, n in tops.items() if n == most]}


def boxes(view: View, metric: str) -> Iterator[Panel]:
    """The spread of a metric over the terms of each library."""
    spreads = [row["spread"][0] for row in view.summary["results"] if row["metric"] == metric]
    low = max(min([*spreads, 0.45]) - 0.02, 0)
    for task in view.libraries():
        if ranked := view.ranked(task["task"], metric):
            rows = [(*row, view.figure(task["task"], row[0], metric, "spread")) for row in ranked]
            label = f"{NAMES[metric]} over terms"
            yield Panel(task, plots.boxes(rows, view.looks, label=label, low=low), ranked)


def curves(view: View) -> list[Group]:
    """ROC, and precision against recall: a line for each method."""

    def panels(curve: str, *labels: str) -> Iterator[Panel]:
        for task in view.libraries():
            table = view.curves.filter(task=task["task"], curve=curve).drop_nulls()
            found = {method: table.filter(method=method) for method in view.rivals}
            lines = {m: (line["x"], line["y"]) for m, line in found.items() if line.height}
            if lines:
                svg = plots.curves(lines, view.looks, labels=labels, diagonal=curve == "roc")
                yield Panel(task, svg, lines)

    roc = panels("roc", "false positive rate", "true positive rate")
    return _groups({"ROC": roc, "precision and recall": panels("pr", "recall", "precision")})


def profiles(
    view: View,
    tasks: Sequence[Task],
    by: str,
    order: Sequence[str],
    label: str,
    metric: str = "auroc",
) -> Iterator[Panel]:
    """A figure of each method in each stratum, for each task with more than one stratum."""
    for task in tasks:
        found = view.stratum(task["task"], by, metric)
        lines = {m: found[m] for m in view.rivals if m in found}
        steps = [step for step in order if any(step in line for line in lines.values())]
        if len(steps) < 2:
            continue
        usual = center(metric)
        svg = plots.profile(
            steps,
            {m: {s: line[s][usual] for s in steps if s in line} for m, line in lines.items()},
            view.looks,
            labels=(label, statistic(metric)),
            chance=0.5 if metric == "auroc" else None,
        )
        longest = max(lines.values(), key=len)
        sizes = [longest[step]["n"] for step in steps if step in longest]
        data = {"metric": metric, "label": label, "steps": steps, "lines": lines, "sizes": sizes}
        yield Panel(task, svg, data)


def understudied(view: View) -> Iterator[Panel]:
    """AUROC of genes with few papers, and of the others."""
    for task in view.tasks:
        found = view.stratum(task["task"], "papers", "auroc")
        rows = _best_first(
            (method, found[method]["understudied"]["median"], found[method]["others"]["median"])
            for method in view.rivals
            if {"understudied", "others"} <= set(found.get(method, ()))
        )
        if rows:
            svg = plots.dots(rows, view.looks, label="median AUROC over genes")
            hidden = found[rows[0][0]]["understudied"]["n"]
            yield Panel(task, svg, {"rows": rows, "hidden": hidden})


def shown(view: View) -> list[Group]:
    """A figure by the number of genes shown."""

    def panels(metric: str) -> Iterator[Panel]:
        for task in view.of("hold-out"):
            same = view.stratum(task["task"], "shown, same terms", metric)
            enough = [row["n"] for line in same.values() for row in line.values()]
            by = "shown, same terms" if enough and min(enough) >= FEWEST else "shown"
            steps = {s for line in view.stratum(task["task"], by, metric).values() for s in line}
            yield from profiles(view, [task], by, sorted(steps, key=int), "genes shown", metric)

    return _groups({statistic(metric): panels(metric) for metric in BOTH})


def future(view: View) -> list[Group]:
    """Gain over the reference in new genes and terms, and AUROC of new relations."""

    def gains(metric: str) -> Iterator[Panel]:
        for task in view.of("time-split", "never-seen"):
            rows = _best_first(
                (row["method"], row["mean"])
                for row in view.summary["lift"]
                if (row["task"], row["metric"]) == (task["task"], metric)
                and row["method"] in view.rivals
            )
            if rows:
                label = f"gain in {NAMES[metric]}"
                svg = plots.dots(rows, view.looks, label=label, chance=0, signed=True)
                yield Panel(task, svg, {"metric": metric, "rows": rows})

    over = f"gain over {view.summary['reference'] or 'the reference'} in "
    groups = {over + NAMES[metric]: gains(metric) for metric in BOTH}
    new = pairs(view, "new-relations", "new-interactions")
    return _groups({**groups, "new relations between genes": new})


def pairs(view: View, *protocols: str) -> Iterator[Panel]:
    """AUROC of the methods in tasks about pairs of genes."""
    for task in view.of(*protocols):
        ranked = view.ranked(task["task"], "auroc")
        svg = plots.dots(ranked, view.looks, label="median AUROC")
        yield Panel(task, svg, {"metric": None, "rows": ranked})


def costs(view: View) -> dict[str, Any] | None:
    """Quality against the seconds of training."""
    seconds = {name: view.methods[name]["training_seconds"] for name in view.rivals}

    def panels(metric: str) -> Iterator[Panel]:
        for task in view.libraries():
            points = [
                (method, seconds[method], figure)
                for method, figure in view.ranked(task["task"], metric)
                if seconds[method] is not None
            ]
            if points:
                svg = plots.costs(points, view.looks, label=statistic(metric))
                yield Panel(task, svg, {"metric": metric, "points": points})

    groups = _groups({statistic(metric): panels(metric) for metric in BOTH})
    unknown = [name for name, cost in seconds.items() if cost is None]
    return {"groups": groups, "unknown": unknown} if groups else None


def tests(view: View) -> list[tuple[Task, dict[str, Any]]]:
    """The tests of every two methods: (difference, p) by task, metric and pair."""
    found: dict[str, Any] = {task["task"]: {} for task in view.tasks}
    for row in sorted(view.summary["tests"], key=lambda row: TESTED.index(row["metric"])):
        table = found[row["task"]].setdefault(row["metric"], {})
        table[row["one"], row["other"]] = row["difference"], row["p_holm"]
        table[row["other"], row["one"]] = -row["difference"], row["p_holm"]
    return [(task, found[task["task"]]) for task in view.tasks if found[task["task"]]]


def provenance(view: View) -> dict[str, Any]:
    """What the summary says about the run and its tasks besides what other sections show."""
    shown = {"task", "protocol", "background", "terms", "questions", "skipped", "reason"}
    shown |= {"popularity_deciles", "understudied", "leaked_terms"}
    facts = view.summary["about"]
    long = {key: value for key, value in facts.items() if isinstance(value, dict | list)}
    short = {k: v for k, v in facts.items() if k not in long and v is not None}
    rest = {
        task["task"]: {key: value for key, value in task.items() if key not in shown and value}
        for task in view.summary["tasks"]
    }
    return {"short": short, "long": long, "rest": {k: v for k, v in rest.items() if v}}


_TENTHS = [str(i) for i in range(1, 11)]
_BY_POPULARITY = "tenth of the background by popularity (1: least)"

#: In the order of the page.
SECTIONS: Mapping[str, Callable[[View], Any]] = {
    "summary": summary_section,
    "methods": lambda view: view.methods,
    "auroc": lambda view: boxes(view, "auroc"),
    "matched": lambda view: boxes(view, "matched_auroc"),
    "curves": curves,
    "size": lambda view: profiles(
        view, view.libraries(), "term size", [*SIZES.values()], "genes of the term"
    ),
    "popularity": lambda view: profiles(view, view.tasks, "popularity", _TENTHS, _BY_POPULARITY),
    "understudied": understudied,
    "shown": shown,
    "future": future,
    "context": lambda view: pairs(view, "context-switch"),
    "cost": costs,
    "leakage": lambda view: [task for task in view.tasks if "leaked_terms" in task],
    "figures": lambda view: METRICS,
    "tests": tests,
    "provenance": provenance,
}


def sections(view: View) -> dict[str, Any]:
    """The content of all sections."""
    made = {name: make(view) for name, make in SECTIONS.items()}
    return {name: list(x) if isinstance(x, Iterator) else x for name, x in made.items()}
