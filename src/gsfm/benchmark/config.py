"""What a benchmark is: its corpus, its tasks and its methods, read from TOML and checked.

The fields of the dataclasses are the keys of the file, so that what may be written, of which type,
and what holds if it is left out, is said once. What is wrong with a part is a ValueError of that
part; whoever reads a file adds the table and the file.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import inspect
import json
import math
import re
import typing
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from gsfm.benchmark import protocols, relations
from gsfm.benchmark.checks import (
    at,
    build,
    check_keys,
    label,
    meant,
    one_of,
    plain,
    read_toml,
    tables_of,
    typed,
)
from gsfm.benchmark.questions import Questions
from gsfm.benchmark.releases import find_release
from gsfm.benchmark.report.summary import WITHOUT_LEAKS
from gsfm.corpus.inputs import library_name
from gsfm.errors import FormatError, GsfmError
from gsfm.models import FAMILIES
from gsfm.models.base import check_settings, require
from gsfm.models.registry import SHIPPED as SHIPPED_FOLDER

#: Stands for the corpus that comes with gsfm, where a file of gene sets is asked for.
DEFAULT = "default"
#: Stands for the model that comes with gsfm, where a model folder is asked for.
SHIPPED = "shipped"

#: What each protocol asks its questions of: the parameters of its function that are gene sets.
FILES: Mapping[str, tuple[str, ...]] = {
    "half-split": ("library",),
    "hold-out": ("library",),
    "time-split": ("older", "newer"),
    "never-seen": ("older", "newer"),
    "new-relations": ("sets",),
    "new-interactions": ("older", "newer"),
    "context-switch": ("library",),
}
#: How often a model in training is looked at if snapshots of it are wanted: after each pass, if it
#: has so many.
WATCHES = 50
#: The protocols that ask about pairs of genes rather than about terms.
RELATIONS = ("new-relations", "new-interactions")
#: Options that are years. All other whole numbers count something, and are 1 or more.
_YEARS = ("after", "until")
#: How two releases of a library are named other than by ``older`` and ``newer``.
_RELEASES = ("folder", "library", "from", "to")


@functools.cache
def protocol(name: str) -> Callable[..., Questions]:
    """The function that makes a protocol's questions of its files, its options and a seed."""
    module = relations if name in RELATIONS else protocols
    function: Callable[..., Questions] = getattr(module, name.replace("-", "_"))
    return function


@functools.cache
def options(name: str) -> Mapping[str, inspect.Parameter]:
    """The options of a protocol: what its function takes besides files and a seed.

    Examples
    --------
    >>> sorted(options("half-split"))
    ['noise', 'smallest', 'splits', 'terms']
    """
    signature = inspect.signature(protocol(name), eval_str=True)
    return {k: v for k, v in signature.parameters.items() if k not in (*FILES[name], "seed")}


#: Whose genes are ranked.
BACKGROUNDS = ("library", "genome")


@dataclass(frozen=True)
class Corpus:
    """What the methods of a run are trained on; popularity and leakage are counted in it."""

    file: str = DEFAULT  # a file or a folder of gene sets, or "default"
    until: int | None = None  # only sets of that year or before; those without a year are left out
    exclude: tuple[str, ...] = ()  # sources that are left out
    held_out: int = 0  # sets kept from all training, to follow each method's recall on

    def __post_init__(self) -> None:
        require(bool(self.file), "file is empty")
        require(self.held_out >= 0, f"held_out must be 0 or more, not {self.held_out}")


@dataclass(frozen=True)
class Leakage:
    """How terms that the corpus holds already are dealt with."""

    share: float = 0.8  # a training set covers a term if it holds that share of its genes
    retrain: tuple[str, ...] = ()  # trained methods that are fitted again without such sets

    def __post_init__(self) -> None:
        require(0 < self.share <= 1, f"share must be above 0 and up to 1, not {self.share}")


