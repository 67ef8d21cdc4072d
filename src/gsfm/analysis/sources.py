"""Sources of gene sets to compare with, and of the genes of a context."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from gsfm import sets
from gsfm.analysis.query import row_of
from gsfm.completion import inputs
from gsfm.completion.identifiers import map_identifiers
from gsfm.completion.inputs import Identifiers, as_identifiers
from gsfm.errors import GsfmError, UnknownTermError, join_names
from gsfm.genes import Species, Vocabulary
from gsfm.io.streams import is_file
from gsfm.models.types import Ids, Mask, Numbers
from gsfm.sets import GeneSet, GeneSets
from gsfm.sets.genesets import LibraryLike
from gsfm.sets.overlap import p_values

#: Gene sets to compare with: a library in any form, or ``"papers"`` for the embedded corpus.
Source: TypeAlias = LibraryLike
PAPERS = "papers"
_SUFFIX = re.compile(r"\.\w{1,7}$")


class Collection(NamedTuple):
    """Gene sets over a model's vocabulary, by set and by gene."""

    sets: GeneSets
    by_gene: sp.csr_array  # (genes, sets) 0/1
    about: dict[str, Any]  # name, sets, release: a part of a provenance

    def having(self, gene: int) -> NDArray[np.int32]:
        """The rows of the sets that have a gene, ascending."""
        return row_of(self.by_gene, gene)

    @property
    def known(self) -> Mask:
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
    is_name = isinstance(source, str | Path)
    if is_name and source == PAPERS:
        return _papers(vocabulary)
    return _indexed(read_source(source), vocabulary, str(source) if is_name else None)


def read_source(source: Source, *, resolve: bool = True) -> GeneSets:
    """Return the gene sets of a source, over their own vocabulary.

    The identifiers of a file become approved symbols, or stay as they are.
    """
    if isinstance(source, str) and source == PAPERS:
        # Imported here, and below: completion does not need it.
        from gsfm.corpus import embedded

        return embedded()
    from gsfm import libraries

    # The name of a library is no file, as in `gsfm.libraries.load`: ./go-bp is.
    is_name = isinstance(source, str) and source in libraries.names()
    if isinstance(source, str | Path) and not is_name and (source == "-" or is_file(source)):
        return sets.read(source, resolve=resolve)
    return libraries.load(source)


def find_set(name: str, source: Source | None = None) -> GeneSet:
    """The genes of a term of a source, or of any library, as `gsfm.libraries.find` finds it."""
    from gsfm import libraries

    term = libraries.find(name, _library(source))
    library = libraries.load(term.library)
    own = {} if term.id == term.name else {"id": term.id}
    about = {**own, "source": library.manifest.get("name"), **library.files}
    if term.others:
        about["others"] = f"same name in other libraries: {', '.join(term.others)}"
    return GeneSet(term.name, term.genes, about)


def read_context(
    text: str | Path,
    vocabulary: Vocabulary,
    source: Source | None = None,
    species: Species | None = None,
) -> Identifiers | GeneSet:
    """Return the genes of a file, the genes that commas separate, or the genes of a term.

    Parameters
    ----------
    text
        The path of a file, identifiers of genes, or the name or identifier of a term.
    source
        Where to search for the term, as in `find_set`.

    Raises
    ------
    GsfmError
        If the text is none of these, or both genes and a term.
    """
    if isinstance(text, Path) or is_path(text, source):
        return as_identifiers(Path(text))
    identifiers = Identifiers(part.strip() for part in text.split(",") if part.strip())
    mapped = map_identifiers(vocabulary, identifiers, species).inputs
    genes = mapped.filter(pl.col("match") != "unmapped").to_dicts()
    if not genes:
        try:
            return find_set(text, source)
        except UnknownTermError as error:
            raise UnknownTermError(f"{text!r} is not a file or a gene: {error}") from None
    if terms := _terms_called(text, source):
        symbols = [gene["symbol"] or " or ".join(gene["candidates"]) for gene in genes]
        term = repr(terms[0]) if source is None or _prefix(source) else "its GeneSet"
        raise GsfmError(
            f"{text!r} is both a gene ({join_names(symbols)}) and a term ({join_names(terms)}); "
            f"use {term} for the term, or several genes"
        )
    return identifiers


def _prefix(source: Source) -> str:
    """What names the source before a term: ``"families:"``."""
    return f"{source}:" if isinstance(source, str | Path) else ""


def _terms_called(text: str, source: Source | None) -> list[str]:
    """The names of the terms of a source, or of any library, that have a text as name or id."""
    from gsfm.libraries.search import called

    return [f"{_prefix(term.library)}{term.name}" for term in called(text, _library(source))]


def _library(source: Source | None) -> LibraryLike | None:
    """A source as `gsfm.libraries.load` takes it."""
    return read_source(source) if isinstance(source, str) and source == PAPERS else source


def is_path(text: str, source: Source | None = None) -> bool:
    """Whether a text that may be a term is a file; GsfmError if it is also a term or a gene.

    A text with a folder or a suffix is a file if there is one.
    """
    if not inputs.is_path(text):
        return False
    is_name = Path(text).name == text and not _SUFFIX.search(text)
    if is_name and (terms := _terms_called(text, source)):
        raise GsfmError(
            f"{text!r} is both a file of this folder and a term ({join_names(terms)}): use "
            f"'./{text}' for the file, or the term's identifier"
        )
    return True


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
        **library.files,
    }
    return Collection(own, own.to_csr().T.tocsr(), about)
