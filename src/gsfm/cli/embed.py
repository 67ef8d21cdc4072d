"""``gsfm embed``: vectors of genes and of gene sets.

Parameters
----------
dimensions
    Length of the vectors, by the leading directions; the model's own by default.
output
    Write the vectors to FILE: .parquet, .npz, .h5ad (AnnData), .csv, .tsv or .json.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import polars as pl
import typer

from gsfm.cli import options
from gsfm.cli.command import call, command, options_for
from gsfm.cli.output import Form, note
from gsfm.errors import count
from gsfm.report import Report

if TYPE_CHECKING:
    from gsfm.analysis import Vectors

app = typer.Typer(help="The model's vectors of genes and of gene sets.", no_args_is_help=True)

#: The suffixes of `Vectors.save`.
SUFFIXES = (".parquet", ".npz", ".h5ad", ".csv", ".tsv", ".json")

Dimensions = Annotated[int | None, typer.Option(min=1)]


@command(app, query=True, suffixes=SUFFIXES)
def genes(
    form: Form,
    genes: options.Genes = None,
    dimensions: Dimensions = None,
) -> Report | pl.DataFrame | None:
    """Embed genes; all genes of the model by default.

    Without a format or a file, only the genes are shown, not their vectors.
    """
    from gsfm import analysis

    if not genes:  # without the summary of all genes
        return _shown(analysis.embed(**options_for(analysis.embed, genes=None)), form)
    return _shown(call(analysis.embed, genes=options.read(genes)), form)


@command(app, query=True, suffixes=SUFFIXES)
def sets(
    form: Form,
    sets: options.Sets,
    dimensions: Dimensions = None,
) -> Report | pl.DataFrame | None:
    """Embed gene sets. Without a format or a file, only the sets are shown, not their vectors."""
    from gsfm import analysis

    return _shown(call(analysis.embed, genes=options.read_library(sets)), form)


def _shown(result: Vectors, form: Form) -> Report | pl.DataFrame | None:
    """Write the vectors, or return what to print."""
    n, length = result.vectors.shape
    size = f"{count(n, 'vector')} of {count(length, 'number')}"
    if form.output is not None and form.name == "table":
        result.save(form.output)
        note(f"wrote {size} to {form.output}")
        return None
    if form.name == "table":
        note(f"{size}; -o FILE writes them")
    return result.frame() if form.name in ("csv", "tsv") else result