@dataclass(frozen=True)
class Task:
    """One protocol, asked of one library.

    Parameters
    ----------
    protocol
        ``half-split``, ``hold-out``, ``time-split``, ``never-seen``, ``new-relations``,
        ``new-interactions`` or ``context-switch``.
    files
        What it is asked of: ``library``; ``older`` and ``newer``; or ``sets``.
    options
        The protocol's own options.
    name
        As in the report; if empty, the benchmark makes one of the files' names and the protocol.
    background
        ``"library"`` or ``"genome"`` for this task; the benchmark's own if None.

    Raises
    ------
    ValueError
        If there is no such protocol, a file or an option is missing, or one is wrong.

    Examples
    --------
    >>> Task("half-split", {"library": "KEGG_2021_Human.gmt.gz"}, {"splits": 3}).title
    'KEGG 2021 Human, half split'
    """

    protocol: str
    files: Mapping[str, str]
    options: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    background: Literal["library", "genome"] | None = None

    def __post_init__(self) -> None:
        one_of(self.protocol, FILES, "there is no protocol")
        if self.background is not None:
            one_of(self.background, BACKGROUNDS, "background cannot be")
        wanted = FILES[self.protocol]
        check_keys(self.files, wanted)
        for key in wanted:
            require(bool(self.files.get(key)), f"the key {key!r} is missing")
        if len(set(self.files.values())) < len(self.files):
            raise ValueError(f"{' and '.join(wanted)} are the same file")
        known = options(self.protocol)
        check_keys(self.options, known, _elsewhere)
        for key, parameter in known.items():
            if parameter.default is parameter.empty and key not in self.options:
                raise ValueError(f"the key {key!r} is missing; {self.protocol} needs it")
        checked = {k: typed(k, known[k].annotation, v) for k, v in self.options.items()}
        for key, value in checked.items():
            _check_counts(key, value)
        noise = checked.get("noise", 0)
        require(0 <= noise < 1, f"noise must be 0 or more and below 1, not {noise}")
        object.__setattr__(self, "options", checked)

    @property
    def title(self) -> str:
        """The name that a task without one is given."""
        names = [
            "publications" if file == DEFAULT else library_name(Path(file)).replace("_", " ")
            for file in self.files.values()
        ]
        if len(names) == 2:
            older, newer = (name.split() for name in names)
            same = 0
            while same < min(len(older), len(newer)) and older[same] == newer[same]:
                same += 1
            names = [f"{names[0]} to {' '.join(newer[same:] or newer)}"]
        after = f" after {self.options['after']}" if "after" in self.options else ""
        noise = f", noise {self.options['noise']:g}" if self.options.get("noise") else ""
        return f"{names[0]}, {self.protocol.replace('-', ' ')}{after}{noise}"

    def to_dict(self) -> dict[str, Any]:
        """The task as a table of the configuration."""
        return {
            "name": self.name,
            "protocol": self.protocol,
            **({} if self.background is None else {"background": self.background}),
            **_without_machine(self.files),
            **plain({k: v for k, v in self.options.items() if v is not None}),
        }


@dataclass(frozen=True)
class Spec(ABC):
    """A method of a configuration: the subclass says where it comes from."""

    name: str  # as in the report

    #: The key of the configuration that tells this kind of method from the others.
    key: ClassVar[str]

    @property
    @abstractmethod
    def kind(self) -> str:
        """What it is, in a few words."""

    def to_dict(self) -> dict[str, Any]:
        """The method as a table of the configuration."""
        return _table(self)


@dataclass(frozen=True)
class Trained(Spec):
    """A family that is fitted on the run's corpus.

    Examples
    --------
    >>> Trained("EASE", "linear", {"regularization": 20}).kind
    "linear, trained on this run's corpus"
    """

    train: str  # the family
    settings: Mapping[str, Any] = field(default_factory=dict)  # of the family
    weights: Mapping[str, float] = field(default_factory=dict)  # of the sets of a source
    max_seconds: float | None = None  # training ends after that long

    key = "train"

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", _settings("train", self.train, self.settings))
        for source, weight in self.weights.items():
            require(
                math.isfinite(weight) and weight >= 0,
                f"weights: that of {source!r} must be 0 or more, not {weight}",
            )
        if self.max_seconds is not None:
            require(
                math.isfinite(self.max_seconds) and self.max_seconds > 0,
                f"max_seconds must be above 0, not {self.max_seconds}",
            )
            stepwise = [name for name, family in sorted(FAMILIES.items()) if family.can_resume]
            require(
                self.train in stepwise,
                f"max_seconds: {self.train} is fitted in one go; {', '.join(stepwise)} can be "
                "ended early",
            )

    @property
    def kind(self) -> str:
        """What it is, in a few words."""
        end = "" if self.max_seconds is None else f" for {self.max_seconds:g} s"
        return f"{self.train}, trained on this run's corpus{end}"


