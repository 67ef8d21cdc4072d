"""The tasks of a run with their background, their questions, and the terms that leaked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm.benchmark.config import FILES, RELATIONS, Task, protocol
from gsfm.benchmark.corpora import counts
from gsfm.benchmark.leakage import find_leaks
from gsfm.benchmark.questions import Questions
from gsfm.errors import GsfmError
from gsfm.genes import Vocabulary
from gsfm.sets import GeneSets

#: How many training sets leak a term, and how many of these are narrow.
LEAKS = {"task": pl.String, "term": pl.String, "leaking_sets": pl.Int64, "narrow": pl.Int64}


@dataclass(frozen=True)
class PreparedTask:
    """A task with its questions."""

    task: Task
    files: Mapping[str, GeneSets]  # over their own vocabularies
    background: Vocabulary  # the genes that are ranked
    questions: Questions | None  # the same for all methods; None if there is none
    record: dict[str, Any]  # for the report; JSON-serializable
    popularity: NDArray[np.int64]  # (background,) number of training sets with the gene
    papers: NDArray[np.int64]  # (background,) number of papers with the gene

    @property
    def name(self) -> str:
        """The task's name."""
        return self.task.name

    def summary(self) -> str:
        """A line with the number of questions, or the reason why there is none."""
        if self.questions is None:
            return f"{self.name}: skipped: {self.record['reason']}"
        text = (
            f"{self.name}: {len(self.questions):,} questions about "
            f"{self.questions.table['term'].n_unique():,} terms, "
            f"background {len(self.background):,} genes"
        )
        if unknown := self.record["unknown_to"]:
            most = max(unknown, key=unknown.__getitem__)
            text += f" (excluded: up to {unknown[most]:,} that {most!r} does not know)"
        skipped = sum(self.questions.skipped.values())
        return text + (f"; skipped: {skipped:,}" if skipped else "")

    def table(self) -> pl.DataFrame:
        """``task``, ``gene``, ``popularity`` and ``papers`` of the background."""
        columns = {"popularity": self.popularity, "papers": self.papers}
        table = pl.DataFrame({"gene": list(self.background), **columns})
        return table.select(pl.lit(self.name, pl.String).alias("task"), pl.all())


def prepare(
    task: Task,
    files: Mapping[str, GeneSets],
    vocabularies: Mapping[str, Vocabulary | None],
    *,
    corpus: GeneSets,
    papers: GeneSets,
    whole_genome: bool = False,
    seed: int = 0,
) -> PreparedTask:
    """Make the questions of a task.

    Parameters
    ----------
    task
        The task of the configuration.
    files
        Its gene sets, by key of the configuration.
    vocabularies
        The genes that each method knows; None for all. The background has only genes that all
        methods know.
    corpus, papers
        Gene sets to count popularity and papers.
    whole_genome
        Whether the background is all genes that any method knows, rather than those of the files.
    seed
        Seed of the questions.

    Raises
    ------
    GsfmError
        If the task's settings contradict each other. A task without a question is no error: the
        record has the ``reason``.

    Examples
    --------
    >>> library = GeneSets.from_lists({"repair": list("ABCDEFGHIJ"), "growth": list("XYZ")})
    >>> task = Task("half-split", {"library": "small.gmt"}, {"splits": 2}, "halves")
    >>> prepared = prepare(task, {"library": library}, {"m": None}, corpus=library, papers=library)
    >>> print(prepared.summary())
    halves: 2 questions about 1 terms, background 13 genes; skipped: 1
    """
    own = {
        sets.vocabulary[int(gene)]
        for sets in files.values()
        for gene in np.flatnonzero(sets.gene_frequencies)
    }
    limited = {name: set(genes) for name, genes in vocabularies.items() if genes is not None}
    wanted = set.union(*limited.values()) if whole_genome and limited else own
    lacks = {name: len(wanted - genes) for name, genes in limited.items()}
    background = Vocabulary(sorted(wanted.intersection(*limited.values())))
    record: dict[str, Any] = {
        "task": task.name,
        "protocol": task.protocol,
        "files": {key: _file_record(file, files[key]) for key, file in task.files.items()},
        "genes": {"library": len(own), "background": len(background)},
        # Genes excluded because the method does not know them.
        "unknown_to": {name: n for name, n in lacks.items() if n},
        "skipped": {},
        "about": {},
        "reason": None,
    }
    questions = None
    try:
        if not own:
            raise GsfmError("no identifier of the library is mapped to a gene")
        if not background:
            raise GsfmError("no gene of the library is known to all methods")
        over = {key: sets.reindex(background) for key, sets in files.items()}
        questions = protocol(task.protocol)(**over, **task.options, seed=seed)
    except GsfmError as error:
        record["reason"] = str(error)
    except ValueError as error:  # settings that contradict each other
        raise GsfmError(f"{task.name}: {error}") from error
    else:
        record["skipped"] = dict(questions.skipped)
        record["about"] = dict(questions.about)
        record["hash"] = hash_of(questions)
    popularity, of_papers = counts(corpus, background), counts(papers, background)
    return PreparedTask(task, files, background, questions, record, popularity, of_papers)


