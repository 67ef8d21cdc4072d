"""The sections of a benchmark's page: what is said and shown, gathered from the summary.

Each section is a function of a `View`, and is left out where the run did not measure it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import polars as pl

from gsfm.benchmark.report import figures as plots
from gsfm.benchmark.report.summary import (
    METRICS,
    PAIRS,
    SIZES,
    TESTED,
    WITHOUT_LEAKS,
    center,
    subject,
)
from gsfm.report import cell_text

#: What people call the metrics.
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
#: What each protocol asks, as the end of a sentence.
PROTOCOLS = {
    "half-split": "half of a term's genes are shown, and the other half is to be found",
    "hold-out": "a few genes of a term are shown, and its others are to be found",
    "time-split": "a term's genes in the older release are shown, and those that only the newer "
    "release has are to be found",
    "never-seen": "of terms that only the newer release has, half of the genes are shown, and the "
    "other half is to be found",
    "new-relations": "a gene is shown, and the genes that it is first linked to after the cut-off "
    "are to be told from genes as well known that it is never linked to",
    "new-interactions": "a gene is shown, and the genes that only the newer release links it to "
    "are to be told from genes as well known that it is never linked to",
    "context-switch": "a gene of two unrelated terms is shown in the company of one of them, whose "
    "other genes are to be ranked above the other term's",
}
#: The least number of terms that the same-terms line of a hold-out stands on.
FEWEST = 10


@dataclass(frozen=True)
class Panel:
    """A drawing with its title, and what else is to be known of it."""

    title: str
    svg: str
    note: str = ""


@dataclass(frozen=True)
class Group:
    """Drawings of one kind, beside each other."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True)
class Cell:
    """A cell of a table."""

    text: str
    under: str = ""  # in small type below the text
    strong: bool = False
    faint: bool = False
    words: bool = False  # more than a figure: takes room


@dataclass(frozen=True)
class Table:
    """A table; the first cell of each row is its head."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""


@dataclass(frozen=True)
class Section:
    """A part of the page."""

    id: str
    title: str
    text: Sequence[str] = ()
    points: Sequence[tuple[str, str]] = ()  # what it is about, and what is to be said of it
    read: str = ""  # how to read the drawings
    key: bool = False  # whether the drawings need the key of the methods
    groups: Sequence[Group] = ()
    tables: Sequence[Table] = ()
    folded: Sequence[tuple[str, Sequence[Table]]] = ()  # shown when asked for
    code: Sequence[tuple[str, str]] = ()  # likewise
    after: Sequence[str] = ()


class View:
    """A summary, as the sections ask for it."""

    def __init__(self, summary: Mapping[str, Any], curves: pl.DataFrame) -> None:
        self.summary, self.curves = summary, curves
        self.tasks = [task for task in summary["tasks"] if task["terms"]]
        self.methods = {row["method"]: row for row in summary["methods"]}
        self.rivals = [name for name, row in self.methods.items() if not row["without_leaks_of"]]
        self.looks = plots.styles(self.rivals, summary["reference"])
        self._results = {
            (row["task"], row["method"], row["metric"]): row for row in summary["results"]
        }
        self._verdicts = {(row["task"], row["metric"]): row for row in summary["verdicts"]}

    def result(self, task: str, method: str, metric: str) -> dict[str, Any] | None:
        """The record of a method's metric over all terms of a task."""
        return self._results.get((task, method, metric))

    def figure(self, task: str, method: str, metric: str) -> list[float] | None:
        """[figure, low, high] of a metric's usual statistic."""
        row = self.result(task, method, metric)
        return None if row is None else list(row[center(metric)])

    def middle(self, task: str, method: str, metric: str) -> float | None:
        """The figure alone."""
        found = self.figure(task, method, metric)
        return None if found is None else found[0]

    def verdict(self, task: str, metric: str = "auroc") -> dict[str, Any] | None:
        """Which method is best, if any has a figure."""
        return self._verdicts.get((task, metric))

    def ranked(self, task: str, metric: str) -> list[tuple[str, list[float]]]:
        """The methods that have a figure, the best first."""
        known = [(name, self.figure(task, name, metric)) for name in self.rivals]
        found = [(name, figure) for name, figure in known if figure is not None]
        return sorted(found, key=lambda row: -row[1][0])

    def stratum(self, task: str, by: str, metric: str) -> dict[str, dict[str, dict[str, Any]]]:
        """The records of a part, by method and then by the part's name."""
        found: dict[str, dict[str, dict[str, Any]]] = {}
        for row in self.summary["strata"]:
            if (row["task"], row["by"], row["metric"]) == (task, by, metric):
                found.setdefault(row["method"], {})[row["stratum"]] = row
        return found

    def of(self, *protocols: str) -> list[dict[str, Any]]:
        """The tasks of some protocols."""
        return [task for task in self.tasks if task["protocol"] in protocols]

    def libraries(self) -> list[dict[str, Any]]:
        """The tasks that ask for the genes of terms."""
        return [task for task in self.tasks if task["protocol"] not in PAIRS]


