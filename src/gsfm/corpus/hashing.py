"""A hash of the content of a corpus."""

from __future__ import annotations

import hashlib

import numpy as np

from gsfm.genes import Vocabulary
from gsfm.sets import GeneSets

# Columns in the hash. Weights are not content: they depend on the settings of a build.
_COLUMNS = ("name", "source", "year")


def content_hash(sets: GeneSets) -> str:
    """Return a SHA-256 of the content, which does not depend on the order of sets and genes.

    Each set is hashed with its name, source, year and symbols; the sorted hashes are hashed again.
    Other columns, and genes of the vocabulary without a set, are ignored.

    Parameters
    ----------
    sets
        Any collection.

    Examples
    --------
    >>> a = GeneSets.from_lists({"repair": ["BRCA1", "BRCA2"], "growth": ["EGFR"]})
    >>> b = GeneSets.from_lists({"growth": ["EGFR"], "repair": ["BRCA2", "BRCA1"]})
    >>> content_hash(a) == content_hash(b) == content_hash(a[[1, 0]])
    True
    >>> content_hash(a) == content_hash(a[:1])
    False
    """
    used = np.flatnonzero(sets.gene_frequencies)
    vocabulary = Vocabulary(sorted(sets.vocabulary[int(gene)] for gene in used))
    sets = sets.reindex(vocabulary)
    # With the same sorted vocabulary, equal ids are equal symbols.
    members = np.ascontiguousarray(sets.indices, "<i4").tobytes()
    bounds = (4 * sets.indptr).tolist()
    present = [name for name in _COLUMNS if name in sets.metadata.columns]
    digests = []
    for i, row in enumerate(sets.metadata.select(present).iter_rows()):
        fields = (f"{k}={v}" for k, v in zip(present, row, strict=True) if v is not None)
        about = "\0".join(fields).encode() + b"\0\0"
        digests.append(hashlib.sha256(about + members[bounds[i] : bounds[i + 1]]).digest())
    total = hashlib.sha256(vocabulary.hash.encode())
    total.update(b"".join(sorted(digests)))
    return total.hexdigest()
