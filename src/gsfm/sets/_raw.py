"""From what a parser found in a file to a collection: clean, merge, resolve, report."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from gsfm.genes import Vocabulary
from gsfm.genes._resolve import Species
from gsfm.sets import _csr
from gsfm.sets._csr import Floats, Int32s, Int64s
from gsfm.sets._genesets import GeneSets
from gsfm.sets._report import Notes, ReadReport


@dataclass
class Raw:
    """Sets as they stand in a file.

    Set ``i`` has ``sizes[i]`` members; ``ids`` has those of all sets, one after another, as
    positions in ``tokens``, the distinct identifiers. A member may occur twice.
    """

    metadata: pl.DataFrame
    sizes: Int64s
    ids: Int32s
    tokens: list[str]
    weights: Floats | None = None
    #: 1-based line of each set, where the format has one a set.
    lines: Int64s | None = None
    notes: Notes = field(default_factory=Notes)


def encode(members: pl.Series) -> tuple[Int32s, list[str]]:
    """Dictionary-encode identifiers: ids, and the distinct identifiers."""
    categories = pl.Categories.random()
    ids = members.cast(pl.Categorical(categories)).to_physical()
    return ids.to_numpy().astype(np.int32), categories.to_series().to_list()


def finish(
    raw: Raw, path: str, file_format: str, *, resolve: bool, species: Species | None
) -> GeneSets:
    """Make the collection, and the report on it."""
    notes = raw.notes
    metadata = _named(raw, notes)
    indptr = _csr.to_indptr(raw.sizes)
    vocabulary, mapping = _clean(raw, notes)
    new_indptr, indices, weights = _csr.remap(indptr, raw.ids, raw.weights, mapping)
    _note_sizes(raw, indptr, new_indptr, mapping, vocabulary, notes)
    sets = GeneSets._make(vocabulary, new_indptr, indices, metadata, weights)
    raw.ids = np.empty(0, np.int32)
    matched: dict[str, int] = {}
    unmatched: dict[str, int] = {}
    ambiguous: dict[str, int] = {}
    if resolve:
        sets = sets.resolve(species)
        assert sets.report is not None
        for note in sets.report.notes:
            notes.add(note.kind, note.count, example=note.example, line=note.line)
        matched, unmatched = dict(sets.report.matched), dict(sets.report.unmatched)
        ambiguous = dict(sets.report.ambiguous)
    sets.report = ReadReport(
        path,
        file_format,
        len(sets),
        len(vocabulary),
        notes.done(),
        matched,
        unmatched,
        ambiguous,
    )
    return sets


def _named(raw: Raw, notes: Notes) -> pl.DataFrame:
    """The metadata, with a name in every row and no column that is empty."""
    table = raw.metadata
    names = table["name"].fill_null("")
    unnamed = (names == "").to_numpy()
    if unnamed.any():
        first = int(np.argmax(unnamed))
        notes.add("unnamed-sets", int(unnamed.sum()), line=_line(raw, first))
        numbered = pl.Series([f"set {i + 1}" for i in range(len(names))], dtype=pl.String)
        names = numbered.zip_with(pl.Series(unnamed), names)
    table = table.with_columns(names.alias("name"))
    # An empty text says no more than none.
    table = table.with_columns(pl.when(pl.col(pl.String) != "").then(pl.col(pl.String)).name.keep())
    repeated = (~names.is_first_distinct()).to_numpy()
    if repeated.any():
        first = int(np.argmax(repeated))
        notes.add(
            "duplicate-names", int(repeated.sum()), example=names[first], line=_line(raw, first)
        )
    empty = [c for c in table.columns if c != "name" and table[c].null_count() == table.height]
    return table.drop(empty)


def _clean(raw: Raw, notes: Notes) -> tuple[Vocabulary, Int32s]:
    """The vocabulary of trimmed identifiers, sorted, and which token is which; -1 for none."""
    trimmed = [token.strip() for token in raw.tokens]
    vocabulary = Vocabulary(sorted(set(trimmed) - {""}))
    return vocabulary, vocabulary.ids(trimmed)


def _note_sizes(
    raw: Raw,
    indptr: Int64s,
    new_indptr: Int64s,
    mapping: Int32s,
    vocabulary: Vocabulary,
    notes: Notes,
) -> None:
    """Note the members that were merged or dropped, and the empty sets."""
    counts = _csr.count(raw.ids, len(mapping))
    trimmed = np.array([i for i, t in enumerate(raw.tokens) if t != t.strip() != ""], np.int64)
    if len(trimmed):
        notes.add(
            "padded-members", int(counts[trimmed].sum()), example=repr(raw.tokens[trimmed[0]])
        )
    blank = int(counts[mapping < 0].sum())
    notes.add("empty-members", blank)
    twice = len(raw.ids) - blank - int(new_indptr[-1])
    if twice:
        for i in np.flatnonzero(np.diff(indptr) != np.diff(new_indptr)):
            members = mapping[raw.ids[indptr[i] : indptr[i + 1]]]
            found, times = np.unique(members[members >= 0], return_counts=True)
            if (times > 1).any():
                symbol = vocabulary[int(found[np.argmax(times > 1)])]
                notes.add("duplicate-members", twice, example=symbol, line=_line(raw, int(i)))
                break
    empty = np.diff(new_indptr) == 0
    if empty.any():
        first = int(np.argmax(empty))
        notes.add(
            "empty-sets",
            int(empty.sum()),
            example=raw.metadata["name"][first],
            line=_line(raw, first),
        )


def _line(raw: Raw, i: int) -> int | None:
    return None if raw.lines is None else int(raw.lines[i])
