"""A library made ready to be asked of one gene after another: the evidence for it in every term.

A model answers a term with the scores of all genes. Here the question goes the other way: one gene,
all terms. Of a member model whose score is a product of something of the term with something of the
gene, the term's half is kept, with the mean and the spread of its scores over the genes that are
not in it; a gene is then one matrix-vector product, and the scores of the other genes are never
made.

The evidence is that of the models themselves (`Model._evidence`): the score, standardised over the
genes that are not in the term; for a gene of the term, as if it were not in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gsfm.models import Attribute, Autoencoder, Features, Linear, Model, Popularity
from gsfm.models.ensemble import Ensemble
from gsfm.models.evidence import rows_of, standardise

Ids = NDArray[np.integer[Any]]
Floats = NDArray[np.float32]
Numbers = NDArray[np.float64]

#: Terms that are worked on at once; bounds the working memory.
BLOCK = 1024
#: A feature that so many genes have is worked on with dense matrices, the others with sparse ones.
COMMON = 64

#: Told how much is done, and how much there is.
Told = Callable[[int, int], None]


class Kept(dict[str, NDArray[Any]]):
    """What took long to compute, by name: empty at first, or as an earlier process has left it."""

    def fill(self, compute: Callable[[], dict[str, NDArray[Any]]]) -> Kept:
        """Itself, with the arrays of `compute` if it is empty."""
        if not self:
            self.update(compute())
        return self


class Index(Protocol):
    """The evidence of one model for a gene, in every term."""

    def of_gene(self, gene: int) -> Numbers:
        """(terms,) evidence that the gene is missing from each; of those that hold it, any."""

    def left_out(self, terms: Ids, gene: int) -> Numbers:
        """(k,) evidence in terms that hold the gene, as if they did not."""


def index(
    model: Model,
    members: sp.csr_array,
    kept: Kept | None = None,
    progress: Told | None = None,
) -> Index:
    """Make terms ready to be asked of.

    Parameters
    ----------
    model
        A model of any family. Autoencoders, linear models, features, and what is the same for
        every set have a fast form, as have ensembles of them; the others score the terms anew for
        each gene.
    members
        (terms, genes) 0/1 membership in the model's vocabulary.
    kept
        What an earlier index of the same model and terms has put there; filled if it is empty.
    progress
        Told of the progress of what takes long, now and later.
    """
    kept = Kept() if kept is None else kept
    if isinstance(model, Ensemble):
        return _Sum(model, members, kept, progress)
    if isinstance(model, Autoencoder):
        return _Dense(model, members, kept, progress)
    if isinstance(model, Linear):
        return _Linear(model, members, kept)
    if isinstance(model, Features) and model.config.covered is None:
        return _Features(model, members, kept)
    if isinstance(model, Attribute | Popularity):
        return _Constant(model, members)
    return _Anew(model, members, progress)


def is_fast(model: Model) -> bool:
    """Whether a gene is answered without scoring all terms anew."""
    if isinstance(model, Ensemble):
        return all(map(is_fast, model.members))
    if isinstance(model, Features):
        return model.config.covered is None
    return isinstance(model, Autoencoder | Linear | Attribute | Popularity)


def holders(matrix: sp.csr_array, column: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows that have an entry in a column, and where it is: faster than taking the column."""
    at = np.flatnonzero(matrix.indices == column)
    return np.searchsorted(matrix.indptr, at, side="right") - 1, at


def without(members: sp.csr_array, terms: Ids, gene: int) -> sp.csr_array:
    """(k, genes) the rows of `terms`, each without the gene."""
    rows = members[terms]
    stays = rows.indices != gene
    indptr = np.concatenate([[0], np.cumsum(stays)])[rows.indptr].astype(rows.indptr.dtype)
    return sp.csr_array((rows.data[stays], rows.indices[stays], indptr), shape=rows.shape)


