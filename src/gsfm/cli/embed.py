"""``gsfm embed``: vectors of genes and of gene sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import polars as pl
import typer

from gsfm.cli import options
from gsfm.cli.command import call, command
from gsfm.cli.output import Form, note
from gsfm.report import Report

if TYPE_CHECKING:
    from gsfm.analysis import Vectors

app = typer.Typer(help="The model's vectors of genes and of gene sets.", no_args_is_help=True)

OUTPUT = "Write the vectors to FILE: .parquet, .npz, .h5ad (AnnData), .csv, .tsv or .json."
Dimensions = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Length of the vectors, by the leading directions; the model's own by default.",
        show_default=False,
    ),
]


@command(app, output=OUTPUT)
def genes(
    form: Form,
    genes: options.Genes = None,
    dimensions: Dimensions = None,
    species: options.Species = None,
    model: options.Model = None,
) -> Report | pl.DataFrame | None:
    """Embed genes; all genes of the model by default.

    Without a format or a file, only the genes are shown, not their vectors.
    """
    from gsfm import analysis

    if genes:
        query = options.read(genes)
        result = call(analysis.embed, query, dimensions=dimensions, species=species, model=model)
    else:  # without the summary of all genes
        result = analysis.embed(dimensions=dimensions, model=model)
    return _vectors(result, form)


@command(app, output=OUTPUT)
def sets(
    form: Form,
    library: options.Sets,
    dimensions: Dimensions = None,
    species: options.Species = None,
    model: options.Model = None,
) -> Report | pl.DataFrame | None:
    """Embed gene sets. Without a format or a file, only the sets are shown, not their vectors."""
    from gsfm import analysis
    from gsfm.analysis.query import read_source

    query = read_source(library, resolve=False)
    result = call(analysis.embed, query, dimensions=dimensions, species=species, model=model)
    return _vectors(result, form)


def _vectors(result: Vectors, form: Form) -> Report | pl.DataFrame | None:
    """Write the vectors, or return what to print."""
    n, dimensions = result.vectors.shape
    if form.name in ("csv", "tsv"):
        return result.frame()
    if form.name == "json":
        return result
    if form.output is None:
        note(f"{n:,} vectors of {dimensions} numbers; -o FILE writes them")
        return result
    result.save(form.output)
    note(f"wrote {n:,} vectors of {dimensions} numbers to {form.output}")
    return None
