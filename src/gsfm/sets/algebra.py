"""Operations on collections: concatenation, deduplication, mapping of identifiers."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

import gsfm.genes
from gsfm.errors import check_type, require
from gsfm.genes import Vocabulary
from gsfm.io.notes import Notes, ReadReport
from gsfm.sets import csr

if TYPE_CHECKING:
    from gsfm.genes.resolver import Species
    from gsfm.sets.genesets import GeneSets

#: Columns of the metadata that hold texts.
TEXTS = {"description", "source", "species", "link"}


def concat(collections: Sequence[GeneSets]) -> GeneSets:
    """Concatenate collections over the union of their vocabularies.

    Every set is kept, in order. A column that a collection lacks is null there. If only some
    collections have member weights, the members of the others have weight 1. The union of the
    vocabularies is sorted, unless they are all the same.

    Raises
    ------
    ValueError
        If there is no collection.

    Examples
    --------
    >>> from gsfm.sets import GeneSets
    >>> one = GeneSets.from_lists({"a": ["TP53"]})
    >>> other = GeneSets.from_lists({"b": ["EGFR", "TP53"]})
    >>> both = concat([one, other])
    >>> both.names, both.vocabulary.symbols
    (['a', 'b'], ('EGFR', 'TP53'))
    """
    from gsfm.sets.genesets import GeneSets  # it imports this module

    check_type((list, tuple), "a list of GeneSets", collections=collections)
    for one in collections:
        check_type(GeneSets, "a GeneSets", collection=one)
    require(collections, "there is no collection to concatenate")
    first = collections[0].vocabulary
    if any(c.vocabulary != first for c in collections):
        vocabulary = Vocabulary(sorted({s for c in collections for s in c.vocabulary}))
        collections = [c.reindex(vocabulary) for c in collections]
    parts = [c.member_weights for c in collections]
    weights = None
    if any(part is not None for part in parts):
        ones = [np.ones(len(c.indices), np.float32) for c in collections]
        weights = np.concatenate([o if p is None else p for o, p in zip(ones, parts, strict=True)])
    manifests = [c.manifest for c in collections]
    return collections[0]._make(
        collections[0].vocabulary,
        (
            csr.to_indptr(np.concatenate([c.sizes for c in collections])),
            np.concatenate([c.indices for c in collections]),
            weights,
        ),
        _stack([c.metadata for c in collections]),
        {"parts": manifests} if any(manifests) else None,
    )


def _stack(tables: list[pl.DataFrame]) -> pl.DataFrame:
    """Concatenate tables; a column of several types becomes text, or numbers for the year."""
    types: dict[str, set[pl.DataType]] = {}
    for table in tables:
        for name, dtype in table.schema.items():
            types.setdefault(name, set()).update([dtype] * (dtype != pl.Null))
    mixed = {
        name
        for name, dtypes in types.items()
        if len(dtypes) > 1 and not all(dtype.is_numeric() for dtype in dtypes)
    }

    def unified(column: pl.Series) -> pl.Series:
        is_year = column.name == "year"
        return column.cast(pl.Int64, strict=False) if is_year else as_text_column(column)

    same = [t.with_columns(unified(t[name]) for name in mixed & set(t.columns)) for t in tables]
    return pl.concat(same, how="diagonal_relaxed")


def as_text_column(series: pl.Series) -> pl.Series:
    """A column as text; lists and structures as JSON."""
    if not series.dtype.is_nested():
        return series.cast(pl.String)
    texts = [
        None if value is None else json.dumps(value, ensure_ascii=False, default=str)
        for value in series.to_list()
    ]
    return pl.Series(series.name, texts, dtype=pl.String)


def typed(table: pl.DataFrame) -> pl.DataFrame:
    """The metadata of a file with texts where gsfm expects them.

    A column of bytes, and a year or weight that is a list, are a ValueError.
    """
    for name, dtype in table.schema.items():
        require("Binary" not in repr(dtype), f"the column {name!r} holds bytes, not text")
        flat = name not in ("year", "weight") or not dtype.is_nested()
        require(flat, f"the column {name!r} holds {dtype}, not numbers")
    return table.with_columns(as_text_column(table[name]) for name in TEXTS & set(table.columns))


def deduplicate(sets: GeneSets) -> GeneSets:
    """See `GeneSets.deduplicate`."""
    first = csr.first_equal(sets.indptr, sets.indices)
    kept = np.flatnonzero(first == np.arange(len(first)))
    table = sets.metadata
    names = pl.concat_list("name")
    if "names" in table.columns:
        names = pl.coalesce("names", names)
    # Some of the sets may be the result of an earlier deduplication.
    copies = pl.col("copies").fill_null(1).sum() if "copies" in table.columns else pl.len()
    merged = [
        names.list.explode(keep_nulls=False, empty_as_null=False)
        .drop_nulls()
        .unique(maintain_order=True)
        .alias("names"),
        copies.alias("copies"),
    ]
    if "year" in table.columns:
        merged.append(pl.col("year").min().alias("year"))
    groups = (
        table.with_columns(pl.Series("_first", first))
        .group_by("_first", maintain_order=True)
        .agg(merged)
    )
    result = sets[kept]
    result.metadata = result.metadata.with_columns(groups.drop("_first"))
    return result


def resolve(sets: GeneSets, species: Species | None) -> GeneSets:
    """See `GeneSets.resolve`."""
    frequencies = sets.gene_frequencies
    resolution = gsfm.genes.resolve(sets.vocabulary.symbols, species=species)
    symbols = resolution.symbols
    vocabulary = Vocabulary(sorted({symbol for symbol in symbols if symbol is not None}))
    mapping = vocabulary.ids(symbol or "" for symbol in symbols)
    arrays = csr.remap(sets.indptr, sets.indices, sets.member_weights, mapping)
    result = sets._make(vocabulary, arrays, sets.metadata, sets.manifest)

    report = sets.report or ReadReport("<memory>", "GeneSets", len(sets), sets.n_genes)
    notes = Notes()
    notes.add_all(report.notes)
    notes.add("merged-members", int(frequencies[mapping >= 0].sum()) - len(result.indices))
    for warning in resolution.warnings:
        notes.add("looks-foreign", example=warning)
    emptied = np.flatnonzero((result.sizes == 0) & (sets.sizes > 0))
    if len(emptied):
        notes.add("unmapped-sets", len(emptied), example=sets.metadata["name"][int(emptied[0])])

    def by_frequency(identifiers: list[str]) -> dict[str, int]:
        counts = zip(
            identifiers, frequencies[sets.vocabulary.ids(identifiers)].tolist(), strict=True
        )
        return dict(sorted(counts, key=lambda item: (-item[1], item[0])))

    result.report = dataclasses.replace(
        report,
        n_sets=len(sets),
        n_identifiers=sets.n_genes,
        notes=notes.done(),
        mapped=resolution.mapped_counts,
        unmapped=by_frequency(resolution.unmapped),
        ambiguous=by_frequency(resolution.ambiguous),
    )
    return result