def count(n: int, noun: str) -> str:
    """``1,200 terms``, ``1 term``."""
    return f"{n:,} {noun}{'s' * (n != 1)}"


def number(figure: float | None, *, signed: bool = False) -> str:
    """Three places, and a minus that is as wide as a plus."""
    if figure is None:
        return "–"
    figure = round(figure, 3) + 0.0  # not -0
    return (f"{figure:+.3f}" if signed else f"{figure:.3f}").replace("-", "−")


def figure_cell(figure: Sequence[float] | None, *, strong: bool = False) -> Cell:
    """A figure with its interval below it."""
    if figure is None:
        return Cell("–", faint=True)
    middle, low, high = map(number, figure)
    return Cell(middle, under=f"{low} to {high}", strong=strong)


def said(metric: str) -> str:
    """``median AUROC``: a metric with the statistic that stands for it."""
    return f"{center(metric)} {NAMES[metric]}"


def p_text(p: float) -> str:
    """A p-value in words."""
    if p < 1e-300:
        return "p < 1e−300"
    return f"p = {p:.2g}".replace("-", "−")


def listed(names: Iterable[str]) -> str:
    """``a, b and c``"""
    *most, last = map(cell_text, names)
    return f"{', '.join(most)} and {last}" if most else last


def grouped(groups: Sequence[Group]) -> list[Group]:
    """The groups that have drawings; all in one where each has no more than one."""
    groups = [group for group in groups if group.panels]
    if len(groups) < 2 or any(len(group.panels) > 1 for group in groups):
        return groups
    panels = [Panel(f"{p.title}: {g.title}", p.svg, p.note) for g in groups for p in g.panels]
    return [Group("", panels)]


# --- The sections -------------------------------------------------------------------------------


def in_short(view: View) -> Section:
    """Who is best where, in plain words."""
    columns = ["Method", *(cell_text(task["task"]) for task in view.tasks)]
    rows = []
    for method in view.rivals:
        cells = [Cell(cell_text(method))]
        for task in view.tasks:
            verdict, figure = view.verdict(task["task"]), view.middle(task["task"], method, "auroc")
            best = verdict is not None and method == verdict["best"]
            near = verdict is not None and method in verdict["not_told_apart"]
            cells.append(Cell(number(figure) + "*" * near, strong=best, faint=figure is None))
        rows.append(cells)
    table = Table(
        "Median AUROC of every method in every task",
        columns,
        rows,
        note="Bold: the best of a task. Star: the tests do not tell it from the best. AUROC is the "
        "chance that a gene to be found is ranked above one that is not: 1 is perfect, and 0.5 is "
        "what guessing gives.",
    )
    return Section(
        "summary",
        "In short",
        text=[wins(view)] if len(view.rivals) > 1 and len(view.tasks) > 1 else [],
        points=[(cell_text(task["task"]), finding(view, task)) for task in view.tasks],
        tables=[table] if view.tasks else [],
    )


def wins(view: View) -> str:
    """In how many tasks the methods are best, or not told from it."""
    tops = dict.fromkeys(view.rivals, 0)
    for task in view.tasks:
        if verdict := view.verdict(task["task"]):
            for method in (verdict["best"], *verdict["not_told_apart"]):
                tops[method] += 1
    most = max(tops.values())
    leaders = [method for method, n in tops.items() if n == most]
    where = "all" if most == len(view.tasks) else f"{most} of the"
    return (
        f"Best, or not told from the best, in {where} {len(view.tasks)} tasks: {listed(leaders)}."
    )


