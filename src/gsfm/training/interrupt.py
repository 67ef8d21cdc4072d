"""Ctrl-C while fitting: answered between two steps, with nothing torn."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator


class Interrupted(KeyboardInterrupt):
    """Ctrl-C while fitting: what was learned is in the model, and in its checkpoint if any."""


@contextlib.contextmanager
def stop_request() -> Iterator[Callable[[], bool]]:
    """Let the first Ctrl-C be answered between two steps; a second one acts at once."""
    asked = False

    def ask(number: int, frame: object) -> None:
        nonlocal asked
        asked = True
        signal.signal(signal.SIGINT, before)

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False  # only the main thread may handle signals
        return
    before = signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)
