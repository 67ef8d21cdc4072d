"""The corpus of a run: selected by year and source, weighted, and counted by gene."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm.errors import GsfmError, join_names, require
from gsfm.genes import Vocabulary
from gsfm.sets import GeneSets


def select(
    corpus: GeneSets, *, until: int | None = None, exclude: Sequence[str] = ()
) -> tuple[GeneSets, dict[str, int]]:
    """Return the selected sets of a corpus, and the number of excluded ones by reason.

    Parameters
    ----------
    corpus
        Any collection.
    until
        The last year; sets without a year are excluded, too.
    exclude
        Names of excluded sources; ``*`` and ``?`` are wildcards, as in a shell.

    Returns
    -------
    sets
        The selected sets, with only the genes that are in some of them as vocabulary.
    dropped
        Number of other sets: ``excluded``, ``without_year``, ``too_new``.

    Raises
    ------
    GsfmError
        If no set is selected, a source is unknown, or the corpus has no years or sources.

    Examples
    --------
    >>> sets = GeneSets.from_lists({"old": ["TP53", "MDM2"], "new": ["EGFR"]})
    >>> sets.metadata = sets.metadata.with_columns(year=pl.Series([2015, 2021]))
    >>> selected, dropped = select(sets, until=2018)
    >>> selected.vocabulary.symbols, dropped
    (('MDM2', 'TP53'), {'excluded': 0, 'without_year': 0, 'too_new': 1})
    """
    keep = np.ones(len(corpus), np.bool_)
    dropped = {"excluded": 0, "without_year": 0, "too_new": 0}
    if exclude:
        keep &= ~_of_sources(corpus, exclude).any(axis=0)
        dropped["excluded"] = int((~keep).sum())
    if until is not None:
        lacks = "the corpus has no column 'year', so 'until' would exclude every set"
        require("year" in corpus.metadata.columns, lacks, GsfmError)
        year = corpus.metadata["year"].cast(pl.Int64, strict=False)
        for reason, which in (("without_year", year.is_null()), ("too_new", year > until)):
            chosen = which.fill_null(False).to_numpy()
            dropped[reason] = int((keep & chosen).sum())
            keep &= ~chosen
    if not keep.all():
        corpus = corpus[np.flatnonzero(keep)]
    used = corpus.gene_frequencies > 0
    why = ", ".join(f"{n:,} {reason.replace('_', ' ')}" for reason, n in dropped.items() if n)
    require(used.any(), f"no set of the corpus is left: {why}", GsfmError)
    if not used.all():
        symbols = corpus.vocabulary.symbols
        corpus = corpus.reindex(Vocabulary(symbols[i] for i in np.flatnonzero(used)))
    return corpus, dropped


def weighted(corpus: GeneSets, weights: Mapping[str, float]) -> GeneSets:
    """Return the corpus with the weights of the sets of some sources multiplied.

    Parameters
    ----------
    corpus
        Any collection with the column ``source``.
    weights
        A factor by source; ``*`` and ``?`` in a name are wildcards, as in a shell.

    Raises
    ------
    GsfmError
        If a source is unknown.

    Examples
    --------
    >>> sets = GeneSets.from_lists([["TP53"], ["MDM2"]])
    >>> sets.metadata = sets.metadata.with_columns(source=pl.Series(["papers", "screens"]))
    >>> weighted(sets, {"papers": 3.0}).weights.tolist()
    [3.0, 1.0]
    """
    factors = np.ones(len(corpus), np.float32)
    of_source = _of_sources(corpus, weights)
    for factor, rows in zip(weights.values(), of_source, strict=True):
        factors[rows] *= np.float32(factor)
    changed = corpus[:]
    changed.metadata = corpus.metadata.with_columns(weight=pl.Series(corpus.weights * factors))
    return changed


def without(corpus: GeneSets, rows: NDArray[np.int64]) -> GeneSets:
    """Return the corpus without the sets `rows`; its vocabulary stays.

    Examples
    --------
    >>> without(GeneSets.from_lists([["TP53"], ["MDM2"]]), np.array([1])).names
    ['set 1']
    """
    keep = np.ones(len(corpus), np.bool_)
    keep[rows] = False
    return corpus[np.flatnonzero(keep)]


def counts(sets: GeneSets, background: Vocabulary) -> NDArray[np.int64]:
    """(background,) the number of sets that contain each gene of `background`.

    Examples
    --------
    >>> sets = GeneSets.from_lists([["TP53", "MDM2"], ["TP53"]])
    >>> counts(sets, Vocabulary(["EGFR", "TP53"]))
    array([0, 2])
    """
    columns = sets.vocabulary.ids(background)
    return np.where(columns >= 0, sets.gene_frequencies[columns], 0)


def _of_sources(corpus: GeneSets, names: Iterable[str]) -> NDArray[np.bool_]:
    """(names, sets) whether a set is of a source that matches the name."""
    lacks = "the corpus has no column 'source', so no source can be chosen by name"
    require("source" in corpus.metadata.columns, lacks, GsfmError)
    sources = corpus.metadata["source"]
    known = [source for source in sources.unique().to_list() if source is not None]
    out = []
    for name in names:
        matches = [source for source in known if fnmatch.fnmatchcase(source, name)]
        there = join_names(sorted(known), 10)
        require(matches, f"the corpus has no source {name!r}; it has {there}", GsfmError)
        out.append(sources.is_in(matches).fill_null(False).to_numpy())
    return np.array(out, np.bool_)
