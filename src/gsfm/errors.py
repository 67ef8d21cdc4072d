"""The one tree of exceptions. Every message says what, where, and how to mend it."""

from __future__ import annotations

from pathlib import Path


class GsfmError(Exception):
    """Base of every error that gsfm raises on purpose."""


class FormatError(GsfmError):
    """A file is not what it claims to be.

    Parameters
    ----------
    path
        The file (or ``"<stdin>"``).
    reason
        What is wrong and how to mend it.
    line
        1-based line (or row) where it was noticed, if there is one.
    """

    def __init__(self, path: str | Path, reason: str, *, line: int | None = None) -> None:
        self.path, self.reason, self.line = str(path), reason, line
        where = f"{path}, line {line}" if line is not None else f"{path}"
        super().__init__(f"{where}: {reason}")


class UnknownGenesError(GsfmError):
    """No identifier of a gene set is known to the model."""


class UnknownTermError(GsfmError):
    """No term, or more than one, is meant by a text; the message names terms that are like it."""


class ModelFormatError(GsfmError):
    """A model folder is incomplete, inconsistent, or of another format."""


class NotFittedError(GsfmError):
    """A model was asked before it was fitted or loaded."""


class NotCalibratedError(GsfmError):
    """A model that is not calibrated was asked for probabilities."""


class MissingExtraError(GsfmError, ImportError):
    """An optional dependency is needed; the message names the install command."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs an optional part: pip install 'gsfm[{extra}]'")
