"""``gsfm annotate`` and ``gsfm term``: the terms of a gene or a set, and the genes of a term."""

from __future__ import annotations

from typing import Annotated

import typer

from gsfm.cli import options
from gsfm.cli.command import call, command
from gsfm.report import Report

app = typer.Typer()


@command(app, query=True)
def annotate(
    genes: Annotated[list[str], typer.Argument(metavar="GENE")],
    libraries: options.Libraries = None,
    top: options.Top = 5,
    which: options.WhichRows = "all",
    fast: bool = False,
    missing_fraction: options.MissingFraction = 0.2,
    cache: options.Cache = True,
) -> Report:
    """Rank the terms of libraries for a gene, or for a set of genes.

    Terms that the gene is annotated with are marked, and have leave-one-out scores. `--top` counts
    the terms of each library. The table goes to stdout, the report on the identifiers to stderr.

    Parameters
    ----------
    genes
        A gene, by any identifier. Several genes, a file, or - for stdin are a set.
    fast
        For a gene: compute only the fast scores of each term.
    """
    from gsfm import analysis

    query = options.read(genes)
    is_gene = query == genes and len(genes) == 1
    return call(analysis.annotate, genes=query[0] if is_gene else query)


@command(app)
def term(
    text: Annotated[str, typer.Argument(metavar="TERM")],
    library: options.Library = None,
    top: options.Top = 50,
    which: options.WhichRows = "all",
    missing_fraction: options.MissingFraction = 0.2,
    model: options.Model = None,
) -> Report:
    """Rank the genes of a term: the annotated genes, by leave-one-out, and the predicted ones.

    The table goes to stdout. The term, and how well the model predicts its genes, go to stderr.

    Parameters
    ----------
    text
        A term: its identifier, its name, or the beginning of either; - for stdin.
    """
    text = typer.get_text_stream("stdin").readline().strip() if text == "-" else text
    if not text:
        raise typer.BadParameter("give a term; see --help")
    from gsfm import analysis

    return call(analysis.term, text=text)
