"""What commands share of their input: options, and how genes are read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from gsfm.cli.output import note

#: Annotations for a command's parameters: ``genes: GenesArgument = None`` and so on.
GenesArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="GENE",
        help="Genes, by any identifier; the path of a file of them; - for stdin.",
        show_default=False,
    ),
]
FileOption = Annotated[
    list[str] | None,
    typer.Option(
        "--file",
        "-f",
        metavar="FILE",
        help="A file of genes, added to those given; - for stdin. Repeatable.",
    ),
]
ModelOption = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="A model folder; the shipped model if not given."),
]
BackgroundOption = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Rank only the genes of this file; - for stdin."),
]
MissingOption = Annotated[
    float,
    typer.Option(
        min=0.001,
        max=0.999,
        metavar="SHARE",
        help="The share of the whole set that is missing from the genes given, or of a term from "
        "its genes, between 0 and 1: probabilities suppose it.",
    ),
]
CacheOption = Annotated[
    bool,
    typer.Option(
        "--cache/--no-cache",
        help="Keep what a library was made into in the cache folder, for the next time.",
    ),
]
TermLibraryOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="The library of the term (gsfm library list names them), or a gene-set file; all "
        "libraries are looked through if not given.",
    ),
]


def check_stdin(*inputs: str | None) -> None:
    """Raise typer.BadParameter if more than one input is stdin."""
    if inputs.count("-") > 1:
        raise typer.BadParameter("only one input can be stdin (-)")


def read_identifiers(given: Sequence[str] | None, files: Sequence[str] | None = None) -> list[str]:
    """The genes named on the command line; a path of a file stands for the genes in it.

    Then those of `files`.
    """
    # Here, not above: help texts have no need of it.
    from gsfm.genes import read_genes

    found: list[str] = []
    for one in given or []:
        if one == "-" or Path(one).is_file():
            if one != "-":
                note(f"{one} is a file: reading the genes in it")
            found += read_genes(one)
        else:
            found.append(one)
    for path in files or []:
        found += read_genes(path)
    return found


def split(given: Sequence[str]) -> list[str]:
    """The genes that commas separate in an option; the path of a file stays as it is."""
    parts = [[text] if Path(text).is_file() else text.split(",") for text in given]
    return [one.strip() for part in parts for one in part if one.strip()]
