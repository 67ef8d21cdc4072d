"""Output: results in one of the formats to stdout or a file, notes and progress to stderr."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TextIO

import polars as pl
import typer

from gsfm.report import Report, cell_text, flat, json_text, plain_lines, write_text

LINE_SECONDS = 10.0  # between two lines of progress where stderr is not a terminal


class Form(NamedTuple):
    """The format of a result, and the file to write it to; stdout if None."""

    name: str = "table"  # for people; else json, csv or tsv
    output: Path | None = None

    @classmethod
    def of(
        cls,
        *,
        json: bool = False,
        csv: bool = False,
        tsv: bool = False,
        output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE")] = None,
    ) -> Form:
        """The format of the options of a command.

        Parameters
        ----------
        json
            Print the result as JSON.
        csv
            Print the result as CSV.
        tsv
            Print the result as TSV.
        output
            Write the result to FILE. The suffix is the format: .json, .csv, else TSV.

        Raises
        ------
        typer.BadParameter
            If there is more than one flag.

        Examples
        --------
        >>> Form.of(json=True, csv=False).name, Form.of(output=Path("found.csv")).written
        ('json', 'csv')
        """
        names = [name for name, flag in (("json", json), ("csv", csv), ("tsv", tsv)) if flag]
        if len(names) > 1:
            raise typer.BadParameter("choose one of --json, --csv and --tsv")
        return cls(names[0] if names else "table", output)

    @property
    def suffix(self) -> str | None:
        """The suffix of the file, without its dot; None if there is none, or a format is chosen."""
        if self.output is None or self.name != "table":
            return None
        return self.output.suffix.lower().lstrip(".")

    @property
    def written(self) -> str:
        """The format that is written: a file is never a table for people."""
        if self.suffix is None:
            return self.name
        return self.suffix if self.suffix in ("json", "csv") else "tsv"


def emit(table: pl.DataFrame | Report, form: Form = Form(), *, title: str | None = None) -> None:
    """Print or write a table.

    Parameters
    ----------
    table
        The table, or a report: JSON then has all of it, the other formats its table. List columns
        are joined with ``|`` except in JSON.
    form
        The format and the file.
    title
        A line above a table for people.

    Examples
    --------
    >>> emit(pl.DataFrame({"symbol": ["TP53"], "aliases": [["p53", "LFS1"]]}), Form("csv"))
    symbol,aliases
    TP53,p53|LFS1
    """
    rows = table.table if isinstance(table, Report) else table
    if form.written == "table":
        show(rows, title=title)
    elif form.written == "json":
        emit_json(table.to_dict() if isinstance(table, Report) else rows.to_dicts(), form)
    else:
        _write(flat(rows).write_csv(separator="," if form.written == "csv" else "\t"), form)


def emit_json(value: Any, form: Form = Form()) -> None:
    """Print or write a value as JSON."""
    _write(json_text(value), form)


def _write(text: str, form: Form) -> None:
    if form.output is None:
        sys.stdout.write(text)
    else:
        write_text(form.output, text)


def show(table: pl.DataFrame, *, title: str | None = None, stream: TextIO | None = None) -> None:
    """Print a table for people: fitted to a terminal; complete and without color elsewhere."""
    stream = stream or sys.stdout
    if not stream.isatty():
        lines = plain_lines(table)
        stream.write("".join(f"{line}\n" for line in ([title, *lines] if title else lines)))
        return
    # Imported here: only a terminal needs rich, and the start is faster without it.
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
    """Print a message to stderr, line by line."""
    for line in message.splitlines():
        typer.echo(cell_text(line), err=True)


def counts(by_reason: Mapping[str, int]) -> str:
    """The counts that are not 0, each with its reason."""
    return ", ".join(f"{n:,} {why.replace('_', ' ')}" for why, n in by_reason.items() if n)


class StatusLine:
    """Progress on stderr: lines that stay, and passing lines that the next line replaces.

    Where stderr is not a terminal, a passing line is printed every ten seconds, and stays.
    """

    def __init__(self) -> None:
        self.terminal = sys.stderr.isatty()
        self.shown = time.monotonic()
        self.passing = False

    def write(self, text: str, *, passing: bool = False) -> None:
        """Print a line, or replace the passing line that is shown."""
        now = time.monotonic()
        if passing and now - self.shown < (0.1 if self.terminal else LINE_SECONDS):
            return
        self.shown = now
        text = cell_text(text)
        self.clear()
        if passing and self.terminal:
            # A wrapped line could not be erased.
            sys.stderr.write(text[: shutil.get_terminal_size().columns - 1])
            self.passing = True
        else:
            sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def clear(self) -> None:
        """Erase the passing line."""
        if self.passing:
            sys.stderr.write("\r\x1b[2K")
            self.passing = False
