"""Ensemble: the weighted sum of several models' standardized scores.

Models that err differently are better together than the best of them alone, and scores of any
scale can be added once they are standardized for each set (stacking with fixed weights).
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gsfm.genes import Vocabulary
from gsfm.models.attribution import Attribution, Kind
from gsfm.models.base import FAMILIES, Floats, Model, Tensors, require, take
from gsfm.models.evidence import standardize
from gsfm.models.term_matrix import Cache, Ids, Numbers, Progress, TermMatrix
from gsfm.sets import GeneSets


@dataclass(frozen=True)
class EnsembleConfig:
    """Settings of `Ensemble`."""

    weights: tuple[float, ...] = (1.0, 0.3)  # of each member's standardized scores in the sum
    members: tuple[dict[str, Any], ...] = field(  # family and settings of each member
        default=({"family": "autoencoder"}, {"family": "linear"})
    )

    def __post_init__(self) -> None:
        require(len(self.members) >= 1, "members must hold one member or more")
        require(
            len(self.weights) == len(self.members),
            f"weights must hold one number a member, {len(self.members)}, not {len(self.weights)}",
        )
        require(any(self.weights), "weights must not all be 0")
        for i, member in enumerate(self.members):
            require(
                member.get("family") in FAMILIES,
                f"members[{i}]: family is {member.get('family')!r}; "
                f"there are {', '.join(sorted(FAMILIES))}",
            )


class Ensemble(Model):
    r"""The weighted sum of standardized scores.

    .. math:: s_{uj} = \sum_m \alpha_m \frac{s^m_{uj} - \mu^m_u}{\sigma^m_u}

    with the mean and the standard deviation of member m's scores for set u over the genes that are
    not in the set. A member whose scores are all equal (an empty set, for some) adds 0.

    The vocabulary is the union of the members': the first member's genes in its order, then what
    each further member adds. A gene that a member does not know gets 0, its mean, from it.

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
        self.members = []
        for i, member in enumerate(self.config.members):
            try:
                self.members.append(FAMILIES[member["family"]].from_config(member))
            except ValueError as error:
                raise ValueError(f"members[{i}]: {error}") from None

    @classmethod
    def of(
        cls, models: Sequence[Model], weights: Sequence[float] | None = None, **settings: Any
    ) -> Self:
        """Make an ensemble of models that are fitted already.

        Parameters
        ----------
        models
            The members; they are used as they are, not copied.
        weights
            Of each member; equal ones if None.
        **settings
            Other settings of the family.
        """
        weights = [1.0] * len(models) if weights is None else weights
        members = [model.config_json() for model in models]
        ensemble = cls(weights=weights, members=members, **settings)
        ensemble.members = list(models)
        ensemble._join()
        ensemble.manifest = ensemble._manifest_of_members()
        return ensemble

    def _fit(self, sets: GeneSets, weights: Floats, random_state: int) -> None:
        whole = self.run.checkpoint
        runs = [self.run] * len(self.members)
        if whole is not None:
            own = [whole.with_name(f"{whole.stem}.{i}{whole.suffix}") for i in range(len(runs))]
            runs = [dataclasses.replace(self.run, checkpoint=path) for path in own]
        self._vocabulary = None  # with a member missing there is no model, if this is stopped
        for i, (member, run) in enumerate(zip(self.members, runs, strict=True)):
            member.fit(sets, weights=weights, random_state=random_state, run=run)
            self.curve += [{"member": i, **point} for point in member.curve]
        for run in runs:
            if run.checkpoint is not None:
                run.checkpoint.unlink(missing_ok=True)
        self._join()
        self.manifest |= self._manifest_of_members()

    def _join(self) -> None:
        """Take the vocabularies and the settings of fitted members."""
        symbols = dict.fromkeys(gene for member in self.members for gene in member.vocabulary)
        self._vocabulary = Vocabulary(symbols)
        self.columns = [self._vocabulary.ids(member.vocabulary) for member in self.members]
        # Fitting may settle a member's setting.
        settled = tuple(member.config_json() for member in self.members)
        self.config = dataclasses.replace(self.config, members=settled)

    def _manifest_of_members(self) -> dict[str, Any]:
        return {"members": [member.manifest for member in self.members]}

    # -- asking ----------------------------------------------------------------------------------

    def _score(self, members: sp.csr_array) -> Floats:
        out = np.zeros(members.shape, np.float32)
        for model, weight, own, columns in self._parts(members):
            scores = standardize(model._score(own), own)
            scores *= np.float32(weight)
            out[:, columns] += scores
        return out

    def _embed_sets(self, members: sp.csr_array) -> Floats:
        vectors = [
            _unit(model._embed_sets(own)) * np.sqrt(np.float32(abs(weight)))
            for model, weight, own, _ in self._parts(members)
        ]
        return np.concatenate(vectors, axis=1)

    def _embed_genes(self) -> Floats:
        # Unit vectors side by side: a dot product is the weighted sum of the members' cosines.
        parts = []
        for model, weight, columns in zip(
            self.members, self.config.weights, self.columns, strict=True
        ):
            vectors = _unit(model._embed_genes()) * np.sqrt(np.float32(abs(weight)))
            part = np.zeros((len(self.vocabulary), vectors.shape[1]), np.float32)
            part[columns] = vectors
            parts.append(part)
        return np.concatenate(parts, axis=1)

    def _term_matrix(self, members: sp.csr_array, cache: Cache, progress: Progress) -> TermMatrix:
        return _WeightedSum(self, members, cache, progress)

    @property
    def has_fast_term_matrix(self) -> bool:
        """Whether all members have one."""
        return all(member.has_fast_term_matrix for member in self.members)

    def log_gene_frequency(self) -> Numbers | None:
        """(genes,) that of the first member that has counted; its least for genes unknown to it."""
        for member, columns in zip(self.members, self.columns, strict=True):
            frequency = member.log_gene_frequency()
            if frequency is not None:
                values = np.full(len(self.vocabulary), frequency.min())
                values[columns] = frequency
                return values
        return None

    def member_names(self) -> list[str]:
        """A name for each member: its family, what it is of, and a number if there are several."""
        names = []
        for member in self.members:
            of = getattr(member.config, "of", None)
            names.append(f"{member.family}: {of}" if of else member.family)
        return [
            f"{name} {names[: i + 1].count(name)}" if names.count(name) > 1 else name
            for i, name in enumerate(names)
        ]

    def attribution(self, ids: Ids, gene: int, *, random_state: int = 0) -> Attribution:
        """Split the score of a gene by member and gene of the set; see `Model.attribution`.

        The members' weights for this set, and the mean and the spread by which their scores are
        standardized, are held.
        """
        members = self.encode([ids])
        weights, constant = self._weights_of(members)
        kinds = []
        for name, weight, (member, _, own, columns) in zip(
            self.member_names(), weights, self._parts(members), strict=True
        ):
            local = np.full(len(self.vocabulary), -1)
            local[columns] = np.arange(own.shape[1])
            part = np.zeros(len(ids))
            base = 0.0
            if local[gene] >= 0:
                known = local[ids] >= 0
                base, part[known] = self._member_attribution(
                    member, local[ids[known]].astype(np.int32), int(local[gene]), random_state
                )
            kinds.append(Kind(name, weight, base + part.sum(), weight * base, weight * part))
        return Attribution(float(self.score([ids])[0, gene]), constant, kinds)

    def _weights_of(self, members: sp.csr_array) -> tuple[NDArray[np.float64], float]:
        """The members' weights for one set, and the constant of the sum."""
        return np.array(self.config.weights, float), 0.0

    def _member_attribution(
        self, member: Model, ids: Ids, gene: int, random_state: int
    ) -> tuple[float, Numbers]:
        """The baseline and the parts of a member's evidence in the sum."""
        return member._standardized_attribution(ids, gene, random_state)

    def _parts(self, members: sp.csr_array) -> list[tuple[Model, float, sp.csr_array, Any]]:
        """Each member, its weight, the sets in its vocabulary, and its columns."""
        out: list[tuple[Model, float, sp.csr_array, Any]] = []
        for model, weight, columns in zip(
            self.members, self.config.weights, self.columns, strict=True
        ):
            if len(columns) == members.shape[1] and (np.diff(columns) == 1).all():
                out.append((model, weight, members, slice(None)))
            else:
                own = members[:, columns]
                own.sort_indices()
                out.append((model, weight, own, columns))
        return out

    @property
    def n_parameters(self) -> int:
        """Numbers stored in the members."""
        return sum(member.n_parameters for member in self.members)

    def _fingerprint_arrays(self) -> Iterable[NDArray[Any]]:
        return itertools.chain.from_iterable(m._fingerprint_arrays() for m in self.members)

    # -- files -----------------------------------------------------------------------------------

    def config_json(self) -> dict[str, Any]:
        settings = {f.name: getattr(self.config, f.name) for f in dataclasses.fields(self.config)}
        settings["weights"] = list(self.config.weights)
        settings["members"] = [member.config_json() for member in self.members]
        return {"family": self.family, **settings}

    def _tensors(self) -> Tensors:
        out: Tensors = {}
        for i, (member, columns) in enumerate(zip(self.members, self.columns, strict=True)):
            out[f"{i}.genes"] = columns
            out |= {f"{i}.{name}": tensor for name, tensor in member._tensors().items()}
        return out

    def _restore(self, tensors: Tensors) -> None:
        n = len(self.vocabulary)
        self.columns = []
        for i, member in enumerate(self.members):
            columns = take(tensors, f"{i}.genes", None, kinds="iu")
            if len(columns) and (columns.min() < 0 or columns.max() >= n):
                raise ValueError(f"the tensor '{i}.genes' holds a gene outside 0..{n - 1}")
            self.columns.append(columns.astype(np.int32))
            own = {
                name.removeprefix(f"{i}."): tensors.pop(name)
                for name in sorted(tensors)
                if name.startswith(f"{i}.")
            }
            try:
                if np.array_equal(columns, np.arange(n)):
                    member._vocabulary = self.vocabulary
                else:
                    member._vocabulary = Vocabulary(self.vocabulary[int(c)] for c in columns)
                member._restore(own)
                if own:
                    raise ValueError(f"the tensor {min(own)!r} is not part of it")
            except ValueError as error:
                raise ValueError(f"member {i}, {member.family}: {error}") from None
        orphans = np.setdiff1d(np.arange(n), np.concatenate(self.columns))
        if len(orphans):
            raise ValueError(f"no member knows {self.vocabulary[int(orphans[0])]!r} of vocab.txt")


