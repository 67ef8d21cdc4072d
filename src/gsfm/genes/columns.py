"""What the columns of a table are: genes, a statistic, p-values, or something else.

The cells decide, and the name of a column is a hint. The order of statistics is in
``docs/reading.md``.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm.errors import join_names
from gsfm.genes.headings import are_labels
from gsfm.genes.lookup import CODE
from gsfm.genes.meanings import compact, meaning, words
from gsfm.genes.resolver import Species, resolve
from gsfm.io.grid import Grid, is_missing, unquoted
from gsfm.io.limits import limits, variable

#: Names of gene columns, as `plain` returns them.
GENE_HEADERS = (
    *("gene", "genes", "symbol", "symbols", "genesymbol", "genesymbols", "genename", "hgncsymbol"),
    *("approvedsymbol", "geneid", "entrez", "entrezid", "entrezgene", "entrezgeneid", "ncbigeneid"),
    *("ensembl", "ensemblid", "ensemblgene", "ensemblgeneid", "uniprot", "uniprotid", "hgnc"),
    *("hgncid", "identifier", "identifiers", "member", "members", "target"),
)
#: Parts of other names that gene columns have.
_GENE_NAME = re.compile(r"symbol|gene|ensembl|entrez|hgnc|uniprot|proteinid|^names?$|^ids?$|^x$")
_ENTREZ_NAME = re.compile(r"entrez|ncbi|geneid")
#: Names of ids whose numbers are no Entrez ids.
_OTHER_IDS = re.compile(r"hgnc|mim|mgi|rgd|ensembl|uniprot|protein|vega|pmid|pubmed")
_TERM_NAME = re.compile(r"(term|set|pathway|title|description|type)(name|id)?$")

#: Names of the groups that a table of several comparisons is about.
_GROUP = re.compile(r"^(cluster|group|leiden|louvain|celltype|comparison|contrast|condition|label)")
#: Names of numbers, but of genes if the cells are.
_GENES_OR_NUMBERS = re.compile(r"geneid|index|row|unnamed.*|(entrez|ncbi).*")
_MINUS = str.maketrans("\u2212\u2010\u2011\u2012\u2013\uff0d", "------")

#: Kinds of match of symbols, in order of preference.
_SYMBOLS = ("approved", "approved (case)", "previous", "alias", "mouse symbol", "rat symbol")
#: Kinds of match that are no evidence of a gene: many short codes are an alias of one.
UNSURE = ("unmapped", "ambiguous", "alias", "previous", "mouse alias", "rat alias")
_SHORT = 3
#: Distinct cells of all columns of a table that are resolved; of each at least a few.
_SAMPLE, _FEW = 10_000, 40
#: The share of distinct cells that must be genes, without and with a name that says so.
LEAST, LEAST_NAMED = 0.5, 0.05

_RATIO = re.compile(r"\d+\s*/\s*\d+")
_SEVERAL = re.compile(r"\s*///?\s*|\s*[;,|]\s*")
_SLASH = re.compile(r"\s*/\s*")
#: Names with a common beginning, before numbers or letters.
_SHARED = re.compile(
    r"(.*[A-Za-z].*?)(?:\d{1,2}(?:/\d{1,2})+|(?<=[\d-])[A-Z](?:/[A-Z])+)|"
    r"(.*\d)([A-Z])\d{1,2}(?:/\3\d{1,2})+"
)
_DAY = re.compile(r"[0-3]?\d/[0-3]?\d/(19|20)?\d\d")


def names_other_ids(header: str) -> bool:
    """Whether numbers below the name of a list are no Entrez ids.

    Examples
    --------
    >>> [names_other_ids(name) for name in ("ID", "Gene ID", "HGNC ID", "length", "Up in KO")]
    [False, False, True, True, False]
    """
    name = plain(header)
    alone = len(header.split()) == 1
    return bool(_OTHER_IDS.search(name)) or (alone and not _GENE_NAME.search(name))


def plain(header: str) -> str:
    """Normalize the name of a column: no case, quotes, spaces, dots, hyphens and underscores."""
    return compact(header).lower()


def split_cell(cell: str) -> list[str]:
    """The genes of a cell with several: ``A /// B``, ``A; B``, ``A, B``, ``A | B``, ``A/B``.

    Names may have a common beginning. A date is one cell. Between bars, as in the headers of
    GENCODE, a number beside names is no id.

    Examples
    --------
    >>> split_cell("ENST1|TP53|2579|"), split_cell("7157/4193"), split_cell("9/2/22")
    (['ENST1', 'TP53'], ['7157', '4193'], ['9/2/22'])
    >>> split_cell("SMAD2/3"), split_cell("HLA-A/B/C")
    (['SMAD2', 'SMAD3'], ['HLA-A', 'HLA-B', 'HLA-C'])
    >>> split_cell("S100A8/A9; TP53")
    ['S100A8', 'S100A9', 'TP53']
    """
    if not re.search("[;,|/]", cell) or _DAY.fullmatch(cell):
        return [cell]
    names = itertools.chain.from_iterable(map(_names, _SEVERAL.split(cell)))
    parts = list(dict.fromkeys(filter(None, names)))
    return ("|" in cell and [part for part in parts if not part.isdigit()]) or parts


def _names(text: str) -> list[str]:
    """The names between slashes, which may have a common beginning."""
    first, *others = _SLASH.split(text)
    shared = _SHARED.fullmatch(text) if others else None
    stem = (shared[1] or shared[2]) if shared else ""
    return [first, *(stem + name for name in others)]


@dataclass(eq=False)  # a table may have thousands, which are searched in lists
class Column:
    """A column of a table: its name (empty if there is none) and its cells below the header."""

    index: int
    header: str
    cells: Sequence[str]
    decimal_comma: bool = False
    species: Species | None = None
    #: What was resolved before.
    known: Known = field(default_factory=dict)
    #: The most distinct cells that are resolved to find out what they are.
    sample: int = 1000

    @property
    def label(self) -> str:
        """The name of the column in quotes, or its number."""
        return repr(self.header) if self.header else str(self.index + 1)

    @cached_property
    def name(self) -> str:
        """The normalized header."""
        return plain(self.header)

    @cached_property
    def numbers(self) -> NDArray[np.float64]:
        """(rows,) the cells as numbers; NaN for missing values and for text."""
        cells = self.cells
        if self.decimal_comma and any(map(_WITH_BOTH.fullmatch, cells)):  # 1.234,5 and 1.000
            cells = [cell.replace(".", "") for cell in cells]
        return np.array([number(cell, self.decimal_comma) for cell in cells])

    @cached_property
    def present(self) -> NDArray[np.bool_]:
        """(rows,) whether the cell has a value."""
        return np.array([not is_missing(cell) for cell in self.cells], bool)

    @cached_property
    def is_number(self) -> bool:
        """Whether nearly all values are numbers."""
        n = int(self.present.sum())
        return n > 0 and (~np.isnan(self.numbers)).sum() >= 0.9 * n

    @property
    def has_number(self) -> bool:
        """Whether half of the values are numbers or more."""
        return bool((~np.isnan(self.numbers)).sum() * 2 >= max(1, self.present.sum()))

    @cached_property
    def is_signed(self) -> bool:
        """Whether some of the numbers are negative."""
        return bool((self.numbers < 0).any())

    @cached_property
    def is_ordinal(self) -> bool:
        """Whether the numbers are 0 or 1 to n in any order: row numbers, ranks."""
        values = self.numbers[self.present]
        if not self.is_number or len(values) < 2 or not np.isfinite(values).all():
            return False
        ordered = np.sort(values)
        return bool(ordered[0] in (0, 1) and (np.diff(ordered) == 1).all())

    @cached_property
    def is_integer(self) -> bool:
        """Whether all values are positive integers."""
        return self.is_count and bool((self.numbers[self.present] > 0).all())

    @cached_property
    def is_count(self) -> bool:
        """Whether all values are integers from 0."""
        values = self.numbers[self.present]
        return self.is_number and bool(((values >= 0) & (values == np.trunc(values))).all())

    @property
    def is_ratio(self) -> bool:
        """Whether nearly all values are ratios of counts, ``3/10``, below no name of genes."""
        ratios = [bool(_RATIO.fullmatch(cell)) for cell in self.cells if not is_missing(cell)]
        return sum(ratios) > 0.9 * len(ratios) and self.name not in ("geneid", "coreenrichment")

    @cached_property
    def named_gene(self) -> bool:
        """Whether its name is that of a gene column."""
        return self.name in GENE_HEADERS or bool(
            _GENE_NAME.search(self.name) and not _TERM_NAME.search(self.name)
        )

    @cached_property
    def _parts(self) -> dict[str, list[str]]:
        """The genes of distinct cells (a sample, if they are many), if they are genes."""
        distinct = [cell for cell in dict.fromkeys(self.cells) if not is_missing(cell)]
        return {
            cell: split_cell(cell) for cell in distinct[:: max(1, -(-len(distinct) // self.sample))]
        }

    def texts(self) -> list[str]:
        """The texts that `share` and `kind` need to be known."""
        return list(dict.fromkeys([*self._parts, *itertools.chain(*self._parts.values())]))

    @cached_property
    def _resolved(self) -> tuple[dict[str, str | None], str]:
        """The approved symbol of distinct cells, and the usual kind.

        The symbol of a cell with several genes is that of the first one that is known.
        """
        texts = self.texts()
        _learn(self.known, texts, self.species)
        symbols = {cell: self.known[cell][0] for cell in texts}
        parts = self._parts.items()
        found = {c: next(filter(None, map(symbols.get, [c, *p])), None) for c, p in parts}
        kinds = Counter(self.known[cell][1] for cell in texts if symbols[cell])
        return found, kinds.most_common(1)[0][0] if kinds else "unmapped"

    @property
    def symbols(self) -> dict[str, str | None]:
        """The approved symbol of distinct cells; None for a cell that is no gene."""
        return self._resolved[0]

    @property
    def kind(self) -> str:
        """The usual kind of identifier, as `resolve` names it."""
        return self._resolved[1]

    @cached_property
    def share(self) -> float:
        """The share of distinct cells that are genes; short aliases (``B2``) are no evidence."""
        _ = self.symbols
        known = {
            text
            for text in self.texts()
            if self.known[text][0] and (len(text) > _SHORT or self.known[text][1] not in UNSURE)
        }
        parts = self._parts.items()
        return sum(not known.isdisjoint([c, *p]) for c, p in parts) / len(parts) if parts else 0.0

    @cached_property
    def is_prose(self) -> bool:
        """Whether most cells have a part of several words that are no gene, as descriptions do."""
        _ = self.symbols
        several = [
            any(" " in part and not self.known[part][0] for part in parts)
            for parts in self._parts.values()
        ]
        return 2 * sum(several) > len(several)

    def is_gene(self) -> bool:
        """Whether the cells, with the name as a hint, are identifiers of genes."""
        if self.is_ratio or are_labels(list(self.symbols)):
            return False
        if self.has_number:
            named = bool(_ENTREZ_NAME.search(self.name)) and self.is_integer
            return named and not self.is_ordinal
        if self.is_prose:
            return False
        if not self.symbols or (
            self.is_statistic_name and not _GENES_OR_NUMBERS.fullmatch(self.name)
        ):
            return False
        if self.header and len(self.symbols) == 1 < self.present.sum() and not self.named_gene:
            return False  # a heading
        return self.share >= (LEAST_NAMED if self.named_gene else LEAST)

    @cached_property
    def is_statistic_name(self) -> bool:
        """Whether its name is that of a statistic, a p-value or another number."""
        found, with_words = meaning(self.header)
        return found is not None and not with_words

    @cached_property
    def is_p_value(self) -> bool:
        """Whether its name is that of a p-value or a false discovery rate."""
        found, _ = meaning(self.header)
        return found is not None and found.kind == "p-value"

    @cached_property
    def standing(self) -> tuple[bool, int] | None:
        """The order of statistics by name; None if it is none, or has no sign where it needs one.

        A name that other words are beside comes after those that stand alone.
        """
        found, with_words = meaning(self.header)
        needs_sign = with_words or (found is not None and found.kind == "ratio")
        if found is None or not found.rank or (needs_sign and not self.is_signed):
            return None
        return with_words, found.rank

    def repeats(self, other: Column) -> bool:
        """Whether its name is that of another statistic with more words, ``stat_B`` of ``stat``, or
        another single letter, which may be a condition.
        """
        start, more = words(other.header), words(self.header)
        found, _ = meaning(self.header)
        same = more[: len(start)] == start and len(more) > len(start)
        letters = found is None and len(self.name) == len(other.name) == 1
        return (letters and self.is_signed) or (same and (found is None or found.rank > 0))

    def equals(self, other: Column) -> bool:
        """Whether it has the same numbers."""
        return np.array_equal(self.numbers, other.numbers, equal_nan=True)

    @property
    def names_groups(self) -> bool:
        """Whether its name is that of groups, such as clusters or comparisons."""
        return bool(_GROUP.search(self.name))

    @property
    def is_never(self) -> bool:
        """Whether the numbers cannot rank genes: by their name, as row numbers or as counts."""
        found, _ = meaning(self.header)
        # B may be a condition, beside A.
        named = found is not None and self.standing is None and self.header != "B"
        return named or self.is_ordinal or self.is_count


#: The symbol, or the first candidate, and the kind of match of texts.
Known = dict[str, tuple[str | None, str]]


def _learn(known: Known, texts: Iterable[str], species: Species | None) -> None:
    """Resolve the texts that are not known: one call for a table takes much less time than many."""
    if new := [text for text in dict.fromkeys(texts) if text not in known]:
        table = resolve(new, species=species).table
        for text, symbol, match, several in table.select(pl.exclude("rule")).rows():
            known[text] = symbol or next(iter(several), None), match


def number(cell: str, decimal_comma: bool = False) -> float:
    """The number in a cell; NaN if it is missing or text.

    Examples
    --------
    >>> number("\\u22120.5"), number("1,234.5"), number("0,25", decimal_comma=True)
    (-0.5, 1234.5, 0.25)
    """
    text = _plain_number(cell).strip()
    if decimal_comma and "," in text:
        text = text.replace(".", "").replace(",", ".")
    elif _GROUPED.fullmatch(text):
        text = text.replace(",", "")
    try:
        return float("nan") if is_missing(text) or "_" in text else float(text)
    except ValueError:
        return float("nan")


def _plain_number(cell: str) -> str:
    """A number with a plain minus sign, and without spaces or apostrophes before thousands."""
    if cell.isascii() and "'" not in cell:
        return cell
    return _SPACES.sub("", cell.translate(_MINUS))


_SPACES = re.compile("(?<=\\d)[\u00a0\u2009\u202f'\u2019](?=\\d{3}(?!\\d))")
_GROUPED = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?")
_WITH_COMMA = re.compile(r"[-+]?\d*,\d+([eE][-+]?\d+)?")
_WITH_BOTH = re.compile(r"[-+]?\d{1,3}(\.\d{3})+,\d+")
_WITH_POINT = re.compile(r"[-+]?\d*\.\d+([eE][-+]?\d+)?")


def has_decimal_comma(rows: Sequence[Sequence[str]], separator: str | None) -> bool:
    """Whether the numbers of a table have a decimal comma.

    They do if a number has a comma that does not separate thousands. If all commas could separate
    thousands, they do so, unless the separator is a semicolon and no number has a decimal point.
    """
    if separator == ",":
        return False
    texts = [_plain_number(cell) for row in rows for cell in row if "," in cell]
    commas = [text for text in texts if _WITH_COMMA.fullmatch(text)]
    if any(not _GROUPED.fullmatch(text) or text.lstrip("-+").startswith("0") for text in commas):
        return True
    points = any(_WITH_POINT.fullmatch(cell) for row in rows for cell in row)
    return bool(commas) and separator == ";" and not points


#: The title of a supplement, of which a separator may make as many cells as a header has.
_TITLE = re.compile(
    r"((supp\w*|extended|additional)\W+)?(table|data ?set|data|file)\b", re.IGNORECASE
)
#: Rows above the header that a table may have: a title, a legend.
_MOST_TITLES = 20


@dataclass
class Table:
    """A grid with its header and columns.

    Attributes
    ----------
    grid
        The cells.
    columns
        The columns, without quotes and white space around their cells.
    first_row
        The position in the grid of the first row below the header.
    header_line
        The 1-based line of the header; None without one.
    titles
        The number of rows above the header.
    """

    grid: Grid
    columns: list[Column]
    first_row: int
    header_line: int | None
    titles: int = 0

    @classmethod
    def of(cls, grid: Grid, species: Species | None = None, *, width: int | None = None) -> Table:
        """Find the header, below title rows, and the columns: `width` of them, or as usual."""
        width = width or grid.width
        if width > limits().columns:
            reason = f"the table has {width:,} columns; {variable('columns')} raises the limit"
            raise grid.fail(reason)
        titles = start = _start(grid.rows[:_MOST_TITLES], width)
        while width > 1 and not any("".join(row[width - 1 :]).strip() for row in grid.rows[start:]):
            width -= 1  # a separator at the end of each line
        short = len(grid.rows[start]) == min(grid.width, width) - 1 and len(grid.rows) > start + 1
        rows = [
            [unquoted(cell) for cell in row[:width]] + [""] * (width - len(row))
            for row in grid.rows[start:]
        ]
        known: Known = {}
        top = Column(0, "", rows[0], species=species, known=known)
        if short and top.share == 1 and top.kind == "approved":
            short = False  # genes, in a row with fewer than the others
        names = ["", *rows[0][:-1]] if short else [rows[0][0].lstrip("#").strip(), *rows[0][1:]]
        below = rows[1:]
        comma = has_decimal_comma(below, grid.separator)
        if _are_names(below, comma, known):
            if not all(names[1:]) or len(set(names)) < width:  # or else the second are units
                pairs = zip(_merged(names), below[0], strict=True)
                names = [" ".join(filter(None, pair)) for pair in pairs]
            start, rows, below = start + 1, rows[1:], below[1:]
        sample = max(_FEW, min(1000, _SAMPLE // width))
        columns = [
            Column(
                i, name, _first_names(name, [r[i] for r in below]), comma, species, known, sample
            )
            for i, name in enumerate(names)
        ]
        if short and _are_shifted(columns):
            reason = f"the header has {width - 1} names for {width} cells"
            raise grid.fail(f"{reason}: name all columns, and use no decimal commas", start)
        texts = itertools.chain.from_iterable(c.texts() for c in columns if not c.has_number)
        _learn(known, itertools.chain(names, rows[0], texts), species)
        header = short or _have_names(columns)
        if not header:
            columns = [
                Column(i, "", [row[i] for row in rows], comma, species, known, sample)
                for i in range(width)
            ]
        return cls(grid, columns, start + header, grid.lines[start] if header else None, titles)

    def __len__(self) -> int:
        return len(self.grid.rows) - self.first_row

    @cached_property
    def filled(self) -> set[int]:
        """The columns without a missing value in any row that has all cells."""
        rows = self.grid.rows[self.first_row :]
        full = np.array([len(row) >= len(self.columns) for row in rows], bool)
        return {c.index for c in self.columns if c.present[full].all()}

    def named(self, wanted: str | int, option: str) -> Column:
        """The column of this name, or of this 1-based number."""
        if isinstance(wanted, int):
            if 0 < wanted <= len(self.columns):
                return self.columns[wanted - 1]
        else:
            exact = [c for c in self.columns if c.header == wanted] or [
                c for c in self.columns if c.header and c.name == plain(str(wanted))
            ]
            if len(exact) == 1:
                return exact[0]
            if not exact and str(wanted).isdigit():
                return self.named(int(wanted), option)
            if exact:
                raise self.grid.fail(
                    f"{len(exact)} columns are called {wanted!r}: give {option} a number"
                )
        raise self.grid.fail(
            f"there is no column {wanted!r} ({option}): there are {listed(self.columns)}"
        )

    def gene_candidates(self) -> list[Column]:
        """The columns that can be the genes: of names, or else of numbers that are Entrez ids."""
        texts = [c for c in self.columns if not c.has_number and c.is_gene()]
        if texts:
            return texts
        numbers = [c for c in self.columns if c.is_integer and not c.is_ordinal]
        if named := [c for c in numbers if c.is_gene()]:
            return named
        free = [c for c in numbers if not c.is_statistic_name and c.share >= LEAST]
        if self.header_line is None:
            return free[:1]
        return [c for c in free if (c.named_gene and not _OTHER_IDS.search(c.name)) or not c.header]


def listed(columns: Sequence[Column]) -> str:
    """The names of columns, for messages."""
    return join_names([column.label for column in columns], 12)


def best_of(found: Sequence[Column]) -> Column | None:
    """The column of genes among several: the only one with a name of genes, or one of equal ones.

    Columns are equal if they have the same genes row by row; then a symbol is preferred to an id.
    """
    named = [c for c in found if c.named_gene]
    named = [c for c in named if len(c.symbols) > 1] or named
    if len(named) == 1 and len(named[0].symbols) == 1 < max(len(c.symbols) for c in found):
        return None  # the same in all rows, as the gene that was knocked out
    if len(found) == 1 or len(named) == 1:
        return named[0] if named else found[0]
    best = max(named or found, key=lambda c: (round(c.share, 1), _order(c.kind), -c.index))
    return best if all(agree(best, other) for other in named or found) else None


def is_symbol(kind: str) -> bool:
    """Whether a kind of match is that of a symbol, a synonym or a form of one, and not of an id."""
    is_form = CODE.get(kind, 0) >= CODE["excel date"]
    return kind in _SYMBOLS or kind.endswith(" alias") or is_form


def _order(kind: str) -> int:
    """The preference of a kind of identifier: symbols, the approved ones first."""
    return -_SYMBOLS.index(kind) if kind in _SYMBOLS else -len(_SYMBOLS)


def agree(one: Column, other: Column) -> bool:
    """Whether two columns have the same genes, row by row."""
    a, b = one.symbols, other.symbols
    pairs = [(a.get(x), b.get(y)) for x, y in zip(one.cells, other.cells, strict=True)]
    both = [x == y for x, y in pairs if x is not None and y is not None]
    return bool(both) and sum(both) >= 0.7 * len(both)


def _start(rows: Sequence[Sequence[str]], width: int) -> int:
    """The first row below the titles, which have fewer cells than a header, or one of several."""
    filled = [sum(bool(unquoted(cell)) for cell in row) for row in rows]
    has_title = _TITLE.match(" ".join(map(unquoted, rows[0]))) is not None
    for i, row in enumerate(rows):
        is_longer = (has_title and i) or 2 * max(filled[:i], default=0) <= filled[i] > 1
        named = any(plain(cell) in GENE_HEADERS for cell in row)
        if is_longer and named and all(np.isnan(number(cell)) for cell in row):
            return i
    return next((i for i, n in enumerate(filled) if n >= min(2, width)), 0)


def _are_shifted(columns: Sequence[Column]) -> bool:
    """Whether names that stand one column further to the right, as below names of rows, are wrong:
    a name of genes above numbers (``gene,logFC`` above ``TP53,1,5``), or above the second gene of
    a set only (``set, description, genes``).
    """
    one, last = columns[1], columns[-1]
    if one.named_gene and one.is_number and not one.is_gene():
        return True
    before = columns[-2]
    genes = last.named_gene and not before.named_gene and last.is_gene() and before.is_gene()
    return genes and len(columns) > 3 and not columns[0].is_ordinal


def _first_names(name: str, cells: list[str]) -> list[str]:
    """The cells of a column, without the synonyms in those of UniProt: ``TP53 P53``."""
    if not plain(name).startswith("genenames"):
        return cells
    return [c if re.search("[,/|]", c) else re.sub(r"(?<=[^\s;])\s+[^;]*", "", c) for c in cells]


def _are_names(rows: Sequence[Sequence[str]], comma: bool, known: Known) -> bool:
    """Whether the first row has the names of columns, as below merged cells, or units: it has no
    gene, and texts, but no number, above the columns of numbers, of which there are two or more.
    """
    cells = enumerate(zip(*rows[1:], strict=True))
    numbers = {i for i, column in cells if Column(i, "", column, comma).is_number}
    texts = [rows[0][i] for i in numbers]
    named = [text for text in texts if text]
    if len(texts) < 2 or not named:
        return False
    if not all(np.isnan(number(text, comma)) and not is_missing(text) for text in named):
        return False
    others = [cell for i, cell in enumerate(rows[0]) if i not in numbers]
    return Column(0, "", others, known=known).share == 0


def _merged(names: Sequence[str]) -> list[str]:
    """Names of merged cells, each in all its columns; the first column has none to repeat."""
    return list(itertools.accumulate(names[1:], lambda a, b: b or a, initial=names[0]))


def _have_names(columns: Sequence[Column]) -> bool:
    """Whether the headers of columns are their names, and not their first cells."""
    if any(column.name in GENE_HEADERS for column in columns):
        return True
    if not columns[0].cells:
        return False
    numbered = [column.header for column in columns if column.header]
    if len(numbered) > 1 and numbered == [str(i) for i in range(len(numbered))]:
        return True  # by pandas
    tops = [c for c in columns if c.is_number and not is_missing(c.header)]
    above = [number(c.header, c.decimal_comma) for c in tops]
    if above:
        return bool(np.isnan(above).any())
    return any(_names_genes(c) for c in columns if not c.has_number)


def _names_genes(column: Column) -> bool:
    """Whether a cell above a column of genes is its name: no gene, or a mere synonym of one."""
    if column.share < LEAST or is_missing(column.header):
        return False
    top = Column(column.index, "", [column.header], species=column.species, known=column.known)
    return top.share == 0 or (top.kind != column.kind == "approved" and len(column.cells) > 2)
