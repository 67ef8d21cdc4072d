"""Parquet: a row for each set with a list of genes, or a row for each member."""

from __future__ import annotations

import io
from typing import BinaryIO

import numpy as np
import polars as pl

from gsfm.errors import FormatError
from gsfm.genes.lists import GENE_HEADERS
from gsfm.io.notes import Notes
from gsfm.io.streams import Source
from gsfm.sets.csr import Floats, Int64s
from gsfm.sets.formats.cells import check_sets
from gsfm.sets.formats.raw import Raw, from_frame
from gsfm.sets.formats.table import SET_HEADERS, find, from_long
from gsfm.sets.genesets import GeneSets


def read_parquet(source: Source) -> Raw:
    """Read Parquet: a list of genes in each row, or a gene in each row.

    Raises
    ------
    FormatError
        If it is not Parquet, or has no column of sets or of genes.
    """
    try:
        frame = pl.read_parquet(io.BytesIO(source.stream.read()))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise FormatError(source.name, f"not a readable Parquet file ({error})") from error
    lists = [c for c, kind in frame.schema.items() if kind == pl.List(pl.String)]
    genes = find(lists, GENE_HEADERS)
    if genes is None:
        return from_long(_as_text(frame), source, Notes(), 1)
    name = find([c for c in frame.columns if c not in lists], SET_HEADERS)
    if name is None or frame[name].null_count():
        raise FormatError(source.name, "it needs a column of names (name, set, term, ...)")
    members = frame[genes]
    sizes = members.list.len().fill_null(0).to_numpy().astype(np.int64)
    notes = Notes()
    weights = None
    if "weights" in frame.columns:
        weights = _weights(frame["weights"], sizes, source)
        notes.add("weighted-members", len(weights))
    others = pl.exclude(genes, name, "weights")
    table = frame.select(pl.col(name).cast(pl.String).alias("name"), others)
    flat = members.explode(keep_nulls=False, empty_as_null=False)
    return from_frame(table, sizes, flat, weights, notes)


def _weights(column: pl.Series, sizes: Int64s, source: Source) -> Floats:
    try:
        lengths = column.list.len().fill_null(0).to_numpy()
        numbers = column.explode(keep_nulls=False, empty_as_null=False).cast(pl.Float32)
    except pl.exceptions.PolarsError as error:
        raise FormatError(source.name, f"'weights' is not lists of numbers ({error})") from error
    if (lengths != sizes).any() or not numbers.is_finite().fill_null(False).all():
        raise FormatError(source.name, "'weights' does not have one number for each gene")
    return numbers.to_numpy().astype(np.float32)


def _as_text(frame: pl.DataFrame) -> pl.DataFrame:
    """Convert categories and numbers that are names or genes to text."""
    texts = [c for c in (find(frame.columns, SET_HEADERS), find(frame.columns, GENE_HEADERS)) if c]
    return frame.with_columns(pl.col(texts).cast(pl.String))


def write_parquet(sets: GeneSets, stream: BinaryIO, target: str) -> None:
    """Write a row for each set: ``name``, ``genes``, ``weights`` if any, and the metadata."""
    for column in ("genes", "weights"):
        if column in sets.metadata.columns:
            raise FormatError(target, f"the column {column!r} has another meaning: rename it")
    check_sets(sets, target, None)
    sizes = sets.sizes
    symbols = pl.Series("genes", sets.vocabulary.symbols, dtype=pl.String)
    columns = [_lists(symbols.gather(sets.indices), sizes)]
    if sets.member_weights is not None:
        columns.append(_lists(pl.Series("weights", sets.member_weights), sizes))
    names = sets.metadata["name"]
    buffer = io.BytesIO()
    pl.DataFrame([names, *columns, *sets.metadata.drop("name")]).write_parquet(buffer)
    stream.write(buffer.getvalue())


def _lists(values: pl.Series, sizes: Int64s) -> pl.Series:
    """Split a column into lists of these lengths."""
    rows = np.arange(len(sizes))
    owner = pl.Series("set", np.repeat(rows, sizes))
    lists = pl.DataFrame([owner, values]).group_by("set", maintain_order=True).agg(values.name)
    joined = pl.DataFrame({"set": rows}).join(lists, on="set", how="left", maintain_order="left")
    return joined.select(pl.col(values.name).fill_null([])).to_series()