def finding(view: View, task: Mapping[str, Any]) -> str:
    """What a task found, in plain words."""
    name = task["task"]
    asks = PROTOCOLS.get(task["protocol"], task["protocol"])
    if noise := (task.get("about") or {}).get("noise"):
        asks += f"; {100 * noise:.3g}% of the genes shown are wrong ones"
    unit, n = subject(task)
    sentences = [
        f"{asks[0].upper()}{asks[1:]} ({count(n, unit)}; "
        f"{count(task['background'], 'gene')} in the background)."
    ]
    verdict = view.verdict(name)
    if verdict is None:
        return sentences[0]
    best, second, tied = verdict["best"], verdict["second"], verdict["not_told_apart"]
    middle, low, high = (f"{100 * end:.1f}" for end in verdict["median"])
    sentences.append(
        f"Best is {cell_text(best)}: for the middle {unit}, a gene to be found is ranked above "
        f"{middle}% of the others (median AUROC {number(verdict['median'][0])}; 95% interval {low} "
        f"to {high}%)."
    )
    if second is not None:
        next_ = f"Next is {cell_text(second)} with {number(view.middle(name, second, 'auroc'))}"
        if not tied:
            sentences.append(f"{next_}; the lead over every other method is beyond chance.")
        elif tied == [second]:
            sentences.append(f"{next_}; that difference is not beyond chance.")
        else:
            sentences.append(f"{next_}; the lead over {listed(tied)} is not beyond chance.")
    reference = view.summary["reference"]
    alone = view.middle(name, reference, "auroc") if reference not in (best, second) else None
    if alone is not None:
        sentences.append(f"With {cell_text(reference)} alone it is {number(alone)}.")
    matched = view.verdict(name, "matched_auroc")
    if matched is not None:
        sentences.append(
            f"Among equally popular genes {cell_text(matched['best'])} is best with "
            f"{number(matched['median'][0])}."
        )
    return " ".join(sentences)


def compared(view: View) -> Section:
    """The methods, and what they cost."""
    rows = []
    for name, row in view.methods.items():
        size, memory = row["size_bytes"], row["peak_memory_bytes"]
        answers = row.get("answer_seconds")
        rows.append(
            [
                Cell(cell_text(name)),
                Cell(cell_text(row["kind"] or ""), words=True),
                Cell(duration(row["training_seconds"])),
                Cell(duration(sum(answers.values()) if answers else None)),
                Cell("–" if memory is None else f"{memory / 1e9:.2f} GB"),
                Cell("–" if size is None else f"{size / 1e6:,.1f} MB"),
            ]
        )
    table = Table(
        "The methods of this run",
        ["Method", "What it is", "Training", "Answering all tasks", "Peak memory", "Size"],
        rows,
        note="A dash: not known, or none.",
    )
    return Section(
        "methods",
        "What was compared",
        text=["A method has the same color, line and mark in every drawing of this page."],
        key=True,
        tables=[table],
    )


def duration(seconds: float | None) -> str:
    """Seconds, or minutes or hours where they are many."""
    if seconds is None:
        return "–"
    if seconds < 0.1:
        return "< 0.1 s"
    if seconds < 600:
        return f"{seconds:,.1f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 7200 else f"{seconds / 3600:,.1f} h"


def box_panels(view: View, metric: str) -> list[Panel]:
    """A panel for each library: the spread of a metric over its terms."""
    low = min(
        [row["spread"][0] for row in view.summary["results"] if row["metric"] == metric] + [0.45]
    )
    panels = []
    for task in view.libraries():
        name = task["task"]
        ranked = view.ranked(name, metric)
        rows = []
        for method, figure in ranked:
            row = view.result(name, method, metric)
            assert row is not None
            rows.append((method, figure, row["spread"]))
        if rows:
            svg = plots.boxes(
                rows,
                view.looks,
                label=f"{NAMES[metric]} over terms",
                alt=f"Box plots of {NAMES[metric]} in {name}. Medians: {spoken(ranked)}.",
                low=max(low - 0.02, 0),
            )
            panels.append(Panel(cell_text(name), svg, f"{count(task['terms'], 'term')}."))
    return panels


