"""The ordered list of genes to which gene ids refer."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray


class Vocabulary(Sequence[str]):
    """An ordered, duplicate-free list of gene symbols; a gene id is a position in it.

    Parameters
    ----------
    symbols
        The symbols, in the order of the ids.

    Raises
    ------
    ValueError
        If a symbol is empty or occurs twice.

    Examples
    --------
    >>> vocabulary = Vocabulary(["TP53", "MDM2", "EGFR"])
    >>> vocabulary.ids(["EGFR", "TP53", "NOPE"])
    array([ 2,  0, -1], dtype=int32)
    >>> vocabulary[1], "EGFR" in vocabulary, len(vocabulary)
    ('MDM2', True, 3)
    """

    __slots__ = ("__dict__", "_symbols")

    def __init__(self, symbols: Iterable[str]) -> None:
        self._symbols = tuple(symbols)
        if "" in self._symbols:
            raise ValueError("a vocabulary cannot hold an empty symbol")
        if len(self._index) != len(self._symbols):
            twice = next(s for i, s in enumerate(self._symbols) if self._index[s] != i)
            raise ValueError(f"the symbol {twice!r} occurs twice in the vocabulary")

    @functools.cached_property
    def _index(self) -> dict[str, int]:
        return {symbol: i for i, symbol in enumerate(self._symbols)}

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols, in the order of their ids."""
        return self._symbols

    @functools.cached_property
    def hash(self) -> str:
        """SHA-256 of the newline-joined symbols: equal vocabularies have equal hashes."""
        return hashlib.sha256("\n".join(self._symbols).encode()).hexdigest()

    @functools.cached_property
    def alphabetical_rank(self) -> NDArray[np.int32]:
        """(genes,) the position of each symbol in alphabetical order."""
        order = sorted(range(len(self)), key=self._symbols.__getitem__)
        return np.argsort(order).astype(np.int32)

    def ids(self, symbols: Iterable[str]) -> NDArray[np.int32]:
        """Return the ids of `symbols`, -1 where a symbol is not in the vocabulary."""
        get = self._index.get
        return np.fromiter((get(symbol, -1) for symbol in symbols), dtype=np.int32)

    def __contains__(self, symbol: object) -> bool:
        return symbol in self._index

    def __len__(self) -> int:
        return len(self._symbols)

    def __iter__(self) -> Iterator[str]:
        return iter(self._symbols)

    def __getitem__(self, i):  # type: ignore[no-untyped-def]  # int -> str, slice -> tuple
        return self._symbols[i]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self._symbols == other._symbols

    def __hash__(self) -> int:
        return hash(self._symbols)

    def __repr__(self) -> str:
        return f"Vocabulary({len(self)} genes: {', '.join(self._symbols[:3])}, ...)"
