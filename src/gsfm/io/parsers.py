"""The parsers that `gsfm.io.child` runs in a process of its own."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gsfm.errors import needs_extra
from gsfm.io.limits import exceeded, limits

if TYPE_CHECKING:
    import polars as pl

#: The parser of workbooks recognizes OpenDocument by its suffix only.
_SUFFIXES = {"xlsx": ".xlsx", "xls": ".xls", "ods": ".ods"}


def workbook(path: str, target: str, *, kind: str, sheet: str | int | None, most: int) -> None:
    """Write the number of cells of all sheets, and the cells of some, as JSON.

    They are those of the sheet that is chosen; else of all that have several cells and are not
    hidden, if there are any.
    """
    with needs_extra("reading workbooks", "xlsx"):
        from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum
    if kind == "xlsx" and _is_ods(path):
        kind = "ods"
    try:
        book = CalamineWorkbook.from_path(str(Path(path).rename(path + _SUFFIXES[kind])))
        about = {one.name: one for one in book.sheets_metadata}
        names = [name for name in book.sheet_names if about[name].typ == SheetTypeEnum.WorkSheet]
        found = {}
        for name in names:
            own = book.get_sheet_by_name(name)
            # The parser gives the last row and column, from 0.
            rows, columns = own.total_height + 1, own.total_width + 1
            if rows * columns > most:
                what = (
                    f"the sheet {name!r} has {rows:,} rows and {columns:,} columns, more than "
                    f"{most:,} cells: delete empty rows and columns"
                )
                raise ValueError(exceeded("cells", what))
            found[name] = rows * columns
        if sheet is None:
            full = [name for name in names if found[name] > 1]
            seen = [name for name in full if about[name].visible == SheetVisibleEnum.Visible]
            chosen = seen or full
        elif sheet in found:
            chosen = [str(sheet)]
        else:
            number = int(sheet) if str(sheet).isdigit() else 0
            chosen = names[number - 1 : number] if number else []
        cells = {
            name: [
                list(map(_text, row))
                for row in book.get_sheet_by_name(name).to_python(skip_empty_area=False)
            ]
            for name in chosen
        }
    except Exception as error:
        raise ValueError(f"not a readable workbook ({error})") from error
    Path(target).write_text(json.dumps({"sheets": found, "cells": cells}))


def _text(cell: Any) -> str:
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    return str(cell).removesuffix(" 00:00:00")


def _is_ods(path: str) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return "content.xml" in archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return False


def parquet(path: str, target: str) -> None:
    """Write the table of a Parquet file as Arrow IPC."""
    import polars as pl

    try:
        frame = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise ValueError(f"not a readable Parquet file ({error})") from error
    held = limits()
    if frame.width > held.columns:
        raise ValueError(exceeded("columns", f"the table has {frame.width:,} columns"))
    # Equal texts are one text in Parquet, and many in a list of Python.
    most = held.decompressed(Path(path).stat().st_size)
    if sum(map(_text_bytes, frame.iter_columns())) > most:
        raise ValueError(held.too_large(most))
    frame.write_ipc(target)


def _text_bytes(column: pl.Series) -> int:
    """The bytes of all texts of a column, in lists too."""
    import polars as pl

    while isinstance(column.dtype, pl.List | pl.Array):
        column = column.explode(keep_nulls=False, empty_as_null=False)
    return int(column.str.len_bytes().sum()) if column.dtype == pl.String else 0
