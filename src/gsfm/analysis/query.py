"""Queries: mapping the input genes, scoring sets, and collections of gene sets to compare with."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from gsfm import sets
from gsfm.completion.batches import batches
from gsfm.completion.identifiers import Ids, map_identifiers
from gsfm.completion.scorer import provenance
from gsfm.errors import GsfmError, UnknownGenesError, UnknownTermError, join_names
from gsfm.genes import Species, Vocabulary, read_genes
from gsfm.models import Model
from gsfm.models.evidence import rows_of, standardize
from gsfm.progress import Progress as Progress
from gsfm.sets import GeneSet, GeneSets

Floats = NDArray[np.float32]
Numbers = NDArray[np.float64]
#: Gene sets to compare with: a collection, a file of one, or a name: ``"papers"`` for the embedded
#: corpus, else a library that comes with gsfm.
Source: TypeAlias = "GeneSets | str | Path"

PAPERS = "papers"
#: Sets that are scored at once.
BATCH = 64


class Query:
    """The identifiers of a query, mapped to the genes of a model together.

    Parameters
    ----------
    model
        The model that is used.
    species
        Species of the identifiers, as in `gsfm.genes.resolve`.
    **groups
        Identifiers by the name of their group, such as ``gene`` and ``set``.
    """

    def __init__(
        self, model: Model, species: Species | None, **groups: Iterable[str] | None
    ) -> None:
        parts = {name: list(group or ()) for name, group in groups.items()}
        every = [identifier for part in parts.values() for identifier in part]
        self.model = model
        self.mapped = map_identifiers(model.vocabulary, every, species)
        ends = np.cumsum([len(part) for part in parts.values()])
        starts = [0, *ends[:-1]]
        self._parts = {n: slice(a, b) for n, a, b in zip(parts, starts, ends, strict=True)}

    def gene(self, group: str) -> int:
        """The one gene of a group.

        Raises
        ------
        UnknownGenesError
            If the model does not know it.
        """
        part = self._parts[group]
        [gene] = self.mapped.ids[part]
        if gene < 0:
            row = self.mapped.inputs.row(part.start, named=True)
            reason = "no known gene"
            if row["symbol"] is not None:
                reason = "a gene that the model does not know"
            elif row["match"] == "ambiguous":
                reason = f"ambiguous: {' or '.join(row['candidates'])}"
            raise UnknownGenesError(
                f"{row['input']} is {reason}; gsfm genes resolve shows how identifiers are mapped"
            )
        return int(gene)

    def genes(self, group: str, *, least: int = 1, what: str = "the set") -> Ids:
        """The distinct genes of a group, ascending.

        Raises
        ------
        UnknownGenesError
            If the model knows fewer than `least` of them.
        """
        part = self._parts[group]
        inputs, ids = self.mapped.inputs[part], self.mapped.ids[part]
        return self.mapped._replace(inputs=inputs, ids=ids).require(what, least=least)

    def provenance(self, task: str, **more: Any) -> dict[str, Any]:
        """The provenance of a result for this query; see `gsfm.completion.scorer.provenance`."""
        return provenance(task, self.model, self.mapped, **more)


def standard_scores(model: Model, sets: Sequence[Ids], progress: Progress | None = None) -> Floats:
    """(n, genes) scores less the mean, over the standard deviation, of each set's missing genes."""
    out = np.empty((len(sets), len(model.vocabulary)), np.float32)
    for rows in batches(len(sets), BATCH, "scoring sets", progress):
        out[rows] = standardize(model.score(sets[rows]), model.encode(sets[rows]))
    return out


def evidence(model: Model, sets: Sequence[NDArray[Any]], *, neutral_single: bool = False) -> Floats:
    """(n, genes) the standardized score of each gene for each set; of members, leave-one-out.

    A member is left out alone or with up to an eighth of the set. A set of a single gene leaves
    nothing to score it by: with `neutral_single` its evidence is 0.
    """
    members = model.encode(sets)
    of_genes, of_members = model.evidence(members)
    rows = rows_of(members)
    if neutral_single:
        of_members = np.where(np.diff(members.indptr)[rows] == 1, np.float32(0), of_members)
    out = np.array(of_genes, np.float32)
    out[rows, members.indices] = of_members
    return out


# -- gene sets to compare with ---------------------------------------------------------------------


class Collection(NamedTuple):
    """Gene sets over a model's vocabulary, by set and by gene."""

    sets: GeneSets
    by_gene: sp.csr_array  # (genes, sets) 0/1
    about: dict[str, Any]  # name, sets, release: a part of a provenance

    def having(self, gene: int) -> NDArray[np.int32]:
        """The rows of the sets that have a gene, ascending."""
        start, end = self.by_gene.indptr[gene : gene + 2]
        return np.asarray(self.by_gene.indices[start:end], np.int32)

    def column(
        self, name: str, rows: NDArray[np.integer[Any]], dtype: type[pl.DataType] = pl.String
    ) -> pl.Series:
        """A column of the metadata of some sets; null if there is none."""
        return metadata_column(self.sets.metadata[rows], name, dtype)

    def overlap_genes(self, rows: NDArray[np.integer[Any]], ids: Ids) -> pl.Series:
        """The symbols of the genes that each of some sets has in common with `ids`."""
        symbols = self.sets.vocabulary.symbols
        overlaps = (np.intersect1d(self.sets.ids(int(row)), ids) for row in rows)
        return pl.Series([[symbols[g] for g in own] for own in overlaps], dtype=pl.List(pl.String))


