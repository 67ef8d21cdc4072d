"""Queries: the input genes, scores of sets, and collections of gene sets to compare with."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, TypeVar

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from gsfm import sets
from gsfm.completion.batches import batches
from gsfm.completion.identifiers import Ids, MappedIdentifiers, map_identifiers
from gsfm.completion.result import Result
from gsfm.completion.scorer import provenance
from gsfm.errors import GsfmError, UnknownGenesError, UnknownTermError, join_names
from gsfm.genes import Species, Vocabulary, read_genes
from gsfm.models import Model
from gsfm.models.evidence import rows_of, standardize
from gsfm.progress import Progress as Progress
from gsfm.sets import GeneSet, GeneSets
from gsfm.sets.overlap import p_values

Floats = NDArray[np.float32]
Numbers = NDArray[np.float64]
#: Gene sets to compare with: a collection, a file of one, or a name: ``"papers"`` for the embedded
#: corpus, else a library that comes with gsfm.
Source: TypeAlias = "GeneSets | str | Path"

#: Descriptions by the name of a column.
Columns: TypeAlias = Mapping[str, Any]
R = TypeVar("R", bound=Result)

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

    def result(
        self, kind: type[R], task: str, table: pl.DataFrame, columns: Columns, **more: Any
    ) -> R:
        """The result for this query; see `result_of`."""
        return result_of(kind, task, self.model, self.mapped, table, columns, **more)


def result_of(
    kind: type[R],
    task: str,
    model: Model,
    mapped: MappedIdentifiers,
    table: pl.DataFrame,
    columns: Columns,
    *,
    beside: Columns | None = None,
    parts: Mapping[str, Any] | None = None,
    **more: Any,
) -> R:
    """The result of a verb, with its provenance.

    Parameters
    ----------
    kind
        The class of the result.
    task
        The verb.
    model, mapped
        The model that was used, and the identifiers of the query.
    table
        The results.
    columns
        Descriptions of columns, of which those of the table are a part of the provenance.
    beside
        Descriptions of what is not in the table.
    parts
        Further tables and arrays of the result.
    **more
        Further entries of the provenance.
    """
    own = {name: columns[name] for name in table.columns if name in columns}
    about = provenance(task, model, mapped, **more, columns={**own, **(beside or {})})
    return kind(table, about, mapped, **(parts or {}))


def standard_scores(
    model: Model,
    sets: Sequence[Ids],
    progress: Progress | None = None,
    *,
    genes: Ids | slice = slice(None),
) -> Floats:
    """(n, genes) scores less the mean, over the standard deviation, of each set's missing genes.

    Of all genes of the model, or of `genes` only.
    """
    parts = [np.empty((0, len(model.vocabulary)), np.float32)[:, genes]]
    for rows in batches(len(sets), BATCH, "scoring sets", progress):
        z = standardize(model.score(sets[rows]), model.encode(sets[rows]))
        parts.append(z[:, genes])
    return np.concatenate(parts)


def singles(genes: NDArray[Any] | Sequence[int]) -> list[Ids]:
    """Sets of one gene each."""
    return list(np.asarray(genes, np.int32)[:, None])


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


def mask_of(ids: NDArray[np.integer[Any]], n: int) -> NDArray[np.bool_]:
    """(n,) whether each of n genes is among `ids`."""
    mask = np.zeros(n, bool)
    mask[ids] = True
    return mask


def row_of(matrix: sp.csr_array, row: int) -> NDArray[np.int32]:
    """The columns of the entries of a row."""
    return np.asarray(matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]])


# -- gene sets to compare with ---------------------------------------------------------------------


class Collection(NamedTuple):
    """Gene sets over a model's vocabulary, by set and by gene."""

    sets: GeneSets
    by_gene: sp.csr_array  # (genes, sets) 0/1
    about: dict[str, Any]  # name, sets, release: a part of a provenance

    def having(self, gene: int) -> NDArray[np.int32]:
        """The rows of the sets that have a gene, ascending."""
        return row_of(self.by_gene, gene)

    @property
    def known(self) -> NDArray[np.bool_]:
        """(genes,) whether a gene is in any set."""
        return np.asarray(np.diff(self.by_gene.indptr) > 0)

    def overlap(self, ids: Ids) -> NDArray[np.int64]:
        """(sets,) the number of genes of each that are among `ids`."""
        counts = np.bincount(self.by_gene[ids].indices, minlength=len(self.sets))
        return counts.astype(np.int64)

    def p_values(
        self, rows: NDArray[Any], overlap: NDArray[np.int64], ids: Ids, *, fixed: int = 0
    ) -> Numbers:
        """The hypergeometric probabilities of these overlaps with `ids`, or larger ones.

        The members of each set are drawn from all genes of the collection, except `fixed` genes
        that all of these sets have.
        """
        known = self.known
        drawn = np.full(len(rows), known[ids].sum())
        return p_values(overlap, self.sets.sizes[rows] - fixed, drawn, int(known.sum()) - fixed)

    def columns(self, rows: NDArray[Any], **names: str) -> dict[str, pl.Series]:
        """Columns of the metadata of some sets by their new names."""
        metadata = self.sets.metadata[rows]
        return {new: metadata_column(metadata, name) for new, name in names.items()}

    def overlap_genes(self, rows: NDArray[np.integer[Any]], ids: Ids) -> pl.Series:
        """The symbols of the genes that each of some sets has in common with `ids`."""
        symbols = self.sets.vocabulary.symbols
        overlaps = (np.intersect1d(self.sets.ids(int(row)), ids) for row in rows)
        return pl.Series([[symbols[g] for g in own] for own in overlaps], dtype=pl.List(pl.String))


