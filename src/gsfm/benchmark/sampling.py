"""Random draws that depend on names alone: on the seed, on what is drawn for, and on the items.

What is drawn for one term does not change with the other terms, with the genes beside its own, or
with the release of a library for random numbers: an order is a sort by a hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
        # Equal places (one pair in 2**64) would be told apart by the order of the items.
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
