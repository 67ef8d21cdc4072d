"""Who was asked about: identifiers as a model's genes, and the answers that tell of them."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm import genes as who
from gsfm._report import Report
from gsfm.genes import Resolution, Species, Vocabulary

if TYPE_CHECKING:
    from gsfm.models import Model
    from gsfm.sets import GeneSets

Ids = NDArray[np.int32]

#: The match of an identifier that only the model's own vocabulary explains.
OWN = "model"


class Understood(NamedTuple):
    """Identifiers and the model's genes that they are."""

    resolution: Resolution
    inputs: pl.DataFrame
    ids: Ids  # (n,) the model's gene of each identifier, -1 where there is none

    @property
    def unused(self) -> list[str]:
        """The identifiers that are no gene of the model."""
        return (
            self.inputs.filter(~pl.col("in_model"))["input"].unique(maintain_order=True).to_list()
        )


def understand(
    vocabulary: Vocabulary, identifiers: Iterable[str], species: Species | None
) -> Understood:
    """Find the model's gene of each identifier.

    An approved symbol that the model lacks may be in it under an older name; and what is no known
    gene may be a symbol of the model's own.
    """
    resolution = who.resolve(identifiers, species=species)
    inputs = resolution.table
    ids = vocabulary.ids(symbol or "" for symbol in resolution.symbols)
    is_own = np.zeros(len(ids), bool)
    for i in np.flatnonzero(ids < 0):
        symbol = resolution.symbols[i]
        if symbol is not None:
            ids[i] = _old_names(vocabulary).get(symbol, -1)
        else:
            ids[i] = vocabulary.ids([inputs["input"][int(i)]])[0]
            is_own[i] = ids[i] >= 0
    own = pl.Series(is_own)
    inputs = inputs.with_columns(
        pl.when(own).then("input").otherwise("symbol").alias("symbol"),
        pl.when(own).then(pl.lit(OWN)).otherwise("match").alias("match"),
        pl.Series("in_model", ids >= 0),
    )
    return Understood(resolution, inputs, ids)


@functools.lru_cache(maxsize=4)
def _old_names(vocabulary: Vocabulary) -> dict[str, int]:
    """Approved symbol to gene id, for the genes that a model has under another name."""
    symbols = who.resolve(vocabulary.symbols).symbols
    return {
        approved: i
        for i, (approved, own) in enumerate(zip(symbols, vocabulary.symbols, strict=True))
        if approved is not None and approved != own and approved not in vocabulary
    }


def understand_sets(
    vocabulary: Vocabulary, sets: GeneSets, species: Species | None
) -> tuple[Understood, list[Ids]]:
    """Find the model's genes of gene sets: what was understood, and each set's, ascending."""
    used = np.unique(sets.indices)
    symbols = sets.vocabulary.symbols
    given = understand(vocabulary, [symbols[i] for i in used], species)
    new_id = np.full(sets.n_genes, -1, np.int32)
    new_id[used] = given.ids
    members = (new_id[sets.ids(i)] for i in range(len(sets)))
    return given, [np.unique(ids[ids >= 0]) for ids in members]


# -- what is told of them --------------------------------------------------------------------------


class Answer(Report):
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
    def unmatched(self) -> list[str]:
        """The identifiers that are no known gene."""
        return list(self.provenance["input"]["not_understood"])

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


def input_told(inputs: pl.DataFrame, genes: int) -> dict[str, Any]:
    """How many identifiers were given, how many genes they are, and which are no use, and why."""
    unused = inputs.filter(~pl.col("in_model")).drop_nulls("input")
    unused = unused.unique("input", maintain_order=True)
    why = {
        "not_understood": pl.col("match") == "unmatched",
        "ambiguous": pl.col("match") == "ambiguous",
        "not_in_model": pl.col("symbol").is_not_null(),
    }
    return {
        "given": inputs.height,
        "genes": genes,
        **{name: unused.filter(is_so)["input"].to_list() for name, is_so in why.items()},
    }


def model_told(model: Model) -> dict[str, Any]:
    """Which model answered."""
    manifest = model.manifest
    canonical = json.dumps(manifest, sort_keys=True, default=str)
    return {
        "name": manifest.get("name", model.family),
        "family": model.family,
        "version": manifest.get("gsfm_version"),
        "manifest_sha256": hashlib.sha256(canonical.encode()).hexdigest(),
        "genes": len(model.vocabulary),
    }


def nothing_known(what: str, given: Understood) -> str:
    if not given.unused:
        return f"{what} is empty; give at least one gene"
    return (
        f"no gene of {what} is known to the model: {some(given.unused, 20)}; "
        "gsfm genes resolve tells how identifiers are read"
    )


def some(names: list[str], limit: int) -> str:
    more = f", and {len(names) - limit:,} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more
