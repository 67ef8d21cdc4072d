"""The types that the models share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gsfm.sets import GeneSets

Floats: TypeAlias = NDArray[np.float32]
Numbers: TypeAlias = NDArray[np.float64]
Ids: TypeAlias = NDArray[np.integer[Any]]
Mask: TypeAlias = NDArray[np.bool_]
#: A baseline and (n,) contributions, which add up to a score.
Parts: TypeAlias = tuple[float, Numbers]
#: The arrays of ``model.safetensors``, by name.
Tensors: TypeAlias = dict[str, NDArray[Any]]
#: Arrays that take long to compute, by name; empty at first, or read from a file.
Cache: TypeAlias = dict[str, NDArray[Any]]
#: Called with the number of terms done and the number of all.
Progress: TypeAlias = Callable[[int, int], None] | None
#: A collection, a sparse membership matrix, lists of symbols, or lists or arrays of gene ids.
Set: TypeAlias = Sequence[str] | Sequence[int] | NDArray[Any]
SetsLike: TypeAlias = GeneSets | sp.csr_array | Sequence[Set]
