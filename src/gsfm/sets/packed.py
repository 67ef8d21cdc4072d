"""A compact encoding of the members of sets, for the collections in the package.

The gene ids within a set are ascending. They are stored as differences, and bytes of the same
significance are stored together, which compresses best.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gsfm.errors import require
from gsfm.genes import Vocabulary
from gsfm.sets import csr
from gsfm.sets.genesets import GeneSets


def pack(sets: GeneSets) -> dict[str, NDArray[np.uint8]]:
    """The tensors ``sizes``, ``genes`` and ``vocabulary`` of a collection.

    Raises
    ------
    ValueError
        If a set or the vocabulary has more than 65,535 genes.

    Examples
    --------
    >>> tensors = pack(GeneSets.from_lists([["A", "C"], ["B"]]))
    >>> tensors["sizes"].tolist(), tensors["genes"].tolist()
    ([[2, 1], [0, 0]], [[0, 2, 1], [0, 0, 0]])
    """
    deltas = np.diff(sets.indices, prepend=np.int32(0))
    starts = sets.indptr[:-1][sets.sizes > 0]
    deltas[starts] = sets.indices[starts]  # the first gene of a set is stored as it is
    return {
        "sizes": planes(sets.sizes, 2),
        "genes": planes(deltas, 2),
        "vocabulary": lines(sets.vocabulary.symbols),
    }


def unpack(
    tensors: Mapping[str, NDArray[Any]],
) -> tuple[Vocabulary, NDArray[np.int64], NDArray[np.int64]]:
    """Undo `pack`: the vocabulary, ``indptr`` and ``indices``."""
    sizes = numbers(tensors["sizes"])
    indptr = csr.to_indptr(sizes)
    genes = np.cumsum(numbers(tensors["genes"]))
    # The cumulative sum does not end at the end of a set: subtract the sum of the sets before.
    before = np.concatenate([[0], genes])[indptr[:-1]]
    return Vocabulary(text(tensors["vocabulary"])), indptr, genes - np.repeat(before, sizes)


def planes(values: NDArray[Any], width: int) -> NDArray[np.uint8]:
    """(width, n) the bytes of non-negative integers, the lowest byte first."""
    fits = not len(values) or (values.min() >= 0 and values.max() < 1 << (8 * width))
    require(fits, f"a number does not fit {width} bytes")
    shifts = 8 * np.arange(width)[:, None]
    return (values.astype(np.int64) >> shifts & 255).astype(np.uint8)


def numbers(planes: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(n,) the integers whose bytes are the (width, n) planes."""
    shifts = 8 * np.arange(len(planes))[:, None]
    return np.asarray((planes.astype(np.int64) << shifts).sum(0))


def lines(values: tuple[str, ...] | list[str]) -> NDArray[np.uint8]:
    """Texts as the bytes of lines.

    Raises
    ------
    ValueError
        If a text contains a line break.
    """
    for value in values:
        if "\n" in value:
            raise ValueError(f"{value!r} contains a line break")
    return np.frombuffer("\n".join(values).encode(), np.uint8)


def text(tensor: NDArray[np.uint8]) -> list[str]:
    """Undo `lines`; the result for no bytes is an empty list."""
    joined = tensor.tobytes().decode()
    return joined.split("\n") if joined else []
