"""A run: every method of a benchmark answers every task, and what they found is brought together.

The run goes method by method, so that one large model at a time is in memory. Every answer of a
method to a task is a unit, which is written when it is whole; a run that was stopped goes on after
the last of them.
"""

from __future__ import annotations

import dataclasses
import hashlib
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm import corpus as corpora
from gsfm import models
from gsfm import sets as libraries
from gsfm._errors import GsfmError, MissingExtraError
from gsfm._files import atomic_path, sha256_file
from gsfm._version import __version__
from gsfm.evaluation import _corpus, _leakage, _train
from gsfm.evaluation._config import (
    DEFAULT,
    FILES,
    SHIPPED,
    Benchmark,
    Embedded,
    FromLibrary,
    Saved,
    Spec,
    Summed,
    Task,
    Trained,
    content_hash,
    folder_name,
    protocol,
)
from gsfm.evaluation._embedding import Embedding
from gsfm.evaluation._measure import Measured, measure
from gsfm.evaluation._method import Cost, Method
from gsfm.evaluation._peers import LibraryModel, ModelMethod
from gsfm.evaluation._questions import Questions
from gsfm.evaluation._results import Results, Unit, join, read_about, write_about
from gsfm.evaluation._summary import WITHOUT_LEAKS
from gsfm.genes import Vocabulary
from gsfm.models._load import SHIPPED as SHIPPED_FOLDER
from gsfm.sets import GeneSets

#: Units are computed again if what they are made of changes; raise it when the measuring does.
UNIT_FORMAT = 1
#: How many training sets cover a term, and how many of these are narrow.
LEAKS = {"task": pl.String, "term": pl.String, "covering": pl.Int64, "narrow": pl.Int64}


@dataclass(frozen=True)
class Event:
    """A moment of a run.

    Attributes
    ----------
    text
        What is going on, or was found.
    passing
        Whether the next event overtakes it; otherwise it is worth keeping.
    done, units
        How many answers of a method to a task there are, and how many there will be.
    seconds_left
        Time left for the answers, without that for training; None until one of them is there.
    """

    text: str
    passing: bool = False
    done: int = 0
    units: int = 0
    seconds_left: float | None = None


def run(
    benchmark: Benchmark,
    folder: str | Path,
    *,
    threads: int | None = None,
    only: Collection[str] = (),
    pages: bool = True,
    progress: Callable[[Event], None] | None = None,
) -> Results:
    """Run a benchmark, or go on with one that was stopped.

    Parameters
    ----------
    benchmark
        What is asked of which methods.
    folder
        Where the results are, or shall be; the trained models too.
    threads
        Threads for training; as many as the libraries choose if None.
    only
        The names of the tasks to do now; all if empty. The results then hold these, and what was
        there before.
    pages
        Write ``report.html`` and ``report.md``.
    progress
        Called as the run goes on.

    Returns
    -------
    Results
        What was found.

    Raises
    ------
    GsfmError
        If the folder has results of another configuration, or a file is wrong, or nothing could be
        asked of any task.
    MissingExtraError
        If the pages, or the training of a method, need an extra that is not installed; before
        anything is computed.
    KeyboardInterrupt
        On Ctrl-C. Finished units stay, and a model in training is saved with its checkpoint; the
        same call goes on from there.

    Examples
    --------
    >>> import tempfile
    >>> from gsfm.evaluation._config import Corpus
    >>> here = Path(tempfile.mkdtemp())
    >>> letters = GeneSets.from_lists({"one": list("ABCDEFGHIJKL"), "two": list("FGHIJKLMNOPQ")})
    >>> letters.save(here / "library.gsets")
    >>> letters.union(letters[:1]).save(here / "corpus.gsets")
    >>> benchmark = Benchmark(
    ...     [Task("half-split", {"library": "library.gsets"}, name="letters")],
    ...     [Trained("popularity", "popularity")],
    ...     corpus=Corpus("corpus.gsets"),
    ...     data=here,
    ... )
    >>> results = run(benchmark, here / "results", pages=False)
    >>> results.questions.select("task", "method", "term", "split").row(0)
    ('letters', 'popularity', 'one', 1)
    """
    return _Run(benchmark, Path(folder), threads, progress or (lambda event: None)).do(only, pages)


