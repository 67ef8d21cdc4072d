"""The options that commands share, ``genes: options.Genes = None`` and so on, and their input."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from gsfm import genes as gene_names
from gsfm.cli.output import note

if TYPE_CHECKING:
    from gsfm.sets import GeneSets

Which = Literal["all", "annotated", "new"]

Count = Annotated[int, typer.Option(min=0)]
Positive = Annotated[int, typer.Option(min=1)]
Genes = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="GENE",
        help="Genes, by any identifier; a file of genes; - for stdin.",
    ),
]
File = Annotated[
    list[str] | None,
    typer.Option(
        "--file", "-f", metavar="FILE", help="A file of more genes; - for stdin. Repeatable."
    ),
]
Sets = Annotated[
    str,
    typer.Argument(
        metavar="LIBRARY",
        help="Gene sets: a file, - for stdin, the name of a library, or papers for the embedded "
        "corpus.",
    ),
]
Model = Annotated[
    Path | None, typer.Option(metavar="DIR", help="A model folder; the shipped model by default.")
]
Species = Annotated[
    gene_names.Species | None,
    typer.Option(
        help="Species of the identifiers. Used to resolve symbols that differ between species."
    ),
]
Library = Annotated[
    str | None,
    typer.Option(
        "--library",
        "--libraries",
        metavar="NAME",
        help="The library of the term (see gsfm library list), or a gene-set file; all libraries "
        "by default.",
    ),
]
Libraries = Annotated[
    list[str] | None,
    typer.Option(
        "--libraries",
        "--library",
        metavar="NAME",
        help="A library (see gsfm library list), or a gene-set file; all libraries by default. "
        "Repeatable.",
    ),
]
Top = Annotated[
    int | None,
    typer.Option(
        min=0, help="Number of results; 0 for all.", callback=lambda number: number or None
    ),
]
MissingFraction = Annotated[
    float,
    typer.Option(
        min=0.001,
        max=0.999,
        metavar="FRACTION",
        help="Assumed fraction of the genes of the whole set, or of a term, that are missing. "
        "Probabilities depend on it.",
    ),
]
Cache = Annotated[
    bool,
    typer.Option(
        "--cache/--no-cache", help="Keep the prepared library in the cache folder for later."
    ),
]
RandomState = Annotated[
    int, typer.Option("--random-state", "--seed", min=0, help="Seed of the random numbers.")
]
Threads = Annotated[
    int | None,
    typer.Option(
        "--n-threads",
        "--threads",
        min=1,
        help="Number of threads for training; all cores by default.",
    ),
]


def which_rows(*, which: Which = "all", new: bool = False, annotated: bool = False) -> Which:
    """The rows of a table, by ``--which`` or one of its short forms.

    Parameters
    ----------
    which
        Which results to show: all, only annotated ones, or only new ones.
    new
        Short for --which new.
    annotated
        Short for --which annotated.

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
) -> list[str] | None:
    """The genes of the file of ``--background``.

    Parameters
    ----------
    background
        Rank only the genes of this file; - for stdin.
    """
    return None if background is None else gene_names.read_genes(background)


WhichRows = Annotated[Which, which_rows]
Background = Annotated[list[str] | None, read_background]


def read(arguments: Sequence[str] | None, files: Sequence[str] | None = None) -> list[str]:
    """The identifiers of the command line, with files and stdin replaced by the genes in them."""
    found: list[str] = []
    for argument in arguments or ():
        is_file = argument != "-" and Path(argument).is_file()
        if is_file:
            note(f"{argument} is a file: reading the genes in it")
        found += gene_names.read_genes(argument) if is_file or argument == "-" else [argument]
    return found + [gene for path in files or () for gene in gene_names.read_genes(path)]


def require(
    arguments: Sequence[str] | None, files: Sequence[str] | None, what: str = "genes"
) -> list[str]:
    """`read`, where there must be an argument or a file.

    Raises
    ------
    typer.BadParameter
        If there is none.
    """
    if not arguments and not files:
        raise typer.BadParameter(f"give {what}, a file of them, or - for stdin; see --help")
    return read(arguments, files)


def read_sets(path: str, **settings: Any) -> GeneSets:
    """Read gene sets; what was wrong in the file goes to stderr."""
    from gsfm import sets

    found = sets.read(path, **settings)
    if found.report is not None:
        note(found.report.summary())
    return found


def split(texts: Sequence[str] | None) -> list[str]:
    """The genes that commas separate in an option; the path of a file stays as it is."""
    parts = [[text] if Path(text).is_file() else text.split(",") for text in texts or ()]
    return [one.strip() for part in parts for one in part if one.strip()]
