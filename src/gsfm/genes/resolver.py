"""Mapping of any identifier to an approved human symbol, with the kind of match.

Each distinct identifier becomes a key (upper case, no quotes or white space around it). The key is
looked up among names (text) and numeric ids; every hit is a gene and a *kind*. The kind with the
highest precedence wins. If it has several genes, the identifier is ambiguous and mapped to none of
them. A key without a hit is tried again as a date that a spreadsheet made, and then in the forms
in which databases, arrays, R and people decorate identifiers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, get_args

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm.errors import require
from gsfm.genes import excel, tables
from gsfm.genes.forms import FORMS, Form, is_affymetrix
from gsfm.genes.hints import explain
from gsfm.genes.lookup import CODE, KINDS, Hits, find_names, look_up, pack, unpack
from gsfm.genes.resolution import MISSING_VALUE, UNKNOWN, Resolution
from gsfm.genes.species import Species, mouse_case, mouse_or_rat, sample
from gsfm.io.frames import is_frame
from gsfm.io.grid import MISSING

__all__ = ["Species", "resolve"]

# Further outcomes; their codes follow those of the kinds.
_CASE, _UNMATCHED, _MISSING, _AMBIGUOUS = range(len(KINDS), len(KINDS) + 4)
_MATCHES = pl.Series(
    [*(k.match for k in KINDS), "approved (case)", "unmapped", "unmapped", "ambiguous"]
)
_RULE = [
    *(k.rule for k in KINDS),
    "approved symbol, in another case",
    UNKNOWN,
    MISSING_VALUE,
]
_ENDINGS = ("", "; taken before the other candidates", "; several genes, none taken")
_RULES = pl.Series([rule + ending for ending in _ENDINGS for rule in _RULE])
_FORM_RULES = pl.Series([f", {form.rule}" if form.rule else "" for form in FORMS])
_HUMAN = np.array([kind.human for kind in KINDS])

# Names of mouse and rat genes, and their synonyms.
_FOREIGN = np.array([name.endswith((" symbol", " alias")) for name in CODE])


def resolve(
    identifiers: Iterable[Any], *, species: Species | None = None, excel_serials: bool = False
) -> Resolution:
    """Map any mix of gene identifiers to approved human symbols.

    Supported are symbols in any case, previous symbols, aliases, Entrez ids, ids of Ensembl, HGNC
    (``HGNC:11998``; a bare number is an Entrez id) and RefSeq, accessions and entry names of
    UniProt, symbols, synonyms and ids of mouse and rat genes with a human ortholog, mature
    microRNAs, HLA alleles, names that a spreadsheet converted to dates (``2-Sep``, ``Sep-02``, ISO
    dates), and names that a database, an array, R or scanpy decorated (``hg19_TP53``, ``7157_at``,
    ``HLA.DRA``, ``TBCE-1``). Versions and isoforms are ignored.

    The order of precedence is: ids, approved symbol, previous symbol, alias, UniProt, mouse and rat
    symbols, mouse and rat synonyms, dates, decorated names. The case of letters makes no
    difference. An identifier that matches several genes by the same kind of name is ambiguous: it
    has candidates, but no symbol. The rule of an unmapped identifier says what it looks like.

    Parameters
    ----------
    identifiers
        A list, array or series; integers are Entrez ids.
    species
        Species of the identifiers. Used to resolve symbols that differ between species. None
        prefers human, then mouse, then rat; but mouse or rat in a list of which most names are in
        the case of their symbols, and that has symbols which are no human names.
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
        If `identifiers` is one text, a mapping or a data frame, or if one of them is a list.
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
    require(
        species is None or (isinstance(species, str) and species in known),
        f"species must be one of {known}, not {species!r}",
    )
    inputs = _series(identifiers)
    distinct, positions = tables.encode(inputs)
    names = tables.bare(distinct.fill_null(""))
    keys = names.str.to_uppercase()
    some = sample(names)
    inferred = mouse_or_rat(some) if species is None and mouse_case(some) else None
    species = species or inferred
    hits, forms = _hits(keys, excel_serials=excel_serials)
    if species not in ("mouse", "rat"):  # a letter alone is no evidence of a mouse gene
        letters = np.flatnonzero((keys.str.len_bytes() == 1).to_numpy())
        if len(letters):
            row, kind, _ = unpack(hits)
            hits = hits[~(_FOREIGN[kind] & np.isin(row, letters))]
    found, codes, ambiguous, candidates = _decide(hits, len(keys), species)

    symbols = _gather(tables.symbols(), found)
    exact = (symbols == names).fill_null(False).to_numpy() | (forms > 0)
    codes[(codes == CODE["approved"]) & ~exact] = _CASE
    codes[keys.is_in(MISSING).to_numpy()] = _MISSING
    several = (candidates.list.len() > 0).to_numpy()
    rules = _gather(_RULES, codes + len(_RULE) * (several + ambiguous.astype(int)))
    formed = np.flatnonzero(forms)
    if len(formed):
        rule, form = rules.gather(formed), _FORM_RULES.gather(forms[formed] - 1)
        first = rule.str.extract("^([^;]*)").fill_null("")
        rules = rules.scatter(formed, first + form + rule.str.extract("(;.*)$").fill_null(""))
    unknown = np.flatnonzero(codes == _UNMATCHED)
    if len(unknown):
        rules = rules.scatter(unknown, explain(keys.gather(unknown)).fill_null(UNKNOWN))
    answers = pl.DataFrame(
        {
            "symbol": symbols,
            "match": _gather(_MATCHES, np.where(ambiguous, _AMBIGUOUS, codes)),
            "candidates": candidates,
            "rule": rules,
        }
    )
    if len(distinct) < len(inputs):
        answers = answers[positions]
    table = answers.insert_column(0, inputs.alias("input"))
    return Resolution(table, species=species, inferred=inferred is not None)


