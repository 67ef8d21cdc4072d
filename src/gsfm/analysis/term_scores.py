"""Libraries over the genes of a model, and the model's scores of genes for terms.

The scores are those of the whole model; `gsfm.models.term_matrix` has the fast form.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm.analysis import cache as caches
from gsfm.analysis.query import Which, best, mask_of, row_of
from gsfm.analysis.terms import LibrariesLike, load_libraries
from gsfm.completion.batches import batches
from gsfm.completion.ranking import COLUMNS, describe_probability, z_scores
from gsfm.completion.result import gene_columns
from gsfm.completion.scorer import score
from gsfm.errors import GsfmError
from gsfm.models import Model
from gsfm.models.evidence import evidence, shuffled
from gsfm.models.term_matrix import TermMatrix
from gsfm.models.types import Floats, Numbers
from gsfm.progress import Progress as Progress
from gsfm.sets import GeneSets
from gsfm.sets.genesets import LibraryLike

if TYPE_CHECKING:
    from gsfm.libraries import Term

#: Entries of a library's manifest that are a part of a provenance.
ABOUT = ("title", "release", "date", "license", "source", "trained")
#: The fraction of a library's term that is assumed to be missing from it. A term holds all that was
#: known, not half of it. Of the genes of a GO process in 2025, 22% were not in it in 2021 (pooled
#: over the 3,506 terms of 10 genes or more); of those of 2021, 20% were not in 2018; of 2023's, 13%
#: not in 2021's, and of 2025's, 36% not in 2018's. Measured on Enrichr's releases
#: GO_Biological_Process_2018, _2021, _2023 and _2025, by the identifiers of the terms.
MISSING = 0.2
#: The columns of scores, and their types.
SCORES = {
    **dict.fromkeys(("score", "z_score", "probability"), np.float64),
    "gene_rank": np.int64,
}
#: Sets that the whole model scores at once; bounds the working memory.
BATCH = 32
#: Changes whenever a cached term matrix would no longer equal the computed one.
CACHE_FORMAT = "gsfm-terms/2"


class Library:
    """The terms of a library that have a gene of the model."""

    def __init__(self, model: Model, sets: GeneSets) -> None:
        self.model, self.sets = model, sets
        self.name = str(sets.manifest.get("name", "library"))
        members = model.encode(sets)
        #: The row of each term in the library.
        self.rows = np.flatnonzero(np.diff(members.indptr))
        if not len(self.rows):
            raise GsfmError(
                f"no term of {self.name} has a gene that the model knows; are its genes approved "
                "human symbols? (gsfm sets convert maps other identifiers)"
            )
        self.members = members[self.rows]  # (terms, genes)
        self.sizes = np.diff(self.members.indptr)
        metadata = sets.metadata[self.rows]
        #: The columns ``library``, ``id``, ``term`` and ``size`` of the terms.
        self.table = metadata.select(
            library=pl.lit(self.name),
            id=pl.col("id" if "id" in metadata.columns else "name").cast(pl.String),
            term=pl.col("name").cast(pl.String),
            size=pl.Series(self.sizes, dtype=pl.Int64),
        )
        self._matrix: TermMatrix | None = None
        #: The split-half AUROC by term, as far as it was computed.
        self.split_half_auroc: dict[int, float] = {}

    def term_matrix(self, progress: Progress | None = None, *, cache: bool = False) -> TermMatrix:
        """The evidence for one gene after another in every term; `cache` stores it on the disk."""
        if self._matrix is None:
            task = f"reading the {len(self.rows):,} terms of {self.name}"
            step = None if progress is None else functools.partial(progress, task)
            file = None
            if cache and self.members.nnz >= caches.LEAST:
                key = caches.digest(CACHE_FORMAT, self.members.indptr, self.members.indices)
                file = caches.cache_file("terms", self.model, key)
            arrays = caches.read_cache(file)
            n_read = len(arrays)
            self._matrix = self.model.term_matrix(self.members, cache=arrays, progress=step)
            if len(arrays) > n_read:
                caches.write_cache(file, arrays)
        return self._matrix

    def genes(self, term: int) -> NDArray[np.int32]:
        """The model's genes of a term."""
        return row_of(self.members, term)

    @functools.cached_property
    def provenance(self) -> dict[str, Any]:
        """The library, and the numbers of its terms and genes that the model knows."""
        about = self.sets.manifest
        used = np.flatnonzero(np.bincount(self.sets.indices))
        symbols = self.sets.vocabulary.symbols
        known = (self.model.vocabulary.ids([symbols[i] for i in used]) >= 0).sum()
        return {
            "name": self.name,
            **{name: about[name] for name in ABOUT if name in about},
            "terms": len(self.sets),
            "terms_used": len(self.rows),
            "genes": len(used),
            "genes_in_model": int(known),
            **self.sets.files,
        }


