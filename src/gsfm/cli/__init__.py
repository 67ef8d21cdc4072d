"""The command line: ``gsfm``. It holds no logic: it parses, calls, and shows."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

__all__ = ["main"]


def main() -> None:
    """Run the command line and exit.

    The exit code is 0 when all went well, 1 for an error that gsfm explains in one line on stderr,
    2 for wrong usage, 130 after Ctrl-C, 141 when the reader of the output went away.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by the caller
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115
    raw = getattr(sys.stdout, "buffer", None)
    if isinstance(raw, io.RawIOBase):  # PYTHONUNBUFFERED: the rest of a short write would be lost
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(raw), "utf-8", write_through=True)
    try:
        from gsfm.cli.app import app

        try:
            app(prog_name="gsfm")
        finally:
            # Flush here: a pipe that closed must not be noticed after the last except clause.
            sys.stdout.flush()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # The interpreter flushes stdout once more as it ends; give it somewhere to write.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except OSError as error:  # of the last flush
        sys.stderr.write(f"gsfm: the output is not complete: {error.strerror}\n")
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(1)
