"""Models as methods of a comparison: trained before, or on the library's older release."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

import gsfm.genes
from gsfm.benchmark.questions import Questions
from gsfm.genes import Vocabulary
from gsfm.models import FAMILIES, Model, load
from gsfm.models.registry import SHIPPED
from gsfm.sets import GeneSets

#: Questions scored at once: bounds the memory of a model's scores of all its genes.
BATCH = 512
#: Protocols that hide genes which the library's older release may hold.
_HELD = ("half-split", "hold-out", "context-switch")
#: Families that count annotations only, which tells little of the genes of one term.
_COUNTS = ("popularity", "annotation")


@dataclass(frozen=True)
class Cost:
    """What a method cost before its first answer; None where it is not known."""

    training_seconds: float | None = None
    peak_memory_bytes: int | None = None
    size_bytes: int | None = None  # of its files


class Method(ABC):
    """One side of a comparison.

    Attributes
    ----------
    name
        As in the report; distinct within a run.
    kind
        What it is, in a few words, such as ``"linear, trained on this run's corpus"``.
    cost
        What it cost.
    """

    name: str
    kind: str
    cost: Cost = Cost()

    @property
    @abstractmethod
    def vocabulary(self) -> Vocabulary | None:
        """The genes that it can score; None for every gene."""

    def refuses(self, questions: Questions) -> str | None:
        """Why the method has no part in these questions; None if it has."""
        return None

    def prepare(self, questions: Questions) -> None:  # noqa: B027  # most need nothing
        """Get ready for these questions: called once, before `score`."""

    @abstractmethod
    def score(self, questions: Questions, rows: slice) -> NDArray[np.float32]:
        """(n, background) float32; larger is more likely hidden. Only candidates count."""


class ModelMethod(Method):
    """A model as a method.

    Parameters
    ----------
    name
        As in the report.
    model
        A fitted or loaded model.
    kind
        What it is, in a few words; its family if empty.
    cost
        What it cost; what its manifest tells if None.

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
        # The last background, and the model's column of each of its genes.
        self._last: tuple[Vocabulary, NDArray[np.int32]] | None = None

    @classmethod
    def load(cls, name: str, folder: str | Path | None = None, kind: str = "") -> Self:
        """Load a model folder or a published checkpoint.

        The genes of a checkpoint of other makers are called by their approved symbols.

        Parameters
        ----------
        name
            As in the report.
        folder
            The folder; the model that comes with gsfm if None.
        kind
            What it is, in a few words; made of its family if empty.

        Raises
        ------
        ModelFormatError
            If the folder is not a whole and consistent model.

        Examples
        --------
        >>> method = ModelMethod.load("ours")
        >>> method.kind, method.cost.size_bytes > 1_000_000
        ('adaptive, shipped', True)
        """
        model = load(folder)
        foreign = not model.manifest  # a checkpoint of other makers has none
        if foreign:
            model.rename_genes(_approved(model.vocabulary))
        what = f"{model.family}, {'shipped' if folder is None else 'saved'}"
        cost = cost_of(model, SHIPPED if folder is None else folder)
        return cls(name, model, kind or ("published checkpoint" if foreign else what), cost)

    @property
    def vocabulary(self) -> Vocabulary:
        """The genes that the model knows."""
        return self.model.vocabulary

    def prepare(self, questions: Questions) -> None:
        """Find the model's columns of the background.

        Raises
        ------
        ValueError
            If a gene of the background is unknown to the model.
        """
        self._columns(questions.background)

    def score(self, questions: Questions, rows: slice) -> NDArray[np.float32]:
        """(n, background) float32, the model's scores."""
        columns = self._columns(questions.background)
        shown = questions.shown[rows]
        ones = np.ones(len(shown.indices), np.float32)
        members = sp.csr_array(
            (ones, columns[shown.indices], shown.indptr),
            shape=(len(shown), len(self.vocabulary)),
        )
        members.sort_indices()
        same = len(columns) == members.shape[1] and bool((np.diff(columns) == 1).all())
        if same and len(shown) <= BATCH:
            return np.asarray(self.model.score(members, batch_size=BATCH), np.float32)
        out = np.empty((len(shown), len(columns)), np.float32)
        for start in range(0, len(shown), BATCH):
            scores = np.asarray(self.model.score(members[start : start + BATCH]), np.float32)
            # Every column is in range: with "clip" they are written to their place at once.
            np.take(scores, columns, axis=1, out=out[start : start + BATCH], mode="clip")
        return out

    def _columns(self, background: Vocabulary) -> NDArray[np.int32]:
        if self._last is None or self._last[0] is not background:
            columns = self.vocabulary.ids(background)
            if (columns < 0).any():
                unknown = background[int(np.argmax(columns < 0))]
                raise ValueError(
                    f"{self.name} does not know {unknown!r} and {(columns < 0).sum() - 1:,} other "
                    "genes of the background, which may hold only what every method knows"
                )
            self._last = background, columns
        return self._last[1]


