"""``gsfm relate``, ``network`` and ``nearest``: related genes, and related sets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import polars as pl
import typer

from gsfm.cli import options
from gsfm.cli.command import call, command
from gsfm.cli.output import note
from gsfm.report import Report

app = typer.Typer()


@command(app, query=True)
def relate(
    gene: Annotated[str, typer.Argument(metavar="GENE")],
    other: Annotated[str | None, typer.Argument(metavar="OTHER")] = None,
    context: Annotated[list[str] | None, typer.Option(metavar="GENES|TERM")] = None,
    libraries: Annotated[
        list[str] | None, typer.Option("--libraries", "--library", metavar="NAME")
    ] = None,
    top: options.Positive = 20,
    draws: Annotated[int, typer.Option(min=10)] = 50,
    random_state: options.RandomState = 0,
) -> Report:
    """Find the genes nearest to a gene, overall or in a context, or how related two genes are.

    For two genes, the relation and its p-value go to stderr, and with --json into the result. The
    table lists what they share: papers of the embedded corpus, terms, and genes near both.

    Parameters
    ----------
    gene
        A gene, by any identifier.
    other
        A second gene: show how related the two are.
    context
        Find the neighbors of GENE in a context: genes, separated by commas; a file of genes; -
        for stdin; or a term, by its name or identifier. Repeatable for genes.
    libraries
        A library (see gsfm library list), or a gene-set file: to find terms that two genes
        share (repeatable), or the term of --context (by default in all libraries).
    top
        Number of genes, or of shared contexts of each kind.
    draws
        Genes to draw for each of two genes; the null is all pairs.
    """
    if other is not None and context:
        raise typer.BadParameter("--context is for one gene; leave out the second gene")
    if libraries and other is None and not context:
        raise typer.BadParameter("--library needs a second gene, or --context")
    if context and len(libraries or ()) > 1:
        raise typer.BadParameter("the term of --context is looked up in one --library")
    from gsfm import analysis

    # One text may be a term; several, or a file, are genes.
    text = context[0] if context and len(context) == 1 and context[0] != "-" else None
    result: analysis.Neighbors | analysis.Relation = call(
        analysis.relate,
        context=text or options.read(options.split(context)) or None,
        libraries=libraries or (),
    )
    if isinstance(result, analysis.Relation):
        note(result.headline())
    elif found := result.provenance["context"]:
        note(f"nearest genes in {found['name']} ({found['genes']:,} known genes)")
    return result


@command(app, query=True)
def network(
    genes: options.Genes = None,
    file: options.File = None,
    add: options.Count = 0,
    min_relation: float = 2.0,
    degree: options.Positive = 5,
    random_state: options.RandomState = 0,
    save: Annotated[list[Path] | None, typer.Option(metavar="FILE")] = None,
    edges: bool = False,
) -> Report | pl.DataFrame:
    """Make a network of a gene set: weighted edges between related genes, and communities.

    Parameters
    ----------
    add
        Add this number of the model's best completions.
    min_relation
        Smallest relation of two genes with an edge.
    degree
        Keep the edges of each gene to this number of nearest genes.
    save
        Write the network: .graphml; .cyjs for Cytoscape; a drawing as .png, .svg or .pdf.
        Repeatable.
    edges
        Print the edges instead of the genes.
    """
    query = options.require(genes, file)
    from gsfm import analysis

    result = call(analysis.network, genes=query)
    for path in save or ():
        result.save(path)
        note(f"wrote {path}")
    return result.edges if edges else result


@command(app, query=True)
def nearest(
    genes: options.Genes = None,
    file: options.File = None,
    among: Annotated[str, typer.Option(metavar="LIBRARY")] = "papers",
    by: Literal["overlap", "model"] = "overlap",
    top: options.Top = 20,
) -> Report:
    """Find the gene sets of a library, or the papers, that are nearest to a set.

    Parameters
    ----------
    among
        The gene sets to search: a file, the name of a library, or papers for the embedded
        corpus.
    by
        Order by the p-value of the overlap, or by the model's scores of the members.
    """
    query = options.require(genes, file)
    from gsfm import analysis

    return call(analysis.nearest, genes=query)
