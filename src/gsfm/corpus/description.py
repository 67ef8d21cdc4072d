"""Description of a corpus: counts, quantiles, and a hash of the content."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm.errors import check_least, check_type
from gsfm.genes import Vocabulary
from gsfm.sets import GeneSets

# Columns in the hash. Weights are not content: they depend on the settings of a build.
_HASHED = ("name", "source", "year")
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


def describe(corpus: GeneSets, *, top: int = 10) -> Description:
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
    check_type(GeneSets, "a GeneSets, such as of gsfm.corpus.load", corpus=corpus)
    check_least(0, top=top)
    frequency = corpus.gene_frequencies
    used = frequency[frequency > 0]
    order = np.argsort(-frequency, kind="stable")[: len(used)][:top]
    columns = (
        pl.Series("symbol", [corpus.vocabulary[int(g)] for g in order], pl.String),
        pl.Series("sets", frequency[order]),
        pl.Series("part", frequency[order] / max(len(corpus), 1)),
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
        top_genes=pl.DataFrame(columns),
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
    licenses = {one["source"]: one.get("license") for one in reversed(inputs)}
    license = pl.col("source").replace_strict(licenses, default=None, return_dtype=pl.String)
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
        .with_columns(license=license)
    )


def content_hash(sets: GeneSets) -> str:
    """Return a SHA-256 of the content, which does not depend on the order of sets and genes.

    Each set is hashed with its name, source, year and symbols; the sorted hashes are hashed again.
    Other columns, and genes of the vocabulary without a set, are ignored.

    Parameters
    ----------
    sets
        Any collection.

    Examples
    --------
    >>> a = GeneSets.from_lists({"repair": ["BRCA1", "BRCA2"], "growth": ["EGFR"]})
    >>> b = GeneSets.from_lists({"growth": ["EGFR"], "repair": ["BRCA2", "BRCA1"]})
    >>> content_hash(a) == content_hash(b) == content_hash(a[[1, 0]])
    True
    >>> content_hash(a) == content_hash(a[:1])
    False
    """
    check_type(GeneSets, "a GeneSets, such as of gsfm.corpus.load", sets=sets)
    used = np.flatnonzero(sets.gene_frequencies)
    vocabulary = Vocabulary(sorted(sets.vocabulary[int(gene)] for gene in used))
    sets = sets.reindex(vocabulary)
    # With the same sorted vocabulary, equal ids are equal symbols.
    members = np.ascontiguousarray(sets.indices, "<i4").tobytes()
    bounds = (4 * sets.indptr).tolist()
    present = [name for name in _HASHED if name in sets.metadata.columns]
    digests = []
    for i, row in enumerate(sets.metadata.select(present).iter_rows()):
        fields = (f"{k}={v}" for k, v in zip(present, row, strict=True) if v is not None)
        about = "\0".join(fields).encode() + b"\0\0"
        digests.append(hashlib.sha256(about + members[bounds[i] : bounds[i + 1]]).digest())
    total = hashlib.sha256(vocabulary.hash.encode())
    total.update(b"".join(sorted(digests)))
    return total.hexdigest()
