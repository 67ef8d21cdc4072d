"""Text files in blocks of whole lines, with any line ends and encoding."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from gsfm.errors import FormatError
from gsfm.io.notes import Notes
from gsfm.io.streams import Source

#: Bytes of a block: few enough for the processor's cache.
BLOCK = 1 << 20


def blocks(source: Source) -> Iterator[tuple[int, bytes]]:
    """Yield the text in blocks of whole lines, each with the 1-based number of its first line.

    The blocks are UTF-8, and every line ends in a line feed. A byte-order mark is skipped, Windows
    and old Mac line ends become line feeds, and lines that are not UTF-8 are read as Latin-1. Each
    of these is noted.

    Raises
    ------
    FormatError
        If the file is empty, UTF-16, binary or a web page.
    """
    for line, block in whole_lines(source):
        yield line, clean(block, line, source.name, source.notes)


def whole_lines(source: Source) -> Iterator[tuple[int, bytes]]:
    """Yield the file in blocks of whole lines, before `clean`."""
    chunk = source.stream.read(BLOCK)
    if not chunk:
        raise FormatError(source.name, "the file is empty")
    chunk = _beginning(chunk, source)
    mac = b"\r" in chunk and b"\n" not in chunk
    line = 1
    while chunk:
        chunk += source.stream.readline()
        if mac:
            source.notes.add("mac-line-ends", chunk.count(b"\r"), line=line)
            chunk = chunk.replace(b"\r", b"\n")
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


def _beginning(chunk: bytes, source: Source) -> bytes:
    if chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise FormatError(source.name, "the text is UTF-16: save it as UTF-8", line=1)
    if chunk.startswith(codecs.BOM_UTF8):
        source.notes.add("byte-order-mark", line=1)
        chunk = chunk.removeprefix(codecs.BOM_UTF8)
    head = chunk[:512].lstrip().lower()
    if head.startswith((b"<!doctype html", b"<html")) and b"\t" not in head.split(b"\n")[0]:
        raise FormatError(source.name, "a web page, not gene sets: download it again", line=1)
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
    if _is_utf8(block):
        return block
    rows = block.split(b"\n")
    for i, row in enumerate(rows):
        if not _is_utf8(row):
            text = row.decode("latin-1")
            notes.add("latin-1", example=text[:60], line=line + i)
            rows[i] = text.encode()
    return b"\n".join(rows)


def _is_utf8(text: bytes) -> bool:
    try:
        return text.isascii() or bool(text.decode())
    except UnicodeDecodeError:
        return False
