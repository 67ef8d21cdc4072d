"""What every command shares for its results: the format options, and one way to print a table."""

from __future__ import annotations

import enum
import sys
from pathlib import Path
from typing import Annotated, TextIO

import polars as pl
import typer

from gsfm.io.files import atomic_path
from gsfm.report import Report, cell_text, flat, json_text, plain_lines

#: Annotations for a command's parameters: ``json: JsonOption = False`` and so on.
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
CsvOption = Annotated[bool, typer.Option("--csv", help="Print the result as CSV.")]
TsvOption = Annotated[bool, typer.Option("--tsv", help="Print the result as TSV.")]
OutputOption = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        help="Write the result to FILE; its ending (.json, .csv, else TSV) chooses the format.",
        show_default=False,
    ),
]


class Species(enum.StrEnum):
    """Where identifiers come from."""

    human = "human"
    mouse = "mouse"
    rat = "rat"


SpeciesOption = Annotated[
    Species | None,
    typer.Option(help="Whose names win where they contradict those of another species."),
]


def emit(
    table: pl.DataFrame | Report,
    *,
    json: bool = False,
    csv: bool = False,
    tsv: bool = False,
    title: str | None = None,
    stream: TextIO | None = None,
    output: Path | None = None,
) -> None:
    """Print a table in the format that was asked for.

    Parameters
    ----------
    table
        The table, or a report: JSON then shows all of it, the other formats its table. Columns of
        lists are joined with ``|`` except in JSON.
    json, csv, tsv
        The format; none of them gives a table for people to read.
    title
        A line above the table for people.
    stream
        Where to print; stdout if None.
    output
        A file to write instead; without a format option, its ending chooses the format, and TSV is
        taken for an ending that says nothing.

    Raises
    ------
    typer.BadParameter
        If more than one format is asked for.

    Examples
    --------
    >>> emit(pl.DataFrame({"symbol": ["TP53"], "aliases": [["p53", "LFS1"]]}), csv=True)
    symbol,aliases
    TP53,p53|LFS1
    """
    form = chosen_format(json=json, csv=csv, tsv=tsv)
    if output is not None and form == "table":
        ending = output.suffix.lower().lstrip(".")
        form = ending if ending in ("json", "csv", "tsv") else "tsv"
    rows = table.table if isinstance(table, Report) else table
    stream = stream or sys.stdout
    if form == "table":
        show(rows, title=title, stream=stream)
        return
    if form == "json":
        text = json_text(table.to_dict() if isinstance(table, Report) else rows.to_dicts())
    else:
        text = flat(rows).write_csv(separator="," if form == "csv" else "\t")
    if output is None:
        stream.write(text)
    else:
        with atomic_path(output) as temporary:
            temporary.write_text(text, encoding="utf-8")


def chosen_format(*, json: bool, csv: bool, tsv: bool) -> str:
    """The one format that is asked for: ``json``, ``csv``, ``tsv``, or else ``table``.

    Raises
    ------
    typer.BadParameter
        If more than one is asked for.
    """
    asked = [name for name, on in (("json", json), ("csv", csv), ("tsv", tsv)) if on]
    if len(asked) > 1:
        raise typer.BadParameter("choose one of --json, --csv and --tsv")
    return asked[0] if asked else "table"


def show(table: pl.DataFrame, *, title: str | None = None, stream: TextIO | None = None) -> None:
    """Print a table for people: fitted to a terminal; whole and without color elsewhere."""
    stream = stream or sys.stdout
    if not stream.isatty():
        lines = plain_lines(table)
        stream.write("".join(f"{line}\n" for line in ([title, *lines] if title else lines)))
        return
    # Imported here: a pipe has no use for rich, and a start without it is faster.
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name, kind in table.schema.items():
        number = kind.is_numeric()
        shown.add_column(
            Text(name), justify="right" if number else "left", no_wrap=number, overflow="fold"
        )
    for row in flat(table).iter_rows():
        shown.add_row(*(Text(cell_text(value)) for value in row))
    Console(file=stream, highlight=False).print(shown)


def note(message: str) -> None:
    """Print a report to stderr, line by line."""
    for line in message.splitlines():
        typer.echo(cell_text(line), err=True)