def open_libraries(model: Model, libraries: LibrariesLike) -> list[Library]:
    """Open libraries for a model; the default ones if None."""
    loaded = load_libraries(libraries)
    # A model that is fitted anew has a new manifest.
    return [_library(model, sets, id(model.manifest)) for sets in dict.fromkeys(loaded)]


def find_term(model: Model, text: str, library: LibraryLike | None) -> tuple[Library, int, Term]:
    """Find a term, as `gsfm.libraries.find`: its library, its row there, and its metadata."""
    # Imported here: completion does not need it.
    from gsfm import libraries

    term = libraries.find(text, library)
    opened = open_libraries(model, term.library)[0]
    at = np.flatnonzero(opened.rows == term.row)
    if not len(at):
        raise GsfmError(f"the model knows no gene of {term.name!r} ({term.id}, {opened.name})")
    return opened, int(at[0]), term


@functools.lru_cache(maxsize=32)
def _library(model: Model, sets: GeneSets, fit: int) -> Library:
    return Library(model, sets)


# -- the whole model -------------------------------------------------------------------------------


def describe_scores(what: str, missing_fraction: float = MISSING) -> dict[str, str]:
    """Descriptions of the columns of genes that are scored for a set, such as "the term"."""
    return {
        "symbol": "approved symbol",
        "name": "approved name",
        "annotated": f"whether the gene is in {what}; if so, its numbers are leave-one-out",
        "score": f"{COLUMNS['score']}; scores of genes of {what} cannot be compared with others",
        "z_score": f"score, standardized over the scores of all genes that are not in {what}",
        "probability": describe_probability(missing_fraction),
        "gene_rank": f"rank among all genes that are not in {what}; 1 is the best",
    }


def rank_genes(
    model: Model,
    ids: NDArray[Any],
    pool: NDArray[np.int64],
    *,
    top: int | None,
    which: Which,
    missing_fraction: float,
    progress: Progress | None,
) -> tuple[NDArray[np.int64], dict[str, Any]]:
    """Rank the genes of a pool by the evidence for a set; of its members, leave-one-out.

    Returns the genes, best first, and the columns ``rank``, ``symbol``, ``name``, ``annotated`` and
    those of `score_pairs`.
    """
    annotated = mask_of(ids, len(model.vocabulary))
    pool = pool[np.argsort(model.vocabulary.alphabetical_rank[pool])]
    key = evidence(model, [ids])[0]
    genes, rank = best(key, pool, top, which=which, annotated=annotated)
    return genes, {
        **gene_columns(model.vocabulary, genes, rank=rank),
        "annotated": annotated[genes],
        **score_genes(model, ids, genes, missing_fraction, progress),
    }


