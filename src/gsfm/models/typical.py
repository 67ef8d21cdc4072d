"""Typical gene sets: what a model's evidence for one set is compared with.

A term of well-studied or of closely related genes matches many gene sets. How well it matches those
that published studies and experiments report says how remarkable the match with one set is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gsfm.completion.batches import batches
from gsfm.errors import GsfmError, require
from gsfm.models.evidence import evidence
from gsfm.models.storage import take
from gsfm.models.types import Floats, Numbers, Tensors
from gsfm.progress import Progress
from gsfm.sets import GeneSets

if TYPE_CHECKING:
    from gsfm.models.base import Model

#: Typical sets of a model, their sizes, the fewest that are enough, and those of a readable file.
SETS = 1000
SMALLEST, LARGEST = 15, 600
FEWEST, LEAST = 200, 20
#: Bounds of a gene's evidence, in standard deviations. All genes of a term should decide together,
#: not a few with extreme evidence.
LOWEST, HIGHEST = -2.0, 4.0
#: Principal components of the evidence that are kept. With 64, p-values differ from those of the
#: whole evidence by 3% on average, and by 27% where they are below 0.01.
COMPONENTS = 64
#: Sets whose evidence is computed at once.
BATCH = 32


class Typical(NamedTuple):
    """The evidence of a model for typical gene sets, by its principal components.

    Attributes
    ----------
    mean
        (genes,) the mean evidence for each gene.
    loadings
        (components, genes) float16.
    coordinates
        (sets, components) of the sets.
    residual
        (genes,) the variance that the components leave out.
    source
        What the sets are.
    """

    mean: Floats
    loadings: NDArray[np.float16]
    coordinates: Floats
    residual: Floats
    source: str

    @classmethod
    def of(cls, values: Floats, source: str) -> Typical:
        """Keep the principal components of (sets, genes) evidence, and overwrite it.

        Examples
        --------
        >>> values = np.array([[1, 0, 2], [3, 0, 0], [2, 0, 4]], np.float32)
        >>> typical = Typical.of(values, "three sets")
        >>> terms = sp.csr_array(np.array([[1, 1, 0], [0, 0, 1]], np.float32))
        >>> typical.of_terms(terms).round(2) + 0.0
        array([[0.5, 1.5, 1. ],
               [2. , 0. , 4. ]], dtype=float32)
        """
        mean = values.mean(axis=0)
        values -= mean
        _, vectors = np.linalg.eigh(values @ values.T)
        coordinates = vectors[:, ::-1][:, :COMPONENTS]
        loadings = (coordinates.T @ values).astype(np.float16)
        values -= coordinates @ loadings.astype(np.float32)
        residual = np.einsum("ij,ij->j", values, values) / len(values)
        return cls(mean, loadings, np.ascontiguousarray(coordinates), residual, source)

    @classmethod
    def fit(
        cls, model: Model, sets: GeneSets, source: str, progress: Progress | None = None
    ) -> Typical:
        """Compute the evidence for all genes for each of some gene sets."""
        members = model.encode(sets)
        genes = np.split(members.indices, members.indptr[1:-1])
        values = np.empty(members.shape, np.float32)
        for rows in batches(len(genes), BATCH, "scoring typical gene sets", progress):
            values[rows] = bounded_evidence(model, genes[rows])
        return cls.of(values, source)

    def of_terms(self, members: sp.csr_array) -> Floats:
        """(terms, sets) the mean evidence over the genes of (terms, genes) terms."""
        sizes = np.diff(members.indptr).astype(np.float32)
        loadings = np.asarray(members @ self.loadings.T.astype(np.float32))
        low = (loadings / sizes[:, None]) @ self.coordinates.T
        kept = low.var(axis=1)
        left_out = np.asarray(members @ self.residual) / sizes**2
        low *= np.sqrt(1 + left_out / np.where(kept > 0, kept, 1))[:, None]
        low += np.asarray(members @ self.mean / sizes)[:, None]
        return np.asarray(low, np.float32)

    def tensors(self) -> Tensors:
        """The arrays in ``typical.safetensors``."""
        return {name: getattr(self, name) for name in self._fields if name != "source"}


def bounded_evidence(model: Model, sets: Sequence[NDArray[np.integer]]) -> Floats:
    """(n, genes) the evidence for every gene, bounded, without the trend along their frequency.

    Any set is evidence for genes that are met often, and a set of such genes for these. So the
    quadratic trend of a set's evidence along the log frequency of the genes in the training corpus
    is subtracted, if the model has counted them.
    """
    return bounded(model, evidence(model, sets))


def bounded(model: Model, values: Floats) -> Floats:
    """Bound (n, genes) evidence and subtract its trend, as `bounded_evidence` does."""
    if not np.isfinite(values).all():
        raise GsfmError("the model gave scores that are not finite numbers; is it damaged?")
    values = np.clip(values, LOWEST, HIGHEST)
    frequency = model.log_gene_frequency()
    if frequency is not None:
        values -= _trend(values, frequency)
    return values


def _trend(values: Floats, frequency: Numbers) -> Floats:
    """The least-squares quadratic of each row along the frequency."""
    spread = frequency.std()
    if not spread > 0:
        return np.zeros_like(values)
    x = (frequency - frequency.mean()) / spread
    basis, _ = np.linalg.qr(np.stack([np.ones_like(x), x, x**2], axis=1))
    basis = basis.astype(np.float32)
    return np.asarray((values @ basis) @ basis.T)


def sample(
    sets: GeneSets, n: int, random_state: int, *, rows: NDArray[np.integer] | None = None
) -> GeneSets:
    """At most `n` gene sets of 15 to 600 genes, drawn at random from all or some rows."""
    rows = np.arange(len(sets)) if rows is None else rows
    sizes = sets.sizes[rows]
    fit = rows[(sizes >= SMALLEST) & (sizes <= LARGEST)]
    rng = np.random.default_rng(random_state)
    return sets[np.sort(rng.choice(fit, min(n, len(fit)), replace=False))]


def restore(tensors: Tensors, genes: int, source: str) -> Typical:
    """Check the arrays of ``typical.safetensors``, and remove them from `tensors`."""
    loadings = take(tensors, "loadings", None, genes, kinds="f")
    coordinates = take(tensors, "coordinates", None, len(loadings), kinds="f")
    require(len(coordinates) >= LEAST, f"the tensor 'coordinates' has less than {LEAST} sets")
    residual = take(tensors, "residual", genes, kinds="f")
    require((residual >= 0).all(), "the tensor 'residual' holds negative numbers")
    mean = take(tensors, "mean", genes, kinds="f")
    return Typical(mean, loadings.astype(np.float16), coordinates, residual, source)
