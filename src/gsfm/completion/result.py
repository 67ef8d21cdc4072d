"""The result of a query: a table, its provenance, and the mapping of the identifiers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from gsfm.completion.identifiers import OWN, MappedIdentifiers
from gsfm.errors import join_names
from gsfm.genes import Vocabulary
from gsfm.genes.tables import names_of
from gsfm.report import Report


class Result(Report):
    """A report on input genes, with the mapping of their identifiers.

    Attributes
    ----------
    table, provenance
        As in `Report`; ``provenance["input"]`` lists the unused identifiers.
    inputs
        One row an identifier: ``input``, ``symbol``, ``match``, ``candidates`` and ``rule`` as in
        `gsfm.genes.resolve`, and ``in_model``.
    resolution
        What `gsfm.genes.resolve` returned.

    Notes
    -----
    Further tables are attributes by their names, and parts of `to_dict`. A subclass declares them.
    """

    def __init__(
        self,
        table: pl.DataFrame,
        provenance: dict[str, Any],
        mapped: MappedIdentifiers,
        **more: pl.DataFrame | dict[str, Any],
    ) -> None:
        super().__init__(table, provenance)
        self.inputs, self.resolution = mapped.inputs, mapped.resolution
        self._more = more
        for name, value in more.items():
            setattr(self, name, value)

    @property
    def unmapped(self) -> list[str]:
        """The identifiers that are no known gene."""
        return list(self.provenance["input"]["unmapped"])

    @property
    def not_in_model(self) -> list[str]:
        """The identifiers of genes that the model does not know; none without a model."""
        return list(self.provenance["input"].get("not_in_model", ()))

    def to_dict(self) -> dict[str, Any]:
        """The result for JSON: ``provenance``, ``inputs``, the further tables and ``results``."""
        whole = super().to_dict()
        results = whole.pop("results")
        more = {k: v if isinstance(v, Mapping) else v.to_dicts() for k, v in self._more.items()}
        return {**whole, "inputs": self.inputs.to_dicts(), **more, "results": results}

    def summary(self, *, limit: int = 50) -> str:
        """How the identifiers were mapped, in a few lines that list up to `limit` of them."""
        lines = [self.resolution.summary(limit=limit)]
        for what, names in self._listed().items():
            if names:
                lines.append(f"{what} ({len(names):,}): {join_names(names, limit)}")
        return "\n".join(lines)

    def _listed(self) -> dict[str, list[str]]:
        """The identifiers that the summary lists, by the beginning of the line."""
        inputs = self.inputs.unique("input", maintain_order=True)
        has_model = "in_model" in inputs.columns
        own = "the model's own symbols" if has_model else "known by no other name"
        renamed = inputs.filter(
            pl.col("input").str.to_uppercase() != pl.col("symbol").str.to_uppercase()
        )
        if has_model:
            renamed = renamed.filter("in_model")
        return {
            "read as": [f"{one} = {symbol}" for one, symbol in renamed["input", "symbol"].rows()],
            own: inputs.filter(pl.col("match") == OWN)["input"].to_list(),
            "not in the model": self.not_in_model,
        }


def gene_columns(
    vocabulary: Vocabulary, genes: ArrayLike, *, rank: ArrayLike | bool = False
) -> dict[str, Any]:
    """The first columns of a table of (n,) gene ids: ``rank``, ``symbol`` and ``name``.

    `rank` has the ranks; True counts the rows from 1, and False makes no such column.
    """
    symbols = symbols_of(vocabulary, genes)
    columns = {"symbol": symbols, "name": names_of(symbols)}
    if rank is False:
        return columns
    return {"rank": np.arange(len(symbols)) + 1 if rank is True else rank, **columns}


def symbols_of(vocabulary: Vocabulary, genes: ArrayLike) -> pl.Series:
    """(n,) the symbols of gene ids, as a column."""
    symbols = vocabulary.symbols
    return pl.Series("symbol", [symbols[g] for g in np.asarray(genes)], dtype=pl.String)
