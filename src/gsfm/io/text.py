"""Text files in blocks of whole lines, with any line ends and encoding."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from gsfm.errors import FormatError
from gsfm.io.notes import Notes
from gsfm.io.streams import Source

#: Bytes of a block: few enough for the processor's cache.
BLOCK = 1 << 20


def blocks(source: Source, notes: Notes, size: int = BLOCK) -> Iterator[tuple[int, bytes]]:
    """Yield the text in blocks of whole lines, each with the 1-based number of its first line.

    The blocks are UTF-8, and every line ends in a line feed. A byte-order mark is skipped, Windows
    and old Mac line ends become line feeds, and lines that are not UTF-8 are read as Latin-1. Each
    of these is noted.

    Raises
    ------
    FormatError
        If the file is empty, UTF-16, binary or a web page.
    """
    for line, block in whole_lines(source, notes, size):
        yield line, clean(block, line, source.name, notes)


def whole_lines(source: Source, notes: Notes, size: int = BLOCK) -> Iterator[tuple[int, bytes]]:
    """Yield the file in blocks of whole lines, before `clean`."""
    line = 1
    rest: list[bytes] = []
    mac: bool | None = None
    while chunk := source.stream.read(size):
        if mac is None:
            chunk = _beginning(chunk, source, notes)
            mac = b"\r" in chunk and b"\n" not in chunk
        if mac:
            notes.add("mac-line-ends", chunk.count(b"\r"), line=line)
            chunk = chunk.replace(b"\r", b"\n")
        cut = chunk.rfind(b"\n") + 1
        if cut:
            block = b"".join([*rest, chunk[:cut]])
            rest = []
            yield line, block
            line += block.count(b"\n")
        rest.append(chunk[cut:])
    if mac is None:
        raise FormatError(source.name, "the file is empty")
    block = b"".join(rest)
    if block:
        yield line, block + b"\n"


def lines(source: Source, notes: Notes) -> Iterator[tuple[int, str]]:
    """Yield the lines of the text with their 1-based numbers; blank ones are noted and skipped."""
    for first, block in blocks(source, notes):
        for i, line in enumerate(block[:-1].decode().split("\n")):
            if line.strip():
                yield first + i, line
            else:
                notes.add("blank-lines", line=first + i)


def _beginning(chunk: bytes, source: Source, notes: Notes) -> bytes:
    if chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise FormatError(source.name, "the text is UTF-16: save it as UTF-8", line=1)
    if chunk.startswith(codecs.BOM_UTF8):
        notes.add("byte-order-mark", line=1)
        chunk = chunk[len(codecs.BOM_UTF8) :]
    head = chunk[:512].lstrip().lower()
    if head.startswith((b"<!doctype html", b"<html")) and b"\t" not in head.split(b"\n")[0]:
        raise FormatError(
            source.name, "this is a web page, not gene sets: download it again", line=1
        )
    return chunk


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
    try:
        block.decode("utf-8")
    except UnicodeDecodeError:
        return b"\n".join(_utf8(raw, line + i, notes) for i, raw in enumerate(block.split(b"\n")))
    return block


def _utf8(raw: bytes, line: int, notes: Notes) -> bytes:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
        notes.add("latin-1", example=text[:60], line=line)
        return text.encode()
    return raw
