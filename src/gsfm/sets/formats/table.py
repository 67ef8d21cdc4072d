"""Long tables, one row a member: CSV, TSV, and what spreadsheets and Parquet share with them."""

from __future__ import annotations

import csv
import io
from typing import BinaryIO

import numpy as np
import polars as pl

from gsfm.errors import FormatError
from gsfm.genes.lists import GENE_HEADERS, plain
from gsfm.io.notes import Notes
from gsfm.io.streams import Source
from gsfm.io.text import blocks
from gsfm.sets.csr import Floats
from gsfm.sets.formats.cells import (
    CONTROL,
    CONTROL_BUT_BREAKS,
    as_text_column,
    check_sets,
    check_writable,
    weight_texts,
)
from gsfm.sets.formats.raw import Raw, from_frame
from gsfm.sets.genesets import GeneSets

#: Column names, as `plain` leaves them, in the order in which they are preferred.
SET_HEADERS = (
    *("name", "set", "setname", "geneset", "genesetname", "gsname", "term", "termname", "termid"),
    *("pathway", "pathwayname", "signature", "module", "cluster", "source"),
)
WEIGHT_HEADERS = ("weight", "memberweight", "mor")
ID_HEADER, SET_WEIGHT_HEADER = "setid", "setweight"
SET_WEIGHT = "set_weight"

#: Columns of our own beside those of the file; none of its columns can have such names.
_ROW, _SET = "\0row", "\0set"
_KNOWN = ("description", "source", "year", "species", "link")


def find(columns: list[str], wanted: tuple[str, ...]) -> str | None:
    """The column whose name is wanted most."""
    by_plain = {plain(column): column for column in reversed(columns)}
    return next((by_plain[name] for name in wanted if name in by_plain), None)


def from_long(frame: pl.DataFrame, source: Source, notes: Notes, first_line: int) -> Raw:
    """Make sets of the rows of a table.

    Rows belong to the same set if the column ``set_id`` says so, or else the name. A row without a
    gene makes a set without members. The other columns are metadata of the set.

    Parameters
    ----------
    frame
        The table; all text, except that a weight may be a number.
    source, notes
        Where it is from, and where to note what is odd.
    first_line
        Line or row of the file that the first row came from.

    Raises
    ------
    FormatError
        If there is no column of sets or of genes, a gene without a set, or a weight that is none.
    """
    columns = frame.columns
    gene, name = find(columns, GENE_HEADERS), find(columns, SET_HEADERS)
    if gene is None or name is None or gene == name:
        raise FormatError(
            source.name,
            "the header needs a column of sets (name, set, term, ...) and a column of genes "
            f"(gene, symbol, ...), and it is {', '.join(map(repr, columns))[:200]}",
            line=1,
        )
    frame = frame.with_row_index(_ROW)
    blank = frame.select(pl.all_horizontal(pl.exclude(_ROW).is_null())).to_series()
    if blank.any():
        notes.add("blank-lines", int(blank.sum()), line=first_line + int(blank.arg_max() or 0))
        frame = frame.filter(~blank)
    if not frame.height:
        raise FormatError(source.name, "there is a header, and no row below it")
    unnamed = frame.filter(pl.col(name).is_null())
    if unnamed.height:
        line = first_line + unnamed[_ROW][0]
        raise FormatError(source.name, "a row without the name of a set", line=line)

    key = find(columns, (ID_HEADER,)) or name
    first = frame.unique(key, keep="first", maintain_order=True).with_row_index(_SET)
    frame = frame.join(
        first.select(key, _SET), on=key, how="left", nulls_equal=True, maintain_order="left"
    ).sort(_SET, maintain_order=True)
    member = frame.filter(pl.col(gene).is_not_null())
    sizes = np.bincount(member[_SET].to_numpy(), minlength=first.height).astype(np.int64)
    weight = find(columns, WEIGHT_HEADERS)
    weights = None if weight is None else _weights(member, weight, source, notes, first_line)
    used = {key, name, gene, weight}
    metadata = _per_set(frame, [c for c in columns if c not in used], notes)
    raw = from_frame(
        pl.DataFrame([first[name].cast(pl.String).alias("name"), *metadata]),
        sizes,
        member[gene].cast(pl.String),
        weights,
        notes,
    )
    raw.lines = first[_ROW].to_numpy().astype(np.int64) + first_line
    return raw


def _weights(
    member: pl.DataFrame, column: str, source: Source, notes: Notes, first_line: int
) -> Floats | None:
    given = member[column]
    numbers = given.cast(pl.Float32, strict=False)
    wrong = given.is_not_null() & ~numbers.is_finite().fill_null(False)
    if wrong.any():
        at = int(wrong.arg_max() or 0)
        line = first_line + member[_ROW][at]
        raise FormatError(source.name, f"the weight {given[at]!r} is not a number", line=line)
    notes.add("weighted-members", len(given) - given.null_count())
    if given.null_count() == len(given):
        return None
    return numbers.fill_null(1.0).to_numpy().astype(np.float32)


def _per_set(frame: pl.DataFrame, columns: list[str], notes: Notes) -> list[pl.Series]:
    """The columns that are the same in all rows of a set, one value a set."""
    result: list[pl.Series] = []
    for column in columns:
        values = frame.group_by(_SET, maintain_order=True).agg(
            pl.col(column).drop_nulls().n_unique().alias("n"),
            pl.col(column).drop_nulls().first().alias("value"),
        )
        if (values["n"] > 1).any():
            notes.add("member-columns", example=column)
            continue
        header = plain(column)
        series = values["value"].alias("weight" if header == SET_WEIGHT_HEADER else column)
        if header in _KNOWN:
            series = series.alias(header)
        if series.name in ("year", "weight"):
            kind = pl.Int64 if series.name == "year" else pl.Float64
            numbers = series.cast(kind, strict=False)
            series = numbers if numbers.null_count() == series.null_count() else series
        if series.name not in [s.name for s in result]:
            result.append(series)
    return result


