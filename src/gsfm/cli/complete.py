"""``gsfm complete``: the genes that are missing from a gene set."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gsfm.cli.input import (
    BackgroundOption,
    FileOption,
    GenesArgument,
    MissingOption,
    ModelOption,
    check_stdin,
    read_identifiers,
)
from gsfm.cli.output import (
    CsvOption,
    JsonOption,
    OutputOption,
    SpeciesOption,
    TsvOption,
    chosen_format,
    emit,
    note,
)
from gsfm.progress import Bar

app = typer.Typer()


@app.command()
def complete(
    genes: GenesArgument = None,
    file: FileOption = None,
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
    background: BackgroundOption = None,
    missing_fraction: MissingOption = 0.5,
    species: SpeciesOption = None,
    model: ModelOption = None,
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
    check_stdin(library, background, *named, *(exclude or []))

    # Here, not above: `gsfm complete --help` has no need of a model.
    from gsfm import analysis, models, sets
    from gsfm.genes import read_genes

    identifiers = read_identifiers(genes, file)
    settings: dict[str, Any] = {
        "top": top or None,
        "exclude": read_identifiers(exclude or []),
        "include_input": include_input,
        "background": None if background is None else read_genes(background),
        "missing_fraction": missing_fraction,
        "species": None if species is None else species.value,
    }
    loaded = models.load(model)
    result: analysis.Completion
    if library is None:
        result = analysis.complete(identifiers, **settings, model=loaded)
    else:
        read = sets.read(library, resolve=False)
        if read.report is not None:
            note(read.report.summary())
        with Bar("completing sets") as progress:
            result = analysis.complete(read, progress=progress, **settings, model=loaded)
    note(result.summary())
    emit(result, json=json, csv=csv, tsv=tsv, output=output)
