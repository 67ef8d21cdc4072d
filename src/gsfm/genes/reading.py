"""Lists of genes and ranked lists from any file: which cells are the genes, which the statistic.

Nothing is chosen in silence: a `GeneList` says what was read, and a choice that the file does not
decide is an error that lists the columns.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm.errors import count, join_names
from gsfm.genes import excel
from gsfm.genes.columns import (
    GENE_HEADERS,
    LEAST,
    UNSURE,
    Column,
    Table,
    agree,
    best_of,
    is_symbol,
    listed,
    names_other_ids,
    number,
    plain,
    split_cell,
)
from gsfm.genes.headings import heading, is_above, prose
from gsfm.genes.locations import read_bed
from gsfm.genes.resolver import Species, resolve
from gsfm.io.grid import NAMES, Grid, read_grid, unquoted
from gsfm.io.notes import Note
from gsfm.io.streams import file_path
from gsfm.report import Report

_TERM = re.compile(r"term|pathway|geneset|setname|^set$|^name$|description")
_SETS = (
    "this looks like a gene-set file ({:,} sets): give it as a library, to enrich as --lists, or "
    "give the genes of one set"
)
#: A line of GMT: no description, or an address.
_GMT = re.compile(r"[^\t]+\t(\w+://[^\t]+)?\t[^\t]")
_TRANSPOSED = "the genes are the names of the columns: transpose the table"
#: Also those of Chinese, Japanese and Arabic.
_SEPARATOR = re.compile("[\t,;\uff0c\uff1b\u3001\u060c\u061b]+")
_GROUP, _WHOLE = re.compile(r"[-+]?[1-9]\d{0,2}[.,]\d{3}"), re.compile(r"[-+]?\d{1,3}")
_BEHIND = re.compile(r"(?<=\S)\s+#")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+")


class GeneList(Report):
    """The genes of a file, or a ranked list, and what was read.

    Attributes
    ----------
    table
        ``gene``, and ``statistic`` of a ranked list; in the order of the file, with repeats.
    provenance
        What was read: ``file``, ``sheet``, ``header`` (its line), ``gene_column``, ``identifiers``
        (the usual kind), ``score_column``, ``rows`` (below the header), ``left_out`` (the number of
        rows by reason), ``notes``.

    Examples
    --------
    >>> import io
    >>> table = b"gene,pvalue,logFC\\nTP53,0.01,-2\\nMDM2,0.2,NA\\n"
    >>> found = read(io.BytesIO(table), ranked=True)
    >>> found.table.rows()
    [('TP53', -2.0)]
    >>> print(found.summary())
    <stdin>: 1 gene from column 'gene' (approved), statistic from column 'logFC'
      1 of 2 rows left out: no statistic
    """

    @property
    def genes(self) -> list[str]:
        """The identifiers, in the order of the file, with repeats."""
        return self.table["gene"].to_list()

    def summary(self) -> str:
        """What was read, in a line, and a line for each irregularity."""
        p = self.provenance
        n = self.table.height
        where = p["file"] + (f", sheet {p['sheet']!r}" if p["sheet"] else "")
        text = f"{where}: {count(n, 'gene')}"
        if p["gene_column"]:
            text += f" from column {p['gene_column']} ({p['identifiers']})"
        if p["score_column"]:
            text += f", statistic from column {p['score_column']}"
        lines = [f"{n:,} of {p['rows']:,} rows left out: {why}" for why, n in p["left_out"].items()]
        return "\n".join([text, *(f"  {line}" for line in [*lines, *p["notes"]])])


def read(
    path: str | Path | BinaryIO,
    *,
    ranked: bool = False,
    sheet: str | int | None = None,
    gene_column: str | int | None = None,
    score_column: str | int | None = None,
    species: Species | None = None,
    loci: bool = False,
) -> GeneList:
    """Read the genes of a list or a table, and say what was read.

    A list has one or several identifiers in each line, separated by white space, commas or
    semicolons, or is a vector of R or a list of Python as text. In a table, the gene column is the
    one whose cells are identifiers of genes; its name is a hint. Integers are Entrez ids only if
    the column has a name of gene ids or none, and no other column can be the genes. Row numbers,
    statistics and p-values are never genes.

    The statistic of a ranked list is the first of these, preferably with negative numbers: a test
    statistic (``stat``, ``t``, ``scores``, ...), a log fold change (``logFC``, ...), a signed
    significance, the only other column of numbers. It is never a p-value, a mean, a count or a
    rank, and the genes must not be of several groups.

    Parameters
    ----------
    path
        A text file, whatever its separator, quotes and encoding, or a workbook (XLSX, XLS, ODS);
        ``-`` for standard input, or a binary stream; may be in gzip, zstd or zip.
    ranked
        Whether to read a statistic for each gene.
    sheet
        The name of a sheet of a workbook, or its 1-based number.
    gene_column, score_column
        The name of the column of genes and of the statistic, or its 1-based number.
    species
        The species of the identifiers, as in `resolve`.
    loci
        Whether a BED file is read, too, as places on GRCh38 in the form of `within`.

    Returns
    -------
    GeneList
        The identifiers as in the file; `GeneList.summary` says what was read.

    Raises
    ------
    FormatError
        If the file is neither a list nor a table, or several columns can be the genes or the
        statistic; the message lists them.

    Examples
    --------
    >>> import io
    >>> read(io.BytesIO(b"# my genes\\nTP53, MDM2\\nEGFR\\n")).genes
    ['TP53', 'MDM2', 'EGFR']
    >>> table = b",names,pvals,scores\\n0,TP53,0.1,-2\\n1,MDM2,0.2,1.5\\n"
    >>> read(io.BytesIO(table), ranked=True).table.rows()
    [('TP53', -2.0), ('MDM2', 1.5)]
    """
    file = file_path(path)
    if loci and file is not None and (places := read_bed(file)) is not None:
        kind = {"gene_column": "chromosome, start, end", "identifiers": "places on GRCh38"}
        return GeneList(pl.DataFrame({"gene": places}), {**_about(str(path), len(places)), **kind})
    grid = read_grid(path, sheet=sheet, prefer=_has_genes)
    if not grid.is_table:
        if ranked:
            what = "a gene and a statistic in each line"
            if len(grid.rows) == 1:
                raise grid.fail(f"it contains no gene with a statistic: give {what}")
            raise grid.fail(f"give {what}: there is one column", 0)
        return _of_lines(grid, gene_column)
    table = Table.of(grid, species)
    genes = _gene_column(table, gene_column)
    if genes is None:
        if ranked:
            raise grid.fail("there is no column of numbers: a ranked list needs a statistic")
        return _all_cells(table)
    if not ranked:
        return _of_column(table, genes, None)
    score = _score_column(table, score_column, genes)
    _check_marks(table, score)
    return _of_column(table, genes, score)


def read_genes(path: str | Path | BinaryIO, **options: Any) -> list[str]:
    """Read the identifiers of a list or a table: the genes of `read`, with its options.

    Examples
    --------
    >>> import io
    >>> read_genes(io.BytesIO(b"Gene symbol\\tlogFC\\nTP53\\t1.5\\n"))
    ['TP53']
    """
    return read(path, **options).genes


def read_ranked(path: str | Path | BinaryIO, **options: Any) -> pl.DataFrame:
    """Read a ranked list: the table of `read`, with its options and ``ranked=True``.

    Examples
    --------
    >>> import io
    >>> table = b"gene,pvalue,logFC\\nTP53,0.01,-2\\nMDM2,0.2,NA\\nBAX,1,1.5\\n"
    >>> read_ranked(io.BytesIO(table)).rows()
    [('TP53', -2.0), ('BAX', 1.5)]
    """
    return read(path, ranked=True, **options).table


def _has_genes(grid: Grid) -> bool:
    """Whether a sheet has genes, and is no description of the others."""
    if grid.is_table:
        # Words such as DE and WT are old names of genes.
        found = Table.of(grid).gene_candidates()
        return any(c.kind not in UNSURE for c in found)
    return Column(0, "", [unquoted(row[0]) for row in grid.rows]).share >= LEAST


# -- lists ----------------------------------------------------------------------------------------


def _of_lines(grid: Grid, wanted: str | int | None) -> GeneList:
    """The genes of a file without columns: one or several in each line."""
    rows = [row[0] for row in grid.rows]
    if wanted is not None and str(wanted) not in ("1", rows[0]):
        raise grid.fail(f"there is no column {wanted!r} (--gene-column): there is one column")
    if len(rows) == 1 and _GMT.match(rows[0]):
        raise grid.fail(_SETS.format(1))
    if len(rows) > 1 and all(row.count("\t") > 1 for row in rows):
        # Names of sets, such as S1 and set1, may be old names of genes, and descriptions are none.
        for cells in list(zip(*(row.split("\t") for row in rows), strict=False))[:2]:
            unsure = sum(match in UNSURE for match in resolve(cells).table["match"])
            if unsure > LEAST * len(rows):
                raise grid.fail(_SETS.format(len(rows)))
    _check_name(grid, rows)
    rows, note = _below_heading(grid, rows)
    parts = [_BEHIND.split(row, maxsplit=1) for row in rows]
    if behind := sum(len(part) > 1 for part in parts):
        note = [*note, f"{count(behind, 'comment')} behind genes, not read"]
    rows = [part[0] for part in parts]
    header = len(rows) > 1 and _is_header(rows)
    line = grid.lines[len(grid.rows) - len(rows)] if header else None
    if header and plain(rows[0]) not in GENE_HEADERS:
        note = [*note, f"a title, not read: {rows[0].strip()!r}"]
    rows, footnotes = _above_footnotes(rows[header:])
    if not rows:
        raise grid.fail("there is no gene below the title: write one in each line")
    genes = _identifiers(rows)
    names = [gene for gene in genes if np.isnan(number(gene))]
    # Numbers in a text of other words would be read as Entrez ids.
    n_rows = len(rows)
    if not names:
        _check_numbers(grid, rows, genes)
    if n_rows < len(genes) and (found := prose(genes)):
        reason = f"this is a text and no list ({join_names(found, 4)}): give the genes alone"
        raise grid.fail(f"{reason}, or their descriptions behind a tab")
    if n_rows < len(genes) > len(names) and names:
        unknown = resolve(names).table["match"].to_list().count("unmapped")
        values = [value for gene in genes if not np.isnan(value := number(gene))]
        if unknown >= LEAST * len(names) or any(v < 0 or v % 1 for v in values):
            what = "neither a list of genes, nor a table: its rows differ in their number of cells"
            raise grid.fail(f"this is {what}")
    return _made(grid, genes, header=line, rows=n_rows, more=[*note, *footnotes])


def _is_header(rows: Sequence[str]) -> bool:
    """Whether the first line of a list is its name: such a word, or a synonym above ids."""
    if plain(rows[0]) in GENE_HEADERS:
        return True
    top = Column(0, "", [rows[0].strip()])
    if top.kind in ("unmapped", "approved") or len(rows[0].split()) > 1:
        return False
    ids = Column(0, "", rows[1:])
    above_ids = ids.share == 1 and not is_symbol(ids.kind) and is_symbol(top.kind)
    return above_ids or is_above(*next(iter(top.symbols.items())))


def _check_name(grid: Grid, rows: Sequence[str]) -> None:
    """Refuse numbers below a name that is not that of Entrez ids, as of HGNC ids or of lengths."""
    top = rows[0].strip()
    if len(rows) < 2 or not all(row.strip().isdigit() for row in rows[1:]) or top.isdigit():
        return
    gene = heading(top) is not None or Column(0, "", [top]).kind == "approved"
    if names_other_ids(top) and not gene:
        reason = f"the numbers below {top[:60]!r} may be no Entrez ids"
        raise grid.fail(f"{reason}: if they are, write 'entrez' above them")


def _check_numbers(grid: Grid, rows: Sequence[str], genes: Sequence[str]) -> None:
    """Refuse numbers that count the lines, or may have separators of thousands."""
    if len(rows) > 2 and Column(0, "", genes).is_ordinal and len(rows) == len(genes):
        raise grid.fail("the numbers count the lines: give identifiers of genes")
    grouped = [row.strip() for row in rows if "," in row]
    if len(rows) > 1 and grouped and all(map(_THOUSANDS.fullmatch, grouped)):
        plainly = grouped[0].replace(",", "")
        reason = f"{grouped[0]!r} may be one Entrez id or several"
        raise grid.fail(f"{reason}: write {plainly}, or one id in each line")


def _above_footnotes(rows: list[str]) -> tuple[list[str], list[str]]:
    """The lines above the footnotes of a list with one gene in each line, which are noted."""
    words = [row.split() for row in rows]
    n = next((i for i in range(len(rows), 0, -1) if len(words[i - 1]) == 1), 0)
    if not 0 < n < len(rows) or any(len(row) != 1 for row in words[:n]):
        return rows, []
    for row in words[n:]:
        matches = resolve(row).table["match"].to_list()
        unsure = sum(match in UNSURE or match == "entrez" for match in matches)
        if "unmapped" not in matches or 2 * unsure <= len(row):
            return rows, []
    return rows[:n], [f"a footnote, not read: {row[:60]!r}" for row in rows[n:]]


def _below_heading(grid: Grid, rows: list[str], first: int = 0) -> tuple[list[str], list[str]]:
    """The lines below a title or the heading of a list, which is noted; several are an error."""
    heads = [(i, *found) for i, row in enumerate(rows) if (found := heading(row))]
    if len(rows) == 1 and heads and not heads[0][2]:
        heads = []  # a gene
    if heads and heads[-1][0] > 0:
        names = join_names([f"{name!r} in line {grid.lines[first + i]}" for i, name, _ in heads], 5)
        reason = f"several lists, below {names}: give one of them in a file"
        raise grid.fail(f"{reason}; if these are genes, write their approved symbols")
    if heads:
        _, name, rest = heads[0]
        matches = resolve(rest.split()).table["match"].to_list() if rest else []
        if 2 * sum(match in UNSURE for match in matches) > len(matches):  # up-regulated in AD
            name, rest = rows[0].strip(), ""
        return [*filter(None, [rest]), *rows[1:]], [f"a title, not read: {name[:60]!r}"]
    if _is_title(rows):
        return rows[1:], [f"a title, not read: {rows[0][:60]!r}"]
    return rows, []


def _is_title(rows: Sequence[str]) -> bool:
    """Whether the first line is a title: words, most of no gene, above lines of one word."""
    words = [row.split() for row in rows]
    alone = len(words) > 1 and all(len(row) == 1 for row in words[1:])
    parts = _SEPARATOR.split(rows[0])
    several = len(parts) > 1 and max(len(part.split()) for part in parts) < 3
    if not alone or len(words[0]) < 2 or several or "\t" in rows[0]:
        return False
    matches = resolve(words[0]).table["match"].to_list()
    # Words such as T, up and cell are old names of genes.
    unsure = sum(match in UNSURE for match in matches)
    return "unmapped" in matches and 2 * unsure > len(matches)


def _identifiers(rows: Sequence[str]) -> list[str]:
    """The identifiers of lines, separated by white space, commas, semicolons or bars."""
    cells = [cell for row in rows for cell in _SEPARATOR.split(row)]
    # A date that Excel made of a gene may have spaces: 2. Sep
    texts = [[cell] if excel.is_date(unquoted(cell)) else cell.split() for cell in cells]
    parts = [text for part in itertools.chain(*texts) if (text := unquoted(part))]
    return list(itertools.chain(*_split_known(parts)))


def _split_known(cells: Sequence[str]) -> Iterator[list[str]]:
    """The parts of each cell, if it is no identifier and a part of it is one; else the cell."""
    several = {cell: parts for cell in cells if (parts := split_cell(cell)) != [cell]}
    names = list(dict.fromkeys([*several, *itertools.chain(*several.values())]))
    table = resolve(names).table if names else None
    known = (
        set()
        if table is None
        else set(
            table.filter(pl.col("symbol").is_not_null() | (pl.col("match") == "ambiguous"))["input"]
        )
    )
    for cell in cells:
        parts = several.get(cell, [cell])
        yield [cell] if cell in known or known.isdisjoint(parts) else parts


# -- tables ---------------------------------------------------------------------------------------


def _gene_column(table: Table, wanted: str | int | None) -> Column | None:
    """The column of genes; None if all cells of the table are genes."""
    grid, columns = table.grid, table.columns
    if wanted is not None:
        return table.named(wanted, "--gene-column")
    numbers = [c for c in columns if c.is_integer and not c.is_ordinal]
    ids = table.header_line is None and 1 < len(numbers) >= len(columns) - 1
    if ids and all(c.share >= LEAST for c in numbers):
        raise grid.fail(_SETS.format(len(table)))
    # Identifiers of no known gene may be a model's own.
    called = [c for c in columns if c.named_gene and not (c.has_number or c.is_ratio or c.is_prose)]
    found = table.gene_candidates() or called[: len(called) == 1]
    if not found:
        if _are_transposed(columns):
            raise grid.fail(_TRANSPOSED)
        reason = f"no column has identifiers of genes: there are {listed(columns)}"
        raise grid.fail(f"{reason}; choose one with --gene-column")
    best = best_of(found)
    if best is not None and not best.named_gene:
        # Names that may be those of drugs or proteins, beside Entrez ids of other genes.
        rivals = [c for c in numbers if c.named_gene and c.share >= LEAST and not agree(best, c)]
        best, found = (None, [best, *rivals]) if rivals else (best, found)
    if best is not None:
        if _are_transposed(columns, best):
            raise grid.fail(_TRANSPOSED)
        return best
    named = any(c.named_gene for c in found)
    if not named and table.header_line is None and len(found) == len(columns):
        return None
    what = "columns of genes" if len(found) < len(columns) else "columns, all of genes"
    reason = f"there are {len(found)} {what} ({listed(found)})"
    how = "choose one with --gene-column, or read them as sets: --library, of enrich also --lists"
    raise grid.fail(f"{reason}: {how}")


def _are_transposed(columns: Sequence[Column], genes: Column | None = None) -> bool:
    """Whether the names of the columns of numbers are symbols, and the cells of `genes` are not."""
    names = [c.header for c in columns if c.is_number and c.header and not c.is_statistic_name]
    top = Column(0, "", names, known=columns[0].known)
    if len(names) < 3 or top.share < 0.9 or top.kind != "approved":
        return False
    return genes is None or not (genes.named_gene or genes.kind == "approved")


def _score_column(table: Table, wanted: str | int | None, genes: Column) -> Column:
    """The column of the statistic."""
    grid = table.grid
    if wanted is not None:
        column = table.named(wanted, "--score-column")
        if not column.is_number:
            raise grid.fail(f"the column {column.label} has no numbers (--score-column)")
        return column
    others = [c for c in table.columns if c is not genes]
    # A column with a few texts among its numbers has an error, which its line reports, or a note.
    mixed = [c for c in others if c.has_number]
    numbers = [c for c in mixed if c.is_number or c.standing is not None] or mixed
    found = _ranked(numbers) or _unnamed(others, genes)
    blank = [c for c in others if c.standing is not None and not c.present.any()]
    if blank and len(found) < 2:
        reason = f"the column {blank[0].label} has no values (a formula without a result?)"
        raise grid.fail(f"{reason}: fill it, or choose another one with --score-column")
    if len(found) == 1:
        return found[0]
    if found:
        reason = f"{len(found)} columns can be the statistic ({listed(found)})"
        raise grid.fail(f"{reason}: choose one with --score-column")
    for one in numbers[: len(numbers) == 1]:
        values = one.numbers[np.isfinite(one.numbers)]
        if len(values) > 1 and (values == values[0]).all():
            what = f"all values of column {one.label} are {values[0]:g}"
            raise grid.fail(f"{what}; they rank nothing")
    if numbers:
        what = "a p-value, a rank, a mean, a count or a label, or has no sign"
        reason = f"no column has a signed statistic: each of {listed(numbers)} is {what}"
        raise grid.fail(f"{reason}; choose one with --score-column")
    raise grid.fail("there is no column of numbers: a ranked list needs a statistic")


def _check_marks(table: Table, score: Column) -> None:
    """Refuse numbers with a comma or a point that may be decimal, or may separate thousands."""
    cells = [cell for cell, has in zip(score.cells, score.present, strict=True) if has]
    where, separator = f"of column {score.label}", table.grid.separator
    grouped = [cell for cell in cells if _GROUP.fullmatch(cell)]
    whole = [cell for cell in cells if _WHOLE.fullmatch(cell)]
    if table.grid.sheet is None and len(grouped) + len(whole) == len(cells) and grouped:
        commas = not score.decimal_comma and not whole and all("," in cell for cell in grouped)
        points = separator != "," and any(abs(int(cell)) > 9 for cell in whole)
        points = points and all("." in cell for cell in grouped)
        if commas or points:
            reason = f"{grouped[0]!r} {where} may be a number with three decimals or thousands"
            raise table.grid.fail(f"{reason}: write it without separators of thousands")
    after = table.columns[score.index + 1 :][:1]
    unnamed = separator == "," and table.header_line is None
    digits = after and all(cell.isdigit() for cell in after[0].cells)
    if unnamed and digits and len(whole) == len(cells):
        both = f"'{cells[0]},{after[0].cells[0]}'"
        reason = f"{both} may be one number with a decimal comma, or two columns"
        raise table.grid.fail(f"{reason}: name the columns, or use another separator")


def _ranked(numbers: Sequence[Column]) -> list[Column]:
    """The statistics that come first by their names, without those equal to another one."""
    order = sorted({c.standing for c in numbers if c.standing})
    groups = [[c for c in numbers if c.standing == one] for one in order]
    # A test statistic without a sign, of several conditions or a rank sum, has no direction.
    groups = [group for group in groups if any(c.is_signed for c in group)] or groups
    first = next(iter(groups), [])
    more = [c for c in numbers if c not in first and any(c.repeats(one) for one in first)]
    found = [*first, *more]
    return [c for i, c in enumerate(found) if not any(c.equals(one) for one in found[:i])]


def _unnamed(others: Sequence[Column], genes: Column) -> list[Column]:
    """The columns of other names that can be the statistic; the only one has a sign, or is alone.

    Alone beside the genes, numbers from 0 to 1 without a name could be p-values.
    """
    rest = [c for c in others if c.present.any() and not c.is_ordinal and not agree(genes, c)]
    if len(rest) == 1 and rest[0].has_number and not rest[0].is_number:
        return rest  # the line of the text is reported
    found = [c for c in rest if c.is_number and not c.is_never]
    if len(found) != 1 or found[0].is_signed:
        return found
    (one,) = found
    is_alone = len(rest) == 1 and (one.header or np.nanmax(one.numbers) > 1)
    return found if is_alone else []


def _is_aside(cell: str) -> bool:
    """Whether a cell is the heading of some rows, or a footnote: three words and more."""
    return heading(cell) is not None or any(len(part.split()) > 2 for part in split_cell(cell))


def _all_cells(table: Table) -> GeneList:
    """The genes of a list that is laid out in several columns."""
    rows = [list(row) for row in zip(*(column.cells for column in table.columns), strict=True)]
    starts = [row[0] for row in rows]
    below, note = _below_heading(table.grid, starts, table.first_row)
    rows[0] = rows[0][len(starts) - len(below) :]
    cells = [cell for row in rows for cell in row if cell]
    genes = list(itertools.chain(*_split_known(cells)))
    return _made(table.grid, genes, header=table.header_line, rows=len(table), more=note)


def _of_column(table: Table, genes: Column, score: Column | None) -> GeneList:
    """The genes of a column, each with its statistic."""
    missing: dict[str, int] = {}
    rows: list[int] = []
    notes: list[str] = []
    if table.titles:
        text = " ".join(table.grid.rows[0]).strip()
        notes.append(f"{count(table.titles, 'line')} above the table, not read: {text[:60]!r}")
    for i, cell in enumerate(genes.cells):
        reason = None
        if not genes.present[i]:
            reason = "no gene"
        elif _is_aside(cell) and not any(c.present[i] for c in table.columns if c is not genes):
            reason = "a heading or a footnote"
        elif score is not None and not np.isfinite(score.numbers[i]):
            if score.present[i]:
                what = "number" if np.isnan(score.numbers[i]) else "finite number"
                raise table.grid.fail(f"{score.cells[i]!r} is not a {what}", table.first_row + i)
            reason = "no statistic"
        if reason is None:
            _check_width(table, i, genes if score is None else score)
            rows.append(i)
        else:
            missing[reason] = missing.get(reason, 0) + 1
    parts = list(_split_known([genes.cells[i] for i in rows]))
    found = list(itertools.chain(*parts))
    values = None if score is None else np.repeat(score.numbers[rows], list(map(len, parts)))
    split = sum(len(part) > 1 for part in parts)
    if score is not None:
        if not score.is_signed:
            notes.append(f"no number in column {score.label} is negative: it has no direction")
        copies = [c for c in table.columns if c is not score and c.standing and c.equals(score)]
        notes += [f"column {c.label} has the same numbers as {score.label}" for c in copies]
    for column in table.columns:
        labels = [] if column in (genes, score) else _groups(column, genes)
        if len(labels) > 1 and len(set(found)) < len(found):
            reason = f"the genes are of {len(labels)} groups, in column {column.label}"
            if score is not None:
                raise table.grid.fail(f"{reason}: keep the rows of one ({join_names(labels, 5)})")
            notes.append(reason)
    terms = any(_TERM.search(column.name) for column in table.columns)
    if terms and 2 * split > len(table) - sum(missing.values()):
        raise table.grid.fail(_SETS.format(len(table)))
    if not found:
        raise table.grid.fail("no row has a gene" + (" with a statistic" if score else ""))
    return _made(
        table.grid, found, values, header=table.header_line, rows=len(table), column=genes,
        score=score, left_out=missing, split=split, more=notes,
    )  # fmt: skip


def _check_width(table: Table, row: int, column: Column) -> None:
    """Raise FormatError if a row has another number of cells, which moves those of `column`.

    Editors remove empty cells at the end of lines: a row may lack cells that others lack, too.
    """
    cells, width = table.grid.rows[table.first_row + row], len(table.columns)
    lacks = any(index in table.filled for index in range(len(cells), width))
    may_move = column.index > 0 or table.grid.separator == " "  # a footnote, too
    if may_move and (lacks or any(map(str.strip, cells[width:]))):
        reason = f"the row has {len(cells)} cells instead of {width}"
        raise table.grid.fail(
            f"{reason}: put quotes around a cell with a separator", table.first_row + row
        )


def _groups(column: Column, genes: Column) -> list[str]:
    """The labels of the groups that the rows are of: a column has a name that says so, or most
    genes repeat, but none with the same label.
    """
    labels = list(dict.fromkeys(column.cells))
    pairs = set(zip(genes.cells, column.cells, strict=True))
    distinct = len(set(genes.cells))
    if column.names_groups or (
        2 * len(labels) <= len(pairs) == len(genes.cells) and 3 * distinct <= 2 * len(pairs)
    ):
        return labels
    return []


def _made(
    grid: Grid,
    genes: list[str],
    values: NDArray[np.float64] | None = None,
    *,
    header: int | None,
    rows: int,
    column: Column | None = None,
    score: Column | None = None,
    left_out: dict[str, int] | None = None,
    split: int = 0,
    more: Sequence[str] = (),
) -> GeneList:
    table = pl.DataFrame({"gene": pl.Series(genes, dtype=pl.String)})
    if values is not None:
        table = table.with_columns(statistic=pl.Series(values, dtype=pl.Float64))
    notes: list[Note | str] = [*grid.notes, *more]
    if split:
        notes.append(f"{count(split, 'cell')} with several genes, split")
    about = {
        "sheet": grid.sheet,
        "separator": NAMES.get(grid.separator or ""),
        "header": header,
        "gene_column": None if column is None else column.label,
        "identifiers": None if column is None else column.kind,
        "score_column": None if score is None else score.label,
        "left_out": left_out or {},
        "notes": [str(note) for note in notes],
    }
    return GeneList(table, {**_about(grid.name, rows), **about})


def _about(file: str, rows: int) -> dict[str, Any]:
    """The provenance of a file of which nothing else is to be said."""
    names = ("sheet", "separator", "header", "gene_column", "identifiers", "score_column")
    return {"file": file, **dict.fromkeys(names), "rows": rows, "left_out": {}, "notes": []}
