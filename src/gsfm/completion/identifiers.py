"""Who was asked about: identifiers as a model's genes, and the answers that tell of them."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm import genes as who
from gsfm.genes import Resolution, Species, Vocabulary

if TYPE_CHECKING:
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


def input_told(inputs: pl.DataFrame, genes: int) -> dict[str, Any]:
    """How many identifiers were given, how many genes they are, and which are no use, and why."""
    unused = inputs.filter(~pl.col("in_model")).drop_nulls("input")
    unused = unused.unique("input", maintain_order=True)
    why = {
        "unmapped": pl.col("match") == "unmapped",
        "ambiguous": pl.col("match") == "ambiguous",
        "not_in_model": pl.col("symbol").is_not_null(),
    }
    return {
        "given": inputs.height,
        "genes": genes,
        **{name: unused.filter(is_so)["input"].to_list() for name, is_so in why.items()},
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
