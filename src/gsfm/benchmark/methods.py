"""Models as methods of a comparison: trained before, or on the library's older release."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

import gsfm.genes
from gsfm.benchmark.questions import Questions
from gsfm.errors import require
from gsfm.genes import Vocabulary
from gsfm.models import FAMILIES, Model, load
from gsfm.models.registry import SHIPPED
from gsfm.sets import GeneSets

#: Questions scored at once, to limit the memory of a model's scores of all its genes.
BATCH = 512
#: Protocols whose hidden genes may be in the library's older release.
_HELD = ("half-split", "hold-out", "context-switch")
#: Families that only count annotations, which leaks little about one term.
_COUNTS = ("popularity", "annotation")


@dataclass(frozen=True)
class Cost:
    """The cost of a method before its first score; None if unknown."""

    training_seconds: float | None = None
    peak_memory_bytes: int | None = None
    size_bytes: int | None = None  # of its files


class Method(ABC):
    """A method of a comparison: it scores the genes of a background.

    Attributes
    ----------
    name
        Name in the report; unique within a run.
    kind
        The kind in a few words, such as ``"linear, trained on this run's corpus"``.
    cost
        The cost of the method.
    """

    name: str
    kind: str
    cost: Cost = Cost()
    #: The last background, and the ids of its genes.
    _last: tuple[Vocabulary, NDArray[np.int32]] | None = None

    @property
    @abstractmethod
    def vocabulary(self) -> Vocabulary | None:
        """The genes that the method knows; None for all genes."""

    def refuses(self, questions: Questions) -> str | None:
        """The reason why the method cannot score these questions; None if it can."""
        return None

    def prepare(self, questions: Questions) -> None:
        """Prepare for these questions: called once, before `score`.

        Raises
        ------
        ValueError
            If the method does not know a gene of the background.
        """
        self.columns(questions.background)

    @abstractmethod
    def score(self, questions: Questions, rows: slice) -> NDArray[np.float32]:
        """(n, background) float32 scores; hidden genes should have high ones."""

    def columns(self, background: Vocabulary) -> NDArray[np.int32]:
        """(background,) the ids of its genes in the vocabulary of the method."""
        if self._last is None or self._last[0] is not background:
            columns = (self.vocabulary or background).ids(background)
            if (columns < 0).any():
                unknown = background[int(np.argmax(columns < 0))]
                raise ValueError(
                    f"{self.name} does not know {unknown!r} and {(columns < 0).sum() - 1:,} other "
                    "genes of the background, which may hold only genes that all methods know"
                )
            self._last = background, columns
        return self._last[1]


class ModelMethod(Method):
    """A model as a method.

    Parameters
    ----------
    name
        Name in the report.
    model
        A fitted or loaded model.
    kind
        The kind in a few words; its family if empty.
    cost
        The cost; that of its manifest if None.

    Examples
    --------
    >>> from gsfm.models import Cooccurrence
    >>> from gsfm.sets import GeneSets
    >>> model = Cooccurrence().fit(GeneSets.from_lists([["A", "B"], ["B", "C"]]))
    >>> method = ModelMethod("co-occurrence", model)
    >>> method.kind, method.vocabulary.symbols
    ('cooccurrence', ('A', 'B', 'C'))
    """

    def __init__(self, name: str, model: Model, kind: str = "", cost: Cost | None = None) -> None:
        self.name = name
        self.model = model
        self.kind = kind or model.family
        self.cost = cost_of(model) if cost is None else cost

    @classmethod
    def load(cls, name: str, folder: str | Path | None = None, kind: str = "") -> Self:
        """Load a model folder or a published checkpoint.

        The genes of a checkpoint without a manifest are mapped to approved symbols.

        Parameters
        ----------
        name
            Name in the report.
        folder
            The folder; the model that comes with gsfm if None.
        kind
            The kind in a few words; made of its family if empty.

        Raises
        ------
        ModelFormatError
            If the folder is not a complete and consistent model.

        Examples
        --------
        >>> method = ModelMethod.load("ours")
        >>> method.kind, method.cost.size_bytes > 1_000_000
        ('adaptive, shipped', True)
        """
        model = load(folder)
        foreign = not model.manifest
        if foreign:
            model.rename_genes(_approved(model.vocabulary))
        what = f"{model.family}, {'shipped' if folder is None else 'saved'}"
        cost = cost_of(model, SHIPPED if folder is None else folder)
        return cls(name, model, kind or ("published checkpoint" if foreign else what), cost)

    @property
    def vocabulary(self) -> Vocabulary:
        """The genes that the model knows."""
        return self.model.vocabulary

    def score(self, questions: Questions, rows: slice) -> NDArray[np.float32]:
        """(n, background) float32, the model's scores."""
        columns = self.columns(questions.background)
        shown = questions.shown[rows]
        ones = np.ones(len(shown.indices), np.float32)
        members = sp.csr_array(
            (ones, columns[shown.indices], shown.indptr), shape=(len(shown), len(self.vocabulary))
        )
        members.sort_indices()
        same = len(columns) == members.shape[1] and bool((np.diff(columns) == 1).all())
        if same and len(shown) <= BATCH:
            return np.asarray(self.model.score(members, batch_size=BATCH), np.float32)
        out = np.empty((len(shown), len(columns)), np.float32)
        for start in range(0, len(shown), BATCH):
            scores = np.asarray(self.model.score(members[start : start + BATCH]), np.float32)
            # Every column is in range; with "clip", NumPy writes to `out` without a buffer.
            np.take(scores, columns, axis=1, out=out[start : start + BATCH], mode="clip")
        return out


