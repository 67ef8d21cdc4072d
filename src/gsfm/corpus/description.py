"""What is in a corpus: counts and quantiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm.corpus.hashing import content_hash
from gsfm.sets import GeneSets

_QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


@dataclass(frozen=True)
class Description:
    """What is in a corpus.

    Attributes
    ----------
    sets, genes, members
        How many: sets, genes that occur in a set, members of sets.
    weight
        Sum of the weights of the sets (see `build`); equals `sets` where there are none.
    hash
        The `content_hash`.
    set_sizes, gene_frequencies
        Quantiles (``"0%"`` to ``"100%"``) of the genes a set, and of the sets a gene.
    sources
        A row a source: sets, members, median size, first and last year, license; most sets first.
    years
        A row a year: sets; None where the year is not known.
    top_genes
        The genes in most sets: symbol, sets, and their part of all sets.
    """

    sets: int
    genes: int
    members: int
    weight: float
    hash: str
    set_sizes: dict[str, float]
    gene_frequencies: dict[str, float]
    sources: pl.DataFrame
    years: pl.DataFrame
    top_genes: pl.DataFrame

    def to_dict(self) -> dict[str, Any]:
        """The description as JSON has it; tables are lists of rows."""
        values = asdict(self)
        return {k: v.to_dicts() if isinstance(v, pl.DataFrame) else v for k, v in values.items()}


def describe(corpus: GeneSets, *, top: int = 20) -> Description:
    """Count what is in a corpus.

    Parameters
    ----------
    corpus
        Any collection of gene sets.
    top
        How many of the most frequent genes to list.

    Examples
    --------
    >>> sets = GeneSets.from_lists({"repair": ["BRCA1", "BRCA2"], "growth": ["EGFR", "BRCA1"]})
    >>> description = describe(sets)
    >>> description.sets, description.genes, description.members
    (2, 3, 4)
    >>> description.top_genes.row(0)
    ('BRCA1', 2, 1.0)
    """
    frequency = np.bincount(corpus.indices, minlength=corpus.n_genes)
    used = frequency[frequency > 0]
    order = np.argsort(-frequency, kind="stable")[: min(top, len(used))]
    top_genes = pl.DataFrame(
        {
            "symbol": [corpus.vocabulary[int(g)] for g in order],
            "sets": frequency[order],
            "part": frequency[order] / max(len(corpus), 1),
        },
        schema={"symbol": pl.String, "sets": pl.Int64, "part": pl.Float64},
    )
    table = _columns(corpus)
    return Description(
        sets=len(corpus),
        genes=len(used),
        members=len(corpus.indices),
        weight=float(corpus.weights.sum(dtype=np.float64)),
        hash=content_hash(corpus),
        set_sizes=_quantiles(corpus.sizes),
        gene_frequencies=_quantiles(used),
        sources=_sources(table, corpus.manifest.get("inputs", [])),
        years=table.group_by("year").agg(sets=pl.len()).sort("year", nulls_last=True),
        top_genes=top_genes,
    )


def _columns(corpus: GeneSets) -> pl.DataFrame:
    """Source, year and size of each set; a missing column is a column of nulls."""
    kinds: dict[str, Any] = {"source": pl.String, "year": pl.Int64}
    table = corpus.metadata
    missing = [pl.lit(None, kind).alias(name) for name, kind in kinds.items() if name not in table]
    table = table.with_columns(missing).select(pl.col(name).cast(k) for name, k in kinds.items())
    return table.with_columns(size=pl.Series(corpus.sizes))


def _quantiles(values: NDArray[np.int64]) -> dict[str, float]:
    if not len(values):
        return {}
    found = np.quantile(values, _QUANTILES)
    return {f"{q:.0%}": float(v) for q, v in zip(_QUANTILES, found, strict=True)}


def _sources(table: pl.DataFrame, inputs: Sequence[Any]) -> pl.DataFrame:
    licenses = pl.DataFrame(
        [(i["source"], i.get("license")) for i in inputs],
        schema={"source": pl.String, "license": pl.String},
        orient="row",
    ).unique("source", keep="first", maintain_order=True)
    return (
        table.group_by("source")
        .agg(
            sets=pl.len(),
            members=pl.col("size").sum(),
            median_size=pl.col("size").median(),
            first_year=pl.col("year").min(),
            last_year=pl.col("year").max(),
        )
        .sort(["sets", "source"], descending=[True, False])
        .join(licenses, on="source", how="left", maintain_order="left")
    )
