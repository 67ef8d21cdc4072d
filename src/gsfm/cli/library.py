"""``gsfm library``: list the libraries of terms, show them, add and remove them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import polars as pl
import typer

from gsfm.cli import options
from gsfm.cli.command import command, options_for
from gsfm.cli.output import counts, note
from gsfm.errors import count
from gsfm.report import Report

app = typer.Typer(
    help="Libraries of terms: GO, Reactome, protein families, and those that you add.",
    no_args_is_help=True,
)


@command(app, "list")
def list_(
    everything: Annotated[bool, typer.Option("--all")] = False,
) -> Report | pl.DataFrame:
    """List the libraries: terms, genes, release, date, license, species.

    Parameters
    ----------
    everything
        Also list the libraries that can be added, with the reason why each is not here, and the
        command.
    """
    from gsfm import libraries

    return libraries.available(everything=everything)


@command(app)
def show(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    term: Annotated[str | None, typer.Argument(metavar="[TERM]")] = None,
) -> Report:
    """Show the terms of a library with their sizes, or the genes of a term.

    The description of the library or the term goes to stderr; JSON also has it.

    Parameters
    ----------
    name
        A library (see gsfm library list), or a gene-set file.
    term
        A term of it: its identifier, its name, or the beginning of either.
    """
    from gsfm import libraries

    options.say_libraries(name)
    report = libraries.show(name, term)
    note(report.summary())
    return report


@command(app, table=False)
def add(
    source: Annotated[str, typer.Argument(metavar="SOURCE")],
    name: str | None = None,
    release: str | None = None,
    date: str | None = None,
    license: str | None = None,
    species: options.Species = None,
    sheet: Annotated[str | None, typer.Option(metavar="NAME")] = None,
    set_column: Annotated[str | None, typer.Option(metavar="NAME")] = None,
    gene_column: Annotated[str | None, typer.Option(metavar="NAME")] = None,
    by: Literal["phenotypes", "diseases", "bp", "mf", "cc"] | None = None,
    obo: Annotated[Path | None, typer.Option(metavar="FILE")] = None,
    electronic: bool = True,
    min_size: options.Positive = 1,
    max_size: Annotated[int | None, typer.Option(min=1)] = None,
    replace: bool = False,
    refresh: bool = False,
) -> None:
    """Add a library from a gene-set file, or download one by its name.

    It is stored in the folder of GSFM_HOME, or else in the user's data folder. The report on the
    identifiers goes to stderr.

    Parameters
    ----------
    source
        A gene-set file, a table of HPO, annotations of GO (GAF), or - for stdin; or a library to
        download: enrichr:KEGG_2021_Human, msigdb:h.all, wikipathways:human, gprofiler:human; or a
        name of gsfm library list --all.
    name
        Name of the library; that of the file or the source by default.
    release
        Its release; for MSigDB and WikiPathways, the one to download.
    date
        Its date.
    license
        Its license.
    set_column
        The column of the terms in a table: its name or number.
    by
        The terms to make of a table of HPO, or the part of GO.
    obo
        The terms (OBO) of the annotations of GO in SOURCE (GAF).
    electronic
        Use annotations of GO that no curator has reviewed (IEA).
    min_size
        Smallest term to keep.
    max_size
        Largest term to keep.
    replace
        Replace an added library of this name.
    refresh
        Download again what was downloaded before.
    """
    from gsfm import libraries

    added = libraries.add(**options_for(libraries.add))
    if added.report is not None:
        note(added.report.summary())
    dropped = added.manifest["dropped"]
    excluded = counts({why: dropped[why] for why in ("too small", "too large")})
    text = f"added {added.manifest['name']}: {count(len(added), 'term')}, "
    text += count(added.n_genes, "gene")
    note(f"{text}; excluded: {excluded}" if excluded else text)


@command(app, table=False)
def remove(
    name: Annotated[str, typer.Argument(metavar="NAME")],
) -> None:
    """Remove a library that was added.

    Parameters
    ----------
    name
        A library that was added.
    """
    from gsfm import libraries

    libraries.remove(name)
    note(f"removed {name}")
