"""Collections out of collections: one after another, and without repeats."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from gsfm.genes import Vocabulary
from gsfm.sets import csr
from gsfm.sets.formats.cells import as_text_column
from gsfm.sets.genesets import GeneSets


def concat(collections: Sequence[GeneSets]) -> GeneSets:
    """Put collections one after another, over the union of their vocabularies.

    Every set is kept, in order; a column of metadata that a collection lacks is null there. Where
    only some have member weights, the members of the others weigh 1. The union of the vocabularies
    is sorted, unless they are all the same.

    Raises
    ------
    ValueError
        If there is no collection.

    Examples
    --------
    >>> one = GeneSets.from_lists({"a": ["TP53"]})
    >>> other = GeneSets.from_lists({"b": ["EGFR", "TP53"]})
    >>> both = concat([one, other])
    >>> both.names, both.vocabulary.symbols
    (['a', 'b'], ('EGFR', 'TP53'))
    """
    if not collections:
        raise ValueError("there is no collection to put together")
    first = collections[0].vocabulary
    if any(c.vocabulary != first for c in collections):
        vocabulary = Vocabulary(sorted({s for c in collections for s in c.vocabulary}))
        collections = [c.reindex(vocabulary) for c in collections]
    sizes = np.concatenate([c.sizes for c in collections])
    weights = None
    if any(c.member_weights is not None for c in collections):
        weights = np.concatenate(
            [
                np.ones(len(c.indices), np.float32)
                if c.member_weights is None
                else c.member_weights
                for c in collections
            ]
        )
    for c in collections:
        c._ensure_valid()
    manifests = [c.manifest for c in collections]
    return GeneSets._make(
        collections[0].vocabulary,
        csr.to_indptr(sizes),
        np.concatenate([c.indices for c in collections]),
        _stack([c.metadata for c in collections]),
        weights,
        {"parts": manifests} if any(manifests) else None,
    )


def _stack(tables: list[pl.DataFrame]) -> pl.DataFrame:
    """Tables one below another; a column of several types becomes text, the year numbers."""
    types: dict[str, list[pl.DataType]] = {}
    for table in tables:
        for column, kind in table.schema.items():
            if kind != pl.Null and kind not in types.setdefault(column, []):
                types[column].append(kind)
    mixed = [
        column
        for column, kinds in types.items()
        if len(kinds) > 1 and not all(kind.is_numeric() for kind in kinds)
    ]
    same = [
        table.with_columns(
            table[column].cast(pl.Int64, strict=False)
            if column == "year"
            else as_text_column(table[column])
            for column in mixed
            if column in table.columns
        )
        for table in tables
    ]
    return pl.concat(same, how="diagonal_relaxed")


def deduplicate(sets: GeneSets) -> GeneSets:
    """See `GeneSets.deduplicate`."""
    sets._ensure_valid()
    first = csr.first_equal(sets.indptr, sets.indices)
    kept = np.flatnonzero(first == np.arange(len(first)))
    table = sets.metadata
    names = pl.concat_list("name")
    if "names" in table.columns:
        names = pl.coalesce("names", names)
    # What was de-duplicated before, and what was not, may both be here.
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
        .sort("_first")
    )
    result = sets[kept]
    result.metadata = result.metadata.with_columns(groups.drop("_first"))
    return result
