"""The configuration of a benchmark, read from TOML and checked.

The fields of the structs are the keys of the file, with their types, ranges and defaults.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import inspect
import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

import msgspec
from msgspec import Meta, Struct

from gsfm.benchmark.checks import at, check_keys, convert, label, one_of, read_toml, suggestion
from gsfm.benchmark.protocols import context_switch, half_split, hold_out, never_seen, time_split
from gsfm.benchmark.questions import Questions
from gsfm.benchmark.relations import new_interactions, new_relations
from gsfm.benchmark.releases import find_release
from gsfm.benchmark.report.summary import WITHOUT_LEAKS
from gsfm.errors import FormatError, GsfmError, require
from gsfm.models import FAMILIES
from gsfm.models.registry import SHIPPED as SHIPPED_FOLDER
from gsfm.models.settings import check_settings
from gsfm.sets.files import stem

#: In place of a file of gene sets: the corpus that comes with gsfm.
DEFAULT = "default"
#: In place of a model folder: the model that comes with gsfm.
SHIPPED = "shipped"
#: How often a model in training is evaluated if snapshots of it are wanted: after each pass, if it
#: has so many.
WATCHES = 50
#: The protocols about pairs of genes rather than terms.
RELATIONS = ("new-relations", "new-interactions")
#: The keys that name two releases of a library, in place of ``older`` and ``newer``.
_RELEASES = ("folder", "library", "from", "to")

Part = TypeVar("Part")
Text = Annotated[str, Meta(min_length=1)]
Count = Annotated[int, Meta(ge=1)]
Positive = Annotated[float, Meta(gt=0)]
Background = Literal["library", "genome"]

_PROTOCOLS: Mapping[str, Callable[..., Questions]] = {
    "half-split": half_split,
    "hold-out": hold_out,
    "time-split": time_split,
    "never-seen": never_seen,
    "new-relations": new_relations,
    "new-interactions": new_interactions,
    "context-switch": context_switch,
}
#: The files of each protocol: the parameters of its function that are gene sets.
FILES: Mapping[str, tuple[str, ...]] = {
    name: tuple(k for k, p in inspect.signature(f).parameters.items() if p.kind != p.KEYWORD_ONLY)
    for name, f in _PROTOCOLS.items()
}
#: The range of an option by its type; years have none.
_RANGES: Mapping[Any, Any] = {
    int: Count,
    int | None: Count | None,
    float: Annotated[float, Meta(ge=0, lt=1)],
    Sequence[int]: Annotated[tuple[Count, ...], Meta(min_length=1)],
}
_YEARS = ("after", "until")


def protocol(name: str) -> Callable[..., Questions]:
    """The function that makes a protocol's questions from its files, its options and a seed."""
    return _PROTOCOLS[name]


@functools.cache
def options(name: str) -> Mapping[str, inspect.Parameter]:
    """The options of a protocol: the parameters of its function besides files and seed.

    Examples
    --------
    >>> sorted(options("half-split"))
    ['noise', 'smallest', 'splits', 'terms']
    """
    signature = inspect.signature(protocol(name), eval_str=True)
    return {k: v for k, v in signature.parameters.items() if k not in (*FILES[name], "seed")}


@functools.cache
def _struct(name: str) -> type[Struct]:
    """The table of a task of this protocol."""
    fields: list[Any] = [("protocol", str), ("name", str, "")]
    fields += [("background", Background | None, None), *((key, Text) for key in FILES[name])]
    for key, option in options(name).items():
        kind = option.annotation if key in _YEARS else _RANGES[option.annotation]
        default = () if option.default is option.empty else (option.default,)
        fields.append((key, kind, *default))
    return msgspec.defstruct("Task", fields, kw_only=True, forbid_unknown_fields=True)


class Corpus(Struct, frozen=True, forbid_unknown_fields=True):
    """The training corpus of the methods; popularity and leakage are counted in it."""

    file: Text = DEFAULT  # a file or a folder of gene sets, or "default"
    until: int | None = None  # last year; later sets and sets without a year are excluded
    exclude: tuple[str, ...] = ()  # excluded sources
    held_out: Annotated[int, Meta(ge=0)] = 0  # sets excluded from training, for recall curves


