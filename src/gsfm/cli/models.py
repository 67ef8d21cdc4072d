"""``gsfm models``: the model families, and the description of a model folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from gsfm.cli.command import command
from gsfm.report import Report

app = typer.Typer(
    help="The model families, and the description of a model folder.", no_args_is_help=True
)


@command(app, "list")
def list_() -> pl.DataFrame:
    """List the model families: description, paper, whether fitting needs torch."""
    from gsfm.models import families

    return families()


@command(app)
def describe(
    folder: Annotated[Path | None, typer.Argument(metavar="DIR")] = None,
) -> Report | pl.DataFrame:
    """Show what a model is and how it was trained: family, genes, settings, manifest.

    Parameters
    ----------
    folder
        A model folder; the shipped model by default.
    """
    from gsfm import models

    return models.describe(models.load(folder))