def _moments(members: sp.csr_array, of_all: Numbers, of_own: Numbers) -> Numbers:
    """(2, terms) mean of a term's scores over the genes that are not in it, and 1 / their spread.

    From sums of the scores and of their squares, (2, terms), over all genes and over its own. Where
    the scores are all the same, the second is 0.
    """
    others = np.maximum(members.shape[1] - np.diff(members.indptr), 1)
    mean, square = (of_all - of_own) / others
    variance = square - mean**2
    # What is left of scores that are all the same is rounding.
    flat = variance <= 1e-9 * square
    return np.array([mean, np.where(flat, 0.0, 1 / np.sqrt(np.where(flat, 1.0, variance)))])


def _standard(scores: Any, moments: Numbers, terms: Any = slice(None)) -> Numbers:
    """(terms,) the scores of one gene, standardised."""
    return np.asarray((scores - moments[0, terms]) * moments[1, terms], np.float64)


class _Dense:
    """An autoencoder: a term is the vector that the network makes of it."""

    def __init__(
        self, model: Autoencoder, members: sp.csr_array, kept: Kept, progress: Told | None
    ) -> None:
        self.model, self.members = model, members
        found = kept.fill(lambda: self._compute(progress))
        self.vectors, self.moments = found["vectors"], found["moments"]
        # The whole model needs them, too.
        model._sums = model._sums or (found["total"], found["gram"].astype(np.float64))

    def _compute(self, progress: Told | None) -> dict[str, NDArray[Any]]:
        vectors, moments = _vectors(self.model, self.members, progress)
        total, gram = self.model._gene_sums()
        # Nothing is lost: that is the precision in which it was computed.
        gram = gram.astype(np.float32)
        return {"vectors": vectors, "moments": moments, "total": total, "gram": gram}

    def of_gene(self, gene: int) -> Numbers:
        return self._standard(self.vectors, self.moments, gene)

    def left_out(self, terms: Ids, gene: int) -> Numbers:
        return self._standard(*_vectors(self.model, without(self.members, terms, gene)), gene)

    def _standard(self, vectors: Floats, moments: Numbers, gene: int) -> Numbers:
        scores = vectors @ self.model.output_vectors[gene] + self.model.output_bias[gene]
        return _standard(scores, moments)


def _vectors(
    model: Autoencoder, members: sp.csr_array, progress: Told | None = None
) -> tuple[Floats, Numbers]:
    """(terms, d) what a network makes of the terms, and the moments of its scores."""
    n = members.shape[0]
    vectors, own = np.empty((n, model.config.dimensions), np.float32), np.empty((2, n))
    for rows in _blocks(n):
        vectors[rows] = model._embed_sets(members[rows])
        for i in range(n)[rows]:
            genes = members.indices[members.indptr[i] : members.indptr[i + 1]]
            scores = model.output_vectors[genes] @ vectors[i] + model.output_bias[genes]
            own[:, i] = scores.sum(), scores @ scores
        if progress is not None:
            progress(min(rows.stop, n), n)
    return vectors, _moments(members, np.array(model._moments(vectors)), own)


class _Linear:
    """A linear model: a term is the sum of its genes' weights, of which one column is needed."""

    def __init__(self, model: Linear, members: sp.csr_array, kept: Kept) -> None:
        self.model, self.members = model, members
        found = kept.fill(lambda: {"moments": _moments(members, *_of_sums(members, model.matrix))})
        self.moments = found["moments"]

    def of_gene(self, gene: int) -> Numbers:
        return _standard(self.members @ self._weights(gene), self.moments)

    def left_out(self, terms: Ids, gene: int) -> Numbers:
        # No gene has a weight of its own.
        return _standard(self.members[terms] @ self._weights(gene), self.moments, terms)

    def _weights(self, gene: int) -> Floats:
        """(genes,) of which a term's score of the gene is the sum."""
        matrix = self.model.matrix
        if not isinstance(matrix, sp.csr_array):
            return np.ascontiguousarray(matrix[:, gene])
        weights = np.zeros(matrix.shape[0], np.float32)
        rows, at = holders(matrix, gene)
        weights[rows] = matrix.data[at]
        return weights