class _WeightedSum(TermMatrix):
    """The sum of the members' evidence with the weights of the configuration.

    `Adaptive` has weights for each set, which take longer than all else: they are left to the terms
    that are shown.
    """

    def __init__(
        self,
        model: Ensemble,
        members: sp.csr_array,
        cache: Cache,
        progress: Progress,
    ) -> None:
        self.n = members.shape[0]
        self.parts: list[tuple[float, TermMatrix, Any]] = []
        weighted = [(m, *part) for m, part in enumerate(model._parts(members)) if part[1] != 0]
        for i, (m, member, weight, own, columns) in enumerate(weighted):
            part = None if progress is None else _part_of(progress, i, len(weighted))
            theirs = {k.removeprefix(f"{m}."): cache[k] for k in cache if k.startswith(f"{m}.")}
            matrix = member.term_matrix(own, cache=theirs, progress=part)
            self.parts.append((weight, matrix, columns))
            cache.update({f"{m}.{name}": array for name, array in theirs.items()})
            if part is not None:
                part(self.n, self.n)

    def evidence(self, gene: int) -> Numbers:
        return self._total(gene, self.n, lambda part, own: part.evidence(own))

    def leave_one_out(self, terms: Ids, gene: int) -> Numbers:
        return self._total(gene, len(terms), lambda part, own: part.leave_one_out(terms, own))

    def _total(self, gene: int, n: int, ask: Callable[[TermMatrix, int], Numbers]) -> Numbers:
        total = np.zeros(n)
        for weight, part, columns in self.parts:
            own = [gene] if isinstance(columns, slice) else np.flatnonzero(columns == gene)
            if len(own):  # a member adds nothing for a gene unknown to it
                total += weight * ask(part, int(own[0]))
        return total


def _part_of(progress: Callable[[int, int], None], i: int, parts: int) -> Progress:
    """The progress of part `i`, from 0, of several."""
    return lambda done, total: progress(i * total + done, parts * total)


def _unit(vectors: Floats) -> Floats:
    """Rows scaled to length 1; a row of zeros stays."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, 1))
