"""The terms that an enrichment is asked about: libraries over one vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from gsfm.completion.identifiers import understand
from gsfm.errors import GsfmError
from gsfm.genes import Vocabulary
from gsfm.genes.tables import named_genes
from gsfm.sets import GeneSets

#: A library: gene sets, or a name or a path that `gsfm.libraries.load` takes.
LibraryLike: TypeAlias = GeneSets | str | Path
#: One library or several; all of `gsfm.libraries.names` if None.
LibrariesLike: TypeAlias = LibraryLike | Sequence[LibraryLike] | None

MIN_SIZE = 5
#: What is told of a term, besides its library.
_TOLD = ("id", "description", "link")


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
        (terms,) which library each is of.
    known
        (libraries, genes) whether a gene is in any term of a library, also one that was too small.
    told
        One entry a library, for the provenance.
    """

    vocabulary: Vocabulary
    members: sp.csr_array
    table: pl.DataFrame
    source: NDArray[np.int64]
    known: NDArray[np.bool_]
    told: list[dict[str, Any]]

    @property
    def sizes(self) -> NDArray[np.int64]:
        """(terms,) genes of each."""
        return np.asarray(np.diff(self.members.indptr), np.int64)

    def within(
        self, pool: NDArray[np.bool_], min_size: int, max_size: int | None, *, what: str
    ) -> Terms:
        """The terms as the genes of a background make them; those of another size are left out.

        Parameters
        ----------
        pool
            (genes,) the background, or (libraries, genes) one for each library.
        min_size, max_size
            Of the terms that stay, in genes of the background.
        what
            The background's name, for the error.

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
            names = ", ".join(one["name"] for one in self.told)
            bound = f"{min_size} or more" if max_size is None else f"{min_size} to {max_size}"
            raise GsfmError(
                f"no term of {names} has {bound} genes among {what}; are the identifiers those of "
                "the same species?"
            )
        indices = self.members.indices[inside]
        data = np.ones(len(indices), np.float32)
        shape = self.members.shape
        members = sp.csr_array((data, indices, np.concatenate([[0], np.cumsum(size)])), shape)
        told = []
        for i, one in enumerate(self.told):
            of_library = self.source == i
            tested = int((of_library & stays).sum())
            told.append({**one, "tested": tested, "left_out": int(of_library.sum()) - tested})
        kept = np.flatnonzero(stays)
        return self._replace(
            members=members[kept], table=self.table[kept], source=self.source[kept], told=told
        )


def loaded_libraries(libraries: LibrariesLike) -> list[GeneSets]:
    """The libraries that are meant; all that are shipped or were added if None.

    Raises
    ------
    GsfmError
        If there is no such library, or none is given.
    """
    # Here and not above: an import that a completion does not need.
    from gsfm import libraries as shelf

    if libraries is None:
        libraries = shelf.names()
    elif isinstance(libraries, GeneSets | str | Path):
        libraries = [libraries]
    if not libraries:
        raise GsfmError("no library is given; gsfm library list names those that there are")
    return [one if isinstance(one, GeneSets) else shelf.load(one) for one in libraries]


def load_terms(libraries: LibrariesLike, vocabulary: Vocabulary | None = None) -> Terms:
    """Load libraries and find the genes of their terms in a vocabulary.

    Parameters
    ----------
    libraries
        One or several; all that are shipped or were added if None.
    vocabulary
        The genes of a model; all approved genes and whatever else the libraries hold if None.

    Raises
    ------
    GsfmError
        If there is no such library, or none is named.
    """
    loaded = loaded_libraries(libraries)
    symbols = list(dict.fromkeys(s for sets in loaded for s in sets.vocabulary.symbols))
    if vocabulary is None:
        vocabulary = Vocabulary(list(dict.fromkeys([*symbols, *named_genes()["symbol"]])))
    ids = dict(zip(symbols, understand(vocabulary, symbols, None).ids, strict=True))
    parts, tables, told, known = [], [], [], []
    for i, sets in enumerate(loaded):
        of_gene = np.array([ids[s] for s in sets.vocabulary.symbols], np.int64)
        parts.append(_over(sets, of_gene, len(vocabulary)))
        name = str(sets.manifest.get("name") or f"library {i + 1}")
        known.append(np.bincount(parts[-1].indices, minlength=len(vocabulary)) > 0)
        used = np.unique(sets.indices)
        tables.append(_table(sets, name))
        told.append(
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
    return Terms(vocabulary, members, pl.concat(tables), source, np.stack(known), told)


def _over(sets: GeneSets, of_gene: NDArray[np.int64], genes: int) -> sp.csr_array:
    """(sets, genes) membership, with the columns that `of_gene` tells; -1 for none."""
    rows = np.repeat(np.arange(len(sets)), sets.sizes)
    columns = of_gene[sets.indices]
    keep = columns >= 0
    ones = np.ones(int(keep.sum()), np.float32)
    members = sp.csr_array((ones, (rows[keep], columns[keep])), shape=(len(sets), genes))
    members.sum_duplicates()
    members.data[:] = 1  # two names of the same gene
    return members


def _table(sets: GeneSets, name: str) -> pl.DataFrame:
    """What is told of the terms; null where the library does not say."""
    has = sets.metadata.columns
    return sets.metadata.select(
        pl.lit(name).alias("library"),
        pl.col("name").cast(pl.String).alias("term"),
        *(
            (pl.col(c).cast(pl.String) if c in has else pl.lit(None, pl.String)).alias(c)
            for c in _TOLD
        ),
    )
