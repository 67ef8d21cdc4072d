"""Lists and tables as rows of cells, from text with any separator or a sheet of a workbook."""

from __future__ import annotations

import collections
import contextlib
import csv
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from gsfm.errors import FormatError, join_names
from gsfm.io import foreign, workbook
from gsfm.io.notes import Note, Notes
from gsfm.io.streams import Source, open_source
from gsfm.io.text import blocks

#: The separators of tables, in order of preference. A space stands for any white space.
SEPARATORS = ("\t", ";", ",", "|", " ")
NAMES = {"\t": "tab", ";": "semicolon", ",": "comma", "|": "bar", " ": "white space"}
#: Errors of formulas in spreadsheets, in English, German and French.
_ERRORS = (
    *("#N/A", "#VALUE!", "#DIV/0!", "#REF!", "#NAME?", "#NUM!", "#NULL!"),
    *("#NV", "#WERT!", "#BEZUG!", "#ZAHL!", "#VALEUR!", "#NOMBRE!"),
)
#: Texts for a missing value, in upper case. NA was once the symbol of XK; NaN, a name of SCN11A.
MISSING = ("", "-", "--", ".", "NA", "N/A", "NAN", "<NA>", "NULL", "NONE", *_ERRORS)
_QUOTES = "\"'\u2018\u2019\u201c\u201d"
#: Lines from which the separator is inferred.
_SAMPLE = 500
#: The share of the lines that must have the same number of cells.
_SAME = 0.9
#: Characters of a cell: the limit of the csv module is smaller than a large set.
_MOST_CHARACTERS = 1 << 26


@dataclass(frozen=True)
class Grid:
    """The cells of a list or a table, as they are in the file.

    Attributes
    ----------
    name
        The file, for messages.
    rows, lines
        The rows that are not blank, and the 1-based line or row of each.
    separator
        The separator of the cells; None if the rows are lines of text without one, or the file is
        a workbook.
    sheet
        The sheet of a workbook.
    notes
        Irregularities of the file.
    """

    name: str
    rows: list[list[str]]
    lines: list[int]
    separator: str | None = None
    sheet: str | None = None
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


def read_grid(
    path: str | Path | BinaryIO,
    *,
    sheet: str | int | None = None,
    prefer: Callable[[Grid], bool] | None = None,
) -> Grid:
    """Read a list or a table, whatever its separator, quotes and encoding.

    Parameters
    ----------
    path
        A text file or a workbook (XLSX, XLS, ODS), ``-`` for standard input, or a binary stream;
        may be in gzip, zstd or zip.
    sheet
        The name of a sheet of a workbook, or its 1-based number. By default the only sheet with
        more than one cell that is not hidden.
    prefer
        Of several such sheets, the only one for which this is true is read.

    Raises
    ------
    FormatError
        If the file is empty, not text, of a format that is neither a list nor a table, or a
        workbook with several sheets of which none is chosen.
    """
    with open_source(path) as source:
        foreign.refuse(source)
        return grid_of(source, sheet=sheet, prefer=prefer)


def grid_of(
    source: Source,
    *,
    sheet: str | int | None = None,
    separators: Sequence[str] | None = None,
    prefer: Callable[[Grid], bool] | None = None,
) -> Grid:
    """Read a list or a table from an open file, as `read_grid`.

    With `separators`, the file is a table, and has one of them: the first, if none fits.
    """
    kind = workbook.kind_of(source.stream.peek(8))
    if kind is not None:
        sheets, cells = workbook.read(source, kind, sheet)
        name = _one_of(source, sheets, cells, prefer)
        others = [other for other in sheets if other != name and sheet is None]
        source.notes.add("other-sheets", len(others), example=join_names(others, 5))
        return _of_rows(source, enumerate(cells[name], 1), sheet=name)
    if sheet is not None:
        raise FormatError(source.name, f"this is no workbook, so there is no sheet {sheet!r}")
    numbered = [
        (line, text)
        for first, block in blocks(source)
        if block.strip()  # not a megabyte of line breaks
        for line, text in enumerate(block[:-1].decode().split("\n"), first)
    ]
    if numbered and numbered[0][1] == "<Header>":  # RCC of NanoString: one of its parts
        marks = [i for i, (_, text) in enumerate(numbered) if text.endswith("Code_Summary>")]
        numbered = numbered[marks[0] + 1 : marks[1]] if len(marks) == 2 else numbered
    content = [text for _, text in numbered if text.strip() and not _is_comment(text)]
    if not content:
        raise FormatError(source.name, "it contains no identifier: write one in each line")
    if _PRINTED.match(content[0]):  # a factor has its levels below
        content = [text for text in content if not text.startswith("Levels:")]
    if all(map(_PRINTED.match, content)):  # a vector, as R prints it
        items = itertools.chain(*(_PRINTED.sub("", text).split() for text in content))
        return _of_rows(source, [(1, [item]) for item in items])
    literal = _literal(" ".join(content[:_SAMPLE]), len(content))
    if literal is not None:
        return _of_rows(source, [(1, [item]) for item in literal])
    first = next(i for i, (_, text) in enumerate(numbered) if text == content[0])
    sample = [text for _, text in numbered[first : first + _SAMPLE]]
    separator = infer_separator(sample, separators or SEPARATORS)
    if separator is None and separators is not None:
        separator = separators[0]
    return _of_rows(
        source, _records(source.name, source.notes, numbered, separator), separator=separator
    )


