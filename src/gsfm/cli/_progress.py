"""What a command that keeps its user waiting says on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Seconds of silence: what is done sooner says nothing.
PATIENCE = 0.5


@contextmanager
def bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """Yield what is to be told how much of how much is done; the bar goes when all is.

    Examples
    --------
    >>> with bar("asking the model") as progress:
    ...     progress(1, 2)
    """
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    # Imported here: a pipe has no use for it.
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(label, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)


class Waiting:
    """Say on stderr what is being done, if it takes more than a moment.

    On a terminal it is one line that is rewritten and goes away; elsewhere a line when it begins.
    """

    def __init__(self) -> None:
        self.terminal = sys.stderr.isatty()
        self.what, self.since, self.shown = "", time.monotonic(), False

    def __call__(self, what: str, done: int, total: int) -> None:
        """Of `total`, `done` is done."""
        now = time.monotonic()
        if what != self.what:
            self.clear()
            self.what, self.since = what, now
        if done >= total or (now - self.since < PATIENCE and done / total > 0.25):
            return
        if self.terminal:
            sys.stderr.write(f"\r\x1b[2K{what}: {done / total:.0%}")
        elif not self.shown:
            sys.stderr.write(f"{what} ...\n")
        sys.stderr.flush()
        self.shown = True

    def clear(self) -> None:
        """Take the line away."""
        if self.terminal and self.shown:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
        self.shown = False
