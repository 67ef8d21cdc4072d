"""Atomic writing of files, and their checksums."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import hashlib
import os
import platform
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def atomic_path(path: str | Path, *, parents: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it onto `path` on success.

    On an error the temporary file is removed and `path` stays as it was. `parents` makes the folder
    of `path`, which otherwise must exist. A link stays a link, and a device or FIFO stays what it
    is: it gets the content.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "a.txt"
    >>> with atomic_path(target) as temporary:
    ...     _ = temporary.write_text("whole")
    >>> target.read_text()
    'whole'
    """
    path = Path(path)
    stdout = _is_stdout(path)
    special = stdout or (path.exists() and not path.is_file() and not path.is_dir())
    if path.is_symlink() and not special:
        path = Path(os.path.realpath(path))
    if parents:
        path.parent.mkdir(parents=True, exist_ok=True)
    check_folder(path)
    # Keep the suffixes: some writers choose the format by the suffix.
    folder = None if special else path.parent
    try:
        handle, name = tempfile.mkstemp(dir=folder, prefix=".tmp-", suffix=path.name[-99:])
    except OSError as error:
        error.filename = str(path)
        raise
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        if special:
            opened = os.fdopen(os.dup(1), "wb") if stdout else path.open("wb")
            with temporary.open("rb") as source, opened as target:
                shutil.copyfileobj(source, target)
        else:
            usual_permissions(temporary)
            temporary.replace(path)
    except OSError as error:
        if error.errno and error.filename in (None, name):  # a full disk
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def exchange(one: Path, other: Path) -> bool:
    """Exchange two paths in one step, which no reader can see; False if the system cannot.

    Linux has a call for that, but not on all file systems. Both paths must exist.
    """
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, TypeError, AttributeError):  # no such system, or no such function
        return False
    here, flag = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of Linux
    return bool(rename(here, os.fsencode(one), here, os.fsencode(other), flag) == 0)


def own_folder(parent: Path, prefix: str) -> Path:
    """Make a temporary folder, and remove those of processes that have ended.

    They must have the same prefix. A folder with a file or folder ``earlier`` is not removed.
    """
    mine = f"{prefix}{re.sub(r'[^a-zA-Z0-9]', '', platform.node())}-"
    for path in parent.glob(f"{mine}*"):
        number = path.name.removeprefix(mine).split("-")[0]
        if number.isdigit() and not _is_running(int(number)) and not (path / "earlier").exists():
            shutil.rmtree(path, ignore_errors=True)
    return Path(tempfile.mkdtemp(dir=parent, prefix=f"{mine}{os.getpid()}-"))


def _is_running(process: int) -> bool:
    """Whether a process of this machine runs; True if that is not known."""
    if os.name != "posix":  # elsewhere, this would end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _is_stdout(path: Path) -> bool:
    """Whether a path, such as ``/dev/stdout``, is where the standard output goes."""
    try:
        return os.path.samestat(path.stat(), os.fstat(1))
    except OSError:
        return False


def check_folder(path: Path) -> None:
    """Raise FileNotFoundError if the folder of a file to write does not exist."""
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, f"there is no folder {path.parent}", str(path))


def usual_permissions(path: Path) -> None:
    """Give a temporary file, which is private, the permissions of an ordinary file."""
    umask = os.umask(0)
    os.umask(umask)
    path.chmod(0o666 & ~umask)


def regular_size(path: Path) -> int:
    """Return the size of a regular file; OSError for a FIFO or a device, whose content may not end.

    Examples
    --------
    >>> regular_size(Path("/dev/zero"))
    Traceback (most recent call last):
    OSError: [Errno 22] not a regular file: '/dev/zero'
    """
    state = path.stat()
    if stat.S_ISDIR(state.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(state.st_mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return state.st_size


def sha256_file(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes, as hex."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
