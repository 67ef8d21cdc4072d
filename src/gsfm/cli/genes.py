"""``gsfm genes``: any identifier to an approved symbol, and all about one gene."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from gsfm.cli.input import check_stdin
from gsfm.cli.output import (
    CsvOption,
    JsonOption,
    OutputOption,
    SpeciesOption,
    TsvOption,
    chosen_format,
    emit,
    note,
)

app = typer.Typer(help="Who is who: any identifier to an approved human symbol.")


@app.command()
def resolve(
    identifiers: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="IDENTIFIER",
            help="Symbols, synonyms or ids of any kind; - for stdin.",
            show_default=False,
        ),
    ] = None,
    file: Annotated[
        list[str] | None,
        typer.Option(
            "--file",
            "-f",
            metavar="FILE",
            help="A file of identifiers, added to those given; - for stdin. Repeatable.",
        ),
    ] = None,
    species: SpeciesOption = None,
    excel_serials: Annotated[
        bool,
        typer.Option(
            "--excel-serials",
            help="Take numbers such as 44621 for dates that Excel made of gene names.",
        ),
    ] = False,
    json: JsonOption = False,
    csv: CsvOption = False,
    tsv: TsvOption = False,
    output: OutputOption = None,
) -> None:
    """Map identifiers to approved human symbols, and say how each was mapped.

    The table goes to stdout: one row an identifier, in the order given. A summary goes to stderr.
    Ambiguous identifiers have candidates and no symbol.
    """
    chosen_format(json=json, csv=csv, tsv=tsv)
    paths = [*(file or []), *(one for one in identifiers or [] if one == "-")]
    given = [one for one in identifiers or [] if one != "-"]
    if not given and not paths:
        raise typer.BadParameter("give identifiers, --file FILE, or - for stdin; see --help")
    check_stdin(*paths)

    from gsfm import genes
    from gsfm.genes import read_genes

    for path in paths:
        given += read_genes(path)
    found = genes.resolve(
        given, species=None if species is None else species.value, excel_serials=excel_serials
    )
    emit(found.table, json=json, csv=csv, tsv=tsv, output=output)
    note(found.summary())


@app.command()
def show(
    identifier: Annotated[str, typer.Argument(help="A symbol, a synonym or an id of any kind.")],
    species: SpeciesOption = None,
    json: JsonOption = False,
    csv: CsvOption = False,
    tsv: TsvOption = False,
    output: OutputOption = None,
) -> None:
    """Show a gene: its names, its ids, where it lies, and its mouse and rat orthologs."""
    form = chosen_format(json=json, csv=csv, tsv=tsv)

    import polars as pl

    from gsfm import genes

    gene = genes.show(identifier, species=None if species is None else species.value)
    if form == "table" and output is None:
        sys.stdout.write(f"{gene}\n")
    else:
        table = pl.DataFrame([gene.to_dict()])
        emit(table, json=json, csv=csv, tsv=tsv, output=output)
    if gene.match != "approved":
        note(f"{identifier}: {gene.rule}")
