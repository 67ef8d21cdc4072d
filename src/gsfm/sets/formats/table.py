"""Tables of gene sets, of text or a workbook: how their layout is found and read."""

from __future__ import annotations

import dataclasses

import polars as pl

from gsfm.genes.columns import GENE_HEADERS, LEAST, Column, Table, plain
from gsfm.io.grid import MISSING, Grid, grid_of, split_again, unquoted
from gsfm.io.limits import is_sparse
from gsfm.io.notes import Notes
from gsfm.io.streams import Source
from gsfm.sets.formats import whole
from gsfm.sets.formats.long import GENE, NAME, ROW, sets_of_rows
from gsfm.sets.formats.members import note_dates
from gsfm.sets.formats.raw import Raw
from gsfm.sets.formats.roles import (
    LIBRARIES,
    Choice,
    Long,
    layout_of,
    members_of,
    without_brackets,
)

#: Rows by which the columns are recognized.
_SAMPLE = 5000
#: Cells of these rows, if all were as wide as the widest.
_CELLS = 250_000
#: The words by which tables of markers name the species.
_SPECIES = {"human": r"\b(hs|human|homo)\b", "mouse": r"\b(mm|mouse|mus)\b", "rat": r"\b(rn|rat)"}


def read(source: Source, choice: Choice, separators: str | None = None) -> Raw:
    """Read the gene sets of a table: of text with one of `separators`, or a sheet of a workbook.

    A row has a set and a gene, or several; or each row, or each column, is a set. Anything else is
    a FormatError that says what it is.
    """
    grid = grid_of(source, sheet=choice.sheet, separators=separators)
    if not grid.is_table and separators is None:
        grid = _ragged(source, grid)
    return of_grid(source, grid, choice)


