"""What the text formats share: values that they can hold, and weights after a comma."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import polars as pl

from gsfm.errors import FormatError
from gsfm.io.notes import Notes
from gsfm.sets import csr
from gsfm.sets.csr import Floats
from gsfm.sets.genesets import GeneSets

_WEIGHT = re.compile(rb"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*")

#: What a weight must be smaller than, not to become infinite as a float32: half a step more than
#: the largest of these, whose shortest text is a little more than itself.
TOO_LARGE = float(np.finfo(np.float32).max) + 2.0**103

#: Characters that text formats, and tables with quotes, have no way to hold inside a value.
CONTROL = re.compile(r"[\x00-\x1f]")
CONTROL_BUT_BREAKS = re.compile(r"[\x00-\x08\x0b-\x1f]")


def weight_of(text: bytes) -> float:
    """What follows the comma in ``GENE,1.0``, as Enrichr writes weights; NaN if it is none."""
    number = _WEIGHT.fullmatch(text)
    value = float(number[1]) if number else np.nan
    return value if abs(value) < TOO_LARGE else np.nan


def split_weights(
    rows: Sequence[Sequence[str]], notes: Notes
) -> tuple[list[list[str]], list[list[float]] | None]:
    """Take the weights off ``GENE,1.0``; None where no member has one, 1 for one without."""
    members: list[list[str]] = []
    weights: list[list[float]] = []
    heavy = 0
    for row in rows:
        members.append([])
        weights.append([])
        for cell in row:
            gene, _, text = cell.rpartition(",")
            value = weight_of(text.encode()) if gene else np.nan
            is_weight = bool(np.isfinite(value))
            members[-1].append(gene if is_weight else cell)
            weights[-1].append(value if is_weight else 1.0)
            heavy += is_weight
    notes.add("weighted-members", heavy)
    return members, weights if heavy else None


def check_writable(
    values: Iterable[str | None], what: str, target: str, forbidden: re.Pattern[str] | None
) -> None:
    """Raise FormatError if a value would not come back from a file as it is.

    Parameters
    ----------
    values
        Identifiers, names or other cells.
    what
        ``"identifier"``, ``"name"``, ...: identifiers and names may not be blank, and identifiers
        have no white space around them, for reading trims them.
    target
        The file, for the message.
    forbidden
        Characters that the format cannot hold inside a value; None if it holds them all.
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
                "holds a tab, line break or control character, which this format cannot: change "
                "it, or write JSON or Parquet"
            )
        else:
            continue
        raise FormatError(target, f"the {what} {value!r} {reason}")


def check_sets(sets: GeneSets, target: str, forbidden: re.Pattern[str] | None) -> list[str]:
    """Check names and identifiers; return the identifiers that occur."""
    check_writable(sets.metadata["name"], "name", target, forbidden)
    used = np.flatnonzero(csr.count(sets.indices, sets.n_genes))
    found = [sets.vocabulary[int(gene)] for gene in used]
    check_writable(found, "identifier", target, forbidden)
    if sets.member_weights is not None and not np.isfinite(sets.member_weights).all():
        raise FormatError(target, "a member weight is not a finite number")
    return found


def labels(sets: GeneSets, target: str) -> tuple[list[str], list[str]]:
    """Names and descriptions that a text format can hold."""
    names = sets.names
    check_writable(names, "name", target, CONTROL)
    if names[0].startswith("\ufeff"):
        raise FormatError(target, "the first name begins with a byte-order mark: change it")
    if "description" not in sets.metadata.columns:
        return names, [""] * len(names)
    texts = sets.metadata["description"].to_list()
    descriptions = ["" if text is None else str(text) for text in texts]
    check_writable(descriptions, "description", target, CONTROL)
    return names, descriptions


def member_rows(sets: GeneSets, target: str) -> Iterator[list[str]]:
    """The members of each set as GMT and GMX write them; checked before the first."""
    found = check_sets(sets, target, CONTROL)
    if sets.member_weights is None:
        _check_unweighted(found, target)
    symbols = np.array([*sets.vocabulary.symbols, ""], object)[:-1]
    for start, stop in zip(sets.indptr[:-1], sets.indptr[1:], strict=True):
        row = symbols[sets.indices[start:stop]].tolist()
        if sets.member_weights is not None:
            texts = weight_texts(sets.member_weights[start:stop])
            row = [f"{member},{text}" for member, text in zip(row, texts, strict=True)]
        yield row


def _check_unweighted(symbols: list[str], target: str) -> None:
    """Raise FormatError if an identifier looks as if it carried a weight."""
    for symbol in symbols:
        gene, _, weight = symbol.rpartition(",")
        if gene and np.isfinite(weight_of(weight.encode())):
            raise FormatError(
                target,
                f"the identifier {symbol!r} would be read as {gene!r} with a weight: change it, "
                f"or write JSON or Parquet",
            )


def weight_texts(weights: Floats) -> list[str]:
    """The shortest texts that stand for these numbers."""
    return [str(weight) for weight in weights]


def as_text_column(series: pl.Series) -> pl.Series:
    """A column as text; lists and structures as JSON."""
    if series.dtype == pl.String:
        return series
    if series.dtype.is_nested():
        texts = [
            None if value is None else json.dumps(value, ensure_ascii=False, default=str)
            for value in series.to_list()
        ]
        return pl.Series(series.name, texts, dtype=pl.String)
    return series.cast(pl.String)
