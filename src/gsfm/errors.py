"""The exceptions of gsfm. Every message says what is wrong, where, and how to fix it."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any


class GsfmError(Exception):
    """Base class of every error that gsfm raises on purpose."""


class FormatError(GsfmError):
    """A file does not have the format that it should have.

    Parameters
    ----------
    path
        The file (or ``"<stdin>"``).
    reason
        What is wrong and how to fix it.
    line
        1-based line (or row) of the error, if there is one.
    """

    def __init__(self, path: str | Path, reason: str, *, line: int | None = None) -> None:
        self.path, self.reason, self.line = str(path), reason, line
        where = f"{path}, line {line}" if line is not None else f"{path}"
        super().__init__(f"{where}: {reason}")

    def __reduce__(self) -> tuple[Any, ...]:
        return functools.partial(type(self), line=self.line), (self.path, self.reason)


class UnknownGenesError(GsfmError):
    """No identifier of the query is a gene of the model."""


class UnknownTermError(GsfmError):
    """No term matches a text, or several do; the message names similar terms."""


class ModelFormatError(GsfmError):
    """A model folder is incomplete, inconsistent, or has another format."""


class NotFittedError(GsfmError):
    """A model was used before it was fitted or loaded."""


class NotCalibratedError(GsfmError):
    """Probabilities were requested from a model that is not calibrated."""


class MissingExtraError(GsfmError, ImportError):
    """An optional dependency is needed; the message contains the install command."""

    def __init__(self, what: str, extra: str) -> None:
        install = f"pip install '.[{extra}]'"  # as in the README: from the source
        super().__init__(f"{what} needs the extra {extra}: {install} in the source folder of gsfm")
        self.what, self.extra = what, extra

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.what, self.extra)


@contextlib.contextmanager
def needs_extra(what: str, extra: str) -> Iterator[None]:
    """Turn an ImportError of the block into a `MissingExtraError` of `what`.

    Examples
    --------
    >>> with needs_extra("A plot", "plot"):
    ...     import no_such_module
    Traceback (most recent call last):
    gsfm.errors.MissingExtraError: A plot needs the extra plot: pip install '.[plot]' in the ...
    """
    try:
        yield
    except ImportError:
        raise MissingExtraError(what, extra) from None


def require(holds: object, message: str, error: type[Exception] = ValueError) -> None:
    """Raise `error` with the message unless the condition `holds`."""
    if not holds:
        raise error(message)


def printable(text: str) -> str:
    """Replace control characters, which a terminal would obey.

    Examples
    --------
    >>> printable("TP53\x1b[31m")
    'TP53\N{REPLACEMENT CHARACTER}[31m'
    """
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def check_least(least: int, **values: int | None) -> None:
    """Raise an error if a parameter that is not None is no whole number, or out of its range.

    Examples
    --------
    >>> check_least(1, top="5")
    Traceback (most recent call last):
    TypeError: top must be a whole number, not '5'
    """
    for name, value in values.items():
        if value is not None:
            is_whole = hasattr(type(value), "__index__") and not isinstance(value, bool)
            require(is_whole, f"{name} must be a whole number, not {value!r}", TypeError)
            require(value >= least, f"{name} must be {least} or more, not {value}")
            require(value < 1 << 63, f"{name} must be a number of up to 18 digits, not {value}")


def check_type(kind: type | tuple[type, ...], what: str, **values: Any) -> None:
    """Raise an error if a parameter is not of a type, which is `what` in words.

    Examples
    --------
    >>> check_type(str, "one text", locus=None)
    Traceback (most recent call last):
    TypeError: locus must be one text, not NoneType
    """
    for name, value in values.items():
        message = f"{name} must be {what}, not {type(value).__name__}"
        require(isinstance(value, kind), message, TypeError)


def check_number(**values: Any) -> None:
    """Raise an error if a parameter is no number.

    Examples
    --------
    >>> check_number(weight="1")
    Traceback (most recent call last):
    TypeError: weight must be a number, not '1'
    """
    for name, value in values.items():
        is_number = hasattr(type(value), "__float__") and getattr(value, "ndim", 0) == 0
        require(is_number, f"{name} must be a number, not {value!r}", TypeError)


def check_given(**values: Any) -> None:
    """Raise an error if a parameter is None."""
    for name, value in values.items():
        require(value is not None, f"{name} must be a whole number, not None", TypeError)


def check_sizes(min_size: int, max_size: int | None) -> None:
    """Raise an error if no set can be of these sizes.

    Examples
    --------
    >>> check_sizes(9, 2)
    Traceback (most recent call last):
    gsfm.errors.GsfmError: no size of a term is 9 or more and 2 or fewer
    """
    check_given(min_size=min_size)
    check_least(0, min_size=min_size, max_size=max_size)
    possible = min_size >= 1 and (max_size is None or max_size >= min_size)
    bounds = f"{min_size} or more and {max_size} or fewer"
    require(possible, f"no size of a term is {bounds}", GsfmError)


def count(n: int, noun: str) -> str:
    """A number of things.

    Examples
    --------
    >>> count(1, "row"), count(2000, "row")
    ('1 row', '2,000 rows')
    """
    return f"{n:,} {noun}{'s' * (n != 1)}"


def join_names(names: Collection[str], limit: int = 5) -> str:
    """Join names for a message: the first `limit` of them, and the number of the others.

    A name of more than a hundred characters is cut.

    Examples
    --------
    >>> join_names(["a", "b", "c", "d"], 2), join_names(["a", "b"])
    ('a, b and 2 more', 'a, b')
    """
    more = f" and {len(names) - limit:,} more" if len(names) > limit else ""
    return ", ".join(n if len(n) <= 100 else f"{n[:97]}..." for n in list(names)[:limit]) + more
