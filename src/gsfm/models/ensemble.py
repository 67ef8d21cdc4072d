"""Ensemble: the weighted sum of several models' standardized scores.

Models with different errors are better together than the best of them alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gsfm.genes import Vocabulary
from gsfm.models.attribution import Attribution, Kind
from gsfm.models.base import Model, family_named
from gsfm.models.evidence import standardize
from gsfm.models.settings import Settings, require
from gsfm.models.storage import take
from gsfm.models.term_matrix import TermMatrix
from gsfm.models.types import Cache, Floats, Ids, Numbers, Parts, Progress, Tensors
from gsfm.sets import GeneSets


@dataclass(frozen=True)
class EnsembleConfig(Settings):
    """Settings of `Ensemble`."""

    weights: tuple[float, ...] = (1.0, 0.3)  # of each member's standardized scores in the sum
    members: tuple[dict[str, Any], ...] = field(  # family and settings of each member
        default=({"family": "autoencoder"}, {"family": "linear"})
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        n, n_weights = len(self.members), len(self.weights)
        require(n, "members must hold one member or more")
        require(n == n_weights, f"weights must hold one number a member, {n}, not {n_weights}")
        require(any(self.weights), "weights must not all be 0")


class Ensemble(Model):
    r"""The weighted sum of standardized scores.

    .. math:: s_{uj} = \sum_m \alpha_m \frac{s^m_{uj} - \mu^m_u}{\sigma^m_u}

    with the mean and the standard deviation of member m's scores for set u over the genes that are
    not in the set. A member whose scores are all equal (as those of an empty set may be) adds 0.

    The vocabulary is the union of the members': the first member's genes in its order, then the
    other genes of each further member. A member gives 0, its mean, to a gene that it does not know.

    Examples
    --------
    >>> from gsfm.models import Cooccurrence, Popularity
    >>> from gsfm.sets import GeneSets
    >>> corpus = GeneSets.from_lists([["A", "B", "C"], ["X", "Y", "Z"], ["X", "Y"]])
    >>> members = [Cooccurrence().fit(corpus), Popularity().fit(corpus)]
    >>> model = Ensemble.of(members, weights=[1, 0.1])
    >>> scores = model.score([["A", "B"]])
    >>> model.vocabulary[int(scores[0, 2:].argmax()) + 2]
    'C'
    """

    family = "ensemble"
    description = "Weighted sum of several models' standardized scores"
    paper = "Wolpert, Neural Networks 1992, doi:10.1016/S0893-6080(05)80023-1"
    Config = EnsembleConfig
    config: EnsembleConfig
    #: For its default members; an ensemble of families that need no torch needs none.
    fit_needs_torch = True
    #: Each member that can, from a checkpoint of its own.
    can_resume = True

    #: The models in the sum.
    members: list[Model]
    #: For each member, the ensemble's column of each of its genes.
    columns: list[NDArray[np.int32]]

    def __init__(self, config: EnsembleConfig | None = None, **settings: Any) -> None:
        super().__init__(config, **settings)
        self.members = _unfitted(self.config)

    def set_params(self, **params: Any) -> Self:
        """Change settings; see `Model.set_params`. New members have to be fitted."""
        before, members = self.config.members, _unfitted(self._replaced(self.config, params))
        super().set_params(**params)
        if self.config.members != before:
            self.members, self._vocabulary = members, None
        return self

    def _changed(self) -> dict[str, Any]:
        members = tuple({"family": m.family, **m._changed()} for m in self.members)
        changed = super()._changed()
        return {k: members if k == "members" else v for k, v in changed.items()}

    @classmethod
    def of(
        cls, models: Sequence[Model], weights: Sequence[float] | None = None, **settings: Any
    ) -> Self:
        """Make an ensemble of models that are fitted already, which are not copied.

        The `weights` are 1 if None; `settings` are other settings of the family.
        """
        weights = [1.0] * len(models) if weights is None else weights
        members = [model.config_json() for model in models]
        ensemble = cls(weights=weights, members=members, **settings)
        ensemble.members = list(models)
        ensemble._join()
        return ensemble

    def _fit(self, sets: GeneSets, weights: Floats, random_state: int) -> None:
        self._vocabulary = None  # until all members are fitted there is no model
        run, path = self.run, self.run.checkpoint
        checkpoints = []
        for i, member in enumerate(self.members):
            if path is not None:
                checkpoints.append(path.with_name(f"{path.stem}.{i}{path.suffix}"))
                run = dataclasses.replace(run, checkpoint=checkpoints[-1])
            member.fit(sets, weights=weights, random_state=random_state, run=run)
            self.curve += [{"member": i, **point} for point in member.curve]
        for checkpoint in checkpoints:
            checkpoint.unlink(missing_ok=True)
        self._join()

    def _join(self) -> None:
        """Take the vocabularies, the settings and the manifests of fitted members."""
        symbols = dict.fromkeys(gene for member in self.members for gene in member.vocabulary)
        self._vocabulary = Vocabulary(symbols)
        self.columns = [self._vocabulary.ids(member.vocabulary) for member in self.members]
        # Fitting may determine a member's setting.
        members = tuple(member.config_json() for member in self.members)
        self.config = dataclasses.replace(self.config, members=members)
        self.manifest["members"] = [member.manifest for member in self.members]

    def _score(self, members: sp.csr_array) -> Floats:
        out = np.zeros(members.shape, np.float32)
        for model, weight, own, columns in self._parts(members):
            scores = standardize(model._score(own), own)
            scores *= np.float32(weight)
            out[:, columns] += scores
        return out

    def _embed_sets(self, members: sp.csr_array) -> Floats:
        parts = self._parts(members)
        vectors = [_scaled(model._embed_sets(own), weight) for model, weight, own, _ in parts]
        return np.concatenate(vectors, axis=1)

    def _embed_genes(self) -> Floats:
        # Unit vectors side by side: a dot product is the weighted sum of the members' cosines.
        parts = []
        for model, weight, columns in self._weighted():
            vectors = _scaled(model._embed_genes(), weight)
            parts.append(np.zeros((len(self.vocabulary), vectors.shape[1]), np.float32))
            parts[-1][columns] = vectors
        return np.concatenate(parts, axis=1)

    def _term_matrix(self, members: sp.csr_array, cache: Cache, progress: Progress) -> TermMatrix:
        return _WeightedSum(self, members, cache, progress)

    @property
    def has_fast_term_matrix(self) -> bool:
        """Whether all members have one."""
        return all(member.has_fast_term_matrix for member in self.members)

    def log_gene_frequency(self) -> Numbers | None:
        """(genes,) that of the first member that has it; its minimum for genes it does not know."""
        for member, _, columns in self._weighted():
            frequency = member.log_gene_frequency()
            if frequency is not None:
                values = np.full(len(self.vocabulary), frequency.min())
                values[columns] = frequency
                return values
        return None

    def member_names(self) -> list[str]:
        """A name for each member: family, setting `of`, and a number if there are several."""
        parts = [(member.family, getattr(member.config, "of", "")) for member in self.members]
        names = [": ".join(filter(None, part)) for part in parts]
        return [
            f"{name} {names[: i + 1].count(name)}" if names.count(name) > 1 else name
            for i, name in enumerate(names)
        ]

    def attribution(self, ids: Ids, gene: int, *, random_state: int = 0) -> Attribution:
        """Split the score of a gene by member and gene of the set; see `Model.attribution`.

        The members' weights, and the means and spreads of their scores, are held constant.
        """
        members = self.encode([ids])
        weights, constant = self._weights_of(members)
        kinds = []
        parts = zip(self.member_names(), weights, self._parts(members), strict=True)
        for name, weight, (member, _, own, columns) in parts:
            local = np.full(len(self.vocabulary), -1)
            local[columns] = np.arange(own.shape[1])
            base, part = 0.0, np.zeros(len(ids))
            if local[gene] >= 0:
                known = local[ids] >= 0
                inner, target = local[ids[known]].astype(np.int32), int(local[gene])
                base, part[known] = self._member_attribution(member, inner, target, random_state)
            kinds.append(Kind(name, weight, base + part.sum(), weight * base, weight * part))
        return Attribution(float(self.score([ids])[0, gene]), constant, kinds)

    def _weights_of(self, members: sp.csr_array) -> tuple[Numbers, float]:
        """The members' weights for one set, and the constant of the sum."""
        return np.array(self.config.weights, float), 0.0

    def _member_attribution(self, member: Model, ids: Ids, gene: int, random_state: int) -> Parts:
        """The baseline and the parts of a member's evidence in the sum."""
        return member._standardized_attribution(ids, gene, random_state)

    def _weighted(self) -> Iterator[tuple[Model, float, NDArray[np.int32]]]:
        """Each member, its weight and its columns."""
        return zip(self.members, self.config.weights, self.columns, strict=True)

    def _parts(self, members: sp.csr_array) -> Iterator[tuple[Model, float, sp.csr_array, Any]]:
        """Each member, its weight, the sets in its vocabulary, and its columns."""
        for model, weight, columns in self._weighted():
            if len(columns) == members.shape[1] and (np.diff(columns) == 1).all():
                yield model, weight, members, slice(None)
            else:
                own = members[:, columns]
                own.sort_indices()
                yield model, weight, own, columns

    @property
    def n_parameters(self) -> int:
        """Numbers stored in the members."""
        return sum(member.n_parameters for member in self.members)

    def _fingerprint_arrays(self) -> Iterable[NDArray[Any]]:
        yield from self.columns
        for member in self.members:
            yield from member._fingerprint_arrays()

    def config_json(self) -> dict[str, Any]:
        members = [member.config_json() for member in self.members]
        own = {"weights": list(self.config.weights), "members": members}
        return {"family": self.family, **vars(self.config), **own}

    def _tensors(self) -> Tensors:
        out: Tensors = {}
        for i, (member, _, columns) in enumerate(self._weighted()):
            out[f"{i}.genes"] = columns
            out |= {f"{i}.{name}": tensor for name, tensor in member._tensors().items()}
        return out

    def _restore(self, tensors: Tensors) -> None:
        n = len(self.vocabulary)
        self.columns = []
        for i, member in enumerate(self.members):
            columns = take(tensors, f"{i}.genes", None, kinds="iu")
            inside = ((columns >= 0) & (columns < n)).all()
            require(inside, f"the tensor '{i}.genes' holds a gene outside 0..{n - 1}")
            self.columns.append(columns.astype(np.int32))
            own = {name: tensors.pop(f"{i}.{name}") for name in _of_member(tensors, i)}
            try:
                same = np.array_equal(columns, np.arange(n))
                symbols = (self.vocabulary[int(c)] for c in columns)
                member._vocabulary = self.vocabulary if same else Vocabulary(symbols)
                member._restore(own)
                require(not own, f"the tensor {min(own, default='')!r} is not part of it")
            except ValueError as error:
                raise ValueError(f"member {i}, {member.family}: {error}") from None
        for gene in np.setdiff1d(np.arange(n), np.concatenate(self.columns)):
            raise ValueError(f"no member knows {self.vocabulary[int(gene)]!r} of vocab.txt")


