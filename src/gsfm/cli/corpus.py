"""``gsfm corpus``: compile a training corpus, and describe one.

Parameters
----------
corpus
    A corpus file, another gene-set file or a folder of them; 'default' is the corpus of
    publications that is included in gsfm.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import polars as pl
import typer

from gsfm.cli import options
from gsfm.cli.command import command, options_for
from gsfm.cli.output import Form, StatusLine, counts, emit_json, note, show
from gsfm.errors import count
from gsfm.io.files import check_folder

if TYPE_CHECKING:
    from gsfm.corpus import Description

app = typer.Typer(help="Compile training corpora, and describe them.", no_args_is_help=True)

CorpusArgument = Annotated[str, typer.Argument(metavar="CORPUS")]


@command(app, table=False)
def build(
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE")],
    inputs: Annotated[list[str] | None, typer.Argument(metavar="INPUT...")] = None,
    source: Annotated[list[str] | None, typer.Option(metavar="NAME=FILE")] = None,
    min_size: options.Positive = 5,
    max_size: options.Positive = 1000,
    min_gene_sets: options.Positive = 1,
    near_duplicates: Annotated[float, typer.Option(min=0.0, max=1.0)] = 0.8,
    shrink: Annotated[float, typer.Option(min=0.0)] = 1.0,
    species: options.Species = None,
    exclude: Annotated[list[str] | None, typer.Option(metavar="NAME")] = None,
) -> None:
    """Compile gene sets into one training corpus, with a manifest.

    Identifiers are resolved to approved symbols. Sets of the wrong size are dropped, equal sets are
    merged, and near-duplicates share their weight. The manifest in the file counts all of them;
    gsfm corpus manifest prints it.

    Parameters
    ----------
    output
        The corpus file to write.
    inputs
        Gene-set files and folders of them; - for stdin.
    source
        A file of a public resource; gsfm corpus sources lists them. Repeatable.
    min_size
        Smallest set to keep.
    max_size
        Largest set to keep.
    min_gene_sets
        Drop genes that are in fewer sets.
    near_duplicates
        Jaccard similarity from which sets are near-duplicates, which share their weight; 0
        turns the search off.
    shrink
        One of n near-duplicates weighs n ** -shrink: with 1, all weigh as one.
    exclude
        Exclude the libraries of this name; * and ? are wildcards. Repeatable.
    """
    pairs = [_pair(text) for text in source or []]
    if not inputs and not pairs:
        raise typer.BadParameter("give files, folders, or --source NAME=FILE")
    from gsfm import corpus

    check_folder(output)
    line = StatusLine()
    changed = {
        "inputs": [*(inputs or []), *pairs],
        "near_duplicates": near_duplicates or None,
        "exclude": exclude or [],
        # On a terminal, the files of a folder replace each other on one line.
        "progress": lambda text: line.write(text, passing=line.terminal and text[0] == "["),
    }
    built = corpus.build(**options_for(corpus.build, **changed))
    built.save(output)
    sets = built.manifest["sets"]
    dropped = counts(sets["dropped"]) or "none"
    note(f"{count(sets['read'], 'set')} read, {sets['kept']:,} kept; dropped: {dropped}")
    _wrote(output)


@command(app)
def describe(
    form: Form,
    corpus: CorpusArgument = "default",
    top: options.Count = 10,
    plot: Annotated[Path | None, typer.Option(metavar="FILE")] = None,
) -> pl.DataFrame | None:
    """Show what is in a corpus: sizes, genes, sources, years, licenses.

    Other formats have the table of sources; JSON has everything.

    Parameters
    ----------
    top
        Number of the most frequent genes.
    plot
        Plot sizes, genes, sources and years to a .png, .svg or .pdf.
    """
    from gsfm import corpus as corpora

    sets = corpora.load(corpus)
    description = corpora.describe(sets, top=top)
    if plot is not None:
        corpora.plot(sets, plot)
        note(f"wrote {plot}")
    if form.written == "table":
        _show(description)
    elif form.written == "json":
        emit_json({**description.to_dict(), "inputs": sets.manifest.get("inputs", [])}, form)
    else:
        return description.sources
    return None


@command(app, table=False)
def manifest(corpus: CorpusArgument = "default") -> None:
    """Print the manifest of a corpus as JSON: inputs, hashes, settings, dropped sets."""
    from gsfm import corpus as corpora

    emit_json(corpora.load(corpus).manifest)


@command(app)
def sources() -> pl.DataFrame:
    """List the public resources that a corpus can be built from."""
    from gsfm.corpus.sources import table

    return table()


@command(app, table=False)
def download(
    source: Annotated[str, typer.Argument(metavar="NAME")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE")],
) -> None:
    """Download the current release of a public resource.

    Parameters
    ----------
    source
        The resource; gsfm corpus sources lists them.
    output
        The file to write.
    """
    from gsfm.corpus.sources import get

    resource = get(source)
    note(f"downloading {resource.url}")
    resource.download(output)
    _wrote(output)


def _wrote(file: Path) -> None:
    note(f"wrote {file} ({file.stat().st_size / 1e6:.1f} MB)")


def _pair(text: str) -> tuple[str, str]:
    name, equals, path = text.partition("=")
    if not equals or not path:
        raise typer.BadParameter(f"--source {text}: write it as NAME=FILE")
    return name, path


def _show(description: Description) -> None:
    print(
        f"{count(description.sets, 'gene set')}, {count(description.genes, 'gene')}, "
        f"{count(description.members, 'member')}\ntotal weight {description.weight:,.1f}\n"
        f"hash {description.hash}\n"
    )
    quantiles = [
        {"quantile": "genes in a set", **description.set_sizes},
        {"quantile": "sets with a gene", **description.gene_frequencies},
    ]
    show(pl.DataFrame(quantiles), title="Sizes")
    show(description.top_genes, title="\nCommonest genes")
    show(description.sources, title="\nSources")
    show(description.years, title="\nYears")
