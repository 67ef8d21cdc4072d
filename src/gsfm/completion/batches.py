"""Work in batches, which bounds the working memory, with reports of progress."""

from __future__ import annotations

from collections.abc import Iterator

from gsfm.progress import Progress


def batches(n: int, size: int, task: str = "", progress: Progress | None = None) -> Iterator[slice]:
    """Slices of `size` rows or fewer that cover `n` rows; progress is reported after each.

    Examples
    --------
    >>> list(batches(5, 2))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    for start in range(0, n, size):
        end = min(start + size, n)
        yield slice(start, end)
        if progress is not None:
            progress(task, end, n)
