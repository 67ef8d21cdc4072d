"""Enrichment of several lists at once: both directions of a contrast, or clusters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
import scipy.sparse as sp

from gsfm import genes as gene_names
from gsfm.analysis.enrichment.groups import Members
from gsfm.analysis.enrichment.result import Enrichment
from gsfm.completion.identifiers import MappedIdentifiers
from gsfm.errors import GsfmError, count
from gsfm.io.frames import is_frame
from gsfm.sets import GeneSets, read

#: The names of columns of clusters, in lower case, of which a data frame is several lists.
CLUSTERS = ("cluster", "leiden", "louvain", "seurat_clusters", "module", "list")
#: The entries of the input that are lists of identifiers.
_NAMES = ("unmapped", "ambiguous", "not_in_model", "not_in_background", "not_in_library")


def as_lists(genes: Any) -> dict[str, Any] | None:
    """Several gene sets or ranked lists by their names; None if `genes` is one.

    Examples
    --------
    >>> as_lists({"up": ["TP53", "BAX"], 2: {"EGFR": 2.5}})
    {'up': ['TP53', 'BAX'], '2': {'EGFR': 2.5}}
    >>> as_lists({"TP53": 3.1, "BAX": "2.0"}) is None
    True
    """
    if is_frame(genes):
        names = {str(name).lower() for name in genes.columns}
        genes = read(genes) if names & {*CLUSTERS} and len(names) > 1 else None
    if isinstance(genes, GeneSets):
        many = len(genes) != 1
        return {name: genes.genes(i) for i, name in enumerate(genes.names)} if many else None
    if not isinstance(genes, Mapping):
        return None
    single = (str, int, float, np.generic)
    if not genes or any(isinstance(one, single) or one is None for one in genes.values()):
        return None
    return {str(name): one for name, one in genes.items()}


def combine(
    results: Mapping[str, Enrichment], errors: Mapping[str, GsfmError], files: Mapping[str, Any]
) -> Enrichment:
    """One result of several lists; an error if there is none.

    Parameters
    ----------
    results
        The result of each list.
    errors
        Why others have none.
    files
        The provenance of the files with the lists.
    """
    if not results and not errors:
        raise GsfmError("there is no list of genes; give at least one gene set")
    if len({tuple(one.table.columns) for one in results.values()}) > 1:
        raise GsfmError("the lists must all be gene sets, or all be ranked lists")
    if not results:
        name, error = next(iter(errors.items()))
        raise type(error)(f"none of {count(len(errors), 'list')} can be tested; {name}: {error}")
    tables, inputs = [], []
    for name, one in results.items():
        tables.append(one.table.select(pl.lit(name).alias("list"), pl.all()))
        inputs.append(one.inputs.select(pl.lit(name).alias("list"), pl.all()))
    identifiers = pl.concat(inputs, how="diagonal")
    first = next(iter(results.values())).provenance
    about: dict[str, Any] = {
        "identifiers": identifiers.height,
        "genes": identifiers["symbol"].drop_nulls().n_unique(),
    }
    parts = {name: one.provenance["input"] for name, one in results.items()}
    for key in _NAMES:
        if any(key in part for part in parts.values()):
            every = (identifier for part in parts.values() for identifier in part.get(key, ()))
            about[key] = list(dict.fromkeys(every))
    of_list = {name: {**part, "background": None} for name, part in parts.items()}
    for name, one in results.items():
        of_list[name]["background"] = one.provenance["background"]["genes"]
        if "model_weight" in one.provenance:
            of_list[name]["model_weight"] = one.provenance["model_weight"]
    column = {"list": "the list of input genes; ranks and fdr are within a list and a library"}
    provenance = {
        **{key: value for key, value in first.items() if key != "model_weight"},
        "input": {**about, **files},
        "lists": of_list | {name: {"reason": str(error)} for name, error in errors.items()},
        "columns": column | first["columns"],
    }
    resolution = gene_names.resolve(identifiers["input"].to_list())
    mapped = MappedIdentifiers(resolution, identifiers, np.empty(0, np.int32))
    parts_of = {name: one.members for name, one in results.items()}
    rankings = [
        one.ranking.select(pl.lit(name).alias("list"), pl.all())
        for name, one in parts_of.items()
        if one.ranking is not None
    ]
    # The libraries, and so the vocabularies, are the same.
    members = Members(
        sp.vstack([one.of_terms for one in parts_of.values()], format="csr"),
        next(iter(parts_of.values())).vocabulary,
        pl.concat(rankings) if rankings else None,
    )
    return Enrichment(pl.concat(tables), provenance, mapped, members)
