"""``gsfm enrich``: the terms that a set or a ranked list of genes speaks for."""

from __future__ import annotations

import enum
from typing import Annotated, Any, Literal

import typer

from gsfm.cli.input import FileOption, GenesArgument, ModelOption, check_stdin, read_identifiers
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


class Method(enum.StrEnum):
    """How terms are judged."""

    model = "model"
    ora = "ora"
    prerank = "prerank"


@app.command()
def enrich(
    genes: GenesArgument = None,
    file: FileOption = None,
    ranked: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="A ranked list in their place: a gene and a statistic with its sign in each line "
            "(RNK, TSV or CSV); - for stdin.",
        ),
    ] = None,
    method: Annotated[
        Method | None,
        typer.Option(
            help="model: the set's completed signature; ora: shared genes (hypergeometric); "
            "prerank: GSEA of a ranked list, by GSEApy. model if not given.",
            show_default=False,
        ),
    ] = None,
    library: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME|FILE",
            help="A library, by its name (gsfm library list) or its path; all of them if not "
            "given. Repeatable.",
        ),
    ] = None,
    background: Annotated[
        str | None,
        typer.Option(
            metavar="library|all|FILE",
            help="The genes that could have been found: those of the library, all, or those of a "
            "file (- for stdin). By default 'library' for ora, 'all' that the model knows for "
            "model, and the genes of the list for a ranked one.",
        ),
    ] = None,
    top_genes: Annotated[
        int,
        typer.Option(
            min=1, help="Of a ranked list, the genes at each end that the model is asked."
        ),
    ] = 100,
    top: Annotated[int, typer.Option(min=0, help="How many terms to show; 0 for all.")] = 20,
    min_size: Annotated[
        int, typer.Option(min=1, help="Leave out terms with fewer genes of the background.")
    ] = 5,
    max_size: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Leave out terms with more genes of the background; 500 for prerank, else no "
            "bound, if not given.",
        ),
    ] = None,
    draws: Annotated[
        int, typer.Option(min=20, help="Random sets in the null of the method model.")
    ] = 200,
    permutations: Annotated[
        int, typer.Option(min=1, help="Permuted lists in the null of the method prerank.")
    ] = 1000,
    random_state: Annotated[
        int, typer.Option("--random-state", "--seed", min=0, help="Seed of the null.")
    ] = 0,
    species: SpeciesOption = None,
    model: ModelOption = None,
    json: JsonOption = False,
    csv: CsvOption = False,
    tsv: TsvOption = False,
    output: OutputOption = None,
) -> None:
    """Find the terms of libraries that a set, or a ranked list, of genes speaks for.

    The terms go to stdout; which identifiers were understood and how, and which were not, to
    stderr. What takes more than a second shows a bar there, on a terminal.

    Exit codes: 0 done, 1 an error explained in one line, 2 wrong usage.
    """
    chosen_format(json=json, csv=csv, tsv=tsv)
    named = [*(genes or []), *(file or [])]
    how = method or Method.model
    if ranked is not None and named:
        raise typer.BadParameter("give genes or --ranked, not both")
    if ranked is None and not named:
        raise typer.BadParameter("give genes, a file of genes, or - for stdin; see --help")
    if how is Method.prerank and ranked is None:
        raise typer.BadParameter("prerank needs a ranked list: --ranked FILE")
    if how is Method.ora and ranked is not None:
        raise typer.BadParameter("ora takes a set of genes; --ranked goes with model and prerank")
    if how is Method.prerank and background in ("library", "all"):
        raise typer.BadParameter("the background of prerank is the list, or a FILE")
    check_stdin(ranked, background, *named)

    # Here, not above: `gsfm enrich --help` has no need of a model.
    from gsfm import analysis, models
    from gsfm.genes import read_genes, read_ranked

    settings: dict[str, Any] = {
        "top": top or None,
        "min_size": min_size,
        "species": None if species is None else species.value,
    }
    if max_size is not None or how is not Method.prerank:
        settings["max_size"] = max_size
    if background is not None:
        settings["background"] = (
            _kind(background) if background in ("library", "all") else read_genes(background)
        )
    if how is Method.model:
        settings |= {"draws": draws, "random_state": random_state}
    libraries = None if library is None else list(library)
    result: analysis.Enrichment
    with Bar("testing terms") as progress:
        if how is not Method.ora:
            settings["progress"] = progress
        if ranked is not None:
            listed = read_ranked(ranked)
            if how is Method.prerank:
                settings |= {"permutations": permutations, "random_state": random_state}
                result = analysis.prerank(listed, libraries, **settings)
            else:
                loaded = models.load(model)
                settings["top_genes"] = top_genes
                result = analysis.enrich(listed, libraries, **settings, model=loaded)
        else:
            identifiers = read_identifiers(genes, file)
            if how is Method.ora:
                result = analysis.ora(identifiers, libraries, **settings)
            else:
                result = analysis.enrich(
                    identifiers, libraries, **settings, model=models.load(model)
                )
    note(result.summary())
    emit(result, json=json, csv=csv, tsv=tsv, output=output)


def _kind(text: str) -> Literal["library", "all"]:
    return "all" if text == "all" else "library"
