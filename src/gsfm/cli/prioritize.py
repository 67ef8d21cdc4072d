"""``gsfm prioritize``: candidate genes, ranked for a phenotype."""

from __future__ import annotations

from typing import Annotated

import typer

from gsfm.cli.input import (
    FileOption,
    ModelOption,
    TermLibraryOption,
    check_stdin,
    read_identifiers,
    split,
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
def prioritize(
    candidates: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="GENE|LOCUS",
            help="Candidate genes, by any identifier; a place on GRCh38, such as "
            "chr7:117000000-118000000, for the genes there; the path of a file of these; - for "
            "stdin.",
            show_default=False,
        ),
    ] = None,
    terms: Annotated[
        list[str] | None,
        typer.Option(
            "--for",
            metavar="TERM",
            help="A term of the phenotype, its identifier or name. Repeatable.",
        ),
    ] = None,
    seeds: Annotated[
        list[str] | None,
        typer.Option(
            metavar="GENES",
            help="Genes of the phenotype, separated by commas; a file of them; - for stdin. "
            "Repeatable.",
        ),
    ] = None,
    library: TermLibraryOption = None,
    file: FileOption = None,
    top: Annotated[int, typer.Option(min=0, help="How many candidates to show; 0 for all.")] = 20,
    why: Annotated[
        bool, typer.Option("--why/--no-why", help="Tell which seeds speak for each candidate.")
    ] = True,
    by_term: Annotated[
        bool,
        typer.Option("--by-term", help="Show how each candidate stands out for each term alone."),
    ] = False,
    species: SpeciesOption = None,
    model: ModelOption = None,
    json: JsonOption = False,
    csv: CsvOption = False,
    tsv: TsvOption = False,
    output: OutputOption = None,
) -> None:
    """Rank candidate genes for a phenotype: terms, a disease, or genes that are known for it.

    Candidates that are known for the phenotype are marked, and never scored by themselves. The
    table goes to stdout; what was understood, and which genes stand for the phenotype, to stderr.

    Exit codes: 0 done, 1 an error explained in one line, 2 wrong usage.
    """
    chosen_format(json=json, csv=csv, tsv=tsv)
    named = [*(candidates or []), *(file or [])]
    if not named:
        raise typer.BadParameter("give candidates, a file of them, or - for stdin; see --help")
    if not terms and not seeds:
        raise typer.BadParameter("give the phenotype: --for TERM, or --seeds GENES")
    check_stdin(*named, *(seeds or []), library)

    # Here, not above: `gsfm prioritize --help` has no need of a model.
    from gsfm import analysis, models

    with Bar("loading the model") as progress:
        result = analysis.prioritize(
            read_identifiers(candidates, file),
            terms=terms or (),
            seeds=read_identifiers(split(seeds or [])),
            library=library,
            top=top or None,
            why=why and not by_term,
            species=None if species is None else species.value,
            progress=progress,
            model=models.load(model),
        )
    note(result.summary())
    shown = result.by_term if by_term and not json else result
    emit(shown, json=json, csv=csv, tsv=tsv, output=output)
