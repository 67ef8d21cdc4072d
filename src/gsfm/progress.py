"""How far something has come, told on one line of a terminal once a second has passed."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO, TypeAlias

#: Told what is being done, how much of it is done, and how much there is.
Progress: TypeAlias = Callable[[str, int, int], None]

PATIENCE = 1.0  # seconds before anything is shown
EVERY = 0.25  # seconds between two looks at how far it has come
WIDTH = 20


class Bar:
    """A line on stderr that tells what goes on, and goes away when it is over.

    It is a `Progress`; of what tells nothing of itself it shows for how long it has gone on.
    Nothing is shown of what is over within a second, nor where stderr is no terminal.

    Parameters
    ----------
    what
        What is being done, until something else is told.
    stream
        Where; stderr if None.

    Examples
    --------
    >>> with Bar("reading") as progress:
    ...     progress("asking the model", 1, 2)  # within a second: nothing is shown
    """

    def __init__(self, what: str, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._now = what, 0, 0, time.monotonic()  # the last: since when
        self._over = threading.Event()
        # A thread of its own: what takes long may have nothing to tell meanwhile.
        self._thread = threading.Thread(target=self._show, daemon=True)

    def __call__(self, what: str, done: int, total: int) -> None:
        """Tell what is being done, how much of it is done, and how much there is."""
        before, *_, since = self._now
        self._now = what, done, total, since if what == before else time.monotonic()

    def __enter__(self) -> Self:
        if self._stream.isatty():
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _show(self) -> None:
        if self._over.wait(PATIENCE):
            return
        try:
            while True:
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


def _columns(stream: TextIO) -> int:
    """The width of a terminal: a longer line could not be taken back."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80
