"""Summary statistics of a collection."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from gsfm.errors import check_type, count, join_names
from gsfm.report import Report
from gsfm.sets import csr
from gsfm.sets.genesets import GeneSets


def describe(sets: GeneSets) -> Report:
    """Describe a collection: the number and sizes of its sets, genes, sources and years.

    Parameters
    ----------
    sets
        The collection.

    Returns
    -------
    Report
        A table of ``field`` and ``value`` (text). The provenance is the manifest of the collection
        and, under ``read``, the `ReadReport`.

    Examples
    --------
    >>> sets = GeneSets.from_lists({"a": ["TP53"], "b": ["TP53", "MDM2"], "c": ["TP53"]})
    >>> dict(describe(sets).table.rows())["distinct sets"]
    '2'
    """
    check_type(GeneSets, "a GeneSets, such as of gsfm.sets.read", sets=sets)
    n_genes = int((sets.gene_frequencies > 0).sum())
    sizes, table = sets.sizes, sets.metadata
    first = csr.first_equal(sets.indptr, sets.indices)
    fields: dict[str, Any] = {
        "sets": len(sets),
        "distinct sets": len(np.unique(first)),
        "empty sets": int((sizes == 0).sum()),
        "members": len(sets.indices),
        "genes": n_genes,
    }
    if len(sets):
        fields["smallest set"] = int(sizes.min())
        fields["median size"] = f"{np.median(sizes):g}"
        fields["largest set"] = int(sizes.max())
    fields["weighted members"] = "no" if sets.member_weights is None else "yes"
    fields["columns"] = ", ".join(table.columns)
    for column in ("source", "species"):
        if column in table.columns:
            values = table[column].drop_nulls().unique().sort().cast(pl.String)
            fields[column] = join_names(values.to_list())
    if "year" in table.columns:
        years = table["year"].cast(pl.Int64, strict=False).drop_nulls().to_list()
        if years:
            fields["years"] = f"{min(years)} to {max(years)} ({count(len(years), 'set')})"
    rows = {"field": list(fields), "value": list(map(str, fields.values()))}
    return Report(pl.DataFrame(rows), {**sets.manifest, **sets.files})
