"""GMT: each line has the name, description and members of a set, separated by tabs.

Large files are read in blocks of whole lines. The bytes of a block are split at their tabs and line
feeds with array operations, and the members are encoded as small integers, so that no string is
made for each member.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from itertools import compress

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm.errors import FormatError
from gsfm.io.limits import limits
from gsfm.io.notes import Notes
from gsfm.io.streams import Source
from gsfm.io.text import clean, whole_lines
from gsfm.sets import csr
from gsfm.sets.csr import Floats, Int32s, Int64s
from gsfm.sets.formats.cells import LABELS, labels, member_rows, weight_of
from gsfm.sets.formats.parallel import in_order
from gsfm.sets.formats.raw import Format, Raw, long_identifier
from gsfm.sets.formats.tokens import PADDING, Encoder, keys_of
from gsfm.sets.genesets import GeneSets

_TAB, _LINE_FEED, _COMMA = b"\t\n,"


def read(source: Source) -> Raw:
    """Read a GMT file. A line without a tab is a FormatError."""
    encoder = Encoder()
    names: list[str] = []
    descriptions: list[str] = []
    lines: list[Int64s] = []
    sizes: list[Int64s] = []
    ids: list[Int32s] = []
    weights: list[Floats | None] = []
    # Other cores split the next blocks while this one encodes the members of the last block.
    for block in in_order(functools.partial(_Block, source.name), whole_lines(source)):
        source.notes.add_all(block.notes.done())
        names += block.names
        descriptions += block.descriptions
        lines.append(block.lines)
        sizes.append(block.sizes)
        weights.append(block.weights)
        ids.append(encoder.encode(block.text, block.starts, block.lengths, block.keys))
    heavy = None
    if any(part is not None for part in weights):
        pairs = zip(weights, ids, strict=True)
        filled = [np.full(len(own), np.nan) if part is None else part for part, own in pairs]
        heavy = csr.join(filled, np.float32)
    return Raw(
        pl.DataFrame({"name": names, "description": descriptions}),
        csr.join(sizes, np.int64),
        csr.join(ids, np.int32),
        [word.decode() for word in encoder.words],
        heavy,
        csr.join(lines, np.int64),
    )


class _Block:
    """The sets in a block of whole lines; members are positions in its text."""

    def __init__(self, path: str, numbered: tuple[int, bytes]) -> None:
        line, block = numbered
        self.notes = Notes()
        block = clean(block, line, path, self.notes)
        self.text = block + PADDING
        text = np.frombuffer(block, np.uint8)
        stops = np.flatnonzero((text == _TAB) | (text == _LINE_FEED))
        self.starts = _after(stops)
        # The first and the last field of each line.
        last = np.flatnonzero(text[stops] == _LINE_FEED)
        first = _after(last)
        kept = self._labels(path, line, stops, first, last)
        is_member = self._members(line, stops, first, last, kept)
        self.sizes = np.add.reduceat(is_member, first, dtype=np.int64)[kept]
        self.lines = line + np.flatnonzero(kept)
        self.starts, stops = self.starts[is_member], stops[is_member]
        self.weights: Floats | None = None
        if _COMMA in block:
            stops = self._split_weights(text, stops)
        self.lengths = stops - self.starts
        if int(self.lengths.max(initial=0)) > limits().identifier:
            raise FormatError(path, long_identifier(), line=line)
        self.keys = keys_of(self.text, self.starts, self.lengths)

    def _labels(
        self, path: str, line: int, stops: Int64s, first: Int64s, last: Int64s
    ) -> NDArray[np.bool_]:
        """Read the names and descriptions; return which lines are sets, that is, not blank."""
        starts = self.starts
        names = self._cut(starts[first], stops[first])
        kept = np.ones(len(first), np.bool_)
        for i in [i for i, name in enumerate(names) if not name.strip()]:
            if not self.text[starts[first[i]] : stops[last[i]]].strip():
                kept[i] = False
                self.notes.add("blank-lines", line=line + i)
        for row in np.flatnonzero(kept & (first == last)):
            reason = (
                "the line has no tab, and GMT is name, description, genes, separated by tabs; "
                "if the file has another format, name it"
            )
            raise FormatError(path, reason, line=line + int(row))
        self.names = list(compress(names, kept))
        second = first[kept] + 1
        self.descriptions = self._cut(starts[second], stops[second])
        return kept

    def _cut(self, starts: Int64s, stops: Int64s) -> list[str]:
        spans = zip(starts.tolist(), stops.tolist(), strict=True)
        return [self.text[start:stop].decode() for start, stop in spans]

    def _members(
        self, line: int, stops: Int64s, first: Int64s, last: Int64s, kept: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """Return which fields are members: from the third on, unless empty."""
        member = np.ones(len(stops), np.bool_)
        member[first] = False
        member[np.minimum(first + 1, last)] = False
        for i in np.flatnonzero(~kept):
            member[first[i] : last[i] + 1] = False
        empty = np.flatnonzero(member & (self.starts == stops))
        if len(empty):
            member[empty] = False
            of_line = np.searchsorted(last, empty)
            trailing = np.unique(of_line[empty == last[of_line]])
            if len(trailing):
                self.notes.add("trailing-tabs", len(trailing), line=line + int(trailing[0]))
            # Empty fields before the last member of a line are gaps, those after it trail.
            filled = np.maximum.reduceat(np.where(member, np.arange(len(member)), -1), first)
            holes = of_line[empty < filled[of_line]]
            if len(holes):
                self.notes.add("empty-members", len(holes), line=line + int(holes[0]))
        return member

    def _split_weights(self, text: NDArray[np.uint8], stops: Int64s) -> Int64s:
        """Split ``,1.0`` off the members that end in it; return where the identifiers stop."""
        starts = self.starts
        commas = np.flatnonzero(text == _COMMA)
        owner = np.searchsorted(stops, commas)
        inside = owner < len(starts)
        inside[inside] = commas[inside] > starts[owner[inside]]
        cuts = np.full(len(starts), -1)
        cuts[owner[inside]] = commas[inside]  # the last one of several commas
        rows = np.flatnonzero((cuts >= 0) & (cuts + 1 < stops))
        # Weights repeat as genes do: parse each distinct one once.
        encoder = Encoder()
        ids = encoder.encode(self.text, cuts[rows] + 1, stops[rows] - cuts[rows] - 1)
        values = np.array([weight_of(word) for word in encoder.words], np.float32)[ids]
        heavy = np.isfinite(values)
        if heavy.any():
            self.weights = np.full(len(starts), np.nan, np.float32)
            self.weights[rows[heavy]] = values[heavy]
            stops[rows[heavy]] = cuts[rows[heavy]]
        return stops


def _after(stops: Int64s) -> Int64s:
    """Where the parts begin that end at `stops`, each one behind the end of the last."""
    return np.concatenate([[0], stops[:-1] + 1])


def write(sets: GeneSets, target: str) -> Iterator[bytes]:
    """Write a GMT file; weighted members as ``GENE,1.0``."""
    rows = zip(*labels(sets, target), member_rows(sets, target), strict=True)
    for name, description, members in rows:
        yield ("\t".join([name, description, *members]) + "\n").encode()


FORMATS = (Format("gmt", (".gmt",), read, write, LABELS),)