class _Features:
    """Features: a term is the sum of its genes' likenesses to the one that is asked about."""

    def __init__(self, model: Features, members: sp.csr_array, kept: Kept) -> None:
        self.model, self.members = model, members
        self.sizes = np.diff(members.indptr)
        self.moments = kept.fill(lambda: {"moments": self._compute()})["moments"]

    def _compute(self) -> Numbers:
        genes, features = self.model.vectors.shape
        # Of papers there are more than genes.
        every, own = self._by_likeness() if features > genes else self._by_feature()
        # Scores are means over the term's genes.
        scale = 1 / np.maximum(self.sizes, 1)
        powers = np.array([scale, scale**2])
        return _moments(self.members, every * powers, own * powers)

    def _by_likeness(self) -> tuple[Numbers, Numbers]:
        return _of_sums(self.members, (self.model.vectors @ self.model._by_feature).tocsr())

    def _by_feature(self) -> tuple[Numbers, Numbers]:
        members, vectors = self.members, self.model.vectors  # (genes, features)
        profiles = (members @ vectors).tocsr()  # (terms, features)
        every, own = np.empty((2, 2, members.shape[0]))
        every[0] = profiles @ np.asarray(vectors.sum(axis=0, dtype=np.float64)).ravel()
        every[1] = _quadratic(profiles, (vectors.T @ vectors).tocsr(), self.model._have())
        for rows in _blocks(members.shape[0], 256):
            block = members[rows]
            dense, of_term = profiles[rows].toarray(), rows_of(block)
            theirs = vectors[block.indices]  # (members, features)
            of_member = rows_of(theirs)
            entries = theirs.data * dense[of_term[of_member], theirs.indices]
            scores = np.bincount(of_member, entries, len(of_term))
            own[0, rows] = np.bincount(of_term, scores, block.shape[0])
            own[1, rows] = np.bincount(of_term, scores**2, block.shape[0])
        return every, own

    def of_gene(self, gene: int) -> Numbers:
        scores = self.members @ self._likeness(gene) / np.maximum(self.sizes, 1)
        return np.arcsinh(_standard(scores, self.moments))

    def left_out(self, terms: Ids, gene: int) -> Numbers:
        # Compared with the others alone, as the model does.
        sums = self.members[terms] @ self._likeness(gene) - self.model._squares[gene]
        scores = sums / np.maximum(self.sizes[terms] - 1, 1)
        return np.arcsinh(_standard(scores, self.moments, terms))

    def _likeness(self, gene: int) -> Floats:
        """(genes,) how alike each is to the gene."""
        vectors = self.model.vectors
        return np.asarray(vectors @ vectors[[gene]].toarray()[0])


class _Constant:
    """What is the same for every set: only the mean and the spread are the term's."""

    def __init__(self, model: Attribute | Popularity, members: sp.csr_array) -> None:
        self.scores = model._score(members[:1])[0].astype(np.float64)
        each = np.array([self.scores, self.scores**2])
        self.moments = _moments(members, each.sum(axis=1, keepdims=True), (members @ each.T).T)

    def of_gene(self, gene: int) -> Numbers:
        return _standard(self.scores[gene], self.moments)

    def left_out(self, terms: Ids, gene: int) -> Numbers:
        return _standard(self.scores[gene], self.moments, terms)


class _Anew:
    """Any other family: every term is scored anew for each gene."""

    def __init__(self, model: Model, members: sp.csr_array, progress: Told | None = None) -> None:
        self.model, self.members, self.progress = model, members, progress

    def of_gene(self, gene: int) -> Numbers:
        return self._ask(self.members, gene)

    def left_out(self, terms: Ids, gene: int) -> Numbers:
        if not self.model.leaves_itself_out:
            return self._ask(without(self.members, terms, gene), gene)
        return self._ask(self.members[terms], gene)

    def _ask(self, members: sp.csr_array, gene: int) -> Numbers:
        n = members.shape[0]
        out = np.empty(n)
        for rows in _blocks(n, 64):
            block = members[rows]
            if self.model.leaves_itself_out:
                evidence = self.model._evidence(block)[0]
            else:
                evidence = standardise(self.model._score(block), block)
            out[rows] = evidence[:, gene]
            if self.progress is not None:
                self.progress(min(rows.stop, n), n)
        return out


