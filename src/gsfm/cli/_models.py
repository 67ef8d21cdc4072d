"""``gsfm models``: the families, and what a model folder is."""

from __future__ import annotations

import typer

from gsfm.cli._output import CsvOption, JsonOption, TsvOption, emit

app = typer.Typer(help="The model families, and what a model folder holds.")


@app.command("list")
def list_(json: JsonOption = False, csv: CsvOption = False, tsv: TsvOption = False) -> None:
    """List the model families with what they are and their paper."""
    import polars as pl

    from gsfm.models import FAMILIES

    rows = [
        {"family": name, "description": family.description, "paper": family.paper}
        for name, family in sorted(FAMILIES.items())
    ]
    schema = {"family": pl.String, "description": pl.String, "paper": pl.String}
    emit(pl.DataFrame(rows, schema=schema), json=json, csv=csv, tsv=tsv)