class Leakage(Struct, frozen=True, forbid_unknown_fields=True):
    """How to find and handle terms that the corpus contains already."""

    #: A training set leaks a term if it has at least this share of its genes.
    share: Annotated[float, Meta(gt=0, le=1)] = 0.8
    retrain: tuple[str, ...] = ()  # trained methods that are also fitted without such sets


@dataclass(frozen=True)
class Task:
    """One protocol applied to one library.

    Parameters
    ----------
    protocol
        ``half-split``, ``hold-out``, ``time-split``, ``never-seen``, ``new-relations``,
        ``new-interactions`` or ``context-switch``.
    files
        The protocol's files: ``library``; ``older`` and ``newer``; or ``sets``.
    options
        The protocol's options.
    name
        Name in the report; if empty, the benchmark makes one from the files and the protocol.
    background
        ``"library"`` or ``"genome"`` for this task; that of the benchmark if None.

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
    background: Background | None = None

    def __post_init__(self) -> None:
        one_of(self.protocol, FILES, "there is no protocol")
        check_keys(self.files, FILES[self.protocol])
        own = {"protocol": self.protocol, "name": self.name, "background": self.background}
        table = convert({**self.options, **self.files, **own}, _struct(self.protocol), _elsewhere)
        _check_distinct(list(self.files.values()), self)
        known = options(self.protocol)
        checked = {key: getattr(table, key) for key in known if key in self.options}
        for key, value in checked.items():
            twice = isinstance(value, tuple) and len(set(value)) < len(value)
            require(not twice, f"{key} has an entry twice: {self.options[key]}")
        object.__setattr__(self, "options", checked)

    @property
    def title(self) -> str:
        """The default name of the task."""
        names = [
            "publications" if file == DEFAULT else stem(file).replace("_", " ")
            for file in self.files.values()
        ]
        if len(names) == 2:
            older, newer = (name.split() for name in names)
            pairs = zip(older, newer, strict=False)
            same = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
            names = [f"{names[0]} to {' '.join(newer[same:] or newer)}"]
        after = f" after {self.options['after']}" if "after" in self.options else ""
        noise = f", noise {self.options['noise']:g}" if self.options.get("noise") else ""
        return f"{names[0]}, {self.protocol.replace('-', ' ')}{after}{noise}"

    def to_dict(self) -> dict[str, Any]:
        """The task as a table of the configuration."""
        own = {"name": self.name, "protocol": self.protocol, "background": self.background}
        table = _plain({**own, **_without_machine(self.files), **self.options})
        return {key: value for key, value in table.items() if value is not None}


class Spec(Struct, frozen=True, forbid_unknown_fields=True):
    """A method of a configuration: each kind of method is a subclass."""

    name: str  # name in the report

    #: The key of the configuration that only this kind of method has.
    key: ClassVar[str]

    @property
    def kind(self) -> str:
        """The kind of method in a few words."""
        return _kind(self)

    def to_dict(self) -> dict[str, Any]:
        """The method as a table of the configuration."""
        return _table(self)


class Trained(Spec, frozen=True):
    """A model family that is fitted on the corpus of the run.

    Examples
    --------
    >>> Trained("EASE", "linear", {"regularization": 20}).kind
    "linear, trained on this run's corpus"
    """

    train: str  # the family
    settings: Mapping[str, Any] = {}  # of the family
    weights: Mapping[str, Annotated[float, Meta(ge=0)]] = {}  # of the sets of a source
    max_seconds: Positive | None = None  # training stops after that time

    key = "train"

    def __post_init__(self) -> None:
        _check_settings(self, self.train)
        stepwise = [name for name, family in sorted(FAMILIES.items()) if family.can_resume]
        what = f"max_seconds: {self.train} is fitted in one go; {', '.join(stepwise)} are not"
        require(self.max_seconds is None or self.train in stepwise, what)


class Summed(Spec, frozen=True):
    """The weighted sum of the standardized scores of earlier methods, except gene vectors.

    With `prior_precision`, a `gsfm.models.Adaptive`: each set weights the methods anew.
    """

    sum: Mapping[str, float]  # weight of each method
    #: Prior precision of the weights, for `Adaptive`: one number for all methods, or one for each.
    prior_precision: Positive | Mapping[str, Positive] | None = None

    key = "sum"

    def __post_init__(self) -> None:
        require(bool(self.sum), "sum must name one method or more, with its weight")
        require(any(self.sum.values()), "sum: the weights must be numbers, not all of them 0")
        if isinstance(self.prior_precision, Mapping):
            with at("prior_precision"):
                check_keys(self.prior_precision, self.sum)
                for name in self.sum:
                    require(name in self.prior_precision, f"the key {name!r} is missing")

    def precisions(self) -> float | tuple[float, ...] | None:
        """The prior_precision, with that of each method in the order of the sum."""
        if isinstance(self.prior_precision, Mapping):
            return tuple(self.prior_precision[name] for name in self.sum)
        return self.prior_precision

    def renamed(self, name: str, members: Mapping[str, str]) -> Self:
        """The same sum with other names of its methods."""
        own = self.prior_precision
        if isinstance(own, Mapping):
            own = {members[old]: value for old, value in own.items()}
        weights = {members[old]: weight for old, weight in self.sum.items()}
        return msgspec.structs.replace(self, name=name, sum=weights, prior_precision=own)


class Snapshot(Spec, frozen=True):
    """A trained method at an earlier point of its training."""

    snapshot_of: str  # the method, which comes before
    #: The number of the evaluation, of `WATCHES`; "best": that with the best recall on held-out
    #: sets.
    at: Annotated[int, Meta(ge=1, le=WATCHES)] | Literal["best"] = "best"

    key = "snapshot_of"


class Saved(Spec, frozen=True):
    """A model that was trained before."""

    model: Text  # a model folder or a published checkpoint, or "shipped"

    key = "model"


class FromLibrary(Spec, frozen=True):
    """A model family that is fitted on the older release of each task's library."""

    library: str  # the family
    settings: Mapping[str, Any] = {}  # of the family

    key = "library"

    def __post_init__(self) -> None:
        _check_settings(self, self.library)


