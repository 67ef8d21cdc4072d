"""The format of a gene-set file, by its content."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence

from gsfm.genes import resolve
from gsfm.genes.columns import GENE_HEADERS, plain
from gsfm.io.grid import is_missing
from gsfm.sets.formats.cells import split_weight
from gsfm.sets.formats.roles import SET_HEADERS

#: Lines, and identifiers, by which a text is recognized.
_LINES, _IDENTIFIERS = 200, 500
#: Lines that may be above the header of a table.
_TITLES = 5
#: The share of the cells of genes that are known.
_LEAST = 0.5


def of_text(head: bytes, suffix: str) -> str:
    """The format of a text; the suffix decides only where the content does not.

    Lines with tabs are GMT if the genes are beside the names, GMX if they are below, and otherwise
    a table. Lines without tabs are GRP, if there is a comment that names the set, or a table.

    Examples
    --------
    >>> of_text(b"repair\\tDNA repair\\tBRCA1\\tBRCA2\\n", ".txt")
    'gmt'
    >>> of_text(b"term\\tgene\\nrepair\\tBRCA1\\n", ".txt"), of_text(b"term,gene\\n", ".gmt")
    ('tsv', 'csv')
    """
    text = head.decode("utf-8", "replace").lstrip("\n ")
    if _JSON.match(text) or (text.startswith("{") and suffix not in _SUFFIX):
        return "json"
    if text.startswith(("<?xml", "<!--", "<MSIGDB")):
        return "msigdb-xml"
    lines = [line for line in text.split("\n") if line.strip()]
    if len(head) >= 1 << 16:
        lines = lines[:-1] or lines
    is_list = not any("\t" in line for line in lines[:1])
    if is_list and suffix not in _SUFFIX and re.match(r"https?://\S+$|na$", "".join(lines[1:2])):
        return "gmx"  # one set
    if is_list and (suffix == ".grp" or (suffix not in _SUFFIX and _is_grp(lines))):
        return "grp"
    rows = [line.split("\t") for line in lines if not line.startswith("# ")][:_LINES]
    if not rows or not any(len(row) > 1 for row in rows):
        # One set of GMX has no tab, and its name may have spaces.
        is_table = suffix != ".gmx" and rows and any(c in rows[0][0] for c in ",;| ")
        return "csv" if is_table else _SUFFIX.get(suffix, "csv")
    if len(rows[0]) == 1 and suffix not in _SUFFIX and any(c in rows[0][0] for c in ",;|"):
        return "csv"  # the tabs are in quoted cells, or below a title
    return _of_rows(rows, _SUFFIX.get(suffix))


_SUFFIX = {".gmt": "gmt", ".gmx": "gmx", ".grp": "grp"}
_JSON = re.compile(r"(\[\s*)?\{\s*\"[^\"\t]*\"\s*:")


_SEVERAL = re.compile(r"[\s,;]+")


def _is_grp(lines: Sequence[str]) -> bool:
    """Whether comments give the name, or name and description, of a list of identifiers."""
    titles = lines[:1] if lines[:1] and lines[0].startswith("#") else lines[1:2]
    return any(line.startswith(("#", ">")) for line in titles) and all(
        len(line.split()) == 1 and not set(line) & set(",;") for line in lines[2:]
    )


def _of_rows(rows: Sequence[Sequence[str]], claimed: str | None) -> str:
    if claimed is None:  # below titles
        rows = list(itertools.dropwhile(lambda row: len(row) == 1 and " " in row[0], rows))
    if claimed is None and not rows[0][0].strip():  # the name of the index of a data frame
        return "tsv"
    if all(len(cell) > 1 and cell[0] == cell[-1] == '"' for row in rows for cell in row):
        return "tsv"
    header = {plain(cell.lstrip("#")) for cell in rows[0]}
    for row in rows[:_TITLES]:
        names = {plain(cell.lstrip("#")) for cell in row}
        if names & set(GENE_HEADERS) and names & set(SET_HEADERS):
            return "tsv"
    # The header of a table of R may have one cell less.
    widths = {len(row) for row in rows[len(rows[0]) == len(rows[-1]) - 1 :]}
    if claimed is None and header & set(GENE_HEADERS):
        return "tsv"
    beside, below = rows[0][2:], [cell for row in rows[1:] for cell in row[2:]]
    if len(rows) == 1:
        return claimed or ("gmt" if beside else "tsv")
    top, rest = _share(beside), _share(below)
    if rest >= _LEAST > top and _share(c for row in rows[2:] for c in row[:2]) >= _LEAST:
        return "gmx" if _share(rows[1]) < _LEAST and _are_sets(rows[2:]) else "tsv"
    if claimed is not None:  # or the third column has lists of genes
        return "tsv" if max(widths) == 3 and _has_lists(rows) else claimed
    is_ragged = len(widths) > 1 and sum(len(row) > 2 for row in rows) >= 0.5 * len(rows)
    if is_ragged or not below:
        return "gmt" if is_ragged else "tsv"
    firsts = [row[0] for row in rows]
    if header & set(SET_HEADERS) or len(set(firsts)) < len(firsts) or _share(firsts) > 0.9:
        return "tsv"
    if _is_table(rows):
        return "tsv"
    if top >= _LEAST or (rest < _LEAST and not any(map(_is_number, below))):
        return "gmt"
    return "tsv"


def _is_table(rows: Sequence[Sequence[str]]) -> bool:
    """Whether one column has genes, or several in a cell, and one behind it or before it has none.

    In GMT, all columns behind the name and the description have one gene in a cell.
    """
    genes = [_share(cells) >= _LEAST for cells in itertools.zip_longest(*rows[1:], fillvalue="")]
    return _has_lists(rows) or (any(genes[1:]) and not all(genes[2:]))


def _has_lists(rows: Sequence[Sequence[str]]) -> bool:
    """Whether a column behind the first one has cells with several genes, but not weights."""
    for cells in list(itertools.zip_longest(*rows, fillvalue=""))[1:]:
        parts = [_SEVERAL.split(split_weight(cell)[0].strip()) for cell in cells]
        if any(len(own) > 1 for own in parts) and _share(itertools.chain(*parts)) >= _LEAST:
            return True
    return False


def _are_sets(rows: Sequence[Sequence[str]]) -> bool:
    """Whether each column has the genes of a set: not the same cell in all rows, and no numbers
    beside columns of names.
    """
    columns = [[c for c in cells if c] for cells in itertools.zip_longest(*rows, fillvalue="")]
    numbers = {any(map(_is_number, cells)) for cells in columns if cells}
    return len(numbers) == 1 and all(
        _share(cells) >= _LEAST and len(set(cells)) > (len(cells) > 2) for cells in columns if cells
    )


def _share(cells: Iterable[str]) -> float:
    """The share of distinct cells, without missing ones, that are genes."""
    distinct = [
        c for c in dict.fromkeys(split_weight(cell)[0] for cell in cells) if not is_missing(c)
    ]
    if not distinct:
        return 0.0
    sample = distinct[:: -(-len(distinct) // _IDENTIFIERS)]
    found = resolve(sample).table["match"].to_list()
    return 1 - found.count("unmapped") / len(found)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
