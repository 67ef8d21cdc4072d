"""The memory allocator while a model is fitted."""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Iterator

# From malloc.h.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_MMAP_MAX = -1, -3, -4


@contextlib.contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Keep the memory that one step frees for the next.

    A step takes and frees several arrays of tens of megabytes. glibc gives them back to the system
    at once, which then has to map and clear every page anew: a good part of a step. Other
    allocators are left as they are.
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
        # What glibc itself comes to, once a large array was freed.
        mallopt(M_MMAP_MAX, 1 << 16)
        mallopt(M_MMAP_THRESHOLD, 1 << 25)
        mallopt(M_TRIM_THRESHOLD, 1 << 26)
        trim(0)
