"""Which columns of a table are the sets and the genes, or whether each row or column is a set.

The cells decide what the genes are, and the names of the columns what the sets are. The names are
in ``docs/gene-sets.md``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gsfm.errors import FormatError
from gsfm.genes import Species
from gsfm.genes.columns import (
    GENE_HEADERS,
    LEAST,
    Column,
    Table,
    agree,
    best_of,
    listed,
    split_cell,
)
from gsfm.io.grid import is_missing, unquoted
from gsfm.io.streams import Source
from gsfm.sets.formats.tools import columns_of

#: Names of columns of sets, as `plain` returns them, by their standing. A table may have several.
_NAMES = (
    *("termname", "term", "termdescription", "pathwayname", "pathway", "pathways", "gsname"),
    *("genesetname", "setname", "standardname", "signature", "hponame", "diseasename", "cellname"),
)
_SETS = (
    *("name", "set", "geneset", "celltype", "module", "disease", "phenotype", "trait", "drug"),
    *("drugname", "complex", "family"),
)
_GROUPS = ("cluster", "group", "community", "leiden", "louvain", "tf", "regulator", "source")
_IDS = ("termid", "native", "pathwayid", "pathwayidentifier", "hpoid", "gsid", "diseaseid", "id")
#: In order of preference. A description is the name of the set beside an id only.
TIERS = (_NAMES, _SETS, _GROUPS, ("description",), _IDS)
SET_HEADERS = tuple(dict.fromkeys(("name", *_NAMES, *_SETS, *_GROUPS, *_IDS)))
#: What a set belongs to, if it has one row: sets of one name in several of these are several sets.
LIBRARIES = ("geneset", "library", "category", "collection", "database", "source")
_CONDITIONS = ("cluster", "group", "query")
TISSUES = ("tissue", "tissuetype", "organ", "tissueclass")
_SPECIES = ("species", "speciestype", "organism")

#: Names of columns with several genes in a cell, which may be separated by spaces.
_LISTS = re.compile(r"genes?$|leadingedge|ledge|coreenrichment|intersections?$|members|symbols$")
_ACCESSION = re.compile(r"[A-Za-z]+[:_]?\d{4,}|R-[A-Z]{3}-\d+|WP\d+|[A-Za-z]+:[A-Z]*\d+|M\d+")
_NUMBERED = re.compile(r"(\D*?)[\s._-]*\d+|")
_BRACKETS = re.compile(r"\s*(?:c\s*\(|[\[({])(.*)[\])}]\s*", re.DOTALL)


@dataclass(frozen=True)
class Choice:
    """What the user chose of a table."""

    sheet: str | int | None = None
    set_column: str | int | None = None
    gene_column: str | int | None = None
    species: Species | None = None

    def check_none(self, source: Source, what: str) -> None:
        """Raise FormatError if a sheet or column is chosen of a file that has none."""
        if (self.sheet, self.set_column, self.gene_column) != (None, None, None):
            reason = f"this is {what}, which has neither sheets nor columns to choose"
            raise FormatError(source.name, reason)


NO_CHOICE = Choice()


@dataclass(frozen=True)
class Long:
    """A table with the set and a gene, or several, in each row.

    `id` is another name of the sets, `qualifiers` are columns by which sets of one name differ,
    `spaces` is whether spaces separate genes, and `own` whether gsfm wrote the table.
    """

    set: Column
    gene: Column
    id: Column | None = None
    qualifiers: tuple[Column, ...] = ()
    species: Column | None = None
    spaces: bool = False
    own: bool = False


Layout = Long | Literal["columns", "rows"]


def members_of(cell: str, *, spaces: bool = False) -> list[str]:
    """The identifiers of a cell with several genes, which may be a list of Python or R.

    Examples
    --------
    >>> members_of("BRCA1;BRCA2"), members_of("['BRCA1', 'BRCA2']"), members_of("HLA-A")
    (['BRCA1', 'BRCA2'], ['BRCA1', 'BRCA2'], ['HLA-A'])
    """
    inner = _BRACKETS.fullmatch(cell)
    parts = split_cell(inner[1] if inner else cell)
    if len(parts) == 1 and spaces:
        parts = parts[0].split()
    if len(parts) == 1 and not inner:
        return [cell]
    names = (unquoted(part.strip(" []{}")) for part in parts)
    return [name for name in names if not is_missing(name)] or [cell]


def without_brackets(cell: str) -> str:
    """A list of Python or R as identifiers with semicolons; other cells as they are."""
    return ";".join(members_of(cell)) if _BRACKETS.fullmatch(cell) else cell


def layout_of(table: Table, choice: Choice) -> Layout:
    """Find the sets and the genes of a table.

    Raises
    ------
    FormatError
        If the table is no table of gene sets, or can be read in several ways.
    """
    columns = [c for c in table.columns if any(c.present)]
    names = {c.name: c for c in reversed(table.columns)}
    free = choice.set_column is None and choice.gene_column is None
    if free and {"name", "gene"} <= names.keys() and not names.keys() & set(_NAMES):
        found = Long(names["name"], names["gene"], own=True)
        if not _is_list(found) or not any(_is_result(c) for c in columns):
            return found
    given = None
    if choice.set_column is not None:
        given = table.named(choice.set_column, "--set-column")
    candidates = [c for c in table.gene_candidates() if c is not given]
    spaced = [c for c in columns if c not in candidates and _is_spaced(c)]
    found_genes = [c for c in candidates + spaced if c.name not in SET_HEADERS]
    # If no gene is known, the names of the columns must do.
    named = [names[name] for name in GENE_HEADERS if name in names][:1]
    candidates = found_genes or named or candidates
    if free and (whole := _whole(table, columns, candidates)):
        return whole
    tool = columns_of(columns) if free else None
    if tool is not None and tool[0] in found_genes:
        gene, sets = tool
    else:
        gene = _gene_column(table, columns, candidates, choice)
        sets = given or _set_column(table, columns, gene)
    found = _completed(columns, sets, gene, gene in spaced)
    is_named = found.set.name in _NAMES or (found.id is not None and _is_accession(found.id))
    if given is None and not is_named and _is_list(found) and tool != (gene, found.set):
        reason = f"each row has another {found.set.label} and one gene: this is a list of genes"
        raise table.grid.fail(f"{reason}; choose the sets with --set-column")
    return found


def _is_result(column: Column) -> bool:
    """Whether a column has the statistics or p-values of genes."""
    is_named = column.standing is not None or column.is_p_value
    return column.is_number and is_named and not column.is_ordinal


def _is_spaced(column: Column) -> bool:
    """Whether the cells of a column have genes with spaces between them."""
    if column.has_number or not _LISTS.search(column.name):
        return False
    cells = [";".join(cell.split()) for cell in column.cells]
    return cells != column.cells and Column(column.index, column.header, cells).is_gene()


def _is_list(found: Long) -> bool:
    """Whether each row has its own set, most with one gene, like the rows of a list of genes."""
    rows = [
        (name, members_of(cell, spaces=found.spaces))
        for name, cell in zip(found.set.cells, found.gene.cells, strict=True)
        if not is_missing(cell)
    ]
    single = sum(len(members) == 1 for _, members in rows)
    return len({name for name, _ in rows}) == len(rows) > 2 and 2 * single > len(rows)


# -- a set in each row or column ------------------------------------------------------------------


def _whole(
    table: Table, columns: Sequence[Column], candidates: Sequence[Column]
) -> Literal["columns", "rows"] | None:
    """Whether all the table is genes, below or beside the names of sets; None for other tables."""
    body = [c for c in columns if not c.is_ordinal]
    genes = [c for c in body if c in candidates]
    others = [c for c in body if c not in candidates]
    if (
        len(genes) < 2
        or any(_is_result(c) for c in others)
        or all(agree(genes[0], c) for c in genes[1:])
    ):
        return None
    has_header = table.header_line is not None
    # Names, perhaps descriptions, then genes in columns that have no names but numbers.
    n_beside = len(others) if others == body[: len(others)] else 0
    if has_header and body[0].name in ("", "index", *SET_HEADERS) and _are_numbered(body[1:]):
        return "rows"
    if 0 < n_beside <= 2 and (not has_header or _are_numbered(body[n_beside:])):
        return "rows"
    if any(c.name in SET_HEADERS for c in others) or any(
        re.sub(r"[\dab]$", "", c.name) in GENE_HEADERS for c in genes
    ):
        return None
    names = Column(0, "", [c.header for c in genes], known=genes[0].known)
    if has_header and names.share >= LEAST and names.kind == "approved":
        has_header, others = False, []
    if has_header and 3 * len(genes) >= 2 * len(body):
        # A data frame without names: rows and columns are numbered.
        if len(body) < len(columns) and _are_numbered(body) and any(map(_has_holes, body)):
            raise table.grid.fail("it is not clear whether rows or columns are sets: name the sets")
        return "columns"
    if not has_header and not others:
        reason = "all cells are genes, so that the names of the sets are not clear"
        advice = "name the sets in the first row, put quotes around names with commas, or write GMT"
        raise table.grid.fail(f"{reason}: {advice}")
    return None


def _has_holes(column: Column) -> bool:
    """Whether a cell without a value is above one with a value."""
    return bool(column.present.any() and not column.present[: int(column.present.sum())].all())


def _are_numbered(columns: Sequence[Column]) -> bool:
    """Whether the names of columns are one name with numbers, or numbers, or all empty."""
    stems = {match[1] if (match := _NUMBERED.fullmatch(c.header)) else None for c in columns}
    return len(stems) == 1 and None not in stems and len({bool(c.header) for c in columns}) == 1


# -- a set and its genes in each row --------------------------------------------------------------


def _gene_column(
    table: Table, columns: Sequence[Column], candidates: Sequence[Column], choice: Choice
) -> Column:
    """The column of genes."""
    if choice.gene_column is not None:
        return table.named(choice.gene_column, "--gene-column")
    if not candidates:
        reason = f"no column has identifiers of genes: there are {listed(columns)}"
        raise table.grid.fail(f"{reason}; choose one with --gene-column")
    several = [c for c in candidates if _has_lists(c)]
    best = best_of(candidates) or (several[0] if len(several) == 1 else None)
    if best is None:
        reason = f"there are {len(candidates)} columns of genes ({listed(candidates)})"
        raise table.grid.fail(f"{reason}: choose one with --gene-column")
    return best


def _has_lists(column: Column) -> bool:
    """Whether half of the cells have several genes."""
    n = sum(len(members_of(cell)) > 1 for cell in column.cells)
    return 2 * n >= max(1, int(column.present.sum()))


def _set_column(table: Table, columns: Sequence[Column], gene: Column) -> Column:
    """The column of the sets: by its name, or the only one beside the genes."""
    rest = [c for c in columns if c is not gene and not (c.name in _IDS and c.is_ordinal)]
    has_id = any((c.name in _IDS or _is_accession(c)) and not c.is_gene() for c in rest)
    for tier in TIERS:
        found = [c for name in tier for c in rest if c.name == name]
        if len(found) > 1:  # one of a constant is a heading, one of accessions an id
            found = [c for c in found if len(set(c.cells)) > 1] or found
            found = [c for c in found if not _is_accession(c)] or found
        if not found or (tier == ("description",) and not has_id):
            continue
        if all(_determines(found[0], c) and _determines(c, found[0]) for c in found[1:]):
            return found[0]
        reason = f"{len(found)} columns can be the sets ({listed(found)})"
        raise table.grid.fail(f"{reason}: choose one with --set-column")
    texts = [c for c in rest if not c.has_number and not agree(gene, c)]
    if table.header_line is None and _has_lists(gene) and texts == list(columns[:2]):
        texts = texts[:1]  # as in GMT, a name and a description
    numbers = [c for c in rest if c.has_number and not c.is_ordinal]
    if len(texts) == 1 and not numbers:
        names = [cell for cell in texts[0].cells if not is_missing(cell)]
        if len(set(names)) < len(names) or _has_lists(gene):
            return texts[0]
    if not texts:
        what = "a ranked list" if numbers else "a list of genes"
        advice = "enrich --ranked" if numbers else "complete or enrich"
        reason = f"this is {what}, not gene sets: give it to gsfm {advice}"
        raise table.grid.fail(f"{reason}, or choose the column of the sets with --set-column")
    reason = f"no column has a name of sets (term, pathway, set, ...): there are {listed(columns)}"
    raise table.grid.fail(f"{reason}; choose one with --set-column")


def _is_accession(column: Column) -> bool:
    """Whether nearly all cells are accessions of terms, such as GO:0006281."""
    cells = [cell for cell in set(column.cells) if not is_missing(cell)]
    return sum(bool(_ACCESSION.fullmatch(cell)) for cell in cells) > 0.9 * len(cells)


def _determines(one: Column, other: Column) -> bool:
    """Whether rows with the same cell in one column have the same cell in another one."""
    pairs = set(zip(one.cells, other.cells, strict=True))
    return len(pairs) == len({cell for cell, _ in pairs})


def _completed(columns: Sequence[Column], sets: Column, gene: Column, spaces: bool) -> Long:
    """The other columns with a role, beside the sets and the genes."""
    rest = [c for c in columns if c is not sets and c is not gene]
    own = [c for c in rest if c.header and not c.is_number and _determines(sets, c)]
    ids = next((c for c in own if c.name in _IDS or _is_accession(c)), None)
    if _is_accession(sets):
        names = [c for c in own if c.name in (*_NAMES, *_SETS, "description")]
        if names and not _is_accession(names[0]):
            sets, ids = names[0], sets
    wanted: tuple[str, ...] = LIBRARIES[:-1]
    if _has_lists(gene) or spaces or sets.name == "description":
        wanted = (*LIBRARIES, *_CONDITIONS)
    tissues = sorted((c for c in rest if c.name in TISSUES), key=lambda c: TISSUES.index(c.name))
    qualifiers = [c for c in rest if c.name in wanted]
    if sets.name in ("celltype", "cellname"):
        qualifiers += tissues[:1]
    if sets.name in _GROUPS:
        qualifiers = []
    species = next((c for c in rest if c.name in _SPECIES), None)
    kept = tuple(c for c in qualifiers if c not in (sets, ids))
    return Long(sets, gene, ids, kept, species, spaces)
