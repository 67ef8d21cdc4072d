"""Limits of the files that gsfm reads, so that a file of a stranger cannot use all resources."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields

from gsfm.errors import GsfmError

#: Decompressed bytes, and cells of a table, that any file may have.
_FREE, _FREE_CELLS = 64 << 20, 250_000


@dataclass(frozen=True)
class Limits:
    """The limits; ``GSFM_MAX_MEMORY=1000000000`` in the environment sets `memory`, and so on.

    Attributes
    ----------
    memory, seconds
        Bytes of memory, and seconds of processor time, of a process that reads a workbook or a
        Parquet file.
    cells
        Cells of a sheet of a workbook.
    size
        Bytes of a file, decompressed.
    ratio
        Decompressed bytes for each compressed byte; 64 MB are always allowed.
    files
        Files in a zip or another archive.
    line, identifier
        Bytes of a line of a text file, and of an identifier of gene sets.
    nesting, columns
        Lists and objects inside one another in the metadata of JSON; columns of a table, and
        different keys of the metadata of JSON.
    mapped
        Bytes of a ``.gsets`` file that is read; a larger one is mapped into memory.
    """

    memory: int = 4 << 30
    seconds: int = 60
    cells: int = 20_000_000
    size: int = 8 << 30
    ratio: int = 250
    files: int = 10_000
    line: int = 64 << 20
    identifier: int = 1 << 16
    nesting: int = 16
    columns: int = 2_000
    mapped: int = 1 << 30

    def decompressed(self, compressed: int) -> int:
        """Return the most bytes that so many compressed bytes may become.

        Examples
        --------
        >>> Limits(ratio=250).decompressed(1_000_000)
        250000000
        """
        return min(self.size, max(_FREE, self.ratio * compressed))

    def too_large(self, most: int) -> str:
        """Return the reason of an error: a file has more than `most` bytes, as `decompressed`."""
        if most == self.size:
            return exceeded("size", f"it has more than {most:,} bytes")
        what = f"it has more than {most:,} bytes, {self.ratio:,} or more for each compressed byte"
        return exceeded("ratio", what)


def limits() -> Limits:
    """Return the limits that hold now.

    Raises
    ------
    GsfmError
        If a variable of the environment is not a whole number of 1 or more.

    Examples
    --------
    >>> from unittest.mock import patch
    >>> with patch.dict(os.environ, GSFM_MAX_NESTING="5"):
    ...     limits().nesting
    5
    """
    found = {}
    for name in (field.name for field in fields(Limits)):
        text = os.environ.get(variable(name))
        if text is not None:
            if not (text.isascii() and text.isdigit() and int(text[:19])):
                raise GsfmError(f"{variable(name)} must be a whole number above 0, not {text!r}")
            found[name] = int(text[:19])
    return Limits(**found)


def is_sparse(cells: int, present: int) -> bool:
    """Whether a table has so many empty cells that its memory is not linear in the file.

    Examples
    --------
    >>> is_sparse(1_000_000, present=2_000), is_sparse(100_000, present=2_000)
    (True, False)
    """
    return cells > 20 * present + _FREE_CELLS


def variable(name: str) -> str:
    """Return the variable of the environment that sets a limit."""
    return f"GSFM_MAX_{name.upper()}"


def exceeded(name: str, what: str) -> str:
    """Return the reason of an error: what is more than a limit, and what raises the limit.

    Examples
    --------
    >>> exceeded("line", "a line is longer than 100 bytes")
    'a line is longer than 100 bytes; GSFM_MAX_LINE raises the limit'
    """
    return f"{what}; {variable(name)} raises the limit"