class Embedded(Spec, frozen=True):
    """A table of gene vectors, compared by their cosine."""

    embedding: Text  # the file

    key = "embedding"


_KINDS: tuple[type[Spec], ...] = (Trained, Summed, Snapshot, Saved, FromLibrary, Embedded)


def _kind(spec: Spec) -> str:
    """The kind of method in a few words."""
    match spec:
        case Trained():
            end = "" if spec.max_seconds is None else f" for {spec.max_seconds:g} s"
            return f"{spec.train}, trained on this run's corpus{end}"
        case Summed():
            summed = " + ".join(f"{weight:g} {name}" for name, weight in spec.sum.items())
            own = spec.precisions()
            each = own if isinstance(own, tuple) else (own,)
            shown = ", ".join(f"{one:g}" for one in each if one is not None)
            return f"sum of {summed}" + (f", weighed by each set ({shown})" if shown else "")
        case Snapshot(at="best"):
            return f"{spec.snapshot_of} when its recall@50 on held-out sets was best"
        case Snapshot():
            return f"{spec.snapshot_of} at evaluation {spec.at} of {WATCHES}"
        case Saved():
            return "the shipped model" if spec.model == SHIPPED else "a saved model"
        case FromLibrary():
            return f"{spec.library}, fitted on the library's older release"
    return "gene vectors, mean cosine"


class _File(Struct, forbid_unknown_fields=True):
    """The top level of a configuration file."""

    name: str = "benchmark"
    seed: Annotated[int, Meta(ge=0)] = 0
    background: Background = "library"
    corpus: Any = msgspec.field(default_factory=dict)
    leakage: Any = None
    task: Any = ()
    method: Any = ()


