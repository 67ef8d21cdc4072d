"""XLSX: a sheet of a workbook as a table; other workbooks (XLS, ODS) are read, too."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import chain

import polars as pl

from gsfm.errors import FormatError, needs_extra
from gsfm.io.streams import ZIP
from gsfm.sets.formats.delimited import to_long
from gsfm.sets.formats.raw import Format
from gsfm.sets.formats.table import read
from gsfm.sets.genesets import GeneSets

#: Limits of the format.
_MAX_ROWS, _MAX_TEXT = 1_048_576, 32_767


def write(sets: GeneSets, target: str) -> Iterator[bytes]:
    """Write a workbook with a long table; identifiers are texts, never dates or formulas.

    More members than rows, or a text that is too long for a cell, are a FormatError.
    """
    with needs_extra("writing XLSX", "xlsx"):
        import xlsxwriter  # type: ignore[import-untyped]
    table = to_long(sets, target, breaks=False)
    if table.height >= _MAX_ROWS:
        reason = f"{table.height:,} members are more than the rows of a sheet: write Parquet or CSV"
        raise FormatError(target, reason)
    for column in table.columns:
        longest = table[column].str.len_chars().max()
        if isinstance(longest, int) and longest > _MAX_TEXT:
            raise FormatError(target, f"a cell of {column!r} is longer than {_MAX_TEXT} characters")
    for column in {"weight", "set_weight", "year", "set_id"} & set(table.columns):
        numbers = table[column].cast(pl.Float64, strict=False)
        # A column may hold texts, such as "n/a", in some rows.
        if numbers.null_count() == table[column].null_count():
            table = table.with_columns(numbers)
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"constant_memory": True}) as book:
        sheet = book.add_worksheet("sets")
        for i, row in enumerate(chain([table.columns], table.iter_rows())):
            for j, cell in enumerate(row):
                if isinstance(cell, float):
                    sheet.write_number(i, j, cell)
                elif cell is not None:
                    sheet.write_string(i, j, cell)
    yield buffer.getvalue()


FORMATS = (Format("xlsx", (".xlsx", ".xls", ".ods"), read, write, signature=ZIP, is_table=True),)
