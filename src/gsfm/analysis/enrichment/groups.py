"""Groups of redundant terms, and the similarity of terms."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
import scipy.sparse as sp

from gsfm.analysis.query import row_of
from gsfm.genes import Vocabulary
from gsfm.models import Model
from gsfm.models.types import Numbers

#: Terms of a list and library that are grouped: the best ones.
MOST = 500
#: Those of them that are compared by their vectors, which take longer.
VECTORS = 100
#: The least kappa and the least cosine of two terms that are similar.
KAPPA, COSINE = 0.3, 0.65


class Members(NamedTuple):
    """The genes of the terms of a table, and the ranked list that they were tested in."""

    of_terms: sp.csr_array  # (rows, genes) 0/1
    vocabulary: Vocabulary
    ranking: pl.DataFrame | None = None  # gene, statistic: largest first


def kappa(members: sp.csr_array) -> Numbers:
    """(n, n) Cohen's kappa of the genes of terms: their agreement beyond chance.

    Examples
    --------
    >>> two = sp.csr_array([[1, 1, 1, 0, 0, 0], [0, 1, 1, 0, 0, 0]])
    >>> kappa(two).round(2)
    array([[1.  , 0.67],
           [0.67, 1.  ]])
    """
    n_genes = members.shape[1]
    shared = np.asarray((members @ members.T).toarray(), np.float64)
    size = np.diff(members.indptr).astype(np.float64)
    both = size[:, None] + size
    observed = 1 - (both - 2 * shared) / n_genes
    chance = (size[:, None] * size + (n_genes - size[:, None]) * (n_genes - size)) / n_genes**2
    return np.asarray(np.where(chance < 1, (observed - chance) / np.maximum(1 - chance, 1e-12), 1))


def similarity(members: Members, rows: list[int], model: Model | None = None) -> Numbers:
    """(n, n) how similar the terms of some rows are; 1 or more is enough for a group.

    It is the kappa over `KAPPA`, or the cosine of the model's vectors over `COSINE` if that is
    larger. Only the first `VECTORS` rows have vectors.
    """
    values = kappa(members.of_terms[rows]) / KAPPA
    if model is not None:
        of_gene = model.vocabulary.ids(members.vocabulary.symbols)
        sets = [of_gene[row_of(members.of_terms, row)] for row in rows[:VECTORS]]
        vectors = np.asarray(model.embed_sets([ids[ids >= 0] for ids in sets]), np.float64)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        first = values[:VECTORS, :VECTORS]
        np.maximum(first, vectors @ vectors.T / COSINE, out=first)
    return values


def parts_of(table: pl.DataFrame) -> list[list[int]]:
    """The rows of each list and library, in their order."""
    by = [name for name in ("list", "library") if name in table.columns]
    rows = table.with_row_index("row").group_by(by, maintain_order=True).agg("row")
    return [part.to_list() for part in rows["row"]]


def direction(table: pl.DataFrame) -> pl.Series:
    """(rows,) the end of the ranked list: ``up`` or ``down``; empty of a gene set."""
    if "direction" in table.columns:
        return table["direction"]
    if "nes" not in table.columns:
        return pl.Series("direction", [""] * len(table), dtype=pl.String)
    up = pl.when(pl.col("nes") < 0).then(pl.lit("down")).otherwise(pl.lit("up"))
    return table.select(up.alias("direction"))["direction"]


def group_rows(
    table: pl.DataFrame, members: Members, model: Model | None = None
) -> tuple[pl.Series, pl.Series]:
    """(rows,) the group of each term and whether it is its best term; see `Enrichment.grouped`."""
    group = np.full(len(table), -1)
    is_first = np.zeros(len(table), bool)
    side = direction(table).to_numpy()
    for part in parts_of(table):
        rows = np.array(part[:MOST])
        similar = similarity(members, part[:MOST], model) >= 1 - 1e-9
        similar &= side[rows][:, None] == side[rows]
        first: list[int] = []
        for i, row in enumerate(rows.tolist()):
            near = np.flatnonzero(similar[i, first])
            if not len(near):
                first.append(i)
            group[row] = near[0] + 1 if len(near) else len(first)
            is_first[row] = not len(near)
    number = pl.Series("group", [int(g) if g > 0 else None for g in group], dtype=pl.Int64)
    return number, pl.Series("representative", is_first)
