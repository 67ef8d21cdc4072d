"""``gsfm models``: the families, and what a model folder is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gsfm.cli.output import CsvOption, JsonOption, TsvOption, emit

app = typer.Typer(help="The model families, and what a model folder holds.", no_args_is_help=True)


@app.command("list")
def list_(json: JsonOption = False, csv: CsvOption = False, tsv: TsvOption = False) -> None:
    """List the model families: what they are, their paper, whether fitting needs torch."""
    from gsfm.models import families

    emit(families(), json=json, csv=csv, tsv=tsv)


@app.command()
def describe(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="DIR",
            help="A model folder; the shipped model if not given.",
            show_default=False,
        ),
    ] = None,
    json: JsonOption = False,
    csv: CsvOption = False,
    tsv: TsvOption = False,
) -> None:
    """Show what a model is and what trained it: family, genes, settings, manifest."""
    from gsfm import models

    emit(models.describe(models.load(folder)), json=json, csv=csv, tsv=tsv)