@dataclass(frozen=True)
class _Asked:
    """A task made ready."""

    task: Task
    files: Mapping[str, GeneSets]  # over their own vocabularies
    questions: Questions | None  # None if there is nothing to ask
    record: dict[str, Any]  # for the report
    popularity: NDArray[np.int64]  # (background,) sets of the corpus with the gene
    papers: NDArray[np.int64]  # (background,) papers with the gene

    @property
    def name(self) -> str:
        return self.task.name


class _Run:
    def __init__(
        self,
        benchmark: Benchmark,
        folder: Path,
        threads: int | None,
        progress: Callable[[Event], None],
    ) -> None:
        self.benchmark, self.folder, self.threads = benchmark, folder, threads
        self._progress = progress
        self._done = self._units = 0
        #: Questions to be answered now, questions answered, and the seconds that these took.
        self._waiting = self._answered = 0
        self._seconds = 0.0
        #: SHA-256 of every file that was read, by its name in the configuration.
        self.data: dict[str, str] = {}
        self._libraries: dict[str, GeneSets] = {}
        #: What reading a method's file met.
        self.read: dict[str, Any] = {}

    def tell(self, text: str, *, passing: bool = False) -> None:
        left = None
        if self._answered:
            left = self._seconds / self._answered * (self._waiting - self._answered)
        self._progress(Event(text, passing, self._done, self._units, left))

    def do(self, only: Collection[str], pages: bool) -> Results:
        names = [task.name for task in self.benchmark.tasks]
        unknown = sorted(set(only) - set(names))
        if unknown:
            raise GsfmError(f"there is no task {unknown[0]!r}; there are {', '.join(names)}")
        if pages:
            _need_for_pages()
        for spec in self.benchmark.methods:
            if isinstance(spec, Trained | FromLibrary):
                family = spec.train if isinstance(spec, Trained) else spec.library
                _train.unfitted(family, dict(spec.settings))
        before = self._before()
        self._read_corpus()
        vocabularies = self._vocabularies()
        asked = [self._ask(task, vocabularies) for task in self.benchmark.tasks]
        if all(one.questions is None for one in asked):
            reasons = "; ".join(f"{one.name}: {one.record['reason']}" for one in asked)
            raise GsfmError(f"no task has anything to ask: {reasons}")
        if before is not None and before["data"] != self.data:
            changed = [k for k, v in self.data.items() if before["data"].get(k) != v]
            raise GsfmError(
                f"{self.folder}: {changed[0]!r} is not what it was when these results were begun; "
                "choose another folder"
            )
        leaks = self._leaks(asked)
        self.specs = self._specs()
        self._write_background(asked, leaks)
        about = {
            "name": self.benchmark.name,
            "gsfm": __version__,
            "seed": self.benchmark.seed,
            "configuration": self.benchmark.to_dict(),
            "hash": self.benchmark.hash,
            "data": self.data,
            "corpus": self.corpus_record,
            "leakage": self.leakage_record,
            "reference": next(
                (s.name for s in self.specs if isinstance(s, Trained) and s.train == "popularity"),
                None,
            ),
            "tasks": [one.record for one in asked],
            "methods": [
                {"method": spec.name, "kind": self._kind(spec)}
                | ({"read": self.read[spec.name]} if spec.name in self.read else {})
                for spec in self.specs
            ],
        }
        write_about(self.folder, about)
        units = {
            (one.name, spec.name): self._unit(one, spec)
            for one in asked
            for spec in self.specs
            if one.questions is not None
        }
        self._answer(asked, units, only)
        return self._finish(about, units, pages)

    # -- before ----------------------------------------------------------------------------------

    def _before(self) -> dict[str, Any] | None:
        """What the folder says of an earlier run of this benchmark; None if it is new."""
        if not self.folder.exists() or not any(self.folder.iterdir()):
            return None
        about = read_about(self.folder)
        differs = _difference(about["configuration"], self.benchmark.to_dict())
        if differs is not None:
            raise GsfmError(
                f"{self.folder}: these results are of another configuration ({differs}); "
                "choose another folder"
            )
        return about

    def _read_corpus(self) -> None:
        part = self.benchmark.corpus
        self.tell("reading the corpus", passing=True)
        whole = corpora.load(DEFAULT if part.file == DEFAULT else self.benchmark.path(part.file))
        self.data["corpus"] = corpora.content_hash(whole)
        self.corpus, dropped = _corpus.select(whole, until=part.until, exclude=part.exclude)
        changed = any(dropped.values())
        self.corpus_hash = corpora.content_hash(self.corpus) if changed else self.data["corpus"]
        self.corpus_record = {
            "sets": len(self.corpus),
            "members": len(self.corpus.indices),
            "genes": self.corpus.n_genes,
            "hash": self.corpus_hash,
            "dropped": dropped,
        }
        left_out = [f"{n:,} {why.replace('_', ' ')}" for why, n in dropped.items() if n]
        self.tell(
            f"corpus: {len(self.corpus):,} sets, {self.corpus.n_genes:,} genes"
            + (f"; left out: {', '.join(left_out)}" if left_out else "")
        )

    def _vocabularies(self) -> dict[str, Vocabulary | None]:
        """The genes that each method knows; None for all."""
        known: dict[str, Vocabulary | None] = {}
        for spec in self.benchmark.methods:
            match spec:
                case Trained():
                    known[spec.name] = self.corpus.vocabulary
                case Summed():
                    members = [known[name] or () for name in spec.sum]
                    symbols = dict.fromkeys(gene for member in members for gene in member)
                    known[spec.name] = Vocabulary(symbols)
                case Saved():
                    self.tell(f"reading {spec.name}", passing=True)
                    folder = self._saved_folder(spec)
                    for name in ("config.json", "vocab.txt", "model.safetensors"):
                        self.data[f"{spec.name}/{name}"] = sha256_file(folder / name)
                    known[spec.name] = self._load_saved(spec).vocabulary
                case Embedded():
                    self.tell(f"reading {spec.name}", passing=True)
                    path = self.benchmark.path(spec.embedding)
                    self.data[spec.name] = sha256_file(path)
                    embedding = Embedding.read(path, spec.name)
                    known[spec.name] = embedding.vocabulary
                    if embedding.report is not None:
                        self.read[spec.name] = embedding.report.to_dict()
                case _:
                    known[spec.name] = None
        return known

    def _library(self, file: str) -> GeneSets:
        """The gene sets of a file of the configuration."""
        if file not in self._libraries:
            self._libraries[file] = self._read_library(file)
        return self._libraries[file]

    def _read_library(self, file: str) -> GeneSets:
        self.tell(f"reading {Path(file).name}", passing=True)
        if file == DEFAULT:
            read = corpora.embedded()
            self.data[file] = corpora.content_hash(read)
            return read
        path = self.benchmark.path(file)
        # The hash says whether it is the same file; a folder of files has none of its own.
        read = corpora.load(path) if path.is_dir() else libraries.read(path)
        name = path.name if Path(file).is_absolute() else file
        self.data[name] = corpora.content_hash(read) if path.is_dir() else sha256_file(path)
        return read

    # -- tasks -----------------------------------------------------------------------------------

    def _ask(self, task: Task, vocabularies: Mapping[str, Vocabulary | None]) -> _Asked:
        """Make the questions of a task, the same for all methods."""
        files = {key: self._library(file) for key, file in task.files.items()}
        self.tell(f"asking {task.name}", passing=True)
        own, background, lacks = _background(
            list(files.values()), vocabularies, whole_genome=self.benchmark.background == "genome"
        )
        record: dict[str, Any] = {
            "task": task.name,
            "protocol": task.protocol,
            "files": {key: _said_of_file(file, files[key]) for key, file in task.files.items()},
            "genes": {"library": own, "background": len(background)},
            # Genes that are left out of the comparison because the method does not know them.
            "unknown_to": lacks,
            "skipped": {},
            "about": {},
            "reason": None,
        }
        questions = None
        try:
            if own == 0:
                raise GsfmError("no identifier of the library is that of a known gene")
            if len(background) == 0:
                raise GsfmError("no gene of the library is known to all methods")
            over = {key: sets.reindex(background) for key, sets in files.items()}
            questions = protocol(task.protocol)(**over, **task.options, seed=self.benchmark.seed)
            if len(questions) == 0:
                raise GsfmError("no term is large enough")
        except GsfmError as error:
            questions = None
            record["reason"] = str(error)
            self.tell(f"{task.name}: skipped: {error}")
        except ValueError as error:  # settings that contradict each other
            raise GsfmError(f"{task.name}: {error}") from error
        else:
            record |= {
                "skipped": dict(questions.skipped),
                "about": dict(questions.about),
                "hash": _hash_of(questions),
            }
            self.tell(_said_of(questions, task.name, lacks))
        return _Asked(
            task,
            files,
            questions,
            record,
            popularity=_corpus.counts(self.corpus, background),
            papers=_corpus.counts(self._library(DEFAULT), background),
        )

    def _leaks(self, asked: Sequence[_Asked]) -> pl.DataFrame | None:
        """Which terms the training sets cover; and the corpus without those sets."""
        self.leakage_record: dict[str, Any] | None = None
        self.reduced: GeneSets | None = None
        part = self.benchmark.leakage
        if part is None:
            return None
        tables = []
        rows: list[NDArray[np.int64]] = []
        counts: dict[str, Any] = {}
        for one in asked:
            if one.questions is None or one.task.protocol == "new-relations":
                continue  # it has no terms
            self.tell(f"looking for training sets that cover a term of {one.name}", passing=True)
            # The library's own terms, of which a term of the newer release is the whole.
            terms = one.files[FILES[one.task.protocol][-1]].reindex(one.questions.background)
            terms = terms[np.flatnonzero(np.isin(terms.names, _terms_of(one.questions)))]
            if not (_corpus.counts(self.corpus, one.questions.background) > 0).any():
                continue  # models that were trained on something else may know the library
            leaks = _leakage.covering(self.corpus, terms, part.share)
            table = _by_question(one.questions, leaks.terms)
            tables.append(table.select(pl.lit(one.name).alias("task"), *table.columns))
            rows.append(leaks.sets())
            counts[one.name] = {
                "terms": table.height,
                "covered_terms": table.filter(pl.col("covering") > 0).height,
                "covering_sets": len(leaks.sets()),
                # By a set that is not so much larger than the term that it covers many anyway.
                "covered_by_narrow": table.filter(pl.col("narrow") > 0).height,
                "narrow_sets": len(leaks.sets(narrow=True)),
            }
            self.tell(
                f"{one.name}: {counts[one.name]['covered_terms']:,} of {table.height:,} terms are "
                f"covered by {len(leaks.sets()):,} training sets"
            )
        covering = np.unique(np.concatenate([np.empty(0, np.int64), *rows]))
        self.leakage_record = {
            "share": part.share,
            "covering_sets": len(covering),
            "tasks": counts,
        }
        if part.retrain and len(covering):
            self.reduced = _corpus.without(self.corpus, covering)
            self.reduced_hash = corpora.content_hash(self.reduced)
        return pl.concat(tables) if tables else pl.DataFrame(schema=LEAKS)

    def _write_background(self, asked: Sequence[_Asked], leaks: pl.DataFrame | None) -> None:
        parts = [
            pl.DataFrame(
                {
                    "task": one.name,
                    "gene": list(one.questions.background),
                    "popularity": one.popularity,
                    "papers": one.papers,
                }
            )
            for one in asked
            if one.questions is not None
        ]
        tables = {"backgrounds": pl.concat(parts), "leaks": leaks}
        for name, table in tables.items():
            if table is not None:
                with atomic_path(self.folder / f"{name}.parquet") as temporary:
                    table.write_parquet(temporary)

    # -- methods ---------------------------------------------------------------------------------

    def _specs(self) -> list[Spec]:
        """The methods, and after each that is to be fitted again the one without leaks.

        A sum of such methods is summed again too.
        """
        specs: list[Spec] = []
        again: set[str] = set()
        retrain = () if self.reduced is None else self.benchmark.leakage.retrain  # type: ignore[union-attr]
        for spec in self.benchmark.methods:
            specs.append(spec)
            name = spec.name + WITHOUT_LEAKS
            if isinstance(spec, Trained) and spec.name in retrain:
                specs.append(dataclasses.replace(spec, name=name))
            elif isinstance(spec, Summed) and set(spec.sum) <= again:
                members = {member + WITHOUT_LEAKS: weight for member, weight in spec.sum.items()}
                specs.append(dataclasses.replace(spec, name=name, sum=members))
            else:
                continue
            again.add(spec.name)
        return specs

    def _kind(self, spec: Spec) -> str:
        again = isinstance(spec, Trained) and _is_again(spec)
        return spec.kind + " without the sets that cover a term" * again

    def _identity(self, spec: Spec) -> dict[str, Any]:
        """All that the answers of a method depend on, but for the questions."""
        about: dict[str, Any] = {"method": spec.to_dict(), "seed": self.benchmark.seed}
        match spec:
            case Trained():
                again = _is_again(spec)
                about["corpus"] = self.reduced_hash if again else self.corpus_hash
                about["weights"] = _hash_of_array(self.corpus.weights)
            case Summed():
                about["members"] = [self._identity(self._spec(name)) for name in spec.sum]
            case _:
                own = (k for k in self.data if k == spec.name or k.startswith(f"{spec.name}/"))
                about["data"] = {key: self.data[key] for key in own}
        return about

    def _spec(self, name: str) -> Spec:
        return next(spec for spec in self.specs if spec.name == name)

    def _method(self, spec: Spec) -> Method:
        """Load a method; one that is trained on the run's corpus is fitted first."""
        kind = self._kind(spec)
        match spec:
            case Trained():
                self._train(spec)
                return ModelMethod.load(spec.name, self._model_folder(spec), kind)
            case Saved():
                return self._load_saved(spec)
            case Summed():
                members = [self._method(self._spec(name)) for name in spec.sum]
                summed = [m.model for m in members if isinstance(m, ModelMethod)]
                model = models.Ensemble.of(summed, list(spec.sum.values()))
                return ModelMethod(spec.name, model, kind, _together([m.cost for m in members]))
            case FromLibrary():
                settings = dict(spec.settings)
                return LibraryModel(spec.name, spec.library, settings, seed=self.benchmark.seed)
            case Embedded():
                return Embedding.read(self.benchmark.path(spec.embedding), spec.name)
        raise AssertionError(spec)

    def _train(self, spec: Trained) -> None:
        again = _is_again(spec)
        sets, its_hash = self.corpus, self.corpus_hash
        if again and self.reduced is not None:
            sets, its_hash = self.reduced, self.reduced_hash
        if spec.weights:
            sets = _corpus.weighted(sets, spec.weights)

        def progress(now: models.Progress) -> None:
            left = f"{clock(now.seconds)} gone, {clock(now.seconds_left)} left"
            self.tell(
                f"training {spec.name}: step {now.step:,}/{now.steps:,}, {left}, "
                f"loss {now.loss:.3f}",
                passing=True,
            )

        self.tell(f"training {spec.name}", passing=True)
        folder = self._model_folder(spec)
        folder.parent.mkdir(parents=True, exist_ok=True)
        _train.trained(
            _train.unfitted(spec.train, dict(spec.settings)),
            sets,
            its_hash,
            folder,
            seed=self.benchmark.seed,
            threads=self.threads,
            max_seconds=spec.max_seconds,
            progress=progress,
        )

    def _model_folder(self, spec: Spec) -> Path:
        return self.folder / "models" / folder_name(spec.name)

    def _saved_folder(self, spec: Saved) -> Path:
        return SHIPPED_FOLDER if spec.model == SHIPPED else self.benchmark.path(spec.model)

    def _load_saved(self, spec: Saved) -> ModelMethod:
        method = ModelMethod.load(spec.name, self._saved_folder(spec))
        # In a sum, genes are put together by their approved symbols.
        method.model._vocabulary = method.vocabulary
        return method

    # -- answers ---------------------------------------------------------------------------------

    def _unit(self, one: _Asked, spec: Spec) -> Unit:
        return Unit(
            self.folder / "units" / folder_name(one.name) / folder_name(spec.name),
            content_hash(
                {
                    "format": UNIT_FORMAT,
                    "questions": one.record["hash"],
                    "popularity": _hash_of_array(one.popularity),
                    "papers": _hash_of_array(one.papers),
                    "method": self._identity(spec),
                }
            ),
        )

    def _answer(
        self,
        asked: Sequence[_Asked],
        units: Mapping[tuple[str, str], Unit],
        only: Collection[str],
    ) -> None:
        """Compute what is not there yet, method by method."""
        chosen = [o for o in asked if o.questions is not None and (not only or o.name in only)]
        todo = {
            spec.name: [o for o in chosen if units[o.name, spec.name].about() is None]
            for spec in self.specs
        }
        self._waiting = sum(len(o.questions or ()) for ones in todo.values() for o in ones)
        self._units = len(chosen) * len(self.specs)
        self._done = self._units - sum(map(len, todo.values()))
        if self._done:
            self.tell(f"{self._done} of {self._units} were answered before")
        for spec in self.specs:
            method = None
            for one in todo[spec.name]:
                assert one.questions is not None
                method = method or self._method(spec)
                text = self._answer_one(method, one, units[one.name, spec.name])
                self._done += 1
                self.tell(text)
            del method  # before the next one is loaded

    def _answer_one(self, method: Method, one: _Asked, unit: Unit) -> str:
        """Compute one unit; say in a line what came out."""
        questions = one.questions
        assert questions is not None
        if _hash_of(questions) != one.record["hash"]:
            raise GsfmError(f"{one.name}: a method before {method.name} has changed the questions")
        head = f"{one.name} · {method.name}"
        about: dict[str, Any] = {"task": one.name, "method": method.name, "refused": None}
        refused = method.refuses(questions)
        if refused is not None:
            unit.write({**about, "refused": refused}, None)
            self._waiting -= len(questions)
            return f"{head}: skipped: {refused}"
        started = time.monotonic()
        self.tell(f"{head}: getting ready", passing=True)
        answered, seconds = self._answered, self._seconds

        def progress(done: int, of: int) -> None:
            self._answered, self._seconds = answered + done, seconds + time.monotonic() - started
            self.tell(f"{head}: {done:,} of {of:,} questions", passing=True)

        try:
            method.prepare(questions)
            ready = time.monotonic()
            measured = measure(method, questions, one.popularity, one.papers, progress=progress)
        except ValueError as error:  # nothing to fit on, or scores that are no numbers
            raise GsfmError(f"{one.name}: {error}") from error
        ended = time.monotonic()
        about |= {
            **dataclasses.asdict(method.cost),
            "prepare_seconds": round(ready - started, 2),
            "answer_seconds": round(ended - ready, 2),
            "questions": len(questions),
        }
        unit.write(about, measured)
        return (
            f"{head}: {_headline(measured)}, {len(questions):,} questions in {ended - ready:.0f} s"
        )

    # -- after -----------------------------------------------------------------------------------

    def _finish(
        self, about: dict[str, Any], units: Mapping[tuple[str, str], Unit], pages: bool
    ) -> Results:
        """Bring the finished units together."""
        self.tell("summing up", passing=True)
        finished = {key: unit.about() for key, unit in units.items()}
        answered = {k: units[k] for k, v in finished.items() if v and v["refused"] is None}
        if not answered:
            reasons = {v["refused"]: None for v in finished.values() if v}
            raise GsfmError(f"no method answered any task: {'; '.join(reasons)}")
        join(self.folder, answered)
        for method in about["methods"]:
            own = {
                task: v for (task, name), v in finished.items() if v and name == method["method"]
            }
            done = {task: v for task, v in own.items() if v["refused"] is None}
            for key in (field.name for field in dataclasses.fields(Cost)):
                known = [v[key] for v in done.values() if v[key] is not None]
                method[key] = max(known, default=None)
            method["answer_seconds"] = {task: v["answer_seconds"] for task, v in done.items()}
            method["refused"] = {task: v["refused"] for task, v in own.items() if v["refused"]}
        write_about(self.folder, about)
        results = Results.open(self.folder)
        results.summarise()
        if pages:
            results.write_pages()
        return results


