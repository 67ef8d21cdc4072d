"""Added libraries: one ``.gsets`` file each, in the data folder of the user."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path

from gsfm.errors import GsfmError
from gsfm.paths import data_folder
from gsfm.sets import GeneSets

ENDING = ".gsets"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")


def names() -> list[str]:
    """The names of the added libraries, sorted."""
    found = sorted((data_folder() / "libraries").glob(f"*{ENDING}"))
    return [path.stem for path in found if _NAME.fullmatch(path.stem)]


def path(name: str) -> Path:
    """The file of the added library of this name.

    Raises
    ------
    GsfmError
        If the name cannot be the name of a file.
    """
    if not _NAME.fullmatch(name):
        raise GsfmError(f"a library cannot be called {name!r}: use 1 to 100 of A-Z a-z 0-9 . _ + -")
    return data_folder() / "libraries" / f"{name}{ENDING}"


def load(name: str) -> GeneSets:
    """The added library of this name."""
    return read_once(path(name), GeneSets.open)


def read_once(file: Path, reader: Callable[[Path], GeneSets]) -> GeneSets:
    """Read a file with `reader`; an unchanged file is read once in a process."""
    state = file.stat()
    return _read(file, reader, state.st_mtime_ns, state.st_size)


@functools.lru_cache(maxsize=64)
def _read(file: Path, reader: Callable[[Path], GeneSets], modified: int, size: int) -> GeneSets:
    # The time of the last change and the size are part of the key: a replaced file is read again.
    return reader(file)
