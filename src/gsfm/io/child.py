"""Parsing in a process of its own, with limits of memory and time.

The parsers of workbooks and of Parquet can end the whole process on a damaged file, which no
``except`` catches, or use all memory on a small one. So they run in a child, and whatever happens
there is an error of that file.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from gsfm.errors import FormatError, MissingExtraError
from gsfm.io.limits import Limits, limits, variable

_MAIN = "import sys; sys.path[:] = {path}; from gsfm.io.child import main; main()"
#: More threads need more memory; a parser does not need their messages either.
_ENVIRONMENT = {"POLARS_MAX_THREADS": "1", "RUST_BACKTRACE": "0"}


def run(parser: Callable[..., None], stream: BinaryIO, name: str, **arguments: Any) -> bytes:
    """Return what a parser writes when it reads a stream in a child.

    Parameters
    ----------
    parser
        A function of a module, such as those of `gsfm.io.parsers`: ``parser(path, target,
        **arguments)`` reads the file `path` and writes the file `target`. It raises ValueError if
        it cannot.
    stream
        The content of the file.
    name
        The name of the file, for messages.
    **arguments
        JSON-serializable.

    Raises
    ------
    FormatError
        If the parser fails, or exceeds a limit (see `Limits`).
    MissingExtraError
        If the parser needs an optional dependency.
    """
    held = limits()
    with tempfile.TemporaryDirectory() as folder:
        path, target = Path(folder) / "file", Path(folder) / "result"
        with path.open("wb") as copy:
            shutil.copyfileobj(stream, copy, 1 << 20)
            most = held.decompressed(copy.tell())
        job = {
            "parser": (parser.__module__, parser.__qualname__),
            "files": (str(path), str(target)),
            "arguments": arguments,
            "limits": {"AS": held.memory, "CPU": held.seconds, "FSIZE": most, "CORE": 0},
        }
        answer = _answer(job, held)
        if answer is None:
            reason = (
                f"the file is damaged, or reading it needs more than {held.memory >> 20:,} MB of "
                f"memory or {held.seconds:,} s: save it as CSV, or raise {variable('memory')} and "
                f"{variable('seconds')}"
            )
            raise FormatError(name, reason)
        if "missing" in answer:
            raise MissingExtraError(*answer["missing"])
        if "large" in answer:
            raise FormatError(name, held.too_large(most))
        if "error" in answer:
            raise FormatError(name, " ".join(answer["error"].split())[:400])
        return target.read_bytes()


def _answer(job: dict[str, Any], held: Limits) -> dict[str, Any] | None:
    """The answer of a child; None if it ended early."""
    command = [sys.executable, "-I", "-c", _MAIN.format(path=sys.path), json.dumps(job)]
    environment = {**os.environ, **_ENVIRONMENT}
    with contextlib.suppress(subprocess.TimeoutExpired, ValueError):
        done = subprocess.run(
            command, capture_output=True, timeout=2 * held.seconds, check=False, env=environment
        )
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer
    return None


def main() -> None:
    """Run the job of the command line in this process, a child."""
    job = json.loads(sys.argv[1])
    with contextlib.suppress(ImportError):  # Windows has no such limits
        import resource

        for kind, most in job["limits"].items():
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(getattr(resource, f"RLIMIT_{kind}"), (most, most))
    print(json.dumps(work(job)))


def work(job: dict[str, Any]) -> dict[str, Any]:
    """Run a parser; the answer says what went wrong."""
    module, name = job["parser"]
    try:
        getattr(importlib.import_module(module), name)(*job["files"], **job["arguments"])
    except MissingExtraError as error:
        return {"missing": (error.what, error.extra)}
    except MemoryError:
        raise
    except BaseException as error:  # a panic of Rust is not an Exception
        if _is_too_large(error):
            return {"large": True}
        if not isinstance(error, Exception):
            return {"error": f"the file is damaged ({error}): save it as CSV"}
        return {"error": str(error)}
    return {}


def _is_too_large(error: BaseException) -> bool:
    """Whether what a parser wrote exceeds the limit of a file."""
    return os.strerror(errno.EFBIG) in str(error)
