"""Members of sets in few bytes: for the collections that are shipped inside the package.

The gene ids within a set are ascending, so they are stored as differences, and the bytes of one
significance lie together, which compresses best.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gsfm.genes import Vocabulary
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
    deltas[starts] = sets.indices[starts]  # the first gene of a set counts from zero
    return {
        "sizes": planes(sets.sizes, 2),
        "genes": planes(deltas, 2),
        "vocabulary": lines(sets.vocabulary.symbols),
    }


def unpack(
    tensors: Mapping[str, NDArray[Any]],
) -> tuple[Vocabulary, NDArray[np.int64], NDArray[np.int32]]:
    """Undo `pack`: the vocabulary, ``indptr`` and ``indices``."""
    sizes = numbers(tensors["sizes"])
    indptr = np.concatenate([[0], np.cumsum(sizes)])
    genes = np.cumsum(numbers(tensors["genes"]))
    # The running sum goes on from set to set: take off what the sets before have added.
    before = np.concatenate([[0], genes])[indptr[:-1]]
    indices = (genes - np.repeat(before, sizes)).astype(np.int32)
    return Vocabulary(text(tensors["vocabulary"])), indptr, indices


def planes(values: NDArray[Any], width: int) -> NDArray[np.uint8]:
    """(width, n) the bytes of whole numbers, the lowest of each first."""
    if len(values) and (values.min() < 0 or values.max() >= 1 << (8 * width)):
        raise ValueError(f"a number does not fit {width} bytes")
    shifts = 8 * np.arange(width)[:, None]
    return (values.astype(np.int64) >> shifts & 255).astype(np.uint8)


def numbers(planes: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(n,) the whole numbers whose bytes are the (width, n) planes."""
    total = np.zeros(planes.shape[1], np.int64)
    for shift, plane in enumerate(planes):
        total |= plane.astype(np.int64) << (8 * shift)
    return total


def lines(values: tuple[str, ...] | list[str]) -> NDArray[np.uint8]:
    """Texts as the bytes of lines.

    Raises
    ------
    ValueError
        If a text holds a line break.
    """
    broken = next((value for value in values if "\n" in value), None)
    if broken is not None:
        raise ValueError(f"{broken!r} holds a line break")
    return np.frombuffer("\n".join(values).encode(), np.uint8)


def text(tensor: NDArray[np.uint8]) -> list[str]:
    """Undo `lines`; no bytes are no lines."""
    joined = tensor.tobytes().decode()
    return joined.split("\n") if joined else []
