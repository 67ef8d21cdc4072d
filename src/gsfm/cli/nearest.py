"""``gsfm nearest``: the gene sets nearest to a set."""

from __future__ import annotations

import enum
from typing import Annotated

import typer

from gsfm.cli.input import FileOption, GenesArgument, ModelOption, check_stdin, read_identifiers
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


class By(enum.StrEnum):
    """What makes a set near."""

    overlap = "overlap"
    model = "model"


@app.command()
def nearest(
    genes: GenesArgument = None,
    file: FileOption = None,
    among: Annotated[
        str,
        typer.Option(
            metavar="LIBRARY",
            help="The gene sets to search: a file, a library that comes with gsfm, or papers for "
            "the embedded corpus.",
        ),
    ] = "papers",
    by: Annotated[
        By,
        typer.Option(
            help="The least likely overlap first, or the sets whose genes the model predicts best."
        ),
    ] = By.overlap,
    top: Annotated[int, typer.Option(min=0, help="How many sets to show; 0 for all.")] = 20,
    species: SpeciesOption = None,
    model: ModelOption = None,
    json: JsonOption = False,
    csv: CsvOption = False,
    tsv: TsvOption = False,
    output: OutputOption = None,
) -> None:
    """Find the gene sets of a library, or the papers, that are nearest to a set.

    Exit codes: 0 done, 1 an error explained in one line, 2 wrong usage.
    """
    chosen_format(json=json, csv=csv, tsv=tsv)
    named = [*(genes or []), *(file or [])]
    if not named:
        raise typer.BadParameter("give genes, a file of genes, or - for stdin; see --help")
    check_stdin(*named, among)

    from gsfm import analysis, models

    identifiers = read_identifiers(genes, file)
    with Bar("comparing sets"):
        result = analysis.nearest(
            identifiers,
            among,
            by=by.value,
            top=top or None,
            species=None if species is None else species.value,
            model=models.load(model),
        )
    note(result.summary())
    emit(result, json=json, csv=csv, tsv=tsv, output=output)
