"""The memory allocator while a model is fitted."""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Iterator

# From malloc.h.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_MMAP_MAX = -1, -3, -4


@contextlib.contextmanager
def keep_freed_memory() -> Iterator[None]:
    """Keep the memory that one step frees for the next.

    glibc returns large arrays to the system at once, which has to map and clear every page again:
    a good part of a step. Other allocators are not changed.
    """
    try:
        libc = ctypes.CDLL(None)
        mallopt, trim = libc.mallopt, libc.malloc_trim
    except (AttributeError, OSError, TypeError):
        yield
        return
    mallopt(M_MMAP_MAX, 0)
    mallopt(M_TRIM_THRESHOLD, -1)
    try:
        yield
    finally:
        # The values that glibc itself arrives at after a large array is freed.
        mallopt(M_MMAP_MAX, 1 << 16)
        mallopt(M_MMAP_THRESHOLD, 1 << 25)
        mallopt(M_TRIM_THRESHOLD, 1 << 26)
        trim(0)
