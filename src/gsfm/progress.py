"""A progress bar: one line of a terminal, for work that takes more than a second."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Self, TextIO, TypeAlias

#: Called with a description of the work, the number of steps done, and their total.
Progress: TypeAlias = Callable[[str, int, int], None]

PATIENCE = 1.0  # seconds before anything is shown
EVERY = 0.25  # seconds between two updates
WIDTH = 20


class Bar:
    """A line on stderr that shows the progress of some work, and is removed at its end.

    It is a `Progress`. Before the first call it shows the elapsed time. Work that ends within a
    second shows nothing, nor does a stderr that is not a terminal.

    Parameters
    ----------
    what
        Description of the work until the first call.
    stream
        Where to write; stderr if None.

    Examples
    --------
    >>> with Bar("reading") as progress:
    ...     progress("scoring the sets", 1, 2)  # within a second: nothing is shown
    """

    def __init__(self, what: str, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._now = what, 0, 0, time.monotonic()  # the last: when it began
        self._over = threading.Event()
        # A thread of its own, for work that reports nothing for a long time.
        self._thread = threading.Thread(target=self._show, daemon=True)

    def __call__(self, what: str, done: int, total: int) -> None:
        """Update the description, the number of steps done, and their total."""
        before, *_, since = self._now
        self._now = what, done, total, since if what == before else time.monotonic()

    def __enter__(self) -> Self:
        if self._stream.isatty():
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _show(self) -> None:
        if self._over.wait(PATIENCE):
            return
        try:
            while True:
                # A longer line could not be erased.
                self._write(self._line()[: _columns(self._stream) - 1])
                if self._over.wait(EVERY):
                    break
            self._write("")
        except (OSError, ValueError):
            pass  # the terminal is gone

    def _write(self, line: str) -> None:
        self._stream.write(f"\r\x1b[2K{line}")
        self._stream.flush()

    def _line(self) -> str:
        what, done, total, since = self._now
        seconds = time.monotonic() - since
        if not 0 < done <= total:
            return f"{what}: {seconds:.0f} s"
        full = WIDTH * done // total
        left = seconds * (total - done) / done
        bar = "#" * full + "-" * (WIDTH - full)
        return f"[{bar}] {what}: {done / total:.0%}, {left:.0f} s left"


def clock(seconds: float) -> str:
    """Minutes and seconds, with hours if there are any.

    Examples
    --------
    >>> clock(75), clock(3700)
    ('1:15', '1:01:40')
    """
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def _columns(stream: TextIO) -> int:
    """The width of a terminal."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80
