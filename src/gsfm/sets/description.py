"""What is in a collection, in a few numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from gsfm.report import Report
from gsfm.sets import csr
from gsfm.sets.genesets import GeneSets


def describe(sets: GeneSets) -> Report:
    """Describe a collection: how many sets of which sizes, genes, sources, years.

    Parameters
    ----------
    sets
        The collection.

    Returns
    -------
    Report
        A table of ``field`` and ``value`` (text). The provenance is the manifest of the collection
        and, under ``read``, the report of its reading.

    Examples
    --------
    >>> sets = GeneSets.from_lists({"a": ["TP53"], "b": ["TP53", "MDM2"], "c": ["TP53"]})
    >>> dict(describe(sets).table.rows())["distinct sets"]
    '2'
    """
    sets._ensure_valid()
    sizes, table = sets.sizes, sets.metadata
    first = csr.first_equal(sets.indptr, sets.indices)
    fields: dict[str, Any] = {
        "sets": len(sets),
        "distinct sets": len(np.unique(first)),
        "empty sets": int((sizes == 0).sum()),
        "members": len(sets.indices),
        "genes": int((csr.count(sets.indices, sets.n_genes) > 0).sum()),
    }
    if len(sets):
        fields["smallest set"] = int(sizes.min())
        fields["median size"] = f"{np.median(sizes):g}"
        fields["largest set"] = int(sizes.max())
    fields["weighted members"] = "no" if sets.member_weights is None else "yes"
    fields["columns"] = ", ".join(table.columns)
    for column in ("source", "species"):
        if column in table.columns:
            values = table[column].drop_nulls().unique().sort().cast(pl.String).to_list()
            more = f", ... ({len(values)})" if len(values) > 5 else ""
            fields[column] = ", ".join(values[:5]) + more
    if "year" in table.columns:
        years = table["year"].cast(pl.Int64, strict=False).drop_nulls().to_list()
        if years:
            fields["years"] = f"{min(years)} to {max(years)} ({len(years)} sets)"
    rows = [(name, str(value)) for name, value in fields.items()]
    provenance: dict[str, Any] = dict(sets.manifest)
    if sets.report is not None:
        provenance["read"] = sets.report.to_dict()
    schema = {"field": pl.String, "value": pl.String}
    return Report(pl.DataFrame(rows, schema=schema, orient="row"), provenance)
