"""Whether a list is of another species than human: by its symbols and by systematic names."""

from __future__ import annotations

import functools
from typing import Literal

import numpy as np
import polars as pl

from gsfm.errors import join_names
from gsfm.genes import tables
from gsfm.genes.lookup import CODE, find_names, unpack

Species = Literal["human", "mouse", "rat"]

#: Names of a list that are looked at, evenly spread.
_SAMPLE = 2000
#: The fewest names of a list that say something about its species.
LEAST = 3
#: The case of mouse and rat symbols: Trp53, H2-Ab1, mt-Co1.
_MOUSE_CASE = r"^(?:[A-Z][a-z0-9.-]*[a-z][A-Za-z0-9.-]*|mt-[A-Z]\S*|\d{7}[A-Z]\d\dRik)$"
#: Names of genes that only mice or rats have.
_MOUSE_ONLY = r"^(?:Gm\d{3,}|\d{7}[A-Z]\d\dRik|RGD\d{5,})$"
#: Yeast genes in other case, and yeast proteins: cdc28, Cdc28p.
_YEAST = r"^([A-Za-z]{3}\d{1,3})p?$"
#: Genes of bacteria: thrA, lacZ.
_BACTERIAL = r"^[a-z]{3}[A-Z]$"
#: Matches that make an identifier human: it is not evidence of another species.
_NOT_HUMAN = r"^(?:unmapped|(?:mouse|rat) (?:symbol|alias))$"


def sample(names: pl.Series) -> pl.Series:
    """Return some two thousand distinct names, evenly spread."""
    return names.gather_every(max(1, len(names) // _SAMPLE)).unique(maintain_order=True)


def mouse_case(names: pl.Series) -> bool:
    """Whether most names are written as those of mouse and rat genes are.

    Examples
    --------
    >>> mouse_case(pl.Series(["Trp53", "Mdm2", "TP53"])), mouse_case(pl.Series(["TP53", "p53"]))
    (True, False)
    """
    return len(names) >= LEAST and 2 * int(names.str.contains(_MOUSE_CASE).sum()) > len(names)


def mouse_or_rat(names: pl.Series, *, least: float = 1) -> Species | None:
    """Return the species whose symbols explain distinct names better than human ones do.

    The evidence are names that only mouse or rat genes have, such as Trp53; they must be `least` or
    more, and more than the approved symbols of human genes without such an ortholog.

    Examples
    --------
    >>> mouse_or_rat(pl.Series(["Trp53", "Mdm2", "Cdkn1a"]))
    'mouse'
    >>> mouse_or_rat(pl.Series(["Tp53", "Mdm2", "Cdkn1a"])) is None
    True
    """
    row, kind, _ = unpack(find_names(np.arange(len(names)), names.str.to_uppercase()))

    def known(*kinds: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        mask = np.zeros(len(names), np.bool_)
        mask[row[np.isin(kind, [CODE[name] for name in kinds])]] = True
        return mask

    approved, human = known("approved"), known("approved", "previous", "alias")
    mouse, rat = known("mouse symbol"), known("rat symbol")
    alone = names.str.contains(_MOUSE_ONLY).to_numpy() & ~human
    foreign = ((mouse | rat) & ~human).sum() + alone.sum()
    if foreign < least or foreign <= (approved & ~mouse & ~rat).sum():
        return None
    return "rat" if (rat & ~mouse).sum() > (mouse & ~rat).sum() + alone.sum() else "mouse"


@functools.cache
def _symbols() -> pl.DataFrame:
    """Return the symbols of other species than human, mouse and rat."""
    return tables.read("species").with_columns(pl.col("species").cast(pl.String))


def another(names: pl.Series, matches: pl.Series, looks: pl.Series) -> str | None:
    """Return a sentence about the species that distinct identifiers are of, if it is another one.

    Parameters
    ----------
    names, matches
        The identifiers as given, and the kinds of match.
    looks
        What each identifier looks like (``"yeast gene: ..."``), null for nothing.

    Examples
    --------
    >>> names = pl.Series(["CDC28", "URA3", "PHO5", "RAD51"])
    >>> matches = pl.Series(["unmapped", "unmapped", "unmapped", "approved"])
    >>> another(names, matches, pl.Series([None] * 4, dtype=pl.String))
    'these look like yeast genes (CDC28, URA3, PHO5): map them to human orthologs first'
    """
    foreign = matches.str.contains(_NOT_HUMAN)
    if foreign.sum() < LEAST:  # most lists: the rest takes milliseconds
        return None
    table = pl.DataFrame({"name": names, "foreign": foreign, "look": looks})
    by_symbol = table.join(_symbols(), on="name", how="left", maintain_order="left")
    by_look = table.with_columns(species=pl.col("look").str.extract(r"^([\w. -]+) gene:"))
    yeast = _symbols().filter(pl.col("species") == "yeast").rename({"name": "key"})
    by_key = table.with_columns(key=pl.col("name").str.extract(_YEAST).str.to_uppercase()).join(
        yeast, on="key", maintain_order="left"
    )
    bacterial = table.filter(pl.col("name").str.contains(_BACTERIAL))
    by_form = bacterial.with_columns(species=pl.lit("bacterial"))
    others = (by_key, by_look, by_form)
    parts = [by_symbol, *(one.select(by_symbol.columns) for one in others)]
    both = pl.concat(parts).drop_nulls("species")
    counts = (
        both.unique(["name", "species"], maintain_order=True)
        .group_by("species", maintain_order=True)
        .agg(pl.col("foreign").sum(), pl.col("name").filter("foreign").alias("names"), own=pl.len())
        .sort("foreign", descending=True)
    )
    if counts.is_empty():
        return None
    species, n_foreign, examples, own = counts.row(0)
    # Human genes that the species lacks speak against it.
    against = len(names) - int(foreign.sum()) - (own - n_foreign)
    if n_foreign < LEAST or n_foreign <= 2 * against:
        return None
    what = f"these look like {species} genes ({join_names(examples, 5)})"
    return f"{what}: map them to human orthologs first"
