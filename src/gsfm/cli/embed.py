"""``gsfm embed``: vectors of genes and of gene sets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gsfm.cli.input import ModelOption, read_identifiers
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

if TYPE_CHECKING:
    from gsfm.analysis import Vectors

app = typer.Typer(help="The model's vectors of genes and of gene sets.", no_args_is_help=True)

VectorsOption = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        help="Write the vectors: .parquet, .npz, .h5ad (AnnData), .csv, .tsv or .json.",
        show_default=False,
    ),
]
DimensionsOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Length of the vectors, by their leading directions; the model's own if not given.",
        show_default=False,
    ),
]


@app.command()
def genes(
    genes: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="GENE",
            help="Genes, by any identifier; the path of a file of them; - for stdin. All genes of "
            "the model if not given.",
            show_default=False,
        ),
    ] = None,
    dimensions: DimensionsOption = None,
    species: SpeciesOption = None,
    model: ModelOption = None,
    json: JsonOption = False,
    csv: CsvOption = False,
    tsv: TsvOption = False,
    output: VectorsOption = None,
) -> None:
    """Give the model's vectors of genes. Without a format or a file, only the genes are shown.

    Exit codes: 0 done, 1 an error explained in one line, 2 wrong usage.
    """
    chosen_format(json=json, csv=csv, tsv=tsv)
    from gsfm import analysis, models

    identifiers = read_identifiers(genes) if genes else None
    loaded = models.load(model)
    with Bar("making the vectors"):
        result = analysis.embed(
            identifiers,
            dimensions=dimensions,
            species=None if species is None else species.value,
            model=loaded,
        )
    if identifiers is not None:
        note(result.summary())
    _show(result, json=json, csv=csv, tsv=tsv, output=output)


@app.command()
def sets(
    library: Annotated[
        str,
        typer.Argument(
            metavar="LIBRARY",
            help="Gene sets: a file, - for stdin, a library that comes with gsfm, or papers for "
            "the embedded corpus.",
        ),
    ],
    dimensions: DimensionsOption = None,
    species: SpeciesOption = None,
    model: ModelOption = None,
    json: JsonOption = False,
    csv: CsvOption = False,
    tsv: TsvOption = False,
    output: VectorsOption = None,
) -> None:
    """Give the model's vectors of gene sets. Without a format or a file, only the sets are shown.

    Exit codes: 0 done, 1 an error explained in one line, 2 wrong usage.
    """
    chosen_format(json=json, csv=csv, tsv=tsv)
    from gsfm import analysis, models
    from gsfm.analysis.query import read_source

    loaded = models.load(model)
    given = read_source(library, resolve=False)
    with Bar("making the vectors") as progress:
        result = analysis.embed(
            given,
            dimensions=dimensions,
            species=None if species is None else species.value,
            progress=progress,
            model=loaded,
        )
    note(result.summary())
    _show(result, json=json, csv=csv, tsv=tsv, output=output)


def _show(result: Vectors, *, json: bool, csv: bool, tsv: bool, output: Path | None) -> None:
    n, d = result.vectors.shape
    if output is not None and not (json or csv or tsv):
        result.save(output)
        note(f"wrote {n:,} vectors of {d} numbers to {output}")
    elif json:
        emit(result, json=True, output=output)
    elif csv or tsv:
        emit(result.frame(), csv=csv, tsv=tsv, output=output)
    else:
        note(f"{n:,} vectors of {d} numbers; -o FILE writes them")
        emit(result.table)
