"""``gsfm explain``: why a gene for a set."""

from __future__ import annotations

import enum
from typing import Annotated

import typer

from gsfm.cli.input import FileOption, ModelOption, check_stdin, read_identifiers
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


class Part(enum.StrEnum):
    """The tables of an explanation."""

    genes = "genes"
    kinds = "kinds"
    by_kind = "by-kind"
    papers = "papers"


@app.command()
def explain(
    gene: Annotated[str, typer.Argument(metavar="GENE", help="The gene to explain.")],
    genes: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SET",
            help="The genes of the set, by any identifier; the path of a file of them; - for "
            "stdin.",
            show_default=False,
        ),
    ] = None,
    file: FileOption = None,
    show: Annotated[
        Part | None,
        typer.Option(
            help="One table: the share of each gene, the part of each kind of evidence, the one "
            "by the other, or the papers. For people, genes, kinds and papers if not given; in a "
            "flat file, genes.",
            show_default=False,
        ),
    ] = None,
    top: Annotated[int, typer.Option(min=0, help="How many papers to show; 0 for all.")] = 10,
    random_state: Annotated[
        int,
        typer.Option(
            "--random-state",
            "--seed",
            help="Seed of the orders of the genes, for models that need them.",
        ),
    ] = 0,
    species: SpeciesOption = None,
    model: ModelOption = None,
    json: JsonOption = False,
    csv: CsvOption = False,
    tsv: TsvOption = False,
    output: OutputOption = None,
) -> None:
    """Tell why a gene is scored as it is for a set: what each gene adds, and which papers say so.

    The score, and what is known of the gene and the set together, go to stderr; --json has it all.

    Exit codes: 0 done, 1 an error explained in one line, 2 wrong usage.
    """
    form = chosen_format(json=json, csv=csv, tsv=tsv)
    named = [*(genes or []), *(file or [])]
    if not named:
        raise typer.BadParameter("give the genes of the set after the gene to explain; see --help")
    check_stdin(*named)

    from gsfm import analysis, models

    identifiers = read_identifiers(genes, file)
    with Bar("asking the model"):
        result = analysis.explain(
            gene,
            identifiers,
            top=top or None,
            random_state=random_state,
            species=None if species is None else species.value,
            model=models.load(model),
        )
    note(result.summary())
    note(result.headline())
    note(result.evidence())
    tables = {
        Part.genes: result.table,
        Part.kinds: result.kinds,
        Part.by_kind: result.by_kind,
        Part.papers: result.papers,
    }
    as_json = form == "json" or (
        form == "table" and output is not None and output.suffix.lower() == ".json"
    )
    if as_json:
        emit(result if show is None else tables[show], json=True, output=output)
    elif form == "table" and output is None and show is None:
        emit(result.table, title="What each gene adds")
        emit(result.kinds, title="\nWhat each kind of evidence adds")
        emit(result.papers.drop("link"), title="\nPapers of the embedded corpus")
    else:
        emit(tables[show or Part.genes], csv=csv, tsv=tsv, output=output)
