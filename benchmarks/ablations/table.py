"""Write the tables of README.md from runs.tsv.

    python benchmarks/ablations/table.py

A run is a line of ``runs.tsv``, and belongs to a question. ``README.md`` has a region for each
question, between ``<!-- runs: QUESTION -->`` and ``<!-- end -->``, which is replaced by the table
of its runs, in their order. What no run of a question tells has no column. A test fails when the
README is not what this writes.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path

from gsfm.errors import FormatError
from gsfm.io.files import atomic_path

HERE = Path(__file__).parent
RUNS, README = HERE / "runs.tsv", HERE / "README.md"

#: The libraries and what the tables call them.
LIBRARIES = {
    "go": "GO BP 2023",
    "kegg": "KEGG 2021",
    "gwas": "GWAS 2023",
    "chea": "ChEA 2016",
    "held": "held-out sets",
}
#: Of each library: median AUROC, mean average precision, median matched AUROC.
FIGURES = ("auroc", "ap", "matched")
#: What a run says of itself, and what the tables call it.
ABOUT = {
    "change": "run",
    "settings": "settings",
    "measured": "measured as",
    "seconds": "seconds",
    "passes": "passes",
    "recall_50": "recall@50",
}
COLUMNS = (
    "question",
    "date",
    *ABOUT,
    *(f"{library}_{figure}" for library in LIBRARIES for figure in FIGURES),
    "commit",
    "command",
)
NUMBERS = ("seconds", "passes", "recall_50", *COLUMNS[len(ABOUT) + 2 : -2])
#: From this date on, a run names the commit and the command that made it.
TRACED_SINCE = "2026-11-28"

#: The markers stand on lines of their own.
REGION = re.compile(r"^(<!-- runs: ([^\n]+) -->\n).*?^(<!-- end -->)$", re.DOTALL | re.MULTILINE)

Run = dict[str, str]


def read(path: Path = RUNS) -> list[Run]:
    """Read and check the runs.

    Raises
    ------
    FormatError
        Naming the line, if a column is missing or surplus, or a figure is none.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))
    if not rows or tuple(rows[0]) != COLUMNS:
        raise FormatError(path, f"the columns must be {', '.join(COLUMNS)}", line=1)
    runs = []
    for line, row in enumerate(rows[1:], start=2):
        if len(row) != len(COLUMNS):
            raise FormatError(path, f"{len(row)} cells, not {len(COLUMNS)}", line=line)
        run = dict(zip(COLUMNS, row, strict=True))
        traced = ("commit", "command") if run["date"] >= TRACED_SINCE else ()
        for key in ("question", "date", "change", *traced):
            if not run[key]:
                raise FormatError(path, f"{key} is empty", line=line)
        for key in NUMBERS:
            if run[key] and not re.fullmatch(r"\d+(\.\d+)?", run[key]):
                raise FormatError(path, f"{key} is {run[key]!r}, which is no number", line=line)
        runs.append(run)
    return runs


def table(runs: Sequence[Run]) -> str:
    """The runs of one question, in Markdown."""
    told = [key for key in ABOUT if any(run[key] for run in runs)]
    libraries = [one for one in LIBRARIES if any(cell(run, one) for run in runs)]
    rows = [
        [*(ABOUT[key] for key in told), *(LIBRARIES[one] for one in libraries)],
        ["---"] * (len(told) + len(libraries)),
        *([*(run[key] for key in told), *(cell(run, one) for one in libraries)] for run in runs),
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def cell(run: Run, library: str) -> str:
    """AUROC / average precision (matched AUROC), as far as they are known."""
    auroc, ap, matched = (run[f"{library}_{figure}"] for figure in FIGURES)
    text = " / ".join(f"{float(value):.3f}" for value in (auroc, ap) if value)
    return text + (f" ({float(matched):.3f})" if matched else "")


def render(text: str, runs: Sequence[Run]) -> str:
    """The text with the table of each question in its region.

    Raises
    ------
    ValueError
        If a question has no region or a region no run, which is a typing error in one of the two.
    """
    asked = {run["question"] for run in runs}
    regions = [match[2] for match in REGION.finditer(text)]
    for question in sorted(asked ^ set(regions)):
        where = "no region in the README" if question in asked else "no run in runs.tsv"
        raise ValueError(f"{question!r} has {where}")

    def replace(match: re.Match[str]) -> str:
        mine = [run for run in runs if run["question"] == match[2]]
        return f"{match[1]}\n{table(mine)}\n\n{match[3]}"

    return REGION.sub(replace, text)


if __name__ == "__main__":
    rendered = render(README.read_text(encoding="utf-8"), read())
    with atomic_path(README) as temporary:
        temporary.write_text(rendered, encoding="utf-8")
