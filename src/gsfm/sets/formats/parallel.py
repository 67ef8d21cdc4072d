"""Parallel computation with results in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

#: More threads do not help: the one that takes the results is the slowest.
MOST_THREADS = 3


def in_order(function: Callable[[_Item], _Result], items: Iterable[_Item]) -> Iterator[_Result]:
    """Yield ``function(item)`` for each item, in order, computed ahead in threads.

    Threads help for functions that work on arrays, because NumPy releases the interpreter lock.
    Only a few results are stored at a time.

    Examples
    --------
    >>> list(in_order(len, ["a", "bcd", ""]))
    [1, 3, 0]
    """
    n_threads = min(os.cpu_count() or 1, MOST_THREADS) - 1
    if n_threads < 1:
        yield from map(function, items)
        return
    waiting: deque[Future[_Result]] = deque()
    with ThreadPoolExecutor(n_threads) as pool:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > n_threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
