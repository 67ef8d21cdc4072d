"""The files of a zip or tar with several files, as streams with names."""

from __future__ import annotations

import contextlib
import io
import re
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

from gsfm.errors import FormatError
from gsfm.io.limits import exceeded, limits
from gsfm.io.streams import DAMAGE, ZIP, Reader, Source, file_path, is_clutter, is_file, is_office

#: Files that accompany data.
_OTHER = re.compile(
    r"(readme|licen[cs]e|change|notice|copying|citation|version|manifest)|"
    r".*\.(md|pdf|html?|docx?|rtf|r|py|sh|png|jpe?g|log)$",
    re.IGNORECASE,
)


def zip_members(path: str | Path | BinaryIO) -> Iterator[BinaryIO]:
    """Yield the files of a zip with several; nothing if it is another file.

    The name of a stream is the path of the zip and of the file in it.
    """
    file = file_path(path)
    if file is not None and not is_file(file):
        return  # a FIFO can be opened once only
    with contextlib.ExitStack() as stack:
        try:
            opened: Any = path if file is None else stack.enter_context(file.open("rb"))
            opened = sys.stdin.buffer if isinstance(opened, str | Path) else opened
            if not hasattr(opened, "seekable") or not opened.seekable():
                return
            start = opened.tell()
            stack.callback(opened.seek, start)
            if opened.read(len(ZIP)) != ZIP:
                return
            archive = stack.enter_context(zipfile.ZipFile(opened))
            members = [info for info in archive.infolist() if not is_clutter(info)]
        except DAMAGE:
            return  # `open_source` says what is wrong
        if len(members) < 2 or is_office(members):
            return
        label = str(path) if file is not None else "<stdin>"
        if len(members) > limits().files:
            raise _too_many(label, "zip")
        for info in members:
            try:
                member = archive.open(info)
            except DAMAGE as error:
                raise FormatError(label, f"not a readable zip file ({str(error)[:200]})") from error
            with member:
                yield _named(member, f"{label}/{info.filename}", opened)


def is_tar(source: Source) -> bool:
    """Whether an open file is a tar."""
    return source.stream.peek(512)[257:262] == b"ustar"


def tar_members(source: Source) -> Iterator[BinaryIO]:
    """Yield the files of a tar, in order; each must be read before the next."""
    try:
        with tarfile.open(fileobj=source.stream, mode="r|") as archive:
            for number, info in enumerate(archive, 1):
                if number > limits().files:
                    raise _too_many(source.name, "tar")
                name = PurePosixPath(info.name)
                member = archive.extractfile(info) if info.isreg() else None
                if member is not None and not name.name.startswith("."):
                    yield _named(member, f"{source.name}/{info.name}", None)
    except tarfile.TarError as error:
        raise FormatError(source.name, f"not a readable tar file ({error})") from error


def _too_many(name: str, kind: str) -> FormatError:
    reason = exceeded("files", f"the {kind} has more than {limits().files:,} files")
    return FormatError(name, reason)


def is_other(name: str) -> bool:
    """Whether a file of an archive accompanies the data, such as a README.

    Examples
    --------
    >>> is_other("sets.zip/README.txt"), is_other("sets.zip/c2.gmt")
    (True, False)
    """
    return bool(_OTHER.match(PurePosixPath(name).name))


def _named(stream: Any, name: str, compressed: Any) -> BinaryIO:
    reader = Reader(stream, name, compressed)
    reader.name = name
    return cast(BinaryIO, io.BufferedReader(reader))
