"""Questions of a benchmark: rank the candidates, given the shown genes; and random draws."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm.errors import require
from gsfm.genes import Vocabulary
from gsfm.sets import GeneSets

#: The columns that every `Questions.table` has.
COLUMNS = {"term": pl.String, "split": pl.Int32, "k": pl.Int32}


@dataclass(frozen=True)
class Questions:
    """The questions of a protocol about a library, the same for all methods.

    Parameters
    ----------
    protocol
        The protocol's name, such as ``"half-split"``.
    background
        The genes of the comparison, and the vocabulary of all sets below.
    shown
        (n sets) the query of each question.
    hidden
        (n sets) the genes to find; none of them is shown.
    candidates
        (n sets) the ranked genes, including the hidden ones; None for all genes of the background
        except the shown ones.
    table
        n rows: ``term`` (its name), ``split`` (the number of the repetition), ``k`` (the number of
        shown genes in the settings; null without such a setting), and other columns of the
        protocol.
    older
        The library's older release, for methods that are fitted on it; None if there is none. It
        has only genes of the background.
    skipped
        Number of terms without a question, by reason.
    about
        Settings and counts of the protocol, for the report; JSON-serializable.
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
        candidates = self.shown if self.candidates is None else self.candidates
        lengths = {len(part) for part in (self.shown, self.hidden, candidates, self.table)}
        require(len(lengths) == 1, "shown, hidden, candidates and table must have one length")
        same = "the vocabulary of shown, hidden, candidates and older must be the background"
        for sets in (self.shown, self.hidden, self.candidates, self.older):
            require(sets is None or sets.vocabulary == self.background, same)
        for column in COLUMNS:
            require(column in self.table.columns, f"the table has no column {column!r}")

    def __len__(self) -> int:
        return len(self.shown)

    def ranked(self, rows: slice) -> NDArray[np.bool_]:
        """(n, background) whether a gene is a candidate of the question."""
        if self.candidates is not None:
            return _mask(self.candidates[rows])
        return ~_mask(self.shown[rows])

    def wanted(self, rows: slice) -> NDArray[np.bool_]:
        """(n, background) whether a gene is hidden."""
        return _mask(self.hidden[rows])


def question_table(
    terms: Sequence[str] | pl.Series, *, split: Any = 1, k: Any = None, **others: Any
) -> pl.DataFrame:
    """The table of questions about the terms.

    Examples
    --------
    >>> question_table(["B"], size=[9]).rows()
    [('B', 1, None, 9)]
    """
    columns = {"term": terms, "split": split, "k": k, **others}
    return pl.DataFrame(columns, schema_overrides=COLUMNS)


def make_questions(
    protocol: str,
    background: Vocabulary,
    table: pl.DataFrame,
    shown: Sequence[Any],
    hidden: Sequence[Any],
    candidates: Sequence[Any] | None = None,
    **others: Any,
) -> Questions:
    """The questions whose sets are lists of gene ids; the terms of the table name the sets.

    Examples
    --------
    >>> table = question_table(["a term"])
    >>> len(make_questions("half-split", Vocabulary("ABC"), table, [[0]], [[2]]))
    1
    """
    names = table["term"].to_list()

    def sets(ids: Sequence[Any]) -> GeneSets:
        return GeneSets.from_ids(background, ids, names=names)

    ranked = None if candidates is None else sets(candidates)
    main = protocol, background, sets(shown), sets(hidden), table
    return Questions(*main, candidates=ranked, **others)


def _mask(sets: GeneSets) -> NDArray[np.bool_]:
    """(n, genes) membership."""
    mask: NDArray[np.bool_] = sets.to_csr().toarray() > 0
    return mask


UInt64s = NDArray[np.uint64]


class Draws:
    """Random orders of items that have names.

    Parameters
    ----------
    names
        The names of the items (genes, terms); an item is a position in it.
    seed
        Another seed gives other orders.

    Examples
    --------
    >>> draws = Draws("ABCDEFGH", seed=0)
    >>> few, all_ = draws.shuffle(np.array([0, 2, 5]), "term"), draws.shuffle(np.arange(8), "term")
    >>> [gene for gene in all_.tolist() if gene in (0, 2, 5)] == few.tolist()
    True
    """

    def __init__(self, names: Iterable[str], seed: int) -> None:
        self.seed = seed
        self._keys = np.fromiter((self._number(name) for name in names), np.uint64)

    def shuffle(self, items: NDArray[Any], *what: object) -> NDArray[Any]:
        """`items` in an order that is random for each `what`, whichever other items there are."""
        return items[np.argsort(self._places(items, what), kind="stable")]

    def first(self, n: int, items: NDArray[Any], *what: object) -> NDArray[Any]:
        """The first `n` of `shuffle`, in the same order, without sorting the rest."""
        if n >= len(items):
            return self.shuffle(items, *what)
        places = self._places(items, what)
        # Equal places (one pair in 2**64) would be in the order of the items.
        few = np.sort(np.argpartition(places, n)[:n])
        return items[few[np.argsort(places[few], kind="stable")]]

    def _places(self, items: NDArray[Any], what: tuple[object, ...]) -> UInt64s:
        return _mix(self._keys[items] ^ np.uint64(self._number(*what)))

    def _number(self, *what: object) -> int:
        """From 0 to 2**64 - 1."""
        text = "\0".join(map(str, (self.seed, *what)))
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def _mix(z: UInt64s) -> UInt64s:
    """Scatter the bits (the finalizer of splitmix64)."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