def hash_of(questions: Questions) -> str:
    """SHA-256 of all questions."""
    parts = [questions.protocol.encode(), questions.background.hash.encode()]
    for sets in (questions.shown, questions.hidden, questions.candidates, questions.older):
        if sets is None:
            parts.append(b"none")
        else:
            parts += [sets.indptr.astype("<i8").tobytes(), sets.indices.astype("<i4").tobytes()]
    parts.append(questions.table.write_json().encode())
    return hashlib.sha256(b"".join(parts)).hexdigest()


def leaked(
    prepared: Sequence[PreparedTask],
    corpus: GeneSets,
    share: float,
    tell: Callable[[str], None] = lambda text: None,
) -> tuple[pl.DataFrame, NDArray[np.int64], dict[str, Any]]:
    """Find the terms that training sets leak; see `find_leaks`. `tell` gets a line for each task.

    Returns
    -------
    table
        ``task``, ``term``, ``find_leaks`` and ``narrow``; where a question is about two terms, the
        sets that leak the one or the other.
    rows
        The training sets that leak a term of any task.
    record
        Counts by task, for the report.
    """
    tables = [pl.DataFrame(schema=LEAKS)]
    rows = [np.empty(0, np.int64)]
    record: dict[str, Any] = {}
    for one in prepared:
        # Relations have no terms, and a corpus may contain no gene of the background.
        if one.questions is None or one.task.protocol in RELATIONS or not one.popularity.any():
            continue
        # The last file is the newer release, where there are two.
        library = one.files[FILES[one.task.protocol][-1]].reindex(one.background)
        table = _named_terms(one.questions)
        named = np.isin(library.names, table["of"].to_list())
        leaks = find_leaks(corpus, library[np.flatnonzero(named)], share)
        found = leaks.terms.group_by(of="term").agg(
            leaking_sets=pl.col("sets").max(), narrow=pl.col("narrow").max()
        )
        table = (
            table.join(found, on="of", how="left")
            .group_by("term", maintain_order=True)
            .agg(pl.col("leaking_sets", "narrow").fill_null(0).sum().cast(pl.Int64))
            .select(pl.lit(one.name, pl.String).alias("task"), pl.all())
        )
        tables.append(table)
        rows.append(leaks.sets())
        n_leaked = table.filter(pl.col("leaking_sets") > 0).height
        record[one.name] = {
            "terms": table.height,
            "leaked_terms": n_leaked,
            "leaking_sets": len(leaks.sets()),
            # By a set that is not so large that it leaks many terms by its size.
            "leaked_by_narrow": table.filter(pl.col("narrow") > 0).height,
            "narrow_sets": len(leaks.sets(narrow=True)),
        }
        tell(
            f"{one.name}: {n_leaked:,} of {table.height:,} terms are leaked by "
            f"{len(leaks.sets()):,} training sets"
        )
    return pl.concat(tables), np.unique(np.concatenate(rows)), record


def _named_terms(questions: Questions) -> pl.DataFrame:
    """``term``, as the questions name it, and ``of``: each term of the library that this names."""
    terms = questions.table.unique("term", maintain_order=True)
    sides = ["context", "other"] if "context" in terms.columns else ["term"]
    return pl.concat(terms.select("term", of=side) for side in sides)


def _file_record(file: str, library: GeneSets) -> dict[str, Any]:
    """The number of terms of a library, and how its identifiers were mapped."""
    record: dict[str, Any] = {"name": Path(file).name, "terms": len(library)}
    report = library.report
    if report is not None and report.mapped:
        record |= {
            "identifiers": report.n_identifiers,
            "unmapped": len(report.unmapped),
            "ambiguous": len(report.ambiguous),
            "examples": [*report.unmapped][:5],
        }
    return record
