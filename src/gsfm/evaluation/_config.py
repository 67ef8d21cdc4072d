"""What a benchmark is: its corpus, its tasks and its methods, read from TOML and checked."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

#: Stands for the corpus that comes with gsfm, where a file of gene sets is asked for.
DEFAULT = "default"
#: Stands for the model that comes with gsfm, where a model folder is asked for.
SHIPPED = "shipped"

#: What each protocol asks its questions of: the names of its files.
FILES: Mapping[str, tuple[str, ...]] = {
    "half-split": ("library",),
    "hold-out": ("library",),
    "time-split": ("older", "newer"),
    "never-seen": ("older", "newer"),
    "new-relations": ("sets",),
    "context-switch": ("library",),
}


@dataclass(frozen=True)
class Corpus:
    """What the methods of a run are trained on; popularity and leakage are counted in it."""

    file: str = DEFAULT  # a file or a folder of gene sets, or "default"
    until: int | None = None  # only sets of that year or before; those without a year are left out
    exclude: tuple[str, ...] = ()  # sources that are left out


@dataclass(frozen=True)
class Leakage:
    """How terms that the corpus holds already are dealt with."""

    share: float = 0.8  # a training set covers a term if it holds that share of its genes
    retrain: tuple[str, ...] = ()  # trained methods that are fitted again without such sets


@dataclass(frozen=True)
class Task:
    """One protocol, asked of one library.

    Parameters
    ----------
    protocol
        ``half-split``, ``hold-out``, ``time-split``, ``never-seen``, ``new-relations`` or
        ``context-switch``.
    files
        What it is asked of: ``library``; ``older`` and ``newer``; or ``sets``.
    options
        The protocol's own options.
    name
        As in the report; made of the files' names and the protocol if empty.
    """

    protocol: str
    files: Mapping[str, str]
    options: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The task as a table of the configuration."""
        return {
            "name": self.name,
            "protocol": self.protocol,
            **_without_machine(self.files),
            **_plain(self.options),
        }


@dataclass(frozen=True)
class Spec:
    """A method of a configuration: the subclass says where it comes from."""

    name: str  # as in the report

    #: The key of the configuration that tells this kind of method from the others.
    key: ClassVar[str]

    @property
    def kind(self) -> str:
        """What it is, in a few words."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """The method as a table of the configuration."""
        return _table(self)


@dataclass(frozen=True)
class Trained(Spec):
    """A family that is fitted on the run's corpus."""

    train: str  # the family
    settings: Mapping[str, Any] = field(default_factory=dict)  # of the family
    weights: Mapping[str, float] = field(default_factory=dict)  # of the sets of a source
    max_seconds: float | None = None  # training stops after that long

    key = "train"

    @property
    def kind(self) -> str:
        """What it is, in a few words."""
        stop = "" if self.max_seconds is None else f", stopped after {self.max_seconds:g} s"
        return f"{self.train}, trained on this run's corpus{stop}"


@dataclass(frozen=True)
class Summed(Spec):
    """The weighted sum of the standardised scores of earlier methods."""

    sum: Mapping[str, float]  # weight of each method

    key = "sum"

    @property
    def kind(self) -> str:
        """What it is, in a few words."""
        return "sum of " + " + ".join(f"{weight:g} {name}" for name, weight in self.sum.items())


@dataclass(frozen=True)
class Saved(Spec):
    """A model that was trained before."""

    model: str  # a model folder or a published checkpoint, or "shipped"

    key = "model"

    @property
    def kind(self) -> str:
        """What it is, in a few words."""
        return "the shipped model" if self.model == SHIPPED else "a saved model"


@dataclass(frozen=True)
class FromLibrary(Spec):
    """A family that is fitted on the older release of each task's library."""

    library: str  # the family
    settings: Mapping[str, Any] = field(default_factory=dict)  # of the family

    key = "library"

    @property
    def kind(self) -> str:
        """What it is, in a few words."""
        return f"{self.library}, fitted on the library's older release"


@dataclass(frozen=True)
class Embedded(Spec):
    """A table of gene vectors, compared by their cosine."""

    embedding: str  # the file

    key = "embedding"

    @property
    def kind(self) -> str:
        """What it is, in a few words."""
        return "gene vectors, mean cosine"


@dataclass(frozen=True)
class Benchmark:
    """A benchmark: which questions are put to which methods.

    Parameters
    ----------
    tasks
        The questions.
    methods
        What is compared; a sum comes after the methods that it sums.
    name
        As in the report.
    seed
        Seed of everything random.
    background
        ``"library"``: a task ranks the genes of its library that all methods know. ``"genome"``:
        all genes that all methods know.
    corpus
        What the methods are trained on.
    leakage
        How covered terms are dealt with; None if they are not looked for.
    data
        The folder at which relative paths start.
    """

    tasks: Sequence[Task]
    methods: Sequence[Spec]
    name: str = "benchmark"
    seed: int = 0
    background: Literal["library", "genome"] = "library"
    corpus: Corpus = field(default_factory=Corpus)
    leakage: Leakage | None = None
    data: Path = field(default=Path(), compare=False)

    def path(self, text: str) -> Path:
        """The file that a path of the configuration means."""
        return self.data / text

    def to_dict(self) -> dict[str, Any]:
        """The configuration as its file has it; of absolute paths no more than the last part."""
        tables = {
            "name": self.name,
            "seed": self.seed,
            "background": self.background,
            "corpus": _table(self.corpus),
            "task": [task.to_dict() for task in self.tasks],
            "method": [method.to_dict() for method in self.methods],
        }
        if self.leakage is not None:
            tables["leakage"] = _table(self.leakage)
        return tables

    @property
    def hash(self) -> str:
        """SHA-256 of the configuration's content; the order of keys does not count."""
        return content_hash(self.to_dict())


def content_hash(value: Any) -> str:
    """SHA-256 of a value as canonical JSON: equal contents have equal hashes.

    Examples
    --------
    >>> content_hash({"a": 1, "b": [2]}) == content_hash({"b": (2,), "a": 1})
    True
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def folder_name(name: str) -> str:
    """The name of a task or method as that of a folder.

    Examples
    --------
    >>> folder_name("GO BP: 2018/2025")
    'GO BP- 2018-2025'
    """
    return re.sub(r"[^\w .,()+-]", "-", name).strip(" .")


def _table(part: Any) -> dict[str, Any]:
    """The fields of a dataclass that say something, as a table of the configuration."""
    values = {f.name: getattr(part, f.name) for f in dataclasses.fields(part)}
    said = {k: v for k, v in values.items() if v is not None and v not in ((), {})}
    paths = {k: v for k, v in said.items() if k in ("file", "model", "embedding")}
    return {**_plain(said), **_without_machine(paths)}


def _plain(table: Mapping[str, Any]) -> dict[str, Any]:
    """The table as JSON and TOML have it: tuples as lists."""
    plain = json.loads(json.dumps(dict(table)))
    return dict(plain)


def _without_machine(paths: Mapping[str, str]) -> dict[str, str]:
    """Paths as they were written; of absolute ones, which say where a machine has its files, the
    name."""
    return {k: Path(v).name if Path(v).is_absolute() else v for k, v in paths.items()}