@dataclass(frozen=True)
class Summed(Spec):
    """The weighted sum of the standardized scores of earlier methods; all but gene vectors.

    With `confidence`, `gsfm.models.Adaptive`: each set weighs the methods anew.
    """

    sum: Mapping[str, float]  # weight of each method
    #: In the weights, of a sum that each set weighs anew: `Adaptive`. One for all, or for each.
    confidence: float | Mapping[str, float] | None = None

    key = "sum"

    def __post_init__(self) -> None:
        require(bool(self.sum), "sum must name one method or more, with its weight")
        require(
            all(map(math.isfinite, self.sum.values())) and any(self.sum.values()),
            "sum: the weights must be numbers, not all of them 0",
        )
        if isinstance(self.confidence, Mapping):
            with at("confidence"):
                check_keys(self.confidence, self.sum)
            for name in self.sum:
                require(name in self.confidence, f"confidence: that in {name!r} is missing")
        for one in self._confidences():
            require(
                math.isfinite(one) and one > 0,
                f"confidence must be above 0, not {one}",
            )

    @property
    def kind(self) -> str:
        """What it is, in a few words."""
        summed = " + ".join(f"{weight:g} {name}" for name, weight in self.sum.items())
        each = ", ".join(f"{one:g}" for one in self._confidences())
        return f"sum of {summed}" + (f", weighed by each set ({each})" if each else "")

    def renamed(self, name: str, members: Mapping[str, str]) -> Self:
        """The same sum of methods of other names."""
        own = self.confidence
        if isinstance(own, Mapping):
            own = {members[old]: value for old, value in own.items()}
        weights = {members[old]: weight for old, weight in self.sum.items()}
        return dataclasses.replace(self, name=name, sum=weights, confidence=own)

    def _confidences(self) -> tuple[float, ...]:
        """As they are written: none, one, or one for each method of the sum."""
        if isinstance(self.confidence, Mapping):
            return tuple(self.confidence[name] for name in self.sum)
        return () if self.confidence is None else (self.confidence,)


@dataclass(frozen=True)
class Snapshot(Spec):
    """A trained method as it was during its training."""

    snapshot_of: str  # the method, which comes before
    at: int | str = "best"  # look of 50; "best": the one with the best recall on held-out sets

    key = "snapshot_of"

    def __post_init__(self) -> None:
        require(
            self.at == "best" or (isinstance(self.at, int) and 1 <= self.at <= WATCHES),
            f"at must be 'best' or 1 to {WATCHES}, not {self.at!r}",
        )

    @property
    def kind(self) -> str:
        """What it is, in a few words."""
        if self.at == "best":
            return f"{self.snapshot_of} when its recall@50 on held-out sets was best"
        return f"{self.snapshot_of} at look {self.at} of {WATCHES}"


@dataclass(frozen=True)
class Saved(Spec):
    """A model that was trained before."""

    model: str  # a model folder or a published checkpoint, or "shipped"

    key = "model"

    def __post_init__(self) -> None:
        require(bool(self.model), "model is empty")

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

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", _settings("library", self.library, self.settings))

    @property
    def kind(self) -> str:
        """What it is, in a few words."""
        return f"{self.library}, fitted on the library's older release"


@dataclass(frozen=True)
class Embedded(Spec):
    """A table of gene vectors, compared by their cosine."""

    embedding: str  # the file

    key = "embedding"

    def __post_init__(self) -> None:
        require(bool(self.embedding), "embedding is empty")

    @property
    def kind(self) -> str:
        """What it is, in a few words."""
        return "gene vectors, mean cosine"


