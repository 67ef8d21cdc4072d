"""The sections of a benchmark's page: the figures and drawings that the templates show.

Each section is a function of a `View`. It returns nothing where the run did not measure it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import polars as pl

from gsfm.benchmark.report import figures as plots
from gsfm.benchmark.report.summary import METRICS, PAIRS, SIZES, TESTED, center, subject

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
#: A figure with the ends of its interval.
Figure = Sequence[float]


@dataclass(frozen=True)
class Panel:
    """A drawing of a task, and the figures that its text needs."""

    task: Task
    svg: str
    data: Any = None


@dataclass(frozen=True)
class Group:
    """Drawings of one kind."""

    title: str
    panels: Sequence[Panel]


class View:
    """A summary with the lookups that the sections need."""

    def __init__(self, summary: Mapping[str, Any], curves: pl.DataFrame | None = None) -> None:
        self.summary = summary
        self.curves = pl.DataFrame() if curves is None else curves
        self.tasks = [task for task in summary["tasks"] if task["terms"]]
        self.methods = {row["method"]: row for row in summary["methods"]}
        self.rivals = [
            name for name, row in self.methods.items() if not row.get("without_leaks_of")
        ]
        self.looks = plots.styles(self.rivals, summary.get("reference"))
        self._results = {
            (row["task"], row["method"], row["metric"]): row for row in summary["results"]
        }
        self._verdicts = {(row["task"], row["metric"]): row for row in summary.get("verdicts", ())}

    def figure(self, task: str, method: str, metric: str, key: str = "") -> Figure | None:
        """[figure, low, high] of a metric's usual statistic, or another entry of its record."""
        row = self._results.get((task, method, metric))
        return None if row is None else row[key or center(metric)]

    def verdict(self, task: str, metric: str = "auroc") -> dict[str, Any] | None:
        """The best method with those that the tests do not separate from it."""
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
        """The tasks of these protocols, in this order."""
        return [task for name in protocols for task in self.tasks if task["protocol"] == name]

    def libraries(self) -> list[Task]:
        """The tasks about terms, rather than pairs of genes."""
        return [task for task in self.tasks if task["protocol"] not in PAIRS]


def _best_first(rows: Iterable[tuple[Any, ...]]) -> list[Any]:
    return sorted(rows, key=lambda row: -row[1][0])


# -- filters of the templates ----------------------------------------------------------------------


def count(n: int, noun: str) -> str:
    """``1,200 terms``, ``1 term``."""
    return f"{n:,} {noun}{'s' * (n != 1)}"


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
    if seconds < 0.1:
        return "< 0.1 s"
    if seconds < 600:
        return f"{seconds:,.1f} s"
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


def boxes(view: View, metric: str) -> list[Panel]:
    """The spread of a metric over the terms of each library."""
    low = min(
        [row["spread"][0] for row in view.summary["results"] if row["metric"] == metric] + [0.45]
    )
    panels = []
    for task in view.libraries():
        if ranked := view.ranked(task["task"], metric):
            spread = [view.figure(task["task"], method, metric, "spread") for method, _ in ranked]
            rows = [(*row, each or ()) for row, each in zip(ranked, spread, strict=True)]
            label, limit = f"{NAMES[metric]} over terms", max(low - 0.02, 0)
            svg = plots.boxes(rows, view.looks, label=label, low=limit)
            panels.append(Panel(task, svg, ranked))
    return panels


def curves(view: View) -> list[Group]:
    """ROC, and precision against recall: a line for each method."""
    groups = []
    for curve, title, labels in (
        ("roc", "ROC", ("false positive rate", "true positive rate")),
        ("pr", "precision and recall", ("recall", "precision")),
    ):
        panels = []
        for task in view.libraries():
            table = view.curves.filter(task=task["task"], curve=curve).drop_nulls()
            found = {method: table.filter(method=method) for method in view.rivals}
            lines = {
                method: (points["x"].to_list(), points["y"].to_list())
                for method, points in found.items()
                if points.height
            }
            if lines:
                svg = plots.curves(lines, view.looks, labels=labels, diagonal=curve == "roc")
                panels.append(Panel(task, svg, lines))
        groups.append(Group(title, panels))
    return groups if groups[0].panels else []


def profiles(
    view: View,
    tasks: Sequence[Task],
    by: str,
    *,
    order: Sequence[str],
    label: str,
    metric: str = "auroc",
) -> list[Panel]:
    """A figure of each method in each stratum, for each task with more than one stratum."""
    panels = []
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
        panels.append(Panel(task, svg, data))
    return panels


def sizes(view: View) -> list[Panel]:
    """AUROC by the size of the term."""
    order = [*(f"{low}-{high - 1}" for low, high in pairwise(SIZES)), f"{SIZES[-1]}+"]
    label = "genes of the term"
    return profiles(view, view.libraries(), "term size", order=order, label=label)


def popularity(view: View) -> list[Panel]:
    """AUROC by the popularity of the hidden gene."""
    order = [str(i) for i in range(1, 11)]
    label = "tenth of the background by popularity (1: least)"
    return profiles(view, view.tasks, "popularity", order=order, label=label)


