"""Workbooks (XLSX, XLS, ODS), read in a process of their own.

The parser can end the whole process on a damaged file, or use all memory on a small one. So it runs
in a child with limits of memory and time, and whatever happens there is an error of this file.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from gsfm.errors import FormatError, MissingExtraError, join_names
from gsfm.io.streams import ZIP, Source

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: Limits of a workbook: memory and processor time of the child, and cells of a sheet.
MEMORY, SECONDS, CELLS = 2 << 30, 60, 20_000_000

#: Run in the child: prints the names of the sheets, their sizes, and the cells of one.
_CHILD = """
import json, resource, sys
path, sheet, memory, seconds, most = sys.argv[1], json.loads(sys.argv[2]), *map(int, sys.argv[3:])
resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
try:
    from python_calamine import CalamineWorkbook
except ImportError:
    print(json.dumps({"missing": True}))
    sys.exit()

def text(cell):
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    return str(cell).removesuffix(" 00:00:00")

try:
    book = CalamineWorkbook.from_path(path)
    names = book.sheet_names
    found = {}
    for name in names:
        own = book.get_sheet_by_name(name)
        rows, columns = own.total_height, own.total_width
        if rows * columns > most:
            raise ValueError(f"the sheet {name!r} has {rows:,} rows and {columns:,} columns, more "
                             f"than {most:,} cells: delete empty rows and columns")
        found[name] = rows * columns
    chosen = sheet
    if isinstance(sheet, str) and sheet not in found and sheet.isdigit():
        sheet = int(sheet)
    if isinstance(sheet, int):
        chosen = names[sheet - 1] if 0 < sheet <= len(names) else None
    elif sheet is None:
        full = [name for name in names if found[name] > 1]
        chosen = full[0] if len(full) == 1 else None
    rows = None
    if chosen in found:
        cells = book.get_sheet_by_name(chosen).to_python(skip_empty_area=False)
        rows = [[text(cell) for cell in row] for row in cells]
    print(json.dumps({"sheets": found, "sheet": chosen, "rows": rows}))
except Exception as error:
    print(json.dumps({"error": str(error)}))
"""


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
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"book.{kind}"
        path.write_bytes(source.stream.read())
        if kind == "xlsx" and _is_ods(path):
            path = path.rename(path.with_suffix(".ods"))
        limits = map(str, (MEMORY, SECONDS, CELLS))
        command = [sys.executable, "-I", "-c", _CHILD, str(path), json.dumps(sheet), *limits]
        try:
            done = subprocess.run(command, capture_output=True, timeout=2 * SECONDS, check=False)
            answer = json.loads(done.stdout)
        except (subprocess.TimeoutExpired, ValueError):
            reason = "the workbook is damaged, or needs too much memory or time: save it as CSV"
            raise FormatError(source.name, reason) from None
    if "missing" in answer:
        raise MissingExtraError("reading workbooks", "xlsx")
    if "error" in answer:
        raise FormatError(source.name, f"not a readable workbook ({answer['error'][:300]})")
    sheets = answer["sheets"]
    if answer["rows"] is None:
        names = join_names([repr(name) for name in sheets], 10)
        full = [name for name, cells in sheets.items() if cells > 1]
        if sheet is None and not full:
            raise FormatError(source.name, "all sheets of the workbook are empty")
        what = f"there is no sheet {sheet!r}" if sheet is not None else "choose a sheet (--sheet)"
        raise FormatError(source.name, f"{what}: the workbook has {names}")
    return answer["sheet"], tuple(sheets), answer["rows"]


def _is_ods(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return "content.xml" in archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return False
