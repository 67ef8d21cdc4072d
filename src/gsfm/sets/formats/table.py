"""Long tables, with a row for each member: CSV and TSV, and their parts of XLSX and Parquet."""

from __future__ import annotations

import contextlib
import csv
import io
import math
from collections.abc import Iterator
from functools import partial

import numpy as np
import polars as pl

from gsfm.errors import FormatError
from gsfm.genes.columns import GENE_HEADERS, plain
from gsfm.genes.tables import encode
from gsfm.io.notes import Notes
from gsfm.io.streams import Source
from gsfm.io.text import blocks
from gsfm.sets.algebra import as_text_column
from gsfm.sets.csr import Floats
from gsfm.sets.formats.cells import (
    CONTROL,
    CONTROL_BUT_BREAKS,
    check_sets,
    check_writable,
)
from gsfm.sets.formats.raw import Format, Raw, from_members
from gsfm.sets.genesets import GeneSets

#: Column names, as `plain` returns them, in order of preference.
SET_HEADERS = (
    *("name", "set", "setname", "geneset", "genesetname", "gsname", "term", "termname", "termid"),
    *("pathway", "pathwayname", "signature", "module", "cluster", "source"),
)
WEIGHT_HEADERS = ("weight", "memberweight", "mor")
ID_HEADER, SET_WEIGHT_HEADER = "setid", "setweight"
SET_WEIGHT = "set_weight"

#: Auxiliary columns; no column of a file can have such a name.
_ROW, _SET = "\0row", "\0set"
_KNOWN = ("description", "source", "year", "species", "link")


def find(columns: list[str], wanted: tuple[str, ...]) -> str | None:
    """The column with the first of the wanted names."""
    by_plain = {plain(column): column for column in reversed(columns)}
    return next((by_plain[name] for name in wanted if name in by_plain), None)


def from_long(frame: pl.DataFrame, source: Source, first_line: int) -> Raw:
    """Convert the rows of a table, the first of which is in the line `first_line`, to sets.

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
    for line in frame.filter(pl.col(name).is_null())[_ROW]:
        raise FormatError(source.name, "a row without the name of a set", line=line)

    key = find(columns, (ID_HEADER,)) or name
    _, row_of = encode(frame[key])
    frame = frame.with_columns(pl.Series(_SET, row_of)).sort(_SET, maintain_order=True)
    first = frame.unique(_SET, keep="first", maintain_order=True)
    member = frame.filter(pl.col(gene).is_not_null())
    sizes = np.bincount(member[_SET].to_numpy(), minlength=first.height).astype(np.int64)
    weight = find(columns, WEIGHT_HEADERS)
    weights = None if weight is None else _weights(member, weight, source)
    others = [c for c in columns if c not in (key, name, gene, weight)]
    names = first[name].cast(pl.String).alias("name")
    metadata = pl.DataFrame([names, *_per_set(frame, others, source.notes)])
    raw = from_members(metadata, sizes, member[gene].cast(pl.String), weights)
    raw.lines = first[_ROW].to_numpy().astype(np.int64)
    return raw


def _weights(member: pl.DataFrame, column: str, source: Source) -> Floats:
    cells = member[column]
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
    check_sets(sets, target, forbidden)
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
    yield to_long(sets, target).write_csv(separator=separator).encode()


def read(source: Source, separators: str) -> Raw:
    """Read a long table with one of these separators, in order of preference."""
    text = b"".join(block for _, block in blocks(source))
    first_line = 1
    while True:
        line, _, rest = text.partition(b"\n")
        separator = header_separator(line.decode(), separators)
        if separator is not None or not line.startswith(b"#") or not rest:
            break
        source.notes.add("comments", line=first_line)
        text, first_line = rest, first_line + 1
    if separator is None:
        separator = separators[0]
    else:
        text = text.lstrip(b"#")  # some headers begin with "#name"
    try:
        frame = pl.read_csv(text, separator=separator, infer_schema=False, raise_if_empty=False)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        where = _ragged(text.decode(), separator)
        if where is None:
            raise FormatError(source.name, str(error).split("\n")[0]) from error
        reason = "the row has more cells than the header"
        raise FormatError(source.name, reason, line=where + first_line - 1) from error
    return from_long(frame, source, first_line + 1)


def header_separator(line: str, separators: str = "\t,;") -> str | None:
    """The separator with which the line is the header of a long table; None if there is none."""
    for separator in separators:
        cells = [cell.strip("# ") for cell in line.split(separator)]
        if len(cells) > 1 and find(cells, GENE_HEADERS) and find(cells, SET_HEADERS):
            return separator
    return None


def _ragged(text: str, separator: str) -> int | None:
    """1-based line of the first row with more cells than the header."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    with contextlib.suppress(csv.Error, StopIteration):
        width = len(next(reader))
        return next(reader.line_num for row in reader if len(row) > width)
    return None


FORMATS = (
    Format("csv", (".csv",), partial(read, separators=",;\t"), partial(write, separator=",")),
    Format("tsv", (".tsv",), partial(read, separators="\t,;"), partial(write, separator="\t")),
)
