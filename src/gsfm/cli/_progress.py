"""What a command that keeps its user waiting says on stderr."""

from __future__ import annotations

import sys
import time

#: Seconds of silence: what is done sooner says nothing.
PATIENCE = 0.5


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
