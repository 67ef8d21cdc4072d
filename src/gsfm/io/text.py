"""Text files in blocks of whole lines, with any line ends and encoding."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from typing import Any

from gsfm.errors import FormatError
from gsfm.io.limits import exceeded, limits
from gsfm.io.notes import Notes
from gsfm.io.streams import Source

#: Bytes of a block: few enough for the processor's cache.
BLOCK = 1 << 20
#: Bytes of the beginning by which a file is recognized.
_HEAD = 1 << 16
#: A byte-order mark at the beginning of a line.
_MARK = re.compile(b"\n" + codecs.BOM_UTF8)


def blocks(source: Source, *, longest: int | None = None) -> Iterator[tuple[int, bytes]]:
    """Yield the text in blocks of whole lines, each with the 1-based number of its first line.

    The blocks are UTF-8, and every line ends in a line feed. UTF-16 and UTF-32 are converted,
    byte-order marks are skipped, Windows and old Mac line ends become line feeds, and lines that
    are not UTF-8 are read as Latin-1. Each of these is noted.

    Raises
    ------
    FormatError
        If the file is empty, binary or a web page, or a line is longer than `longest` bytes, the
        limit of `Limits` if None.
    """
    for line, block in whole_lines(source, longest):
        yield line, clean(block, line, source.name, source.notes)


def whole_lines(source: Source, longest: int | None = None) -> Iterator[tuple[int, bytes]]:
    """Yield the file in blocks of whole lines, before `clean`."""
    longest = longest or limits().line
    head(source)
    chunk = source.stream.read(BLOCK)
    if not chunk:
        raise FormatError(source.name, "the file is empty")
    start = chunk[:512].removeprefix(codecs.BOM_UTF8).lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")) and b"\t" not in start.split(b"\n")[0]:
        raise FormatError(source.name, "a web page, not gene sets: download it again", line=1)
    mac = b"\r" in chunk and b"\n" not in chunk
    line = 1
    while chunk:
        rest = source.stream.readline(longest + 1)
        chunk += rest
        if mac:
            source.notes.add("mac-line-ends", chunk.count(b"\r"), line=line)
            chunk = chunk.replace(b"\r", b"\n")
        if len(chunk) > longest:
            for number, text in enumerate(chunk.split(b"\n"), line):
                if len(text) > longest:
                    reason = exceeded("line", f"a line is longer than {longest:,} bytes")
                    raise FormatError(source.name, reason, line=number)
        if not chunk.endswith(b"\n"):
            chunk += b"\n"
        yield line, chunk
        line += chunk.count(b"\n")
        chunk = source.stream.read(BLOCK)


def lines(source: Source) -> Iterator[tuple[int, str]]:
    """Yield the lines of the text with their 1-based numbers; blank ones are noted and skipped."""
    for first, block in blocks(source):
        for line, text in enumerate(block[:-1].decode().split("\n"), first):
            if text.strip():
                yield line, text
            else:
                source.notes.add("blank-lines", line=line)


def head(source: Source) -> bytes:
    """The beginning of a file, as UTF-8 with line feeds; the stream becomes UTF-8.

    UTF-16 without a byte-order mark is recognized by the zero bytes of its ASCII characters.
    """
    start = source.stream.peek(_HEAD)[:_HEAD]
    if coding := _wide(start):
        source.notes.add("utf-16", example=coding)
        source.stream = io.BufferedReader(_Recoder(source.stream, coding, source.name), BLOCK)
        start = source.stream.peek(_HEAD)[:_HEAD]
    start = start.removeprefix(codecs.BOM_UTF8)
    return start.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _wide(start: bytes) -> str | None:
    """The byte order of UTF-16, if the beginning of a file is UTF-16; or UTF-32, by its mark."""
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    even, odd = start[:4096:2], start[1:4096:2]
    zeros = even.count(0), odd.count(0)
    if max(zeros) >= 4 and min(zeros) == 0 and max(zeros) >= 0.7 * len(odd):
        return "utf-16-le" if zeros[1] else "utf-16-be"
    return None


class _Recoder(io.RawIOBase):
    """A stream of UTF-16 or UTF-32 as UTF-8."""

    def __init__(self, stream: Any, coding: str, name: str) -> None:
        self._stream, self._name, self._coding = stream, name, coding.upper()
        self._decoder = codecs.getincrementaldecoder(coding)()
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            data = self._stream.read(BLOCK)
            try:
                self._rest = self._decoder.decode(data, final=not data).encode()
            except UnicodeError as error:
                reason = f"damaged {self._coding} ({error.__class__.__name__}): save it as UTF-8"
                raise FormatError(self._name, reason) from error
            if not data:
                break
        n = min(len(buffer), len(self._rest))
        buffer[:n], self._rest = self._rest[:n], self._rest[n:]
        return n


def clean(block: bytes, line: int, path: str, notes: Notes) -> bytes:
    """Convert a block to what `blocks` yields: UTF-8, with line feeds only."""
    zero = block.find(b"\0")
    if zero >= 0:
        at = line + block.count(b"\n", 0, zero)
        raise FormatError(path, "a zero byte: this is not a text file", line=at)
    # The search for one byte is much faster than that for two.
    if b"\r" in block and b"\r\n" in block:
        first = line + block.count(b"\n", 0, block.find(b"\r\n"))
        notes.add("windows-line-ends", block.count(b"\r\n"), line=first)
        block = block.replace(b"\r\n", b"\n")
    if block.isascii():
        return block
    marks = [match.start() + 1 for match in _MARK.finditer(block)]
    if block.startswith(codecs.BOM_UTF8):
        marks.insert(0, 0)
    if marks:  # several files, one after another, may have one each
        notes.add("byte-order-mark", len(marks), line=line + block.count(b"\n", 0, marks[0]))
        block = _MARK.sub(b"\n", block.removeprefix(codecs.BOM_UTF8))
    if _is_utf8(block):
        return block
    rows = block.split(b"\n")
    for i, row in enumerate(rows):
        if not _is_utf8(row):
            text = _of_windows(row)
            notes.add("latin-1", example=text[:60], line=line + i)
            rows[i] = text.encode()
    return b"\n".join(rows)


def _of_windows(row: bytes) -> str:
    """A line in Latin-1, or in the code page of Windows that has dashes and quotes beside it."""
    try:
        return row.decode("cp1252")
    except UnicodeDecodeError:
        return row.decode("latin-1")


def _is_utf8(text: bytes) -> bool:
    try:
        return text.isascii() or bool(text.decode())
    except UnicodeDecodeError:
        return False
