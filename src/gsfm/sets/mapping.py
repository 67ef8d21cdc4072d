"""A collection of raw identifiers to one of approved symbols."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

import gsfm.genes
from gsfm.genes import Vocabulary
from gsfm.io.notes import Notes, ReadReport
from gsfm.sets import csr
from gsfm.sets.csr import Int64s

if TYPE_CHECKING:
    from gsfm.genes.resolver import Species
    from gsfm.sets.genesets import GeneSets


def resolve(sets: GeneSets, species: Species | None) -> GeneSets:
    """See `GeneSets.resolve`."""
    sets._ensure_valid()
    resolution = gsfm.genes.resolve(sets.vocabulary.symbols, species=species)
    symbols = resolution.symbols
    vocabulary = Vocabulary(sorted({symbol for symbol in symbols if symbol is not None}))
    mapping = vocabulary.ids(symbol or "" for symbol in symbols)
    indptr, indices, weights = csr.remap(sets.indptr, sets.indices, sets.member_weights, mapping)

    used = csr.count(sets.indices, sets.n_genes)
    notes = Notes()
    notes.add("merged-members", int(used[mapping >= 0].sum()) - len(indices))
    emptied = (np.diff(indptr) == 0) & (sets.sizes > 0)
    if emptied.any():
        example = sets.metadata["name"][int(np.argmax(emptied))]
        notes.add("unmapped-sets", int(emptied.sum()), example=example)
    result = sets._make(vocabulary, indptr, indices, sets.metadata, weights, sets.manifest)
    result.report = ReadReport(
        sets.report.path if sets.report else "<memory>",
        sets.report.format if sets.report else "GeneSets",
        len(sets),
        sets.n_genes,
        (*(sets.report.notes if sets.report else ()), *notes.done()),
        {way: n for way, n in resolution.counts.items() if way not in ("unmapped", "ambiguous")},
        _frequent(resolution.unmapped, sets.vocabulary, used),
        _frequent(resolution.ambiguous, sets.vocabulary, used),
    )
    return result


def _frequent(identifiers: Iterable[str], vocabulary: Vocabulary, used: Int64s) -> dict[str, int]:
    """Identifiers with the number of sets that each is in, the most frequent first."""
    counts = {symbol: int(used[vocabulary.ids([symbol])[0]]) for symbol in identifiers}
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
