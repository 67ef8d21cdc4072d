"""Write the tables of both README.md files (here and one folder up) from the summaries in results.

    python benchmarks/tables.py

A table stands between ``<!-- table: NAME -->`` and ``<!-- end -->``; `TABLES` defines its content.
The published architecture was trained with several settings. An additional row shows the best of
them in each column, chosen in that column itself, so that the architecture is never shown at a
disadvantage. A test fails when a file differs from what this script writes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gsfm.errors import FormatError
from gsfm.io.files import atomic_path

HERE = Path(__file__).parent
FILES = (HERE / "README.md", HERE.parent / "README.md")
#: How the settings of the published architecture are called.
PUBLISHED = "published, "
BEST = "published, best setting"
WHICH = "which setting that is"

#: The figure of a metric over terms.
FIGURES = {"auroc": "median", "average_precision": "mean", "matched_auroc": "median"}

REGION = re.compile(r"^(<!-- table: ([^\n]+) -->\n).*?^(<!-- end -->)$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Table:
    """The tasks and metrics of a run that a table shows."""

    run: str  # folder in results
    tasks: Mapping[str, str]  # task: heading
    metrics: tuple[str, ...] = ("auroc", "average_precision")
    #: method: what the table calls it; all under their own names if empty.
    methods: Mapping[str, str] | None = None
    counts: bool = False  # say in the heading of how many terms


@dataclass(frozen=True)
class Costs:
    """The costs of the methods of a run before their first answer."""

    run: str


#: Also among genes that are in as many training sets.
WITHIN = ("auroc", "average_precision", "matched_auroc")
LIBRARIES = {name: name for name in ("GO BP 2023", "KEGG 2021", "GWAS 2023", "ChEA 2016")}
TABLES: Mapping[str, Table | Costs] = {
    "half split": Table("half_split", LIBRARIES),
    "half split, equally popular": Table("half_split", LIBRARIES, ("matched_auroc",)),
    "few genes": Table(
        "half_split",
        {
            "GO BP 2023, few genes shown": "GO BP 2023, few genes",
            "KEGG 2021, few genes shown": "KEGG 2021, few genes",
            "GO BP 2023, context switch": "GO BP 2023, context switch",
        },
    ),
    "half split, cost": Costs("half_split"),
    "README": Table(
        "half_split",
        LIBRARIES,
        methods={
            "popularity": "popularity in the training corpus",
            "co-occurrence": "co-occurrence in the training corpus",
            BEST: "architecture of Clarke et al. 2026, its best setting for each column",
            "shipped": "**shipped model**",
        },
        counts=True,
    ),
    **{
        f"noise, {name}": Table(
            "noise",
            {name: "no wrong genes"}
            | {f"{name}, {share}% wrong": f"{share}% wrong" for share in (10, 20, 40)},
        )
        for name in ("GO BP 2023", "KEGG 2021", "GWAS 2023")
    },
    "KEGG": Table(
        "time_split_kegg",
        {
            "KEGG, 2016 to 2021": "genes added to pathways",
            "KEGG, new terms of 2021": "new pathways, halved",
        },
        WITHIN,
        counts=True,
    ),
    "GO": Table(
        "time_split_go",
        {
            "GO BP, 2018 to 2025": "genes added to terms",
            "GO BP, 2018 to 2025, whole genome": "the same, whole genome",
            "GO BP, new terms of 2025": "new terms, halved",
            "new relations after 2018": "new relations after 2018",
        },
    ),
    "GWAS": Table(
        "time_split_gwas",
        {
            "GWAS, 2019 to 2023": "genes added to traits",
            "GWAS, new terms of 2023": "new traits, halved",
        },
        WITHIN,
        counts=True,
    ),
}


def costs(summary: Mapping[str, Any]) -> Iterator[str]:
    """The lines of a table of costs."""
    yield _row("method", "seconds", "peak memory", "size")
    yield _row(*["---"] * 4)
    for row in summary["methods"]:
        seconds, peak, size = (
            row[key] for key in ("training_seconds", "peak_memory_bytes", "size_bytes")
        )
        yield _row(
            row["method"],
            "" if seconds is None else f"{seconds:,.0f}",
            "" if peak is None else f"{peak / 1e9:.1f} GB",
            "" if size is None else f"{size / 1e6:,.0f} MB",
        )


def region(table: Table, summary: Mapping[str, Any]) -> Iterator[str]:
    """The lines of a table."""
    cells: dict[tuple[str, str], dict[str, float]] = {}
    for row in summary["results"]:
        if row["metric"] in table.metrics:
            value = row[FIGURES[row["metric"]]][0]
            cells.setdefault((row["method"], row["task"]), {})[row["metric"]] = value
    terms = {task["task"]: task["terms"] for task in summary["tasks"]}
    headings = [
        f"{heading} ({terms[task]:,} terms)" if table.counts else heading
        for task, heading in table.tasks.items()
    ]
    yield _row("method", *headings)
    yield _row(*["---"] * (1 + len(headings)))
    own = [row["method"] for row in summary["methods"]]
    settings = [name for name in own if name.startswith(PUBLISHED)]
    shown = table.methods or {name: name for name in own}
    best_after = settings[-1] if settings else None
    for method in own:
        if method in shown:
            yield _row(
                shown[method],
                *(_cell(cells.get((method, task), {}), table.metrics) for task in table.tasks),
            )
        if method == best_after and BEST in (table.methods or [BEST]):
            best = {
                task: {
                    metric: max(
                        (cells[name, task][metric], name)
                        for name in settings
                        if metric in cells.get((name, task), {})
                    )
                    for metric in table.metrics
                }
                for task in table.tasks
            }
            values = {t: {m: v for m, (v, _) in found.items()} for t, found in best.items()}
            yield _row(
                shown.get(BEST, f"**{BEST}**"),
                *(_cell(values[task], table.metrics) for task in table.tasks),
            )
            yield _row(WHICH, *(_which(found) for found in best.values()))


def _cell(figures: Mapping[str, float], metrics: tuple[str, ...]) -> str:
    """AUROC / average precision (popularity-matched AUROC), as far as the table shows them."""
    texts = {metric: f"{figures[metric]:.3f}" for metric in metrics if metric in figures}
    matched = texts.pop("matched_auroc", None) if len(metrics) > 1 else None
    return " / ".join(texts.values()) + (f" ({matched})" if matched else "")


def _which(found: Mapping[str, tuple[float, str]]) -> str:
    names = [name.removeprefix(PUBLISHED).removeprefix("partition ") for _, name in found.values()]
    return names[0] if len(set(names)) == 1 else " / ".join(names)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def render(text: str, results: Path = HERE / "results") -> str:
    """Return the text with its tables renewed."""

    def replace(match: re.Match[str]) -> str:
        name = match[2]
        if name not in TABLES:
            raise FormatError(
                "README.md", f"there is no table {name!r}; there are {', '.join(TABLES)}"
            )
        table = TABLES[name]
        summary = json.loads((results / table.run / "summary.json").read_text(encoding="utf-8"))
        made = costs(summary) if isinstance(table, Costs) else region(table, summary)
        lines = "\n".join(made)
        return f"{match[1]}\n{lines}\n\n{match[3]}"

    return REGION.sub(replace, text)


def main() -> None:
    """Write the files."""
    for path in FILES:
        text = render(path.read_text(encoding="utf-8"))
        with atomic_path(path) as temporary:
            temporary.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
