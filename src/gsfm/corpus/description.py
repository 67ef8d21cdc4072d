"""Description of a corpus: counts and quantiles."""

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
    """The content of a corpus.

    Attributes
    ----------
    sets, genes, members
        The numbers of sets, of genes that occur in a set, and of members of sets.
    weight
        Sum of the weights of the sets (see `build`); without weights equal to `sets`.
    hash
        The `content_hash`.
    set_sizes, gene_frequencies
        Quantiles (``"0%"`` to ``"100%"``) of the genes in a set, and of the sets with a gene.
    sources
        A row for each source: sets, members, median size, first and last year, license; the
        sources with most sets first.
    years
        A row for each year: sets; None for sets of unknown year.
    top_genes
        The genes in most sets: symbol, sets, and the fraction of all sets (``part``).
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
        """Return the description for JSON; tables are lists of rows."""
        values = asdict(self)
        return {k: v.to_dicts() if isinstance(v, pl.DataFrame) else v for k, v in values.items()}


def describe(corpus: GeneSets, *, top: int = 20) -> Description:
    """Describe the content of a corpus.

    Parameters
    ----------
    corpus
        Any collection of gene sets.
    top
        Number of the most frequent genes to list.

    Examples
    --------
    >>> sets = GeneSets.from_lists({"repair": ["BRCA1", "BRCA2"], "growth": ["EGFR", "BRCA1"]})
    >>> description = describe(sets)
    >>> description.sets, description.genes, description.members
    (2, 3, 4)
    >>> description.top_genes.row(0)
    ('BRCA1', 2, 1.0)
    """
    frequency = corpus.gene_frequencies
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
    table = source_table(corpus)
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


def source_table(corpus: GeneSets) -> pl.DataFrame:
    """Return source, year and size of each set; a missing column is null."""
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
