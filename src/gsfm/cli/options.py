"""The options that commands share, ``genes: options.Genes = None`` and so on, and their input.

Parameters
----------
genes
    Genes, by any identifier, separated by spaces or commas; a file of genes; - for stdin.
file
    A file of more genes; - for stdin. Repeatable.
sets
    Gene sets: a file, - for stdin, the name of a library, or papers for the embedded corpus.
model
    A model folder; the shipped model by default.
species
    Species of the identifiers. Used to resolve symbols that differ between species.
library
    The library of the term (see gsfm library list), or a gene-set file, - for stdin; all
    libraries by default.
libraries
    A library (see gsfm library list), or a gene-set file, - for stdin; by default GO, Reactome,
    families, and those that you added. Repeatable.
top
    Number of results; 0 for all.
which
    Which results to show: all, only annotated ones, or only new ones.
new
    Short for --which new.
annotated
    Short for --which annotated.
background
    Rank only the genes of this file; - for stdin.
sheet
    The sheet of a workbook: its name or number.
gene_column
    The column of genes in a table: its name or number.
score_column
    The column of the statistic in a ranked list: its name or number.
missing_fraction
    Assumed fraction of the genes of the whole set, or of a term, that are missing. Probabilities
    depend on it.
cache
    Keep the prepared library in the cache folder for later.
random_state
    Seed of the random numbers.
n_threads
    Number of threads for training; all cores by default.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from gsfm import genes as gene_names
from gsfm.cli.output import note
from gsfm.errors import FormatError
from gsfm.io.streams import is_file, is_special

if TYPE_CHECKING:
    from gsfm.completion.inputs import Identifiers
    from gsfm.genes import GeneList
    from gsfm.sets import GeneSets

Which = Literal["all", "annotated", "new"]
#: What only a path has, and no identifier of a gene.
_PATH = re.compile(
    r"^[.~]?/|\.(txt|csv|tsv|tab|rnk|gmt|grp|json|xlsx?|ods|parquet)(\.gz|\.zip|\.zst)?$"
)
#: A region of the genome, whose numbers may have commas.
_REGION = re.compile(r":[\d,]+-[\d,]+$")
#: The options with which the files of the running command are read.
_COLUMNS: ContextVar[Mapping[str, Any]] = ContextVar("columns", default=MappingProxyType({}))


def which_rows(*, which: Which = "all", new: bool = False, annotated: bool = False) -> Which:
    """The rows of a table, by ``--which`` or one of its short forms.

    Raises
    ------
    typer.BadParameter
        If the options contradict each other.
    """
    short: tuple[tuple[Which, bool], ...] = (("new", new), ("annotated", annotated))
    chosen = {word for word, flag in short if flag or word == which}
    if len(chosen) > 1:
        raise typer.BadParameter("choose one of --new, --annotated and --which")
    return chosen.pop() if chosen else "all"


def read_background(
    *, background: Annotated[str | None, typer.Option(metavar="FILE")] = None
) -> Any:
    """The genes of the file of ``--background``."""
    return None if background is None else read_file(background)


def one_library(
    *,
    library: Annotated[
        list[str] | None, typer.Option("--library", "--libraries", metavar="NAME")
    ] = None,
) -> str | None:
    """The library of ``--library``; typer.BadParameter if there are several."""
    if len(library or ()) > 1:
        raise typer.BadParameter("give one --library")
    return library[0] if library else None


def columns(
    *,
    sheet: Annotated[str | None, typer.Option(metavar="NAME")] = None,
    gene_column: Annotated[str | None, typer.Option(metavar="NAME")] = None,
) -> None:
    """Set the options with which the files of the command are read."""
    _COLUMNS.set({"sheet": sheet, "gene_column": gene_column})


Count = Annotated[int, typer.Option(min=0)]
Positive = Annotated[int, typer.Option(min=1)]
Genes = Annotated[list[str] | None, typer.Argument(metavar="GENE")]
File = Annotated[list[str] | None, typer.Option("--file", "-f", metavar="FILE")]
Sets = Annotated[str, typer.Argument(metavar="LIBRARY")]
Model = Annotated[Path | None, typer.Option(metavar="DIR")]
Species = Annotated[gene_names.Species | None, typer.Option()]
Library = Annotated[str | None, one_library]
Libraries = Annotated[list[str] | None, typer.Option("--libraries", "--library", metavar="NAME")]
Top = Annotated[int | None, typer.Option(min=0, callback=lambda number: number or None)]
WhichRows = Annotated[Which, which_rows]
Columns = Annotated[None, columns]
Background = Annotated[Any, read_background]
MissingFraction = Annotated[float, typer.Option(min=0.001, max=0.999, metavar="FRACTION")]
Cache = Annotated[bool, typer.Option("--cache/--no-cache")]
RandomState = Annotated[int | None, typer.Option("--random-state", "--seed", min=0)]
Threads = Annotated[int | None, typer.Option("--n-threads", "--threads", min=1)]


def read_file(path: str, **settings: Any) -> GeneList:
    """Read the genes of a file; what was read goes to stderr."""
    if not path.strip():
        raise typer.BadParameter("a file is named, but its name is empty")
    found = gene_names.read(path, **_COLUMNS.get(), **settings)
    note(found.summary())
    return found


def read(
    arguments: Sequence[str] | None, files: Sequence[str] | None = None, **settings: Any
) -> Identifiers:
    """The identifiers of the command line, with files and stdin replaced by the genes in them."""
    from gsfm.completion.inputs import Identifiers, as_identifiers, is_path

    found = Identifiers()
    for argument in split(arguments):
        from_file = argument == "-" or is_special(argument) or is_path(argument)
        if not from_file and _PATH.search(argument):
            raise FormatError(argument, "there is no such file")
        found.add(as_identifiers(read_file(argument, **settings) if from_file else [argument]))
    for path in files or ():
        found.add(as_identifiers(read_file(path, **settings)))
    return found


def require(
    arguments: Sequence[str] | None,
    files: Sequence[str] | None,
    what: str = "genes",
    **settings: Any,
) -> Identifiers:
    """`read`, where there must be an argument or a file.

    Raises
    ------
    typer.BadParameter
        If there is none.
    """
    if not arguments and not files:
        raise typer.BadParameter(f"give {what}, a file of them, or - for stdin")
    return read(arguments, files, **settings)


def read_sets(path: str, **settings: Any) -> GeneSets:
    """Read gene sets; what was wrong in the file goes to stderr."""
    from gsfm import sets

    found = sets.read(path, **settings)
    if found.report is not None:
        note(found.report.summary())
    return found


def with_stdin(names: Any) -> Any:
    """A library or several, of which - is the gene sets of stdin."""
    if isinstance(names, list | tuple):
        return [with_stdin(name) for name in names]
    return read_sets("-") if isinstance(names, str) and names == "-" else names


def say_libraries(names: Any) -> None:
    """Say what was read from the libraries that are files; they are read once."""
    from gsfm import libraries

    for name in [names] if isinstance(names, str) else names or ():
        if isinstance(name, str) and name not in libraries.names() and is_file(name):
            report = libraries.load(name).report
            if report is not None:
                note(report.summary())


def read_library(name: str) -> GeneSets:
    """The gene sets of a library or a file; what was wrong in the file goes to stderr."""
    from gsfm.analysis.sources import read_source

    found = read_source(name, resolve=False)
    if found.report is not None:
        note(found.report.summary())
    return found


def split(texts: Sequence[str] | None) -> list[str]:
    """The genes that commas separate; files, regions and genes with a comma stay as they are."""
    found: list[str] = []
    for text in texts or ():
        whole = "," not in text or is_file(text) or _REGION.search(text)
        if whole or gene_names.resolve([text]).symbols[0] is not None:
            found.append(text)
        else:
            found += [part.strip() for part in text.split(",") if part.strip()]
    return found