class FromOlder(Method):
    """A model that is made anew of the older release of the library that is asked about."""

    _fitted: ModelMethod | None = None

    @property
    def vocabulary(self) -> Vocabulary | None:
        """Every gene: one that the older release does not have is scored as a gene in no term."""
        return None

    def refuses(self, questions: Questions) -> str | None:
        """Why it has no part: there is no older release, or it holds what is hidden."""
        if questions.older is None:
            return "there is no older release of the library to learn from"
        if not len(questions.older.indices):
            return "the older release holds no gene of the background"
        return None

    @abstractmethod
    def fit(self, older: GeneSets) -> Model:
        """Make the model, over the vocabulary of the older release; `cost` is that of this fit."""

    def prepare(self, questions: Questions) -> None:
        """Make the model of the older release, over the background.

        Raises
        ------
        ValueError
            If the method refuses these questions.
        MissingExtraError
            If a family is fitted with torch and torch is not installed.
        """
        reason = self.refuses(questions)
        if reason is not None or questions.older is None:
            raise ValueError(f"{self.name} cannot be asked: {reason}")
        model = self.fit(questions.older)
        self._fitted = ModelMethod(self.name, model, self.kind, self.cost)
        self._fitted.prepare(questions)

    def score(self, questions: Questions, rows: slice) -> NDArray[np.float32]:
        """(n, background) float32, the scores of the model that was fitted last."""
        if self._fitted is None:
            raise ValueError(f"{self.name} was not prepared for these questions")
        return self._fitted.score(questions, rows)


class LibraryModel(FromOlder):
    """A family that is fitted on the older release of the library that is asked about.

    Fitted on the sets of annotations themselves, popularity is the annotation count and
    co-occurrence the overlap of terms: what is known of a gene without any other data.

    Parameters
    ----------
    name
        As in the report.
    family
        A name in `gsfm.models.FAMILIES`.
    settings
        Of the family.
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

    def __init__(
        self, name: str, family: str, settings: Mapping[str, Any] | None = None, *, seed: int = 0
    ) -> None:
        if family not in FAMILIES:
            there = ", ".join(sorted(FAMILIES))
            raise ValueError(f"there is no family {family!r}; there are {there}")
        self.name = name
        self.family = family
        self.settings = dict(settings or {})
        self.seed = seed
        self.kind = f"{family}, fitted on the library's older release"
        FAMILIES[family](**self.settings)  # a wrong setting is told now

    def refuses(self, questions: Questions) -> str | None:
        """Why it has no part: there is no older release, or it holds what is hidden."""
        reason = super().refuses(questions)
        if reason is None and questions.protocol in _HELD and self.family not in _COUNTS:
            reason = "the older release holds the hidden genes"
        return reason

    def fit(self, older: GeneSets) -> Model:
        """Fit the family, over the vocabulary of the older release."""
        started = time.monotonic()
        model = FAMILIES[self.family](**self.settings)
        # A term counts as one, whatever weight its file gives it.
        model.fit(older, weights=np.ones(len(older)), random_state=self.seed)
        self.cost = Cost(training_seconds=round(time.monotonic() - started, 3))
        return model


class LibrarySum(FromOlder):
    """A sum of models, some of them made of the older release of the library that is asked about.

    Those are fitted over all genes that the others know, as `gsfm.models.Adaptive.with_library`
    fits them: a gene outside the background is a gene in no term.

    Parameters
    ----------
    name
        As in the report.
    members
        What is summed; one or more of them made of the older release.
    join
        Makes the sum of their models.
    kind
        What it is, in a few words.

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

    def __init__(
        self,
        name: str,
        members: Sequence[ModelMethod | FromOlder],
        join: Callable[[list[Model]], Model],
        kind: str,
    ) -> None:
        self.name = name
        self.members = list(members)
        self.join = join
        self.kind = kind

    def refuses(self, questions: Questions) -> str | None:
        """Why it has no part: one of its members has none."""
        reasons = (member.refuses(questions) for member in self.members)
        return next((reason for reason in reasons if reason is not None), None)

    def fit(self, older: GeneSets) -> Model:
        """Fit what is made of the older release, and sum all."""
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
    """What a model cost: training by its manifest (of an ensemble, of its members), and its files.

    Parameters
    ----------
    model
        A model.
    folder
        Where it is saved; without one the size of its files is not known.

    Examples
    --------
    >>> model = load()
    >>> cost = cost_of(model)
    >>> cost.training_seconds > 60, cost.peak_memory_bytes > 10**9, cost.size_bytes
    (True, True, None)
    """
    fits = list(_fits(model.manifest))
    seconds = [fit["seconds"] for fit in fits if fit["seconds"] is not None]
    peaks = [fit["peak_memory_bytes"] for fit in fits if fit.get("peak_memory_bytes") is not None]
    return Cost(
        # A sum or a maximum without one of the members would be too small.
        training_seconds=round(sum(seconds), 3) if len(seconds) == len(fits) else None,
        peak_memory_bytes=max(peaks) if len(peaks) == len(fits) else None,
        size_bytes=None if folder is None else sum(_sizes(Path(folder))),
    )


def together(costs: Sequence[Cost]) -> Cost:
    """What several models cost that are needed at once; unknown if that of one is.

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


def _fits(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The record of each fit that made a model, with ``seconds``, None where they are not told."""
    training, members = manifest.get("training"), manifest.get("members")
    if training is None and members:
        return [fit for member in members for fit in _fits(member)]
    training = training or {}
    # The seconds of a fit that was resumed are those of both parts in its curve only.
    curve = training.get("curve") or [{}]
    told = [s for s in (training.get("seconds"), curve[-1].get("seconds")) if s is not None]
    return [{**training, "seconds": max(told, default=None)}]


def _sizes(folder: Path) -> list[int]:
    return [file.stat().st_size for file in folder.iterdir() if file.is_file()]


def _approved(vocabulary: Vocabulary) -> Vocabulary:
    """The genes by their approved symbols, where these are not the names of others among them."""
    symbols = gsfm.genes.resolve(vocabulary.symbols).symbols
    taken, out = set(vocabulary), []
    for own, approved in zip(vocabulary, symbols, strict=True):
        symbol = own if approved is None or approved in taken else approved
        taken.add(symbol)
        out.append(symbol)
    return Vocabulary(out)