# -- parts -----------------------------------------------------------------------------------------


def _need_for_pages() -> None:
    """MissingExtraError unless the pages can be made."""
    try:
        import jinja2  # noqa: F401
        import matplotlib  # noqa: F401
    except ImportError:
        raise MissingExtraError("The page of a benchmark", "bench") from None


def _is_again(spec: Spec) -> bool:
    """Whether a method is one that is fitted again; no other may be called so."""
    return spec.name.endswith(WITHOUT_LEAKS)


def _background(
    files: Sequence[GeneSets],
    vocabularies: Mapping[str, Vocabulary | None],
    *,
    whole_genome: bool,
) -> tuple[int, Vocabulary, dict[str, int]]:
    """The number of genes of some libraries, the background, and how many each method lacks."""
    own = {
        sets.vocabulary[int(gene)]
        for sets in files
        for gene in np.flatnonzero(np.bincount(sets.indices, minlength=sets.n_genes))
    }
    known = {name: set(genes) for name, genes in vocabularies.items() if genes is not None}
    wanted = set.union(*known.values()) if whole_genome and known else own
    lacks = {name: len(wanted - genes) for name, genes in known.items()}
    background = Vocabulary(sorted(wanted.intersection(*known.values())))
    return len(own), background, {name: n for name, n in lacks.items() if n}


