"""Tables of gene sets: CSV, TSV, workbooks, and the long form of Parquet."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Literal

import numpy as np
import polars as pl

from gsfm.errors import FormatError
from gsfm.genes import resolve
from gsfm.genes.columns import GENE_HEADERS, Table, plain
from gsfm.genes.tables import encode
from gsfm.io.grid import MISSING, Grid, grid_of, is_missing, split_again, unquoted
from gsfm.io.notes import Notes
from gsfm.io.streams import Source
from gsfm.sets.algebra import as_text_column
from gsfm.sets.csr import Floats
from gsfm.sets.formats.cells import (
    CONTROL,
    CONTROL_BUT_BREAKS,
    check_sets,
    check_writable,
)
from gsfm.sets.formats.raw import Format, Raw, from_lists, from_members
from gsfm.sets.formats.roles import (
    LIBRARIES,
    SET_HEADERS,
    Choice,
    Long,
    layout_of,
    members_of,
    without_brackets,
)
from gsfm.sets.genesets import GeneSets

WEIGHT_HEADERS = ("weight", "memberweight", "mor")
ID_HEADER, SET_WEIGHT_HEADER = "setid", "setweight"
SET_WEIGHT = "set_weight"

#: Auxiliary columns; no column of a file can have such a name.
_ROW, _SET, _NAME, _GENE, _KEY = "\0row", "\0set", "\0name", "\0gene", "\0key"
_KNOWN = ("description", "source", "year", "species", "link")
#: Rows by which the columns are recognized.
_SAMPLE = 5000
#: Cells of these rows, if all were as wide as the widest.
_CELLS = 250_000
#: Characters of a cell that has several genes, and a date that a spreadsheet made of one.
_SEVERAL = r"[\s;,|/\[\](){}]"
_DATE = r"^\d{4}-\d{2}-\d{2}$"
#: The words by which tables of markers name the species.
_SPECIES = {"human": r"\b(hs|human|homo)\b", "mouse": r"\b(mm|mouse|mus)\b", "rat": r"\b(rn|rat)"}


def find(columns: list[str], wanted: tuple[str, ...]) -> str | None:
    """The column with the first of the wanted names."""
    by_plain = {plain(column): column for column in reversed(columns)}
    return next((by_plain[name] for name in wanted if name in by_plain), None)


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
    # The first rows show what the columns are.
    widest = max(map(len, grid.rows[:_SAMPLE]))
    n_rows = min(_SAMPLE, max(20, _CELLS // widest))
    first = [list(map(without_brackets, row)) for row in grid.rows[:n_rows]]
    width = max(i + 1 for row in first for i, cell in enumerate(row) if cell.strip())
    table = Table.of(dataclasses.replace(grid, rows=first), choice.species, width=width)
    layout = layout_of(table, choice)
    if isinstance(layout, Long):
        raw = _of_long(source, table, grid, layout, choice)
    else:
        raw = (_of_columns if layout == "columns" else _of_rows)(source, table, grid)
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


# -- a set in each column or row ------------------------------------------------------------------


def _of_columns(source: Source, table: Table, grid: Grid) -> Raw:
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


def _of_rows(source: Source, table: Table, grid: Grid) -> Raw:
    """The sets of a table with a set in each row: its name, perhaps a description, its genes."""
    columns = [c for c in table.columns if not c.is_ordinal]
    genes = table.gene_candidates()
    name = columns[0].index
    described = columns[1].index if columns[1] not in genes else None
    start = (name if described is None else described) + 1
    rows = grid.rows[table.first_row :]
    metadata = {"name": [row[name].strip() for row in rows]}
    if described is not None:
        metadata["description"] = [row[described] if described < len(row) else "" for row in rows]
    members = [[cell for cell in row[start:] if cell.strip()] for row in rows]
    colons = [text.partition(":")[::2] for text in metadata["name"]]  # "name: A, B"
    genes_after = [gene.strip() for _, gene in colons]
    if described is None and all(genes_after) and "unmapped" not in _matches(genes_after):
        metadata["name"] = [text.strip() for text, _ in colons]
        members = [[gene, *own] for gene, own in zip(genes_after, members, strict=True)]
    raw = from_lists(pl.DataFrame(metadata), _all_genes(source, grid, members))
    raw.lines = np.array(grid.lines[table.first_row :], np.int64)
    return raw


def _all_genes(source: Source, grid: Grid, members: list[list[str]]) -> list[list[str]]:
    """The genes of each set, of its cells, some of which may have several or are missing."""
    cells = pl.Series([cell for own in members for cell in own], dtype=pl.String)
    _note_dates(source.notes, grid, cells)
    parts = dict(
        zip(
            cells.unique(maintain_order=True),
            _split(cells.unique(maintain_order=True)),
            strict=True,
        )
    )
    return [
        [gene for cell in own if not is_missing(cell) for gene in parts[cell]] for own in members
    ]


# -- a set and its genes in each row --------------------------------------------------------------


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
    present = sum(map(len, rows))
    if len(rows) * len(table.columns) > 2 * present + _CELLS:
        raise grid.fail("most rows have far fewer cells than the header", table.first_row)
    data: dict[str, list[str | None]] = {}
    keys: dict[int, str] = {}
    for column in table.columns:
        i = column.index
        key = {long.set.index: _NAME, long.gene.index: _GENE}.get(i, column.header)
        if not key:
            continue
        keys[i] = key if key not in data else f"{key} {i + 1}"
        cells = (row[i] if i < len(row) else "" for row in rows)
        data[keys[i]] = [(cell if long.own else unquoted(cell)) or None for cell in cells]
    frame = pl.DataFrame(data, dict.fromkeys(data, pl.String)).with_columns(
        pl.Series(_ROW, lines, dtype=pl.Int64)
    )
    if not long.own:
        frame = _present(source.notes, frame)
        if long.species is not None:
            frame = _of_species(source.notes, grid, frame, keys[long.species.index], choice)
    _note_dates(source.notes, grid, frame[_GENE])
    qualifiers = [keys[column.index] for column in long.qualifiers]
    raw = _long(frame, source, qualifiers, spaces=long.spaces)
    if long.id is not None and "id" not in raw.metadata.columns:
        raw.metadata = raw.metadata.rename({keys[long.id.index]: "id"}, strict=False)
    library = next((q for q in qualifiers if plain(q) in LIBRARIES), None)
    if library is not None and "source" not in raw.metadata.columns:
        raw.metadata = raw.metadata.rename({library: "source"}, strict=False)
    raw.layout = f"sets from column {long.set.label}, genes from column {long.gene.label}"
    return raw


def _present(notes: Notes, frame: pl.DataFrame) -> pl.DataFrame:
    """The rows of a table of a tool without missing values."""
    missing = {c: pl.col(c).str.to_uppercase().is_in(MISSING) for c in (_NAME, _GENE)}
    unnamed = frame.filter(missing[_NAME] & pl.col(_GENE).is_not_null())
    notes.add("no-set", unnamed.height, line=None if unnamed.is_empty() else unnamed[_ROW][0])
    frame = frame.filter(~missing[_NAME].fill_null(False))
    return frame.with_columns(pl.when(~missing[_GENE]).then(_GENE).alias(_GENE))


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


def _note_dates(notes: Notes, grid: Grid, cells: pl.Series) -> None:
    """Note the cells of a workbook that are dates."""
    dates = cells.filter(cells.str.contains(_DATE).fill_null(False))
    if grid.sheet is not None and len(dates):
        notes.add("excel-dates", len(dates), example=dates[0])


def _split(cells: pl.Series, *, spaces: bool = False) -> list[list[str]]:
    """The genes of each of distinct cells; a cell that is an identifier is not split."""
    found = {cell: members_of(cell, spaces=spaces) for cell in cells}
    several = [cell for cell, parts in found.items() if parts != [cell]]
    if several:
        matches = _matches(several)
        whole = [c for c, match in zip(several, matches, strict=True) if match != "unmapped"]
        found.update({cell: [cell] for cell in whole})
    return list(found.values())


def _matches(identifiers: list[str]) -> list[str]:
    return resolve(identifiers).table["match"].to_list()


def from_long(frame: pl.DataFrame, source: Source, first_line: int) -> Raw:
    """Convert the rows of a data frame, the first of which is in the line `first_line`, to sets.

    Rows with the same ``set_id``, or else the same name, are one set. A row without a gene makes a
    set without members. The other columns are metadata of the set. A table without a column of sets
    or genes, a row without a set, and a weight that is not a number are a FormatError.
    """
    columns = frame.columns
    gene, name = find(columns, GENE_HEADERS), find(columns, SET_HEADERS)
    if gene is None or name is None or gene == name:
        needed = "a column of sets (name, set, term, ...) and a column of genes (gene, symbol, ...)"
        reason = f"the header needs {needed}, and it is {', '.join(map(repr, columns))[:200]}"
        raise FormatError(source.name, reason, line=1)
    frame = frame.with_row_index(_ROW, first_line)
    blank = pl.all_horizontal(pl.exclude(_ROW).is_null())
    blanks = frame.filter(blank)[_ROW]
    if len(blanks):
        source.notes.add("blank-lines", len(blanks), line=blanks[0])
    frame = frame.filter(~blank)
    if not frame.height:
        raise FormatError(source.name, "there is a header, and no row below it")
    return _long(frame.rename({gene: _GENE, name: _NAME}), source)


def _long(
    frame: pl.DataFrame, source: Source, qualifiers: Sequence[str] = (), *, spaces: bool = False
) -> Raw:
    """The sets of a frame with a name and a gene, or several, in each row.

    Rows with the same ``set_id``, or else the same name and qualifiers, are one set. Qualifiers
    become a part of the names that would be equal without them.
    """
    for line in frame.filter(pl.col(_NAME).is_null())[_ROW]:
        raise FormatError(source.name, "a row without the name of a set", line=line)
    columns = [c for c in frame.columns if c not in (_ROW, _NAME, _GENE)]
    number = find(columns, (ID_HEADER,))
    parts = [number] if number is not None else [_NAME, *qualifiers]
    key = pl.concat_str([pl.col(c).cast(pl.String).fill_null("") for c in parts], separator="\0")
    _, row_of = encode(frame.select(key.alias(_KEY))[_KEY])
    frame = frame.with_columns(pl.Series(_SET, row_of)).sort(_SET, maintain_order=True)
    first = frame.unique(_SET, keep="first", maintain_order=True)
    weight = find(columns, WEIGHT_HEADERS)
    member = frame.filter(pl.col(_GENE).is_not_null())
    member = member.select(_ROW, _SET, pl.col(_GENE).cast(pl.String), *[weight] * bool(weight))
    cells = member[_GENE].unique(maintain_order=True)
    likely = cells.filter(cells.str.contains(_SEVERAL))
    genes = dict(zip(likely, _split(likely, spaces=spaces), strict=True))
    if any(parts != [cell] for cell, parts in genes.items()):
        lists = [genes.get(cell, [cell]) for cell in member[_GENE]]
        source.notes.add("several-genes", sum(len(parts) > 1 for parts in lists))
        member = member.with_columns(pl.Series(_GENE, lists, dtype=pl.List(pl.String)))
        member = member.explode(_GENE, keep_nulls=False, empty_as_null=False)
    sizes = np.bincount(member[_SET].to_numpy(), minlength=first.height).astype(np.int64)
    weights = None if weight is None else _weights(member, weight, source)
    with_genes = frame.filter(pl.col(_GENE).is_not_null())[_SET].unique()
    lacking = frame.filter(pl.col(_GENE).is_null() & pl.col(_SET).is_in(with_genes.implode()))
    source.notes.add(
        "no-gene", lacking.height, line=None if lacking.is_empty() else lacking[_ROW][0]
    )
    others = [c for c in columns if c not in (number, weight)]
    metadata = pl.DataFrame([_names(first, qualifiers), *_per_set(frame, others, source.notes)])
    raw = from_members(metadata, sizes, member[_GENE], weights)
    raw.lines = first[_ROW].to_numpy().astype(np.int64)
    return raw


def _names(first: pl.DataFrame, qualifiers: Sequence[str]) -> pl.Series:
    """The names of the sets, with the qualifiers that differ between sets of one name."""
    names = first[_NAME].cast(pl.String).alias("name")
    if not qualifiers or not names.is_duplicated().any():
        return names
    counts = first.select(pl.col(q).n_unique().over(_NAME) for q in qualifiers)
    rows = first.select(qualifiers).rows()
    labels = []
    for name, own, varying in zip(names, rows, counts.rows(), strict=True):
        differing = [str(q) for q, n in zip(own, varying, strict=True) if n > 1 and q is not None]
        labels.append(f"{name} ({', '.join(differing)})" if differing else name)
    return pl.Series("name", labels, dtype=pl.String)


def _weights(member: pl.DataFrame, column: str, source: Source) -> Floats:
    cells = member[column]
    if cells.dtype == pl.String:
        cells = cells.to_frame().select(
            pl.when(~pl.col(column).str.to_uppercase().is_in(MISSING)).then(column)
        )[column]
    numbers = cells.cast(pl.Float32, strict=False)
    wrong = cells.is_not_null() & ~numbers.is_finite().fill_null(False)
    for cell, line in member.filter(wrong).select(column, _ROW).rows():
        raise FormatError(source.name, f"the weight {cell!r} is not a number", line=line)
    return numbers.fill_null(math.nan).to_numpy().astype(np.float32)


def _per_set(frame: pl.DataFrame, columns: list[str], notes: Notes) -> list[pl.Series]:
    """The columns that are the same in all rows of a set, with one value for each set."""
    result: dict[str, pl.Series] = {}
    values = pl.col(columns).drop_nulls()
    sets = frame.group_by(_SET, maintain_order=True)
    counts, firsts = sets.agg(values.n_unique()), sets.agg(values.first())
    for column in columns:
        if (counts[column] > 1).any():
            notes.add("member-columns", example=column)
            continue
        header, series = plain(column), firsts[column]
        name = "weight" if header == SET_WEIGHT_HEADER else header if header in _KNOWN else column
        if name in ("year", "weight"):
            numbers = series.cast(pl.Int64 if name == "year" else pl.Float64, strict=False)
            series = numbers if numbers.null_count() == series.null_count() else series
        result.setdefault(name, series.alias(name))
    return list(result.values())


def to_long(sets: GeneSets, target: str, *, breaks: bool = True) -> pl.DataFrame:
    """Convert sets to a row for each member, and a row without a gene for each empty set.

    Columns: ``set_id`` (only if names repeat), ``name``, ``gene``, ``weight`` (of the member, if
    there are member weights), and the metadata; the weight of a set is ``set_weight``. A column or
    value that could not be read back unchanged is a FormatError.
    """
    reserved = (*GENE_HEADERS, *SET_HEADERS[:-1], *WEIGHT_HEADERS, ID_HEADER, SET_WEIGHT_HEADER)
    for column in sets.metadata.columns:
        header = plain(column)
        if column not in ("name", "weight") and (header in reserved or not header):
            reason = f"the column {column!r} has another meaning in a long table: rename it"
            raise FormatError(target, reason)
        if header in _KNOWN and header != column:
            raise FormatError(target, f"the column {column!r} would become {header!r}: rename it")
    forbidden = CONTROL_BUT_BREAKS if breaks else CONTROL
    found = pl.Series(check_sets(sets, target, forbidden), dtype=pl.String)
    found = found.filter(found.str.contains(_SEVERAL))
    for symbol, parts in zip(found, _split(found), strict=True):
        if parts != [symbol]:
            reason = f"the identifier {symbol!r} would be read as {len(parts)} genes"
            raise FormatError(target, f"{reason}: change it, or write JSON or Parquet")
    table = sets.metadata.rename({"weight": SET_WEIGHT}, strict=False)
    table = table.select(as_text_column(column) for column in table)
    for column in table.columns[1:]:
        check_writable(table[column], f"cell of {column!r}", target, forbidden)
    # An empty set has a row, too; its position is behind the last member, which is null.
    rows = np.maximum(sets.sizes, 1)
    owner = np.repeat(np.arange(len(sets)), rows)
    at = np.full(len(owner), len(sets.indices))
    at[np.repeat(sets.sizes > 0, rows)] = np.arange(len(sets.indices))
    symbols = pl.Series("gene", [*sets.vocabulary.symbols, None], dtype=pl.String)
    columns = [table["name"][owner], symbols.gather(np.append(sets.indices, sets.n_genes)[at])]
    if sets.member_weights is not None:
        texts = [*sets.member_weights.astype(str).tolist(), None]
        columns.append(pl.Series("weight", texts, dtype=pl.String).gather(at))
    if table["name"].is_duplicated().any():
        columns.insert(0, pl.Series("set_id", owner + 1).cast(pl.String))
    return pl.DataFrame([*columns, *table.drop("name")[owner]])


# -- CSV and TSV -------------------------------------------------------------------------------


def write(sets: GeneSets, target: str, separator: str) -> Iterator[bytes]:
    """Write a long table."""
    table = to_long(sets, target)
    # A line that begins with such a character is a comment, unless there is a quote before it.
    marked = any(table[column].str.contains(r"^[#>\ufeff]").any() for column in table.columns)
    style: Literal["always", "necessary"] = "always" if marked else "necessary"
    yield table.write_csv(separator=separator, quote_style=style).encode()


_COMMA = partial(read, separators=",;\t"), partial(write, separator=",")
_TAB = partial(read, separators="\t,;"), partial(write, separator="\t")
FORMATS = (
    Format("csv", (".csv",), *_COMMA, is_table=True),
    Format("tsv", (".tsv",), *_TAB, is_table=True),
)
