"""CSV and TSV: tables that are written with a row for each member, and read in any form."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Literal

import numpy as np
import polars as pl

from gsfm.errors import FormatError
from gsfm.genes.columns import GENE_HEADERS, plain
from gsfm.sets.algebra import as_text_column
from gsfm.sets.formats.cells import CONTROL, CONTROL_BUT_BREAKS, check_sets, check_writable
from gsfm.sets.formats.long import (
    ID_HEADER,
    KNOWN,
    SET_WEIGHT,
    SET_WEIGHT_HEADER,
    WEIGHT_HEADERS,
)
from gsfm.sets.formats.members import SEVERAL, split
from gsfm.sets.formats.raw import Format
from gsfm.sets.formats.roles import SET_HEADERS
from gsfm.sets.formats.table import read
from gsfm.sets.genesets import GeneSets


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
        if header in KNOWN and header != column:
            raise FormatError(target, f"the column {column!r} would become {header!r}: rename it")
    forbidden = CONTROL_BUT_BREAKS if breaks else CONTROL
    found = pl.Series(check_sets(sets, target, forbidden), dtype=pl.String)
    found = found.filter(found.str.contains(SEVERAL))
    for symbol, parts in zip(found, split(found), strict=True):
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
