"""What the questions about genes and sets share: who was asked about, and of which model."""

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
from gsfm.completion.identifiers import (
    Ids,
    Understood,
    input_told,
    nothing_known,
    some,
    understand,
    understand_sets,
)
from gsfm.completion.scorer import model_told
from gsfm.errors import GsfmError, UnknownGenesError
from gsfm.genes import Species, Vocabulary
from gsfm.models import Model
from gsfm.models.evidence import rows_of, standardize
from gsfm.progress import Progress as Progress
from gsfm.sets import GeneSet, GeneSets
from gsfm.version import __version__

Floats = NDArray[np.float32]
Numbers = NDArray[np.float64]
#: Gene sets to compare with: a collection, a file of one, or a name: ``"papers"`` for the embedded
#: corpus, else a library that comes with gsfm.
Source: TypeAlias = "GeneSets | str | Path"

PAPERS = "papers"
#: Sets that a model is asked about at once.
BATCH = 64


class Question:
    """A model, and what was understood of the identifiers that it is asked about."""

    def __init__(self, model: Model, given: Understood) -> None:
        self.model, self.given = model, given

    def provenance(self, task: str, **more: Any) -> dict[str, Any]:
        """How the answer came to be; JSON-serialisable."""
        ids = self.given.ids
        return {
            **made_by(task, self.model),
            "input": input_told(self.given.inputs, len(np.unique(ids[ids >= 0]))),
            **more,
        }


class Asked(Question):
    """The identifiers of a question, understood together and handed out group by group.

    Parameters
    ----------
    model
        Whose genes they are to be.
    groups
        Identifiers by the name of their group, such as ``gene`` and ``set``.
    species
        Whose names win, as in `gsfm.genes.resolve`.
    """

    def __init__(
        self, model: Model, species: Species | None, **groups: Iterable[str] | None
    ) -> None:
        parts = {name: list(group or ()) for name, group in groups.items()}
        every = [identifier for part in parts.values() for identifier in part]
        super().__init__(model, understand(model.vocabulary, every, species))
        ends = np.cumsum([len(part) for part in parts.values()])
        starts = [0, *ends[:-1]]
        self._at = {n: slice(a, b) for n, a, b in zip(parts, starts, ends, strict=True)}

    def gene(self, group: str) -> int:
        """The one gene of a group.

        Raises
        ------
        UnknownGenesError
            If the model does not know it.
        """
        [gene] = self.given.ids[self._at[group]]
        if gene < 0:
            row = self.given.inputs.row(self._at[group].start, named=True)
            raise UnknownGenesError(
                f"{row['input']} is {_why_not(row)}; gsfm genes resolve tells how identifiers "
                "are read"
            )
        return int(gene)

    def genes(self, group: str, *, least: int = 1, what: str = "the set") -> Ids:
        """The distinct genes of a group, ascending.

        Raises
        ------
        UnknownGenesError
            If the model knows fewer than `least` of them.
        """
        ids = self.given.ids[self._at[group]]
        known = np.unique(ids[ids >= 0])
        part = self.given._replace(inputs=self.given.inputs[self._at[group]])
        if not len(known):
            raise UnknownGenesError(nothing_known(what, part))
        if len(known) < least:
            raise UnknownGenesError(
                f"the model knows {len(known)} of the {len(ids)} genes of {what}; it needs at "
                f"least {least}"
            )
        return known


def _why_not(row: dict[str, Any]) -> str:
    if row["symbol"] is not None:
        return "a gene that the model does not know"
    if row["match"] == "ambiguous":
        return f"ambiguous: {' or '.join(row['candidates'])}"
    return "no known gene"


def made_by(task: str, model: Model) -> dict[str, Any]:
    """The part of a provenance that tells the task, the version and the model."""
    return {"task": task, "gsfm_version": __version__, "model": model_told(model)}


def standard_scores(model: Model, asked: Sequence[Ids], progress: Progress | None = None) -> Floats:
    """(n, genes) scores less the mean, over the standard deviation, of each set's missing genes."""
    out = np.empty((len(asked), len(model.vocabulary)), np.float32)
    for start in range(0, len(asked), BATCH):
        part = asked[start : start + BATCH]
        out[start : start + len(part)] = standardize(model.score(part), model.encode(part))
        if progress is not None:
            progress("asking the model", start + len(part), len(asked))
    return out


def evidence(model: Model, asked: Sequence[Ids]) -> Floats:
    """(n, genes) how much each gene looks like one of each set, in standard deviations.

    Members as they do when they are left out of it, alone or with up to an eighth of the set.
    """
    members = model.encode(asked)
    of_others, of_members = model.evidence(members)
    out: Floats = of_others.copy()
    out[rows_of(members), members.indices] = of_members
    return out


# -- gene sets to compare with ---------------------------------------------------------------------


class Collection(NamedTuple):
    """Gene sets over a model's vocabulary, by set and by gene."""

    sets: GeneSets
    by_gene: sp.csr_array  # (genes, sets) 0/1
    about: dict[str, Any]  # name, sets, release: a part of a provenance

    def holding(self, gene: int) -> NDArray[np.int32]:
        """The rows of the sets that have a gene, ascending."""
        rows: NDArray[np.int32] = self.by_gene.indices[
            self.by_gene.indptr[gene] : self.by_gene.indptr[gene + 1]
        ]
        return rows

    def column(self, name: str) -> pl.Series:
        """A column of the metadata, nulls if there is none."""
        metadata = self.sets.metadata
        if name in metadata.columns:
            return metadata[name]
        return pl.Series(name, [None] * metadata.height, dtype=pl.String)


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
    # Imported here, and below: a completion has no use for it.
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
                f"{len(rows)} sets are called {name!r}: {some(names, 5)}; give the whole name"
            )
    raise GsfmError(f"no set of {len(library):,} has the name or id {name!r}")


def _is_name(source: Source) -> bool:
    return isinstance(source, str | Path)


@functools.lru_cache(maxsize=2)
def _papers(vocabulary: Vocabulary) -> Collection:
    """The papers of the embedded corpus; kept, as every question about evidence needs them."""
    return _indexed(_embedded(), vocabulary, "papers of the embedded corpus")


def _embedded() -> GeneSets:
    # Imported here: a completion has no use for it.
    from gsfm.corpus import embedded

    return embedded()


def _indexed(library: GeneSets, vocabulary: Vocabulary, name: str | None) -> Collection:
    own = library.reindex(vocabulary)
    if not len(own.indices):
        raise GsfmError(
            f"no gene of {name or 'the gene sets'} is known to the model; are they approved "
            "symbols? gsfm.sets.read and GeneSets.resolve make them so"
        )
    manifest = library.manifest
    releases = [one.get("release") for one in manifest.get("inputs", []) if isinstance(one, dict)]
    releases = [one for one in [manifest.get("release"), *releases] if one]
    about = {
        "name": name or manifest.get("name") or "gene sets given",
        "sets": len(library),
        "release": releases[0] if releases else None,
    }
    return Collection(own, own.to_csr().T.tocsr(), about)


class AskedSets(Question):
    """The sets of a library, understood together.

    Attributes
    ----------
    ids
        For each set the genes that the model knows, ascending.
    sizes
        (n_sets,) identifiers of each set.
    """

    def __init__(self, model: Model, library: GeneSets, species: Species | None) -> None:
        given, self.ids = understand_sets(model.vocabulary, library, species)
        super().__init__(model, given)
        self.sizes = library.sizes
        if not any(map(len, self.ids)):
            raise UnknownGenesError(nothing_known("the library", self.given))
