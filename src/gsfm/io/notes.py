"""Notes on irregularities of a file: each kind once, with a count and the first example."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gsfm.errors import count, join_names

#: The text of each kind of note in a summary.
KINDS: dict[str, str] = {
    "blank-lines": "blank lines, skipped",
    "byte-order-mark": "byte-order marks at the start of a line, skipped",
    "comments": "comment lines, skipped",
    "duplicate-members": "members that occur more than once in their set, merged",
    "duplicate-names": "sets with the name of an earlier set, all kept",
    "empty-members": "empty fields among the members, skipped",
    "empty-sets": "sets without a member, kept",
    "excel-dates": "cells that Excel turned into dates, read as day and month",
    "latin-1": "lines that are not UTF-8, read as Latin-1",
    "looks-foreign": "sign of another species",
    "mac-line-ends": "lines that end in a carriage return only",
    "member-columns": "columns that differ within a set, not read",
    "merged-members": "members that are the same gene as another one of their set, merged",
    "misleading-suffix": "file whose suffix names a compression, but which is not compressed",
    "no-descriptions": "lines whose second column is a gene, not a description, read as a member",
    "no-gene": "rows without a gene, left out",
    "no-set": "rows without the name of a set, left out",
    "other-files": "other files of the archive, not read",
    "other-species": "rows of other species, left out",
    "padded-members": "identifiers with white space around them, trimmed",
    "several-genes": "cells with several genes, split",
    "several-species": "kinds of species in one table, all read; --species chooses",
    "trailing-tabs": "lines that end in tabs",
    "unmapped-sets": "sets without a mapped identifier, kept empty",
    "unnamed-sets": "sets without a name, named by their position",
    "weighted-members": "members with a weight",
    "utf-16": "text in UTF-16, converted",
    "windows-line-ends": "lines that end in a carriage return and a line feed",
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
        return f"{self.count:,} {KINDS[self.kind]}{where}{example}"


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
