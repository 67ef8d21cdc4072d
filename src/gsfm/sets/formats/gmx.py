"""GMX: the transpose of GMT. Each column has the name, description and members of a set."""

from __future__ import annotations

from itertools import zip_longest
from typing import BinaryIO

from gsfm.errors import FormatError
from gsfm.io.notes import Notes
from gsfm.io.streams import Source
from gsfm.io.text import blocks
from gsfm.sets.formats.cells import labels, member_rows, split_weights
from gsfm.sets.formats.raw import Raw, from_lists, labels_table
from gsfm.sets.genesets import GeneSets


def read_gmx(source: Source) -> Raw:
    """Read a GMX file.

    Raises
    ------
    FormatError
        If there is no row of descriptions, or a column without a name has a member.
    """
    notes = Notes()
    rows: list[list[str]] = []
    trailing = 0
    for first, block in blocks(source, notes):
        for line, text in enumerate(block[:-1].decode().split("\n"), first):
            # The row of descriptions may be blank; any other blank row is skipped.
            if not text.strip() and len(rows) != 1:
                notes.add("blank-lines", line=line)
                continue
            cells = text.split("\t")
            width = len(rows[0] if rows else text.rstrip("\t").split("\t"))
            for cell in filter(str.strip, cells[width:]):
                reason = f"{cell!r} is in a column without a name; each column is a set"
                raise FormatError(source.name, reason, line=line)
            trailing += len(cells) > width
            rows.append(cells[:width])
    if len(rows) < 2:
        raise FormatError(source.name, "GMX needs a row of names and a row of descriptions")
    notes.add("trailing-tabs", trailing)
    names, descriptions, *cells_by_row = rows
    columns = list(zip_longest([""] * len(names), *cells_by_row, fillvalue=""))
    members = []
    for column in columns:
        # Cells below the last member of a column are no gaps.
        filled = [i for i, cell in enumerate(column) if cell.strip()]
        members.append(list(column[1 : filled[-1] + 1]) if filled else [])
    descriptions += [""] * (len(names) - len(descriptions))
    plain, weights = split_weights(members, notes)
    return from_lists(labels_table(names, descriptions), plain, weights, notes)


def write_gmx(sets: GeneSets, stream: BinaryIO, target: str) -> None:
    """Write a GMX file; weighted members as ``GENE,1.0``."""
    names, descriptions = labels(sets, target)
    members = list(member_rows(sets, target))
    for row in (names, descriptions, *zip_longest(*members, fillvalue="")):
        stream.write(("\t".join(row) + "\n").encode())
