"""``gsfm annotate``: the terms that a gene, or a set of genes, belongs to."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from gsfm.cli.input import CacheOption, MissingOption, ModelOption, check_stdin, read_identifiers
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

NewOption = Annotated[bool, typer.Option("--new", help="Only what is not known already.")]
KnownOption = Annotated[bool, typer.Option("--annotated", help="Only what is known already.")]


@app.command()
def annotate(
    genes: Annotated[
        list[str],
        typer.Argument(
            metavar="GENE",
            help="A gene, by any identifier; or several, a file of them, or - for stdin: a set.",
            show_default=False,
        ),
    ],
    library: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A library (gsfm library list names them), or a gene-set file. Repeatable; all "
            "libraries if not given.",
        ),
    ] = None,
    top: Annotated[
        int, typer.Option(min=0, help="How many terms of each library to show; 0 for all.")
    ] = 5,
    new: NewOption = False,
    known: KnownOption = False,
    fast: Annotated[
        bool,
        typer.Option(
            "--fast", help="Of a gene, the fast form's numbers only, without the whole model's."
        ),
    ] = False,
    missing_fraction: MissingOption = 0.2,
    cache: CacheOption = True,
    species: SpeciesOption = None,
    model: ModelOption = None,
    json: JsonOption = False,
    csv: CsvOption = False,
    tsv: TsvOption = False,
    output: OutputOption = None,
) -> None:
    """Rank the terms of libraries for a gene, or for a set of genes.

    Terms that hold the gene already are marked, and ranked as if they did not hold it. The table
    goes to stdout; what was understood of the genes to stderr.

    Exit codes: 0 done, 1 an error explained in one line, 2 wrong usage.
    """
    chosen_format(json=json, csv=csv, tsv=tsv)
    which = chosen_which(new=new, known=known)
    check_stdin(*genes, *(library or []))

    # Here, not above: `gsfm annotate --help` has no need of a model.
    from gsfm import analysis, models

    identifiers = read_identifiers(genes)
    one = len(genes) == 1 and identifiers == genes
    with Bar("loading the model") as progress:
        result = analysis.annotate(
            identifiers[0] if one else identifiers,
            library or None,
            top=top or None,
            which=which,
            fast=fast,
            missing_fraction=missing_fraction,
            species=None if species is None else species.value,
            cache=cache,
            progress=progress,
            model=models.load(model),
        )
    note(result.summary())
    emit(result, json=json, csv=csv, tsv=tsv, output=output)


def chosen_which(*, new: bool, known: bool) -> Literal["all", "annotated", "new"]:
    """Which rows are shown.

    Raises
    ------
    typer.BadParameter
        If both options are given.
    """
    if new and known:
        raise typer.BadParameter("choose one of --new and --annotated")
    return "new" if new else "annotated" if known else "all"
