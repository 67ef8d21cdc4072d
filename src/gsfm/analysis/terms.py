"""Terms for enrichment: libraries over one vocabulary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from gsfm.analysis.query import mask_of, row_of
from gsfm.analysis.sources import metadata_column
from gsfm.completion.identifiers import map_identifiers
from gsfm.errors import GsfmError, check_sizes
from gsfm.genes import Vocabulary
from gsfm.genes.tables import named_genes
from gsfm.io.frames import is_frame
from gsfm.models.types import Mask
from gsfm.sets import GeneSets, csr
from gsfm.sets.genesets import LibraryLike

#: One library or several; those of `gsfm.libraries.default_names` if None.
LibrariesLike: TypeAlias = "LibraryLike | Sequence[LibraryLike] | None"

MIN_SIZE = 5


class Terms(NamedTuple):
    """Terms of one library or several.

    Attributes
    ----------
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
    known: Mask
    libraries: list[dict[str, Any]]

    @property
    def names(self) -> str:
        """The names of the libraries, for messages."""
        return ", ".join(one["name"] for one in self.libraries)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """(terms,) the number of genes of each."""
        return np.asarray(np.diff(self.members.indptr), np.int64)

    def genes(self, row: int) -> NDArray[np.int32]:
        """The genes of a term."""
        return row_of(self.members, row)

    def overlap(self, ids: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
        """(terms,) the number of genes of each that are among `ids`."""
        chosen = mask_of(ids, len(self.vocabulary)).astype(np.float32)
        return np.asarray(np.rint(self.members @ chosen), np.int64)

    def within(self, pool: Mask, min_size: int, max_size: int | None, *, what: str) -> Terms:
        """Restrict the terms to the genes of a background, and exclude those of another size.

        Parameters
        ----------
        pool
            (genes,) the background, or (libraries, genes) one for each library.
        min_size, max_size
            The number of genes of the background that a term must have.
        what
            What the background is, for the error if no term is left.
        """
        check_sizes(min_size, max_size)
        n_terms, n_libraries = len(self.source), len(self.libraries)
        owner = np.repeat(np.arange(n_terms), self.sizes)
        library = self.source[owner] if pool.ndim == 2 else 0
        inside = np.atleast_2d(pool)[library, self.members.indices]
        size = np.bincount(owner[inside], minlength=n_terms)
        largest = np.inf if max_size is None else max_size
        rows = np.flatnonzero((size >= min_size) & (size <= largest))
        if not len(rows):
            bound = f"{min_size} or more" if max_size is None else f"{min_size} to {max_size}"
            raise GsfmError(
                f"no term of {self.names} has {bound} genes among {what}; are the identifiers of "
                "the same species?"
            )
        indices = self.members.indices[inside]
        parts = np.ones(len(indices), np.float32), indices, np.concatenate([[0], np.cumsum(size)])
        source = self.source[rows]
        tested = np.bincount(source, minlength=n_libraries)
        excluded = np.bincount(self.source, minlength=n_libraries) - tested
        return self._replace(
            members=sp.csr_array(parts, self.members.shape)[rows],
            table=self.table[rows],
            source=source,
            libraries=[
                {**one, "tested": int(tested[i]), "excluded": int(excluded[i])}
                for i, one in enumerate(self.libraries)
            ],
        )


def listed(libraries: Any) -> list[Any]:
    """One library or several, as a list."""
    is_one = isinstance(libraries, GeneSets | str | Path | Mapping) or is_frame(libraries)
    # An error of `gsfm.libraries.load` says what a library is.
    if is_one or not isinstance(libraries, Iterable) or hasattr(libraries, "table"):
        return [libraries]
    return list(libraries)


def load_libraries(libraries: LibrariesLike) -> list[GeneSets]:
    """Load libraries, of which there must be one; the default ones if None."""
    # Imported here: completion does not need it.
    from gsfm.libraries import default_names, load

    every = default_names() if libraries is None else listed(libraries)
    loaded = list(dict.fromkeys(map(load, every)))
    if not loaded:
        raise GsfmError("no library is given; gsfm library list shows the libraries")
    return loaded


def load_terms(libraries: LibrariesLike, vocabulary: Vocabulary | None = None) -> Terms:
    """Load libraries and map the genes of their terms to a vocabulary.

    Parameters
    ----------
    vocabulary
        The genes of a model; all approved genes and all others of the libraries if None.
    """
    loaded = load_libraries(libraries)
    symbols = list(dict.fromkeys(s for sets in loaded for s in sets.vocabulary.symbols))
    if vocabulary is None:
        vocabulary = Vocabulary(list(dict.fromkeys([*symbols, *named_genes()["symbol"]])))
    n = len(vocabulary)
    ids = dict(zip(symbols, map_identifiers(vocabulary, symbols, None).ids, strict=True))
    parts, tables = [], []
    entries: list[dict[str, Any]] = []
    for i, sets in enumerate(loaded):
        new_id = np.array([ids[s] for s in sets.vocabulary.symbols], np.int32)
        indptr, indices, _ = csr.remap(sets.indptr, sets.indices, None, new_id)
        ones = np.ones(len(indices), np.float32)
        parts.append(sp.csr_array((ones, indices, indptr), shape=(len(sets), n)))
        manifest, used = sets.manifest, np.unique(sets.indices)
        name = str(manifest.get("name") or f"library {i + 1}")
        if any(name == one["name"] for one in entries):  # two mappings, or files of one name
            name = f"{name} ({i + 1})"
        columns = {c: metadata_column(sets.metadata, c) for c in ("id", "description", "link")}
        term = pl.col("name").cast(pl.String)
        tables.append(sets.metadata.select(library=pl.lit(name), term=term, **columns))
        entries.append(
            {
                "name": name,
                "release": manifest.get("release"),
                "trained": manifest.get("trained"),
                "hash": manifest.get("hash"),
                "terms": len(sets),
                "genes": len(used),
                "genes_not_used": int((new_id[used] < 0).sum()),
                **sets.files,
            }
        )
    source = np.repeat(np.arange(len(loaded)), [len(sets) for sets in loaded])
    known = np.stack([np.bincount(part.indices, minlength=n) > 0 for part in parts])
    members = sp.vstack(parts, format="csr")
    return Terms(vocabulary, members, pl.concat(tables), source, known, entries)