@dataclass(frozen=True)
class Benchmark:
    """A benchmark: its tasks and the methods that it compares.

    Parameters
    ----------
    tasks
        The tasks.
    methods
        The methods; a sum comes after the methods that it sums.
    name
        Title of the report.
    seed
        Seed of everything random.
    background
        ``"library"``: a task ranks the genes of its library that all methods know. ``"genome"``:
        all genes that all methods know.
    corpus
        The training corpus of the methods.
    leakage
        How to handle leaked terms; None to ignore leakage.
    data
        The folder at which relative paths start.

    Raises
    ------
    ValueError
        If a part is wrong, two tasks or methods have one name, or a method does not exist.

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
    background: Background = "library"
    corpus: Corpus = field(default_factory=Corpus)
    leakage: Leakage | None = None
    data: Path = field(default=Path(), compare=False)

    def __post_init__(self) -> None:
        convert({"name": self.name, "seed": self.seed, "background": self.background}, _File)
        for kind, parts in (("task", self.tasks), ("method", self.methods)):
            require(len(parts) > 0, f"there is no {kind}; a benchmark needs one or more [[{kind}]]")
        object.__setattr__(self, "tasks", _named(self.tasks))
        object.__setattr__(self, "methods", tuple(self.methods))
        _check_names("task", [task.name for task in self.tasks])
        _check_names("method", [spec.name for spec in self.methods])
        with at("[corpus]"):
            _check(self.corpus)
        for i, spec in enumerate(self.methods):
            with at(label("method", i, spec.name)):
                _check(spec)
                self._check_method(spec, self.methods[:i])
        if self.leakage is not None:
            with at("[leakage]"):
                _check(self.leakage)
                trained = [spec.name for spec in self.methods if isinstance(spec, Trained)]
                for name in self.leakage.retrain:
                    one_of(name, trained, "retrain: no method with 'train' is called")

    def _check_method(self, spec: Spec, earlier: Sequence[Spec]) -> None:
        """Raise ValueError unless the methods that a method needs come before it."""
        own = not spec.name.endswith(WITHOUT_LEAKS)
        require(
            own, f"name: {spec.name!r} is the name that a run gives a method that it fits again"
        )
        known = {other.name: other for other in earlier}
        if isinstance(spec, Summed):
            later = {other.name for other in self.methods} - set(known)
            for name in spec.sum:
                require(name not in later, f"sum: {name!r} comes later; put this sum behind it")
                one_of(name, known, "sum: no method before it is called")
                vectors = isinstance(known[name], Embedded)
                what = f"sum: {name!r} is {known[name].kind}, which is no model that can be summed"
                require(not vectors, what)
        if isinstance(spec, Snapshot):
            trained = {name: other for name, other in known.items() if isinstance(other, Trained)}
            steps = [n for n, other in trained.items() if FAMILIES[other.train].learns_in_steps]
            what = "snapshot_of: no method before it that learns in steps is called"
            one_of(spec.snapshot_of, steps, what)
            what = "snapshot_of: needs held-out sets: [corpus] held_out = 2000"
            require(self.corpus.held_out > 0, what)

    @classmethod
    def from_dict(cls, tables: Mapping[str, Any], *, data: str | Path = ".") -> Self:
        """Make a benchmark of the tables of a configuration; the opposite of `to_dict`.

        Raises
        ------
        ValueError
            If a part is wrong. The message names the table and the key.

        Examples
        --------
        >>> Benchmark.from_dict({"task": [{"protocl": "half-split"}]})
        Traceback (most recent call last):
        ...
        ValueError: [[task]] 1: there is no key 'protocl'; did you mean 'protocol'?
        """
        file, data = convert(tables, _File), Path(data)
        with at("[corpus]"):
            corpus = convert(file.corpus, Corpus)
        with at("[leakage]"):
            leakage = None if file.leakage is None else convert(file.leakage, Leakage)
        tasks = _parts("task", file.task, functools.partial(_task, data=data))
        methods = _parts("method", file.method, _method)
        return cls(tasks, methods, file.name, file.seed, file.background, corpus, leakage, data)

    def to_dict(self) -> dict[str, Any]:
        """The tables of the configuration; an absolute path is cut to its last part."""
        tables: dict[str, Any] = {
            "name": self.name,
            "seed": self.seed,
            "background": self.background,
            "corpus": _table(self.corpus),
            "task": [task.to_dict() for task in self.tasks],
            "method": [method.to_dict() for method in self.methods],
        }
        return tables if self.leakage is None else tables | {"leakage": _table(self.leakage)}

    @property
    def hash(self) -> str:
        """SHA-256 of the content of the configuration; independent of the order of its keys."""
        return content_hash(self.to_dict())

    def path(self, text: str) -> Path:
        """The file for a path of the configuration."""
        return self.data / text

    def check_files(self) -> None:
        """Check that every file exists.

        Raises
        ------
        ValueError
            If one does not. The message names the table, the key and the path.
        """
        for place, key, text in self._files():
            with at(f"{place}: {key}"):
                if key == "model":
                    path = SHIPPED_FOLDER if text == SHIPPED else self._existing(text)
                    lacks = f"{path} is not a model folder: it has no config.json"
                    require((path / "config.json").is_file(), lacks)
                elif text != DEFAULT:
                    path = self._existing(text)
                    require(key == "file" or path.is_file(), f"{path} is a folder, not a file")
        for i, task in enumerate(self.tasks):
            with at(label("task", i, task.name)):
                _check_distinct([self.path(text).resolve() for text in task.files.values()], task)

    def _files(self) -> Iterator[tuple[str, str, str]]:
        """Table, key and path of every file."""
        yield "[corpus]", "file", self.corpus.file
        for i, task in enumerate(self.tasks):
            for key, text in task.files.items():
                yield label("task", i, task.name), key, text
        for i, spec in enumerate(self.methods):
            if isinstance(spec, Embedded | Saved):
                yield label("method", i, spec.name), spec.key, getattr(spec, spec.key)

    def _existing(self, text: str) -> Path:
        """The file for a path; ValueError if there is none."""
        path = self.path(text)
        if path.exists():
            return path
        start = "" if Path(text).is_absolute() else f" (relative paths start at {self.data})"
        folder = path.parent
        require(folder.is_dir(), f"{path}: there is no folder {folder}{start}")
        similar = suggestion(path.name, [other.name for other in folder.iterdir()])
        raise ValueError(f"{path}: no such file{similar}{start}")


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
        A corpus in place of the one in the file: a path, or ``"default"``.

    Raises
    ------
    FormatError
        If the file is not TOML, a key is unknown, missing or wrong, or a file does not exist. The
        message names the table and the key.

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
            own = msgspec.structs.replace(benchmark.corpus, file=text)
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


def _parts(kind: str, tables: Any, make: Callable[[Mapping[str, Any]], Part]) -> list[Part]:
    """The tasks or methods of the tables under ``[[kind]]``."""
    fits = isinstance(tables, list | tuple) and all(isinstance(t, Mapping) for t in tables)
    require(fits, f"write [[{kind}]], in two brackets, above the keys of each {kind}")
    parts = []
    for i, table in enumerate(tables):
        with at(label(kind, i, table.get("name"))):
            parts.append(make(table))
    return parts


def _method(table: Mapping[str, Any]) -> Spec:
    """The method of a table: one key determines its kind."""
    kinds = {kind.key: kind for kind in _KINDS if kind.key in table}
    both = " and ".join(map(repr, kinds))
    require(len(kinds) < 2, f"{both} contradict each other: keep one")
    if not kinds:
        check_keys(table, {key for kind in _KINDS for key in kind.__struct_fields__})
        keys = ", ".join(repr(kind.key) for kind in _KINDS)
        raise ValueError(f"one of the keys {keys} must say where it comes from")
    (kind,) = kinds.values()
    return convert(table, kind)


def _task(table: Mapping[str, Any], *, data: Path) -> Task:
    """The task of a table that holds its files and options side by side."""
    own = {"protocol", "name", "background"}
    if "protocol" not in table:
        check_keys(table, {*own, *_RELEASES, *(key for name in FILES for key in _keys(name))})
        raise ValueError(f"the key 'protocol' is missing; there are {', '.join(FILES)}")
    protocol = table["protocol"]
    one_of(protocol, FILES, "there is no protocol")
    releases = [key for key in _RELEASES if key in table] if len(FILES[protocol]) == 2 else []
    check_keys(table, (*own, *_keys(protocol), *releases), _elsewhere)
    files = {key: table[key] for key in FILES[protocol] if key in table}
    what = f"{next(iter(files), '')!r} and the keys {', '.join(_RELEASES)} contradict each other"
    require(not (releases and files), f"{what}: name two files, or a library in a folder")
    rest = {k: v for k, v in table.items() if k not in {*own, *files, *releases}}
    if releases:
        files = _find_releases({key: table[key] for key in releases}, data)
    return Task(protocol, files, rest, table.get("name", ""), table.get("background"))


class _Releases(Struct, rename={"start": "from", "end": "to"}, forbid_unknown_fields=True):
    folder: str
    library: str
    start: int | str
    end: int | str


def _find_releases(table: Mapping[str, Any], data: Path) -> dict[str, str]:
    """The files of a library's releases of two years, as paths from the folder `data`."""
    with at(", ".join(_RELEASES)):
        wanted = convert(table, _Releases)
    start, end = wanted.start, wanted.end
    require(str(start) < str(end), f"'from' ({start}) must be before 'to' ({end})")
    found = {}
    for key, year in (("older", start), ("newer", end)):
        try:
            path = find_release(data / wanted.folder, wanted.library, year)
        except GsfmError as error:
            raise ValueError(str(error)) from error
        inside = path.is_relative_to(data)
        found[key] = path.relative_to(data).as_posix() if inside else str(path)
    return found


