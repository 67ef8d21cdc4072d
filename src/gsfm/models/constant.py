"""Families whose scores are the same for every set."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import scipy.sparse as sp

from gsfm.models.attribution import constant
from gsfm.models.base import Model
from gsfm.models.storage import take
from gsfm.models.term_matrix import TermMatrix, moments, standard
from gsfm.models.types import Cache, Floats, Ids, Mask, Numbers, Parts, Progress, Tensors


class ConstantModel(Model):
    """A number for each gene, which is its score for every set."""

    leaves_itself_out = True
    #: Name of the numbers in ``model.safetensors``.
    tensor: ClassVar[str] = "values"
    values: Floats  # (genes,)

    def _score(self, members: sp.csr_array) -> Floats:
        return np.broadcast_to(self.values, members.shape)

    def _term_matrix(self, members: sp.csr_array, cache: Cache, progress: Progress) -> TermMatrix:
        return _ConstantTerms(self.values.astype(np.float64), members)

    def _attribution(self, ids: Ids, gene: int, others: Mask, random_state: int) -> Parts:
        return constant(self, ids, gene, others)

    def _embed_genes(self) -> Floats:
        return self.values[:, None]

    def _tensors(self) -> Tensors:
        return {self.tensor: self.values}

    def _restore(self, tensors: Tensors) -> None:
        values = take(tensors, self.tensor, len(self.vocabulary), kinds="f")
        self.values = values.astype(np.float32)


class _ConstantTerms(TermMatrix):
    def __init__(self, scores: Numbers, members: sp.csr_array) -> None:
        self.scores = scores
        powers = np.array([scores, scores**2])
        total = powers.sum(axis=1, keepdims=True)
        self.moments = moments(members, total, (members @ powers.T).T)

    def evidence(self, gene: int) -> Numbers:
        return standard(self.scores[gene], self.moments)

    def leave_one_out(self, terms: Ids, gene: int) -> Numbers:
        return standard(self.scores[gene], self.moments, terms)