def spoken(ranked: Sequence[tuple[str, Sequence[float]]]) -> str:
    """Figures for who hears the page."""
    return ", ".join(f"{cell_text(method)} {figure[0]:.3f}" for method, figure in ranked)


def auroc_boxes(view: View) -> Section | None:
    """The spread of AUROC over terms."""
    panels = box_panels(view, "auroc")
    if not panels:
        return None
    return Section(
        "auroc",
        "How well hidden genes are found",
        read="The thick stroke is the median term, the box holds the middle half of the terms, the "
        "line nine tenths of them; the dashed line at 0.5 is guessing, and further right is "
        "better.",
        groups=[Group("", panels)],
    )


def matched_boxes(view: View) -> Section | None:
    """The spread of matched AUROC over terms."""
    panels = box_panels(view, "matched_auroc")
    if not panels:
        return None
    return Section(
        "matched",
        "The same among equally popular genes",
        text=[
            "Well studied genes are in many terms, so that a method can do well by naming them "
            "whatever is asked. Here each gene to be found is compared only with genes that are in "
            "about as many gene sets of the training corpus: popularity alone gets 0.5."
        ],
        read="As above: what is right of the dashed line is known about the term, and not only "
        "about the fame of genes.",
        groups=[Group("", panels)],
    )


def curve_section(view: View) -> Section | None:
    """ROC, and precision against recall."""
    roc = curve_panels(view, "roc", "ROC", ("false positive rate", "true positive rate"))
    if not roc:
        return None
    precise = curve_panels(view, "pr", "precision and recall", ("recall", "precision"))
    return Section(
        "curves",
        "ROC, and precision against recall",
        read="Each line is the mean over all questions. ROC: how many of the hidden genes are "
        "found (up) by the time that a share of the other genes is named (right). Precision and "
        "recall: which share of the genes named so far is right (up) when a share of the hidden "
        "genes is found (right). Higher is better in both.",
        key=True,
        groups=grouped([Group("ROC", roc), Group("precision and recall", precise)]),
    )


def curve_panels(view: View, curve: str, kind: str, labels: tuple[str, str]) -> list[Panel]:
    """A panel for each library: a line for each method."""
    panels = []
    for task in view.libraries():
        name = cell_text(task["task"])
        table = view.curves.filter(
            (pl.col("task") == task["task"]) & (pl.col("curve") == curve)
        ).drop_nulls()
        lines = {}
        for method in view.rivals:
            points = table.filter(pl.col("method") == method)
            if points.height:
                lines[method] = (points["x"].to_list(), points["y"].to_list())
        if lines:
            svg = plots.curves(
                lines,
                view.looks,
                labels=labels,
                alt=f"Curves of {kind} in {name}, a line for each of {len(lines)} methods.",
                diagonal=curve == "roc",
            )
            panels.append(Panel(name, svg))
    return panels


def size_section(view: View) -> Section | None:
    """AUROC against the size of terms."""
    panels = profile_panels(
        view,
        view.libraries(),
        "term size",
        order=[*(f"{low}-{high - 1}" for low, high in pairwise(SIZES)), f"{SIZES[-1]}+"],
        label="genes of the term",
        unit="term",
    )
    if not panels:
        return None
    return Section(
        "size",
        "Small and large terms",
        read="Each mark is the median AUROC of the terms of a size, with its 95% interval: a line "
        "that falls to the right belongs to a method that finds the genes of small terms more "
        "readily.",
        key=True,
        groups=[Group("", panels)],
    )


def popularity_section(view: View) -> Section | None:
    """AUROC against how popular the hidden gene is."""
    panels = profile_panels(
        view,
        view.tasks,
        "popularity",
        order=[str(i) for i in range(1, 11)],
        label="tenth of the background by popularity (1: least)",
        unit="gene",
        say=popularity_note,
    )
    if not panels:
        return None
    return Section(
        "popularity",
        "Obscure and famous genes",
        read="Each mark is the median over the hidden genes of a tenth of the background, from "
        "those in the fewest training sets to those in the most, with its 95% interval: a method "
        "that only knows fame rises steeply from below 0.5, and a flat high line is best.",
        key=True,
        groups=[Group("", panels)],
    )


