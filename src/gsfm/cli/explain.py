"""``gsfm explain``: why a gene has its score for a set."""

from __future__ import annotations

from typing import Annotated, Literal

import polars as pl
import typer

from gsfm.cli import options
from gsfm.cli.command import call, command
from gsfm.cli.output import Form, emit, note
from gsfm.report import Report

app = typer.Typer()


@command(app, query=True)
def explain(
    form: Form,
    gene: Annotated[str, typer.Argument(metavar="GENE")],
    genes: Annotated[list[str] | None, typer.Argument(metavar="SET")] = None,
    file: options.File = None,
    table: Annotated[
        Literal["genes", "kinds", "by-kind", "papers"] | None, typer.Option("--show")
    ] = None,
    top: options.Top = 10,
    random_state: options.RandomState = 0,
) -> Report | pl.DataFrame | None:
    """Explain the score of a gene for a set: what each gene of the set adds, and the papers.

    The score and the evidence in the corpus go to stderr. `--top` counts the papers. With --json,
    the result has all tables.

    Parameters
    ----------
    gene
        The gene to explain.
    genes
        The genes of the set, by any identifier; a file of genes; - for stdin.
    table
        Show one table: the attribution to each gene, to each kind of evidence, to each gene by
        the kind of evidence, or the papers. By default genes, kinds and papers; in a flat file,
        genes.
    """
    query = options.require(genes, file, "the genes of the set after the gene to explain")
    from gsfm import analysis

    result = call(analysis.explain, genes=query)
    note(f"{result.headline()}\n{result.evidence()}")
    if table is None and form.written == "table":
        emit(result.table, title="What each gene adds")
        emit(result.kinds, title="\nWhat each kind of evidence adds")
        emit(result.papers.drop("link"), title="\nPapers of the embedded corpus")
        return None
    tables = {"kinds": result.kinds, "by-kind": result.by_kind, "papers": result.papers}
    if table is not None:
        return tables.get(table, result.table)
    return result
