"""GMT: one set a line; name, description, members, separated by tabs.

A file of gigabytes is read in blocks of whole lines. The bytes of a block are cut at their tabs and
line feeds all at once, and the members become small integers at once, so that no string is ever
made of a member.
"""

from __future__ import annotations

from typing import BinaryIO

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm._errors import FormatError
from gsfm.sets import _csr
from gsfm.sets._cells import WEIGHT, labels, member_rows
from gsfm.sets._csr import Floats, Int32s, Int64s
from gsfm.sets._genesets import GeneSets
from gsfm.sets._raw import Raw
from gsfm.sets._report import Notes
from gsfm.sets._streams import Source
from gsfm.sets._text import blocks
from gsfm.sets._tokens import PADDING, Encoder

_TAB, _LINE_FEED, _COMMA = b"\t\n,"


def read_gmt(source: Source) -> Raw:
    """Read a GMT file.

    Raises
    ------
    FormatError
        If a line has no tab.
    """
    parser = _Parser(source)
    for line, block in blocks(source, parser.notes):
        parser.read(line, block)
    return parser.raw()


class _Parser:
    """What has been read so far."""

    def __init__(self, source: Source) -> None:
        self.notes = Notes()
        self._source = source
        self._encoder = Encoder()
        self._names: list[str] = []
        self._descriptions: list[str] = []
        self._lines: list[Int64s] = []
        self._sizes: list[Int64s] = []
        self._ids: list[Int32s] = []
        self._weights: list[Floats] = []

    def raw(self) -> Raw:
        return Raw(
            pl.DataFrame(
                {"name": self._names, "description": self._descriptions},
                {"name": pl.String, "description": pl.String},
            ),
            _csr.join(self._sizes, np.int64),
            _csr.join(self._ids, np.int32),
            [word.decode() for word in self._encoder.words],
            _csr.join(self._weights, np.float32) if self._weights else None,
            _csr.join(self._lines, np.int64),
            self.notes,
        )

    def read(self, line: int, block: bytes) -> None:
        """Read a block of whole lines."""
        text = np.frombuffer(block, np.uint8)
        border = text == _TAB
        border |= text == _LINE_FEED
        stops = np.flatnonzero(border)
        starts = np.empty_like(stops)
        starts[0] = 0
        np.add(stops[:-1], 1, out=starts[1:])
        # The first and the last field of each line.
        last = np.flatnonzero(text[stops] == _LINE_FEED)
        first = np.empty_like(last)
        first[0] = 0
        np.add(last[:-1], 1, out=first[1:])

        kept = self._sets(line, block, starts, stops, first, last)
        is_member = self._members(line, starts, stops, first, last, kept)
        sizes = np.add.reduceat(is_member, first, dtype=np.int64)
        starts, stops = starts[is_member], stops[is_member]
        weights = None
        if _COMMA in block:
            stops, weights = self._split_weights(text, block, starts, stops)
        if weights is not None and not self._weights:
            self._weights = [np.ones(len(ids), np.float32) for ids in self._ids]
        if weights is not None or self._weights:
            self._weights.append(np.ones(len(starts), np.float32) if weights is None else weights)
        self._ids.append(self._encoder.encode(block + PADDING, starts, stops - starts))
        self._sizes.append(sizes[kept])
        self._lines.append(line + np.flatnonzero(kept))

    def _sets(
        self,
        line: int,
        block: bytes,
        starts: Int64s,
        stops: Int64s,
        first: Int64s,
        last: Int64s,
    ) -> NDArray[np.bool_]:
        """Take the names and descriptions; which lines are sets, that is, not blank."""
        names = _cut(block, starts[first], stops[first])
        # Where a line has no second field this is a field of the next; it will not be used.
        second = np.minimum(first + 1, len(starts) - 1)
        descriptions = _cut(block, starts[second], stops[second])
        kept = np.ones(len(first), np.bool_)
        for i in [i for i, name in enumerate(names) if not name.strip()]:
            if not block[starts[first[i]] : stops[last[i]]].strip():
                kept[i] = False
                self.notes.add("blank-lines", line=line + i)
        untabbed = np.flatnonzero(kept & (first == last))
        if len(untabbed):
            raise FormatError(
                self._source.name,
                "the line has no tab, and GMT is name, description, genes, separated by tabs; "
                "if the file is of another format, name it",
                line=line + int(untabbed[0]),
            )
        self._names += [name for name, keep in zip(names, kept.tolist(), strict=True) if keep]
        self._descriptions += [
            d for d, keep in zip(descriptions, kept.tolist(), strict=True) if keep
        ]
        return kept

    def _members(
        self,
        line: int,
        starts: Int64s,
        stops: Int64s,
        first: Int64s,
        last: Int64s,
        kept: NDArray[np.bool_],
    ) -> NDArray[np.bool_]:
        """Which fields are members: from the third on, unless empty."""
        member = np.ones(len(starts), np.bool_)
        member[first] = False
        member[np.minimum(first + 1, last)] = False
        for i in np.flatnonzero(~kept):
            member[first[i] : last[i] + 1] = False
        empty = np.flatnonzero(member & (starts == stops))
        if len(empty):
            member[empty] = False
            of_line = np.searchsorted(last, empty)
            trailing = np.unique(of_line[empty == last[of_line]])
            if len(trailing):
                self.notes.add("trailing-tabs", len(trailing), line=line + int(trailing[0]))
            # Before the last member of the line they are holes, after it they end the line.
            filled = np.maximum.reduceat(np.where(member, np.arange(len(member)), -1), first)
            holes = of_line[empty < filled[of_line]]
            if len(holes):
                self.notes.add("empty-members", len(holes), line=line + int(holes[0]))
        return member

    def _split_weights(
        self, text: NDArray[np.uint8], block: bytes, starts: Int64s, stops: Int64s
    ) -> tuple[Int64s, Floats | None]:
        """Cut ``,1.0`` off the members that end so; None where none does."""
        commas = np.flatnonzero(text == _COMMA)
        owner = np.searchsorted(stops, commas)
        inside = owner < len(starts)
        inside[inside] = commas[inside] > starts[owner[inside]]
        cuts = np.full(len(starts), -1)
        cuts[owner[inside]] = commas[inside]  # of several commas the last
        rows = np.flatnonzero((cuts >= 0) & (cuts + 1 < stops))
        # Weights repeat much as genes do: make a number of each distinct one.
        encoder = Encoder()
        ids = encoder.encode(block + PADDING, cuts[rows] + 1, stops[rows] - cuts[rows] - 1)
        numbers = [WEIGHT.fullmatch(word) for word in encoder.words]
        values = np.array([float(n[1]) if n else np.nan for n in numbers], np.float32)[ids]
        heavy = np.isfinite(values)
        if not heavy.any():
            return stops, None
        self.notes.add("weighted-members", int(heavy.sum()))
        weights = np.ones(len(starts), np.float32)
        weights[rows[heavy]] = values[heavy]
        stops = stops.copy()
        stops[rows[heavy]] = cuts[rows[heavy]]
        return stops, weights


def write_gmt(sets: GeneSets, stream: BinaryIO, target: str) -> None:
    """Write a GMT file; weighted members as ``GENE,1.0``."""
    names, descriptions = labels(sets, target)
    rows = zip(names, descriptions, member_rows(sets, target), strict=True)
    for name, description, members in rows:
        stream.write(("\t".join([name, description, *members]) + "\n").encode())


def _cut(block: bytes, starts: Int64s, stops: Int64s) -> list[str]:
    spans = zip(starts.tolist(), stops.tolist(), strict=True)
    return [block[start:stop].decode() for start, stop in spans]
