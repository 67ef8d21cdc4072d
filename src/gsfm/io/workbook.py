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
) -> tuple[tuple[str, ...], dict[str, list[list[str]]]]:
    """Return the names of all sheets with several cells, and the cells of some as text.

    Parameters
    ----------
    sheet
        The name of the sheet or its 1-based number; by default all sheets with several cells that
        are not hidden, or the hidden ones, if there are no others.

    Raises
    ------
    FormatError
        If the workbook cannot be read within the limits, there is no such sheet, or all are empty.
    MissingExtraError
        Without the extra ``xlsx``.
    """
    most = limits().cells
    found = child.run(
        parsers.workbook, source.stream, source.name, kind=kind, sheet=sheet, most=most
    )
    answer = json.loads(found)
    sheets, cells = answer["sheets"], answer["cells"]
    if not cells:
        if sheet is None:
            raise FormatError(source.name, "all sheets of the workbook are empty")
        names = join_names([repr(name) for name in sheets], 10)
        raise FormatError(source.name, f"there is no sheet {sheet!r}: the workbook has {names}")
    return tuple(name for name in sheets if name in cells or sheets[name] > 1), cells
