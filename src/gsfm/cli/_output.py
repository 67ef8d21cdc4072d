"""What every command shares for its results: the format options, and one way to print a table."""

from __future__ import annotations

import json as jsonlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

if TYPE_CHECKING:
    import polars as pl

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
        help="Write the result to FILE; .json, .csv or .tsv chooses the format.",
        show_default=False,
    ),
]


def emit(
    table: pl.DataFrame,
    *,
    json: bool = False,
    csv: bool = False,
    tsv: bool = False,
    title: str | None = None,
    stream: TextIO | None = None,
    output: Path | None = None,
    payload: Any = None,
) -> None:
    """Print a table in the format that was asked for.

    Parameters
    ----------
    table
        The table. Columns of lists are joined with ``|`` in CSV, TSV and on the screen.
    json, csv, tsv
        The format; none of them gives a table for people to read.
    title
        A line above the table for people.
    stream
        Where to print; stdout if None.
    output
        A file to write instead; without a format option, its ending chooses the format, and TSV is
        taken for an ending that says nothing.
    payload
        What JSON shows in place of the list of rows: an object that holds more than the table.

    Raises
    ------
    typer.BadParameter
        If more than one format is asked for.
    """
    asked = [name for name, on in (("json", json), ("csv", csv), ("tsv", tsv)) if on]
    if len(asked) > 1:
        raise typer.BadParameter("choose one of --json, --csv and --tsv")
    form = asked[0] if asked else "table"
    if output is not None and not asked:
        ending = output.suffix.lower().lstrip(".")
        form = ending if ending in ("json", "csv", "tsv") else "tsv"
    if form == "json":
        text = to_json(table.to_dicts() if payload is None else payload)
    elif form in ("csv", "tsv"):
        text = flat(table).write_csv(separator="," if form == "csv" else "\t")
    if output is not None:
        from gsfm._files import atomic_path

        with atomic_path(output) as temporary:
            temporary.write_text(text, encoding="utf-8")
        return
    stream = stream or sys.stdout
    if form == "table":
        show(table, title=title, stream=stream)
    else:
        stream.write(text)


def to_json(value: Any) -> str:
    """Indented JSON with a newline; numbers that are not finite become null."""
    return jsonlib.dumps(_plain(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if value - value == 0 else None  # neither NaN nor infinite
    if value is None or isinstance(value, str | int):
        return value
    return str(value)


def flat(table: pl.DataFrame) -> pl.DataFrame:
    """The table with its columns of lists joined with ``|``, as a flat file needs it."""
    import polars as pl

    lists = [name for name, kind in table.schema.items() if isinstance(kind, pl.List)]
    return table.with_columns(pl.col(lists).cast(pl.List(pl.String)).list.join("|"))


def show(table: pl.DataFrame, *, title: str | None = None, stream: TextIO | None = None) -> None:
    """Print a table for people: fitted to a terminal; whole and without colour elsewhere."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    stream = stream or sys.stdout
    terminal = stream.isatty()
    # Rich cuts at the width of the console; a file or a pipe has none.
    console = Console(file=stream, width=None if terminal else 100_000, highlight=False)
    shown = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table = flat(table)
    for name, kind in table.schema.items():
        number = kind.is_numeric()
        shown.add_column(
            Text(name), justify="right" if number else "left", no_wrap=number, overflow="fold"
        )
    for row in table.iter_rows():
        shown.add_row(*(Text(_cell(value)) for value in row))
    if terminal:
        console.print(shown)
        return
    with console.capture() as capture:
        console.print(shown)
    stream.write("".join(line.rstrip() + "\n" for line in capture.get().splitlines()))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    # What a user pasted may hold control characters, which a terminal would obey.
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(value))


def note(message: str) -> None:
    """Print a report to stderr."""
    text = "".join(
        c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in message
    )
    typer.echo(text, err=True)
