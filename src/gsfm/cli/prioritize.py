"""``gsfm prioritize``: candidate genes, ranked for a phenotype."""

from __future__ import annotations

from typing import Annotated

import polars as pl
import typer

from gsfm.cli import options
from gsfm.cli.command import call, command
from gsfm.cli.output import Form
from gsfm.report import Report

app = typer.Typer()


@command(app, query=True)
def prioritize(
    form: Form,
    candidates: Annotated[list[str] | None, typer.Argument(metavar="GENE|LOCUS")] = None,
    terms: Annotated[list[str] | None, typer.Option("--terms", "--for", metavar="TERM")] = None,
    seeds: Annotated[list[str] | None, typer.Option(metavar="GENES")] = None,
    library: options.Library = None,
    file: options.File = None,
    top: options.Top = 20,
    why: Annotated[bool, typer.Option("--why/--no-why")] = True,
    by_term: bool = False,
) -> Report | pl.DataFrame:
    """Rank candidate genes for a phenotype: terms, a disease, or genes that are known for it.

    Candidates among the genes of the phenotype are marked, and have leave-one-out scores. The table
    goes to stdout; the report on the identifiers and the genes of the phenotype go to stderr.

    Parameters
    ----------
    candidates
        Candidate genes, by any identifier; a region of GRCh38, such as
        chr7:117000000-118000000, for the genes in it; a file of these; - for stdin.
    terms
        A term of the phenotype, by its identifier or name. Repeatable.
    seeds
        Genes of the phenotype, separated by commas; a file of genes; - for stdin. Repeatable.
    why
        Show the seeds that support each candidate.
    by_term
        Show the z-score of each candidate for each term.
    """
    if not terms and not seeds:
        raise typer.BadParameter("give the phenotype: --for TERM, or --seeds GENES")
    query = options.require(candidates, file, "candidates")
    from gsfm import analysis

    result = call(
        analysis.prioritize,
        candidates=query,
        terms=terms or (),
        seeds=options.read(options.split(seeds)),
        why=why and not by_term,
    )
    return result.by_term if by_term and form.name != "json" else result
