"""Parquet: a row for each set with a list of genes, or a row for each member."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import polars as pl

from gsfm.errors import FormatError
from gsfm.genes.columns import GENE_HEADERS
from gsfm.io import child, parsers
from gsfm.io.streams import Source
from gsfm.sets.algebra import as_text_column
from gsfm.sets.csr import Floats, Int64s
from gsfm.sets.formats.cells import check_sets
from gsfm.sets.formats.long import ID_HEADER, WEIGHT_HEADERS, find, from_long
from gsfm.sets.formats.raw import Format, Raw, from_members
from gsfm.sets.formats.roles import SET_HEADERS
from gsfm.sets.genesets import GeneSets


def read(source: Source) -> Raw:
    """Read Parquet: a list of genes in each row, or a gene in each row.

    A file without a column of sets or of genes is a FormatError.
    """
    frame = pl.read_ipc(child.run(parsers.parquet, source.stream, source.name))
    try:
        return _of_frame(frame, source)
    except pl.exceptions.PolarsError as error:
        reason = str(error).split("\n")[0]
        raise FormatError(source.name, f"a column has an unexpected type ({reason})") from error


def _of_frame(frame: pl.DataFrame, source: Source) -> Raw:
    for column, dtype in frame.schema.items():
        if "\0" in column or "Binary" in repr(dtype):
            raise FormatError(source.name, f"the column {column!r} is not text: it has bytes")
    lists = [c for c, kind in frame.schema.items() if kind == pl.List(pl.String)]
    genes = find(lists, GENE_HEADERS)
    if genes is None:
        nested = [c for c, kind in frame.schema.items() if kind.is_nested()]
        wrong = find(nested, (*GENE_HEADERS, *SET_HEADERS, *WEIGHT_HEADERS, ID_HEADER))
        if wrong is not None:
            reason = f"the column {wrong!r} holds {frame.schema[wrong]}, not a value in each row"
            raise FormatError(source.name, reason)
        frame = frame.with_columns(as_text_column(frame[c]) for c in nested)
        return from_long(frame, source, 1)
    name = find([c for c in frame.columns if c not in lists], SET_HEADERS)
    if name is None or frame[name].null_count():
        raise FormatError(source.name, "it needs a column of names (name, set, term, ...)")
    sizes = _sizes(frame[genes])
    weights = None
    if "weights" in frame.columns:
        weights = _weights(frame["weights"], sizes, source)
    others = pl.exclude(genes, name, "weights")
    table = frame.select(pl.col(name).cast(pl.String).alias("name"), others)
    return from_members(table, sizes, _flat(frame[genes]), weights)


def _sizes(lists: pl.Series) -> Int64s:
    return lists.list.len().fill_null(0).to_numpy().astype(np.int64)


def _flat(lists: pl.Series) -> pl.Series:
    return lists.explode(keep_nulls=False, empty_as_null=False)


def _weights(column: pl.Series, sizes: Int64s, source: Source) -> Floats:
    try:
        lengths, numbers = _sizes(column), _flat(column).cast(pl.Float32)
    except pl.exceptions.PolarsError as error:
        raise FormatError(source.name, f"'weights' is not lists of numbers ({error})") from error
    if (lengths != sizes).any() or not numbers.is_finite().fill_null(False).all():
        raise FormatError(source.name, "'weights' does not have one number for each gene")
    return numbers.to_numpy().astype(np.float32)


def write(sets: GeneSets, target: str) -> Iterator[bytes]:
    """Write a row for each set: ``name``, ``genes``, ``weights`` if any, and the metadata."""
    for column in ("genes", "weights"):
        if column in sets.metadata.columns:
            raise FormatError(target, f"the column {column!r} has another meaning: rename it")
    check_sets(sets, target, None)
    rows = np.arange(len(sets))
    symbols = pl.Series(sets.vocabulary.symbols, dtype=pl.String)
    members = {"genes": symbols.gather(sets.indices)}
    if sets.member_weights is not None:
        members["weights"] = pl.Series(sets.member_weights)
    names = list(members)
    flat = pl.DataFrame({"set": np.repeat(rows, sets.sizes), **members})
    lists = (
        pl.DataFrame({"set": rows})
        .join(flat.group_by("set").agg(names), on="set", how="left", maintain_order="left")
        .select(pl.col(names).fill_null([]))
    )
    buffer = io.BytesIO()
    metadata = sets.metadata
    pl.DataFrame([metadata["name"], *lists, *metadata.drop("name")]).write_parquet(buffer)
    yield buffer.getvalue()


FORMATS = (Format("parquet", (".parquet", ".pq"), read, write, signature=b"PAR1"),)
