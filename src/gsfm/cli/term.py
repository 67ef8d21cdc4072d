"""``gsfm term``: the genes of a term, and those that are predicted for it."""

from __future__ import annotations

from typing import Annotated

import typer

from gsfm.cli.annotate import KnownOption, NewOption, chosen_which
from gsfm.cli.input import MissingOption, ModelOption, TermLibraryOption
from gsfm.cli.output import (
    CsvOption,
    JsonOption,
    OutputOption,
    TsvOption,
    chosen_format,
    emit,
    note,
)
from gsfm.progress import Bar

app = typer.Typer()


@app.command()
def term(
    text: Annotated[
        str,
        typer.Argument(
            metavar="TERM",
            help="A term: its identifier, its name, or the beginning of either; - for stdin.",
            show_default=False,
        ),
    ],
    library: TermLibraryOption = None,
    top: Annotated[int, typer.Option(min=0, help="How many genes to show; 0 for all.")] = 50,
    new: NewOption = False,
    known: KnownOption = False,
    missing_fraction: MissingOption = 0.2,
    model: ModelOption = None,
    json: JsonOption = False,
    csv: CsvOption = False,
    tsv: TsvOption = False,
    output: OutputOption = None,
) -> None:
    """Rank the genes of a term: those that it holds, as if it did not, and those predicted.

    The table goes to stdout; which term was found, and how well the model knows it, to stderr.

    Exit codes: 0 done, 1 an error explained in one line, 2 wrong usage.
    """
    chosen_format(json=json, csv=csv, tsv=tsv)
    which = chosen_which(new=new, known=known)
    if text == "-":
        text = typer.get_text_stream("stdin").readline().strip()
    if not text:
        raise typer.BadParameter("give a term; see --help")

    # Here, not above: `gsfm term --help` has no need of a model.
    from gsfm import analysis, models

    with Bar("loading the model") as progress:
        result = analysis.term(
            text,
            library,
            top=top or None,
            which=which,
            missing_fraction=missing_fraction,
            progress=progress,
            model=models.load(model),
        )
    note(result.summary())
    emit(result, json=json, csv=csv, tsv=tsv, output=output)
