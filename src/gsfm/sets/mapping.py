"""Mapping of a collection of raw identifiers to approved symbols."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

import gsfm.genes
from gsfm.genes import Vocabulary
from gsfm.io.notes import Notes, ReadReport
from gsfm.sets import csr

if TYPE_CHECKING:
    from gsfm.genes.resolver import Species
    from gsfm.sets.genesets import GeneSets


def resolve(sets: GeneSets, species: Species | None) -> GeneSets:
    """See `GeneSets.resolve`."""
    frequencies = sets.gene_frequencies
    resolution = gsfm.genes.resolve(sets.vocabulary.symbols, species=species)
    symbols = resolution.symbols
    vocabulary = Vocabulary(sorted({symbol for symbol in symbols if symbol is not None}))
    mapping = vocabulary.ids(symbol or "" for symbol in symbols)
    arrays = csr.remap(sets.indptr, sets.indices, sets.member_weights, mapping)
    result = sets._make(vocabulary, arrays, sets.metadata, sets.manifest)

    report = sets.report or ReadReport("<memory>", "GeneSets", len(sets), sets.n_genes)
    notes = Notes()
    notes.add_all(report.notes)
    notes.add("merged-members", int(frequencies[mapping >= 0].sum()) - len(result.indices))
    emptied = np.flatnonzero((result.sizes == 0) & (sets.sizes > 0))
    if len(emptied):
        notes.add("unmapped-sets", len(emptied), example=sets.metadata["name"][int(emptied[0])])

    def by_frequency(identifiers: list[str]) -> dict[str, int]:
        counts = zip(
            identifiers, frequencies[sets.vocabulary.ids(identifiers)].tolist(), strict=True
        )
        return dict(sorted(counts, key=lambda item: (-item[1], item[0])))

    result.report = dataclasses.replace(
        report,
        n_sets=len(sets),
        n_identifiers=sets.n_genes,
        notes=notes.done(),
        mapped=resolution.mapped_counts,
        unmapped=by_frequency(resolution.unmapped),
        ambiguous=by_frequency(resolution.ambiguous),
    )
    return result
