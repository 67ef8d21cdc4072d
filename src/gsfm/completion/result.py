"""The result of a query: a table, its provenance, and what became of the identifiers."""

from __future__ import annotations

from typing import Any

import polars as pl

from gsfm.completion.identifiers import OWN, some
from gsfm.genes import Resolution
from gsfm.report import Report


class Result(Report):
    """A report on genes that were asked about: it knows what was understood of the identifiers.

    Attributes
    ----------
    table, provenance
        As in `Report`; the provenance has ``input``, see `input_told`.
    inputs
        One row an identifier: ``input``, ``symbol``, ``match``, ``candidates`` and ``rule`` as
        `gsfm.genes.resolve` has them, and ``in_model``.
    resolution
        What `gsfm.genes.resolve` returned.
    """

    def __init__(
        self,
        table: pl.DataFrame,
        provenance: dict[str, Any],
        *,
        inputs: pl.DataFrame,
        resolution: Resolution,
    ) -> None:
        super().__init__(table, provenance)
        self.inputs = inputs
        self.resolution = resolution

    @property
    def unmapped(self) -> list[str]:
        """The identifiers that are no known gene."""
        return list(self.provenance["input"]["unmapped"])

    @property
    def not_in_model(self) -> list[str]:
        """The identifiers of genes that the model does not know; none if no model was asked."""
        return list(self.provenance["input"].get("not_in_model", ()))

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON has it: ``provenance``, ``inputs`` and ``results``."""
        whole = super().to_dict()
        results = whole.pop("results")
        return {**whole, "inputs": self.inputs.to_dicts(), "results": results}

    def summary(self, *, limit: int = 50) -> str:
        """What was understood and how, and what was not, in a few lines.

        Parameters
        ----------
        limit
            How many identifiers a line names; the rest is counted.
        """
        lines = [self.resolution.summary(limit=limit)]
        lines += [
            f"{what} ({len(names):,}): {some(names, limit)}"
            for what, names in self._told().items()
            if names
        ]
        return "\n".join(lines)

    def _told(self) -> dict[str, list[str]]:
        """The lines of the summary: what is told, and of which identifiers."""
        return {
            "read as": self._read_as(pl.col("in_model")),
            "the model's own symbols": self._own,
            "not in the model": self.not_in_model,
        }

    def _read_as(self, which: pl.Expr) -> list[str]:
        """Those that are known by another name, with that name."""
        own = pl.col("symbol").str.to_uppercase()
        renamed = self.inputs.filter(which, pl.col("input").str.to_uppercase() != own)
        pairs = renamed.unique("input", maintain_order=True).select("input", "symbol").rows()
        return [f"{given} = {symbol}" for given, symbol in pairs]

    @property
    def _own(self) -> list[str]:
        own = self.inputs.filter(pl.col("match") == OWN)
        return own["input"].unique(maintain_order=True).to_list()
