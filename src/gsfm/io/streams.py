"""Opening of files that may be compressed, as their first bytes say; the name does not count."""

from __future__ import annotations

import contextlib
import gzip
import io
import sys
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from gsfm.errors import FormatError, join_names
from gsfm.io.files import atomic_path

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

GZIP, ZSTD, ZIP = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
_SUFFIXES = {".gz": GZIP, ".zst": ZSTD, ".zstd": ZSTD, ".zip": ZIP}

_MOST_LAYERS = 4

#: Unlike gzip and zip, zstd writes a checksum only on request.
_CHECKED: dict[int, int] = {zstd.CompressionParameter.checksum_flag: 1}

#: The errors of a decompressor on damaged or truncated data.
_DAMAGE = (
    *(EOFError, OSError, zlib.error, zstd.ZstdError, zipfile.BadZipFile),
    *(NotImplementedError, RuntimeError),
)


@dataclass
class Source:
    """A decompressed stream of bytes, and the parts of its name.

    `name` is for messages. `stem` and `suffix` are the parts of the file's name without the
    suffixes of compressions (``"sets.gmt.gz"``: ``"sets"`` and ``".gmt"``). `misled` says whether
    the name promised a compression that the file does not have.
    """

    stream: io.BufferedReader
    name: str
    stem: str
    suffix: str
    misled: bool


@contextlib.contextmanager
def open_source(path: str | Path | BinaryIO) -> Iterator[Source]:
    """Open and decompress a file, ``-`` for standard input, or a binary stream.

    Raises
    ------
    FormatError
        If the file cannot be opened, or its compression is damaged or not supported.
    """
    with contextlib.ExitStack() as stack:
        if isinstance(path, str | Path) and str(path) != "-":
            name, label = Path(path).name, str(path)
            try:
                file = stack.enter_context(Path(path).open("rb", buffering=1 << 20))
            except OSError as error:
                raise FormatError(path, error.strerror or "cannot be opened") from error
            raw = cast(io.BufferedReader, file)
        else:
            stream: BinaryIO = sys.stdin.buffer if isinstance(path, str | Path) else path
            file_name = getattr(stream, "name", None)
            label = file_name if isinstance(file_name, str) else "<stdin>"
            name = Path(label).name if label != "<stdin>" else ""
            raw = io.BufferedReader(_Reader(stream), 1 << 20)
        promised = False
        # Some files decompress to themselves, without an end.
        for _ in range(_MOST_LAYERS):
            suffix = Path(name).suffix.lower()
            if suffix in _SUFFIXES:
                name, promised = name[: -len(suffix)], True
            opened = _decompress(raw, label, stack)
            if opened is None:
                break
            promised = False
            raw, member = opened
            name = member or name
        else:
            raise FormatError(label, "compressed again and again: decompress it first")
        shown = Path(name)
        yield Source(raw, label, shown.stem, shown.suffix.lower(), promised)


def _decompress(
    raw: io.BufferedReader, label: str, stack: contextlib.ExitStack
) -> tuple[io.BufferedReader, str | None] | None:
    """Undo one compression; None if there is none. A zip has the name of its member, too."""
    magic = raw.peek(4)[:4]
    if magic[:2] == GZIP:
        return _guarded(gzip.GzipFile(fileobj=raw), label), None
    if magic == ZSTD:
        return _guarded(zstd.ZstdFile(raw), label), None
    if magic in (ZIP, _EMPTY_ZIP):
        seekable = raw if raw.seekable() else io.BytesIO(raw.read())
        try:
            archive = stack.enter_context(zipfile.ZipFile(seekable))
            members = [i for i in archive.infolist() if not _is_clutter(i)]
            if any(i.filename == "[Content_Types].xml" for i in members):
                # A workbook is a zip, too; its reader needs all of it.
                seekable.seek(0)
                return None if seekable is raw else (io.BufferedReader(seekable), None)
            if len(members) != 1:
                names = join_names([i.filename for i in members], 3)
                reason = f"the zip holds {len(members)} files ({names}): unpack it, or zip one"
                raise FormatError(label, reason)
            stream = _guarded(stack.enter_context(archive.open(members[0])), label)
        except _DAMAGE as error:
            raise FormatError(label, f"not a readable zip file ({error})") from error
        return stream, Path(members[0].filename).name
    if magic[:3] == b"BZh" or raw.peek(6)[:6] == b"\xfd7zXZ\0":
        raise FormatError(label, "bzip2 and xz are not supported: use gzip, zstd or zip")
    return None


def _is_clutter(info: zipfile.ZipInfo) -> bool:
    """Folders, and files that file managers add to a zip."""
    path = Path(info.filename)
    return info.is_dir() or path.parts[0] == "__MACOSX" or path.name.startswith(".")


def _guarded(stream: Any, label: str) -> io.BufferedReader:
    return io.BufferedReader(_Reader(stream, label), 1 << 20)


class _Reader(io.RawIOBase):
    """A stream that is read but never closed.

    With a label it is a decompressor, all of whose errors become a FormatError.
    """

    def __init__(self, stream: Any, label: str | None = None) -> None:
        self._stream, self._label = stream, label

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            data = self._stream.read(len(buffer))
        except _DAMAGE as error:
            if self._label is None:
                raise
            reason = f"the compressed data is damaged or cut short ({error})"
            raise FormatError(self._label, reason) from error
        buffer[: len(data)] = data
        return len(data)


def without_compression(path: str | Path) -> Path:
    """Return the path without the suffix of a compression."""
    path = Path(path)
    return path.with_suffix("") if path.suffix.lower() in _SUFFIXES else path


@contextlib.contextmanager
def open_target(path: str | Path | BinaryIO) -> Iterator[BinaryIO]:
    """Open a file for atomic writing, compressed as its suffix says; ``-`` is standard output.

    The same content gives the same bytes: the file contains neither the time nor a user name.
    """
    if not isinstance(path, str | Path):
        yield path
        return
    if str(path) == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(path)
    suffix = path.suffix.lower()
    with atomic_path(path) as temporary, temporary.open("wb") as raw:
        if suffix == ".gz":
            with gzip.GzipFile("", "wb", 6, raw, mtime=0) as stream:
                yield cast(BinaryIO, stream)
        elif suffix in (".zst", ".zstd"):
            with zstd.ZstdFile(raw, "wb", options=_CHECKED) as stream:
                yield cast(BinaryIO, stream)
        elif suffix == ".zip":
            info = zipfile.ZipInfo(path.with_suffix("").name)
            info.compress_type = zipfile.ZIP_DEFLATED
            with zipfile.ZipFile(raw, "w") as archive, archive.open(info, "w") as stream:
                yield cast(BinaryIO, stream)
        else:
            yield raw
