"""One number for the content of a corpus."""

from __future__ import annotations

import hashlib

import numpy as np

from gsfm.genes import Vocabulary
from gsfm.sets import GeneSets

# What a set is, for the hash. Weights are settings of a build, not content.
_COLUMNS = ("name", "source", "year")


def content_hash(sets: GeneSets) -> str:
    """Return a SHA-256 that equal contents share, in whatever order sets and genes are kept.

    Each set is hashed with its name, source, year and symbols; the sorted hashes are hashed again.
    Genes of the vocabulary that no set has, and all other columns, do not count.

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
    used = np.flatnonzero(np.bincount(sets.indices, minlength=sets.n_genes))
    symbols = sets.vocabulary.symbols
    vocabulary = Vocabulary(sorted(symbols[g] for g in used))
    sets = sets.reindex(vocabulary)
    # With one sorted vocabulary for all, the ids of a set stand for its symbols.
    members = np.ascontiguousarray(sets.indices, "<i4").tobytes()
    bounds = (4 * sets.indptr).tolist()
    present = [name for name in _COLUMNS if name in sets.metadata.columns]
    digests = []
    for i, row in enumerate(sets.metadata.select(present).iter_rows()):
        said = (f"{k}={v}" for k, v in zip(present, row, strict=True) if v is not None)
        about = "\0".join(said).encode() + b"\0\0"
        digests.append(hashlib.sha256(about + members[bounds[i] : bounds[i + 1]]).digest())
    total = hashlib.sha256(vocabulary.hash.encode())
    total.update(b"".join(sorted(digests)))
    return total.hexdigest()
