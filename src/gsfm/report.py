"""A table of results with its provenance: what `analysis` and `benchmark` return."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from gsfm.errors import count, needs_extra, printable
from gsfm.io.files import atomic_path

if TYPE_CHECKING:
    import pandas as pd


class Report:
    """A table of results and its provenance.

    Parameters
    ----------
    table
        The results, one row each.
    provenance
        How the results were made: the model, the query, the meaning of the columns.
        JSON-serializable.

    Examples
    --------
    >>> report = Report(pl.DataFrame({"symbol": ["MDM2"], "score": [2.5]}), {"model": "linear"})
    >>> len(report), list(report)
    (1, [{'symbol': 'MDM2', 'score': 2.5}])
    >>> print(report)
    Report(1 row; model: linear)
    symbol  score
    MDM2      2.5
    """

    def __init__(self, table: pl.DataFrame, provenance: Mapping[str, Any] | None = None) -> None:
        self.table = table
        self.provenance: dict[str, Any] = dict(provenance or {})

    def __len__(self) -> int:
        return self.table.height

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self.table.iter_rows(named=True)

    def parts(self) -> list[tuple[str, pl.DataFrame]]:
        """The tables for people with their titles: the whole table, if a subclass has no others."""
        return [("", self.table)]

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__}({self._headline()})"]
        left = 20
        for title, part in self.parts():
            if left or not len(self):
                lines += [*([title] if title else ()), *plain_lines(part.head(left))]
                left = max(left - part.height, 0)
        if len(self) > 20:
            lines.append(f"... {len(self) - 20} more")
        return "\n".join(lines)

    def _headline(self) -> str:
        """The number of rows, and the provenance that fits on one line."""
        short = [f"{k}: {v}" for k, v in self.provenance.items() if isinstance(v, str | int)]
        return "; ".join([count(len(self), "row"), *short])

    def _repr_html_(self) -> str:
        return self._html(100)

    def _html(self, most: int | None = None) -> str:
        tables = []
        left = len(self) if most is None else most
        for title, part in self.parts():
            if left or not len(self):
                heading = f"<h2>{_html_text(title)}</h2>\n" if title else ""
                tables.append(heading + _html_table(part.head(left)))
                left = max(left - part.height, 0)
        more = 0 if most is None else max(len(self) - most, 0)
        tail = f"<p>{more} more</p>\n" if more else ""
        where = html.escape(json.dumps(json_value(self.provenance), indent=2, ensure_ascii=False))
        summary = _html_text(self._headline())
        details = f"<details><summary>{summary}</summary><pre>{where}</pre></details>\n"
        return "".join([*tables, tail, details])

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON has it: ``provenance`` and ``results``, a list of rows."""
        return {
            "provenance": json_value(self.provenance),
            "results": json_value(self.table.to_dicts()),
        }

    def to_polars(self) -> pl.DataFrame:
        """Return the table as a Polars data frame.

        Examples
        --------
        >>> Report(pl.DataFrame({"symbol": ["MDM2"], "score": [2.5]})).to_polars().rows()
        [('MDM2', 2.5)]
        """
        return self.table.clone()

    def to_pandas(self) -> pd.DataFrame:
        """Return the table as a pandas data frame, with the provenance in its ``attrs``.

        Raises
        ------
        MissingExtraError
            If pandas is not installed.
        """
        frame = pandas_frame(self.table, "Report.to_pandas")
        frame.attrs.update(self.provenance)
        return frame

    def to_csv(self, path: str | Path, *, separator: str = ",", spreadsheet: bool = False) -> None:
        """Write the table as CSV (or TSV, by `separator`); lists are joined with ``|``.

        With `spreadsheet`, a text that a spreadsheet would run as a formula begins with an
        apostrophe.
        """
        table = without_formulas(flat(self.table)) if spreadsheet else flat(self.table)
        with atomic_path(path) as temporary:
            table.write_csv(temporary, separator=separator)

    def to_json(self, path: str | Path) -> None:
        """Write the whole report, `to_dict`, as JSON."""
        write_text(path, json_text(self.to_dict()))

    def to_html(self, path: str | Path) -> None:
        """Write the table and its provenance as a self-contained page."""
        title = _html_text(self._headline())
        page = (
            f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{title}</title>\n'
        )
        write_text(path, f"{page}{self._html()}</html>\n")


def _html_table(table: pl.DataFrame) -> str:
    cell = _html_text
    names = "".join(f"<th>{cell(name)}</th>" for name in table.columns)
    right = [' style="text-align:right"' * kind.is_numeric() for kind in table.dtypes]
    rows = (
        "".join(
            f"<td{style}>{cell(cell_text(v))}</td>" for style, v in zip(right, row, strict=True)
        )
        for row in flat(table).iter_rows()
    )
    body = "\n".join(f"<tr>{row}</tr>" for row in rows)
    return f"<table>\n<thead><tr>{names}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n"


def _html_text(text: str) -> str:
    return html.escape(printable(text))


def write_text(path: str | Path, text: str) -> None:
    """Write a text file atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def pandas_frame(table: pl.DataFrame, what: str) -> pd.DataFrame:
    """The table as a pandas data frame; `what` is named in the error if pandas is missing."""
    with needs_extra(what, "pandas"):
        import pandas as pd
    # Column by column: a conversion through Arrow would need another package.
    return pd.DataFrame(table.to_dict(as_series=False))


def json_value(value: Any) -> Any:
    """Convert `value` for JSON: numbers that are not finite become None."""
    if isinstance(value, Mapping):
        return {str(key): json_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(item) for item in value]
    if isinstance(value, float):
        return value if value - value == 0 else None  # infinity - infinity is not 0 either
    return value if value is None or isinstance(value, str | int) else str(value)


def json_text(value: Any) -> str:
    """Indented JSON with a newline at its end."""
    return json.dumps(json_value(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def flat(table: pl.DataFrame) -> pl.DataFrame:
    """The table with its list columns joined with ``|``, for flat files."""
    lists = [name for name, kind in table.schema.items() if isinstance(kind, pl.List)]
    if not lists:
        return table
    return table.with_columns(pl.col(lists).cast(pl.List(pl.String)).list.join("|"))


def without_formulas(table: pl.DataFrame) -> pl.DataFrame:
    """Put an apostrophe before texts that a spreadsheet would run as a formula.

    Examples
    --------
    >>> without_formulas(pl.DataFrame({"term": ["=cmd()", "-1", "DNA repair"]}))["term"].to_list()
    ["'=cmd()", '-1', 'DNA repair']
    """
    text = pl.col(pl.String)
    formula = text.str.contains(r"^[=+@\-\t\r]") & text.cast(pl.Float64, strict=False).is_null()
    return table.with_columns(pl.when(formula).then("'" + text).otherwise(text).name.keep())


def cell_text(value: Any) -> str:
    """A value for people: four digits of a number, and no control characters."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    return printable(str(value))


def plain_lines(table: pl.DataFrame) -> list[str]:
    """The lines of the table in aligned columns, header first; never truncated or colored."""
    columns = []
    for name, column in zip(table.columns, flat(table).iter_columns(), strict=True):
        cells = [name, *map(cell_text, column)]
        width = max(map(len, cells))
        right = column.dtype.is_numeric()
        columns.append([c.rjust(width) if right else c.ljust(width) for c in cells])
    return ["  ".join(row).rstrip() for row in zip(*columns, strict=True)]
