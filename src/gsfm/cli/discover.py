"""``gsfm discover``: understudied genes, biomarkers and targets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gsfm.cli import options
from gsfm.cli.command import call, command
from gsfm.report import Report

app = typer.Typer(
    help="Find understudied genes, biomarkers and targets, each with its reason.",
    no_args_is_help=True,
)

About = Annotated[
    list[str],
    typer.Argument(
        metavar="TERM|GENE",
        help="A term, by its identifier or name; or several genes, by any identifier, a file of "
        "genes, or - for stdin.",
        show_default=False,
    ),
]


#: The commands that rank the members of one kind, with their help.
MEMBERS = {
    "biomarkers": """Rank the members of a set or term that are secreted or surface proteins.

    The reason is the location in the Gene Ontology: secreted, at the cell surface, or in the plasma
    membrane. Annotated members are marked, and have leave-one-out scores; the others are predicted.
    """,
    "targets": """Rank the members of a set or term that are of druggable families.

    The reason is the family: kinases, receptors, channels, transporters, proteases and others, by
    GO, FamPlex and Pfam. Annotated members are marked, and have leave-one-out scores; the others
    are predicted.
    """,
}


def _add_members(name: str) -> None:
    """Add a command of `MEMBERS`."""

    def members(
        about: About,
        library: options.Library = None,
        top: options.Top = 50,
        which: options.WhichRows = "all",
        new: options.New = False,
        annotated: options.AnnotatedOnly = False,
        background: options.Background = None,
        species: options.Species = None,
        model: options.Model = None,
    ) -> Report:
        which = options.which_of(which, new=new, annotated=annotated)
        from gsfm.analysis import discover

        # One text that is not a file is a term.
        is_term = len(about) == 1 and about[0] != "-" and not Path(about[0]).is_file()
        verb = discover.biomarkers if name == "biomarkers" else discover.targets
        return call(
            verb,
            about[0] if is_term else options.read(about),
            library=library,
            top=top,
            which=which,
            background=options.read_file(background) or (),
            species=species,
            model=model,
        )

    members.__doc__ = MEMBERS[name]
    command(app, name)(members)


for _name in MEMBERS:
    _add_members(_name)


@command(app)
def understudied(
    library: Annotated[str, typer.Option("--library", "--libraries", metavar="NAME")] = "go-bp",
    max_papers: options.Count = 20,
    coding: Annotated[bool, typer.Option("--coding/--all")] = True,
    top: options.Top = 50,
    terms: options.Positive = 1,
    min_size: options.Positive = 5,
    max_size: options.Positive = 500,
    background: options.Background = None,
    cache: options.Cache = True,
    species: options.Species = None,
    model: options.Model = None,
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
    terms
        Number of terms of each gene.
    min_size
        Smallest number of genes of a term.
    max_size
        Largest number of genes of a term.
    """
    from gsfm import analysis

    return call(
        analysis.understudied,
        library,
        max_papers=max_papers,
        coding=coding,
        top=top,
        terms=terms,
        min_size=min_size,
        max_size=max_size,
        background=options.read_file(background) or (),
        cache=cache,
        species=species,
        model=model,
    )
