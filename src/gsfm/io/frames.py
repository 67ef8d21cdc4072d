"""Data frames of pandas and Polars, read as the text of a table."""

from __future__ import annotations

import io
from typing import Any, BinaryIO

import polars as pl

from gsfm.errors import FormatError


class _Text(io.BytesIO):
    name = "data frame"


def is_frame(value: Any) -> bool:
    """Whether a value is a data frame of pandas or Polars."""
    return isinstance(value, pl.DataFrame) or (
        type(value).__module__.split(".")[0] == "pandas" and getattr(value, "ndim", 0) == 2
    )


def stream_of(frame: Any) -> BinaryIO:
    """The table as tab-separated text; of pandas with its index, unless that counts the rows.

    One column has the numbers of the rows beside it, so that its name is not read as a value.
    """
    if not frame.shape[0]:
        raise FormatError(_Text.name, "it has no rows")
    one = frame.shape[1] == 1
    if isinstance(frame, pl.DataFrame):
        lists = [name for name, kind in frame.schema.items() if isinstance(kind, pl.List)]
        nested = [n for n, kind in frame.schema.items() if kind.is_nested() and n not in lists]
        frame = frame.drop(nested)  # no text
        joined = pl.col(lists).cast(pl.List(pl.String)).list.join(";")
        text = frame.with_columns(joined)
        if one:
            text = text.with_row_index("" if frame.columns != [""] else "row")
        return _Text(text.write_csv(separator="\t").encode())
    # A number is the position of a column, and no name.
    frame = frame.rename(columns=lambda name: "" if isinstance(name, int) else name)
    has_index = type(frame.index).__name__ != "RangeIndex"
    return _Text(frame.to_csv(sep="\t", index=has_index or one).encode())
