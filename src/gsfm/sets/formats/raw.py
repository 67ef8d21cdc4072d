"""What a file format is, and how the output of its reader becomes a collection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

import gsfm.genes
from gsfm.errors import FormatError
from gsfm.genes import Species, Vocabulary
from gsfm.genes.tables import encode
from gsfm.io.limits import exceeded, limits
from gsfm.io.notes import Notes, ReadReport
from gsfm.io.streams import Source
from gsfm.sets import csr
from gsfm.sets.algebra import typed
from gsfm.sets.csr import Floats, Int32s, Int64s
from gsfm.sets.genesets import GeneSets


@dataclass
class Raw:
    """Sets as they are in a file.

    Set ``i`` has ``sizes[i]`` members. ``ids`` has the members of all sets, one after another, as
    positions in ``tokens``, the distinct identifiers. A member may occur twice. The weight of a
    member without a weight is NaN.
    """

    metadata: pl.DataFrame
    sizes: Int64s
    ids: Int32s
    tokens: list[str]
    weights: Floats | None = None
    #: 1-based line of each set, if the format has a line for each set.
    lines: Int64s | None = None
    #: The sheet of a workbook, and which columns of a table are what.
    sheet: str | None = None
    layout: str | None = None

    def line(self, i: int) -> int | None:
        """The line of set `i`."""
        return None if self.lines is None else int(self.lines[i])


@dataclass(frozen=True)
class Format:
    """A file format. Its module lists it in ``FORMATS``.

    Parameters
    ----------
    name
        The name in `read` and `write`.
    suffixes
        The suffixes of its files.
    read
        ``read(source)`` parses an open file, and notes its irregularities in ``source.notes``.
        That of a table takes a `Choice` of its sheet and columns, too.
    write
        ``write(sets, target)`` yields the bytes of a file; `target` is its name for messages. None
        if the format is read only.
    columns
        The metadata that it can hold; None for all.
    member_weights
        Whether it can hold weights of members.
    signature
        The first bytes of a binary file.
    is_table
        Whether it is a table, whose columns are recognized.
    """

    name: str
    suffixes: tuple[str, ...]
    read: Callable[..., Raw]
    write: Callable[[GeneSets, str], Iterable[bytes]] | None
    columns: tuple[str, ...] | None = None
    member_weights: bool = True
    signature: bytes | None = None
    is_table: bool = False


def from_members(
    metadata: pl.DataFrame, sizes: Int64s, members: pl.Series, weights: Floats | None
) -> Raw:
    """Dictionary-encode a column with the identifiers of one set after another."""
    distinct, ids = encode(members)
    return Raw(metadata, sizes, ids.astype(np.int32), distinct.fill_null("").to_list(), weights)


def from_lists(
    metadata: pl.DataFrame,
    members: Sequence[Sequence[str]],
    weights: Sequence[Sequence[float]] | None = None,
) -> Raw:
    """Dictionary-encode one list of identifiers for each set."""
    sizes = np.array([len(row) for row in members], np.int64)
    flat = pl.Series([member for row in members for member in row], dtype=pl.String)
    heavy = None if weights is None else np.array([w for row in weights for w in row], np.float32)
    return from_members(metadata, sizes, flat, heavy)


def restore_first_members(raw: Raw, notes: Notes, *, resolve: bool, sure: bool) -> None:
    """Restore the first member of each set of a file without descriptions.

    Some GMT files lack the column of descriptions, so that the parser reads the first gene of every
    set as its description. The column is read as genes if in 70 % of the lines it is not a part of
    the set's name, and either an approved or previous symbol or an id (if identifiers are
    resolved), an Entrez id among Entrez ids, or a member of a set in a file of at least 20 sets.
    With `sure`, it is always read as genes.
    """
    second = raw.metadata["description"].fill_null("").to_list()
    if not sure and not _are_genes(raw, second, resolve=resolve):
        return
    notes.add("no-descriptions", len(second), example=second[0], line=raw.line(0))
    known = {token: i for i, token in enumerate(raw.tokens)}
    rows = np.flatnonzero([bool(text) for text in second])
    ids = np.array([known.setdefault(second[i], len(known)) for i in rows], np.int32)
    starts = csr.to_indptr(raw.sizes)[rows]
    raw.tokens = list(known)
    raw.ids = np.insert(raw.ids, starts, ids)
    if raw.weights is not None:
        raw.weights = np.insert(raw.weights, starts, np.float32(np.nan))
    raw.sizes = raw.sizes.copy()
    raw.sizes[rows] += 1
    raw.metadata = raw.metadata.drop("description")


def _are_genes(raw: Raw, second: list[str], *, resolve: bool) -> bool:
    numbers = sum(token.strip().isdigit() for token in raw.tokens)
    kinds = (*(_SURE if resolve else ()), *(["entrez"] if 2 * numbers > len(raw.tokens) else ()))
    likely: set[str] = set()
    if kinds:
        found = gsfm.genes.resolve(sorted(set(second) - {""})).table
        likely = set(found.filter(pl.col("match").is_in(kinds))["input"])
    if not resolve and len(second) >= 20:
        likely |= {text for token in raw.tokens if not (text := token.strip()).isdigit()}
    genes = sum(
        text in likely and text.lower() not in name.lower()
        for text, name in zip(second, raw.metadata["name"].fill_null(""), strict=True)
    )
    return genes >= 0.7 * len(second)


#: Kinds of matches that words of a description are unlikely to have.
_SURE = (
    *("approved", "approved (case)", "previous", "mouse symbol", "rat symbol", "hgnc", "uniprot"),
    *("ensembl gene", "ensembl transcript", "mouse ensembl gene", "rat ensembl gene"),
)


def long_identifier() -> str:
    """The reason of an error: an identifier is longer than `Limits` allows."""
    what = f"an identifier has more than {limits().identifier:,} bytes: is this the right format?"
    return exceeded("identifier", what)


def finish(
    raw: Raw, source: Source, file_format: str, *, resolve: bool, species: Species | None
) -> GeneSets:
    """Make the collection and its report: trim, merge, name, note, and map identifiers."""
    notes = source.notes
    if max((len(token.encode()) for token in raw.tokens), default=0) > limits().identifier:
        raise FormatError(source.name, long_identifier())
    try:
        raw.metadata = typed(raw.metadata)
    except (ValueError, pl.exceptions.PolarsError) as error:
        raise FormatError(source.name, str(error)) from error
    metadata = _named(raw, notes)
    if raw.weights is not None:
        weighted = ~np.isnan(raw.weights)
        notes.add("weighted-members", int(weighted.sum()))
        raw.weights = np.where(weighted, raw.weights, 1) if weighted.any() else None
    indptr = csr.to_indptr(raw.sizes)
    trimmed = [token.strip() for token in raw.tokens]
    vocabulary = Vocabulary(sorted(set(trimmed) - {""}))
    mapping = vocabulary.ids(trimmed)
    sets = GeneSets._make(vocabulary, csr.remap(indptr, raw.ids, raw.weights, mapping), metadata)
    _note_members(raw, notes, indptr, mapping, sets)
    raw.ids = np.empty(0, np.int32)
    counts = len(sets), sets.n_genes
    sets.report = ReadReport(
        *(source.name, file_format, *counts, notes.done()), sheet=raw.sheet, layout=raw.layout
    )
    return sets.resolve(species) if resolve else sets


def _note_sets(
    raw: Raw, notes: Notes, kind: str, condition: NDArray[np.bool_], names: pl.Series | None
) -> None:
    """Note the sets that meet a condition, with the name and line of the first."""
    if condition.any():
        first = int(condition.argmax())
        example = None if names is None else names[first]
        notes.add(kind, int(condition.sum()), example=example, line=raw.line(first))


def _named(raw: Raw, notes: Notes) -> pl.DataFrame:
    """The metadata, with a name in every row and without empty columns."""
    names = raw.metadata["name"].fill_null("")
    unnamed = names == ""
    _note_sets(raw, notes, "unnamed-sets", unnamed.to_numpy(), None)
    numbered = pl.Series([f"set {i + 1}" for i in range(len(names))], dtype=pl.String)
    names = numbered.zip_with(unnamed, names)
    _note_sets(raw, notes, "duplicate-names", (~names.is_first_distinct()).to_numpy(), names)
    # An empty text is a missing value.
    table = raw.metadata.with_columns(pl.col(pl.String).replace("", None))
    table = table.with_columns(names.alias("name"))
    empty = [c for c in table.columns if c != "name" and table[c].null_count() == table.height]
    return table.drop(empty)


def _note_members(raw: Raw, notes: Notes, indptr: Int64s, mapping: Int32s, sets: GeneSets) -> None:
    """Note the members that were trimmed, merged or skipped, and the empty sets."""
    counts = csr.count(raw.ids, len(mapping))
    padded = [i for i, token in enumerate(raw.tokens) if token != token.strip() != ""]
    if padded:
        example = repr(raw.tokens[padded[0]])
        notes.add("padded-members", int(counts[padded].sum()), example=example)
    blank = int(counts[mapping < 0].sum())
    notes.add("empty-members", blank)
    twice = len(raw.ids) - blank - len(sets.indices)
    for i in np.flatnonzero(raw.sizes != sets.sizes) if twice else ():
        members = mapping[raw.ids[indptr[i] : indptr[i + 1]]]
        found, times = np.unique(members[members >= 0], return_counts=True)
        if (times > 1).any():
            symbol = sets.vocabulary[int(found[np.argmax(times > 1)])]
            notes.add("duplicate-members", twice, example=symbol, line=raw.line(int(i)))
            break
    _note_sets(raw, notes, "empty-sets", sets.sizes == 0, raw.metadata["name"])
