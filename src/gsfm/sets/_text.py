"""Text files in blocks of whole lines, whatever they begin with, end their lines with or hold."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from gsfm._errors import FormatError
from gsfm.sets._report import Notes
from gsfm.sets._streams import Source

#: Bytes read at once: large enough for columnar work, small beside the machine's memory.
BLOCK = 32 << 20


def blocks(source: Source, notes: Notes, size: int = BLOCK) -> Iterator[tuple[int, str]]:
    """Yield the text in blocks of whole lines, each with the 1-based number of its first line.

    Lines end in a line feed, without one at the end of a block. A byte-order mark is skipped,
    Windows and old Mac line ends become line feeds, lines that are not UTF-8 are read as Latin-1;
    each is noted.

    Raises
    ------
    FormatError
        If the file is empty, UTF-16, binary or a web page.
    """
    line = 1
    rest = b""
    mac: bool | None = None
    while chunk := source.stream.read(size):
        if mac is None:
            chunk = _beginning(chunk, source, notes)
            mac = b"\r" in chunk and b"\n" not in chunk
        if mac:
            notes.add("mac-line-ends", chunk.count(b"\r"), line=line)
            chunk = chunk.replace(b"\r", b"\n")
        cut = chunk.rfind(b"\n") + 1
        if not cut:
            rest += chunk
            continue
        block, rest = rest + chunk[:cut], chunk[cut:]
        yield line, _text(block[:-1], line, source, notes)
        line += block.count(b"\n")
    if mac is None:
        raise FormatError(source.name, "the file is empty")
    if rest:
        yield line, _text(rest, line, source, notes)


def _beginning(chunk: bytes, source: Source, notes: Notes) -> bytes:
    if chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise FormatError(source.name, "the text is UTF-16: save it as UTF-8", line=1)
    if chunk.startswith(codecs.BOM_UTF8):
        notes.add("byte-order-mark", line=1)
        chunk = chunk[len(codecs.BOM_UTF8) :]
    if chunk[:512].lstrip().lower().startswith((b"<!doctype html", b"<html")):
        raise FormatError(
            source.name, "this is a web page, not gene sets: download it anew", line=1
        )
    return chunk


def _text(block: bytes, line: int, source: Source, notes: Notes) -> str:
    zero = block.find(b"\0")
    if zero >= 0:
        at = line + block.count(b"\n", 0, zero)
        raise FormatError(source.name, "a zero byte: this is not a text file", line=at)
    if b"\r" in block:
        ends = block.count(b"\r\n") + block.endswith(b"\r")
        if ends:
            first = line + block.count(b"\n", 0, block.find(b"\r\n"))
            notes.add("windows-line-ends", ends, line=first)
            block = block.replace(b"\r\n", b"\n").removesuffix(b"\r")
    try:
        return block.decode("utf-8")
    except UnicodeDecodeError:
        lines = []
        for i, raw in enumerate(block.split(b"\n")):
            try:
                lines.append(raw.decode("utf-8"))
            except UnicodeDecodeError:
                lines.append(raw.decode("latin-1"))
                notes.add("latin-1", example=lines[-1][:60], line=line + i)
        return "\n".join(lines)
