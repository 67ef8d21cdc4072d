"""The genes of the cells of a table: cells with several genes, and dates in place of genes."""

from __future__ import annotations

import polars as pl

from gsfm.genes import resolve
from gsfm.io.grid import Grid
from gsfm.io.notes import Notes
from gsfm.sets.formats.roles import members_of

#: Characters of a cell that has several genes, and a date that a spreadsheet made of one.
SEVERAL = r"[\s;,|/\[\](){}]"
_DATE = r"^\d{4}-\d{2}-\d{2}$"


def note_dates(notes: Notes, grid: Grid, cells: pl.Series) -> None:
    """Note the cells of a workbook that are dates."""
    dates = cells.filter(cells.str.contains(_DATE).fill_null(False))
    if grid.sheet is not None and len(dates):
        notes.add("excel-dates", len(dates), example=dates[0])


def split(cells: pl.Series, *, spaces: bool = False) -> list[list[str]]:
    """The genes of each of distinct cells; a cell that is an identifier is not split."""
    found = {cell: members_of(cell, spaces=spaces) for cell in cells}
    several = [cell for cell, parts in found.items() if parts != [cell]]
    if several:
        matches = matches_of(several)
        whole = [c for c, match in zip(several, matches, strict=True) if match != "unmapped"]
        found.update({cell: [cell] for cell in whole})
    return list(found.values())


def matches_of(identifiers: list[str]) -> list[str]:
    """The kind of match of each identifier."""
    return resolve(identifiers).table["match"].to_list()