def _one_of(
    source: Source,
    sheets: tuple[str, ...],
    cells: dict[str, list[list[str]]],
    prefer: Callable[[Grid], bool] | None,
) -> str:
    """The sheet to read: the only one, or the only one that is preferred."""
    found = list(cells)
    if len(found) > 1 and prefer is not None:
        grids = {name: [row for row in cells[name] if _has_text(row)] for name in cells}
        found = [
            name
            for name, rows in grids.items()
            if rows and prefer(Grid(source.name, rows, [*range(len(rows))], sheet=name))
        ]
    if len(found) != 1:
        names = join_names([repr(name) for name in sheets], 10)
        raise FormatError(source.name, f"choose a sheet (--sheet): the workbook has {names}")
    return found[0]


def split_again(source: Source, grid: Grid, separator: str) -> Grid:
    """The grid of a file whose lines have no number of cells in common, with a separator."""
    numbered = [(line, row[0]) for line, row in zip(grid.lines, grid.rows, strict=True)]
    return _of_rows(
        source, _records(source.name, source.notes, numbered, separator), separator=separator
    )


def _of_rows(
    source: Source,
    numbered: Iterable[tuple[int, list[str]]],
    *,
    separator: str | None = None,
    sheet: str | None = None,
) -> Grid:
    rows: list[list[str]] = []
    lines: list[int] = []
    for line, row in numbered:
        if _has_text(row):
            rows.append(row)
            lines.append(line)
        else:
            source.notes.add("blank-lines", line=line)
    if not rows:
        raise FormatError(source.name, "it contains no identifier: all cells are empty")
    return Grid(source.name, rows, lines, separator, sheet, source.notes.done())


def _has_text(row: Sequence[str]) -> bool:
    """Whether a row is not blank, nor a mere line of ``---`` or ``+++``."""
    text = "".join(row).strip()
    return any(map(str.isalnum, text)) or (0 < len(text) < 3 and text not in ("..", "\u2022"))


def unquoted(cell: str) -> str:
    """Remove white space and quotes around a cell, also of a formula ``="TP53"``."""
    text = cell.strip()
    return (text[1:] if text.startswith('="') else text).strip(_QUOTES).strip()


def is_missing(cell: str) -> bool:
    """Whether a cell stands for a missing value."""
    return cell.upper() in MISSING


def _is_comment(text: str, notes: Notes | None = None, line: int | None = None) -> bool:
    """A comment line, or the title of a GRP or GMX file; a header may begin with ``#name``.

    A row of a table may begin with ``#N/A`` or ``>0.05``.
    """
    is_row = text.upper().startswith(_ERRORS) or (text[1:2].isdigit() and text.startswith(">"))
    named = text[1:2].isalpha() and "\t" in text
    found = text.startswith(("#", ">")) and not (is_row or named)
    if found and notes is not None:
        notes.add("comments", example=text.strip("#> ")[:60] or None, line=line)
    return found


def _records(
    path: str, notes: Notes, numbered: Sequence[tuple[int, str]], separator: str | None
) -> Iterator[tuple[int, list[str]]]:
    """The cells of each record, without comments; a quoted cell may have separators, line ends."""
    if separator is not None and any('"' in text for _, text in numbered):
        try:
            yield from list(_quoted(notes, numbered, separator))
        except csv.Error as error:
            if separator != "\t":
                reason = f"the quotes do not match ({error}): correct them"
                raise FormatError(path, reason, line=numbered[-1][0]) from error
        else:
            return
    for line, text in numbered:
        if not _is_comment(text, notes, line):
            yield line, [text] if separator is None else _cells(text, separator)


def _cells(text: str, separator: str) -> list[str]:
    return text.split() if separator == " " else text.split(separator)


