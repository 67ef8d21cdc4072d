"""What a benchmark asks: rank the candidates, given the genes that are shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm.genes import Vocabulary
from gsfm.sets import GeneSets

#: The columns that every `Questions.table` has.
COLUMNS = {"term": pl.String, "split": pl.Int32, "k": pl.Int32}


@dataclass(frozen=True)
class Questions:
    """The questions that a protocol makes of a library: every method gets the same ones.

    Parameters
    ----------
    protocol
        The protocol's name, such as ``"half-split"``.
    background
        The genes of the comparison; all ids below count by it.
    shown
        (n sets) the genes that a method is given.
    hidden
        (n sets) the genes that it is to find; none is shown.
    candidates
        (n sets) the genes that are ranked, the hidden ones among them; None for all genes of the
        background but the shown ones.
    table
        n rows: ``term`` (its name), ``split`` (the number of the repetition), ``k`` (the number of
        genes shown that the protocol asked for; null where it asks for none), and whatever else a
        protocol has to say.
    older
        The library's older release, for the peers that learn from it; None if there is none. Its
        genes outside the background are left out.
    skipped
        How many terms were not asked about, for each reason.
    about
        What the protocol did, for the report; JSON-serialisable.
    """

    protocol: str
    background: Vocabulary
    shown: GeneSets
    hidden: GeneSets
    table: pl.DataFrame
    candidates: GeneSets | None = None
    older: GeneSets | None = None
    skipped: Mapping[str, int] = field(default_factory=dict)
    about: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(self.shown)
        if not len(self.hidden) == self.table.height == n:
            raise ValueError("shown, hidden and table must have a row for each question")
        if self.candidates is not None and len(self.candidates) != n:
            raise ValueError("candidates must have a set for each question")
        for sets in (self.shown, self.hidden, self.candidates, self.older):
            if sets is not None and sets.vocabulary != self.background:
                raise ValueError("shown, hidden, candidates and older count by the background")
        missing = set(COLUMNS) - set(self.table.columns)
        if missing:
            raise ValueError(f"the table has no column {min(missing)!r}")

    def __len__(self) -> int:
        return len(self.shown)

    def ranked(self, rows: slice) -> NDArray[np.bool_]:
        """(n, background) whether a gene is a candidate of the question."""
        if self.candidates is not None:
            return _mask(self.candidates[rows])
        return ~_mask(self.shown[rows])

    def wanted(self, rows: slice) -> NDArray[np.bool_]:
        """(n, background) whether a gene is to be found."""
        return _mask(self.hidden[rows])


def _mask(sets: GeneSets) -> NDArray[np.bool_]:
    """(n, genes) membership."""
    mask: NDArray[np.bool_] = sets.to_csr().toarray() > 0
    return mask
