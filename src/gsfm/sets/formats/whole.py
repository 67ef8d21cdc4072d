"""Tables with a set in each column, or in each row."""

from __future__ import annotations

import dataclasses
import re
from itertools import takewhile, zip_longest

import numpy as np
import polars as pl

from gsfm.genes.columns import Table
from gsfm.io.grid import Grid, is_missing, split_again, unquoted
from gsfm.io.streams import Source
from gsfm.sets.formats.members import matches_of, note_dates, split
from gsfm.sets.formats.raw import Raw, from_lists
from gsfm.sets.formats.roles import members_of

#: The name of a set, a colon, and genes; ``GO:0006281`` is a name.
_COLON = re.compile(r"(.*?\S)\s*:(?:\s+|(?=[A-Za-z]))(.+)", re.DOTALL)


def with_names(source: Source, grid: Grid) -> Grid:
    """Restore the names of sets in rows that were split at a comma or semicolon of the name."""
    if grid.separator not in (",", ";"):
        return grid
    rows = _before_colons(grid.rows, grid.separator)
    if rows is None and grid.separator == ",":
        rows = _before_spaces(grid)
    if rows is None:
        return grid
    grid = dataclasses.replace(grid, rows=rows)
    if all(len(row) == 1 for row in rows):
        return split_again(source, grid, ";")
    return grid


def _before_colons(rows: list[list[str]], separator: str) -> list[list[str]] | None:
    """The cells of rows with a colon between the name and the genes; None for others."""
    found = [_COLON.match(separator.join(row)) for row in rows]
    pairs = [(match[1], match[2].split(separator)) for match in found if match]
    if len(pairs) < len(rows) or "unmapped" in matches_of([cells[0].strip() for _, cells in pairs]):
        return None
    return [[name.strip(), *cells] for name, cells in pairs]


def _before_spaces(grid: Grid) -> list[list[str]] | None:
    """The cells of rows with a space after the commas of names, and none before the genes.

    If all rows have such a cell, it could also be a description, which is a FormatError.
    """
    parts = [
        sum(1 for _ in takewhile(lambda cell: cell.startswith(" "), row[1:])) for row in grid.rows
    ]
    rows = [
        [",".join(row[: n + 1]), *row[n + 1 :]] for row, n in zip(grid.rows, parts, strict=True)
    ]
    if not any(parts) or any(cell.startswith(" ") for row in rows for cell in row[1:]):
        return None
    if any(len(row) == 1 for row in rows):
        # Semicolons separate the genes.
        whole = all(len(row) == 1 and ";" in row[0] for row in rows)
        return rows if whole else None
    if min(parts) == max(parts):
        reason = f"{grid.rows[0][1].strip()!r} could be a description, or a part of the name"
        raise grid.fail(f"{reason}: put quotes around names with commas, or remove the space", 0)
    return rows


def upright(grid: Grid) -> Grid:
    """MSigDB's table of one set has the names of columns in its first column: turn it."""
    if [row[0] for row in grid.rows[:1]] != ["STANDARD_NAME"] or len(grid.rows) < 2:
        return grid
    rows = [list(row) for row in zip_longest(*grid.rows, fillvalue="")]
    return dataclasses.replace(grid, rows=rows, lines=[1] * len(rows))


def of_columns(source: Source, table: Table, grid: Grid) -> Raw:
    """The sets of a table with a set in each column, and its name in the header."""
    rows = grid.rows[table.first_row :]
    columns = [c for c in table.columns if not c.is_ordinal]
    # As in GMX, the first row below the names may have descriptions.
    top = [(c, c.cells[0]) for c in columns if c.header and c.cells]
    described = len(rows) > 1 and all(
        (is_missing(cell) and cell) or (not c.symbols.get(cell) and re.search(r"\s|://", cell))
        for c, cell in top
    )
    # Row by row: short rows are not as wide as the header.
    by_column: list[list[str]] = [[] for _ in range(table.columns[-1].index + 1)]
    for row in rows[described:]:
        for cells, cell in zip(by_column, row, strict=False):
            if cell.strip():
                cells.append(cell)
    members = []
    for column in columns:
        filled = by_column[column.index]
        if filled and not column.header:
            raise grid.fail(f"{filled[0]!r} is in a column without a name", table.first_row)
        members.append(filled)
    found = [(c, m) for c, m in zip(columns, members, strict=True) if c.header]
    if not any(members):
        raise grid.fail("there is a first row, and nothing below it")
    metadata = pl.DataFrame({"name": [c.header for c, _ in found]})
    if described:
        metadata = metadata.with_columns(description=pl.Series([cell for _, cell in top]))
    return from_lists(metadata, _all_genes(source, grid, [cells for _, cells in found]))


def of_rows(source: Source, table: Table, grid: Grid) -> Raw:
    """The sets of a table with a set in each row: its name, perhaps a description, its genes."""
    columns = [c for c in table.columns if not c.is_ordinal]
    genes = table.gene_candidates()
    name = columns[0].index
    described = columns[1].index if columns[1] not in genes else None
    start = (name if described is None else described) + 1
    rows = grid.rows[table.first_row :]
    names = [row[name].strip() for row in rows]
    if all(text.endswith(":") for text in names):
        names = [text[:-1] for text in names]
    metadata = {"name": names}
    if described is not None:
        metadata["description"] = [row[described] if described < len(row) else "" for row in rows]
    members = [[cell for cell in row[start:] if cell.strip()] for row in rows]
    words = {row[0]: i for i, row in enumerate(members) if row and " " in row[0].strip()}
    for cell, match in zip(words, matches_of([unquoted(cell) for cell in words]), strict=True):
        if match == "unmapped" and len(members_of(cell)) == 1:
            reason = f"{cell!r} is no gene: put quotes around names with commas"
            raise grid.fail(reason, table.first_row + words[cell])
    raw = from_lists(pl.DataFrame(metadata), _all_genes(source, grid, members))
    raw.lines = np.array(grid.lines[table.first_row :], np.int64)
    return raw


def _all_genes(source: Source, grid: Grid, members: list[list[str]]) -> list[list[str]]:
    """The genes of each set, of its cells, some of which may have several or are missing."""
    cells = pl.Series([cell for own in members for cell in own], dtype=pl.String)
    note_dates(source.notes, grid, cells)
    parts = dict(
        zip(
            cells.unique(maintain_order=True),
            split(cells.unique(maintain_order=True)),
            strict=True,
        )
    )
    return [
        [gene for cell in own if not is_missing(cell) for gene in parts[cell]] for own in members
    ]
