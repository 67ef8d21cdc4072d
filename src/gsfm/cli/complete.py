"""``gsfm complete``: the genes that are missing from a gene set."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gsfm.cli import options
from gsfm.cli.command import call, command
from gsfm.report import Report

app = typer.Typer()


@command(app, query=True)
def complete(
    genes: options.Genes = None,
    file: options.File = None,
    library: Annotated[str | None, typer.Option(metavar="FILE")] = None,
    top: options.Top = 100,
    exclude: Annotated[list[str] | None, typer.Option(metavar="GENE")] = None,
    include_input: Annotated[bool, typer.Option("--include-input/--exclude-input")] = False,
    background: options.Background = None,
    missing_fraction: options.MissingFraction = 0.5,
) -> Report:
    """Rank the genes that are missing from a gene set.

    The ranked genes go to stdout, and the report on the identifiers to stderr. A set without a
    gene that the model knows is an error.

    Parameters
    ----------
    library
        Complete every set of this gene-set file; - for stdin.
    exclude
        A gene, or a file of genes, that is not ranked. Repeatable.
    include_input
        Also rank the input genes, each by its leave-one-out score; marked in_input.
    """
    if library is not None and (genes or file):
        raise typer.BadParameter("give genes or --library, not both")
    from gsfm import analysis

    query: Any = (
        options.require(genes, file)
        if library is None
        else options.read_sets(library, resolve=False)
    )
    return call(analysis.complete, genes=query, exclude=options.read(exclude))
