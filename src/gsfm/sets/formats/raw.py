"""From what a parser found in a file to a collection: clean, merge, resolve, report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

import gsfm.genes
from gsfm.errors import FormatError
from gsfm.genes import Vocabulary
from gsfm.genes.resolver import Species
from gsfm.io.notes import Notes, ReadReport
from gsfm.sets import csr
from gsfm.sets.csr import Floats, Int32s, Int64s
from gsfm.sets.genesets import GeneSets


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


def from_frame(
    metadata: pl.DataFrame, sizes: Int64s, members: pl.Series, weights: Floats | None, notes: Notes
) -> Raw:
    """Dictionary-encode a column of identifiers, those of one set after another."""
    distinct = members.unique(maintain_order=True)
    numbered = distinct.to_frame("member").with_row_index("id")
    ids = members.to_frame("member").join(
        numbered, on="member", how="left", nulls_equal=True, maintain_order="left"
    )["id"]
    tokens = distinct.fill_null("").to_list()
    return Raw(metadata, sizes, ids.to_numpy().astype(np.int32), tokens, weights, notes=notes)


def from_lists(
    metadata: pl.DataFrame,
    members: Sequence[Sequence[str]],
    weights: Sequence[Sequence[float]] | None,
    notes: Notes,
) -> Raw:
    """Dictionary-encode lists of identifiers, one a set."""
    known: dict[str, int] = {}
    ids = [known.setdefault(member, len(known)) for row in members for member in row]
    return Raw(
        metadata,
        np.array([len(row) for row in members], np.int64),
        np.array(ids, np.int32),
        list(known),
        None if weights is None else np.array([w for row in weights for w in row], np.float32),
        notes=notes,
    )


def restore_first_members(raw: Raw, *, resolve: bool, sure: bool) -> None:
    """Give the sets of a file without descriptions their first members back.

    Some write GMT without the column of descriptions; by the letter of the format the first gene
    of every set is then taken for one. The column is taken for genes if no line lacks it and in
    seven of ten lines it is no number, no part of the set's name, and either an approved or
    previous symbol (where identifiers are resolved) or a member of some set of a file of twenty
    sets or more. With `sure`, it is.
    """
    second = raw.metadata["description"].fill_null("").to_list()
    if not sure and not _are_genes(raw, second, resolve=resolve):
        return
    line = None if raw.lines is None else int(raw.lines[0])
    raw.notes.add("no-descriptions", len(second), example=second[0], line=line)
    known = {token: i for i, token in enumerate(raw.tokens)}
    ids = np.array([known.setdefault(text, len(known)) for text in second], np.int32)
    starts = csr.to_indptr(raw.sizes)[:-1]
    raw.tokens = list(known)
    raw.ids = np.insert(raw.ids, starts, ids)
    if raw.weights is not None:
        raw.weights = np.insert(raw.weights, starts, np.float32(1))
    raw.sizes = raw.sizes + 1
    raw.metadata = raw.metadata.drop("description")


def _are_genes(raw: Raw, second: list[str], *, resolve: bool) -> bool:
    if not second or not all(second):
        return False
    likely = set(second)
    if resolve:
        found = gsfm.genes.resolve(sorted(likely)).table
        likely = set(found.filter(pl.col("match").is_in(_SURE))["input"])
    elif len(second) >= 20:
        likely &= {token.strip() for token in raw.tokens}
    else:
        return False
    names = raw.metadata["name"].fill_null("").to_list()
    genes = sum(
        text in likely and not text.isdigit() and text.lower() not in name.lower()
        for text, name in zip(second, names, strict=True)
    )
    return genes >= 0.7 * len(second)


#: Ways to match an identifier that no word of a description is likely to be mapped in.
_SURE = ("approved", "approved (case)", "previous", "mouse symbol", "ensembl gene")


def finish(
    raw: Raw, path: str, file_format: str, *, resolve: bool, species: Species | None
) -> GeneSets:
    """Make the collection, and the report on it."""
    if not len(raw.sizes):
        raise FormatError(path, "there is no gene set in it")
    notes = raw.notes
    metadata = _named(raw, notes)
    indptr = csr.to_indptr(raw.sizes)
    vocabulary, mapping = _clean(raw, notes)
    new_indptr, indices, weights = csr.remap(indptr, raw.ids, raw.weights, mapping)
    _note_sizes(raw, indptr, new_indptr, mapping, vocabulary, notes)
    sets = GeneSets._make(vocabulary, new_indptr, indices, metadata, weights)
    raw.ids = np.empty(0, np.int32)
    mapped: dict[str, int] = {}
    unmapped: dict[str, int] = {}
    ambiguous: dict[str, int] = {}
    if resolve:
        sets = sets.resolve(species)
        assert sets.report is not None
        for note in sets.report.notes:
            notes.add(note.kind, note.count, example=note.example, line=note.line)
        mapped, unmapped = dict(sets.report.mapped), dict(sets.report.unmapped)
        ambiguous = dict(sets.report.ambiguous)
    sets.report = ReadReport(
        path,
        file_format,
        len(sets),
        len(vocabulary),
        notes.done(),
        mapped,
        unmapped,
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
    counts = csr.count(raw.ids, len(mapping))
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
