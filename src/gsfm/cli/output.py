"""Output: results in one of the formats to stdout or a file, notes and progress to stderr."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TextIO

import polars as pl
import typer

from gsfm.errors import GsfmError, needs_extra
from gsfm.io.files import atomic_path, check_folder
from gsfm.report import (
    Report,
    cell_text,
    flat,
    json_text,
    plain_lines,
    without_formulas,
    write_text,
)

LINE_SECONDS = 10.0  # between two lines of progress where stderr is not a terminal
MAX_CELL = 32_767  # characters in a cell of a workbook
#: The format of a file by its suffix.
SUFFIXES = {
    **{".csv": "csv", ".tsv": "tsv", ".txt": "tsv", ".tab": "tsv"},
    **{".json": "json", ".xlsx": "xlsx", ".parquet": "parquet"},
}


class Form(NamedTuple):
    """The format of a result, and the file to write it to; stdout if None."""

    name: str = "table"  # for people, or by the suffix of the file; else json, csv or tsv
    output: Path | None = None
    spreadsheet: bool = False

    @classmethod
    def of(
        cls,
        *,
        json: bool = False,
        csv: bool = False,
        tsv: bool = False,
        output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE")] = None,
        spreadsheet: bool = False,
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
            Write the result to FILE. The suffix is the format: .csv, .tsv, .json, .xlsx or
            .parquet.
        spreadsheet
            In CSV and TSV, write an apostrophe before a text that a spreadsheet would run as a
            formula. The cells of .xlsx are never formulas.

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
        file = None if output == Path("-") else output
        return cls(names[0] if names else "table", file, spreadsheet)

    def check(self, suffixes: Iterable[str] = SUFFIXES) -> None:
        """Raise an error if the file cannot be written: its suffix has no format, or no folder."""
        if self.output is None:
            return
        if self.name == "table" and self.suffix not in suffixes:
            known = ", ".join(suffixes)
            raise typer.BadParameter(f"{self.output}: the suffix must be one of {known}")
        check_folder(self.output)

    @property
    def suffix(self) -> str:
        """The suffix of the file, which is the format if none is chosen."""
        return "" if self.output is None else self.output.suffix.lower()

    @property
    def written(self) -> str:
        """The format that is written: a file is never a table for people."""
        return SUFFIXES.get(self.suffix, self.name) if self.name == "table" else self.name


def emit(table: pl.DataFrame | Report, form: Form = Form(), *, title: str | None = None) -> None:
    """Print or write a table.

    Parameters
    ----------
    table
        The table, or a report: JSON then has all of it, the other formats its table. List columns
        are joined with ``|`` except in JSON and Parquet.
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
        parts = table.parts() if isinstance(table, Report) else [(title, rows)]
        for i, (name, part) in enumerate(parts):
            show(part, title=f"\n{name}" if i else name or title)
    elif form.written == "json":
        emit_json(table.to_dict() if isinstance(table, Report) else rows.to_dicts(), form)
    elif form.written in ("csv", "tsv"):
        plain = without_formulas(flat(rows)) if form.spreadsheet else flat(rows)
        _write(plain.write_csv(separator="," if form.written == "csv" else "\t"), form)
    elif form.output is not None:
        with atomic_path(form.output) as temporary:
            if form.written == "parquet":
                rows.write_parquet(temporary)
            else:
                _write_workbook(flat(rows), temporary)


def emit_json(value: Any, form: Form = Form()) -> None:
    """Print or write a value as JSON."""
    _write(json_text(value), form)


def _write(text: str, form: Form) -> None:
    if form.output is None:
        sys.stdout.write(text)
    else:
        write_text(form.output, text)


def _write_workbook(table: pl.DataFrame, path: Path) -> None:
    """Write the sheet of a workbook; texts are never formulas."""
    for column in table.iter_columns():
        if column.dtype == pl.String and (column.str.len_chars() > MAX_CELL).any():
            raise GsfmError(f"{column.name}: a cell of a workbook holds {MAX_CELL:,} characters")
    with needs_extra("writing XLSX", "xlsx"):
        table.write_excel(path)


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
