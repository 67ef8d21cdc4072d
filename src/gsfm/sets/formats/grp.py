"""GRP: a file with one set, one gene in a line, comments after ``#``."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from gsfm.errors import FormatError
from gsfm.io.streams import Source
from gsfm.io.text import lines
from gsfm.sets.formats.cells import CONTROL, LABELS, check_sets, labels
from gsfm.sets.formats.raw import Format, Raw, from_lists
from gsfm.sets.genesets import GeneSets


def read(source: Source) -> Raw:
    """Read a GRP file.

    The first comment before the genes is the name of the set, the second its description. Without
    comments the name of the file is used. In an older form the first line is the name, and the
    second line, which begins with ``>``, is the description. A line with a tab is a FormatError.
    """
    comments: list[str] = []
    members: list[str] = []
    for line, text in lines(source):
        stripped = text.strip()
        if stripped.startswith("#"):
            comment = stripped[1:].strip()
            if members or len(comments) == 2:
                source.notes.add("comments", example=comment or None, line=line)
            else:
                comments.append(comment)
        elif stripped.startswith(">") and len(members) == 1 and not comments:
            comments = [members.pop(), stripped[1:].strip()]
        elif "\t" in stripped:
            reason = "the line has a tab, and GRP is one gene a line"
            raise FormatError(source.name, reason, line=line)
        else:
            members.append(text)
    name, description = [*comments, "", ""][:2]
    table = pl.DataFrame({"name": [name or source.stem], "description": [description]})
    return from_lists(table, [members])


def write(sets: GeneSets, target: str) -> Iterator[bytes]:
    """Write a GRP file. More than one set is a FormatError."""
    if len(sets) != 1:
        raise FormatError(target, f"GRP can hold one set, not {len(sets)}: write GMT")
    (name,), (description,) = labels(sets, target)
    symbols = check_sets(sets, target, CONTROL)
    marked = [s for s in symbols if s.startswith(("#", ">"))]
    if marked or name != name.strip() or description != description.strip():
        what = repr(marked[0]) if marked else "white space around the name or description"
        raise FormatError(target, f"GRP cannot hold {what}: change it, or write JSON or Parquet")
    comments = [f"# {text}" for text in (name, description) if text]
    yield "".join(f"{line}\n" for line in (*comments, *symbols)).encode()


FORMATS = (Format("grp", (".grp",), read, write, LABELS, member_weights=False),)