def of_grid(source: Source, grid: Grid, choice: Choice) -> Raw:
    """Read the gene sets of a grid of cells, as `read`."""
    grid = whole.upright(whole.with_names(source, grid))
    # The first rows show what the columns are.
    widest = max(map(len, grid.rows[:_SAMPLE]))
    n_rows = min(_SAMPLE, max(20, _CELLS // widest))
    first = [list(map(without_brackets, row)) for row in grid.rows[:n_rows]]
    width = max(i + 1 for row in first for i, cell in enumerate(row) if cell.strip())
    if Column(0, "", first[0][1:]).share >= LEAST:  # a set, not a header with one cell less
        first[0] += [""] * (width - len(first[0]))
    elif len(first[0]) + 1 < width and plain(first[0][-1]) in GENE_HEADERS:
        # One name for all cells with genes.
        first[0][-1:] = [f"{first[0][-1]} {i}" for i in range(width - len(first[0]) + 1)]
    table = Table.of(dataclasses.replace(grid, rows=first), choice.species, width=width)
    layout = layout_of(table, choice)
    if isinstance(layout, Long):
        if grid.separator == " ":
            _check_spaces(grid, layout.gene)
        raw = _of_long(source, table, grid, layout, choice)
    else:
        raw = (whole.of_columns if layout == "columns" else whole.of_rows)(source, table, grid)
        raw.layout = f"a set in each {layout.removesuffix('s')}"
    raw.sheet = grid.sheet
    return raw


def _ragged(source: Source, grid: Grid) -> Grid:
    """The lines of a file that do not have the same number of cells, split into cells."""
    texts = [row[0] for row in grid.rows]
    for separator in ("\t", ";", ","):
        if grid.sheet is None and sum(separator in text for text in texts) >= 0.9 * len(texts):
            return split_again(source, grid, separator)
    reason = "this is a list of genes, not gene sets: give it to gsfm complete or enrich"
    raise grid.fail(f"{reason}, or read it as one set (--from grp)")


def _check_spaces(grid: Grid, genes: Column) -> None:
    """Refuse sets with commas between the genes, and spaces in their names: ``G2 arrest,TP53``."""
    several = [parts[0] for cell in genes.cells if len(parts := members_of(cell)) > 1]
    firsts = Column(0, "", several, known=genes.known)
    if several and (firsts.is_ordinal or firsts.share < LEAST):
        reason = (
            f"it is not clear whether commas or spaces separate its cells ({firsts.cells[0]!r})"
        )
        raise grid.fail(f"{reason}: put quotes around names with spaces, or write GMT")


def _of_long(source: Source, table: Table, grid: Grid, long: Long, choice: Choice) -> Raw:
    rows, lines = grid.rows[table.first_row :], grid.lines[table.first_row :]
    if not rows:
        raise grid.fail("there is a header, and no row below it")
    header = grid.rows[table.first_row - 1] if table.header_line is not None else None
    if header in rows:  # parts with a title and a header each, as DAVID writes clusters
        at = long.gene.index
        kept = [i for i, row in enumerate(rows) if row != header and any(row[at : at + 1])]
        source.notes.add("no-gene", len(rows) - len(kept))
        rows, lines = [rows[i] for i in kept], [lines[i] for i in kept]
    named = [c.index + 1 for c in table.columns if c.header]
    width = max(named) if table.header_line is not None and named else len(table.columns)
    for i, row in enumerate(rows):
        if len(row) > width and any(map(str.strip, row[width:])):
            raise grid.fail("the row has more cells than the header", table.first_row + i)
    if is_sparse(len(rows) * len(table.columns), sum(map(len, rows))):
        raise grid.fail("most rows have far fewer cells than the header", table.first_row)
    data: dict[str, list[str | None]] = {}
    keys: dict[int, str] = {}
    for column in table.columns:
        i = column.index
        key = {long.set.index: NAME, long.gene.index: GENE}.get(i, column.header)
        if not key:
            continue
        keys[i] = key if key not in data else f"{key} {i + 1}"
        cells = (row[i] if i < len(row) else "" for row in rows)
        data[keys[i]] = [(cell if long.own else unquoted(cell)) or None for cell in cells]
    frame = pl.DataFrame(data, dict.fromkeys(data, pl.String)).with_columns(
        pl.Series(ROW, lines, dtype=pl.Int64)
    )
    if not long.own:
        frame = _present(source.notes, frame)
        if long.species is not None:
            frame = _of_species(source.notes, grid, frame, keys[long.species.index], choice)
    note_dates(source.notes, grid, frame[GENE])
    qualifiers = [keys[column.index] for column in long.qualifiers]
    raw = sets_of_rows(frame, source, qualifiers, spaces=long.spaces)
    if long.id is not None and "id" not in raw.metadata.columns:
        raw.metadata = raw.metadata.rename({keys[long.id.index]: "id"}, strict=False)
    library = next((q for q in qualifiers if plain(q) in LIBRARIES), None)
    if library is not None and "source" not in raw.metadata.columns:
        raw.metadata = raw.metadata.rename({library: "source"}, strict=False)
    raw.layout = f"sets from column {long.set.label}, genes from column {long.gene.label}"
    return raw


def _present(notes: Notes, frame: pl.DataFrame) -> pl.DataFrame:
    """The rows of a table of a tool without missing values."""
    missing = {c: pl.col(c).str.to_uppercase().is_in(MISSING) for c in (NAME, GENE)}
    unnamed = frame.filter(missing[NAME] & pl.col(GENE).is_not_null())
    notes.add("no-set", unnamed.height, line=None if unnamed.is_empty() else unnamed[ROW][0])
    frame = frame.filter(~missing[NAME].fill_null(False))
    return frame.with_columns(pl.when(~missing[GENE]).then(GENE).alias(GENE))


def _of_species(
    notes: Notes, grid: Grid, frame: pl.DataFrame, column: str, choice: Choice
) -> pl.DataFrame:
    """The rows of the chosen species; all without a choice, which is noted."""
    kinds = frame[column].drop_nulls().unique(maintain_order=True).to_list()
    if len(kinds) < 2:
        return frame
    if choice.species is None:
        notes.add("several-species", len(kinds), example=", ".join(kinds)[:60])
        return frame
    kept = frame[column].str.to_lowercase().str.contains(_SPECIES[choice.species]).fill_null(True)
    if not kept.any():
        raise grid.fail(f"no row is of the species {choice.species!r}: there are {kinds}")
    notes.add("other-species", int((~kept).sum()))
    return frame.filter(kept)
