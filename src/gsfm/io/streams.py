"""Opening of files that may be compressed, as their first bytes say; the name does not count."""

from __future__ import annotations

import contextlib
import gzip
import io
import lzma
import os
import stat
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

from gsfm.errors import FormatError, join_names
from gsfm.io.files import atomic_path
from gsfm.io.frames import is_frame, stream_of
from gsfm.io.limits import exceeded, limits
from gsfm.io.notes import Notes

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

GZIP, ZSTD, ZIP = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04"
_SUFFIXES = {".gz": GZIP, ".zst": ZSTD, ".zstd": ZSTD, ".zip": ZIP}
_EMPTY_ZIP = b"PK\x05\x06"
_UNSUPPORTED = (b"BZh", b"\xfd7zXZ\0")

#: Some files decompress to themselves, without an end.
_MOST_LAYERS = 4
_BUFFER = 1 << 20

#: Unlike gzip and zip, zstd writes a checksum only on request.
_CHECKED: dict[int, int] = {zstd.CompressionParameter.checksum_flag: 1}

#: The errors of a decompressor on damaged or truncated data.
DAMAGE = (
    *(EOFError, OSError, zlib.error, zstd.ZstdError, zipfile.BadZipFile),
    *(NotImplementedError, RuntimeError, ValueError, LookupError, struct.error, lzma.LZMAError),
)


@dataclass
class Source:
    """A decompressed stream of bytes, the parts of its name, and notes on its irregularities.

    `name` is for messages. `stem` and `suffix` are the parts of the file's name without the
    suffixes of compressions (``"sets.gmt.gz"``: ``"sets"`` and ``".gmt"``).
    """

    stream: io.BufferedReader
    name: str
    stem: str
    suffix: str
    notes: Notes = field(default_factory=Notes)


@contextlib.contextmanager
def open_source(path: str | Path | BinaryIO) -> Iterator[Source]:
    """Open and decompress a file, ``-`` for standard input, a binary stream, or a data frame.

    Raises
    ------
    FormatError
        If the file cannot be opened, or its compression is damaged or not supported.
    """
    if is_frame(path):
        path = stream_of(path)
    file = file_path(path)
    with contextlib.ExitStack() as stack:
        if file is not None:
            label = str(path)
            try:
                opened = stack.enter_context(file.open("rb", buffering=_BUFFER))
            except (OSError, ValueError) as error:  # a path with a zero byte is a ValueError
                reason = getattr(error, "strerror", None) or "cannot be opened"
                raise FormatError(file, reason) from error
            if _is_device(opened):
                raise FormatError(file, "a device, not a file")
            stream = cast(io.BufferedReader, opened)
            if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
                stream = io.BufferedReader(Reader(opened, label), _BUFFER)
            elif os.fstat(opened.fileno()).st_size > (most := limits().size):
                raise FormatError(label, limits().too_large(most))
        else:
            opened = sys.stdin.buffer if isinstance(path, str | Path) else path
            if isinstance(opened, io.TextIOBase):
                opened = getattr(opened, "buffer", None) or io.BytesIO(opened.read().encode())
            if not hasattr(opened, "read"):
                what = f"a path, a binary stream or a data frame, not {type(path).__name__}"
                raise TypeError(f"a file is {what}")
            found = getattr(opened, "name", None)
            label = found if isinstance(found, str) else "<stdin>"
            stream = io.BufferedReader(Reader(opened), _BUFFER)
        name, misled = "" if label == "<stdin>" else Path(label).name, False
        for _ in range(_MOST_LAYERS):
            suffix = Path(name).suffix.lower()
            if suffix in _SUFFIXES:
                name, misled = name[: -len(suffix)], True
            inner = _decompress(stream, label, stack)
            if inner is None:
                break
            stream, member = inner
            name, misled = member or name, False
        else:
            raise FormatError(label, "compressed again and again: decompress it first")
        source = Source(stream, label, Path(name).stem, Path(name).suffix.lower())
        if misled:
            source.notes.add("misleading-suffix", example=Path(label).name)
        yield source


