"""Gene sets and libraries: CSR membership over a vocabulary and a table of metadata."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from gsfm.genes import Vocabulary


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
        The genes that the ids count by.
    indptr
        (n_sets + 1,) int64; set ``i`` has the members ``indices[indptr[i]:indptr[i + 1]]``.
    indices
        (n_members,) int32 gene ids, ascending and distinct within a set.
    metadata
        One row a set. The column ``name`` is always there; ``description``, ``source``, ``year``,
        ``species``, ``link`` and ``weight`` have a meaning throughout gsfm; others are free.
    member_weights
        (n_members,) float32, for libraries with weighted members; None where there are none.
    manifest
        How the collection came to be (inputs, hashes, what was dropped); JSON-serialisable.

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
        self.vocabulary = vocabulary
        self.indptr: NDArray[np.int64] = np.asarray(indptr, dtype=np.int64)
        self.indices: NDArray[np.int32] = np.asarray(indices, dtype=np.int32)
        self.member_weights: NDArray[np.float32] | None = (
            None if member_weights is None else np.asarray(member_weights, dtype=np.float32)
        )
        n = len(self.indptr) - 1
        if metadata is None:
            metadata = pl.DataFrame({"name": [f"set {i + 1}" for i in range(n)]})
        self.metadata = metadata
        self.manifest: dict[str, Any] = dict(manifest or {})
        self._check()

    def _check(self) -> None:
        n = len(self.indptr) - 1
        if n < 0 or self.indptr[0] != 0 or self.indptr[-1] != len(self.indices):
            raise ValueError("indptr must start at 0 and end at the number of members")
        if (np.diff(self.indptr) < 0).any():
            raise ValueError("indptr must not decrease")
        if len(self.indices):
            if self.indices.min() < 0 or self.indices.max() >= len(self.vocabulary):
                raise ValueError("a gene id is outside the vocabulary")
            rising = np.diff(self.indices) > 0
            starts = self.indptr[1:-1]
            starts = starts[(starts > 0) & (starts < len(self.indices))]
            rising[starts - 1] = True  # between two sets anything may follow
            if not rising.all():
                raise ValueError("gene ids must be ascending and distinct within each set")
        if self.metadata.height != n or "name" not in self.metadata.columns:
            raise ValueError("metadata needs one row a set and a column 'name'")
        if self.member_weights is not None and len(self.member_weights) != len(self.indices):
            raise ValueError("member_weights needs one weight a member")

    @classmethod
    def from_lists(
        cls,
        sets: Mapping[str, Iterable[str]] | Sequence[Iterable[str]],
        *,
        vocabulary: Vocabulary | None = None,
    ) -> GeneSets:
        """Make a collection from lists of symbols.

        Without a `vocabulary` the distinct symbols, sorted, are the vocabulary. With one, a symbol
        outside it raises ValueError; use `reindex` to drop such members knowingly.
        """
        names = list(sets) if isinstance(sets, Mapping) else None
        members = [list(m) for m in (sets.values() if isinstance(sets, Mapping) else sets)]
        if vocabulary is None:
            vocabulary = Vocabulary(sorted({gene for m in members for gene in m}))
        rows = []
        for m in members:
            ids = vocabulary.ids(m)
            if (ids < 0).any():
                raise ValueError(f"{m[int(np.argmin(ids))]!r} is not in the vocabulary")
            rows.append(np.unique(ids))
        return cls.from_ids(vocabulary, rows, names=names)

    @classmethod
    def from_ids(
        cls,
        vocabulary: Vocabulary,
        sets: Sequence[ArrayLike],
        *,
        names: Sequence[str] | None = None,
    ) -> GeneSets:
        """Make a collection from arrays of gene ids (in any order, duplicates merged)."""
        rows = [np.unique(np.asarray(ids, dtype=np.int32)) for ids in sets]
        indptr = np.concatenate([[0], np.cumsum([len(r) for r in rows], dtype=np.int64)])
        indices = np.concatenate(rows) if rows else np.empty(0, np.int32)
        metadata = None if names is None else pl.DataFrame({"name": list(names)})
        return cls(vocabulary, indptr, indices, metadata)

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
        """(n_sets,) weight of each set in training: the column ``weight``, or ones."""
        if "weight" in self.metadata.columns:
            return self.metadata["weight"].to_numpy().astype(np.float32)
        return np.ones(len(self), np.float32)

    def __repr__(self) -> str:
        return f"GeneSets({len(self)} sets, {len(self.indices)} members, {self.n_genes} genes)"

    # -- selection -----------------------------------------------------------------------------

    def ids(self, i: int) -> NDArray[np.int32]:
        """The gene ids of set `i`, ascending."""
        return self.indices[self.indptr[i] : self.indptr[i + 1]]

    def genes(self, i: int) -> tuple[str, ...]:
        """The symbols of set `i`, in the order of the ids."""
        symbols = self.vocabulary.symbols
        return tuple(symbols[g] for g in self.ids(i))

    @overload
    def __getitem__(self, key: int) -> GeneSet: ...
    @overload
    def __getitem__(self, key: slice | NDArray[Any] | Sequence[int]) -> GeneSets: ...
    def __getitem__(self, key: int | slice | NDArray[Any] | Sequence[int]) -> GeneSet | GeneSets:
        if isinstance(key, int | np.integer):
            i = int(key) + (len(self) if key < 0 else 0)
            if not 0 <= i < len(self):
                raise IndexError(f"set {key} of {len(self)}")
            row = self.metadata.row(i, named=True)
            return GeneSet(row.pop("name"), self.genes(i), row)
        rows = np.arange(len(self))[key]
        sizes = self.sizes[rows]
        indptr = np.concatenate([[0], np.cumsum(sizes)])
        # Position of every kept member in the old arrays.
        take = np.arange(indptr[-1]) + np.repeat(self.indptr[rows] - indptr[:-1], sizes)
        return GeneSets(
            self.vocabulary,
            indptr,
            self.indices[take],
            self.metadata[rows],
            member_weights=None if self.member_weights is None else self.member_weights[take],
            manifest=self.manifest,
        )

    # -- views ---------------------------------------------------------------------------------

    def to_csr(self) -> sp.csr_array:
        """(n_sets, n_genes) float32 0/1 membership."""
        return sp.csr_array(
            (np.ones(len(self.indices), np.float32), self.indices, self.indptr),
            shape=(len(self), self.n_genes),
        )

    def reindex(self, vocabulary: Vocabulary) -> GeneSets:
        """The same sets over another vocabulary; members outside it are left out."""
        if vocabulary == self.vocabulary:
            return self
        new = vocabulary.ids(self.vocabulary.symbols)[self.indices]
        keep = new >= 0
        owner = np.repeat(np.arange(len(self)), self.sizes)[keep]
        new = new[keep]
        order = np.lexsort((new, owner))
        sizes = np.bincount(owner, minlength=len(self))
        weights = None if self.member_weights is None else self.member_weights[keep][order]
        return GeneSets(
            vocabulary,
            np.concatenate([[0], np.cumsum(sizes)]),
            new[order],
            self.metadata,
            member_weights=weights,
            manifest=self.manifest,
        )