def metadata_column(metadata: pl.DataFrame, name: str) -> pl.Series:
    """A column of the metadata of gene sets: a number for ``year``, else text; null if missing."""
    dtype = pl.Int64 if name == "year" else pl.String
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
    return _indexed(
        read_source(source), vocabulary, None if isinstance(source, GeneSets) else str(source)
    )


def read_source(source: Source, *, resolve: bool = True) -> GeneSets:
    """Return the gene sets of a source, over their own vocabulary.

    The identifiers of a file become approved symbols, or stay as they are.
    """
    if isinstance(source, GeneSets):
        return source
    if source == PAPERS:
        # Imported here, and below: completion does not need it.
        from gsfm.corpus import embedded

        return embedded()
    if source == "-" or Path(source).is_file():
        return sets.read(source, resolve=resolve)
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
    for part in (False, True):
        found = _called(library, name, part=part)
        if len(found) == 1:
            return library[found[0][0]]
        if found:
            names = join_names([own for _, own in found])
            raise GsfmError(f"{len(found)} sets are called {name!r}: {names}; give the whole name")
    raise GsfmError(f"no set of {len(library):,} has the name or id {name!r}")


def _called(library: GeneSets, text: str, *, part: bool = False) -> list[tuple[int, str]]:
    """Row and name of the sets whose name or id is a text, or has it as a part, in any case."""
    metadata, wanted = library.metadata, text.strip().lower()
    columns = pl.col([c for c in ("name", "id") if c in metadata.columns])
    own = columns.cast(pl.String).fill_null("").str.to_lowercase()
    is_called = pl.any_horizontal(own.str.contains(wanted, literal=True) if part else own == wanted)
    found = metadata.with_row_index("row").filter(is_called)
    return found.select("row", pl.col("name").cast(pl.String)).rows()


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
    from gsfm import libraries

    terms = []
    for place in libraries.names() if source is None else [source]:
        library, prefix = read_source(place), "" if isinstance(place, GeneSets) else f"{place}:"
        terms += [prefix + name for _, name in _called(library, text)]
    if terms:
        symbols = [gene["symbol"] or " or ".join(gene["candidates"]) for gene in genes]
        raise GsfmError(
            f"{text!r} is both a gene ({join_names(symbols)}) and a term ({join_names(terms)}); "
            "give a list of genes, or the term with its library"
        )
    return identifiers


@functools.lru_cache(maxsize=2)
def _papers(vocabulary: Vocabulary) -> Collection:
    """The papers of the embedded corpus; cached, because several verbs use them."""
    return _indexed(read_source(PAPERS), vocabulary, "papers of the embedded corpus")


def _indexed(library: GeneSets, vocabulary: Vocabulary, name: str | None) -> Collection:
    own = library.reindex(vocabulary)
    if not len(own.indices):
        raise GsfmError(
            f"no gene of {name or 'the gene sets'} is known to the model; are they approved "
            "symbols? gsfm.sets.read and GeneSets.resolve map other identifiers"
        )
    manifest = library.manifest
    places = [manifest, *(one for one in manifest.get("inputs", ()) if isinstance(one, dict))]
    about = {
        "name": name or manifest.get("name") or "gene sets",
        "sets": len(library),
        "release": next((one["release"] for one in places if one.get("release")), None),
    }
    return Collection(own, own.to_csr().T.tocsr(), about)
