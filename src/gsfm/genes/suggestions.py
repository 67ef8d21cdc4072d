"""Genes whose names are like an unknown identifier."""

from __future__ import annotations

import string
from collections.abc import Iterator

import numpy as np
import polars as pl

from gsfm.genes import tables
from gsfm.genes.lookup import CODE, find_names, unpack


def close_symbols(identifier: str, *, limit: int = 5) -> list[str]:
    """Return symbols of genes whose human names differ by one typing error.

    Swapped letters come first, then an additional letter, a missing one and a wrong one; symbols
    come before their synonyms.

    Examples
    --------
    >>> close_symbols("BRAC1")[0], close_symbols("EGFRR"), close_symbols("qqqqqq")
    ('BRCA1', ['EGFR'], [])
    """
    key = tables.bare(pl.Series([identifier])).str.to_uppercase().item()
    if not 2 < len(key) <= 40:
        return []
    edits = list(dict.fromkeys(_edits(key)))
    rows, kinds, genes = unpack(find_names(np.arange(len(edits)), pl.Series(edits)))
    human = kinds <= CODE["alias"]
    order = np.lexsort((rows[human], kinds[human]))
    symbols = tables.symbols().gather(genes[human][order])
    return symbols.unique(maintain_order=True).head(limit).to_list()


def _edits(key: str) -> Iterator[str]:
    letters = string.ascii_uppercase + string.digits + "-"
    # From the end: the first letter is rarely mistyped.
    cuts = [(key[:i], key[i:]) for i in range(len(key), -1, -1)]
    yield from (left + right[1] + right[0] + right[2:] for left, right in cuts if right[1:])
    yield from (left + right[1:] for left, right in cuts if right)
    yield from (left + letter + right for left, right in cuts for letter in letters)
    yield from (left + letter + right[1:] for left, right in cuts if right for letter in letters)
