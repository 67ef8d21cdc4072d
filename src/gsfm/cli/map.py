"""``gsfm map``: many gene sets in the plane."""

from __future__ import annotations

from pathlib import Path

import typer

from gsfm.cli import options
from gsfm.cli.command import call, command
from gsfm.cli.output import Form, note
from gsfm.report import Report

app = typer.Typer()


@command(app, "map", query=True)
def map_(
    form: Form,
    sets: options.Sets,
    most: options.Count = 5000,
    random_state: options.RandomState = 0,
) -> Report | None:
    """Make a map of a library or of the embedded corpus: similar sets are near each other.

    Parameters
    ----------
    most
        Draw this number of sets if there are more; 0 for all.
    output
        Write FILE: .html, a self-contained interactive page; .json, .csv, else TSV.
    """
    if 0 < most < 5:
        raise typer.BadParameter("--most must be 5 or more, or 0 for all")
    from gsfm import analysis

    name = "papers of the embedded corpus" if sets == "papers" else Path(sets).name
    result = call(analysis.map, most=most or None, name=name)
    found = result.provenance
    if found["drawn"] < found["sets"]:
        note(f"{found['drawn']:,} of {found['sets']:,} sets, drawn at random; --most 0 for all")
    if found["unplaced"]:
        note(f"sets without a known gene, not on the map: {found['unplaced']:,}")
    if form.output is None or form.suffix not in ("html", "htm"):
        return result
    result.to_html(form.output)
    note(f"wrote {form.output}")
    return None