def _quoted(
    notes: Notes, numbered: Iterable[tuple[int, str]], separator: str
) -> Iterator[tuple[int, list[str]]]:
    """The cells of each record of a table with quotes."""
    started: list[int] = []

    def texts() -> Iterator[str]:
        for line, text in numbered:
            # An odd number of quotes: the record goes on in the next line.
            if not odd[0] and _is_comment(text, notes, line):
                continue
            started.append(line)
            odd[0] ^= text.count('"') % 2 == 1
            yield (" ".join(text.split()) if spaces else text) + "\n"

    odd, spaces = [False], separator == " "
    csv.field_size_limit(_MOST_CHARACTERS)
    for row in csv.reader(texts(), delimiter=separator, strict=True):
        yield started[0], row
        started.clear()


def infer_separator(texts: Sequence[str], separators: Sequence[str] = SEPARATORS) -> str | None:
    """The separator of a table; None if the lines have no columns in common.

    The separator gives nearly all lines the same number of cells, and at least two. The first line
    may have one cell less: R writes a header without a name for the column of row names. One line
    alone is a list.

    Examples
    --------
    >>> infer_separator(["gene;logFC", "TP53;0,25"]), infer_separator(["TP53, MDM2", "BAX"])
    (';', None)
    """
    widths = {s: _widths(_below_titles(texts, s), s) for s in separators}
    found = [s for s in separators if _fits(widths[s])]
    # A header with one cell less, or white space, explains a table only if nothing else does.
    exact = [s for s in found if s != " " and widths[s][0] == _usual(widths[s])]
    order = exact + found
    return next((s for s in order if _quotes_match(texts, s)), next(iter(order), None))


def _quotes_match(texts: Sequence[str], separator: str) -> bool:
    """Whether quotes end before a separator; those of the last record may be cut."""
    rest = iter(enumerate(texts))
    try:
        collections.deque(_quoted(Notes(), rest, separator), maxlen=0)
    except csv.Error:
        return next(rest, None) is None
    return True


def _below_titles(texts: Sequence[str], separator: str) -> Sequence[str]:
    """The lines below the titles, which have several words, and none of the separators.

    Above tabs, a title may have commas and the like: no header of a table with tabs has none. Above
    semicolons and bars, it may have commas before spaces, unless the last line has such, too.
    """
    if separator == " ":
        return texts
    marks = set(separator if separator == "\t" else SEPARATORS[:-1])
    has_prose = separator in (";", "|") and not any(", " in text for text in texts[-1:])

    def is_title(text: str) -> bool:
        text = text.replace(", ", " ") if has_prose else text
        return marks.isdisjoint(text) and (" " in text.strip() or not text.strip())

    return texts[len(list(itertools.takewhile(is_title, texts))) :]


def _fits(widths: Sequence[int]) -> bool:
    """Whether nearly all records have the same number of cells."""
    if len(widths) < 2:
        return False
    width = _usual(widths)
    same = widths[1:].count(width) >= _SAME * (len(widths) - 1)
    return width > 1 and same and widths[0] in (width, width - 1)


def _usual(widths: Sequence[int]) -> int:
    """The usual number of cells of the records below the first one."""
    counts = collections.Counter(widths[1:])
    return max(counts, key=lambda n: (counts[n], n))


def _widths(texts: Sequence[str], separator: str) -> list[int]:
    """The number of cells of each record of a sample; its last record may be cut."""
    widths: list[int] = []
    if any('"' in text for text in texts):
        with contextlib.suppress(csv.Error):
            for _, row in _quoted(Notes(), enumerate(texts), separator):
                if row:
                    widths.append(len(row))
    if len(widths) > 1:
        return widths
    content = (text for text in texts if text.strip() and not _is_comment(text))
    return [len(_cells(text, separator)) for text in content]


_PRINTED = re.compile(r"\s*\[\d+\]\s")
_LITERAL = re.compile(
    r"^\s*(?:\w+\s*(?:<-|=)\s*)?(?:c|list|set|tuple)?\s*[\[({](.*)[\])}]\s*;?\s*$", re.DOTALL
)
#: An array of NumPy or an index of pandas, as Python prints it.
_WRAPPED = re.compile(r"\s*(?:array|Index)\(\s*(\[[^\]]*\])[^\]]*\)\s*")
_QUOTED = re.compile(r"""(["'])(.*?)\1""")


def _literal(text: str, n_lines: int) -> list[str] | None:
    """The items of a vector of R or a list of Python, pasted as text; None if it is neither."""
    if wrapped := _WRAPPED.fullmatch(text):
        text = wrapped[1]
    if n_lines > _SAMPLE or (
        text.lstrip()[:1] not in "c[({lst" and "<-" not in text[:40] and "=" not in text[:40]
    ):
        return None
    found = _LITERAL.match(text)
    if found is None:
        return None
    quoted = [item for _, item in _QUOTED.findall(found[1])]
    return quoted or [item for part in found[1].split(",") if (item := part.strip())]