def _series(identifiers: Iterable[Any]) -> pl.Series:
    """Return the identifiers as a series of text."""
    if isinstance(identifiers, str | bytes) or getattr(identifiers, "ndim", 1) == 0:
        raise TypeError(f"resolve takes a list of identifiers: use [{identifiers!r}]")
    if isinstance(identifiers, Mapping) or is_frame(identifiers):
        what = "its keys or values" if isinstance(identifiers, Mapping) else "a column of it"
        kind = type(identifiers).__name__
        raise TypeError(f"resolve takes a list of identifiers, not a {kind}: use {what}")
    if isinstance(identifiers, pl.Series):
        if not identifiers.dtype.is_nested() and identifiers.dtype not in (pl.Binary, pl.Object):
            return identifiers.cast(pl.String)
    elif not isinstance(identifiers, Iterable):
        kind = type(identifiers).__name__
        raise TypeError(f"resolve takes a list of identifiers, not {kind}: use [{identifiers!r}]")
    values: Any = identifiers.tolist() if hasattr(identifiers, "tolist") else identifiers
    values = values if isinstance(values, list) else list(values)
    if set(map(type, values)) <= {str, type(None)}:
        try:
            return pl.Series(values, dtype=pl.String)
        except UnicodeEncodeError:  # half of a character, of bytes that are no text
            pass
    return pl.Series(map(_text, values), dtype=pl.String)


def _text(value: Any) -> str | None:
    """One identifier as text; None if it is missing."""
    missing = value is None or type(value).__name__ in ("NAType", "NaTType")  # of pandas
    if missing or (isinstance(value, float) and value != value):
        return None
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, Iterable) and not isinstance(value, str):
        kind = type(value).__name__
        raise TypeError(f"an identifier is a text or a number, not a {kind}: give one flat list")
    return str(value).encode(errors="replace").decode()


def _gather(values: pl.Series, positions: NDArray[Any]) -> pl.Series:
    """Return ``values[positions]``, null where a position is negative."""
    index = pl.Series(positions)
    return values.gather(index.set(index < 0, None) if len(index) else index)


# -- hits --------------------------------------------------------------------------------------


