"""A folder of results: the tables and pages of a run; docs/benchmark.md lists the files."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import polars as pl

from gsfm.benchmark.metrics import Measured
from gsfm.benchmark.report.summary import summarize, summary_text
from gsfm.errors import FormatError, GsfmError, require
from gsfm.io.files import atomic_path
from gsfm.report import json_text

FORMAT = "gsfm-benchmark/1"

#: The file of each table of a unit, and of the results.
UNIT = {name: f"{name}.parquet" for name in ("questions", "genes", "curves")}
TABLES = {**UNIT, "questions": "results.parquet"}


class Results:
    """The results of a benchmark.

    Parameters
    ----------
    folder
        The folder that `run` wrote.

    Raises
    ------
    GsfmError
        If it is no such folder, or of another version.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        #: The content of ``run.json``.
        self.about = read_about(self.folder)

    @classmethod
    def open(cls, folder: str | Path) -> Self:
        """Open a folder of results that `run` wrote.

        Raises
        ------
        GsfmError
            If it is no such folder, of another version, or no unit of it is finished.
        """
        results = cls(folder)
        nothing = f"{folder}: nothing is finished here yet; run the benchmark again"
        require((results.folder / TABLES["questions"]).exists(), nothing, GsfmError)
        return results

    def __repr__(self) -> str:
        return (
            f"Results({self.about['name']!r}: {len(self.about['tasks'])} tasks, "
            f"{len(self.about['methods'])} methods)"
        )

    @functools.cached_property
    def questions(self) -> pl.DataFrame:
        """A row for each task, method and question, with all metrics; ``results.parquet``."""
        return self._table(TABLES["questions"])

    @functools.cached_property
    def genes(self) -> pl.DataFrame:
        """A row for each task, method and gene that was ever hidden; ``genes.parquet``."""
        return self._table(TABLES["genes"])

    @functools.cached_property
    def curves(self) -> pl.DataFrame:
        """ROC and precision-recall curves of each task and method; ``curves.parquet``."""
        return self._table(TABLES["curves"])

    @functools.cached_property
    def summary(self) -> dict[str, Any]:
        """The figures with their intervals, tests and definitions; ``summary.json``."""
        return _json(self.folder / "summary.json")

    def summarize(self) -> None:
        """Write ``summary.json`` from the tables."""
        leaks = self.folder / "leaks.parquet"
        shown = ("name", "gsfm", "seed", "configuration", "hash", "data", "corpus", "leakage")
        summary = summarize(
            self.questions,
            self.genes,
            self._table("backgrounds.parquet"),
            tasks=self.about["tasks"],
            methods=self.about["methods"],
            leaks=self._table(leaks.name) if leaks.exists() else None,
            reference=self.about["reference"],
            about={key: self.about[key] for key in shown if key in self.about},
            seed=self.about["seed"],
        )
        write(self.folder / "summary.json", summary_text(summary))
        self.__dict__.pop("summary", None)

    def markdown(self) -> str:
        """The table of results for a README."""
        from gsfm.benchmark.report.page import markdown

        return markdown(self.summary)

    def write_pages(self) -> None:
        """Write ``report.html`` and ``report.md``.

        Raises
        ------
        MissingExtraError
            If the page's parts are not installed.
        """
        from gsfm.benchmark.report.page import html_page

        write(self.folder / "report.html", html_page(self.summary, self.curves))
        write(self.folder / "report.md", self.markdown())

    def _table(self, name: str) -> pl.DataFrame:
        return _parquet(self.folder / name, "run the benchmark again")


# -- what a run writes -----------------------------------------------------------------------------


def read_about(folder: Path) -> dict[str, Any]:
    """Read ``run.json``; a GsfmError if there is none, or one of another version."""
    path = folder / "run.json"
    lacks = f"{folder}: no folder of results: it has no run.json"
    require(path.exists(), lacks, GsfmError)
    about = _json(path)
    if about.get("format") != FORMAT:
        raise FormatError(
            path,
            f"the format is {about.get('format')!r}, and this gsfm reads {FORMAT!r}; "
            "choose another folder, or use the gsfm that wrote it",
        )
    return about


def write_about(folder: Path, about: Mapping[str, Any]) -> None:
    """Write ``run.json``."""
    write(folder / "run.json", json_text({"format": FORMAT, **about}))


def write(path: Path, content: str | pl.DataFrame) -> None:
    """Write a text or a Parquet table, whole or not at all."""
    with atomic_path(path, parents=True) as temporary:
        if isinstance(content, str):
            temporary.write_text(content, encoding="utf-8")
        else:
            content.write_parquet(temporary)


@dataclass(frozen=True)
class Unit:
    """The part of the results that is computed at once: one method in one task."""

    folder: Path
    fingerprint: str  # the hash of all that the results depend on

    def about(self) -> dict[str, Any] | None:
        """The record of the complete unit; None if it does not exist or has another fingerprint."""
        try:
            about = _json(self.folder / "unit.json")
        except FormatError:  # missing, or damaged: it is computed again
            return None
        return about if about.get("fingerprint") == self.fingerprint else None

    def write(self, about: Mapping[str, Any], measured: Measured | None) -> None:
        """Write the tables, if there are any, and last the file that marks the unit as complete."""
        path = self.folder / "unit.json"
        path.unlink(missing_ok=True)
        for name, file in UNIT.items():
            if measured is not None:
                write(self.folder / file, getattr(measured, name))
        write(path, json_text({"fingerprint": self.fingerprint, **about}))

    def table(self, name: str) -> pl.DataFrame:
        """One of the tables of a complete unit."""
        advice = f"remove {self.folder} and run the benchmark again"
        return _parquet(self.folder / UNIT[name], advice)


def join(folder: Path, units: Mapping[tuple[str, str], Unit]) -> None:
    """Write the tables of the results from those of the units, by task and method."""
    for name, file in TABLES.items():
        whole = pl.concat(
            unit.table(name).with_columns(
                task=pl.lit(task, pl.String), method=pl.lit(method, pl.String)
            )
            for (task, method), unit in units.items()
        )
        first = ["task", "protocol", "method"] if name == "questions" else ["task", "method"]
        write(folder / file, whole.select(*first, pl.exclude(first)))


def _parquet(path: Path, advice: str) -> pl.DataFrame:
    try:
        return pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise FormatError(path, f"cannot be read ({error}); {advice}") from error


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FormatError(path, error.strerror or "cannot be read") from error
    except ValueError as error:
        raise FormatError(path, f"not JSON ({error})") from error
    if not isinstance(value, dict):
        raise FormatError(path, "not a JSON object")
    return value
