"""Arrays that take long to compute, in the cache folder of the user."""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from gsfm.io.files import atomic_path
from gsfm.models import Model
from gsfm.models.types import Cache
from gsfm.paths import cache_folder

#: Members of terms from which their arrays are stored; others are computed as fast as read.
LEAST = 10_000
#: Number of files of each kind; the oldest are removed.
FILES = 24


def digest(text: str, *arrays: NDArray[Any]) -> str:
    """The SHA-256 of a text and arrays."""
    found = hashlib.sha256(text.encode())
    for array in arrays:
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def cache_file(kind: str, model: Model, key: str) -> Path:
    """The file of this kind with the arrays of a key, which tells apart all but the model."""
    name = hashlib.sha256(f"{model.fingerprint()}{key}".encode()).hexdigest()
    return cache_folder() / kind / f"{name[:32]}.safetensors"


def read_cache(file: Path | None) -> Cache:
    """The arrays of a cache file; none if there is no file, or it is damaged."""
    if file is None:
        return {}
    try:
        cache: Cache = load_file(file)
        os.utime(file)
    except (OSError, SafetensorError):
        return {}
    return cache


def write_cache(file: Path | None, cache: Cache) -> None:
    """Write a cache file and remove the oldest ones; nothing if the disk cannot be written to."""
    if file is None:
        return
    with contextlib.suppress(OSError):
        with atomic_path(file, parents=True) as temporary:
            save_file({k: np.ascontiguousarray(v) for k, v in cache.items()}, temporary)
        files = sorted(file.parent.glob("*.safetensors"), key=lambda f: f.stat().st_mtime)
        for old in files[:-FILES]:
            old.unlink(missing_ok=True)
