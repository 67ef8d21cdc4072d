"""XLSX: a long table, or a column for each set, in the first sheet of a workbook."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import chain
from typing import Any

import polars as pl

from gsfm.errors import FormatError, needs_extra
from gsfm.genes.columns import GENE_HEADERS, plain
from gsfm.io.notes import Notes
from gsfm.io.streams import ZIP, Source
from gsfm.sets.formats.raw import Format, Raw, from_lists
from gsfm.sets.formats.table import (
    SET_HEADERS,
    SET_WEIGHT_HEADER,
    WEIGHT_HEADERS,
    find,
    from_long,
    to_long,
)
from gsfm.sets.genesets import GeneSets

#: Limits of the format.
_MAX_ROWS, _MAX_TEXT = 1_048_576, 32_767

#: The text of a cell that is a date; no identifier of a gene has this form.
_DATE = r"^(\d{4}-\d{2}-\d{2})(?: 00:00:00)?$"


def read(source: Source) -> Raw:
    """Read a workbook.

    The first sheet is a long table if its header names a column of sets and one of genes, as in
    CSV. Otherwise every column is a set, with its name in the first row. An empty sheet is a
    FormatError.
    """
    with needs_extra("reading XLSX", "xlsx"):
        import fastexcel
    try:
        book = fastexcel.read_excel(source.stream.read())
        sheet = _load(book, "string")
        # A text has nine decimals of a number; weights are read as numbers, too.
        numbers = _load(book, "float")
    except (fastexcel.FastExcelError, pl.exceptions.PolarsError, ValueError) as error:
        raise FormatError(source.name, f"not a readable XLSX workbook ({error})") from error
    source.notes.add("other-sheets", len(book.sheet_names) - 1)
    if not sheet.height or not sheet.width:
        raise FormatError(source.name, "the first sheet of the workbook is empty")
    header = dict(zip(sheet.columns, (cell or "" for cell in sheet.row(0)), strict=True))
    sheet = sheet.with_columns(
        pl.coalesce(numbers[c].cast(pl.String), sheet[c]).alias(c)
        for c, name in header.items()
        if plain(name) in (*WEIGHT_HEADERS, SET_WEIGHT_HEADER)
    )
    body = sheet[1:]
    named = {c: name for c, name in header.items() if name.strip()}
    names = list(named.values())
    gene = find(names, GENE_HEADERS)
    if gene and find(names, SET_HEADERS):
        # Columns without a name do not belong to the table.
        if len(set(names)) < len(names):
            raise FormatError(source.name, "two columns of the header have the same name", line=1)
        table = body.select(pl.col(c).alias(name) for c, name in named.items())
        return from_long(_undated(table, [gene], source.notes), source, 2)
    body = _undated(body, body.columns, source.notes)
    members = {c: body[c].drop_nulls().to_list() for c in body.columns}
    for cell in (cell for c in members.keys() - named for cell in members[c]):
        raise FormatError(source.name, f"{cell!r} is in a column without a name")
    if not any(members.values()):
        raise FormatError(source.name, "there is a first row, and nothing below it")
    return from_lists(pl.DataFrame({"name": names}), [members[c] for c in named])


def _load(book: Any, kind: str) -> pl.DataFrame:
    """The cells of the first sheet, all of one type, with the first row."""
    return pl.DataFrame(book.load_sheet(0, header_row=None, dtypes=kind))


def _undated(table: pl.DataFrame, columns: list[str], notes: Notes) -> pl.DataFrame:
    """Remove the time from cells that are dates, and note them."""
    for column in columns:
        dates = table[column].str.contains(_DATE).fill_null(False)
        if dates.any():
            example = table[column].filter(dates)[0]
            notes.add("excel-dates", int(dates.sum()), example=example[:10])
            days = table[column].str.replace(_DATE, "$1")
            table = table.with_columns(days.alias(column))
    return table


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
    numeric = pl.col("^(weight|set_weight|year|set_id)$").cast(pl.Float64)
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"constant_memory": True}) as book:
        sheet = book.add_worksheet("sets")
        for i, row in enumerate(chain([table.columns], table.with_columns(numeric).iter_rows())):
            for j, cell in enumerate(row):
                if isinstance(cell, float):
                    sheet.write_number(i, j, cell)
                elif cell is not None:
                    sheet.write_string(i, j, cell)
    yield buffer.getvalue()


FORMATS = (Format("xlsx", (".xlsx",), read, write, signature=ZIP),)
