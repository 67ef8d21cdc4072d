"""``gsfm network``: a gene set as a network."""

from __future__ import annotations

from pathlib import Path
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


@app.command()
def network(
    genes: GenesArgument = None,
    file: FileOption = None,
    add: Annotated[
        int, typer.Option(min=0, help="Take in so many of the model's best completions, too.")
    ] = 0,
    min_relation: Annotated[
        float, typer.Option(help="Join two genes with a relation as large or larger.")
    ] = 2.0,
    degree: Annotated[
        int, typer.Option(min=1, help="Of these, to so many of the nearest of one of the two.")
    ] = 5,
    random_state: Annotated[
        int,
        typer.Option(
            "--random-state", "--seed", help="Seed of the communities and of the drawing."
        ),
    ] = 0,
    save: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Write the network: .graphml; .cyjs, for Cytoscape; .png, .svg or .pdf, a "
            "drawing. Repeatable.",
        ),
    ] = None,
    edges: Annotated[
        bool, typer.Option("--edges", help="Print the edges rather than the genes.")
    ] = False,
    species: SpeciesOption = None,
    model: ModelOption = None,
    json: JsonOption = False,
    csv: CsvOption = False,
    tsv: TsvOption = False,
    output: OutputOption = None,
) -> None:
    """Make a network of a gene set: weighted edges between related genes, and communities.

    Exit codes: 0 done, 1 an error explained in one line, 2 wrong usage.
    """
    chosen_format(json=json, csv=csv, tsv=tsv)
    named = [*(genes or []), *(file or [])]
    if not named:
        raise typer.BadParameter("give genes, a file of genes, or - for stdin; see --help")
    check_stdin(*named)

    from gsfm import analysis, models

    identifiers = read_identifiers(genes, file)
    loaded = models.load(model)
    with Bar("asking the model") as progress:
        result = analysis.network(
            identifiers,
            add=add,
            min_relation=min_relation,
            degree=degree,
            random_state=random_state,
            species=None if species is None else species.value,
            progress=progress,
            model=loaded,
        )
    note(result.summary())
    for target in save or []:
        result.save(target)
        note(f"wrote {target}")
    emit(result.edges if edges else result, json=json, csv=csv, tsv=tsv, output=output)
