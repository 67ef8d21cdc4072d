"""``gsfm complete``: the genes that are missing from a gene set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gsfm.cli._output import (
    CsvOption,
    JsonOption,
    OutputOption,
    SpeciesOption,
    TsvOption,
    chosen_format,
    emit,
    note,
)

app = typer.Typer()


@app.command()
def complete(
    genes: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="GENE",
            help="Genes, by any identifier; the path of a file of them; - for stdin.",
            show_default=False,
        ),
    ] = None,
    file: Annotated[
        list[str] | None,
        typer.Option(
            "--file",
            "-f",
            metavar="FILE",
            help="A file of genes, added to those given; - for stdin. Repeatable.",
        ),
    ] = None,
    library: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Complete every set of a library (GMT or any other format); - for stdin.",
        ),
    ] = None,
    top: Annotated[int, typer.Option(min=0, help="How many genes to show; 0 for all.")] = 100,
    exclude: Annotated[
        list[str] | None,
        typer.Option(metavar="GENE", help="Leave out a gene, or a file of genes. Repeatable."),
    ] = None,
    include_input: Annotated[
        bool,
        typer.Option(
            "--include-input/--exclude-input",
            help="Rank the input genes too, each by its leave-one-out score, marked in_input.",
        ),
    ] = False,
    background: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Rank only the genes of this file; - for stdin."),
    ] = None,
    species: SpeciesOption = None,
    model: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="A model folder; the shipped model if not given."),
    ] = None,
    json: JsonOption = False,
    csv: CsvOption = False,
    tsv: TsvOption = False,
    output: OutputOption = None,
) -> None:
    """Rank the genes that are missing from a gene set.

    The ranked genes go to stdout; which identifiers were understood and how, and which were not,
    to stderr. A set without a gene that the model knows is an error.

    Exit codes: 0 done, 1 an error explained in one line, 2 wrong usage.
    """
    chosen_format(json=json, csv=csv, tsv=tsv)
    named = [*(genes or []), *(file or [])]
    if library is not None and named:
        raise typer.BadParameter("give genes or --library, not both")
    if library is None and not named:
        raise typer.BadParameter("give genes, a file of genes, or - for stdin; see --help")
    if [library, background, *named, *(exclude or [])].count("-") > 1:
        raise typer.BadParameter("only one input can be stdin (-)")

    # Here, not above: `gsfm complete --help` has no need of a model.
    from gsfm import insight, models, sets

    identifiers = _identifiers(genes or [])
    for path in file or []:
        identifiers += sets.read_genes(path)
    settings: dict[str, Any] = {
        "top": top or None,
        "exclude": _identifiers(exclude or []),
        "include_input": include_input,
        "background": None if background is None else sets.read_genes(background),
        "species": None if species is None else species.value,
    }
    loaded = models.load(model)
    result: insight.Completion
    if library is None:
        result = insight.complete(loaded, identifiers, **settings)
    else:
        read = sets.read(library, resolve=False)
        if read.report is not None:
            note(read.report.summary())
        result = insight.complete_many(loaded, read, **settings)
    note(result.summary())
    emit(result, json=json, csv=csv, tsv=tsv, output=output)


def _identifiers(given: list[str]) -> list[str]:
    """The genes named on the command line; a path of a file stands for the genes in it."""
    from gsfm import sets

    found: list[str] = []
    for one in given:
        if one == "-" or Path(one).is_file():
            if one != "-":
                note(f"{one} is a file: reading the genes in it")
            found += sets.read_genes(one)
        else:
            found.append(one)
    return found