def _said_of_file(file: str, library: GeneSets) -> dict[str, Any]:
    """How many terms a library has, and how its identifiers were understood."""
    said: dict[str, Any] = {"name": Path(file).name, "terms": len(library)}
    report = library.report
    if report is not None and report.matched:
        said |= {
            "identifiers": report.n_identifiers,
            "unmatched": len(report.unmatched),
            "ambiguous": len(report.ambiguous),
            "examples": [*report.unmatched][:5],
        }
    return said


def _terms_of(questions: Questions) -> list[str]:
    """The names of the terms that are asked about."""
    return sorted({name for side in _sides(questions) for name in questions.table[side]})


def _sides(questions: Questions) -> list[str]:
    """The columns of the table that name a term of the library."""
    return ["company", "other"] if "company" in questions.table.columns else ["term"]


def _by_question(questions: Questions, leaks: pl.DataFrame) -> pl.DataFrame:
    """``term``, ``covering`` and ``narrow`` for what a question calls a term.

    Where it is about two terms, the sets that cover the one or the other.
    """
    counts = leaks.group_by("term").agg(
        pl.col("sets").max().cast(pl.Int64).alias("covering"), pl.col("narrow").max().cast(pl.Int64)
    )
    asked = questions.table.unique("term", maintain_order=True)
    either = pl.concat(
        asked.select("term", pl.col(side).alias("of")).join(
            counts.rename({"term": "of"}), on="of", how="left"
        )
        for side in _sides(questions)
    )
    return either.group_by("term", maintain_order=True).agg(
        pl.col("covering", "narrow").fill_null(0).sum()
    )


