"""``gsfm genes``: identifier mapping, and the record of a gene."""

from __future__ import annotations

from typing import Annotated

import polars as pl
import typer

from gsfm import genes as gene_names
from gsfm.cli import options
from gsfm.cli.command import command
from gsfm.cli.output import Form, note
from gsfm.report import Report

app = typer.Typer(help="Identifier mapping: any identifier to an approved human symbol.")


@command(app)
def resolve(
    identifiers: Annotated[list[str] | None, typer.Argument(metavar="IDENTIFIER")] = None,
    file: options.File = None,
    species: options.Species = None,
    excel_serials: bool = False,
    columns: options.Columns = None,
) -> Report:
    """Map identifiers to approved human symbols, and show how each was mapped.

    The table goes to stdout: one row an identifier, in the order of the input. A summary goes to
    stderr. Ambiguous identifiers have candidates and no symbol.

    Parameters
    ----------
    identifiers
        Symbols, synonyms or identifiers of any kind; a file of them; - for stdin.
    excel_serials
        Read numbers such as 44621 as dates that Excel made of gene names.
    """
    named = identifiers or []
    paths = [*(file or ()), *(one for one in named if one == "-")]
    if not named and not paths:
        raise typer.BadParameter("give identifiers, --file FILE, or - for stdin")
    query = options.read([one for one in named if one != "-"], paths)
    found = gene_names.resolve(query, species=species, excel_serials=excel_serials)
    note(found.summary())
    if query.read:
        found.provenance["read"] = query.read
    return found


@command(app)
def show(
    form: Form,
    identifier: Annotated[str, typer.Argument()],
    species: options.Species = None,
) -> pl.DataFrame | None:
    """Show a gene: its names, identifiers, location, and mouse and rat orthologs.

    Parameters
    ----------
    identifier
        A symbol, a synonym or an identifier of any kind.
    """
    gene = gene_names.show(identifier, species=species)
    if gene.match != "approved":
        note(f"{identifier}: {gene.rule}")
    if form.written != "table":
        return pl.DataFrame([gene.to_dict()])
    print(gene)
    return None
