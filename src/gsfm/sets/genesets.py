"""Gene sets and libraries: CSR membership over a vocabulary and a table of metadata."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, overload

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from gsfm.errors import FormatError, count, require
from gsfm.genes import Vocabulary
from gsfm.sets import algebra, csr, overlap, similarity
from gsfm.sets.csr import Floats, Int32s, Int64s
from gsfm.sets.formats import gsets

if TYPE_CHECKING:
    from gsfm.genes.resolver import Species
    from gsfm.io.notes import ReadReport


#: Members of sets: ``indptr``, ``indices`` and weights, as `csr` takes and gives them.
Arrays = tuple[Int64s, Int32s, Floats | None]
Metadata = pl.DataFrame | Callable[[], pl.DataFrame] | None
#: A library as `gsfm.libraries.load` takes it: a name, the path of a file, gene sets, a mapping of
#: names to identifiers, or a data frame.
LibraryLike: TypeAlias = "str | Path | GeneSets | Mapping[str, Iterable[str]] | pl.DataFrame"


@dataclass(frozen=True)
class GeneSet:
    """One named set of genes with its metadata (source, year, link, ...)."""

    name: str
    genes: tuple[str, ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.genes)


class GeneSets:
    """A collection of gene sets.

    Parameters
    ----------
    vocabulary
        The genes to which the ids refer.
    indptr
        (n_sets + 1,) int64; set ``i`` has the members ``indices[indptr[i]:indptr[i + 1]]``.
    indices
        (n_members,) int32 gene ids, ascending and distinct within a set.
    metadata
        One row for each set. The column ``name`` is required; ``description``, ``source``,
        ``year``, ``species``, ``link`` and ``weight`` have a meaning throughout gsfm; other columns
        are free.
    member_weights
        (n_members,) float32, for libraries with weighted members; None without weights.
    manifest
        How the collection was made (inputs, hashes, excluded sets); JSON-serializable.

    Attributes
    ----------
    report
        The `ReadReport` of reading or resolving; None for a collection made otherwise.

    Raises
    ------
    ValueError
        If the arrays do not describe sets of distinct genes of the vocabulary.

    Examples
    --------
    >>> sets = GeneSets.from_lists({"repair": ["BRCA1", "BRCA2"], "growth": ["EGFR", "BRCA1"]})
    >>> len(sets), sets.n_genes, sets.sizes.tolist()
    (2, 3, [2, 2])
    >>> sets[1].genes
    ('BRCA1', 'EGFR')
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        indptr: ArrayLike,
        indices: ArrayLike,
        metadata: pl.DataFrame | None = None,
        *,
        member_weights: ArrayLike | None = None,
        manifest: Mapping[str, Any] | None = None,
    ) -> None:
        weights = None if member_weights is None else np.asarray(member_weights, np.float32)
        ids = csr.as_ids(indices, len(vocabulary))
        arrays = np.asarray(indptr, np.int64), ids, weights
        self._set(vocabulary, arrays, metadata, manifest)
        self.validate()

    def _set(
        self,
        vocabulary: Vocabulary,
        arrays: Arrays,
        metadata: Metadata,
        manifest: Mapping[str, Any] | None,
    ) -> None:
        self.vocabulary = vocabulary
        self.indptr, self._indices, self.member_weights = arrays
        self.manifest: dict[str, Any] = dict(manifest or {})
        self.report: ReadReport | None = None
        # The file whose members are not checked yet; None once they are.
        self._unchecked: Path | None = None
        if metadata is None:
            metadata = _named([f"set {i + 1}" for i in range(len(self.indptr) - 1)])
        if isinstance(metadata, pl.DataFrame):
            self.metadata = metadata
        else:
            self._read_metadata = metadata

    @classmethod
    def _make(
        cls,
        vocabulary: Vocabulary,
        arrays: Arrays,
        metadata: Metadata,
        manifest: Mapping[str, Any] | None = None,
    ) -> GeneSets:
        """Make a collection from arrays that are correct by construction, without a check."""
        sets = cls.__new__(cls)
        sets._set(vocabulary, arrays, metadata, manifest)
        return sets

    @functools.cached_property
    def metadata(self) -> pl.DataFrame:
        """The table of metadata; that of a mapped file is decoded at its first use."""
        return self._read_metadata()

    @property
    def indices(self) -> Int32s:
        """(n_members,) the gene ids; those of a file are checked before their first use."""
        if self._unchecked is not None:
            self.validate()
        return self._indices

    def validate(self) -> None:
        """Check every member: one pass, about 50 ms for 100 million.

        The constructor does this; `open` defers it to the first use that needs it.

        Raises
        ------
        ValueError
            If the arrays do not describe sets of distinct genes of the vocabulary.
        FormatError
            The same, for a collection that `open` read.

        Examples
        --------
        >>> GeneSets.from_lists([["TP53"]]).validate()
        """
        try:
            csr.check_offsets(self.indptr, self._indices, self.member_weights)
            csr.check(self.indptr, self._indices, len(self.vocabulary))
            complete = self.metadata.height == len(self) and "name" in self.metadata.columns
            require(complete, "metadata needs one row a set and a column 'name'")
        except ValueError as error:
            if self._unchecked is None:
                raise
            raise FormatError(self._unchecked, str(error)) from error
        self._unchecked = None

    @classmethod
    def from_lists(
        cls,
        sets: Mapping[str, Iterable[str]] | Sequence[Iterable[str]],
        *,
        vocabulary: Vocabulary | None = None,
    ) -> GeneSets:
        """Make a collection from lists of symbols.

        Parameters
        ----------
        sets
            The symbols of each set, by name or in order. Missing values, such as those that fill a
            column of a data frame, are left out.
        vocabulary
            The genes of the collection; the distinct symbols, sorted, if None.

        Raises
        ------
        ValueError
            If a symbol is not in the vocabulary; `reindex` drops such members.
        TypeError
            If a set is a single string.

        Examples
        --------
        >>> GeneSets.from_lists([["TP53", "MDM2"], ["EGFR"]])
        GeneSets(2 sets, 3 members, 3 genes)
        """
        names = [str(name) for name in sets] if isinstance(sets, Mapping) else None
        rows = list(sets.values() if isinstance(sets, Mapping) else sets)
        is_text = any(isinstance(row, str) for row in rows)
        require(not is_text, "a set is a list of symbols, not a string", TypeError)
        for row in rows:
            require(
                isinstance(row, Iterable), f"a set is a list of symbols, not {row!r}", TypeError
            )
        members = [
            [one for one in row if isinstance(one, str) or not _is_missing(one)] for row in rows
        ]
        if vocabulary is None:
            vocabulary = Vocabulary(sorted(set(chain.from_iterable(members))))
        ids = vocabulary.ids(chain.from_iterable(members))
        if (ids < 0).any():
            symbol = next(s for s in chain.from_iterable(members) if s not in vocabulary)
            raise ValueError(f"{symbol!r} is not in the vocabulary")
        return cls._from_flat(vocabulary, [len(m) for m in members], ids, names)

    @classmethod
    def from_ids(
        cls,
        vocabulary: Vocabulary,
        sets: Sequence[ArrayLike],
        *,
        names: Sequence[str] | None = None,
    ) -> GeneSets:
        """Make a collection from arrays of gene ids (in any order, duplicates merged).

        Parameters
        ----------
        vocabulary
            The genes to which the ids refer.
        sets
            The gene ids of each set.
        names
            A name for each set; "set 1", "set 2", ... if None.

        Raises
        ------
        ValueError
            If an id is outside the vocabulary.

        Examples
        --------
        >>> GeneSets.from_ids(Vocabulary(["TP53", "MDM2"]), [[1, 0, 1], []]).sizes
        array([2, 0])
        """
        rows = [csr.as_ids(ids, len(vocabulary)) for ids in sets]
        flat = np.concatenate(rows) if rows else np.empty(0, np.int32)
        return cls._from_flat(vocabulary, [len(row) for row in rows], flat, names)

    @classmethod
    def _from_flat(
        cls, vocabulary: Vocabulary, sizes: list[int], ids: Int32s, names: Sequence[str] | None
    ) -> GeneSets:
        complete = names is None or len(names) == len(sizes)
        require(complete, f"{len(sizes)} sets need as many names, not {len(names or ())}")
        same = np.arange(len(vocabulary), dtype=np.int32)
        arrays = csr.remap(csr.to_indptr(np.asarray(sizes, np.int64)), ids, None, same)
        return cls._make(vocabulary, arrays, None if names is None else _named(names))

    # -- files ---------------------------------------------------------------------------------

    def save(self, path: str | Path) -> None:
        """Write the collection to one file that `open` reads.

        The file, usually named ``*.gsets``, is a safetensors container; the documentation
        specifies it byte by byte. The file is written atomically.

        Examples
        --------
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "small.gsets"
        >>> GeneSets.from_lists({"repair": ["BRCA1", "BRCA2"]}).save(path)
        >>> GeneSets.open(path)
        GeneSets(1 set, 2 members, 2 genes)
        """
        arrays: dict[str, NDArray[Any]] = {"indptr": self.indptr, "indices": self.indices}
        if self.member_weights is not None:
            arrays["member_weights"] = self.member_weights
        gsets.write(path, arrays, self.vocabulary.symbols, self.metadata, self.manifest)

    @classmethod
    def open(cls, path: str | Path, *, validate: bool = False, trusted: bool = True) -> GeneSets:
        """Read a file that `save` wrote.

        A file of more than 1 GB is mapped into memory: its members stay on the disk until they are
        used. Such a file must not be changed, only replaced. The members are read-only.

        Parameters
        ----------
        path
            The file.
        validate
            Check every member and every checksum now. Otherwise the members are checked once,
            before their first use.
        trusted
            Decode the table of metadata in this process if it has a checksum. A table that was
            made to do harm could then end the process; `gsfm.sets.read` does not trust a file.

        Raises
        ------
        FormatError
            If the file is damaged, or is not such a file.

        Examples
        --------
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "small.gsets"
        >>> GeneSets.from_lists({"repair": ["BRCA1", "BRCA2"]}).save(path)
        >>> GeneSets.open(path).names
        ['repair']
        """
        path = Path(path)
        tensors, manifest, checked = gsets.read(path, verify=validate)
        n_sets = len(tensors["indptr"]) - 1
        sets = cls._make(
            gsets.read_vocabulary(path, tensors["vocabulary"]),
            (tensors["indptr"], tensors["indices"], tensors.get("member_weights")),
            functools.partial(
                gsets.read_metadata, path, tensors["metadata"], n_sets, trusted=trusted and checked
            ),
            manifest,
        )
        sets._unchecked = path
        if validate:
            sets.validate()
        return sets

    # -- shape ---------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.indptr) - 1

    @property
    def n_genes(self) -> int:
        """Number of genes in the vocabulary."""
        return len(self.vocabulary)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """(n_sets,) number of members of each set."""
        return np.diff(self.indptr)

    @property
    def names(self) -> list[str]:
        """The names of the sets."""
        return self.metadata["name"].to_list()

    @property
    def weights(self) -> NDArray[np.float32]:
        """(n_sets,) weight of each set in training: the column ``weight``; 1 without one."""
        if "weight" not in self.metadata.columns:
            return np.ones(len(self), np.float32)
        weights = self.metadata["weight"].cast(pl.Float32).fill_null(1.0)
        return np.asarray(weights.to_numpy(), np.float32)

    @property
    def files(self) -> dict[str, Any]:
        """``read``, the `report` for a provenance; empty if the sets are not of a file."""
        return {} if self.report is None else {"read": self.report.to_dict()}

    @property
    def gene_frequencies(self) -> NDArray[np.int64]:
        """(n_genes,) number of sets that each gene is in."""
        return csr.count(self.indices, self.n_genes)

    def __repr__(self) -> str:
        members = count(len(self._indices), "member")
        return f"GeneSets({count(len(self), 'set')}, {members}, {count(self.n_genes, 'gene')})"

    # -- selection -----------------------------------------------------------------------------

    def ids(self, i: int) -> NDArray[np.int32]:
        """The gene ids of set `i`, ascending; a negative `i` counts from the end.

        Raises
        ------
        IndexError
            If there is no such set.

        Examples
        --------
        >>> GeneSets.from_lists([["B", "A"], ["B"]]).ids(0)
        array([0, 1], dtype=int32)
        """
        i = self._row(i)
        ids = self._indices[self.indptr[i] : self.indptr[i + 1]]
        if self._unchecked is not None:
            # This set alone: to show one set, the others need no check.
            try:
                csr.check(np.array([0, len(ids)]), ids, len(self.vocabulary))
            except ValueError as error:
                raise FormatError(self._unchecked, f"set {i + 1}: {error}") from error
        return ids

    def _row(self, i: int) -> int:
        row = int(i) + (len(self) if i < 0 else 0)
        if not 0 <= row < len(self):
            raise IndexError(f"set {i} of {len(self)}")
        return row

    def genes(self, i: int) -> tuple[str, ...]:
        """The symbols of set `i`, in the order of the ids.

        Raises
        ------
        IndexError
            If there is no such set.

        Examples
        --------
        >>> GeneSets.from_lists([["B", "A"], ["B"]]).genes(-1)
        ('B',)
        """
        symbols = self.vocabulary.symbols
        return tuple(symbols[g] for g in self.ids(i))

    @overload
    def __getitem__(self, key: int) -> GeneSet: ...
    @overload
    def __getitem__(self, key: slice | NDArray[Any] | Sequence[int]) -> GeneSets: ...
    def __getitem__(self, key: int | slice | NDArray[Any] | Sequence[int]) -> GeneSet | GeneSets:
        if isinstance(key, int | np.integer):
            i = self._row(int(key))
            row = self.metadata.row(i, named=True)
            return GeneSet(row.pop("name"), self.genes(i), row)
        rows = np.arange(len(self))[key]
        arrays = csr.gather(self.indptr, self._indices, self.member_weights, rows)
        selected = self._make(self.vocabulary, arrays, self.metadata[rows], self.manifest)
        selected._unchecked = self._unchecked
        return selected

    def filter(
        self,
        *,
        min_size: int | None = None,
        max_size: int | None = None,
        min_year: int | None = None,
        max_year: int | None = None,
        sources: str | Iterable[str] | None = None,
        species: str | Iterable[str] | None = None,
    ) -> GeneSets:
        """Select the sets within some bounds, all of which are inclusive.

        Parameters
        ----------
        min_size, max_size
            Number of members.
        min_year, max_year
            The column ``year``; sets without a year are excluded.
        sources, species
            One value or several of the column ``source`` or ``species``.

        Raises
        ------
        ValueError
            If the collection does not have the column.

        Examples
        --------
        >>> sets = GeneSets.from_lists({"a": ["TP53"], "b": ["TP53", "MDM2"]})
        >>> sets.filter(min_size=2).names
        ['b']
        """
        keep = _within(pl.Series(self.sizes), min_size, max_size)
        if min_year is not None or max_year is not None:
            year = self._column("year").cast(pl.Int64, strict=False)
            keep &= _within(year, min_year, max_year)
        for name, wanted in (("source", sources), ("species", species)):
            if wanted is not None:
                values = [wanted] if isinstance(wanted, str) else list(wanted)
                keep &= self._column(name).is_in(values)
        return self[keep.fill_null(False).to_numpy()]

    def _column(self, name: str) -> pl.Series:
        columns = self.metadata.columns
        message = f"the collection has no column {name!r}; it has {', '.join(columns)}"
        require(name in columns, message)
        return self.metadata[name]

    def union(self, *others: GeneSets) -> GeneSets:
        """Concatenate this and other collections; see `concat`.

        Examples
        --------
        >>> one = GeneSets.from_lists({"a": ["TP53"]})
        >>> len(one.union(one, one))
        3
        """
        return algebra.concat([self, *others])

    def deduplicate(self) -> GeneSets:
        """Keep the first of the sets with exactly the same members.

        Its metadata stays, with three changes: the column ``names`` lists the distinct names of
        these sets, ``copies`` is their number, and ``year`` is the earliest year. The member
        weights are those of the first set; the comparison ignores them.

        Examples
        --------
        >>> sets = GeneSets.from_ids(Vocabulary("AB"), [[0], [1], [0]], names=["x", "y", "z"])
        >>> sets.deduplicate().metadata["names"].to_list()
        [['x', 'z'], ['y']]
        """
        return algebra.deduplicate(self)

    # -- comparison ----------------------------------------------------------------------------

    def near_duplicates(
        self, threshold: float = 0.8, *, n_permutations: int = 128, random_state: int = 0
    ) -> pl.DataFrame:
        """Find pairs of sets with nearly or exactly the same members.

        MinHash signatures, cut into bands, find the candidates: a pair at the threshold is missed
        with a probability of 1 %, a pair well above it hardly ever. Their Jaccard index is then
        computed exactly. Empty sets are in no pair. `clusters` groups the pairs.

        Parameters
        ----------
        threshold
            Smallest Jaccard index (intersection over union), above 0 and up to 1.
        n_permutations
            Length of the signatures; longer ones take more time and give fewer candidates.
        random_state
            Seed of the permutations.

        Returns
        -------
        DataFrame
            ``first``, ``second`` (rows, the first one smaller), ``first_name``, ``second_name``,
            ``jaccard``; in the order of the rows.

        Raises
        ------
        ValueError
            If a parameter is out of its range.
        MissingExtraError
            Without the extra ``corpus``.

        Examples
        --------
        >>> sets = GeneSets.from_lists([["A", "B", "C", "D"], ["A", "B", "C"], ["E"]])
        >>> sets.near_duplicates(0.7).rows()
        [(0, 1, 'set 1', 'set 2', 0.75)]
        """
        require(0 < threshold <= 1, f"threshold must be above 0 and up to 1, not {threshold}")
        require(n_permutations > 1, f"n_permutations must be 2 or more, not {n_permutations}")
        return similarity.near_duplicates(self, threshold, n_permutations, random_state)

    def overlap(
        self,
        other: GeneSets,
        *,
        background: int | None = None,
        min_shared: int = 1,
        min_jaccard: float = 0.0,
        max_p_value: float = 1.0,
    ) -> pl.DataFrame:
        """Compare every set of this collection with every set of another one.

        Parameters
        ----------
        other
            The other collection, over any vocabulary.
        background
            Number of genes of the background; the genes that occur in either collection if None.
        min_shared, min_jaccard, max_p_value
            Bounds of the pairs to return. Pairs without a common gene are never returned.

        Returns
        -------
        DataFrame
            ``left``, ``right`` (rows), ``left_name``, ``right_name``, ``left_size``,
            ``right_size``, ``shared``, ``jaccard``, ``p_value``; in the order of the rows. The
            p-value is the hypergeometric probability of an overlap of this size or larger if the
            members of the right set were drawn at random from the background. It is not corrected
            for the number of pairs.

        Raises
        ------
        ValueError
            If the background is smaller than the genes that occur.

        Examples
        --------
        >>> one = GeneSets.from_lists({"a": ["TP53", "MDM2"]})
        >>> other = GeneSets.from_lists({"b": ["MDM2", "EGFR"], "c": ["KRAS"]})
        >>> one.overlap(other, background=10).drop("left", "right").rows()
        [('a', 'b', 2, 2, 1, 0.333..., 0.377...)]
        """
        return overlap.compare(self, other, background, min_shared, min_jaccard, max_p_value)

    # -- views ---------------------------------------------------------------------------------

    def to_csr(self) -> sp.csr_array:
        """(n_sets, n_genes) float32 0/1 membership.

        Examples
        --------
        >>> GeneSets.from_lists([["A", "B"], ["B"]]).to_csr().toarray()
        array([[1., 1.],
               [0., 1.]], dtype=float32)
        """
        return sp.csr_array(
            (np.ones(len(self.indices), np.float32), self.indices, self.indptr),
            shape=(len(self), self.n_genes),
        )

    def reindex(self, vocabulary: Vocabulary) -> GeneSets:
        """Return the same sets over another vocabulary, without the members outside it.

        Examples
        --------
        >>> sets = GeneSets.from_lists([["A", "B"], ["B"]])
        >>> sets.reindex(Vocabulary(["B", "C"])).indices
        array([0, 0], dtype=int32)
        """
        if vocabulary == self.vocabulary:
            return self
        mapping = vocabulary.ids(self.vocabulary.symbols)
        arrays = csr.remap(self.indptr, self.indices, self.member_weights, mapping)
        return self._make(vocabulary, arrays, self.metadata, self.manifest)

    # -- identifiers ---------------------------------------------------------------------------

    def resolve(self, species: Species | None = None) -> GeneSets:
        """Map raw identifiers to approved symbols; `report` of the result lists how.

        Members that are the same gene are merged (the largest weight is kept). Unmapped and
        ambiguous identifiers are excluded and listed in the report. The vocabulary of the result
        is the symbols that occur, sorted.

        Parameters
        ----------
        species
            The species of the identifiers, as in `gsfm.genes.resolve`.

        Examples
        --------
        >>> raw = GeneSets.from_lists([["p53", "TP53", "mdm2", "nonsense"]])
        >>> sets = raw.resolve()
        >>> sets.genes(0), dict(sets.report.unmapped)
        (('MDM2', 'TP53'), {'nonsense': 1})
        """
        return algebra.resolve(self, species)


def _is_missing(value: Any) -> bool:
    """Whether a value is None, NaN, or what pandas has for these."""
    return value is None or type(value).__name__ == "NAType" or value != value


def _named(names: Sequence[str]) -> pl.DataFrame:
    return pl.DataFrame({"name": list(names)}, {"name": pl.String})


def _within(values: pl.Series, low: int | None, high: int | None) -> pl.Series:
    """Whether each value is within the bounds; None is no bound."""
    return values.is_between(-(2**62) if low is None else low, 2**62 if high is None else high)
