"""Notes on irregularities of a file: each kind once, with a count and the first example."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gsfm.errors import count, join_names

#: What each kind of note counts, in the singular, and the rest of its text.
KINDS: dict[str, tuple[str, str]] = {
    "blank-lines": ("blank line", ", skipped"),
    "byte-order-mark": ("byte-order mark", " at the start of a line, skipped"),
    "comments": ("comment line", ", skipped"),
    "duplicate-members": ("member", " repeated in the same set, merged"),
    "duplicate-names": ("set", " with the name of an earlier set, all kept"),
    "empty-members": ("empty field", " among the members, skipped"),
    "empty-sets": ("set", " without a member, kept"),
    "excel-dates": ("cell", " turned into a date by Excel, read as day and month"),
    "latin-1": ("line", " not in UTF-8, read as Latin-1"),
    "looks-foreign": ("sign", " of another species"),
    "mac-line-ends": ("line", " ending in a carriage return only"),
    "member-columns": ("column", " with several values within a set, not read"),
    "merged-members": ("member", " of the same gene as another one of the set, merged"),
    "misleading-suffix": ("file", " with the suffix of a compression, but not compressed"),
    "no-descriptions": ("line", " with a gene in the place of the description, read as a member"),
    "negated": ("row", " that negates an annotation (NOT), left out"),
    "no-gene": ("row", " without a gene, left out"),
    "no-set": ("row", " without the name of a set, left out"),
    "other-files": ("other file", " of the archive, not read"),
    "other-sheets": ("other sheet", " of the workbook, not read"),
    "other-species": ("row", " of another species, left out"),
    "padded-members": ("identifier", " with white space around it, trimmed"),
    "several-genes": ("cell", " with several genes, split"),
    "several-species": ("group", " of species in one table, all read; --species chooses"),
    "trailing-tabs": ("line", " ending in tabs"),
    "unmapped-sets": ("set", " without a mapped identifier, kept empty"),
    "unnamed-sets": ("set", " without a name, named by position"),
    "weighted-members": ("member", " with a weight"),
    "utf-16": ("text", " in UTF-16 or UTF-32, converted"),
    "windows-line-ends": ("line", " ending in a carriage return and a line feed"),
}


@dataclass(frozen=True)
class Note:
    """One kind of irregularity: how often it occurred, and where it occurred first."""

    kind: str
    count: int
    example: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        where = f", first in line {self.line}" if self.line is not None else ""
        example = f" ({self.example})" if self.example is not None else ""
        noun, rest = KINDS[self.kind]
        return f"{count(self.count, noun)}{rest}{where}{example}"


class Notes:
    """A collector of notes: counts add up, and the first example is kept."""

    def __init__(self) -> None:
        self._notes: dict[str, Note] = {}

    def add(
        self, kind: str, count: int = 1, *, example: str | None = None, line: int | None = None
    ) -> None:
        """Add `count` occurrences of `kind`; a count of 0 adds nothing."""
        assert kind in KINDS
        if count:
            old = self._notes.get(kind, Note(kind, 0, example, line))
            self._notes[kind] = dataclasses.replace(old, count=old.count + int(count))

    def add_all(self, notes: Iterable[Note]) -> None:
        """Add the notes of a later part of the same file."""
        for note in notes:
            self.add(**dataclasses.asdict(note))

    def done(self) -> tuple[Note, ...]:
        """The notes, by kind."""
        return tuple(self._notes[kind] for kind in sorted(self._notes))


@dataclass(frozen=True)
class ReadReport:
    """What `gsfm.sets.read` found in a file, and how the identifiers were mapped.

    Attributes
    ----------
    path, format
        The file (or ``"<stdin>"``), and the format that it was read as.
    n_sets
        Number of sets.
    n_identifiers
        Number of distinct identifiers.
    notes
        The irregularities, each kind once.
    mapped
        The number of distinct identifiers by kind of match; empty if they were not resolved.
    unmapped
        The identifiers without a gene and the number of sets of each, most frequent first.
    ambiguous
        The same for identifiers that match several genes.
    sheet, layout
        The sheet of a workbook, and which columns of a table, or files of an archive, were read.

    Examples
    --------
    >>> report = ReadReport("a.gmt", "gmt", n_sets=2, n_identifiers=9, unmapped={"NOPE": 1})
    >>> print(report.summary())
    a.gmt: 2 sets, 9 identifiers (gmt)
      1 identifier not mapped: NOPE
    """

    path: str
    format: str
    n_sets: int
    n_identifiers: int
    notes: tuple[Note, ...] = ()
    mapped: Mapping[str, int] = field(default_factory=dict)
    unmapped: Mapping[str, int] = field(default_factory=dict)
    ambiguous: Mapping[str, int] = field(default_factory=dict)
    sheet: str | None = None
    layout: str | None = None

    def summary(self) -> str:
        """A few lines of text."""
        size = f"{count(self.n_sets, 'set')}, {count(self.n_identifiers, 'identifier')}"
        where = self.path + (f", sheet {self.sheet!r}" if self.sheet is not None else "")
        form = self.format + (f": {self.layout}" if self.layout else "")
        lines = [f"{where}: {size} ({form})", *(f"  {note}" for note in self.notes)]
        if self.mapped:
            ways = ", ".join(f"{count:,} by {way}" for way, count in self.mapped.items() if count)
            lines.append(f"  mapped: {ways}")
        for what, found in (("not mapped", self.unmapped), ("ambiguous, excluded", self.ambiguous)):
            if found:
                lines.append(f"  {count(len(found), 'identifier')} {what}: {join_names(found)}")
        return "\n".join(lines)

    __str__ = summary

    def to_dict(self) -> dict[str, Any]:
        """The report as plain dicts and lists, for JSON."""
        return dataclasses.asdict(self)