def metadata_column(
    metadata: pl.DataFrame, name: str, dtype: type[pl.DataType] = pl.String
) -> pl.Series:
    """A column of the metadata of gene sets; null if there is none."""
    if name not in metadata.columns:
        return pl.Series(name, [None] * metadata.height, dtype=dtype)
    return metadata[name].cast(dtype, strict=dtype == pl.String)


def collection(source: Source, vocabulary: Vocabulary) -> Collection:
    """Return gene sets, over a model's vocabulary.

    Raises
    ------
    GsfmError
        If there is no such file or library, or none of its genes is in the vocabulary.
    """
    if source == PAPERS:
        return _papers(vocabulary)
    return _indexed(read_source(source), vocabulary, str(source) if _is_name(source) else None)


def read_source(source: Source, *, resolve: bool = True) -> GeneSets:
    """Return the gene sets of a source, over their own vocabulary.

    The identifiers of a file become approved symbols, or stay as they are.
    """
    if isinstance(source, GeneSets):
        return source
    if source == PAPERS:
        return _embedded()
    if source == "-" or Path(source).is_file():
        return sets.read(source, resolve=resolve)
    # Imported here, and below: completion does not need it.
    from gsfm import libraries

    return libraries.load(str(source))


def find_set(name: str, source: Source | None = None) -> GeneSet:
    """The one set of a source that has this name or id, in any case, or the only one that holds it.

    Parameters
    ----------
    name
        The name or id.
    source
        Where to look; in all libraries that come with gsfm if None.

    Raises
    ------
    GsfmError
        If none has, or several hold it; the message names some.
    """
    if source is None:
        from gsfm import libraries

        term = libraries.find(name)
        return GeneSet(str(term.name), tuple(term.genes), {"id": term.id, "source": term.library})
    library = read_source(source)
    metadata = library.metadata
    wanted = name.strip().lower()
    columns = [c for c in ("name", "id") if c in metadata.columns]
    texts = [metadata[c].cast(pl.String).fill_null("").str.to_lowercase() for c in columns]
    for holds in (
        [text == wanted for text in texts],
        [text.str.contains(wanted, literal=True) for text in texts],
    ):
        rows = np.flatnonzero(np.any([one.to_numpy() for one in holds], axis=0))
        if len(rows) == 1:
            return library[int(rows[0])]
        if len(rows) > 1:
            names = metadata["name"].gather(rows).cast(pl.String).to_list()
            raise GsfmError(
                f"{len(rows)} sets are called {name!r}: {join_names(names, 5)}; give the whole name"
            )
    raise GsfmError(f"no set of {len(library):,} has the name or id {name!r}")


def read_context(
    text: str | Path,
    vocabulary: Vocabulary,
    source: Source | None = None,
    species: Species | None = None,
) -> list[str] | GeneSet:
    """Return the genes of a file, the genes that commas separate, or the genes of a term.

    Parameters
    ----------
    text
        The path of a file, identifiers of genes, or the name or identifier of a term.
    vocabulary
        The genes of the model.
    source
        Where to search for the term, as in `find_set`.
    species
        Species of the identifiers.

    Raises
    ------
    GsfmError
        If the text is none of these, or both genes and a term.
    """
    if isinstance(text, Path) or Path(text).is_file():
        return read_genes(text)
    identifiers = [part.strip() for part in text.split(",") if part.strip()]
    inputs = map_identifiers(vocabulary, identifiers, species).inputs
    genes = inputs.filter(pl.col("match") != "unmapped").to_dicts()
    if not genes:
        try:
            return find_set(text, source)
        except UnknownTermError as error:
            raise UnknownTermError(f"{text!r} is not a file or a gene: {error}") from None
    terms = _terms_called(text, source)
    if terms:
        symbols = [gene["symbol"] or " or ".join(gene["candidates"]) for gene in genes]
        both = f"a gene ({join_names(symbols, 5)}) and a term ({join_names(terms, 5)})"
        raise GsfmError(
            f"{text!r} is both {both}; give a list of genes, or the term with its library"
        )
    return identifiers


def _terms_called(text: str, source: Source | None) -> list[str]:
    """The terms of a source, or of all libraries, with this name or identifier, in any case."""
    from gsfm import libraries

    wanted = text.strip().lower()
    return [
        f"{place}:{row['name']}" if _is_name(place) else str(row["name"])
        for place in (libraries.names() if source is None else [source])
        for row in read_source(place).metadata.iter_rows(named=True)
        if wanted in (str(row["name"]).lower(), str(row.get("id")).lower())
    ]


def _is_name(source: Source) -> bool:
    return isinstance(source, str | Path)


@functools.lru_cache(maxsize=2)
def _papers(vocabulary: Vocabulary) -> Collection:
    """The papers of the embedded corpus; cached, because several verbs use them."""
    return _indexed(_embedded(), vocabulary, "papers of the embedded corpus")


def _embedded() -> GeneSets:
    # Imported here: completion does not need it.
    from gsfm.corpus import embedded

    return embedded()


def _indexed(library: GeneSets, vocabulary: Vocabulary, name: str | None) -> Collection:
    own = library.reindex(vocabulary)
    if not len(own.indices):
        raise GsfmError(
            f"no gene of {name or 'the gene sets'} is known to the model; are they approved "
            "symbols? gsfm.sets.read and GeneSets.resolve map other identifiers"
        )
    manifest = library.manifest
    releases = [one.get("release") for one in manifest.get("inputs", []) if isinstance(one, dict)]
    releases = [one for one in [manifest.get("release"), *releases] if one]
    about = {
        "name": name or manifest.get("name") or "gene sets",
        "sets": len(library),
        "release": releases[0] if releases else None,
    }
    return Collection(own, own.to_csr().T.tocsr(), about)
