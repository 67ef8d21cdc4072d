"""Where added libraries are kept: one ``.gsets`` file each, in a folder of the user."""

from __future__ import annotations

import functools
import os
import re
from pathlib import Path

from gsfm.errors import GsfmError
from gsfm.sets import GeneSets

ENDING = ".gsets"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")


def home() -> Path:
    """The folder for what a user adds: ``GSFM_HOME``, else ``gsfm`` in the XDG data folder."""
    if given := os.environ.get("GSFM_HOME"):
        return Path(given)
    data = os.environ.get("XDG_DATA_HOME", "")
    # The XDG specification has relative paths ignored.
    base = Path(data) if Path(data).is_absolute() else Path.home() / ".local" / "share"
    return base / "gsfm"


def names() -> list[str]:
    """The names of the added libraries, sorted."""
    folder = home() / "libraries"
    found = sorted(folder.glob(f"*{ENDING}")) if folder.is_dir() else []
    return [path.stem for path in found if _NAME.fullmatch(path.stem)]


def path(name: str) -> Path:
    """The file of the added library of this name.

    Raises
    ------
    GsfmError
        If the name could not be that of a file.
    """
    if not _NAME.fullmatch(name):
        raise GsfmError(
            f"a library cannot be called {name!r}: take letters, digits and . _ + -, at most 100"
        )
    return home() / "libraries" / f"{name}{ENDING}"


def load(name: str) -> GeneSets:
    """The added library of this name; one that was read before is not read again."""
    file = path(name)
    state = file.stat()
    return _open(file, state.st_mtime_ns, state.st_size)


@functools.lru_cache(maxsize=64)
def _open(file: Path, modified: int, size: int) -> GeneSets:
    # When a file was written and its size are part of the key: a replaced file is read anew.
    return GeneSets.open(file)