def _decompress(
    raw: io.BufferedReader, label: str, stack: contextlib.ExitStack
) -> tuple[io.BufferedReader, str | None] | None:
    """Undo one compression; None if there is none. A zip has the name of its member, too."""
    head = raw.peek(6)
    for magic, opener in ((GZIP, gzip.open), (ZSTD, zstd.open)):
        if head.startswith(magic):
            return io.BufferedReader(Reader(opener(raw), label, raw), _BUFFER), None
    if head.startswith(_UNSUPPORTED):
        raise FormatError(label, "bzip2 and xz are not supported: use gzip, zstd or zip")
    if not head.startswith((ZIP, _EMPTY_ZIP)):
        return None
    seekable = raw if raw.seekable() else io.BytesIO(raw.read())
    try:
        archive = stack.enter_context(zipfile.ZipFile(seekable))
        members = [i for i in archive.infolist() if not is_clutter(i)]
        most = limits().files
        if len(members) > most:
            raise FormatError(label, exceeded("files", f"the zip has more than {most:,} files"))
        if is_office(members):
            # A workbook is a zip, too; its reader needs all of it.
            seekable.seek(0)
            return None if seekable is raw else (io.BufferedReader(seekable), None)
        if len(members) != 1:
            names = join_names([i.filename for i in members], 3)
            reason = f"the zip holds {len(members)} files ({names}): unpack it, or zip one"
            raise FormatError(label, reason)
        member = stack.enter_context(archive.open(members[0]))
    except DAMAGE as error:
        raise FormatError(label, f"not a readable zip file ({str(error)[:200]})") from error
    return io.BufferedReader(Reader(member, label, seekable), _BUFFER), Path(
        members[0].filename
    ).name


def is_office(members: list[zipfile.ZipInfo]) -> bool:
    """Whether the members of a zip are the parts of a workbook (XLSX, ODS) or another document."""
    return any(info.filename in ("[Content_Types].xml", "content.xml") for info in members)


def is_clutter(info: zipfile.ZipInfo) -> bool:
    """Folders, and files that file managers add to a zip; a damaged name may be empty."""
    path = Path(info.filename)
    named = path.name and not info.is_dir()
    return not named or path.parts[0] == "__MACOSX" or path.name.startswith(".")


class Reader(io.RawIOBase):
    """A stream that is read but never closed.

    With a label it is a decompressor, all of whose errors become a FormatError. More bytes than
    `Limits` allows, also in relation to the `compressed` bytes so far, are a FormatError.
    """

    name: str  # of some streams

    def __init__(self, stream: Any, label: str | None = None, compressed: Any = None) -> None:
        self._stream, self._label, self._compressed = stream, label, compressed
        self._limits, self._count = limits(), 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            data = self._stream.read(len(buffer))
        except DAMAGE as error:
            if self._label is None:
                raise
            reason = f"the compressed data is damaged or cut short ({error})"
            raise FormatError(self._label, reason) from error
        self._count += len(data)
        most = self._limits.size
        if self._compressed is not None:
            most = self._limits.decompressed(self._compressed.tell())
        if self._count > most:
            raise FormatError(self._label or "<stdin>", self._limits.too_large(most))
        buffer[: len(data)] = data
        return len(data)

    def tell(self) -> int:
        return self._count


def _is_device(stream: BinaryIO) -> bool:
    """Whether a file is a device whose content may not end, such as ``/dev/zero``."""
    state = os.fstat(stream.fileno())
    device = stat.S_ISBLK(state.st_mode) or stat.S_ISCHR(state.st_mode)
    empty = device and state.st_rdev == Path(os.devnull).stat().st_rdev
    return device and not empty and not stream.isatty()


def file_path(path: str | Path | BinaryIO) -> Path | None:
    """Return the path of a file; None for a stream and ``-``."""
    return Path(path) if isinstance(path, str | Path) and str(path) != "-" else None


def is_file(text: str | Path) -> bool:
    """Whether a text is the path of a file; no text is too long or too odd to ask."""
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        return False


def is_special(text: str) -> bool:
    """Whether a text is the path of a FIFO, such as ``<(...)`` of a shell, or of a device."""
    try:
        mode = Path(text).stat().st_mode
    except (OSError, ValueError):
        return False
    return "/" in text and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def without_compression(path: str | Path) -> Path:
    """Return the path without the suffix of a compression."""
    path = Path(path)
    return path.with_suffix("") if path.suffix.lower() in _SUFFIXES else path


@contextlib.contextmanager
def open_target(path: str | Path | BinaryIO) -> Iterator[BinaryIO]:
    """Open a file for atomic writing, compressed as its suffix says; ``-`` is standard output.

    The same content gives the same bytes: the file contains neither the time nor a user name.
    """
    file = file_path(path)
    if file is None:
        stream: Any = sys.stdout.buffer if isinstance(path, str | Path) else path
        yield stream
        stream.flush()
        return
    kind = _SUFFIXES.get(file.suffix.lower())
    with contextlib.ExitStack() as stack:
        temporary = stack.enter_context(atomic_path(file))
        stream = stack.enter_context(temporary.open("wb"))
        if kind == GZIP:
            stream = stack.enter_context(gzip.GzipFile("", "wb", 6, stream, mtime=0))
        elif kind == ZSTD:
            stream = stack.enter_context(zstd.ZstdFile(stream, "wb", options=_CHECKED))
        elif kind == ZIP:
            info = zipfile.ZipInfo(file.with_suffix("").name)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive = stack.enter_context(zipfile.ZipFile(stream, "w"))
            stream = stack.enter_context(archive.open(info, "w"))
        yield stream
