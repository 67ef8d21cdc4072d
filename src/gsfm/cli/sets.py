"""``gsfm sets``: describe gene-set files, convert them, compare them.

Parameters
----------
file
    A gene-set file of any format, or a table; compressed or not; - for stdin.
from_
    Format of the input; found from its content by default.
set_column
    The column of the sets in a table: its name or number.
no_resolve
    Keep the identifiers as they are written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import polars as pl
import typer

from gsfm.cli import options
from gsfm.cli.command import command, options_for
from gsfm.cli.output import note
from gsfm.errors import count
from gsfm.report import Report
from gsfm.sets import GeneSets, write
from gsfm.sets import describe as describe_sets
from gsfm.sets.files import FORMATS
from gsfm.version import __version__

app = typer.Typer(
    help="Gene-set files: describe them, convert them, compare them.", no_args_is_help=True
)

if TYPE_CHECKING:
    Format = str
else:  # the choices are the formats of the library
    Format = Literal[(*FORMATS, "gsets")]


def read_input(
    *,
    file: Annotated[str, typer.Argument(metavar="FILE")],
    from_: Annotated[Format | None, typer.Option("--from", show_default=False)] = None,
    sheet: Annotated[str | None, typer.Option(metavar="NAME")] = None,
    set_column: Annotated[str | None, typer.Option(metavar="NAME")] = None,
    gene_column: Annotated[str | None, typer.Option(metavar="NAME")] = None,
    no_resolve: bool = False,
    species: options.Species = None,
) -> GeneSets:
    """Read the gene sets of a file."""
    return options.read_sets(
        file,
        format=from_,
        resolve=not no_resolve,
        species=species,
        sheet=sheet,
        set_column=set_column,
        gene_column=gene_column,
    )


Input = Annotated[GeneSets, read_input]


@command(app)
def describe(
    found: Input,
) -> Report:
    """Show what is in a file: sets, sizes, genes, sources, years.

    The problems of the file, with a count of each, and the unmapped identifiers go to stderr. JSON
    has all of them.
    """
    return describe_sets(found)


@command(app, table=False)
def convert(
    found: Input,
    target: Annotated[str, typer.Argument(metavar="OUT")],
    to: Format | None = None,
    min_size: Annotated[int | None, typer.Option(min=0)] = None,
    max_size: Annotated[int | None, typer.Option(min=0)] = None,
) -> None:
    """Read gene sets in one format and write them in another.

    Identifiers become approved symbols, unless --no-resolve is given. The problems of the file, and
    what the new format cannot hold, go to stderr.

    Parameters
    ----------
    target
        The file to write; a suffix .gz, .zst or .zip compresses it; - for stdout.
    to
        Format of the output; found from its suffix by default.
    min_size
        Smallest set to keep.
    max_size
        Largest set to keep.
    """
    _write(found.filter(min_size=min_size, max_size=max_size), target, to)


@command(app)
def overlap(
    one: Annotated[str, typer.Argument(metavar="A")],
    other: Annotated[str, typer.Argument(metavar="B")],
    background: Annotated[int | None, typer.Option(min=1)] = None,
    min_shared: options.Positive = 1,
    min_jaccard: Annotated[float, typer.Option(min=0.0, max=1.0)] = 0.0,
    max_p_value: Annotated[float, typer.Option(min=0.0, max=1.0)] = 1.0,
    no_resolve: bool = False,
    species: options.Species = None,
) -> Report:
    """Compare every set of A with every set of B: pairs that share genes, smallest p-value first.

    The p-value is hypergeometric: the probability of an overlap as large or larger, if the set of B
    were drawn from the background. It is not corrected for the number of pairs.

    Parameters
    ----------
    one
        A gene-set file; - for stdin.
    other
        Another gene-set file.
    background
        Number of genes in the background; the genes in the files by default.
    min_shared
        Smallest overlap of a pair.
    min_jaccard
        Smallest Jaccard index of a pair.
    max_p_value
        Largest p-value of a pair.
    """
    left, right = (
        options.read_sets(path, resolve=not no_resolve, species=species) for path in (one, other)
    )
    try:
        pairs = left.overlap(
            right,
            background=background,
            min_shared=min_shared,
            min_jaccard=min_jaccard,
            max_p_value=max_p_value,
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    pairs = pairs.sort("p_value", "left", "right").drop("left", "right")
    return _report("overlap", pairs, left, right)


@command(app)
def dedup(
    found: Input,
    target: Annotated[str | None, typer.Argument(metavar="[OUT]")] = None,
) -> Report:
    """Find sets with exactly the same genes, and write one of each.

    The table has the sets with copies: their number, and all their names.

    Parameters
    ----------
    target
        The file to write the distinct sets to.
    """
    if target == "-":
        raise typer.BadParameter("stdout is for the table: name a file")
    distinct = found.deduplicate()
    if target is not None:
        _write(distinct, target)
    note(f"{count(len(found), 'set')}, {len(distinct):,} distinct")
    copies = distinct.metadata.filter(pl.col("copies") > 1).select("name", "copies", "names")
    return _report("dedup", copies, found)


@command(app)
def similar(
    found: Input,
    threshold: Annotated[float, typer.Option(min=0.01, max=1.0)] = 0.8,
    random_state: options.RandomState = 0,
) -> Report:
    """Find the pairs of sets in a file that are almost the same.

    The pairs are found by MinHash: a pair at the threshold is missed with a probability of 1 %. The
    Jaccard index in the table is exact.

    Parameters
    ----------
    threshold
        Smallest Jaccard index of a pair.
    """
    pairs = found.near_duplicates(**options_for(found.near_duplicates)).drop("first", "second")
    return _report("similar", pairs, found)


def _report(task: str, table: pl.DataFrame, *inputs: GeneSets) -> Report:
    """The table, with what was read of the files."""
    read = [one.files["read"] for one in inputs]
    return Report(table, {"task": task, "gsfm_version": __version__, "read": read})


def _write(found: GeneSets, target: str, form: str | None = None) -> None:
    omitted = write(found, target, format=form)
    if omitted:
        note(f"not written, as the format cannot hold it: {', '.join(omitted)}")
    if target != "-":
        note(f"wrote {target}: {count(len(found), 'set')}")
