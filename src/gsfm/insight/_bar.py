"""A progress bar that stays away from what is done within a second."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self, TextIO

PATIENCE = 1.0  # seconds before anything is shown
LINE_SECONDS = 10.0  # between two lines where there is no terminal
WIDTH = 30


class Bar:
    """Progress on stderr: a bar in a terminal, now and then a line elsewhere.

    Parameters
    ----------
    text
        What is done.
    total
        Of how many steps; 0 if nobody knows.
    show
        False for a bar that is never shown.
    stream
        Where; stderr if None.

    Examples
    --------
    >>> with Bar("random sets", 2) as bar:
    ...     bar.advance(1)  # within a second: nothing is shown
    """

    def __init__(
        self, text: str, total: int, *, show: bool = True, stream: TextIO | None = None
    ) -> None:
        self.text, self.total, self.show, self.done = text, total, show, 0
        self.stream = stream or sys.stderr
        self._began = self._shown = time.monotonic()
        self._any = False

    def __enter__(self) -> Self:
        return self

    def announce(self) -> None:
        """Say now what is done: for a step that may take long and tells nothing meanwhile."""
        if self.show:
            self.stream.write(f"{self.text} ...\n")
            self.stream.flush()

    def advance(self, steps: int) -> None:
        """Tell that some more steps are done."""
        self.done += steps
        now = time.monotonic()
        terminal = self.stream.isatty()
        if not self.show or now - self._began < PATIENCE:
            return
        if self._any and not terminal and now - self._shown < LINE_SECONDS:
            return
        self._any, self._shown = True, now
        left = (now - self._began) / max(self.done, 1) * (self.total - self.done)
        told = f"{self.text}: {self.done} of {self.total}, {left:.0f} s left"
        if terminal:
            full = WIDTH * self.done // max(self.total, 1)
            bar = "#" * full + "-" * (WIDTH - full)
            self.stream.write(f"\r[{bar}] {told}\x1b[K")
        else:
            self.stream.write(f"{told}\n")
        self.stream.flush()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        if self._any and self.stream.isatty():
            self.stream.write("\r\x1b[K")
            self.stream.flush()
