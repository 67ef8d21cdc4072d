"""``gsfm sets``: look into gene-set files, convert them, compare them."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Annotated

import typer

from gsfm.cli.input import check_stdin
from gsfm.cli.output import (
    CsvOption,
    JsonOption,
    OutputOption,
    Species,
    SpeciesOption,
    TsvOption,
    chosen_format,
    emit,
    note,
)

if TYPE_CHECKING:
    from gsfm.sets import GeneSets

app = typer.Typer(
    help="Gene-set files: look into them, convert them, compare them.", no_args_is_help=True
)


class Format(enum.StrEnum):
    """The formats of gene sets."""

    gmt = "gmt"
    gmx = "gmx"
    grp = "grp"
    json = "json"
    enrichr_json = "enrichr-json"
    csv = "csv"
    tsv = "tsv"
    xlsx = "xlsx"
    parquet = "parquet"
    gsets = "gsets"


FileArgument = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        help="GMT, GMX, GRP, JSON, CSV, TSV, XLSX, Parquet or .gsets, compressed or not; "
        "- for stdin.",
    ),
]
FromOption = Annotated[
    Format | None,
    typer.Option(
        "--from",
        help="The format of the input; its suffix or content tells if not given.",
        show_default=False,
    ),
]
RawOption = Annotated[
    bool, typer.Option("--no-resolve", help="Leave identifiers as they are written.")
]


def _read(path: str, form: Format | None, raw: bool, species: Species | None) -> GeneSets:
    from gsfm import sets

    found = sets.read(
        path,
        format=None if form is None else form.value,
        resolve=not raw,
        species=None if species is None else species.value,
    )
    if found.report is not None:
        note(found.report.summary())
    return found


@app.command()
def describe(
    file: FileArgument,
    from_: FromOption = None,
    no_resolve: RawOption = False,
    species: SpeciesOption = None,
    json: JsonOption = False,
    csv: CsvOption = False,
    tsv: TsvOption = False,
) -> None:
    """Show what is in a file: sets, sizes, genes, sources, years.

    What reading met goes to stderr: every oddity with a count, and the identifiers that were not
    mapped. JSON holds all of it.
    """
    chosen_format(json=json, csv=csv, tsv=tsv)
    from gsfm import sets

    found = _read(file, from_, no_resolve, species)
    emit(sets.describe(found), json=json, csv=csv, tsv=tsv)


@app.command()
def convert(
    file: FileArgument,
    target: Annotated[
        str,
        typer.Argument(
            metavar="OUT",
            help="The file to write; .gz, .zst or .zip at its end compresses it; - for stdout.",
        ),
    ],
    from_: FromOption = None,
    to: Annotated[
        Format | None,
        typer.Option(
            help="The format of the output; its suffix tells if not given.", show_default=False
        ),
    ] = None,
    no_resolve: RawOption = False,
    species: SpeciesOption = None,
    min: Annotated[
        int | None, typer.Option(min=0, help="Keep sets of at least so many genes.")
    ] = None,
    max: Annotated[
        int | None, typer.Option(min=0, help="Keep sets of at most so many genes.")
    ] = None,
) -> None:
    """Read gene sets in one format and write them in another.

    Identifiers become approved symbols, unless --no-resolve is given. What reading met, and what
    the new format has no place for, goes to stderr.
    """
    from gsfm import sets

    found = _read(file, from_, no_resolve, species).filter(min_size=min, max_size=max)
    left_out = sets.write(found, target, format=None if to is None else to.value)
    if left_out:
        note(f"left out, for want of a place: {', '.join(left_out)}")
    if target != "-":
        note(f"wrote {target}: {len(found):,} sets")


@app.command()
def overlap(
    one: Annotated[str, typer.Argument(metavar="A", help="A gene-set file; - for stdin.")],
    other: Annotated[str, typer.Argument(metavar="B", help="Another one.")],
    background: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="How many genes could have been members; those in the files if not given.",
            show_default=False,
        ),
    ] = None,
    min_shared: Annotated[
        int, typer.Option(min=1, help="Show pairs with at least so many common genes.")
    ] = 1,
    min_jaccard: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Show pairs from this Jaccard index on.")
    ] = 0.0,
    max_p: Annotated[
        float, typer.Option("--max-p", min=0.0, max=1.0, help="Show pairs up to this p-value.")
    ] = 1.0,
    no_resolve: RawOption = False,
    species: SpeciesOption = None,
    json: JsonOption = False,
    csv: CsvOption = False,
    tsv: TsvOption = False,
    output: OutputOption = None,
) -> None:
    """Compare every set of A with every set of B; pairs that share genes, most surprising first.

    The p-value is hypergeometric: the chance to share as many genes or more, were the set of B
    drawn from the background. It is not corrected for the number of pairs.
    """
    chosen_format(json=json, csv=csv, tsv=tsv)
    check_stdin(one, other)
    left = _read(one, None, no_resolve, species)
    right = _read(other, None, no_resolve, species)
    try:
        pairs = left.overlap(
            right,
            background=background,
            min_shared=min_shared,
            min_jaccard=min_jaccard,
            max_p_value=max_p,
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    pairs = pairs.sort("p_value", "left", "right").drop("left", "right")
    emit(pairs, json=json, csv=csv, tsv=tsv, output=output)


@app.command()
def dedup(
    file: FileArgument,
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="[OUT]", help="Where to write the distinct sets.", show_default=False
        ),
    ] = None,
    from_: FromOption = None,
    no_resolve: RawOption = False,
    species: SpeciesOption = None,
    json: JsonOption = False,
    csv: CsvOption = False,
    tsv: TsvOption = False,
) -> None:
    """Find sets with exactly the same genes, and write one of each.

    The table is the sets that stand for several: how many, and all their names.
    """
    chosen_format(json=json, csv=csv, tsv=tsv)
    if target == "-":
        raise typer.BadParameter("stdout is for the table: name a file")
    import polars as pl

    from gsfm import sets

    found = _read(file, from_, no_resolve, species)
    distinct = found.deduplicate()
    repeated = distinct.metadata.filter(pl.col("copies") > 1).select("name", "copies", "names")
    if target is not None:
        left_out = sets.write(distinct, target)
        if left_out:
            note(f"left out, for want of a place: {', '.join(left_out)}")
        note(f"wrote {target}: {len(distinct):,} sets")
    note(f"{len(found):,} sets, {len(distinct):,} distinct")
    emit(repeated, json=json, csv=csv, tsv=tsv)


@app.command()
def similar(
    file: FileArgument,
    threshold: Annotated[
        float, typer.Option(min=0.01, max=1.0, help="Show pairs from this Jaccard index on.")
    ] = 0.8,
    from_: FromOption = None,
    no_resolve: RawOption = False,
    species: SpeciesOption = None,
    json: JsonOption = False,
    csv: CsvOption = False,
    tsv: TsvOption = False,
    output: OutputOption = None,
) -> None:
    """Find the pairs of sets in a file that are almost the same.

    They are found by MinHash: a pair at the threshold is missed with a chance of 1 %. The Jaccard
    index that is shown is exact.
    """
    chosen_format(json=json, csv=csv, tsv=tsv)
    found = _read(file, from_, no_resolve, species)
    pairs = found.near_duplicates(threshold).drop("first", "second")
    emit(pairs, json=json, csv=csv, tsv=tsv, output=output)
