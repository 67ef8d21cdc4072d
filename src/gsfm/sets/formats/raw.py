"""From the output of a parser to a collection: clean, merge, resolve, report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

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
    """Sets as they are in a file.

    Set ``i`` has ``sizes[i]`` members. ``ids`` has the members of all sets, one after another, as
    positions in ``tokens``, the distinct identifiers. A member may occur twice.
    """

    metadata: pl.DataFrame
    sizes: Int64s
    ids: Int32s
    tokens: list[str]
    weights: Floats | None = None
    #: 1-based line of each set, if the format has a line for each set.
    lines: Int64s | None = None
    notes: Notes = field(default_factory=Notes)

    def line(self, i: int) -> int | None:
        """The line of set `i`."""
        return None if self.lines is None else int(self.lines[i])


def labels_table(names: Sequence[str], descriptions: Sequence[str]) -> pl.DataFrame:
    """The metadata of a format that has names and descriptions."""
    schema = {"name": pl.String, "description": pl.String}
    return pl.DataFrame([names, descriptions], schema, orient="col")


def from_frame(
    metadata: pl.DataFrame, sizes: Int64s, members: pl.Series, weights: Floats | None, notes: Notes
) -> Raw:
    """Dictionary-encode a column with the identifiers of one set after another."""
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
    """Dictionary-encode one list of identifiers for each set."""
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
    """Restore the first member of each set of a file without descriptions.

    Some GMT files lack the column of descriptions, so that the parser reads the first gene of every
    set as its description. The column is read as genes if no line lacks it and if in 70 % of the
    lines it is not a number, not a part of the set's name, and either an approved or previous
    symbol (if identifiers are resolved) or a member of a set in a file of at least 20 sets. With
    `sure`, it is always read as genes.
    """
    second = raw.metadata["description"].fill_null("").to_list()
    if not sure and not _are_genes(raw, second, resolve=resolve):
        return
    raw.notes.add("no-descriptions", len(second), example=second[0], line=raw.line(0))
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


#: Kinds of matches that words of a description are unlikely to have.
_SURE = ("approved", "approved (case)", "previous", "mouse symbol", "ensembl gene")


def finish(
    raw: Raw, path: str, file_format: str, *, resolve: bool, species: Species | None
) -> GeneSets:
    """Make the collection and its report."""
    if not len(raw.sizes):
        raise FormatError(path, "it contains no gene set")
    metadata = _named(raw)
    indptr = csr.to_indptr(raw.sizes)
    trimmed = [token.strip() for token in raw.tokens]
    vocabulary = Vocabulary(sorted(set(trimmed) - {""}))
    mapping = vocabulary.ids(trimmed)
    arrays = csr.remap(indptr, raw.ids, raw.weights, mapping)
    _note_members(raw, indptr, arrays[0], mapping, vocabulary)
    sets = GeneSets._make(vocabulary, arrays, metadata)
    raw.ids = np.empty(0, np.int32)
    sets.report = ReadReport(path, file_format, len(sets), len(vocabulary), raw.notes.done())
    return sets.resolve(species) if resolve else sets


def _note_sets(raw: Raw, kind: str, condition: NDArray[np.bool_], names: pl.Series | None) -> None:
    """Note the sets that meet a condition, with the name and line of the first."""
    rows = np.flatnonzero(condition)
    if len(rows):
        first = int(rows[0])
        example = None if names is None else names[first]
        raw.notes.add(kind, len(rows), example=example, line=raw.line(first))


def _named(raw: Raw) -> pl.DataFrame:
    """The metadata, with a name in every row and without empty columns."""
    names = raw.metadata["name"].fill_null("")
    unnamed = names == ""
    _note_sets(raw, "unnamed-sets", unnamed.to_numpy(), None)
    numbered = pl.Series([f"set {i + 1}" for i in range(len(names))], dtype=pl.String)
    names = numbered.zip_with(unnamed, names)
    _note_sets(raw, "duplicate-names", (~names.is_first_distinct()).to_numpy(), names)
    texts = pl.col(pl.String)
    # An empty text is a missing value.
    table = raw.metadata.with_columns(names.alias("name")).with_columns(
        pl.when(texts != "").then(texts).name.keep()
    )
    empty = [c for c in table.columns if c != "name" and table[c].null_count() == table.height]
    return table.drop(empty)


def _note_members(
    raw: Raw, indptr: Int64s, new_indptr: Int64s, mapping: Int32s, vocabulary: Vocabulary
) -> None:
    """Note the members that were trimmed, merged or skipped, and the empty sets."""
    counts = csr.count(raw.ids, len(mapping))
    padded = [i for i, token in enumerate(raw.tokens) if token != token.strip() != ""]
    if padded:
        n_padded = int(counts[padded].sum())
        raw.notes.add("padded-members", n_padded, example=repr(raw.tokens[padded[0]]))
    blank = int(counts[mapping < 0].sum())
    raw.notes.add("empty-members", blank)
    twice = len(raw.ids) - blank - int(new_indptr[-1])
    for i in np.flatnonzero(np.diff(indptr) != np.diff(new_indptr)) if twice else ():
        members = mapping[raw.ids[indptr[i] : indptr[i + 1]]]
        found, times = np.unique(members[members >= 0], return_counts=True)
        if (times > 1).any():
            symbol = vocabulary[int(found[np.argmax(times > 1)])]
            raw.notes.add("duplicate-members", twice, example=symbol, line=raw.line(int(i)))
            break
    _note_sets(raw, "empty-sets", np.diff(new_indptr) == 0, raw.metadata["name"])
