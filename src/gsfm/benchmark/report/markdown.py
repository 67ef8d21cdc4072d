"""The table of a benchmark for a README."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gsfm.benchmark.report.summary import subject
from gsfm.report import cell_text


def markdown(summary: Mapping[str, Any]) -> str:
    """The figures of a benchmark in Markdown, a row for each method and a column for each task.

    Parameters
    ----------
    summary
        As `summarize` gives it, or as ``summary.json`` has it.

    Examples
    --------
    >>> record = {"task": "GO", "method": "ours", "terms": 2}
    >>> summary = {
    ...     "about": {"name": "A run"},
    ...     "tasks": [{"task": "GO", "protocol": "half-split", "background": 900, "terms": 2}],
    ...     "methods": [{"method": "ours"}],
    ...     "results": [
    ...         record | {"metric": "auroc", "median": [0.9, 0.85, 0.95]},
    ...         record | {"metric": "average_precision", "mean": [0.2, 0.1, 0.3]},
    ...     ],
    ... }
    >>> print(markdown(summary))
    ## A run
    <BLANKLINE>
    Median AUROC / mean average precision over terms, with 95% bootstrap intervals over
    terms. The best of a task is bold.
    <BLANKLINE>
    | method | GO |
    | --- | --- |
    | ours | **0.900** (0.850–0.950) / **0.200** (0.100–0.300) |
    <BLANKLINE>
    - GO: half-split, 2 terms, background of 900 genes
    <BLANKLINE>
    """
    tasks = [task for task in summary["tasks"] if task["terms"]]
    figures = {
        (row["metric"], row["task"], row["method"]): row
        for row in summary["results"]
        if row["metric"] in ("auroc", "average_precision", "matched_auroc")
    }
    # A method fitted again without leaks is the same method: it does not compete.
    sides = [row["method"] for row in summary["methods"] if not row.get("without_leaks_of")]

    def cell(metric: str, statistic: str, task: str, method: str) -> str | None:
        row = figures.get((metric, task, method))
        if row is None:
            return None
        rivals = [
            figures[key][statistic][0] for m in sides if (key := (metric, task, m)) in figures
        ]
        middle, low, high = (f"{figure:.3f}" for figure in row[statistic])
        best = method in sides and row[statistic][0] == max(rivals)
        return f"{f'**{middle}**' if best else middle} ({low}–{high})"

    def quality(task: str, method: str) -> str:
        found = [
            cell("auroc", "median", task, method),
            cell("average_precision", "mean", task, method),
        ]
        return " / ".join(text for text in found if text)

    def matched(task: str, method: str) -> str:
        return cell("matched_auroc", "median", task, method) or ""

    methods = [row["method"] for row in summary["methods"]]
    lines = [
        f"## {escaped(summary['about'].get('name') or 'Benchmark')}",
        "",
        "Median AUROC / mean average precision over terms, with 95% bootstrap intervals over",
        "terms. The best of a task is bold.",
        "",
        *_table(tasks, methods, quality),
    ]
    if any(metric == "matched_auroc" for metric, *_ in figures):
        lines += [
            "Median AUROC among equally popular genes, where popularity alone gets 0.5:",
            "",
            *_table(tasks, methods, matched),
        ]
    lines += [
        f"- {escaped(task['task'])}: {task['protocol']}{_noise(task)}, {n:,} {noun}s, "
        f"background of {task['background']:,} genes"
        for task, (noun, n) in ((task, subject(task)) for task in tasks)
    ]
    return "\n".join(lines) + "\n"


def _noise(task: Mapping[str, Any]) -> str:
    noise = (task.get("about") or {}).get("noise")
    return f" with {100 * noise:.3g}% wrong genes" if noise else ""


def _table(
    tasks: Sequence[Mapping[str, Any]], methods: Sequence[str], cell: Callable[[str, str], str]
) -> list[str]:
    """A table and the empty line after it; methods without a figure are left out."""
    rows = [[cell(task["task"], method) for task in tasks] for method in methods]
    return [
        _row(["method", *(escaped(task["task"]) for task in tasks)]),
        _row(["---"] * (len(tasks) + 1)),
        *(
            _row([escaped(method), *row])
            for method, row in zip(methods, rows, strict=True)
            if any(row)
        ),
        "",
    ]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def escaped(text: str) -> str:
    r"""A name as Markdown shows it letter by letter.

    Examples
    --------
    >>> print(escaped("a|b *c*"))
    a\|b \*c\*
    """
    return re.sub(r"([\\`*_\[\]<>|#~&])", r"\\\1", cell_text(text))
