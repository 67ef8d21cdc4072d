"""A table of results with its provenance: what `analysis` and `benchmark` return."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from gsfm.errors import MissingExtraError
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
        How they came to be: what answered, what it was asked, what the columns mean.
        JSON-serialisable.

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

    def __repr__(self) -> str:
        head = self.table.head(20)
        lines = [f"{type(self).__name__}({self._headline()})", *plain_lines(head)]
        if head.height < len(self):
            lines.append(f"... {len(self) - head.height} more")
        return "\n".join(lines)

    def _headline(self) -> str:
        """How much is in the report, and the provenance that fits on one line."""
        short = [f"{k}: {v}" for k, v in self.provenance.items() if isinstance(v, str | int)]
        return "; ".join([f"{len(self)} row{'s' * (len(self) != 1)}", *short])

    def _repr_html_(self) -> str:
        return self._html(self.table.head(100))

    def _html(self, table: pl.DataFrame) -> str:
        cell = html.escape
        names = "".join(f"<th>{cell(name)}</th>" for name in table.columns)
        right = [' style="text-align:right"' * kind.is_numeric() for kind in table.dtypes]
        rows = (
            "".join(
                f"<td{style}>{cell(cell_text(v))}</td>" for style, v in zip(right, row, strict=True)
            )
            for row in flat(table).iter_rows()
        )
        body = "\n".join(f"<tr>{row}</tr>" for row in rows)
        more = len(self) - table.height
        tail = f"<p>{more} more</p>\n" if more else ""
        where = cell(json.dumps(json_value(self.provenance), indent=2, ensure_ascii=False))
        return (
            f"<table>\n<thead><tr>{names}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n{tail}"
            f"<details><summary>{cell(self._headline())}</summary><pre>{where}</pre></details>\n"
        )

    def to_dict(self) -> dict[str, Any]:
        """The whole report as JSON has it: ``provenance`` and ``results``, a list of rows."""
        results = json_value(self.table.to_dicts())
        return {"provenance": json_value(self.provenance), "results": results}

    def to_pandas(self) -> pd.DataFrame:
        """The table for pandas; the provenance goes into ``attrs``.

        Raises
        ------
        MissingExtraError
            If pandas is not installed.
        """
        frame = pandas_frame(self.table, "Report.to_pandas")
        frame.attrs.update(self.provenance)
        return frame

    def to_csv(self, path: str | Path, *, separator: str = ",") -> None:
        """Write the table as CSV (or TSV, by `separator`); lists are joined with ``|``."""
        with atomic_path(path) as temporary:
            flat(self.table).write_csv(temporary, separator=separator)

    def to_json(self, path: str | Path) -> None:
        """Write the whole report, `to_dict`, as JSON."""
        with atomic_path(path) as temporary:
            temporary.write_text(json_text(self.to_dict()), encoding="utf-8")

    def to_html(self, path: str | Path) -> None:
        """Write the table and its provenance as a page that stands alone."""
        title = html.escape(self._headline())
        page = (
            f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{title}</title>\n'
            f"{self._html(self.table)}</html>\n"
        )
        with atomic_path(path) as temporary:
            temporary.write_text(page, encoding="utf-8")


def pandas_frame(table: pl.DataFrame, what: str) -> pd.DataFrame:
    """The table as a pandas data frame; without pandas, MissingExtraError names `what` needs it."""
    try:
        import pandas as pd
    except ImportError as error:
        raise MissingExtraError(what, "pandas") from error
    # Column by column: the way through Arrow would ask for another package.
    return pd.DataFrame(table.to_dict(as_series=False))


def json_value(value: Any) -> Any:
    """`value` as JSON can hold it: numbers that are not finite become None."""
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
    """The table with its columns of lists joined with ``|``, as a flat file needs it."""
    lists = [name for name, kind in table.schema.items() if isinstance(kind, pl.List)]
    if not lists:
        return table
    return table.with_columns(pl.col(lists).cast(pl.List(pl.String)).list.join("|"))


def cell_text(value: Any) -> str:
    """A value for people: four figures of a number, and no character that a terminal obeys."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(value))


def plain_lines(table: pl.DataFrame) -> list[str]:
    """The table in aligned columns, header first; never cut, never colored."""
    columns = []
    for name, column in zip(table.columns, flat(table).iter_columns(), strict=True):
        cells = [name, *map(cell_text, column)]
        width = max(map(len, cells))
        right = column.dtype.is_numeric()
        columns.append([c.rjust(width) if right else c.ljust(width) for c in cells])
    return ["  ".join(row).rstrip() for row in zip(*columns, strict=True)]
