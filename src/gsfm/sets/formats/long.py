"""Long tables as data frames: a set and a gene, or several, in each row."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import polars as pl

from gsfm.errors import FormatError
from gsfm.genes.columns import GENE_HEADERS, plain
from gsfm.genes.tables import encode
from gsfm.io.grid import MISSING
from gsfm.io.notes import Notes
from gsfm.io.streams import Source
from gsfm.sets.csr import Floats
from gsfm.sets.formats.members import SEVERAL, split
from gsfm.sets.formats.raw import Raw, from_members
from gsfm.sets.formats.roles import SET_HEADERS

WEIGHT_HEADERS = ("weight", "memberweight", "mor")
ID_HEADER, SET_WEIGHT_HEADER = "setid", "setweight"
#: Columns of the metadata with a meaning, and the weight of a set in a long table.
KNOWN = ("description", "source", "year", "species", "link")
SET_WEIGHT = "set_weight"
#: Columns with the line, the name and the genes; no column of a file can have such a name.
ROW, NAME, GENE = "\0row", "\0name", "\0gene"
_SET, _KEY = "\0set", "\0key"


def find(columns: list[str], wanted: tuple[str, ...]) -> str | None:
    """The column with the first of the wanted names."""
    by_plain = {plain(column): column for column in reversed(columns)}
    return next((by_plain[name] for name in wanted if name in by_plain), None)


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
    frame = frame.with_row_index(ROW, first_line)
    blank = pl.all_horizontal(pl.exclude(ROW).is_null())
    blanks = frame.filter(blank)[ROW]
    if len(blanks):
        source.notes.add("blank-lines", len(blanks), line=blanks[0])
    frame = frame.filter(~blank)
    if not frame.height:
        raise FormatError(source.name, "there is a header, and no row below it")
    raw = sets_of_rows(frame.rename({gene: GENE, name: NAME}), source)
    raw.layout = f"sets from column {name!r}, genes from column {gene!r}"
    return raw


def sets_of_rows(
    frame: pl.DataFrame, source: Source, qualifiers: Sequence[str] = (), *, spaces: bool = False
) -> Raw:
    """The sets of a frame with a name and a gene, or several, in each row.

    Rows with the same ``set_id``, or else the same name and qualifiers, are one set. Qualifiers
    become a part of the names that would be equal without them.
    """
    for line in frame.filter(pl.col(NAME).is_null())[ROW]:
        raise FormatError(source.name, "a row without the name of a set", line=line)
    columns = [c for c in frame.columns if c not in (ROW, NAME, GENE)]
    if qualifier := find(columns, ("qualifier",)):  # of an annotation of GO
        negated = frame[qualifier].cast(pl.String).str.contains(r"\bNOT\b").fill_null(False)
        source.notes.add(
            "negated", int(negated.sum()), line=next(iter(frame.filter(negated)[ROW]), None)
        )
        frame = frame.filter(~negated)
    number = find(columns, (ID_HEADER,))
    parts = [number] if number is not None else [NAME, *qualifiers]
    key = pl.concat_str([pl.col(c).cast(pl.String).fill_null("") for c in parts], separator="\0")
    _, row_of = encode(frame.select(key.alias(_KEY))[_KEY])
    frame = frame.with_columns(pl.Series(_SET, row_of)).sort(_SET, maintain_order=True)
    first = frame.unique(_SET, keep="first", maintain_order=True)
    weight = find(columns, WEIGHT_HEADERS)
    member = frame.filter(pl.col(GENE).is_not_null())
    member = member.select(ROW, _SET, pl.col(GENE).cast(pl.String), *[weight] * bool(weight))
    cells = member[GENE].unique(maintain_order=True)
    likely = cells.filter(cells.str.contains(SEVERAL))
    genes = dict(zip(likely, split(likely, spaces=spaces), strict=True))
    if any(parts != [cell] for cell, parts in genes.items()):
        lists = [genes.get(cell, [cell]) for cell in member[GENE]]
        source.notes.add("several-genes", sum(len(parts) > 1 for parts in lists))
        member = member.with_columns(pl.Series(GENE, lists, dtype=pl.List(pl.String)))
        member = member.explode(GENE, keep_nulls=False, empty_as_null=False)
    sizes = np.bincount(member[_SET].to_numpy(), minlength=first.height).astype(np.int64)
    weights = None if weight is None else _weights(member, weight, source)
    with_genes = frame.filter(pl.col(GENE).is_not_null())[_SET].unique()
    lacking = frame.filter(pl.col(GENE).is_null() & pl.col(_SET).is_in(with_genes.implode()))
    source.notes.add(
        "no-gene", lacking.height, line=None if lacking.is_empty() else lacking[ROW][0]
    )
    others = [c for c in columns if c not in (number, weight)]
    metadata = pl.DataFrame([_names(first, qualifiers), *_per_set(frame, others, source.notes)])
    raw = from_members(metadata, sizes, member[GENE], weights)
    raw.lines = first[ROW].to_numpy().astype(np.int64)
    return raw


def _names(first: pl.DataFrame, qualifiers: Sequence[str]) -> pl.Series:
    """The names of the sets, with the qualifiers that differ between sets of one name."""
    names = first[NAME].cast(pl.String).alias("name")
    if not qualifiers or not names.is_duplicated().any():
        return names
    counts = first.select(pl.col(q).n_unique().over(NAME) for q in qualifiers)
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
    for cell, line in member.filter(wrong).select(column, ROW).rows():
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
        name = "weight" if header == SET_WEIGHT_HEADER else header if header in KNOWN else column
        if name in ("year", "weight"):
            numbers = series.cast(pl.Int64 if name == "year" else pl.Float64, strict=False)
            series = numbers if numbers.null_count() == series.null_count() else series
        result.setdefault(name, series.alias(name))
    return list(result.values())
