"""A run: every method of a benchmark scores the questions of every task.

One method at a time is in memory. Its scores in a task are a unit; a stopped run continues after
the last complete one.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from gsfm import corpus as corpora
from gsfm import sets as libraries
from gsfm.benchmark import loading, tasks
from gsfm.benchmark.config import DEFAULT, Benchmark, Spec, Task, Trained, content_hash, folder_name
from gsfm.benchmark.corpora import select
from gsfm.benchmark.loading import Methods, hash_of_array
from gsfm.benchmark.methods import Cost, Method
from gsfm.benchmark.metrics import Measured, measure
from gsfm.benchmark.results import Results, Unit, join, read_about, write, write_about
from gsfm.benchmark.tasks import PreparedTask
from gsfm.errors import GsfmError, needs_extra, require
from gsfm.io.files import sha256_file
from gsfm.progress import clock
from gsfm.sets import GeneSets
from gsfm.training import Progress
from gsfm.version import __version__

#: Units of another format are computed again; to increase when the measurement changes.
UNIT_FORMAT = 1


@dataclass(frozen=True)
class Event:
    """A message about the progress of a run.

    Attributes
    ----------
    text
        The message.
    passing
        Whether the next event replaces it; other events are results.
    done, units
        Number of complete units (one method in one task), and of all units.
    seconds_left
        Estimated time for scoring, without training; None before the first question is scored.
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
    n_threads: int | None = None,
    models: str | Path | None = None,
    only: Collection[str] = (),
    pages: bool = True,
    progress: Callable[[Event], None] | None = None,
) -> Results:
    """Run a benchmark, or continue one that was stopped.

    Parameters
    ----------
    benchmark
        The tasks and the methods.
    folder
        Folder of the results.
    n_threads
        Threads for training; the default of the libraries if None.
    models
        Folder of the trained models; ``folder / "models"`` if None. A model in it that was trained
        in the same way on the same corpus, for another benchmark, is used again.
    only
        The names of the tasks to run now; all if empty. The results hold these and the tasks that
        were finished before.
    pages
        Write ``report.html`` and ``report.md``.
    progress
        Called with each event.

    Returns
    -------
    Results

    Raises
    ------
    GsfmError
        If the folder has results of another configuration, a file is wrong, or no task has a
        question.
    MissingExtraError
        If the pages or the training of a method need an extra that is not installed. Raised before
        anything is computed.
    KeyboardInterrupt
        On Ctrl-C. Complete units stay, and a model in training is saved with its checkpoint. The
        same call continues from there.

    Examples
    --------
    >>> import tempfile
    >>> from gsfm.benchmark.config import Corpus
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
    folder = Path(folder)
    place = folder / "models" if models is None else Path(models)
    job = _Run(benchmark, folder, place, n_threads, progress or (lambda event: None))
    return job.do(only, pages)


@dataclass
class _Run:
    benchmark: Benchmark
    folder: Path
    models: Path
    n_threads: int | None
    progress: Callable[[Event], None]
    #: SHA-256 of the files, by their names in the configuration.
    data: dict[str, str] = field(default_factory=dict)
    libraries: dict[str, GeneSets] = field(default_factory=dict)
    done: int = 0  # units
    units: int = 0
    to_score: int = 0  # questions
    scored: int = 0
    seconds: float = 0.0  # of scoring

    def tell(self, text: str, *, passing: bool = False) -> None:
        pace = self.seconds / self.scored if self.scored else None
        left = None if pace is None else pace * (self.to_score - self.scored)
        self.progress(Event(text, passing, self.done, self.units, left))

    def do(self, only: Collection[str], pages: bool) -> Results:
        names = [task.name for task in self.benchmark.tasks]
        if unknown := sorted(set(only) - set(names)):
            raise GsfmError(f"there is no task {unknown[0]!r}; there are {', '.join(names)}")
        if pages:
            with needs_extra("The page of a benchmark", "bench"):
                import jinja2  # noqa: F401
                import matplotlib  # noqa: F401
        loading.check(self.benchmark.methods)
        before = self._before()
        corpus, of_corpus = self._read_corpus()
        self.tell("reading the methods", passing=True)
        self.methods = Methods(
            self.benchmark, (corpus, of_corpus["hash"]), self.models, self.n_threads, self._training
        )
        prepared = [self._prepare(task, corpus) for task in self.benchmark.tasks]
        ready = [one for one in prepared if one.questions is not None]
        reasons = "; ".join(f"{one.name}: {one.record['reason']}" for one in prepared)
        require(ready, f"no task has a question: {reasons}", GsfmError)
        self.data |= self.methods.data
        for key, its_hash in before.items():  # there may be more files
            what = f"{self.folder}: {key!r} has changed since these results were begun"
            require(self.data.get(key) == its_hash, f"{what}; choose another folder", GsfmError)
        of_leakage = self._find_leaks(prepared, corpus)
        write(self.folder / "backgrounds.parquet", pl.concat(one.table() for one in ready))
        specs = self.methods.specs
        popularity = (s.name for s in specs if isinstance(s, Trained) and s.train == "popularity")
        about = {
            "name": self.benchmark.name,
            "gsfm": __version__,
            "seed": self.benchmark.seed,
            "configuration": self.benchmark.to_dict(),
            "hash": self.benchmark.hash,
            "data": self.data,
            "corpus": of_corpus,
            "leakage": of_leakage,
            "reference": next(popularity, None),
            "tasks": [one.record for one in prepared],
            "methods": [self.methods.record(spec) for spec in specs],
        }
        write_about(self.folder, about)
        units = {(one.name, spec.name): self._unit(one, spec) for one in ready for spec in specs}
        self._score_all([one for one in ready if not only or one.name in only], units)
        return self._finish(about, units, pages)

    # -- before ----------------------------------------------------------------------------------

    def _before(self) -> dict[str, str]:
        """The hashes of the files of an earlier run of this benchmark, if there is one."""
        if not self.folder.exists() or not any(self.folder.iterdir()):
            return {}
        about = read_about(self.folder)
        differs = _difference(about["configuration"], self.benchmark.to_dict())
        what = f"{self.folder}: these results are of another configuration ({differs})"
        require(differs is None, f"{what}; choose another folder", GsfmError)
        hashes: dict[str, str] = about["data"]
        return hashes

    def _read_corpus(self) -> tuple[GeneSets, dict[str, Any]]:
        """The training corpus, and its record for the report."""
        part = self.benchmark.corpus
        self.tell("reading the corpus", passing=True)
        whole = corpora.load(DEFAULT if part.file == DEFAULT else self.benchmark.path(part.file))
        self.data["corpus"] = corpora.content_hash(whole)
        corpus, dropped = select(whole, until=part.until, exclude=part.exclude)
        excluded = [f"{n:,} {why.replace('_', ' ')}" for why, n in dropped.items() if n]
        more = f"; left out: {', '.join(excluded)}" if excluded else ""
        self.tell(f"corpus: {len(corpus):,} sets, {corpus.n_genes:,} genes{more}")
        return corpus, {
            "sets": len(corpus),
            "members": len(corpus.indices),
            "genes": corpus.n_genes,
            "hash": corpora.content_hash(corpus) if excluded else self.data["corpus"],
            "dropped": dropped,
        }

    def _library(self, file: str) -> GeneSets:
        """The gene sets of a file of the configuration; each is read once."""
        if file not in self.libraries:
            self.tell(f"reading {Path(file).name}", passing=True)
            path = self.benchmark.path(file)
            name = path.name if Path(file).is_absolute() else file
            if file == DEFAULT or path.is_dir():
                read = corpora.load(DEFAULT if file == DEFAULT else path)
                self.data[name] = corpora.content_hash(read)
            else:
                read = libraries.read(path)
                self.data[name] = sha256_file(path)
            self.libraries[file] = read
        return self.libraries[file]

    def _prepare(self, task: Task, corpus: GeneSets) -> PreparedTask:
        """Make the questions of a task, the same for all methods."""
        files = {key: self._library(file) for key, file in task.files.items()}
        papers = self._library(DEFAULT)
        self.tell(f"preparing {task.name}", passing=True)
        prepared = tasks.prepare(
            task,
            files,
            self.methods.vocabularies,
            corpus=corpus,
            papers=papers,
            whole_genome=(task.background or self.benchmark.background) == "genome",
            seed=self.benchmark.seed,
        )
        self.tell(prepared.summary())
        return prepared

    def _find_leaks(
        self, prepared: Sequence[PreparedTask], corpus: GeneSets
    ) -> dict[str, Any] | None:
        """Write the table of leaked terms; return its record. None if the run ignores leakage."""
        part = self.benchmark.leakage
        if part is None:
            return None
        self.tell("finding training sets that leak a term", passing=True)
        table, rows, record = tasks.leaked(prepared, corpus, part.share, self.tell)
        self.methods.leave_out(rows)
        write(self.folder / "leaks.parquet", table)
        return {"share": part.share, "leaking_sets": len(rows), "tasks": record}

    # -- scores ----------------------------------------------------------------------------------

    def _unit(self, one: PreparedTask, spec: Spec) -> Unit:
        depends = {
            "format": UNIT_FORMAT,
            "questions": one.record["hash"],
            "popularity": hash_of_array(one.popularity),
            "papers": hash_of_array(one.papers),
            "method": self.methods.identity(spec),
        }
        folder = self.folder / "units" / folder_name(one.name) / folder_name(spec.name)
        return Unit(folder, content_hash(depends))

    def _score_all(
        self, prepared: Sequence[PreparedTask], units: Mapping[tuple[str, str], Unit]
    ) -> None:
        """Compute the incomplete units, method by method."""
        todo = {
            spec.name: [one for one in prepared if units[one.name, spec.name].about() is None]
            for spec in self.methods.specs
        }
        self.to_score = sum(len(one.questions or ()) for ones in todo.values() for one in ones)
        self.units = len(prepared) * len(todo)
        self.done = self.units - sum(map(len, todo.values()))
        if self.done:
            self.tell(f"{self.done} of {self.units} were answered before")
        for spec in self.methods.specs:
            method = None
            for one in todo[spec.name]:
                if method is None:
                    self.tell(f"loading {spec.name}", passing=True)
                    method = self.methods.get(spec)
                text = self._score(method, one, units[one.name, spec.name])
                self.done += 1
                self.tell(text)
            del method  # before the next one is loaded

    def _training(self, name: str, now: Progress) -> None:
        self.tell(
            f"training {name}: step {now.step:,}/{now.steps:,}, {clock(now.seconds)} gone, "
            f"{clock(now.seconds_left)} left, loss {now.loss:.3f}",
            passing=True,
        )

    def _score(self, method: Method, one: PreparedTask, unit: Unit) -> str:
        """Compute one unit; return a line with its result."""
        questions = one.questions
        assert questions is not None
        modified = f"{one.name}: a method before {method.name} modified the questions"
        require(tasks.hash_of(questions) == one.record["hash"], modified, GsfmError)
        head = f"{one.name} · {method.name}"
        refused = method.refuses(questions)
        about: dict[str, Any] = {"task": one.name, "method": method.name, "refused": refused}
        if refused is not None:
            unit.write(about, None)
            self.to_score -= len(questions)
            return f"{head}: skipped: {refused}"
        started = time.monotonic()
        scored, seconds = self.scored, self.seconds

        def progress(done: int, of: int) -> None:
            self.scored, self.seconds = scored + done, seconds + time.monotonic() - started
            self.tell(f"{head}: {done:,} of {of:,} questions", passing=True)

        self.tell(f"{head}: preparing", passing=True)
        try:
            method.prepare(questions)
            ready = time.monotonic()
            measured = measure(method, questions, one.popularity, one.papers, progress=progress)
        except ValueError as error:  # no set to fit on, or scores that are not finite
            raise GsfmError(f"{one.name}: {error}") from error
        ended = time.monotonic()
        about |= {
            **dataclasses.asdict(method.cost),
            "prepare_seconds": round(ready - started, 2),
            "answer_seconds": round(ended - ready, 2),
            "questions": len(questions),
        }
        unit.write(about, measured)
        took = f"{len(questions):,} questions in {ended - ready:.0f} s"
        return f"{head}: {_headline(measured)}, {took}"

    # -- after -----------------------------------------------------------------------------------

    def _finish(
        self, about: dict[str, Any], units: Mapping[tuple[str, str], Unit], pages: bool
    ) -> Results:
        """Combine the complete units."""
        self.tell("summarizing", passing=True)
        finished = {key: found for key, unit in units.items() if (found := unit.about())}
        refused = {key: f["refused"] for key, f in finished.items() if f["refused"] is not None}
        reasons = "; ".join(dict.fromkeys(refused.values()))
        require(finished.keys() - refused, f"no method answered any task: {reasons}", GsfmError)
        join(self.folder, {key: units[key] for key in finished if key not in refused})
        for record in about["methods"]:
            own = {task: f for (task, name), f in finished.items() if name == record["method"]}
            done = {task: found for task, found in own.items() if found["refused"] is None}
            for part in dataclasses.fields(Cost):
                known = (found[part.name] for found in done.values())
                record[part.name] = max((x for x in known if x is not None), default=None)
            record["answer_seconds"] = {task: f["answer_seconds"] for task, f in done.items()}
            record["refused"] = {t: f["refused"] for t, f in own.items() if t not in done}
        write_about(self.folder, about)
        results = Results.open(self.folder)
        results.summarize()
        if pages:
            results.write_pages()
        return results


def _headline(measured: Measured) -> str:
    terms = measured.questions.group_by("term").agg(pl.col("auroc", "average_precision").mean())
    auroc, precision = (terms[c].drop_nulls().to_numpy() for c in terms.columns[1:])
    if len(auroc) == 0:
        return "no question has both hidden genes and other candidates"
    return f"median AUROC {np.median(auroc):.3f}, mean average precision {precision.mean():.3f}"


def _difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str | None:
    """The first difference between two configurations; tasks and methods may be added."""
    for key in {**before, **now}:
        if key not in ("task", "method") and before.get(key) != now.get(key):
            return f"its {key} differs"
    for key in ("task", "method"):
        new = {part["name"]: part for part in now[key]}
        for part in before[key]:
            if part != new.get(part["name"]):
                what = "differs" if part["name"] in new else "is not in it anymore"
                return f"the {key} {part['name']!r} {what}"
    return None
