"""GMT: one set a line; name, description, members, separated by tabs.

A file of gigabytes is read in blocks of whole lines. Polars splits a block, and its members become
small integers at once, so that the strings of one block at most are in memory.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from gsfm._errors import FormatError
from gsfm.sets import _csr
from gsfm.sets._csr import Floats, Int32s, Int64s
from gsfm.sets._raw import Raw
from gsfm.sets._report import Notes
from gsfm.sets._streams import Source
from gsfm.sets._text import blocks

#: A weighted member as Enrichr writes it: ``GENE,1.0``.
WEIGHTED = r"^\s*(.*\S)\s*,\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*$"


def read_gmt(source: Source) -> Raw:
    """Read a GMT file.

    Raises
    ------
    FormatError
        If a line has no tab.
    """
    notes = Notes()
    # Polars forgets categories that no series uses: an empty one keeps them.
    categories = pl.Categories.random()
    tokens = pl.Series([], dtype=pl.Categorical(categories))
    names: list[str] = []
    descriptions: list[str] = []
    lines: list[Int64s] = []
    sizes: list[Int64s] = []
    ids: list[Int32s] = []
    weights: list[Floats] | None = None
    for first_line, text in blocks(source, notes):
        rows = _rows(text, first_line, source, notes)
        members = rows["members"].str.split("\t")
        flat = members.explode(empty_as_null=False, keep_nulls=False)
        flat, heavy = split_weights(flat)
        if heavy is not None and weights is None:
            weights = [np.ones(len(part), np.float32) for part in ids]
        if weights is not None:
            weights.append(
                np.ones(len(flat), np.float32)
                if heavy is None
                else heavy.fill_null(1.0).to_numpy().astype(np.float32)
            )
            if heavy is not None:
                notes.add("weighted-members", len(heavy) - heavy.null_count())
        # To Python strings: a slice of the block's text would keep the whole block in memory.
        names += rows["name"].to_list()
        descriptions += rows["description"].to_list()
        lines.append(rows["line"].to_numpy().astype(np.int64))
        sizes.append(members.list.len().fill_null(0).to_numpy().astype(np.int64))
        ids.append(flat.cast(tokens.dtype).to_physical().to_numpy().astype(np.int32))
    return Raw(
        pl.DataFrame(
            {"name": names, "description": descriptions},
            {"name": pl.String, "description": pl.String},
        ),
        np.concatenate(sizes),
        _csr.join(ids, np.int32),
        categories.to_series().to_list(),
        None if weights is None else _csr.join(weights, np.float32),
        np.concatenate(lines),
        notes,
    )


def _rows(text: str, first_line: int, source: Source, notes: Notes) -> pl.DataFrame:
    """The lines of a block: line, name, description, members (null where there are none)."""
    rows = pl.DataFrame({"text": pl.Series([text]).str.split("\n").explode()})
    rows = rows.with_row_index("line", offset=first_line)
    blank = rows["text"].str.strip_chars() == ""
    if blank.any():
        notes.add("blank-lines", int(blank.sum()), line=rows["line"].filter(blank)[0])
        rows = rows.filter(~blank)
    fields = (
        rows["text"]
        .str.splitn("\t", 3)
        .struct.rename_fields(["name", "description", "members"])
        .struct.unnest()
    )
    untabbed = fields["description"].is_null()
    if untabbed.any():
        raise FormatError(
            source.name,
            "the line has no tab, and GMT is name, description, genes, separated by tabs; "
            "if the file is of another format, name it",
            line=rows["line"].filter(untabbed)[0],
        )
    trailing = fields["members"].str.ends_with("\t") | (fields["members"] == "")
    if trailing.any():
        notes.add("trailing-tabs", int(trailing.sum()), line=rows["line"].filter(trailing)[0])
        # A null mask (no third column at all) leaves null.
        ended = fields["members"].str.strip_chars_end("\t")
        fields = fields.with_columns(members=ended.replace("", None))
    return fields.with_columns(rows["line"])


def split_weights(members: pl.Series) -> tuple[pl.Series, pl.Series | None]:
    """Take the weights off ``GENE,1.0``; None where no member has one, null for one without."""
    if not members.str.contains(",", literal=True).any():
        return members, None
    parts = members.str.extract_groups(WEIGHTED).struct.unnest()
    weights = parts["2"].cast(pl.Float32)
    if weights.null_count() == len(weights):
        return members, None
    return parts["1"].zip_with(parts["1"].is_not_null(), members), weights
