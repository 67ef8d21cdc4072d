"""``gsfm discover``: understudied genes, biomarkers and targets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gsfm.cli.annotate import KnownOption, NewOption, chosen_which
from gsfm.cli.input import (
    BackgroundOption,
    CacheOption,
    ModelOption,
    TermLibraryOption,
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

app = typer.Typer(
    help="Find understudied genes, biomarkers and targets, each with its reason.",
    no_args_is_help=True,
)

AboutArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="TERM|GENE",
        help="A term, by its identifier or name; or several genes, by any identifiers, the path "
        "of a file of them, or - for stdin.",
        show_default=False,
    ),
]
TopOption = Annotated[int, typer.Option(min=0, help="How many genes to show; 0 for all.")]


@app.command()
def biomarkers(
    about: AboutArgument,
    library: TermLibraryOption = None,
    top: TopOption = 50,
    new: NewOption = False,
    known: KnownOption = False,
    background: BackgroundOption = None,
    species: SpeciesOption = None,
    model: ModelOption = None,
    json: JsonOption = False,
    csv: CsvOption = False,
    tsv: TsvOption = False,
    output: OutputOption = None,
) -> None:
    """Rank the members of a set or term, known and predicted, that are met outside the cell.

    The reason is where the Gene Ontology has the protein: secreted, at the cell surface, or in the
    plasma membrane. Members that are known are marked, and scored as if they were not.

    Exit codes: 0 done, 1 an error explained in one line, 2 wrong usage.
    """
    _members(
        "biomarkers", about, library, top, chosen_which(new=new, known=known), background, species,
        model, json=json, csv=csv, tsv=tsv, output=output,
    )  # fmt: skip


@app.command()
def targets(
    about: AboutArgument,
    library: TermLibraryOption = None,
    top: TopOption = 50,
    new: NewOption = False,
    known: KnownOption = False,
    background: BackgroundOption = None,
    species: SpeciesOption = None,
    model: ModelOption = None,
    json: JsonOption = False,
    csv: CsvOption = False,
    tsv: TsvOption = False,
    output: OutputOption = None,
) -> None:
    """Rank the members of a set or term, known and predicted, that are of druggable families.

    The reason is the family: kinases, receptors, channels, transporters, proteases and others, by
    GO, FamPlex and Pfam. Members that are known are marked, and scored as if they were not.

    Exit codes: 0 done, 1 an error explained in one line, 2 wrong usage.
    """
    _members(
        "targets", about, library, top, chosen_which(new=new, known=known), background, species,
        model, json=json, csv=csv, tsv=tsv, output=output,
    )  # fmt: skip


@app.command()
def understudied(
    library: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="The library of terms (gsfm library list names them), or a gene-set file.",
        ),
    ] = "go-bp",
    max_papers: Annotated[
        int, typer.Option(min=0, help="The most papers that NCBI may link to a gene.")
    ] = 20,
    coding: Annotated[
        bool, typer.Option("--coding/--all", help="Only genes with a protein product.")
    ] = True,
    top: TopOption = 50,
    terms: Annotated[int, typer.Option(min=1, help="How many terms of each gene to show.")] = 1,
    min_size: Annotated[int, typer.Option(min=1, help="The least genes of a term.")] = 5,
    max_size: Annotated[int, typer.Option(min=1, help="The most genes of a term.")] = 500,
    background: BackgroundOption = None,
    cache: CacheOption = True,
    species: SpeciesOption = None,
    model: ModelOption = None,
    json: JsonOption = False,
    csv: CsvOption = False,
    tsv: TsvOption = False,
    output: OutputOption = None,
) -> None:
    """Find genes that few papers are about, with the terms that are predicted for them surely.

    Terms that hold the gene already are not shown, but counted.

    Exit codes: 0 done, 1 an error explained in one line, 2 wrong usage.
    """
    chosen_format(json=json, csv=csv, tsv=tsv)
    check_stdin(background, library)

    # Here, not above: help texts have no need of a model.
    from gsfm import analysis, models
    from gsfm.genes import read_genes

    with Bar("loading the model") as progress:
        result = analysis.understudied(
            library,
            max_papers=max_papers,
            coding=coding,
            top=top or None,
            terms=terms,
            min_size=min_size,
            max_size=max_size,
            background=() if background is None else read_genes(background),
            species=None if species is None else species.value,
            cache=cache,
            progress=progress,
            model=models.load(model),
        )
    note(result.summary())
    emit(result, json=json, csv=csv, tsv=tsv, output=output)


def _members(
    task: str,
    about: list[str],
    library: str | None,
    top: int,
    which: str,
    background: str | None,
    species: Any,
    model: Path | None,
    **form: Any,
) -> None:
    output = form.pop("output")
    chosen_format(**form)
    check_stdin(*about, background, library)

    # Here, not above: help texts have no need of a model.
    from gsfm import analysis, models
    from gsfm.genes import read_genes

    # One text that is no file is a term.
    is_term = len(about) == 1 and about[0] != "-" and not Path(about[0]).is_file()
    with Bar("loading the model") as progress:
        result = getattr(analysis, task)(
            about[0] if is_term else read_identifiers(about),
            library=library,
            model=models.load(model),
            top=top or None,
            which=which,
            background=() if background is None else read_genes(background),
            species=None if species is None else species.value,
            progress=progress,
        )
    note(result.summary())
    emit(result, output=output, **form)
