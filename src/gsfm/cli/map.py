"""``gsfm map``: many gene sets in the plane."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gsfm.cli.input import ModelOption
from gsfm.cli.output import (
    CsvOption,
    JsonOption,
    SpeciesOption,
    TsvOption,
    chosen_format,
    emit,
    note,
)
from gsfm.progress import Bar

app = typer.Typer()


@app.command(name="map")
def map_(
    library: Annotated[
        str,
        typer.Argument(
            metavar="LIBRARY",
            help="Gene sets: a file, - for stdin, a library that comes with gsfm, or papers for "
            "the embedded corpus.",
        ),
    ],
    most: Annotated[
        int,
        typer.Option(min=0, help="Draw so many sets at random if there are more; 0 for all."),
    ] = 5000,
    random_state: Annotated[
        int, typer.Option("--random-state", "--seed", help="Seed of the drawing and of the map.")
    ] = 0,
    species: SpeciesOption = None,
    model: ModelOption = None,
    json: JsonOption = False,
    csv: CsvOption = False,
    tsv: TsvOption = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="Write FILE: .html, an interactive page that stands alone; .json, .csv, else TSV.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Make a map of a library or of the embedded corpus: sets of like genes lie near each other.

    Exit codes: 0 done, 1 an error explained in one line, 2 wrong usage.
    """
    form = chosen_format(json=json, csv=csv, tsv=tsv)
    if 0 < most < 5:
        raise typer.BadParameter("--most must be 5 or more, or 0 for all")
    from gsfm import analysis, models
    from gsfm.analysis.query import read_source

    loaded = models.load(model)
    given = read_source(library, resolve=False)
    name = "papers of the embedded corpus" if library == "papers" else Path(library).name
    with Bar(f"making a map of {name}") as progress:
        result = analysis.map(
            given,
            most=most or None,
            random_state=random_state,
            name=name,
            species=None if species is None else species.value,
            progress=progress,
            model=loaded,
        )
    note(result.summary())
    p = result.provenance
    if p["drawn"] < p["sets"]:
        note(f"{p['drawn']:,} of {p['sets']:,} sets, drawn at random; --most 0 for all")
    if p["unplaced"]:
        note(f"sets without a known gene, not on the map: {p['unplaced']:,}")
    if form == "table" and output is not None and output.suffix.lower() in (".html", ".htm"):
        result.to_html(output)
        note(f"wrote {output}")
    else:
        emit(result, json=json, csv=csv, tsv=tsv, output=output)