_KINDS: tuple[type[Spec], ...] = (Trained, Summed, Snapshot, Saved, FromLibrary, Embedded)


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

    Raises
    ------
    ValueError
        If two tasks or methods have one name, or a method is named that is not there.

    Examples
    --------
    >>> benchmark = Benchmark(
    ...     [Task("half-split", {"library": "KEGG_2021_Human.gmt.gz"})],
    ...     [Trained("popularity", "popularity"), Saved("ours", "shipped")],
    ... )
    >>> benchmark.tasks[0].name
    'KEGG 2021 Human, half split'
    """

    tasks: Sequence[Task]
    methods: Sequence[Spec]
    name: str = "benchmark"
    seed: int = 0
    background: Literal["library", "genome"] = "library"
    corpus: Corpus = field(default_factory=Corpus)
    leakage: Leakage | None = None
    data: Path = field(default=Path(), compare=False)

    def __post_init__(self) -> None:
        require(len(self.tasks) > 0, "there is no task; a benchmark needs one or more [[task]]")
        require(
            len(self.methods) > 0, "there is no method; a benchmark needs one or more [[method]]"
        )
        require(self.seed >= 0, f"seed must be 0 or more, not {self.seed}")
        one_of(self.background, BACKGROUNDS, "background cannot be")
        object.__setattr__(self, "tasks", _named(self.tasks))
        object.__setattr__(self, "methods", tuple(self.methods))
        for kind, parts in (("task", self.tasks), ("method", self.methods)):
            _check_names(kind, [part.name for part in parts])
        known: dict[str, Spec] = {}
        for i, spec in enumerate(self.methods):
            with at(label("method", i, spec.name)):
                require(
                    not spec.name.endswith(WITHOUT_LEAKS),
                    f"name: {spec.name!r} is what a run calls a method that it fits again",
                )
                if isinstance(spec, Summed):
                    self._check_sum(spec, known)
                if isinstance(spec, Snapshot):
                    self._check_snapshot(spec, known)
            known[spec.name] = spec
        if self.leakage is not None:
            with at("[leakage]"):
                trained = [spec.name for spec in self.methods if isinstance(spec, Trained)]
                for name in self.leakage.retrain:
                    one_of(name, trained, "retrain: no method with 'train' is called")

    def _check_sum(self, spec: Summed, known: Mapping[str, Spec]) -> None:
        later = {method.name for method in self.methods} - set(known)
        for name in spec.sum:
            if name in later:
                raise ValueError(f"sum: {name!r} comes later; put this sum behind it")
            one_of(name, known, "sum: no method before it is called")
            require(
                not isinstance(known[name], Embedded),
                f"sum: {name!r} is {known[name].kind}, which is no model that can be summed",
            )

    def _check_snapshot(self, spec: Snapshot, known: Mapping[str, Spec]) -> None:
        stepwise = [
            name
            for name, other in known.items()
            if isinstance(other, Trained) and FAMILIES[other.train].learns_in_steps
        ]
        one_of(
            spec.snapshot_of,
            stepwise,
            "snapshot_of: no method before it that learns in steps is called",
        )
        require(
            self.corpus.held_out > 0, "snapshot_of: needs held-out sets: [corpus] held_out = 2000"
        )

    @classmethod
    def from_dict(cls, tables: Mapping[str, Any], *, data: str | Path = ".") -> Self:
        """Check the tables of a configuration; the opposite of `to_dict`.

        Raises
        ------
        ValueError
            Naming the table and the key that is wrong, and how to mend it.

        Examples
        --------
        >>> Benchmark.from_dict({"task": [{"protocl": "half-split"}]})
        Traceback (most recent call last):
        ...
        ValueError: [[task]] 1: there is no key 'protocl'; did you mean 'protocol'?
        """
        data = Path(data)
        values = ("name", "seed", "background")
        check_keys(tables, (*values, "corpus", "leakage", "task", "method"))
        hints = typing.get_type_hints(cls)
        parts: dict[str, Any] = {
            key: typed(key, hints[key], tables[key]) for key in values if key in tables
        }
        for key, part in (("corpus", Corpus), ("leakage", Leakage)):
            if key in tables:
                with at(f"[{key}]"):
                    parts[key] = build(part, tables[key])
        for key, make in (("task", functools.partial(_task, data=data)), ("method", _method)):
            parts[f"{key}s"] = made = []
            for i, table in enumerate(tables_of(key, tables.get(key, []))):
                with at(label(key, i, table.get("name"))):
                    made.append(make(table))
        return cls(**parts, data=data)

    def to_dict(self) -> dict[str, Any]:
        """The configuration as its file has it; of absolute paths no more than the last part."""
        tables: dict[str, Any] = {
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

    def path(self, text: str) -> Path:
        """The file that a path of the configuration means."""
        return self.data / text

    def check_files(self) -> None:
        """See that every file is there.

        Raises
        ------
        ValueError
            Naming the table, the key and the path.
        """
        with at("[corpus]"):
            self._check_file("file", self.corpus.file, DEFAULT)
        for i, task in enumerate(self.tasks):
            with at(label("task", i, task.name)):
                for key, text in task.files.items():
                    self._check_file(key, text, DEFAULT)
        for i, spec in enumerate(self.methods):
            with at(label("method", i, spec.name)):
                if isinstance(spec, Embedded):
                    self._check_file("embedding", spec.embedding)
                if isinstance(spec, Saved):
                    self._check_file("model", spec.model, SHIPPED)
                    folder = SHIPPED_FOLDER if spec.model == SHIPPED else self.path(spec.model)
                    require(
                        (folder / "config.json").is_file(),
                        f"model: {folder} is not a model folder: it has no config.json",
                    )

    def _check_file(self, key: str, text: str, instead: str | None = None) -> None:
        """Raise ValueError if there is no such file, unless the text stands for something else."""
        path = self.path(text)
        if text == instead or path.exists():
            return
        folder = path.parent
        if not folder.is_dir():
            raise ValueError(f"{key}: {path}: there is no folder {folder}{self._start(text)}")
        there = [other.name for other in folder.iterdir()]
        raise ValueError(f"{key}: {path}: no such file{meant(path.name, there)}{self._start(text)}")

    def _start(self, text: str) -> str:
        return "" if Path(text).is_absolute() else f" (relative paths start at {self.data})"


def read_config(
    path: str | Path, *, data: str | Path | None = None, corpus: str | Path | None = None
) -> Benchmark:
    """Read a benchmark from a TOML file, and check all of it before anything is computed.

    Parameters
    ----------
    path
        The file.
    data
        The folder at which its relative paths start; the file's own folder if None.
    corpus
        A corpus in place of the one that the file names: a path, or ``"default"``.

    Raises
    ------
    FormatError
        If the file is not TOML, or a key is unknown, missing or wrong, or a file that it names is
        not there. The message names the table and the key.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "small.gmt").write_text("repair\\t\\tBRCA1\\tBRCA2\\tPALB2\\n")
    >>> _ = (folder / "small.toml").write_text('''
    ... [[task]]
    ... protocol = "half-split"
    ... library = "small.gmt"
    ... [[method]]
    ... name = "ours"
    ... model = "shipped"
    ... ''')
    >>> [task.name for task in read_config(folder / "small.toml").tasks]
    ['small, half split']
    """
    path = Path(path)
    tables = read_toml(path)
    try:
        benchmark = Benchmark.from_dict(tables, data=path.parent if data is None else data)
        if corpus is not None:
            text = str(corpus) if str(corpus) == DEFAULT else str(Path(corpus).absolute())
            own = dataclasses.replace(benchmark.corpus, file=text)
            benchmark = dataclasses.replace(benchmark, corpus=own)
        benchmark.check_files()
    except ValueError as error:
        raise FormatError(path, str(error)) from error
    return benchmark


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


# -- tables ----------------------------------------------------------------------------------------


def _method(table: Mapping[str, Any]) -> Spec:
    """A method of its table: one key tells of which kind it is."""
    kinds = [kind for kind in _KINDS if kind.key in table]
    if len(kinds) > 1:
        keys = " and ".join(repr(kind.key) for kind in kinds)
        raise ValueError(f"{keys} contradict each other: keep one")
    if not kinds:
        every = {f.name for kind in _KINDS for f in dataclasses.fields(kind)}
        check_keys(table, every)
        keys = ", ".join(repr(kind.key) for kind in _KINDS)
        raise ValueError(f"one of the keys {keys} must say where it comes from")
    return build(kinds[0], table)


def _task(table: Mapping[str, Any], *, data: Path) -> Task:
    """A task of its table, in which its files and options stand side by side."""
    name = typed("name", str, table.get("name", ""))
    if "protocol" not in table:
        check_keys(table, {"name", "protocol", "background", *_RELEASES, *_every_key()})
        raise ValueError(f"the key 'protocol' is missing; there are {', '.join(FILES)}")
    which = typed("protocol", str, table["protocol"])
    one_of(which, FILES, "there is no protocol")
    by_folder = len(FILES[which]) == 2
    keys = (*FILES[which], *(_RELEASES if by_folder else ()))
    check_keys(table, ("name", "protocol", "background", *keys, *options(which)), _elsewhere)
    files = {key: typed(key, str, table[key]) for key in FILES[which] if key in table}
    if by_folder and any(key in table for key in _RELEASES):
        if files:
            raise ValueError(
                f"{next(iter(files))!r} and the keys {', '.join(_RELEASES)} contradict each "
                "other: name two files, or a library in a folder"
            )
        files = _find_releases(table, data)
    own = {k: table[k] for k in options(which) if k in table}
    return Task(which, files, own, name, table.get("background"))


def _find_releases(table: Mapping[str, Any], data: Path) -> dict[str, str]:
    """The files of a library's releases of two years, as paths from the folder `data`."""
    for key in _RELEASES:
        require(key in table, f"the key {key!r} is missing beside {', '.join(_RELEASES)}")
    folder, library = (typed(key, str, table[key]) for key in ("folder", "library"))
    start, end = (typed(key, int | str, table[key]) for key in ("from", "to"))
    require(str(start) < str(end), f"'from' ({start}) must be before 'to' ({end})")
    found = {}
    for key, year in (("older", start), ("newer", end)):
        try:
            path = find_release(data / folder, library, year)
        except GsfmError as error:
            raise ValueError(str(error)) from error
        inside = path.is_relative_to(data)
        found[key] = path.relative_to(data).as_posix() if inside else str(path)
    return found


