"""Mapping of any identifier to an approved human symbol, with the kind of match.

Each distinct identifier becomes a key (upper case, no quotes or white space around it). The key is
looked up among names (text) and numeric ids; every hit is a gene and a *kind*. The kind with the
highest precedence wins. If it has several genes, the identifier is ambiguous and mapped to none of
them. A key without a hit is tried again without database prefixes, versions and isoforms, and then
as a date that a spreadsheet made.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, get_args

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm.errors import require
from gsfm.genes import excel, tables
from gsfm.genes.lookup import CODE, KINDS, Hits, find_names, find_numbers, pack, unpack
from gsfm.genes.resolution import Resolution

Species = Literal["human", "mouse", "rat"]


# Further outcomes; their codes follow those of the kinds.
_CASE, _UNMATCHED, _MISSING, _AMBIGUOUS = range(len(KINDS), len(KINDS) + 4)
_MATCHES = pl.Series(
    [*(k.match for k in KINDS), "approved (case)", "unmapped", "unmapped", "ambiguous"]
)
_RULE = [
    *(k.rule for k in KINDS),
    "approved symbol, in another case",
    "not found among human genes and their mouse and rat orthologs",
    "a missing value",
]
_ENDINGS = ("", "; taken before the other candidates", "; several genes, none taken")
_RULES = pl.Series([rule + ending for ending in _ENDINGS for rule in _RULE])
_HUMAN = np.array([kind.human for kind in KINDS])

# Texts for a missing value. NA was once the symbol of XK, and NaN is an alias of SCN11A.
_NOTHING = ("", "-", "--", ".", "NA", "N/A", "#N/A", "NAN", "<NA>", "NULL", "NONE")

# Ids that are a prefix and a number. Only Ensembl ids have versions. Pandas writes 7157 as 7157.0
# in a column with missing values.
_NUMBERED = r"^(?:\d|ENS|HGNC:|MGI:|RGD:)"
_PREFIX_NUMBER = (
    r"^(?<prefix>HGNC:|MGI:|RGD:|ENS(?:MUS|RNO)?[GT])?0*(?<number>\d{1,14})"
    r"(?<version>\.\d+)?(?:_PAR_Y)?$"
)

# Prefixes and suffixes of databases and tools: removed if there is no other hit.
_WRAPPED = r"[:=|\u2010-\u2015\u2212]|^LOC\d|[-.]\d+$"
_UNWRAP = (
    (r"[\u2010-\u2015\u2212]", "-"),
    (r"^(?:ENTREZ(?:_?GENE)?|NCBI_?GENE|GENE_?ID) ?[:=] ?(\d+)$", "$1"),
    (r"^LOC(\d+)$", "$1"),  # NCBI names a gene that has no symbol after its id
    (r"^(?:ENSEMBL|HGNC|SYMBOL|GENE) ?: ?([A-Z].*)$", "$1"),
    (r"^(?:SP|TR)\|([A-Z0-9-]+)(?:\|.*)?$", "$1"),
    (r"^UNIPROT(?:KB)?(?:/(?:SWISS-PROT|TREMBL))? ?: ?", ""),
    # Isoforms and versions of UniProt accessions (the pattern is UniProt's own).
    (r"^([OPQ]\d[A-Z0-9]{3}\d|[A-NR-Z]\d(?:[A-Z][A-Z0-9]{2}\d){1,2})[-.]\d+$", "$1"),
)


def resolve(
    identifiers: Iterable[Any], *, species: Species | None = None, excel_serials: bool = False
) -> Resolution:
    """Map any mix of gene identifiers to approved human symbols.

    Supported are symbols in any case, previous symbols, aliases, Entrez ids, Ensembl gene and
    transcript ids (versions are ignored), HGNC ids (``HGNC:11998``; a bare number is an Entrez id),
    UniProt accessions (also of isoforms), symbols, synonyms and ids of mouse and rat genes with a
    human ortholog, and names that a spreadsheet converted to dates (``2-Sep``, ``Sep-02``, ISO
    dates).

    The order of precedence is: ids, approved symbol, previous symbol, alias, UniProt, mouse and rat
    symbols, mouse and rat synonyms, dates. The case of letters makes no difference. An identifier
    that matches several genes by the same kind of name is ambiguous: it has candidates, but no
    symbol.

    Parameters
    ----------
    identifiers
        A list, array or series; integers are Entrez ids.
    species
        Species of the identifiers. Used to resolve symbols that differ between species. None
        prefers human, then mouse, then rat.
    excel_serials
        Read numbers that Excel shows as a date, and whose date is the name of a gene (``44621``:
        1 March 2022), as that gene rather than as Entrez ids.

    Returns
    -------
    Resolution
        One row for each identifier, in the order of the input.

    Raises
    ------
    TypeError
        If `identifiers` is one string.
    ValueError
        If `species` is not supported.

    Examples
    --------
    >>> from gsfm import genes
    >>> found = genes.resolve(["TP53", "p53", "ENSG00000146648.18", "2-Sep", "Trp53", "nonsense"])
    >>> found.symbols
    ['TP53', 'TP53', 'EGFR', 'SEPTIN2', 'TP53', None]
    >>> found.table["match"].to_list()
    ['approved', 'alias', 'ensembl gene', 'excel date', 'mouse symbol', 'unmapped']
    >>> genes.resolve(["OCT1"]).table["candidates"].to_list()
    [['POU2F1', 'SLC22A1']]
    """
    known = (*get_args(Species), None)
    require(species in known, f"species must be one of {known}, not {species!r}")
    inputs = _series(identifiers)
    distinct, positions = tables.encode(inputs)
    names = tables.bare(distinct.fill_null(""))
    keys = names.str.to_uppercase()
    hits = _hits(keys, excel_serials=excel_serials)
    found, codes, ambiguous, candidates = _decide(hits, len(keys), species)

    symbols = _gather(tables.symbols(), found)
    exact = (symbols == names).fill_null(False).to_numpy()
    codes[(codes == CODE["approved"]) & ~exact] = _CASE
    codes[keys.is_in(_NOTHING).to_numpy()] = _MISSING
    several = (candidates.list.len() > 0).to_numpy()
    answers = pl.DataFrame(
        {
            "symbol": symbols,
            "match": _gather(_MATCHES, np.where(ambiguous, _AMBIGUOUS, codes)),
            "candidates": candidates,
            "rule": _gather(_RULES, codes + len(_RULE) * (several + ambiguous.astype(int))),
        }
    )
    if len(distinct) < len(inputs):
        answers = answers[positions]
    return Resolution(answers.insert_column(0, inputs.alias("input")), species=species)


def _series(identifiers: Iterable[Any]) -> pl.Series:
    """Return the identifiers as a series of text."""
    if isinstance(identifiers, str | bytes):
        raise TypeError(f"resolve takes a list of identifiers: use [{identifiers!r}]")
    if isinstance(identifiers, pl.Series):
        return identifiers.cast(pl.String)
    values = identifiers.tolist() if hasattr(identifiers, "tolist") else identifiers
    values = values if isinstance(values, list) else list(values)
    try:
        return pl.Series(values, dtype=pl.String)
    except (TypeError, ValueError):  # not only text
        missing = [v is None or (isinstance(v, float) and v != v) for v in values]
        texts = [None if m else str(v) for v, m in zip(values, missing, strict=True)]
        return pl.Series(texts, dtype=pl.String)


def _gather(values: pl.Series, positions: NDArray[Any]) -> pl.Series:
    """Return ``values[positions]``, null where a position is negative."""
    index = pl.Series(positions)
    return values.gather(index.set(index < 0, None) if len(index) else index)


# -- hits --------------------------------------------------------------------------------------


def _hits(keys: pl.Series, *, excel_serials: bool) -> Hits:
    """Return the hits of all keys; the rows are positions in `keys`."""
    rows = np.flatnonzero(~keys.is_in(_NOTHING).to_numpy())
    keys = keys.gather(rows)
    found = _lookup(rows, keys)
    if excel_serials:
        serial = keys.str.contains(r"^\d{5}$").to_numpy()
        found = np.append(found, _dates(rows[serial], keys.filter(serial), serials=True))

    rest = ~np.isin(rows, unpack(found)[0])
    rows, keys = rows[rest], keys.filter(rest)
    wrapped = keys.str.contains(_WRAPPED).to_numpy()
    if wrapped.any():
        inner = keys.filter(wrapped)
        for pattern, replacement in _UNWRAP:
            inner = inner.str.replace_all(pattern, replacement)
        found = np.append(found, _lookup(rows[wrapped], inner))
    dated = keys.str.contains(excel.LIKELY).to_numpy()
    return np.append(found, _dates(rows[dated], keys.filter(dated), serials=False))


def _lookup(rows: NDArray[np.int64], keys: pl.Series) -> Hits:
    """Look up `keys` among the names and the ids."""
    found = [find_names(rows, keys)]
    numbered = keys.str.contains(_NUMBERED)
    if numbered.any():
        prefix, version = pl.col("prefix"), pl.col("version")
        parts = keys.filter(numbered).str.extract_groups(_PREFIX_NUMBER).struct.unnest()
        parts = parts.with_columns(prefix.fill_null(""), row=rows[numbered.to_numpy()]).filter(
            pl.col("number").is_not_null(),
            version.is_null() | prefix.str.starts_with("ENS") | (prefix + version == ".0"),
        )
        for (name,), part in parts.group_by("prefix"):
            ids = part["number"].cast(pl.UInt64)
            found.append(find_numbers(str(name), part["row"].to_numpy(), ids))
    return np.concatenate(found)


def _dates(rows: NDArray[np.int64], keys: pl.Series, *, serials: bool) -> Hits:
    """Look up the names that Excel may have converted to `keys`."""
    parse = excel.parse_serial if serials else excel.parse
    possible = [
        (row, name)
        for row, key in zip(rows.tolist(), keys, strict=True)
        if (date := parse(key)) is not None
        for name in excel.names(*date)
    ]
    if not possible:
        return np.empty(0, dtype=np.int64)
    row_of, names = zip(*possible, strict=True)
    rows, kinds, genes = unpack(np.sort(find_names(np.array(row_of), pl.Series(names))))
    # An alias counts only if no current or previous symbol explains the date.
    first = kinds[np.searchsorted(rows, rows)]
    best = (kinds == first) & (kinds <= CODE["alias"])
    code = CODE["excel serial" if serials else "excel date"]
    return pack(rows[best], np.full(best.sum(), code), genes[best])


# -- the decision ------------------------------------------------------------------------------


def _precedence(species: Species | None) -> NDArray[np.int64]:
    """Return the rank of every kind; the lowest rank wins."""
    order = list(range(len(KINDS)))
    if species in ("mouse", "rat"):
        for kind, before in ((f"{species} symbol", "approved"), (f"{species} alias", "previous")):
            order.remove(CODE[kind])
            order.insert(order.index(CODE[before]), CODE[kind])
    return np.argsort(order)


def _decide(
    hits: Hits, n: int, species: Species | None
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_], pl.Series]:
    """Select the hit that wins for each of `n` keys.

    (n,) genes (-1 for none), codes, whether it is ambiguous, and the lists of candidates.
    """
    rank_of = _precedence(species)
    row, kind, gene = unpack(hits)
    row, rank, gene = unpack(np.sort(pack(row, rank_of[kind], gene)))
    kind = np.argsort(rank_of)[rank]

    start = np.flatnonzero(np.diff(row, prepend=-1))
    count = np.diff(start, append=len(row))
    genes = np.full(n, -1)
    codes = np.full(n, _UNMATCHED)
    genes[row[start]], codes[row[start]] = gene[start], kind[start]

    first = np.repeat(start, count)  # the position of the hit that wins the row
    other = gene != gene[first]
    ambiguous = np.zeros(n, dtype=np.bool_)
    ambiguous[row[other & (rank == rank[first])]] = True
    genes[ambiguous] = -1

    # Candidates are of the same species: a rat synonym does not make a human symbol ambiguous.
    alike = _HUMAN[kind] == _HUMAN[kind[first]]
    choice = np.zeros(n, dtype=np.bool_)
    choice[row[other & alike]] = True
    listed = choice[row] & alike
    lists = (
        pl.DataFrame({"row": row[listed], "symbol": _gather(tables.symbols(), gene[listed])})
        .group_by("row", maintain_order=True)
        .agg(pl.col("symbol").unique(maintain_order=True))["symbol"]
    )
    position = np.zeros(n, dtype=np.int64)  # 0 is the empty list
    position[choice] = np.arange(1, len(lists) + 1)
    empty = pl.Series("symbol", [[]], dtype=pl.List(pl.String))
    candidates = pl.concat([empty, lists], rechunk=True).gather(position)
    return genes, codes, ambiguous, candidates
