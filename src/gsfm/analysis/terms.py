"""Terms for enrichment: libraries over one vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from gsfm.completion.identifiers import map_identifiers
from gsfm.errors import GsfmError
from gsfm.genes import Vocabulary
from gsfm.genes.tables import named_genes
from gsfm.sets import GeneSets

#: A library: gene sets, or a name or a path that `gsfm.libraries.load` takes.
LibraryLike: TypeAlias = GeneSets | str | Path
#: One library or several; all of `gsfm.libraries.names` if None.
LibrariesLike: TypeAlias = LibraryLike | Sequence[LibraryLike] | None

MIN_SIZE = 5


class Terms(NamedTuple):
    """Terms of one library or several.

    Attributes
    ----------
    vocabulary
        The genes that the columns of `members` stand for.
    members
        (terms, genes) float32 0/1 membership.
    table
        One row a term: ``library``, ``term``, ``id``, ``description``, ``link``.
    source
        (terms,) the library of each.
    known
        (libraries, genes) whether a gene is in any term of a library, however small.
    libraries
        One entry a library, for the provenance.
    """

    vocabulary: Vocabulary
    members: sp.csr_array
    table: pl.DataFrame
    source: NDArray[np.int64]
    known: NDArray[np.bool_]
    libraries: list[dict[str, Any]]

    @property
    def names(self) -> str:
        """The names of the libraries, for messages."""
        return ", ".join(one["name"] for one in self.libraries)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """(terms,) the number of genes of each."""
        return np.asarray(np.diff(self.members.indptr), np.int64)

    def within(
        self, pool: NDArray[np.bool_], min_size: int, max_size: int | None, *, what: str
    ) -> Terms:
        """Restrict the terms to the genes of a background, and exclude those of another size.

        Parameters
        ----------
        pool
            (genes,) the background, or (libraries, genes) one for each library.
        min_size, max_size
            The number of genes of the background that a term must have.
        what
            What the background is, for the error message.

        Raises
        ------
        GsfmError
            If no term is left.
        """
        if min_size < 1 or (max_size is not None and max_size < min_size):
            raise GsfmError(f"no size of a term is {min_size} or more and {max_size} or fewer")
        rows = np.repeat(np.arange(len(self.source)), self.sizes)
        owner = self.source[rows] if pool.ndim == 2 else np.zeros(len(rows), np.int64)
        inside = np.atleast_2d(pool)[owner, self.members.indices]
        size = np.bincount(rows[inside], minlength=len(self.source))
        stays = size >= min_size
        if max_size is not None:
            stays &= size <= max_size
        if not stays.any():
            bound = f"{min_size} or more" if max_size is None else f"{min_size} to {max_size}"
            raise GsfmError(
                f"no term of {self.names} has {bound} genes among {what}; are the identifiers of "
                "the same species?"
            )
        indices = self.members.indices[inside]
        data = np.ones(len(indices), np.float32)
        shape = self.members.shape
        members = sp.csr_array((data, indices, np.concatenate([[0], np.cumsum(size)])), shape)
        n_terms = np.bincount(self.source, minlength=len(self.libraries))
        n_tested = np.bincount(self.source[stays], minlength=len(self.libraries))
        libraries = [
            {**one, "tested": tested, "excluded": total - tested}
            for one, total, tested in zip(
                self.libraries, n_terms.tolist(), n_tested.tolist(), strict=True
            )
        ]
        rows = np.flatnonzero(stays)
        return self._replace(
            members=members[rows],
            table=self.table[rows],
            source=self.source[rows],
            libraries=libraries,
        )


def load_libraries(libraries: LibrariesLike) -> list[GeneSets]:
    """Load libraries; all that are shipped or were added if None.

    Raises
    ------
    GsfmError
        If there is no such library, or none is given.
    """
    # Imported here: completion does not need it.
    from gsfm.libraries import load, names

    if libraries is None:
        libraries = names()
    elif isinstance(libraries, GeneSets | str | Path):
        libraries = [libraries]
    if not libraries:
        raise GsfmError("no library is given; gsfm library list shows the libraries")
    return [one if isinstance(one, GeneSets) else load(one) for one in libraries]


def load_terms(libraries: LibrariesLike, vocabulary: Vocabulary | None = None) -> Terms:
    """Load libraries and map the genes of their terms to a vocabulary.

    Parameters
    ----------
    libraries
        One or several; all that are shipped or were added if None.
    vocabulary
        The genes of a model; all approved genes and all others of the libraries if None.

    Raises
    ------
    GsfmError
        If there is no such library, or none is given.
    """
    loaded = load_libraries(libraries)
    symbols = list(dict.fromkeys(s for sets in loaded for s in sets.vocabulary.symbols))
    if vocabulary is None:
        vocabulary = Vocabulary(list(dict.fromkeys([*symbols, *named_genes()["symbol"]])))
    ids = dict(zip(symbols, map_identifiers(vocabulary, symbols, None).ids, strict=True))
    parts, tables, entries, known = [], [], [], []
    for i, sets in enumerate(loaded):
        of_gene = np.array([ids[s] for s in sets.vocabulary.symbols], np.int64)
        parts.append(_members(sets, of_gene, len(vocabulary)))
        name = str(sets.manifest.get("name") or f"library {i + 1}")
        known.append(np.bincount(parts[-1].indices, minlength=len(vocabulary)) > 0)
        used = np.unique(sets.indices)
        tables.append(_table(sets, name))
        entries.append(
            {
                "name": name,
                "release": sets.manifest.get("release"),
                "hash": sets.manifest.get("hash"),
                "terms": len(sets),
                "genes": len(used),
                "genes_not_used": int((of_gene[used] < 0).sum()),
            }
        )
    source = np.repeat(np.arange(len(loaded)), [len(sets) for sets in loaded])
    members = sp.vstack(parts, format="csr")
    return Terms(vocabulary, members, pl.concat(tables), source, np.stack(known), entries)


def _members(sets: GeneSets, of_gene: NDArray[np.int64], genes: int) -> sp.csr_array:
    """(sets, genes) membership, with the columns `of_gene` of the sets' genes; -1 for none."""
    rows = np.repeat(np.arange(len(sets)), sets.sizes)
    columns = of_gene[sets.indices]
    keep = columns >= 0
    ones = np.ones(int(keep.sum()), np.float32)
    members = sp.csr_array((ones, (rows[keep], columns[keep])), shape=(len(sets), genes))
    members.sum_duplicates()
    members.data[:] = 1  # a set may have two names of one gene
    return members


def _table(sets: GeneSets, name: str) -> pl.DataFrame:
    """The metadata of the terms; null where the library has none."""
    has = sets.metadata.columns
    columns = (
        pl.col(c) if c in has else pl.lit(None).alias(c) for c in ("id", "description", "link")
    )
    return sets.metadata.select(
        pl.lit(name).alias("library"),
        pl.col("name").cast(pl.String).alias("term"),
        *(column.cast(pl.String) for column in columns),
    )