def _named(tasks: Iterable[Task]) -> tuple[Task, ...]:
    """The tasks, with a name for those that have none; the names that were given stay."""
    tasks = list(tasks)
    taken = {folder_name(task.name).casefold() for task in tasks if task.name}
    out = []
    for task in tasks:
        name, n = task.name or task.title, 1
        while not task.name and folder_name(name).casefold() in taken:
            n += 1
            name = f"{task.title} ({n})"
        taken.add(folder_name(name).casefold())
        out.append(dataclasses.replace(task, name=name))
    return tuple(out)


def _check_names(kind: str, names: list[str]) -> None:
    """Raise ValueError unless all names, and the folders made of them, are distinct."""
    first: dict[str, int] = {}
    for i, name in enumerate(names):
        with at(label(kind, i, name)):
            folder = folder_name(name).casefold()
            require(name.isprintable() and bool(folder), "name must be a text with letters in it")
            if folder in first:
                other = label(kind, first[folder], names[first[folder]])
                raise ValueError(f"name: {other} has it too, or one too much like it: change it")
        first[folder] = i


def _settings(key: str, family: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a family as it declares them."""
    one_of(family, FAMILIES, f"{key}: there is no family")
    config = FAMILIES[family].Config
    with at("settings"):
        check_keys(settings, [f.name for f in dataclasses.fields(config)])
        checked = check_settings(config, settings)
        FAMILIES[family](**checked)  # it knows their ranges
    return checked


def _check_counts(key: str, value: Any) -> None:
    """Raise ValueError if an option that counts something is below 1, or a list is empty."""
    if isinstance(value, tuple):
        require(len(value) > 0, f"{key} is an empty list")
        require(len(set(value)) == len(value), f"{key} has an entry twice: {list(value)}")
    for number in value if isinstance(value, tuple) else (value,):
        if isinstance(number, int) and not isinstance(number, bool) and key not in _YEARS:
            require(number >= 1, f"{key} must be 1 or more, not {number}")


def _elsewhere(key: str) -> str:
    """Which protocols have an option, if any has."""
    having = [name for name in FILES if key in (*FILES[name], *options(name))]
    return f" here; it belongs to {', '.join(having)}" if having else ""


def _every_key() -> set[str]:
    return {key for name in FILES for key in (*FILES[name], *options(name))}


def _table(part: Any) -> dict[str, Any]:
    """The fields of a dataclass that say something, as a table of the configuration."""
    values = {f.name: getattr(part, f.name) for f in dataclasses.fields(part)}
    said = {k: v for k, v in values.items() if v is not None and v not in ((), {})}
    paths = {k: v for k, v in said.items() if k in ("file", "model", "embedding")}
    return {**plain(said), **_without_machine(paths)}


def _without_machine(paths: Mapping[str, str]) -> dict[str, str]:
    """Paths as they were written; of absolute ones, which tell of a machine, the last part."""
    return {k: Path(v).name if Path(v).is_absolute() else v for k, v in paths.items()}