def understudied(view: View) -> list[Panel]:
    """AUROC of genes with few papers, and of the others."""
    panels = []
    for task in view.tasks:
        found = view.stratum(task["task"], "papers", "auroc")
        rows = _best_first(
            (method, found[method]["understudied"]["median"], found[method]["others"]["median"])
            for method in view.rivals
            if {"understudied", "others"} <= set(found.get(method, ()))
        )
        if rows:
            svg = plots.pairs(rows, view.looks, label="median AUROC over genes")
            hidden = found[rows[0][0]]["understudied"]["n"]
            panels.append(Panel(task, svg, {"rows": rows, "hidden": hidden}))
    return panels


def shown(view: View) -> list[Group]:
    """A figure by the number of genes shown."""
    groups = []
    for metric in BOTH:
        panels = []
        for task in view.of("hold-out"):
            same = view.stratum(task["task"], "shown, same terms", metric)
            enough = [row["n"] for line in same.values() for row in line.values()]
            by = "shown, same terms" if enough and min(enough) >= FEWEST else "shown"
            steps = {s for line in view.stratum(task["task"], by, metric).values() for s in line}
            order = sorted(steps, key=int)
            panels += profiles(view, [task], by, order=order, label="genes shown", metric=metric)
        groups.append(Group(statistic(metric), panels))
    return _filled(groups)


def future(view: View) -> list[Group]:
    """Gain over the reference in new genes and terms, and AUROC of new relations."""
    reference = view.summary["reference"] or "the reference"
    groups = []
    for metric in BOTH:
        panels = []
        for task in [t for t in view.tasks if t["protocol"] in ("time-split", "never-seen")]:
            rows = _best_first(
                (row["method"], row["mean"])
                for row in view.summary["lift"]
                if (row["task"], row["metric"]) == (task["task"], metric)
                and row["method"] in view.rivals
            )
            if rows:
                label = f"gain in {NAMES[metric]}"
                svg = plots.dots(rows, view.looks, label=label, nothing=0, signed=True)
                panels.append(Panel(task, svg, {"metric": metric, "rows": rows}))
        groups.append(Group(f"gain over {reference} in {NAMES[metric]}", panels))
    new = pairs(view, "new-relations", "new-interactions")
    return _filled([*groups, Group("new relations between genes", new)])


def pairs(view: View, *protocols: str) -> list[Panel]:
    """AUROC of the methods in tasks about pairs of genes."""
    panels = []
    for task in view.of(*protocols):
        ranked = view.ranked(task["task"], "auroc")
        svg = plots.dots(ranked, view.looks, label="median AUROC", nothing=0.5)
        panels.append(Panel(task, svg, {"metric": None, "rows": ranked}))
    return panels


def costs(view: View) -> dict[str, Any] | None:
    """Quality against the seconds of training."""
    seconds = {name: view.methods[name]["training_seconds"] for name in view.rivals}
    groups = []
    for metric in BOTH:
        panels = []
        for task in view.libraries():
            points = [
                (method, seconds[method], figure)
                for method, figure in view.ranked(task["task"], metric)
                if seconds[method] is not None
            ]
            if points:
                svg = plots.costs(points, view.looks, label=statistic(metric))
                panels.append(Panel(task, svg, {"metric": metric, "points": points}))
        groups.append(Group(statistic(metric), panels))
    unknown = [name for name, cost in seconds.items() if cost is None]
    return {"groups": groups, "unknown": unknown} if _filled(groups) else None


def leakage(view: View) -> list[Task]:
    """The tasks whose covered terms were counted."""
    return [task for task in view.tasks if "leaked_terms" in task]


def tests(view: View) -> list[tuple[Task, dict[str, Any]]]:
    """Every two methods against each other: (difference, p) by task, metric and pair."""
    found: dict[str, Any] = {}
    for row in view.summary["tests"]:
        table = found.setdefault(row["task"], {}).setdefault(row["metric"], {})
        table[row["one"], row["other"]] = row["difference"], row["p_holm"]
        table[row["other"], row["one"]] = -row["difference"], row["p_holm"]
    by_task = [(task, found[task["task"]]) for task in view.tasks if task["task"] in found]
    return [
        (task, {metric: tables[metric] for metric in TESTED if metric in tables})
        for task, tables in by_task
    ]


def provenance(view: View) -> dict[str, Any]:
    """What the summary says of the run and its tasks besides what other sections show."""
    shown = {"task", "protocol", "background", "terms", "questions", "skipped", "reason"}
    shown |= {"popularity_deciles", "understudied", "leaked_terms"}
    facts = view.summary["about"]
    long = {key: value for key, value in facts.items() if isinstance(value, dict | list)}
    rest = {
        task["task"]: {key: value for key, value in task.items() if key not in shown and value}
        for task in view.summary["tasks"]
    }
    short = {k: v for k, v in facts.items() if k not in long and v is not None}
    return {"short": short, "long": long, "rest": {k: v for k, v in rest.items() if v}}


def _filled(groups: Sequence[Group]) -> list[Group]:
    """The groups that have drawings."""
    return [group for group in groups if group.panels]


#: In the order of the page.
SECTIONS: Mapping[str, Callable[[View], Any]] = {
    "summary": summary_section,
    "methods": lambda view: view.methods,
    "auroc": lambda view: boxes(view, "auroc"),
    "matched": lambda view: boxes(view, "matched_auroc"),
    "curves": curves,
    "size": sizes,
    "popularity": popularity,
    "understudied": understudied,
    "shown": shown,
    "future": future,
    "context": lambda view: pairs(view, "context-switch"),
    "cost": costs,
    "leakage": leakage,
    "figures": lambda view: METRICS,
    "tests": tests,
    "provenance": provenance,
}