def _unfitted(config: Any) -> list[Model]:
    """The members that a configuration describes."""
    members: list[Model] = []
    for i, member in enumerate(config.members):
        try:
            members.append(family_named(member.get("family")).from_config(member))
        except ValueError as error:
            raise ValueError(f"members[{i}]: {error}") from None
    return members


class _WeightedSum(TermMatrix):
    """The sum of the members' evidence with the weights of the configuration.

    Also of `Adaptive`: its weights for each set would take longer than all else.
    """

    def __init__(
        self, model: Ensemble, members: sp.csr_array, cache: Cache, progress: Progress
    ) -> None:
        self.n = members.shape[0]
        self.parts: list[tuple[float, TermMatrix, Any]] = []
        weighted = [(m, *part) for m, part in enumerate(model._parts(members)) if part[1] != 0]
        for i, (m, member, weight, own, columns) in enumerate(weighted):
            part = None if progress is None else _part_of(progress, i, len(weighted))
            theirs = _of_member(cache, m)
            matrix = member.term_matrix(own, cache=theirs, progress=part)
            self.parts.append((weight, matrix, columns))
            cache.update({f"{m}.{name}": array for name, array in theirs.items()})
            if part is not None:
                part(self.n, self.n)

    def evidence(self, gene: int) -> Numbers:
        return self._total(gene, self.n, lambda part, own: part.evidence(own))

    def leave_one_out(self, terms: Ids, gene: int) -> Numbers:
        return self._total(gene, len(terms), lambda part, own: part.leave_one_out(terms, own))

    def _total(self, gene: int, n: int, score: Callable[[TermMatrix, int], Numbers]) -> Numbers:
        total = np.zeros(n)
        for weight, part, columns in self.parts:
            own = [gene] if isinstance(columns, slice) else np.flatnonzero(columns == gene)
            if len(own):  # a member adds nothing for a gene unknown to it
                total += weight * score(part, int(own[0]))
        return total


def _of_member(arrays: Tensors, i: int) -> Tensors:
    """The arrays of member `i`, by their names in the member."""
    prefix = f"{i}."
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}


def _part_of(progress: Callable[[int, int], None], i: int, parts: int) -> Progress:
    """The progress of part `i`, from 0, of several."""
    return lambda done, total: progress(i * total + done, parts * total)


def _scaled(vectors: Floats, weight: float) -> Floats:
    """Rows scaled so that their dot products are cosines times the weight."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.asarray(vectors / np.where(length > 0, length, 1))
    return np.asarray(unit * np.sqrt(np.float32(abs(weight))))