def popularity_note(task: Mapping[str, Any]) -> str:
    """What the first and the last tenth are."""
    tenths = task["popularity_deciles"]
    if "1" not in tenths or "10" not in tenths:
        return ""
    (low, high, _), (least, most, _) = tenths["1"], tenths["10"]
    first = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    return f"Tenth 1: genes in {first} training sets; tenth 10: in {least:,} to {most:,}."


def profile_panels(
    view: View,
    tasks: Sequence[Mapping[str, Any]],
    by: str,
    *,
    order: Sequence[str],
    label: str,
    unit: str,
    metric: str = "auroc",
    say: Callable[[Mapping[str, Any]], str] | None = None,
) -> list[Panel]:
    """A panel for each task that has more than one part: a figure of each method in each part."""
    panels = []
    for task in tasks:
        found = view.stratum(task["task"], by, metric)
        lines = {m: found[m] for m in view.rivals if m in found}
        steps = [step for step in order if any(step in line for line in lines.values())]
        if len(steps) < 2:
            continue
        name, usual = cell_text(task["task"]), center(metric)
        svg = plots.profile(
            steps,
            {m: {s: line[s][usual] for s in steps if s in line} for m, line in lines.items()},
            view.looks,
            labels=(label, said(metric)),
            alt=f"{said(metric)} in {name} by {label}, from {steps[0]} to {steps[-1]}, a line for "
            f"each of {len(lines)} methods.",
            chance=0.5 if metric == "auroc" else None,
        )
        longest = max(lines.values(), key=len)
        sizes = ", ".join(f"{longest[s]['n']:,}" for s in steps if s in longest)
        note = say(task) if say else f"{unit.capitalize()}s at each step: {sizes}."
        panels.append(Panel(name, svg, note))
    return panels


def understudied_section(view: View) -> Section | None:
    """Genes with few papers against the others."""
    panels = []
    for task in view.tasks:
        found = view.stratum(task["task"], "papers", "auroc")
        rows = [
            (method, found[method]["understudied"]["median"], found[method]["others"]["median"])
            for method in view.rivals
            if {"understudied", "others"} <= set(found.get(method, ()))
        ]
        rows.sort(key=lambda row: -row[1][0])
        if rows:
            name, few = cell_text(task["task"]), task["understudied"]
            hidden = found[rows[0][0]]["understudied"]["n"]
            svg = plots.pairs(
                rows,
                view.looks,
                label="median AUROC over genes",
                alt=f"Median AUROC of understudied genes in {name}: "
                f"{spoken([(method, figure) for method, figure, _ in rows])}.",
            )
            note = (
                f"Understudied: at most {count(few['most_papers'], 'paper')} "
                f"({count(few['genes'], 'gene')} of the background, {hidden:,} of them hidden)."
            )
            panels.append(Panel(name, svg, note))
    if not panels:
        return None
    return Section(
        "understudied",
        "Understudied genes",
        text=[
            "What a model says of genes that few papers are about is what a laboratory would want "
            "of it. Understudied is the fifth of the background with the fewest papers."
        ],
        read="The full mark is the median over understudied genes (its figure is on the right), "
        "the hollow one over all other genes; the shorter the line between them, the less a "
        "method depends on fame.",
        groups=[Group("", panels)],
    )


def shown_section(view: View) -> Section | None:
    """How few genes suffice."""
    groups = []
    for metric in ("auroc", "average_precision"):
        panels = []
        for task in view.of("hold-out"):
            same = view.stratum(task["task"], "shown, same terms", metric)
            enough = [row["n"] for line in same.values() for row in line.values()]
            by = "shown, same terms" if enough and min(enough) >= FEWEST else "shown"
            steps = {s for line in view.stratum(task["task"], by, metric).values() for s in line}
            panels += profile_panels(
                view,
                [task],
                by,
                order=sorted(steps, key=int),
                label="genes shown",
                unit="term",
                metric=metric,
            )
        groups.append(Group(said(metric), panels))
    if not (groups := grouped(groups)):
        return None
    return Section(
        "shown",
        "How few genes suffice",
        read="Each mark is a method's figure with its 95% interval when so many genes of a term "
        "are shown (of the same terms at every step, if there are enough): a line that starts high "
        "needs little to go by.",
        key=True,
        groups=groups,
    )