class FromOlder(Method):
    """A model that is fitted on the older release of the library of each task."""

    _fitted: ModelMethod | None = None

    @property
    def vocabulary(self) -> Vocabulary | None:
        """All genes: a gene that the older release lacks is scored as a gene in no term."""
        return None

    def refuses(self, questions: Questions) -> str | None:
        """The reason: there is no older release, or it contains the hidden genes."""
        if questions.older is None:
            return "there is no older release of the library"
        if not len(questions.older.indices):
            return "the older release contains no gene of the background"
        return None

    @abstractmethod
    def fit(self, older: GeneSets) -> Model:
        """Fit the model, over the vocabulary of the older release; `cost` is that of this fit."""

    def prepare(self, questions: Questions) -> None:
        """Fit the model on the older release, over the background.

        Raises
        ------
        ValueError
            If the method refuses these questions.
        MissingExtraError
            If a family is fitted with torch and torch is not installed.
        """
        reason = self.refuses(questions)
        if reason is not None or questions.older is None:
            raise ValueError(f"{self.name} cannot score these questions: {reason}")
        model = self.fit(questions.older)
        self._fitted = ModelMethod(self.name, model, self.kind, self.cost)
        self._fitted.prepare(questions)

    def score(self, questions: Questions, rows: slice) -> NDArray[np.float32]:
        """(n, background) float32, the scores of the model of the last `prepare`."""
        if self._fitted is None:
            raise ValueError(f"{self.name} was not prepared for these questions")
        return self._fitted.score(questions, rows)


@dataclass(eq=False)
class LibraryModel(FromOlder):
    """A family that is fitted on the older release of the library of each task.

    Fitted on the terms themselves, popularity is the annotation count and co-occurrence the
    overlap of terms: baselines without other data.

    Parameters
    ----------
    name
        Name in the report.
    family
        A name in `gsfm.models.FAMILIES`.
    settings
        Settings of the family.
    seed
        Seed of the fit.

    Raises
    ------
    ValueError
        If there is no such family, or a setting is unknown or out of its range.

    Examples
    --------
    >>> LibraryModel("annotation count", "popularity").kind
    "popularity, fitted on the library's older release"
    """

    name: str
    family: str
    settings: Mapping[str, Any] | None = None
    seed: int = field(default=0, kw_only=True)

    def __post_init__(self) -> None:
        there = ", ".join(sorted(FAMILIES))
        require(self.family in FAMILIES, f"there is no family {self.family!r}; there are {there}")
        self.kind = f"{self.family}, fitted on the library's older release"
        FAMILIES[self.family](**self.settings or {})  # raises for a wrong setting

    def refuses(self, questions: Questions) -> str | None:
        """The reason: there is no older release, or it contains the hidden genes."""
        reason = super().refuses(questions)
        if reason is None and questions.protocol in _HELD and self.family not in _COUNTS:
            reason = "the older release contains the hidden genes"
        return reason

    def fit(self, older: GeneSets) -> Model:
        """Fit the family, over the vocabulary of the older release."""
        started = time.monotonic()
        model = FAMILIES[self.family](**self.settings or {})
        # Each term counts once, whatever the weight in its file.
        model.fit(older, weights=np.ones(len(older)), random_state=self.seed)
        self.cost = Cost(training_seconds=round(time.monotonic() - started, 3))
        return model


