"""``gsfm discover``: understudied genes, biomarkers and targets.

Parameters
----------
about
    A term, by its identifier or name; or several genes, by any identifier, a file of genes, or -
    for stdin.
"""

from __future__ import annotations

from typing import Annotated

import typer

from gsfm import genes
from gsfm.cli import options
from gsfm.cli.command import call, command
from gsfm.io.streams import is_file
from gsfm.report import Report

app = typer.Typer(
    help="Find understudied genes, biomarkers and targets, each with its reason.",
    no_args_is_help=True,
)

MEMBERS = {
    "biomarkers": """Rank the members of a set or term that are secreted or surface proteins.

    The reason is the location in the Gene Ontology and the Surfaceome: secreted, at the cell
    surface, or in blood plasma. Annotated members are marked, and have leave-one-out scores;
    the others are predicted.
    """,
    "targets": """Rank the members of a set or term that are of druggable families.

    The reason is the family: kinases, receptors, channels, transporters, proteases and others, by
    GO, FamPlex, the Guide to PHARMACOLOGY and Pfam; approved drugs are listed. Annotated members
    are marked, and have leave-one-out scores; the others are predicted.
    """,
}


def _add(name: str, text: str) -> None:
    """Add the command that calls the verb of this name."""

    def members(
        about: Annotated[list[str], typer.Argument(metavar="TERM|GENE")],
        library: options.Library = None,
        top: options.Top = 50,
        which: options.WhichRows = "all",
        background: options.Background = None,
    ) -> Report:
        from gsfm.analysis import discover

        verb = {"biomarkers": discover.biomarkers, "targets": discover.targets}[name]
        return call(verb, about=_query(about, library), background=background or ())

    members.__doc__ = text
    command(app, name, query=True)(members)


for _name, _text in MEMBERS.items():
    _add(_name, _text)


@command(app, query=True)
def understudied(
    library: Annotated[str, typer.Option("--library", "--libraries", metavar="NAME")] = "go-bp",
    max_papers: options.Count = 20,
    coding: Annotated[bool, typer.Option("--coding/--all")] = True,
    top: options.Top = 50,
    top_terms: options.Positive = 1,
    min_size: options.Positive = 5,
    max_size: options.Positive = 500,
    background: options.Background = None,
    cache: options.Cache = True,
) -> Report:
    """Find genes with few papers, and the terms with high-confidence predictions for them.

    Terms that the gene is annotated with are counted, but not shown.

    Parameters
    ----------
    library
        The library of the terms (see gsfm library list), or a gene-set file.
    max_papers
        Largest number of papers that NCBI links to a gene.
    coding
        Only genes with a protein product.
    top_terms
        Number of terms of each gene.
    min_size
        Smallest number of genes of a term.
    max_size
        Largest number of genes of a term.
    """
    from gsfm import analysis

    return call(analysis.understudied, background=background or ())


def _query(about: list[str], library: str | None) -> str | list[str]:
    """A term, which is one text that is neither a file nor genes with commas; or else genes."""
    from gsfm.analysis.sources import is_path

    is_term = len(about) == 1 and about[0] != "-" and not is_path(about[0], library)
    if is_term and len(parts := options.split(about)) > 1:
        is_term = None in genes.resolve([one for one in parts if not is_file(one)]).symbols
    return about[0] if is_term else options.read(about)
