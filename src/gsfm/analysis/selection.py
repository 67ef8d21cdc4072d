"""Which rows of a ranking are shown: the best ones, annotated ones or new ones."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

#: All rows, only annotated ones (a term that has the gene, a gene of the term), or only the others.
Which: TypeAlias = Literal["all", "annotated", "new"]


def check_least(least: int, **values: int | None) -> None:
    """Raise ValueError if a parameter is smaller than `least`."""
    for name, value in values.items():
        if value is not None and value < least:
            raise ValueError(f"{name} must be {least} or more, not {value}")


def check_selection(top: int | None, which: Which) -> None:
    """Raise ValueError if `top` or `which` is out of its range."""
    check_least(1, top=top)
    if which not in get_args(Which):
        raise ValueError(f"which must be all, annotated or new, not {which!r}")


def best(
    key: NDArray[Any],
    rows: NDArray[np.int64],
    top: int | None = None,
    *,
    which: Which = "all",
    annotated: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows with the largest keys, and their ranks among all `rows`.

    Parameters
    ----------
    key
        (n,) of every row there is.
    rows
        The rows to rank; ties keep their order.
    top
        Number of rows to return.
    which, annotated
        The rows to return, and (n,) whether a row is annotated. Ranks are among all `rows`.
    """
    order = rows[np.argsort(-key[rows], kind="stable")]
    shown = np.ones(len(order), bool)
    if which != "all" and annotated is not None:
        shown = annotated[order] == (which == "annotated")
    at = np.flatnonzero(shown)[:top]
    return order[at], at + 1