def _said_of(questions: Questions, name: str, lacks: Mapping[str, int]) -> str:
    """What is asked, in a line."""
    n_terms = questions.table["term"].n_unique()
    text = (
        f"{name}: {len(questions):,} questions about {n_terms:,} terms, "
        f"background {len(questions.background):,} genes"
    )
    most = max(lacks, key=lacks.__getitem__, default=None)
    if most is not None:
        text += f" (left out: up to {lacks[most]:,} that {most!r} does not know)"
    skipped = sum(questions.skipped.values())
    return text + (f"; skipped: {skipped:,}" if skipped else "")


def _headline(measured: Measured) -> str:
    terms = measured.questions.group_by("term").agg(pl.col("auroc", "average_precision").mean())
    auroc, precision = (terms[c].drop_nulls().to_numpy() for c in terms.columns[1:])
    if len(auroc) == 0:
        return "nothing to tell apart"
    return f"median AUROC {np.median(auroc):.3f}, mean average precision {precision.mean():.3f}"


def _hash_of(questions: Questions) -> str:
    """SHA-256 of all that a method is given and asked."""
    digest = hashlib.sha256(questions.protocol.encode())
    digest.update(questions.background.hash.encode())
    parts = (questions.shown, questions.hidden, questions.candidates, questions.older)
    for sets in parts:
        digest.update(b"none" if sets is None else _bytes(sets))
    digest.update(questions.table.write_json().encode())
    return digest.hexdigest()


