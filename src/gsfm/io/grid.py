"""Lists and tables as rows of cells, from text with any separator or a sheet of a workbook."""

from __future__ import annotations

import collections
import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from gsfm.errors import FormatError
from gsfm.io import foreign, workbook
from gsfm.io.notes import Note
from gsfm.io.streams import open_source
from gsfm.io.text import lines

#: The separators of tables, in order of preference. A space stands for any white space.
SEPARATORS = ("\t", ";", ",", "|", " ")
NAMES = {"\t": "tab", ";": "semicolon", ",": "comma", "|": "bar", " ": "white space"}
_QUOTES = "\"'\u2018\u2019\u201c\u201d"
#: Lines from which the separator is inferred.
_SAMPLE = 500
#: The share of the lines that must have the same number of cells.
_SAME = 0.9


@dataclass(frozen=True)
class Grid:
    """The cells of a list or a table, without quotes and white space around them.

    Attributes
    ----------
    name
        The file, for messages.
    rows, lines
        The rows that are not blank, and the 1-based line or row of each.
    separator
        The separator of the cells; None if the rows are lines of text without one, or the file is
        a workbook.
    sheet, sheets
        The sheet of a workbook, and the names of all its sheets.
    notes
        Irregularities of the file.
    """

    name: str
    rows: list[list[str]]
    lines: list[int]
    separator: str | None = None
    sheet: str | None = None
    sheets: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def width(self) -> int:
        """The usual number of cells of a row."""
        counts = collections.Counter(map(len, self.rows))
        return max(counts, key=lambda width: (counts[width], width))

    @property
    def is_table(self) -> bool:
        """Whether it has several columns."""
        return self.width > 1

    def fail(self, reason: str, row: int | None = None) -> FormatError:
        """The error of this file, at a row."""
        where = f"sheet {self.sheet!r}: " if self.sheet is not None else ""
        line = None if row is None else self.lines[row]
        return FormatError(self.name, where + reason, line=line)


def read_grid(path: str | Path | BinaryIO, *, sheet: str | int | None = None) -> Grid:
    """Read a list or a table, whatever its separator, quotes and encoding.

    Parameters
    ----------
    path
        A text file or a workbook (XLSX, XLS, ODS), ``-`` for standard input, or a binary stream;
        may be in gzip, zstd or zip.
    sheet
        The name of a sheet of a workbook, or its 1-based number. By default the only sheet with
        more than one cell.

    Raises
    ------
    FormatError
        If the file is empty, not text, of a format that is neither a list nor a table, or a
        workbook with several sheets of which none is chosen.
    """
    with open_source(path) as source:
        kind = workbook.kind_of(source.stream.peek(8))
        if kind is not None:
            name, sheets, cells = workbook.read(source, kind, sheet)
            return _of_rows(source.name, enumerate(cells, 1), sheet=name, sheets=sheets)
        if sheet is not None:
            raise FormatError(source.name, f"this is no workbook, so there is no sheet {sheet!r}")
        foreign.refuse(source)
        numbered = list(lines(source))
        notes = source.notes.done()
        name = source.name
    return _of_text(name, numbered, notes)


def _of_text(name: str, numbered: list[tuple[int, str]], notes: tuple[Note, ...]) -> Grid:
    numbered = [(n, text) for n, text in numbered if not _is_comment(text)]
    if not numbered:
        raise FormatError(name, "it contains no identifier: write one in each line")
    literal = _literal(" ".join(text for _, text in numbered[:_SAMPLE]), len(numbered))
    if literal is not None:
        rows = [(numbered[0][0], [item]) for item in literal]
        return _of_rows(name, rows, notes=notes)
    texts = [text for _, text in numbered]
    separator = infer_separator(texts[:_SAMPLE])
    if separator is None:
        return _of_rows(name, ((n, [text]) for n, text in numbered), notes=notes)
    return _of_rows(name, _split_lines(numbered, separator), separator=separator, notes=notes)


def _of_rows(
    name: str,
    numbered: Iterable[tuple[int, Sequence[str]]],
    *,
    separator: str | None = None,
    sheet: str | None = None,
    sheets: tuple[str, ...] = (),
    notes: tuple[Note, ...] = (),
) -> Grid:
    trimmed = [(n, [unquoted(cell) for cell in row]) for n, row in numbered]
    full = [(n, row) for n, row in trimmed if any(row)]
    if not full:
        raise FormatError(name, "it contains no identifier: all cells are empty")
    return Grid(
        name, [row for _, row in full], [n for n, _ in full], separator, sheet, sheets, notes
    )


def unquoted(cell: str) -> str:
    """Remove white space and quotes around a cell."""
    return cell.strip().strip(_QUOTES).strip()


def _is_comment(text: str) -> bool:
    """A comment line, or the title of a GRP or GMX file; a header may begin with ``#name``."""
    return text.startswith(("#", ">")) and not (text[1:2].isalpha() and "\t" in text)


def _split_lines(
    numbered: list[tuple[int, str]], separator: str
) -> Iterator[tuple[int, list[str]]]:
    """The cells of each record; a quoted cell may contain separators and line ends."""
    if separator == " ":
        yield from ((n, text.split()) for n, text in numbered)
        return
    if not any('"' in text for _, text in numbered):
        yield from ((n, text.lstrip("#").split(separator)) for n, text in numbered)
        return
    reader = csv.reader((text.lstrip("#") + "\n" for _, text in numbered), delimiter=separator)
    start = 0
    for row in reader:
        yield numbered[start][0], row
        start = reader.line_num


def infer_separator(texts: Sequence[str]) -> str | None:
    """The separator of a table; None if the lines have no columns in common.

    The separator gives nearly all lines the same number of cells, and at least two. The first line
    may have one cell less: R writes a header without a name for the column of row names. One line
    alone is a list.

    Examples
    --------
    >>> infer_separator(["gene;logFC", "TP53;0,25"]), infer_separator(["TP53, MDM2", "BAX"])
    (';', None)
    """
    if len(texts) < 2:
        return None
    for separator in SEPARATORS:
        numbered = list(enumerate(texts))
        widths = [len(row) for _, row in _split_lines(numbered, separator)]
        if len(widths) < 2:
            continue
        counts = collections.Counter(widths[1:])
        width = max(counts, key=lambda n: (counts[n], n))
        first = widths[0] in (width, width - 1)
        if width > 1 and first and counts[width] >= _SAME * (len(widths) - 1):
            return separator
    return None


_LITERAL = re.compile(
    r"^\s*(?:\w+\s*(?:<-|=)\s*)?(?:c|list|set|tuple)?\s*[\[({](.*)[\])}]\s*;?\s*$", re.DOTALL
)
_QUOTED = re.compile(r"""(["'])(.*?)\1""")


def _literal(text: str, n_lines: int) -> list[str] | None:
    """The items of a vector of R or a list of Python, pasted as text; None if it is neither."""
    if n_lines > _SAMPLE or (
        text.lstrip()[:1] not in "c[({lst" and "<-" not in text[:40] and "=" not in text[:40]
    ):
        return None
    found = _LITERAL.match(text)
    if found is None:
        return None
    quoted = [item for _, item in _QUOTED.findall(found[1])]
    return quoted or [item for part in found[1].split(",") if (item := part.strip())]
