"""Identifier mapping: from any identifiers to the genes of a model."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm import genes as gene_names
from gsfm.completion.inputs import GenesLike, as_identifiers
from gsfm.errors import UnknownGenesError, join_names, require
from gsfm.genes import Resolution, Species, Vocabulary

if TYPE_CHECKING:
    from gsfm.sets import GeneSets

Ids = NDArray[np.int32]

#: The match of an identifier that is a symbol of the model's own vocabulary only.
OWN = "model"


class MappedIdentifiers(NamedTuple):
    """Identifiers and the genes of a model that they were mapped to."""

    resolution: Resolution
    inputs: pl.DataFrame
    ids: Ids  # (n,) the model's gene of each identifier, -1 where there is none
    read: Sequence[Mapping[str, Any]] = ()  # the provenance of each file with identifiers

    @property
    def genes(self) -> Ids:
        """The distinct genes, ascending."""
        return np.unique(self.ids[self.ids >= 0])

    @property
    def unused(self) -> list[str]:
        """The identifiers without a gene in the model."""
        return self._unused()["input"].to_list()

    def _unused(self) -> pl.DataFrame:
        unused = self.inputs.filter(~pl.col("in_model")).drop_nulls("input")
        return unused.unique("input", maintain_order=True)

    def mask(self, n_genes: int) -> NDArray[np.bool_]:
        """(genes,) whether a gene of the model is among the identifiers."""
        mask = np.zeros(n_genes, bool)
        mask[self.genes] = True
        return mask

    def require(self, what: str, *, least: int = 1) -> Ids:
        """Return `genes`; UnknownGenesError if there are fewer than `least`.

        `what` names the identifiers in the message: "the set".
        """
        known, unused = self.genes, join_names(self.unused, 20)
        message = f"{what} is empty; give at least one gene"
        if unused:
            reasons = [*self.resolution.warnings, *self.resolution.hints]
            hint = next(iter(reasons), "gsfm genes resolve shows how identifiers are mapped")
            message = f"no gene of {what} is known: {unused}; {hint}"
        require(len(known), message, UnknownGenesError)
        message = f"the model knows {len(known)} of the {len(self.ids)} genes of {what}; it needs"
        require(len(known) >= least, f"{message} at least {least}", UnknownGenesError)
        return known

    def describe(self) -> dict[str, Any]:
        """The numbers of identifiers and genes, the unused identifiers by reason, the warnings."""
        unused = self._unused()
        reasons = {
            "unmapped": pl.col("match") == "unmapped",
            "ambiguous": pl.col("match") == "ambiguous",
            "not_in_model": pl.col("symbol").is_not_null(),
        }
        lists = {name: unused.filter(is_so)["input"].to_list() for name, is_so in reasons.items()}
        counts = {"identifiers": self.inputs.height, "genes": len(self.genes)}
        warnings = self.resolution.warnings
        return {**counts, **lists, **({"warnings": warnings} if warnings else {}), **self.files}

    @property
    def files(self) -> dict[str, Any]:
        """``read``, the provenance of each file with identifiers; empty if there was none."""
        return {"read": list(self.read)} if self.read else {}


def map_identifiers(
    vocabulary: Vocabulary,
    identifiers: GenesLike,
    species: Species | None,
    what: str = "the genes",
) -> MappedIdentifiers:
    """Find the model's gene of each identifier.

    The model may have an approved symbol under an older name, and an identifier of no known gene
    may be a symbol of the model's own.
    """
    identifiers = as_identifiers(identifiers, what)
    resolution = gene_names.resolve(identifiers, species=species)
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
    return MappedIdentifiers(resolution, inputs, ids, identifiers.read)


@functools.lru_cache(maxsize=4)
def _old_names(vocabulary: Vocabulary) -> dict[str, int]:
    """Approved symbol to gene id, for the genes that a model has under another name."""
    symbols = gene_names.resolve(vocabulary.symbols).symbols
    return {
        approved: i
        for i, (approved, own) in enumerate(zip(symbols, vocabulary.symbols, strict=True))
        if approved is not None and approved != own and approved not in vocabulary
    }


def map_sets(
    vocabulary: Vocabulary, sets: GeneSets, species: Species | None
) -> tuple[MappedIdentifiers, list[Ids]]:
    """Map the identifiers of gene sets together; also return the model's genes of each set.

    UnknownGenesError if the model knows none of them.
    """
    used = np.unique(sets.indices)
    symbols = sets.vocabulary.symbols
    mapped = map_identifiers(vocabulary, [symbols[i] for i in used], species)
    mapped.require("the library")
    new_id = np.full(sets.n_genes, -1, np.int32)
    new_id[used] = mapped.ids
    members = (new_id[sets.ids(i)] for i in range(len(sets)))
    return mapped, [np.unique(ids[ids >= 0]) for ids in members]