def to_long(
    sets: GeneSets, target: str, *, as_text: bool = True, breaks: bool = True
) -> pl.DataFrame:
    """A row for each member, and one without a gene for each empty set.

    Columns: ``set_id`` (only where names repeat), ``name``, ``gene``, ``weight`` (of the member, if
    there are such), and the metadata; a set's own weight is ``set_weight``.

    Raises
    ------
    FormatError
        If a column or a value would not come back as it is.
    """
    table = sets.metadata.rename({"weight": SET_WEIGHT}, strict=False)
    for column in sets.metadata.columns:
        header = plain(column)
        reserved = (*GENE_HEADERS, *SET_HEADERS[:-1], *WEIGHT_HEADERS, ID_HEADER, SET_WEIGHT_HEADER)
        if column not in ("name", "weight") and (header in reserved or not header):
            reason = f"the column {column!r} has another meaning in a long table: rename it"
            raise FormatError(target, reason)
        if header in _KNOWN and header != column:
            raise FormatError(target, f"the column {column!r} would become {header!r}: rename it")
    forbidden = CONTROL_BUT_BREAKS if breaks else CONTROL
    check_sets(sets, target, forbidden)
    if as_text:
        table = table.select(as_text_column(table[column]) for column in table.columns)
        for column in table.columns[1:]:
            check_writable(table[column], f"cell of {column!r}", target, forbidden)
    sizes = sets.sizes
    rows = np.maximum(sizes, 1)
    owner = np.repeat(np.arange(len(sets)), rows)
    # The gene of each row: -1, read as the last and absent one, for an empty set.
    at = np.full(len(owner), -1)
    filled = np.repeat(sizes > 0, rows)
    at[filled] = sets.indices
    symbols = pl.Series([*sets.vocabulary.symbols, None], dtype=pl.String)
    columns = [symbols.gather(np.where(at < 0, sets.n_genes, at)).alias("gene")]
    if sets.member_weights is not None:
        heavy = np.full(len(owner), np.nan, np.float32)
        heavy[filled] = sets.member_weights
        texts = pl.Series("weight", heavy).fill_nan(None)
        if as_text:
            texts = pl.Series("weight", weight_texts(heavy), dtype=pl.String)
            texts = texts.set(~pl.Series(filled), None)
        columns.append(texts)
    repeated = table[owner]
    if table["name"].is_duplicated().any():
        numbers = pl.Series("set_id", owner + 1)
        columns.insert(0, numbers.cast(pl.String) if as_text else numbers)
        return pl.DataFrame([columns[0], repeated["name"], *columns[1:], *repeated.drop("name")])
    return pl.DataFrame([repeated["name"], *columns, *repeated.drop("name")])


# -- CSV and TSV -------------------------------------------------------------------------------


def read_csv(source: Source) -> Raw:
    """Read a long table, separated by commas or semicolons."""
    return _read(source, (",", ";", "\t"))


def read_tsv(source: Source) -> Raw:
    """Read a long table, separated by tabs."""
    return _read(source, ("\t", ",", ";"))


def write_csv(sets: GeneSets, stream: BinaryIO, target: str) -> None:
    """Write a long table, separated by commas."""
    stream.write(to_long(sets, target).write_csv().encode())


def write_tsv(sets: GeneSets, stream: BinaryIO, target: str) -> None:
    """Write a long table, separated by tabs."""
    stream.write(to_long(sets, target).write_csv(separator="\t").encode())


def _read(source: Source, separators: tuple[str, ...]) -> Raw:
    notes = Notes()
    text = b"".join(block for _, block in blocks(source, notes))
    first_line = 1
    while True:
        line, _, rest = text.partition(b"\n")
        separator = header_separator(line.decode(), separators)
        if separator is not None or not line.startswith(b"#") or not rest:
            break
        notes.add("comments", line=first_line)
        text, first_line = rest, first_line + 1
    if separator is not None:
        # "#name", as some write a header.
        text = text.lstrip(b"#")
    try:
        frame = pl.read_csv(
            text, separator=separator or separators[0], infer_schema=False, raise_if_empty=False
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        line_number = _ragged(text.decode(), separator or separators[0])
        where = None if line_number is None else line_number + first_line - 1
        reason = "the row has more cells than the header" if where else str(error).split("\n")[0]
        raise FormatError(source.name, reason, line=where) from error
    return from_long(frame, source, notes, first_line + 1)


def header_separator(line: str, separators: tuple[str, ...] = ("\t", ",", ";")) -> str | None:
    """The separator with which a line is the header of a long table; None if there is none."""
    for separator in separators:
        cells = [cell.strip("# ") for cell in line.split(separator)]
        if len(cells) > 1 and find(cells, GENE_HEADERS) and find(cells, SET_HEADERS):
            return separator
    return None


def _ragged(text: str, separator: str) -> int | None:
    """1-based line of the first row with more cells than the header."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        width = len(next(reader))
        for row in reader:
            if len(row) > width:
                return reader.line_num
    except (csv.Error, StopIteration):
        pass
    return None