def _named(tasks: Iterable[Task]) -> tuple[Task, ...]:
    """The tasks, each with a name: those without one get their title, which is made unique."""
    tasks = list(tasks)
    taken = {folder_name(task.name).casefold() for task in tasks if task.name}
    out = []
    for task in tasks:
        titles = (f"{task.title} ({n})" if n > 1 else task.title for n in itertools.count(1))
        name = task.name or next(t for t in titles if folder_name(t).casefold() not in taken)
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


def _check_distinct(paths: Sequence[str | Path], task: Task) -> None:
    """Raise ValueError if two files of a task are the same."""
    same = len(set(paths)) < len(paths)
    require(not same, f"{' and '.join(task.files)} are the same file")


def _check(part: Struct) -> None:
    """Raise ValueError unless the fields have their types and ranges: a constructor checks none."""
    convert(msgspec.to_builtins(part), type(part))


def _check_settings(spec: Trained | FromLibrary, family: str) -> None:
    """Convert the settings of a family to the types that it declares, and check them."""
    one_of(family, FAMILIES, f"{spec.key}: there is no family")
    config = FAMILIES[family].Config
    with at("settings"):
        check_keys(spec.settings, [f.name for f in dataclasses.fields(config)])
        checked = check_settings(config, spec.settings)
        FAMILIES[family](**checked)  # checks their ranges
    msgspec.structs.force_setattr(spec, "settings", checked)


def _keys(name: str) -> tuple[str, ...]:
    """The files and options of a protocol."""
    return (*FILES[name], *options(name))


def _elsewhere(key: str) -> str:
    """The protocols that have a key, if any has."""
    having = [name for name in FILES if key in _keys(name)]
    return f" here; it belongs to {', '.join(having)}" if having else ""


def _plain(value: Any) -> Any:
    """The value as JSON and TOML have it: tuples as lists."""
    return msgspec.json.decode(msgspec.json.encode(value))


def _table(part: Struct) -> dict[str, Any]:
    """The fields that are not empty, as a table of the configuration."""
    fields = {k: v for k, v in _plain(part).items() if v is not None and v not in ([], {})}
    paths = {k: v for k, v in fields.items() if k in ("file", "model", "embedding")}
    return fields | _without_machine(paths)


def _without_machine(paths: Mapping[str, str]) -> dict[str, str]:
    """The paths as they were written; absolute ones, which reveal the machine, without folders."""
    return {k: Path(v).name if Path(v).is_absolute() else v for k, v in paths.items()}
