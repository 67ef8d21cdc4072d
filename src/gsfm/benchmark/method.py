"""What is compared: anything that scores the genes of a background."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gsfm.benchmark.questions import Questions
from gsfm.genes import Vocabulary


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
