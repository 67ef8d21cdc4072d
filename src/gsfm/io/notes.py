"""What reading a file met: every oddity once, with a count and where it first was."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: What each kind of note means, as the summary says it.
KINDS: dict[str, str] = {
    "blank-lines": "blank lines, skipped",
    "byte-order-mark": "byte-order mark at the start, skipped",
    "comments": "comment lines, skipped",
    "duplicate-members": "members that repeat another of their set, merged",
    "duplicate-names": "sets whose name an earlier set has too, all kept",
    "empty-members": "empty fields among the members, skipped",
    "empty-sets": "sets without a member, kept",
    "excel-dates": "cells that Excel turned into dates, read as day and month",
    "latin-1": "lines that are not UTF-8, read as Latin-1",
    "mac-line-ends": "lines ending in a carriage return only",
    "member-columns": "columns that differ within a set, not read",
    "merged-members": "members that proved to be the same gene as another of their set, merged",
    "misleading-suffix": "file whose suffix promises a compression that it has not",
    "no-descriptions": "lines whose second column is a gene, not a description, read as a member",
    "other-sheets": "sheets after the first, not read",
    "padded-members": "identifiers with white space around them, trimmed",
    "trailing-tabs": "lines that end in tabs",
    "unmapped-sets": "sets of which no identifier was mapped, kept empty",
    "unnamed-sets": "sets without a name, named by their position",
    "weighted-members": "members with a weight",
    "windows-line-ends": "lines ending in carriage return and line feed",
}


@dataclass(frozen=True)
class Note:
    """One kind of oddity: how often it was met, and where first."""

    kind: str
    count: int
    example: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        where = f", first in line {self.line}" if self.line is not None else ""
        example = f" ({self.example})" if self.example is not None else ""
        return f"{self.count:,} {KINDS[self.kind]}{where}{example}"


class Notes:
    """Notes in the making: counts add up, the first example stays."""

    def __init__(self) -> None:
        self._notes: dict[str, Note] = {}

    def add(
        self, kind: str, count: int = 1, *, example: str | None = None, line: int | None = None
    ) -> None:
        """Count `count` more of `kind`; nothing happens for a count of 0."""
        assert kind in KINDS
        if count:
            old = self._notes.get(kind)
            self._notes[kind] = (
                Note(kind, int(count), example, line)
                if old is None
                else dataclasses.replace(old, count=old.count + int(count))
            )

    def add_all(self, other: Notes) -> None:
        """Add the notes of a later part of the same file."""
        for note in other.done():
            self.add(note.kind, note.count, example=note.example, line=note.line)

    def done(self) -> tuple[Note, ...]:
        """The notes, by kind."""
        return tuple(self._notes[kind] for kind in sorted(self._notes))


@dataclass(frozen=True)
class ReadReport:
    """What `gsfm.sets.read` met in a file, and what became of its identifiers.

    Attributes
    ----------
    path, format
        The file (or ``"<stdin>"``), and what it was read as.
    n_sets
        Number of sets.
    n_identifiers
        Number of distinct identifiers.
    notes
        Every oddity once.
    mapped
        How many distinct identifiers were mapped in which way; empty if they were not resolved.
    unmapped
        The identifiers that stand for no gene, most frequent first, and in how many sets each is.
    ambiguous
        The same for identifiers that may stand for several genes.

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

    def summary(self) -> str:
        """A few lines of text."""
        lines = [
            f"{self.path}: {_count(self.n_sets, 'set')}, "
            f"{_count(self.n_identifiers, 'identifier')} ({self.format})"
        ]
        lines += [f"  {note}" for note in self.notes]
        if self.mapped:
            ways = ", ".join(f"{count:,} by {way}" for way, count in self.mapped.items() if count)
            lines.append(f"  mapped: {ways}")
        for identifiers, what in (
            (self.unmapped, "not mapped"),
            (self.ambiguous, "ambiguous, left out"),
        ):
            if identifiers:
                first = ", ".join(list(identifiers)[:5])
                more = ", ..." if len(identifiers) > 5 else ""
                lines.append(f"  {_count(len(identifiers), 'identifier')} {what}: {first}{more}")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain dicts and lists, for JSON."""
        return dataclasses.asdict(self)

    def __str__(self) -> str:
        return self.summary()


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'s' * (n != 1)}"
