"""What the text formats share: checks of the values that are written, and weights after a comma."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator

import numpy as np

from gsfm.errors import FormatError
from gsfm.sets.algebra import as_text_column
from gsfm.sets.genesets import GeneSets

_WEIGHT = re.compile(rb"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*")

#: A weight must be smaller than this; otherwise it becomes infinite as a float32. It is half a step
#: more than the largest float32, whose shortest text is a little more than itself.
TOO_LARGE = float(np.finfo(np.float32).max) + 2.0**103

#: The metadata of formats that have names and descriptions only.
LABELS = ("name", "description")

#: What values of text formats, and of tables with quotes, cannot contain. A byte-order mark at the
#: beginning of a line is none of the text.
CONTROL = re.compile(r"[\x00-\x1f]|^\ufeff")
CONTROL_BUT_BREAKS = re.compile(r"[\x00-\x08\x0b-\x1f]|\n\ufeff")


def weight_of(text: bytes) -> float:
    """The weight after the comma in ``GENE,1.0``, as Enrichr writes it; NaN if it is none."""
    number = _WEIGHT.fullmatch(text)
    value = float(number[1]) if number else np.nan
    return value if abs(value) < TOO_LARGE else np.nan


def split_weight(cell: str) -> tuple[str, float]:
    """The identifier and the weight of a cell ``GENE,1.0``; NaN without a weight."""
    gene, _, text = cell.rpartition(",")
    value = weight_of(text.encode()) if gene else np.nan
    return (cell, value) if np.isnan(value) else (gene, value)


def check_writable(
    values: Iterable[str | None], what: str, target: str, forbidden: re.Pattern[str] | None
) -> None:
    """Raise FormatError if a value could not be read back unchanged.

    A value of `what` "identifier" or "name" must not be blank. Reading trims identifiers, so they
    must not have white space around them. No value may contain the `forbidden` characters.
    """
    for value in values:
        if value is None:
            continue
        if what in ("identifier", "name") and not value.strip():
            reason = "is blank: give it a text"
        elif what == "identifier" and value != value.strip():
            reason = "has white space around it: trim it"
        elif forbidden is not None and forbidden.search(value):
            reason = (
                "contains a tab, line break, control character or byte-order mark, which this "
                "format cannot hold: change it, or write JSON or Parquet"
            )
        else:
            continue
        raise FormatError(target, f"the {what} {value!r} {reason}")


def check_sets(sets: GeneSets, target: str, forbidden: re.Pattern[str] | None) -> list[str]:
    """Check names, identifiers and weights; return the identifiers that occur."""
    check_writable(sets.metadata["name"], "name", target, forbidden)
    found = [sets.vocabulary[int(gene)] for gene in np.flatnonzero(sets.gene_frequencies)]
    check_writable(found, "identifier", target, forbidden)
    if sets.member_weights is not None and not np.isfinite(sets.member_weights).all():
        raise FormatError(target, "a member weight is not a finite number")
    return found


def labels(sets: GeneSets, target: str) -> tuple[list[str], list[str]]:
    """Names, which `check_sets` checks, and descriptions that a text format can hold."""
    names = sets.names
    if "description" not in sets.metadata.columns:
        return names, [""] * len(names)
    descriptions = as_text_column(sets.metadata["description"]).fill_null("").to_list()
    check_writable(descriptions, "description", target, CONTROL)
    return names, descriptions


def member_rows(sets: GeneSets, target: str) -> Iterator[list[str]]:
    """The members of each set as in GMT and GMX; all are checked first."""
    found = check_sets(sets, target, CONTROL)
    if sets.member_weights is None:
        for symbol in found:
            gene, weight = split_weight(symbol)
            if not np.isnan(weight):
                reason = f"the identifier {symbol!r} would be read as {gene!r} with a weight"
                raise FormatError(target, f"{reason}: change it, or write JSON or Parquet")
    symbols = np.array([*sets.vocabulary.symbols, ""], object)[:-1]
    for start, stop in itertools.pairwise(sets.indptr):
        row = symbols[sets.indices[start:stop]].tolist()
        if sets.member_weights is not None:
            texts = sets.member_weights[start:stop].astype(str)
            row = [f"{member},{text}" for member, text in zip(row, texts, strict=True)]
        yield row