def future_section(view: View) -> Section | None:
    """Predictions against what became known later."""
    reference = cell_text(view.summary["reference"] or "the reference")
    groups = []
    for metric in ("auroc", "average_precision"):
        panels = []
        for task in view.of("time-split", "never-seen"):
            rows = [
                (row["method"], row["mean"])
                for row in view.summary["lift"]
                if (row["task"], row["metric"]) == (task["task"], metric)
                and row["method"] in view.rivals
            ]
            rows.sort(key=lambda row: -row[1][0])
            if rows:
                name = cell_text(task["task"])
                svg = plots.dots(
                    rows,
                    view.looks,
                    label=f"gain in {NAMES[metric]}",
                    alt=f"Gain in {NAMES[metric]} over {reference} in {name}: {spoken(rows)}.",
                    nothing=0,
                    signed=True,
                )
                panels.append(Panel(name, svg, f"{count(task['terms'], 'term')}."))
        groups.append(Group(f"gain over {reference} in {NAMES[metric]}", panels))
    groups.append(
        Group(
            "new relations between genes",
            [
                pair_panel(view, task)
                for protocol in ("new-relations", "new-interactions")
                for task in view.of(protocol)
            ],
        )
    )
    if not (groups := grouped(groups)):
        return None
    return Section(
        "future",
        "Predictions against the future",
        text=[
            "What a method says of terms and genes, measured by what was found later: new genes of "
            "old terms, new terms, new relations between genes. That is a prediction only of a "
            "method that was trained on nothing later than the older date."
        ],
        read="Gain: the mean over terms of a method's figure less that of "
        f"{reference} for the same term, with its 95% interval; what is right of the dashed line "
        "is more than fame explains. New relations: the median AUROC; the dashed line at 0.5 is "
        "guessing.",
        groups=groups,
    )


def pair_panel(view: View, task: Mapping[str, Any]) -> Panel:
    """AUROC of the methods where pairs of genes are asked about."""
    name, ranked = cell_text(task["task"]), view.ranked(task["task"], "auroc")
    svg = plots.dots(
        ranked,
        view.looks,
        label="median AUROC",
        alt=f"Median AUROC in {name}: {spoken(ranked)}.",
        nothing=0.5,
    )
    return Panel(name, svg, f"{count(task['questions'], 'question')}.")


def context_section(view: View) -> Section | None:
    """Whether company changes what a gene means."""
    panels = [pair_panel(view, task) for task in view.of("context-switch")]
    if not panels:
        return None
    return Section(
        "context",
        "Context: the same gene in other company",
        text=[f"{PROTOCOLS['context-switch'].capitalize()}."],
        read="The mark is the median AUROC with its 95% interval: a method that ranks a gene's "
        "neighbors without regard to its company is at the dashed line at 0.5.",
        groups=[Group("", panels)],
    )


def cost_section(view: View) -> Section | None:
    """Seconds of training against quality."""
    seconds = {name: view.methods[name]["training_seconds"] for name in view.rivals}
    known = {name: cost for name, cost in seconds.items() if cost is not None}
    groups = []
    for metric in ("auroc", "average_precision"):
        panels = []
        for task in view.libraries():
            points = [
                (method, known[method], figure)
                for method, figure in view.ranked(task["task"], metric)
                if method in known
            ]
            if points:
                name = cell_text(task["task"])
                heard = ", ".join(f"{cell_text(m)} {s:.3g} s {f[0]:.3f}" for m, s, f in points)
                svg = plots.costs(
                    points,
                    view.looks,
                    label=said(metric),
                    alt=f"{said(metric)} in {name} against seconds of training: {heard}.",
                )
                panels.append(Panel(name, svg))
        groups.append(Group(said(metric), panels))
    if not (groups := grouped(groups)):
        return None
    unknown = [name for name in view.rivals if name not in known]
    missing = f"Not drawn, since the cost of training is not known: {listed(unknown or ['none'])}."
    return Section(
        "cost",
        "What quality costs",
        read="Each mark is a method with the 95% interval of its figure: the best ones are at the "
        "top, the cheap ones on the left; each step to the right is ten times the time.",
        key=True,
        groups=groups,
        after=[missing] if unknown else [],
    )