class _Sum:
    """An ensemble: its members' evidence, weighed as is assumed of them.

    `Adaptive` finds weights of its own for each set, which takes longer than all else: that is left
    to the terms that are shown.
    """

    def __init__(
        self, model: Ensemble, members: sp.csr_array, kept: Kept, progress: Told | None
    ) -> None:
        self.n = members.shape[0]
        self.parts: list[tuple[float, Index, Any]] = []
        # A member without a weight says nothing.
        asked = [(m, *part) for m, part in enumerate(model._parts(members)) if part[1] != 0]
        for i, (m, member, weight, own, columns) in enumerate(asked):
            told = None if progress is None else _part_of(progress, i, len(asked))
            theirs = Kept({k.removeprefix(f"{m}."): kept[k] for k in kept if k.startswith(f"{m}.")})
            self.parts.append((weight, index(member, own, theirs, told), columns))
            kept.update({f"{m}.{name}": array for name, array in theirs.items()})
            if told is not None:
                told(self.n, self.n)

    def of_gene(self, gene: int) -> Numbers:
        return self._total(gene, self.n, lambda part, own: part.of_gene(own))

    def left_out(self, terms: Ids, gene: int) -> Numbers:
        return self._total(gene, len(terms), lambda part, own: part.left_out(terms, own))

    def _total(self, gene: int, n: int, ask: Callable[[Index, int], Numbers]) -> Numbers:
        total = np.zeros(n)
        for weight, part, columns in self.parts:
            own = [gene] if isinstance(columns, slice) else np.flatnonzero(columns == gene)
            if len(own):  # of a gene that it does not know it says nothing
                total += weight * ask(part, int(own[0]))
        return total


def _part_of(progress: Told, i: int, parts: int) -> Told:
    """Tell of part `i`, from 0, of what has several."""

    def told(done: int, total: int) -> None:
        progress(i * total + done, parts * total)

    return told


# -- sums over genes -------------------------------------------------------------------------------


def _quadratic(rows: sp.csr_array, gram: sp.csr_array, have: Ids) -> Numbers:
    """(n,) r G r' for each sparse row r: the sum of the squared scores of all genes.

    The few features that many genes have fill most of the Gram matrix: they are taken out of it,
    and worked on with dense matrices.
    """
    common = have >= COMMON
    rare = ~common
    few, many = rows[:, rare], rows[:, common]
    dense = gram[common][:, common].toarray()
    across, sparse = gram[rare][:, common], gram[rare][:, rare]
    out = np.empty(rows.shape[0])
    for at in _blocks(rows.shape[0]):
        x, y = many[at].toarray(), few[at]
        product = x @ dense + 2 * (y @ across).toarray()
        out[at] = np.einsum("nc,nc->n", product, x) + (y @ sparse).multiply(y).sum(axis=1)
    return out


def _of_sums(members: sp.csr_array, matrix: Any) -> tuple[Numbers, Numbers]:
    """(2, terms) sums over all genes, and over a term's own, of its scores and of their squares.

    The scores are sums of rows of `matrix`, sparse or dense, (genes, genes).
    """
    every, own = np.empty((2, 2, members.shape[0]))
    for rows in _blocks(members.shape[0]):
        scores = sp.csr_array(members[rows] @ matrix)  # (n, genes)
        theirs = scores.multiply(members[rows]).tocsr()
        for out, values in ((every, scores), (own, theirs)):
            ones = np.ones(values.shape[1])
            out[0, rows] = values @ ones
            np.square(values.data, out=values.data)
            out[1, rows] = values @ ones
    return every, own


def _blocks(n: int, size: int = BLOCK) -> Iterator[slice]:
    for start in range(0, n, size):
        yield slice(start, start + size)
