"""``gsfm library``: the libraries of terms that there are, what is in them, and more of them."""

from __future__ import annotations

import enum
from typing import Annotated

import typer

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

app = typer.Typer(
    help="Libraries of terms: GO, Reactome, protein families, and those that you add.",
    no_args_is_help=True,
)


class By(enum.StrEnum):
    """What the terms of a table of HPO are."""

    phenotypes = "phenotypes"
    diseases = "diseases"


@app.command("list")
def list_(
    json: JsonOption = False,
    csv: CsvOption = False,
    tsv: TsvOption = False,
    output: OutputOption = None,
) -> None:
    """List the libraries: terms, genes, release, date, license, species."""
    chosen_format(json=json, csv=csv, tsv=tsv)
    from gsfm import libraries

    emit(libraries.available(), json=json, csv=csv, tsv=tsv, output=output)


@app.command()
def show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="A library; gsfm library list names them; or a gene-set file."
        ),
    ],
    term: Annotated[
        str | None,
        typer.Argument(
            metavar="[TERM]",
            help="A term of it: its identifier, its name, or the beginning of either.",
            show_default=False,
        ),
    ] = None,
    json: JsonOption = False,
    csv: CsvOption = False,
    tsv: TsvOption = False,
    output: OutputOption = None,
) -> None:
    """Show the terms of a library with their sizes, or the genes of a term.

    What the library or the term is goes to stderr; JSON holds it too.
    """
    chosen_format(json=json, csv=csv, tsv=tsv)
    from gsfm import libraries

    report = libraries.show(name, term)
    note(report.summary())
    emit(report, json=json, csv=csv, tsv=tsv, output=output)


@app.command()
def add(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A gene-set file, a table of HPO, or - for stdin; or a library to fetch: "
            "enrichr:KEGG_2021_Human, msigdb:h.all, wikipathways:human.",
        ),
    ],
    name: Annotated[
        str | None,
        typer.Option(
            help="What to call it; made of the file's or library's name if not given.",
            show_default=False,
        ),
    ] = None,
    release: Annotated[
        str | None,
        typer.Option(
            help="Its release; of MSigDB and WikiPathways, the one to fetch.", show_default=False
        ),
    ] = None,
    date: Annotated[str | None, typer.Option(help="Its date.", show_default=False)] = None,
    license: Annotated[
        str | None, typer.Option(help="Its terms of use.", show_default=False)
    ] = None,
    species: SpeciesOption = None,
    by: Annotated[
        By | None,
        typer.Option(help="What the terms of a table of HPO shall be.", show_default=False),
    ] = None,
    min: Annotated[int, typer.Option(min=1, help="Keep terms of at least so many genes.")] = 1,
    max: Annotated[
        int | None,
        typer.Option(min=1, help="Keep terms of at most so many genes.", show_default=False),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace an added library of this name.")
    ] = False,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Fetch anew what was fetched before.")
    ] = False,
) -> None:
    """Add a library of any gene-set file, or fetch one by its name.

    It is kept in the folder of GSFM_HOME, or else in the user's data folder. What became of the
    identifiers goes to stderr.
    """
    from gsfm import libraries

    added = libraries.add(
        source,
        name=name,
        release=release,
        date=date,
        license=license,
        species=None if species is None else species.value,
        by=None if by is None else by.value,
        min_size=min,
        max_size=max,
        replace=replace,
        refresh=refresh,
    )
    if added.report is not None:
        note(added.report.summary())
    dropped = added.manifest["dropped"]
    left_out = ", ".join(
        f"{dropped[why]:,} {why}" for why in ("too small", "too large") if dropped[why]
    )
    note(
        f"added {added.manifest['name']}: {len(added):,} terms, {added.n_genes:,} genes"
        + (f"; left out: {left_out}" if left_out else "")
    )


@app.command()
def remove(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A library that was added.")],
) -> None:
    """Remove a library that was added."""
    from gsfm import libraries

    libraries.remove(name)
    note(f"removed {name}")