def leakage_section(view: View) -> Section | None:
    """What the corpus held already of the terms."""
    known = view.summary["about"].get("leakage") or {}
    share = f"at least {known['share']:.0%}" if "share" in known else "most"
    tables = []
    for task in view.tasks:
        if "leaked_terms" not in task:
            continue
        name, rows = task["task"], []
        metrics = ("auroc", "average_precision")
        parts = {metric: view.stratum(name, "leaked", metric) for metric in metrics}
        for method in view.methods:
            figures = []
            for metric in metrics:
                of_method = parts[metric].get(method, {})
                figures += [view.figure(name, method, metric)] + [
                    of_method[part][center(metric)] if part in of_method else None
                    for part in ("not leaked", "leaked")
                ]
            if any(figures):
                rows.append([Cell(cell_text(method)), *map(figure_cell, figures)])
        columns = ["Method"] + [
            f"{said(metric)}, {part}"
            for metric in metrics
            for part in ("all terms", "not covered", "covered")
        ]
        covered = f"{task['leaked_terms']:,} of {count(task['terms'], 'term')} covered"
        if name in known.get("tasks", {}):
            covered += f" by {count(known['tasks'][name]['covering_sets'], 'training set')}"
        tables.append(Table(f"{cell_text(name)}: {covered}", columns, rows))
    if not tables:
        return None
    return Section(
        "leakage",
        "What training had seen already",
        text=[
            f"A term is covered if some gene set of the training corpus holds {share} of its "
            f"genes. A method called “…{WITHOUT_LEAKS}” was fitted again without all sets that "
            "cover a term. If the covered terms are not found more readily than the others, and "
            "fitting again changes little, the figures do not come from having seen the answers."
        ],
        folded=[(table.caption, [table]) for table in tables],
    )


def figures_section(view: View) -> Section:
    """All figures, with their intervals."""
    folded = []
    for task in view.tasks:
        name, rows = task["task"], []
        best = {metric: view.ranked(name, metric)[:1] for metric in METRICS}
        for method in view.methods:
            figures = [(metric, view.figure(name, method, metric)) for metric in METRICS]
            if any(figure for _, figure in figures):
                cells = [
                    figure_cell(figure, strong=method in dict(best[metric]))
                    for metric, figure in figures
                ]
                rows.append([Cell(cell_text(method)), *cells])
        caption = f"{cell_text(name)} ({task['protocol']}; {count(task['terms'], 'term')})"
        folded.append((caption, [Table(caption, ["Method", *map(said, METRICS)], rows)]))
    return Section(
        "figures",
        "All figures",
        text=[
            "Over terms (the repetitions of a term are averaged first), with 95% bootstrap "
            "intervals over terms. Bold: the best of a task."
        ],
        folded=folded,
    )


def chance_section(view: View) -> Section | None:
    """Every two methods against each other."""
    folded = []
    for task in view.tasks:
        tables = []
        for metric in TESTED:
            found: dict[tuple[str, str], tuple[float, float]] = {}
            for row in view.summary["tests"]:
                if (row["task"], row["metric"]) == (task["task"], metric):
                    found[row["one"], row["other"]] = (row["difference"], row["p_holm"])
                    found[row["other"], row["one"]] = (-row["difference"], row["p_holm"])
            sides = [method for method in view.rivals if any(method in pair for pair in found)]
            rows = []
            for one in sides:
                cells = [Cell(cell_text(one))]
                for other in sides:
                    if (one, other) not in found:
                        cells.append(Cell(""))
                        continue
                    difference, p = found[one, other]
                    text = number(difference, signed=True)
                    cells.append(Cell(text, p_text(p), strong=p < 0.05, faint=p >= 0.05))
                rows.append(cells)
            if rows:
                columns = ["Row less column", *map(cell_text, sides)]
                tables.append(Table(f"{cell_text(task['task'])}: {NAMES[metric]}", columns, rows))
        if tables:
            folded.append((cell_text(task["task"]), tables))
    if not folded:
        return None
    return Section(
        "tests",
        "Are the differences beyond chance?",
        text=[
            "Every two methods, term by term: the median difference (row less column) and the "
            "p-value of a two-sided Wilcoxon signed-rank test after Holm's correction over all "
            "pairs of methods of the task and metric. Bold: below 0.05. Terms of a library share "
            "genes, so that they are not independent, and the p-values are on the small side; "
            "with thousands of terms a difference too small to matter can be beyond chance, too."
        ],
        folded=folded,
    )


