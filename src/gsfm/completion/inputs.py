"""The genes that a caller gives: a list in any form, a table or a file, and what was read of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm import genes as gene_names
from gsfm.errors import GsfmError, check_type
from gsfm.genes import GeneList
from gsfm.genes.meanings import meaning
from gsfm.io.frames import is_frame
from gsfm.io.streams import is_file
from gsfm.sets import GeneSet, GeneSets

#: Identifiers of genes: an iterable, an array, a pandas or Polars Series or data frame, a path of a
#: list or a table, the result of `gsfm.genes.read`, or one gene set.
GenesLike: TypeAlias = Iterable[str] | Path | pl.DataFrame | GeneList | GeneSet | GeneSets

#: A ranked list: a mapping or pairs of an identifier and its statistic, the result of `read`, or a
#: data frame or the path of a file that it reads.
RankedLike: TypeAlias = (
    Mapping[str, float] | Iterable[tuple[str, float]] | pl.DataFrame | GeneList | str | Path
)


class Identifiers(list[Any]):
    """Identifiers of genes, and in `read` the provenance of each file that they are from."""

    def __init__(
        self, identifiers: Iterable[Any] = (), read: Iterable[Mapping[str, Any]] = ()
    ) -> None:
        super().__init__(identifiers)
        self.read = [dict(one) for one in read]

    def add(self, more: Identifiers) -> None:
        """Append other identifiers, with what was read of them."""
        self += more
        self.read += more.read


def as_identifiers(genes: GenesLike, what: str = "the genes", *, loci: bool = False) -> Identifiers:
    """The identifiers of a list, a table or a file; with `loci` also the places of a BED file.

    Raises
    ------
    TypeError
        If they are one text that is no file, whose letters would be read as genes; a mapping, whose
        keys would be; several gene sets; numbers that are no whole numbers, or a pandas Series of
        numbers with names; or no list at all.
    GsfmError
        If a text is both a file and a gene; and as `gsfm.genes.read` raises.
    """
    if isinstance(genes, Identifiers):
        return genes
    if isinstance(genes, GeneList):
        return Identifiers(genes.genes, [genes.provenance])
    if is_frame(genes) or isinstance(genes, Path) or (isinstance(genes, str) and is_path(genes)):
        return as_identifiers(gene_names.read(genes, loci=loci))  # type: ignore[arg-type]
    if isinstance(genes, str | bytes) or getattr(genes, "ndim", 1) == 0:
        raise TypeError(f"{what} must be a list of identifiers, or a file: use [{genes!r}]")
    if isinstance(genes, Mapping):
        raise TypeError(
            f"{what} must be a list of identifiers, not a mapping: use its values, or "
            "gsfm.GeneSets.from_lists for several sets"
        )
    if isinstance(genes, GeneSets):
        if len(genes) != 1:
            raise TypeError(f"{what} must be one set, not {len(genes):,}: choose one by its index")
        genes = genes[0]
    if isinstance(genes, GeneSet):
        return Identifiers(genes.genes)
    if not isinstance(genes, Iterable) or hasattr(genes, "table"):
        hint = ": use a column of its table" if hasattr(genes, "table") else ""
        kind = type(genes).__name__
        raise TypeError(f"{what} must be a list of identifiers, or a file, not {kind}{hint}")
    identifiers = Identifiers(genes)
    numbers: list[Any] = [v for v in identifiers if isinstance(v, int | float | np.number)]
    numbers = [v for v in numbers if v == v]
    if numbers and not any(isinstance(v, str) for v in identifiers):
        index = getattr(genes, "index", None)  # of a pandas Series
        if getattr(index, "dtype", np.dtype(int)).kind not in "iu" or any(v % 1 for v in numbers):
            hint = ": use the index of the Series" if hasattr(index, "dtype") else ""
            raise TypeError(f"{what} must be identifiers, not numbers{hint}")
    return identifiers


def is_path(text: str) -> bool:
    """Whether a text is the path of a file; GsfmError if it is also the identifier of a gene."""
    if not is_file(text):
        return False
    symbol = gene_names.resolve([text]).symbols[0]
    if symbol is not None and Path(text).name == text:
        table = gene_names.table()
        same = table.row(by_predicate=pl.col("symbol") == symbol, named=True)["hgnc_id"]
        raise GsfmError(
            f"{text!r} is both a file of this folder and a gene ({symbol}): use './{text}' for "
            f"the file, or another identifier for the gene ({same})"
        )
    return True


def is_pair(value: Any) -> bool:
    """Whether a value may be a gene with its statistic."""
    value = value.tolist() if isinstance(value, np.void) else value  # a row of a structured array
    return isinstance(value, tuple | list | np.ndarray) and len(value) == 2


def pairs(ranked: RankedLike) -> tuple[Identifiers, NDArray[np.float64]]:
    """Return the identifiers and the statistics of a ranked list.

    An empty list, a statistic that is not a finite number, and statistics that are all equal are a
    GsfmError.
    """
    if is_frame(ranked) or isinstance(ranked, str | Path):
        ranked = gene_names.read(ranked, ranked=True)  # type: ignore[arg-type]
    files = []
    if isinstance(ranked, GeneList):
        files = [ranked.provenance]
        ranked = ranked.table.select("gene", "statistic").rows()
    if hasattr(ranked, "items") and not isinstance(ranked, Mapping):  # a pandas Series
        index = np.asarray(ranked.index)  # type: ignore[union-attr]
        if index.dtype.kind in "iu" and (np.sort(index) == np.arange(len(index))).all():
            raise GsfmError("the index of the ranked Series counts its rows: set it to the genes")
        name = getattr(ranked, "name", None)
        found, _ = meaning(str(name))
        if found is not None and not found.rank:
            raise GsfmError(
                f"the ranked Series has the name {name!r}, a {found.kind}: give a signed "
                "statistic, or rename it"
            )
        ranked = ranked.items()
    check_type(Iterable, "a mapping or pairs of genes and statistics", ranked=ranked)
    rows: list[Any] = list(ranked.items() if isinstance(ranked, Mapping) else ranked)  # type: ignore[arg-type]
    if not all(map(is_pair, rows)):
        raise TypeError("a ranked list has pairs of a gene and its statistic, or is a mapping")
    if not rows:
        raise GsfmError("the ranked list is empty; give at least one gene with its statistic")
    genes = [str(gene) for gene, _ in rows]
    statistics = np.empty(len(rows))
    for i, (gene, value) in enumerate(rows):
        try:
            statistics[i] = "no number" if isinstance(value, bool | np.bool_) else value
        except (TypeError, ValueError):
            raise GsfmError(f"the statistic of {gene} is no number: {value!r}") from None
    finite = np.isfinite(statistics)
    if not finite.all():
        gene = genes[int(finite.argmin())]
        raise GsfmError(f"the statistic of {gene} is not a finite number; remove such genes")
    one = statistics[0]
    if (statistics == one).all() and (len(rows) > 1 or one == 0):
        raise GsfmError(f"all statistics of the ranked list are {one:g}; they rank nothing")
    return Identifiers(genes, files), statistics