def _hits(keys: pl.Series, *, excel_serials: bool) -> tuple[Hits, NDArray[np.int64]]:
    """Return the hits of all keys, and the form of each (from 1; 0 is none).

    The rows of hits are positions in `keys`.
    """
    forms = np.zeros(len(keys), dtype=np.int64)
    rows = np.flatnonzero(~keys.is_in(MISSING).to_numpy())
    left = keys.gather(rows)
    found = look_up(rows, left)
    if excel_serials:
        serial = left.str.contains(r"^\d{5}$").to_numpy()
        found = np.append(found, _dates(rows[serial], left.filter(serial), serials=True))

    rest = ~np.isin(rows, unpack(found)[0])
    if not rest.any():
        return found, forms
    rows, left = rows[rest], left.filter(rest)
    dated = left.str.contains(excel.LIKELY).to_numpy()
    if dated.any():
        is_date = np.array([excel.parse(key) is not None for key in left.filter(dated)])
        dated[dated] = is_date
        found = np.append(found, _dates(rows[dated], left.filter(dated), serials=False))
        rows, left = rows[~dated], left.filter(~dated)

    if is_affymetrix(left):
        probes = left.str.contains(r"^\d+_AT$").to_numpy()
        rows, left = rows[~probes], left.filter(~probes)
    for number, form in enumerate(FORMS, 1):
        alike = left.str.contains(form.pattern).to_numpy()
        if alike.any():
            changed, hits = _formed(form, rows[alike], left.filter(alike))
            left = left.scatter(np.flatnonzero(alike), changed)
            found = np.append(found, hits)
            done = np.isin(rows, unpack(hits)[0])
            forms[rows[done]] = number
            rows, left = rows[~done], left.filter(~done)
    return found, forms


def _formed(form: Form, rows: NDArray[np.int64], keys: pl.Series) -> tuple[pl.Series, Hits]:
    """Rewrite keys of a form: return what is left of them for further forms, and the hits."""
    texts = [
        (row, text, CODE.get(kind.removeprefix("?"), -1), kind.startswith("?"))
        for row, key in zip(rows.tolist(), keys, strict=True)
        for text, kind in form.options(key)
        if text and text != key
    ]
    schema = {"row": pl.Int64, "text": pl.String, "named": pl.Int64, "weak": pl.Boolean}
    options = pl.DataFrame(texts, schema=schema, orient="row").with_columns(n=pl.len().over("row"))
    option, kind, gene = unpack(look_up(np.arange(options.height), options["text"]))
    hits = options[option].with_columns(
        pl.Series("option", option), pl.Series("kind", kind), pl.Series("gene", gene)
    )
    if form.kinds:
        hits = hits.filter(pl.col("kind").is_in([CODE[name] for name in form.kinds]))
    best = pl.col("kind") == pl.col("kind").min().over("option")
    hits = hits.filter(best | ((pl.col("named") < 0) & (pl.col("n") == 1)))
    if form.together:
        found = pl.col("option").n_unique().over("row")
        one = pl.col("gene").n_unique().over("row") == 1
        hits = hits.filter(one, found == pl.col("n"))
    synonyms = [CODE["mouse alias"], CODE["rat alias"]]
    strong = ~(pl.col("weak") & pl.col("kind").is_in(synonyms))
    hits = hits.filter(strong.any().over("row"))
    # Options that are different genes are of one kind, so that none of them is taken.
    named = pl.col("named") >= 0
    hits = hits.with_columns(pl.when(named).then("named").otherwise("kind").alias("kind"))
    several = named & (pl.col("gene").n_unique().over("row") > 1)
    lowest = pl.col("kind").min().over("row")
    hits = hits.with_columns(pl.when(several).then(lowest).otherwise("kind").alias("kind"))
    parts = [hits[name].to_numpy().astype(np.int64) for name in ("row", "kind", "gene")]
    alone = options.filter(pl.col("n") == 1).select("row", "text")
    left = pl.DataFrame({"row": rows, "key": keys}).join(
        alone, on="row", how="left", maintain_order="left"
    )
    return left.select(pl.coalesce("text", "key"))["text"], pack(*parts)


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
