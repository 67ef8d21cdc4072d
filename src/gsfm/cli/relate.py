"""``gsfm relate``: the genes nearest to a gene, and how related two genes are."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gsfm.cli.input import ModelOption, check_stdin, read_identifiers, split
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
from gsfm.progress import Bar

app = typer.Typer()


@app.command()
def relate(
    gene: Annotated[str, typer.Argument(metavar="GENE", help="A gene, by any identifier.")],
    other: Annotated[
        str | None,
        typer.Argument(
            metavar="OTHER",
            help="A second gene: tell how related the two are.",
            show_default=False,
        ),
    ] = None,
    context: Annotated[
        list[str] | None,
        typer.Option(
            metavar="GENES",
            help="Look at GENE in the company of these: genes, separated by commas; a file of "
            "them; - for stdin. Repeatable.",
        ),
    ] = None,
    context_term: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Look at GENE in the company of this term: the name or the id of a set of the "
            "--library; without one, of all libraries, as gsfm term finds it.",
        ),
    ] = None,
    library: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE|NAME",
            help="Gene sets, a file or a library that comes with gsfm: to look for what two genes "
            "share, or for --context-term. Repeatable.",
        ),
    ] = None,
    top: Annotated[
        int, typer.Option(min=1, help="How many genes, or shared contexts of a kind, to show.")
    ] = 20,
    draws: Annotated[
        int,
        typer.Option(min=10, help="Genes to draw for either of two genes; the null is all pairs."),
    ] = 50,
    random_state: Annotated[
        int, typer.Option("--random-state", "--seed", help="Seed of the drawing.")
    ] = 0,
    species: SpeciesOption = None,
    model: ModelOption = None,
    json: JsonOption = False,
    csv: CsvOption = False,
    tsv: TsvOption = False,
    output: OutputOption = None,
) -> None:
    """Find the genes nearest to a gene, overall or in a context; or tell how related two genes are.

    Of two genes the relation and its p-value go to stderr, and with --json into the result; the
    table is what they share: papers of the embedded corpus, terms, and genes near both.

    Exit codes: 0 done, 1 an error explained in one line, 2 wrong usage.
    """
    chosen_format(json=json, csv=csv, tsv=tsv)
    if other is not None and (context or context_term):
        raise typer.BadParameter("a context is for one gene; leave out the second gene")
    if context and context_term:
        raise typer.BadParameter("give --context or --context-term, not both")
    if context_term is not None and len(library or []) > 1:
        raise typer.BadParameter("--context-term looks in one --library")
    if library and other is None and context_term is None:
        raise typer.BadParameter("--library needs a second gene, or --context-term")
    check_stdin(*(context or []), *(library or []))

    from gsfm import analysis, models

    settings: dict[str, Any] = {"top": top, "species": None if species is None else species.value}
    loaded = models.load(model)
    with Bar("asking the model") as progress:
        if other is not None:
            relation = analysis.relate(
                gene, other, libraries=library or [], draws=draws, random_state=random_state,
                progress=progress, **settings, model=loaded,
            )  # fmt: skip
        else:
            company: Any = None
            if context_term is not None:
                from gsfm.analysis.query import find_set

                company = find_set(context_term, library[0] if library else None)
            elif context:
                company = read_identifiers(split(context))
            neighbors = analysis.relate(
                gene, context=company, progress=progress, **settings, model=loaded
            )
    result = neighbors if other is None else relation
    note(result.summary())
    if other is not None:
        note(relation.headline())
    elif neighbors.provenance["context"]:
        where = neighbors.provenance["context"]
        note(f"in the context of {where['name']} ({where['genes']:,} known genes)")
    emit(result, json=json, csv=csv, tsv=tsv, output=output)
