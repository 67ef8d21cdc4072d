"""Workbooks (XLSX, XLS, ODS): the cells of a sheet as text, read by a child."""

from __future__ import annotations

import json

from gsfm.errors import FormatError, join_names
from gsfm.io import child, parsers
from gsfm.io.limits import limits
from gsfm.io.streams import ZIP, Source

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def kind_of(head: bytes) -> str | None:
    """The kind of workbook by the first bytes of a file that is not compressed; None for others."""
    return "xlsx" if head.startswith(ZIP) else "xls" if head.startswith(_OLE) else None


def read(
    source: Source, kind: str, sheet: str | int | None = None
) -> tuple[str, tuple[str, ...], list[list[str]]]:
    """Return the name of a sheet, the names of all sheets, and the cells as text.

    Parameters
    ----------
    sheet
        The name of the sheet or its 1-based number; by default the only one with several cells.

    Raises
    ------
    FormatError
        If the workbook cannot be read within the limits, there is no such sheet, or there are
        several and none is chosen.
    MissingExtraError
        Without the extra ``xlsx``.
    """
    most = limits().cells
    found = child.run(
        parsers.workbook, source.stream, source.name, kind=kind, sheet=sheet, most=most
    )
    answer = json.loads(found)
    sheets = answer["sheets"]
    if answer["rows"] is None:
        names = join_names([repr(name) for name in sheets], 10)
        full = [name for name, cells in sheets.items() if cells > 1]
        if sheet is None and not full:
            raise FormatError(source.name, "all sheets of the workbook are empty")
        what = f"there is no sheet {sheet!r}" if sheet is not None else "choose a sheet (--sheet)"
        raise FormatError(source.name, f"{what}: the workbook has {names}")
    return answer["sheet"], tuple(sheets), answer["rows"]
