"""``gsfm corpus``: compile a training corpus, and look into one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gsfm.cli.output import (
    CsvOption,
    JsonOption,
    Species,
    TsvOption,
    chosen_format,
    emit,
    note,
    show,
)

if TYPE_CHECKING:
    from gsfm.corpus import Description

app = typer.Typer(help="Compile training corpora, and look into them.", no_args_is_help=True)

CorpusArgument = Annotated[
    str,
    typer.Argument(
        metavar="CORPUS",
        help="A corpus file, another gene-set file or a folder of them; 'default' is the corpus "
        "of publications that comes with gsfm.",
    ),
]


@app.command()
def build(
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="The corpus file to write.")
    ],
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="INPUT...",
            help="Gene-set files and folders of them; - for stdin.",
            show_default=False,
        ),
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=FILE",
            help="A file of a public resource; gsfm corpus sources lists them. Repeatable.",
            show_default=False,
        ),
    ] = None,
    min: Annotated[int, typer.Option(min=0, help="Keep sets with more genes than this.")] = 4,
    max: Annotated[int, typer.Option(min=2, help="Keep sets with fewer genes than this.")] = 1001,
    min_gene_sets: Annotated[
        int, typer.Option(min=1, help="Leave out genes that are in fewer sets than this.")
    ] = 1,
    near_duplicates: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=1.0,
            help="The Jaccard similarity from which sets are near-duplicates, which share their "
            "weight; 0: do not look for them.",
        ),
    ] = 0.8,
    shrink: Annotated[
        float,
        typer.Option(
            min=0.0, help="One of n near-duplicates weighs n ** -shrink: with 1, all weigh as one."
        ),
    ] = 1.0,
    species: Annotated[
        Species | None,
        typer.Option(help="The species of the identifiers, where no SOURCES.tsv says it."),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Leave out the libraries of this name; * and ? are wildcards. Repeatable.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Compile gene sets into one training corpus, with a manifest.

    Identifiers are resolved to approved symbols, sets of the wrong size dropped, equal sets merged
    and near-duplicates weighted down. The manifest in the file accounts for every set; gsfm corpus
    manifest prints it.
    """
    pairs = [_pair(text) for text in source or []]
    if not inputs and not pairs:
        raise typer.BadParameter("give files, folders, or --source NAME=FILE; see --help")
    from gsfm import corpus

    built = corpus.build(
        [*(inputs or []), *pairs],
        min=min,
        max=max,
        min_gene_sets=min_gene_sets,
        near_duplicates=near_duplicates or None,
        shrink=shrink,
        species=None if species is None else species.value,
        exclude=exclude or [],
        progress=_progress,
    )
    built.save(output)
    counts = built.manifest["sets"]
    dropped = ", ".join(
        f"{n:,} {reason.replace('_', ' ')}" for reason, n in counts["dropped"].items() if n
    )
    note(f"{counts['read']:,} sets read, {counts['kept']:,} kept; dropped: {dropped or 'none'}")
    note(f"wrote {output} ({output.stat().st_size / 1e6:.1f} MB)")


@app.command()
def describe(
    corpus: CorpusArgument = "default",
    top: Annotated[int, typer.Option(min=0, help="How many of the commonest genes to list.")] = 10,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Draw sizes, genes, sources and years to a .png, .svg or .pdf."
        ),
    ] = None,
    json: JsonOption = False,
    csv: CsvOption = False,
    tsv: TsvOption = False,
) -> None:
    """Show what is in a corpus: sizes, genes, sources, years, licenses.

    CSV and TSV hold the table of sources; JSON holds all.
    """
    form = chosen_format(json=json, csv=csv, tsv=tsv)
    from gsfm import corpus as corpora
    from gsfm.report import json_text

    sets = corpora.load(corpus)
    described = corpora.describe(sets, top=top)
    if plot is not None:
        corpora.plot(sets, plot)
        note(f"wrote {plot}")
    if form == "json":
        sys.stdout.write(json_text(described.to_dict()))
    elif form == "table":
        _show(described)
    else:
        emit(described.sources, csv=csv, tsv=tsv)


@app.command()
def manifest(corpus: CorpusArgument = "default") -> None:
    """Print the manifest of a corpus as JSON: inputs, hashes, settings, what was dropped."""
    from gsfm import corpus as corpora
    from gsfm.report import json_text

    sys.stdout.write(json_text(corpora.load(corpus).manifest))


@app.command()
def sources(json: JsonOption = False, csv: CsvOption = False, tsv: TsvOption = False) -> None:
    """List the public resources that a corpus can be built from."""
    from gsfm.corpus.sources import table

    emit(table(), json=json, csv=csv, tsv=tsv)


@app.command()
def download(
    source: Annotated[
        str, typer.Argument(metavar="NAME", help="The resource; gsfm corpus sources lists them.")
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="The file to write.")
    ],
) -> None:
    """Fetch the current release of a public resource from where it is published."""
    from gsfm.corpus.sources import get

    resource = get(source)
    note(f"fetching {resource.url}")
    resource.download(output)
    note(f"wrote {output} ({output.stat().st_size / 1e6:.1f} MB)")


def _pair(text: str) -> tuple[str, str]:
    name, equals, path = text.partition("=")
    if not equals or not path:
        raise typer.BadParameter(f"--source {text}: write it as NAME=FILE")
    return name, path


def _progress(line: str) -> None:
    # On a terminal the files of a folder pass by on one line.
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[2K{line}" + ("" if line.startswith("[") else "\n"))
        sys.stderr.flush()
    else:
        note(line)


def _show(described: Description) -> None:
    import polars as pl

    print(
        f"{described.sets:,} gene sets, {described.genes:,} genes, {described.members:,} members"
        f"\ntotal weight {described.weight:,.1f}\nhash {described.hash}\n"
    )
    quantiles = pl.DataFrame(
        [
            {"quantile": "genes in a set", **described.set_sizes},
            {"quantile": "sets with a gene", **described.gene_frequencies},
        ]
    )
    show(quantiles, title="Sizes")
    print()
    show(described.top_genes, title="Commonest genes")
    print()
    show(described.sources, title="Sources")
    print()
    show(described.years, title="Years")