@dataclass(eq=False)
class LibrarySum(FromOlder):
    """A sum of models, some of them fitted on the older release of the library of each task.

    These are fitted over all genes that the other models know, as by
    `gsfm.models.Adaptive.with_library`: a gene outside the background is a gene in no term.

    Parameters
    ----------
    name
        Name in the report.
    members
        The members of the sum; one or more of them are fitted on the older release.
    join
        Makes the sum of their models.
    kind
        The kind in a few words.

    Examples
    --------
    >>> from gsfm.models import Ensemble
    >>> count = LibraryModel("annotation count", "popularity")
    >>> method = LibrarySum("sum", [count], Ensemble.of, "sum of 1 annotation count")
    >>> background = Vocabulary(["A", "B", "C"])
    >>> older = GeneSets.from_lists([["A", "B"], ["B"]], vocabulary=background)
    >>> method.fit(older).score([[]]).round(1)
    array([[ 0.2,  1.1, -1.3]], dtype=float32)
    """

    name: str
    members: Sequence[ModelMethod | FromOlder]
    join: Callable[[list[Model]], Model]
    kind: str

    def refuses(self, questions: Questions) -> str | None:
        """The reason of the first member that has one."""
        return next(filter(None, (member.refuses(questions) for member in self.members)), None)

    def fit(self, older: GeneSets) -> Model:
        """Fit the members that need the older release, and sum all."""
        models = [member.model for member in self.members if isinstance(member, ModelMethod)]
        genes = dict.fromkeys(gene for model in models for gene in model.vocabulary)
        older = older.reindex(Vocabulary(genes | dict.fromkeys(older.vocabulary)))
        parts = [
            member.model if isinstance(member, ModelMethod) else member.fit(older)
            for member in self.members
        ]
        self.cost = together([member.cost for member in self.members])
        return self.join(parts)


def cost_of(model: Model, folder: str | Path | None = None) -> Cost:
    """The cost of a model: training by its manifest, and the size of its files.

    Parameters
    ----------
    model
        A model.
    folder
        Its folder; without one the size of its files is unknown.

    Examples
    --------
    >>> model = load()
    >>> cost = cost_of(model)
    >>> cost.training_seconds > 60, cost.peak_memory_bytes > 10**9, cost.size_bytes
    (True, True, None)
    """
    cost = together(_fits(model.manifest))
    seconds = cost.training_seconds
    files = [] if folder is None else [file for file in Path(folder).iterdir() if file.is_file()]
    return Cost(
        training_seconds=None if seconds is None else round(seconds, 3),
        peak_memory_bytes=cost.peak_memory_bytes,
        size_bytes=None if folder is None else sum(file.stat().st_size for file in files),
    )


def together(costs: Sequence[Cost]) -> Cost:
    """The cost of several models together; unknown if that of one is.

    Examples
    --------
    >>> together([Cost(2.0, 10, 5), Cost(1.5, 20)])
    Cost(training_seconds=3.5, peak_memory_bytes=20, size_bytes=None)
    """
    joined: dict[str, Any] = {}
    for name, join in (("training_seconds", sum), ("peak_memory_bytes", max), ("size_bytes", sum)):
        values = [getattr(cost, name) for cost in costs]
        joined[name] = None if None in values else join(values)
    return Cost(**joined)


def _fits(manifest: Mapping[str, Any]) -> list[Cost]:
    """The cost of each fit of a model or its members, without the size of files."""
    training, members = manifest.get("training"), manifest.get("members")
    if training is None and members:
        return [fit for member in members for fit in _fits(member)]
    training = training or {}
    # Only the curve of a resumed fit has the seconds of both parts.
    curve = training.get("curve") or [{}]
    known = [s for s in (training.get("seconds"), curve[-1].get("seconds")) if s is not None]
    return [Cost(max(known, default=None), training.get("peak_memory_bytes"))]


def _approved(vocabulary: Vocabulary) -> Vocabulary:
    """The genes by their approved symbols, unless another gene has that name already."""
    symbols = gsfm.genes.resolve(vocabulary.symbols).symbols
    taken, out = set(vocabulary), []
    for own, approved in zip(vocabulary, symbols, strict=True):
        symbol = own if approved is None or approved in taken else approved
        taken.add(symbol)
        out.append(symbol)
    return Vocabulary(out)
