"""Signatures: the genes of terms, and those that a model adds to them, with weights."""

from __future__ import annotations

import contextlib
import time
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from gsfm.analysis import cache
from gsfm.completion.batches import batches
from gsfm.models import Model
from gsfm.models.evidence import rows_of
from gsfm.models.types import Cache, Floats, Mask
from gsfm.progress import Progress

#: Changes whenever cached signatures would no longer equal the computed ones.
FORMAT = "gsfm-signatures/1"
#: Terms that are completed at once; bounds the working memory.
_TERMS = 64
#: Members of terms from which their signatures are stored.
LEAST = 1000
#: Signatures that the process remembers; the oldest are forgotten.
_REMEMBERED = 8
_memory: dict[tuple[Any, ...], sp.csr_array] = {}


class Signatures(NamedTuple):
    """The signatures of terms.

    Attributes
    ----------
    weights
        (terms, genes of the model) float64: 1 for the genes of a term, and for an added gene the
        probability that it is one of the term's missing genes.
    source
        Where they are from: ``computed``, ``memory`` or ``disk``.
    seconds
        The time that it took.
    """

    weights: sp.csr_array
    source: str
    seconds: float


def complete_terms(
    model: Model,
    members: sp.csr_array,
    pool: Mask,
    *,
    added: float = 1.0,
    progress: Progress | None = None,
) -> Signatures:
    """Add the genes with the largest probabilities to terms.

    The result is remembered by the process and, for many terms, stored in the cache folder. Its key
    is the model and the content of all that is given.

    Parameters
    ----------
    model
        A calibrated model.
    members
        (terms, genes) 0/1 membership in the model's vocabulary.
    pool
        (genes,) the genes that may be added.
    added
        Number of genes to add to a term for each of its own.
    progress
        Called with the task, the number of terms done and the number of all.

    Examples
    --------
    >>> from gsfm.models import Linear
    >>> sets = [["A", "B", "C", "D"], ["W", "X", "Y", "Z"]] * 20
    >>> model = Linear(regularization=1).fit(sets)
    >>> model = model.calibrate([one[:2] for one in sets], [one[2:] for one in sets])
    >>> members, pool = model.encode([["A", "B"]]), np.ones(8, bool)
    >>> weights = complete_terms(model, members, pool).weights.toarray()
    >>> [model.vocabulary[gene] for gene in np.flatnonzero(weights[0])]
    ['A', 'B', 'C', 'D']
    """
    start = time.perf_counter()
    arrays = members.indptr.astype(np.int64), members.indices.astype(np.int32)
    content = cache.digest(f"{FORMAT} {float(added)}", *arrays, np.packbits(pool))
    # A model that is fitted anew has a new manifest.
    key = model, id(model.manifest), model.calibration, content
    source = "memory"
    if key not in _memory:
        large = added > 0 and members.nnz >= LEAST
        file = cache.cache_file("signatures", model, content) if large else None
        stored = cache.read_cache(file)
        source = "disk" if stored else "computed"
        if not stored:
            with _one_thread():
                stored = _completed(model, members, pool, added, progress)
            cache.write_cache(file, stored)
        parts = stored["weights"].astype(np.float64), stored["indices"], stored["indptr"]
        _memory[key] = sp.csr_array(parts, shape=members.shape)
        for old in list(_memory)[:-_REMEMBERED]:
            del _memory[old]
    return Signatures(_memory[key], source, time.perf_counter() - start)


def _one_thread() -> contextlib.AbstractContextManager[Any]:
    """A context in which products of matrices use one thread, if threadpoolctl is installed.

    The matrices of a term are small. On a busy machine, to wait for a second thread takes many
    times as long as the product.
    """
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return contextlib.nullcontext()
    limit: contextlib.AbstractContextManager[Any] = threadpool_limits(1, "blas")
    return limit


def _completed(
    model: Model, members: sp.csr_array, pool: Mask, added: float, progress: Progress | None
) -> Cache:
    """The rows of the signatures, as a CSR matrix has them."""
    n_added = np.rint(added * np.diff(members.indptr)).astype(np.int64)
    parts = []
    for part in batches(len(n_added), _TERMS, "completing terms", progress):
        block = members[part]
        inside = rows_of(block), block.indices
        weights = np.zeros(block.shape, np.float32)
        if n_added[part].any():
            weights = model.probability(block)
            weights[:, ~pool] = 0
            weights[inside] = 0
            for row, n in zip(weights, n_added[part], strict=True):
                _keep_largest(row, int(n))
        weights[inside] = 1
        parts.append(sp.csr_array(weights))
    whole = sp.vstack(parts, format="csr")
    return {
        "indptr": whole.indptr.astype(np.int64),
        "indices": whole.indices.astype(np.int32),
        "weights": whole.data,
    }


def _keep_largest(values: Floats, n: int) -> None:
    """Set all but the `n` largest values to 0; of equal ones the first are kept."""
    if n >= len(values):
        return
    least = np.partition(values, -n)[-n] if n else np.inf
    surplus = int((values >= least).sum()) - n
    ties = np.flatnonzero(values == least)
    values[values < least] = 0
    values[ties[len(ties) - surplus :]] = 0