def provenance_section(view: View) -> Section:
    """Where the figures come from."""
    rows = []
    for task in view.summary["tasks"]:
        skipped = [f"{n:,} {reason}" for reason, n in (task.get("skipped") or {}).items()]
        if task.get("reason"):
            skipped.append(task["reason"])
        own = (task.get("genes") or {}).get("library")
        of_all = "" if own is None else f" (the library has {own:,})"
        refused = [
            f"{method}: {row['refused'][task['task']]}"
            for method, row in view.methods.items()
            if task["task"] in (row.get("refused") or {})
        ]
        rows.append(
            [
                Cell(cell_text(task["task"])),
                Cell(cell_text(task["protocol"] or "")),
                Cell(f"{task['background']:,}" + of_all),
                Cell(f"{task['terms']:,}"),
                Cell(f"{task['questions']:,}"),
                Cell(cell_text("; ".join(skipped)) or "none", words=True),
                Cell(cell_text("; ".join(refused)) or "none", words=True),
            ]
        )
    table = Table(
        "The tasks",
        [
            "Task",
            "Protocol",
            "Genes of the background",
            "Terms",
            "Questions",
            "Terms skipped",
            "Methods left out",
        ],
        rows,
        note="All methods of a task answered the same questions about the same background.",
    )
    shown = {"task", "protocol", "background", "terms", "questions", "skipped", "reason"}
    shown |= {"popularity_deciles", "understudied", "leaked_terms"}
    about = view.summary["about"]
    short = {key: value for key, value in about.items() if not isinstance(value, dict | list)}
    facts = [[Cell(cell_text(k)), Cell(cell_text(v))] for k, v in short.items() if v is not None]
    tables = [table]
    if facts:
        tables.append(Table("The run", ["What", "Which"], facts))
    code = [
        (cell_text(key), json.dumps(value, indent=2, ensure_ascii=False))
        for key, value in about.items()
        if key not in short
    ]
    for task in view.summary["tasks"]:
        rest = {key: value for key, value in task.items() if key not in shown and value}
        if rest:
            text = json.dumps(rest, indent=2, ensure_ascii=False)
            code.append((f"{cell_text(task['task'])}: what the protocol did", text))
    lines = [f"{key}: {value}" for key, value in view.summary["definitions"].items()]
    code.append(("What the keys of summary.json hold", "\n\n".join(lines)))
    bootstrap = view.summary["bootstrap"]
    return Section(
        "provenance",
        "Where this comes from",
        text=[
            f"Intervals: percentile bootstrap, {bootstrap['resamples']:,} resamples, seed "
            f"{bootstrap['seed']}."
        ],
        tables=tables,
        code=code,
    )


#: In the order of the page; and what is not part of a run that has nothing for a section.
SECTIONS: Mapping[Callable[[View], Section | None], str] = {
    in_short: "",
    compared: "",
    auroc_boxes: "libraries of terms",
    matched_boxes: "AUROC among equally popular genes",
    curve_section: "ROC and precision-recall curves",
    size_section: "AUROC by size of term",
    popularity_section: "AUROC by popularity of the gene",
    understudied_section: "understudied genes",
    shown_section: "how few genes suffice (hold-out)",
    future_section: "predictions against the future (time-split, never-seen, new-relations, "
    "new-interactions)",
    context_section: "context (context-switch)",
    cost_section: "the cost of training",
    leakage_section: "leakage",
    figures_section: "",
    chance_section: "tests between methods",
    provenance_section: "",
}
