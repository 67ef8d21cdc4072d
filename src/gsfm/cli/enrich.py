"""``gsfm enrich``: the terms that a set or a ranked list of genes is enriched for."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from gsfm.cli import options
from gsfm.cli.command import call, command
from gsfm.report import Report

app = typer.Typer()


@command(app, query=True)
def enrich(
    genes: options.Genes = None,
    file: options.File = None,
    ranked: Annotated[str | None, typer.Option(metavar="FILE")] = None,
    method: Literal["model", "ora", "prerank"] = "model",
    libraries: options.Libraries = None,
    background: Annotated[str | None, typer.Option(metavar="library|all|FILE")] = None,
    top_genes: Annotated[int | None, typer.Option(min=1)] = None,
    top: options.Top = 20,
    min_size: options.Positive = 5,
    max_size: Annotated[int | None, typer.Option(min=1)] = None,
    draws: Annotated[int | None, typer.Option(min=20)] = None,
    weight: float | None = None,
    permutations: Annotated[int | None, typer.Option(min=1)] = None,
    random_state: options.RandomState = 0,
    model: options.Model = None,
) -> Report:
    """Find the terms of libraries that a set, or a ranked list, of genes is enriched for.

    The terms go to stdout, and the report on the identifiers to stderr.

    Parameters
    ----------
    ranked
        A ranked list instead of genes: a gene and a statistic with a sign in each line (RNK,
        TSV or CSV); - for stdin.
    method
        model: the model's evidence for the genes of a term; ora: over-representation, the
        hypergeometric test of the overlap; prerank: GSEA of a ranked list, by GSEApy.
    background
        The background: the genes of the library, all genes, or those of a file (- for stdin).
        The default is library for ora, all genes of the model for model, and the genes of the
        list for a ranked list.
    top_genes
        Method model, ranked list: genes at each end that make a set. Default: 100.
    min_size
        Terms with fewer genes of the background are not tested.
    max_size
        Terms with more genes of the background are not tested. The default is 500 for prerank,
        else no bound.
    draws
        Method model: random sets in the null. Default: 200.
    weight
        Method prerank: power of the statistics. Default: 1.
    permutations
        Method prerank: permuted lists in the null. Default: 1000.
    """
    if ranked is not None and (genes or file):
        raise typer.BadParameter("give genes or --ranked, not both")
    if ranked is not None and method == "ora":
        raise typer.BadParameter("ora takes a set of genes; --ranked is for model and prerank")
    if method == "prerank" and background in ("library", "all"):
        raise typer.BadParameter("the background of prerank is the list, or a FILE")
    from gsfm import analysis
    from gsfm.genes import read_ranked

    is_word = background in (None, "library", "all")
    try:
        return call(
            analysis.enrich,
            genes=options.require(genes, file) if ranked is None else read_ranked(ranked),
            background=background if is_word else options.read_background(background=background),
            random_state=None if method == "ora" else random_state,
            model=model if method == "model" else None,
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
