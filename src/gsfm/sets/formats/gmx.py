"""GMX: the transpose of GMT. Each column has the name, description and members of a set."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

import polars as pl

from gsfm.errors import FormatError
from gsfm.io.streams import Source
from gsfm.io.text import blocks
from gsfm.sets.formats.cells import LABELS, labels, member_rows, split_weight
from gsfm.sets.formats.raw import Format, Raw, from_lists
from gsfm.sets.genesets import GeneSets


def read(source: Source) -> Raw:
    """Read a GMX file.

    No row of descriptions is a FormatError, and so is a member in a column without a name.
    """
    rows: list[list[str]] = []
    trailing = 0
    for first, block in blocks(source):
        for line, text in enumerate(block[:-1].decode().split("\n"), first):
            # The row of descriptions may be blank; any other blank row is skipped.
            if not text.strip() and len(rows) != 1:
                source.notes.add("blank-lines", line=line)
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
    source.notes.add("trailing-tabs", trailing)
    table = pl.DataFrame(list(zip_longest(*rows[:2], fillvalue="")), LABELS, orient="row")
    # Only the cells that are in the file: all rows as wide as the first could be far too many.
    columns: list[list[str]] = [[] for _ in rows[0]]
    for row in rows[2:]:
        for column, cell in zip(columns, row, strict=False):
            column.append(cell)
    members = []
    for column in columns:
        # Cells below the last member of a column are no gaps.
        n_cells = max((i + 1 for i, cell in enumerate(column) if cell.strip()), default=0)
        members.append([split_weight(cell) for cell in column[:n_cells]])
    weights = [[weight for _, weight in row] for row in members]
    return from_lists(table, [[gene for gene, _ in row] for row in members], weights)


def write(sets: GeneSets, target: str) -> Iterator[bytes]:
    """Write a GMX file; weighted members as ``GENE,1.0``."""
    names, descriptions = labels(sets, target)
    members = member_rows(sets, target)
    for row in (names, descriptions, *zip_longest(*members, fillvalue="")):
        yield ("\t".join(row) + "\n").encode()


FORMATS = (Format("gmx", (".gmx",), read, write, LABELS),)