def _bytes(sets: GeneSets) -> bytes:
    return sets.indptr.astype("<i8").tobytes() + sets.indices.astype("<i4").tobytes()


def _hash_of_array(values: NDArray[Any]) -> str:
    return hashlib.sha256(np.ascontiguousarray(values).data).hexdigest()


def _difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str | None:
    """What differs between two configurations, in a few words."""
    for key in [*before, *(k for k in now if k not in before)]:
        if before.get(key) == now.get(key):
            continue
        if key not in ("task", "method"):
            return f"its {key} differs"
        old, new = ({part["name"]: part for part in side.get(key, ())} for side in (before, now))
        for name in [*old, *(n for n in new if n not in old)]:
            if old.get(name) != new.get(name):
                what = "differs" if name in old and name in new else "is in one of them only"
                return f"the {key} {name!r} {what}"
        return f"its {key}s are in another order"
    return None


def _together(costs: Sequence[Cost]) -> Cost:
    """What several models cost that are needed at once; unknown if that of one is."""
    together: dict[str, Any] = {}
    for name, join_ in (("training_seconds", sum), ("peak_memory_bytes", max), ("size_bytes", sum)):
        values = [getattr(cost, name) for cost in costs]
        together[name] = None if None in values else join_(values)
    return Cost(**together)


def clock(seconds: float) -> str:
    """Minutes and seconds, with hours if there are any.

    Examples
    --------
    >>> clock(75), clock(3700)
    ('1:15', '1:01:40')
    """
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