def score_terms(
    model: Model,
    terms: Sequence[tuple[Library, int]],
    genes: Sequence[int],
    missing_fraction: float,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """The columns of `score_pairs`, of one gene for each term, and ``split_half_auroc``."""
    sets = [library.genes(term) for library, term in terms]
    scores = score_pairs(model, sets, genes, missing_fraction, progress)
    halves = split_half_auroc(model, terms, progress)
    return {**scores, "split_half_auroc": pl.Series(halves, nan_to_null=True)}


def score_pairs(
    model: Model,
    sets: Sequence[NDArray[Any]],
    genes: Sequence[int],
    missing_fraction: float,
    progress: Progress | None = None,
) -> dict[str, NDArray[Any]]:
    """Score one gene for each set; a gene that is in its set is left out of it.

    Returns
    -------
    dict
        (n,) ``score``; ``z_score`` over the genes that are not in the set; ``probability``, if the
        model is calibrated, with `missing_fraction` of each whole set missing; and ``gene_rank``
        among the genes that are not in the set, 1 for the best.
    """
    columns = np.zeros((4, len(sets)))
    for part in batches(len(sets), BATCH, "scoring genes", progress):
        rest = [ids[ids != gene] for ids, gene in zip(sets[part], genes[part], strict=True)]
        results = score(model, rest, missing_fraction=missing_fraction)
        for i, (ids, row, chance) in enumerate(zip(rest, *results, strict=True), part.start):
            others, own = np.delete(row, ids), row[genes[i]]
            rank = 1 + (others > own).sum()
            columns[:, i] = own, z_scores(own[None], others)[0], chance[genes[i]], rank
    return _score_columns(model, *columns)


def score_genes(
    model: Model,
    ids: NDArray[Any],
    genes: NDArray[Any],
    missing_fraction: float,
    progress: Progress | None = None,
) -> dict[str, NDArray[Any]]:
    """The columns of `score_pairs`, of several genes for one set."""
    (scores,), (chances,) = score(model, [ids], missing_fraction=missing_fraction)
    others, own = np.sort(np.delete(scores, ids)), scores[genes]
    rank = 1 + len(others) - np.searchsorted(others, own, side="right")
    columns = _score_columns(model, own, z_scores(own, others), chances[genes], rank)
    at = np.flatnonzero(np.isin(genes, ids))
    if len(at):
        sets = [ids] * len(at)
        left_out = score_pairs(model, sets, genes[at].tolist(), missing_fraction, progress)
        for name, values in left_out.items():
            columns[name][at] = values
    return columns


def _score_columns(model: Model, *values: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """The columns of `SCORES`; without ``probability`` if the model is not calibrated."""
    columns = {
        name: column.astype(kind)
        for (name, kind), column in zip(SCORES.items(), values, strict=True)
    }
    if model.calibration is None:
        del columns["probability"]
    return columns


def split_half_auroc(
    model: Model, terms: Sequence[tuple[Library, int]], progress: Progress | None = None
) -> Numbers:
    """(n,) AUROC with which one half of a term predicts the other; nan for a term of one gene."""
    pairs = [(library, int(term)) for library, term in terms]
    new = [(library, t) for library, t in dict.fromkeys(pairs) if t not in library.split_half_auroc]
    values = _halves(model, [library.genes(term) for library, term in new], progress)
    for (library, term), value in zip(new, values, strict=True):
        library.split_half_auroc[term] = value
    return np.array([library.split_half_auroc[term] for library, term in pairs], np.float64)


def _halves(
    model: Model, sets: Sequence[NDArray[Any]], progress: Progress | None
) -> Iterator[float]:
    """The AUROC of each set's halves: the mean over the genes of both."""
    # A random number for each gene: a term is halved in the same way each time.
    number = shuffled(len(model.vocabulary))
    task = "predicting each term's half by the other"
    for part in batches(len(sets), BATCH // 2, task, progress):
        batch = [ids[np.argsort(number[ids])] for ids in sets[part]]
        scores = model.score([half for ids in batch for half in (ids[::2], ids[1::2])])
        for i, ids in enumerate(batch):
            of_halves = scores[2 * i : 2 * i + 2]
            first, second = np.sort(np.delete(of_halves, ids, axis=1), axis=1)
            values = [*_auroc(of_halves[0, ids[1::2]], first)]
            values += [*_auroc(of_halves[1, ids[::2]], second)]
            yield float(np.mean(values)) if len(ids) > 1 else np.nan


def _auroc(scores: Floats, others: Floats) -> Numbers:
    """(k,) the fraction of the others, ascending, that are below each; ties count half."""
    below = np.searchsorted(others, scores) + np.searchsorted(others, scores, side="right")
    return np.asarray(below / (2 * max(len(others), 1)))
