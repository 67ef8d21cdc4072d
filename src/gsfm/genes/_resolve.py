"""Any identifier -> an approved human symbol, with how it was matched.

Each distinct identifier becomes a key (upper case, no quotes or blanks around it). The key is
looked up among names (text) and among numeric ids; every hit is a gene and a *kind*. The kind that
stands first in the order of precedence wins; two genes of the same kind are ambiguous, and neither
is taken. What has no hit is tried again without database prefixes, versions and isoforms, and at
last as a date that a spreadsheet made.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm._errors import MissingExtraError
from gsfm.genes import _excel, _table

if TYPE_CHECKING:
    import pandas as pd

Species = Literal["human", "mouse", "rat"]


class _Kind(NamedTuple):
    match: str
    rule: str
    human: bool = True


# In the order of precedence; a kind is its position here.
_KINDS = (
    _Kind("excel serial", "the Excel serial number of the date that a gene name was turned into"),
    _Kind("entrez", "NCBI (Entrez) gene id"),
    _Kind("hgnc", "HGNC id, or that of an entry merged into this one"),
    _Kind("ensembl gene", "Ensembl gene id"),
    _Kind("ensembl transcript", "Ensembl transcript id"),
    _Kind("approved", "approved symbol"),
    _Kind("previous", "previous symbol"),
    _Kind("alias", "alias"),
    _Kind("uniprot", "UniProt accession"),
    _Kind("mouse symbol", "ortholog of the mouse gene", human=False),
    _Kind("rat symbol", "ortholog of the rat gene", human=False),
    _Kind("mouse alias", "ortholog of the mouse gene with this synonym", human=False),
    _Kind("rat alias", "ortholog of the rat gene with this synonym", human=False),
    _Kind("mgi", "ortholog of the mouse gene with this MGI id", human=False),
    _Kind("rgd", "ortholog of the rat gene with this RGD id", human=False),
    _Kind("ensembl gene (mouse)", "ortholog of the mouse gene with this Ensembl id", human=False),
    _Kind("ensembl gene (rat)", "ortholog of the rat gene with this Ensembl id", human=False),
    _Kind("excel date", "the date that Excel made of a previous symbol or alias"),
)
_CODE = {kind.match: code for code, kind in enumerate(_KINDS)}
_HUMAN = np.array([kind.human for kind in _KINDS])

# The other outcomes follow the kinds.
_CASE, _UNMATCHED, _MISSING = range(len(_KINDS), len(_KINDS) + 3)
_MATCHES = [*(k.match for k in _KINDS), "approved (case)", "unmatched", "unmatched"]
_RULES = [
    *(k.rule for k in _KINDS),
    "approved symbol, in another case",
    "not found among the names and ids of human, mouse and rat genes",
    "a missing value",
]

# Written for "no value". NA was once the symbol of XK, and NaN is an alias of SCN11A.
_NOTHING = ("", "-", "--", ".", "NA", "N/A", "#N/A", "NAN", "NULL", "NONE")

_AROUND = " \t\r\n\v\f\u00a0\u200b\ufeff\"'`\u2018\u2019\u201c\u201d"

# Ids are a prefix and a number. Only Ensembl has versions; 7157.0 is what pandas makes of 7157.
_NUMBERED = r"^(?:\d|ENS|HGNC:|MGI:|RGD:)"
_PREFIX_NUMBER = r"^(HGNC:|MGI:|RGD:|ENS(?:MUS|RNO)?[GT])?0*(\d{1,14})(\.\d+)?(?:_PAR_Y)?$"

# The second try: what databases and tools put around an identifier.
_RELAXED = (
    ("[\u2010-\u2015\u2212]", "-"),
    (r"^(?:ENTREZ(?:_?GENE)?|NCBI_?GENE|GENE_?ID) ?[:=] ?(\d+)$", "$1"),
    (r"^LOC(\d+)$", "$1"),  # NCBI names a gene without a symbol after its id
    (r"^(?:ENSEMBL|HGNC|SYMBOL|GENE) ?: ?([A-Z].*)$", "$1"),
    (r"^(?:SP|TR)\|([A-Z0-9]+)(?:-\d+)?(?:\|.*)?$", "$1"),
    (r"^(?:UNIPROT(?:KB)?(?:/(?:SWISS-PROT|TREMBL))?) ?: ?", ""),
    # Isoforms and versions of UniProt accessions, in UniProt's own pattern.
    (
        r"^((?:[OPQ]\d[A-Z0-9]{3}\d)|(?:[A-NR-Z]\d(?:[A-Z][A-Z0-9]{2}\d){1,2}))[-.]\d+$",
        "$1",
    ),
)


def resolve(
    identifiers: Iterable[Any], *, species: Species | None = None, excel_serials: bool = False
) -> Resolution:
    """Map any mix of gene identifiers to approved human symbols.

    Understood are symbols in any case, previous symbols, aliases, Entrez ids, Ensembl gene and
    transcript ids (versions are dropped), HGNC ids (``HGNC:11998``; a bare number is an Entrez id),
    UniProt accessions (isoforms too), symbols, synonyms and ids of mouse and rat genes with a human
    ortholog, and names that a spreadsheet turned into dates (``2-Sep``, ``Sep-02``, ISO dates).

    Precedence: ids, approved symbol, previous symbol, alias, UniProt, mouse and rat symbols, mouse
    and rat synonyms, dates. Case never decides which gene is meant. Several genes of the kind that
    wins are reported as ambiguous, with the candidates and without a symbol.

    Parameters
    ----------
    identifiers
        A list, array or series; integers are Entrez ids.
    species
        Prefer the names of this species where they contradict another's. None is human first,
        then mouse, then rat.
    excel_serials
        Take numbers that Excel would show as a date whose name is a gene (``44621``: 1 March 2022)
        for that gene, rather than for Entrez ids.

    Returns
    -------
    Resolution
        One row an identifier, in the order given.

    Raises
    ------
    TypeError
        If `identifiers` is one string.
    ValueError
        If `species` is none of the three.

    Examples
    --------
    >>> from gsfm import genes
    >>> found = genes.resolve(["TP53", "p53", "ENSG00000146648.18", "2-Sep", "Trp53", "nonsense"])
    >>> found.symbols
    ['TP53', 'TP53', 'EGFR', 'SEPTIN2', 'TP53', None]
    >>> found.table["match"].to_list()
    ['approved', 'alias', 'ensembl gene', 'excel date', 'mouse symbol', 'unmatched']
    >>> genes.resolve(["OCT1"]).table["candidates"].to_list()
    [['POU2F1', 'SLC22A1']]
    """
    if species is not None and species not in get_args(Species):
        raise ValueError(f"species must be one of {get_args(Species)} or None, not {species!r}")
    inputs = _series(identifiers)
    distinct = inputs.unique(maintain_order=True)
    names = distinct.fill_null("").str.strip_chars(_AROUND)
    keys = names.str.to_uppercase()
    hits = _hits(keys, excel_serials=excel_serials)
    genes, codes, ambiguous, candidates = _decide(hits, len(distinct), species)

    taken = _gather(_table.symbols(), genes)
    exact = (taken == names).fill_null(False).to_numpy()
    codes[(codes == _CODE["approved"]) & ~exact] = _CASE
    codes[keys.is_in(_NOTHING).to_numpy()] = _MISSING
    several = (candidates.list.len() > 0).to_numpy()

    answers = pl.DataFrame(
        {
            "symbol": taken,
            "match": pl.select(
                pl.when(pl.Series(ambiguous))
                .then(pl.lit("ambiguous"))
                .otherwise(_gather(pl.Series(_MATCHES), codes))
            ).to_series(),
            "candidates": candidates,
            "rule": _gather(_rules(), codes + len(_RULES) * (several + ambiguous.astype(np.int64))),
        }
    )
    if len(distinct) < len(inputs):
        positions = inputs.to_frame("input").join(
            distinct.to_frame("input").with_row_index("row"),
            on="input",
            how="left",
            nulls_equal=True,
            maintain_order="left",
        )
        answers = answers[positions["row"]]
    return Resolution(answers.insert_column(0, inputs.alias("input")))


@functools.cache
def _rules() -> pl.Series:
    """Return the rules: plain, then taken before other candidates, then ambiguous."""
    before = [f"{rule}; taken before the other candidates" for rule in _RULES]
    among = [f"{rule} of several genes; none taken" for rule in _RULES]
    return pl.Series([*_RULES, *before, *among])


def _series(identifiers: Iterable[Any]) -> pl.Series:
    """Return the identifiers as a series of text."""
    if isinstance(identifiers, str | bytes):
        raise TypeError(f"resolve takes a list of identifiers: use [{identifiers!r}]")
    if isinstance(identifiers, pl.Series):
        return identifiers.cast(pl.String)
    if isinstance(identifiers, np.ndarray) or hasattr(identifiers, "to_numpy"):
        identifiers = identifiers.tolist()  # type: ignore[union-attr]
    values = identifiers if isinstance(identifiers, list) else list(identifiers)
    try:
        return pl.Series(values, dtype=pl.String)
    except TypeError:  # not text alone
        return pl.Series([None if v is None or v != v else str(v) for v in values], dtype=pl.String)


def _gather(values: pl.Series, positions: NDArray[Any]) -> pl.Series:
    """Return ``values[positions]``, null where a position is negative."""
    index = pl.Series(positions)
    return values.gather(index.set(index < 0, None))


# -- hits: which genes a key may mean, and as what --------------------------------------------


def _hits(keys: pl.Series, *, excel_serials: bool) -> NDArray[np.int64]:
    """Return the hits of all keys: (n_hits, 3) row, kind, gene."""
    frame = keys.to_frame("key").with_row_index("row")
    frame = frame.filter(~pl.col("key").is_in(_NOTHING))
    found = [_lookup(frame)]
    if excel_serials:
        numeric = frame.filter(pl.col("key").str.contains(r"^\d{5}$"))
        found.append(_dates(numeric, serials=True))

    rest = frame.filter(~pl.col("row").is_in(pl.concat(found)["row"].unique().implode()))
    relaxed = pl.col("key")
    for pattern, replacement in _RELAXED:
        relaxed = relaxed.str.replace_all(pattern, replacement)
    again = rest.with_columns(relaxed.alias("new")).filter(pl.col("new") != pl.col("key"))
    found.append(_lookup(again.select("row", key="new")))

    likely = rest.filter(pl.col("key").str.contains(_excel.LIKELY))
    found.append(_dates(likely, serials=False))
    return pl.concat(found)


def _lookup(frame: pl.DataFrame) -> pl.DataFrame:
    """Look keys up among the names and the ids: row, kind, gene."""
    found = [frame.join(_names(), on="key").select("row", "kind", "gene")]
    numbered = (
        frame.filter(pl.col("key").str.contains(_NUMBERED))
        .with_columns(pl.col("key").str.extract_groups(_PREFIX_NUMBER).alias("part"))
        .select(
            "row",
            prefix=pl.col("part").struct[0].fill_null(""),
            number=pl.col("part").struct[1].cast(pl.UInt64),
            version=pl.col("part").struct[2],
        )
        .drop_nulls("number")
        .filter(
            pl.col("version").is_null()
            | pl.col("prefix").str.starts_with("ENS")
            | ((pl.col("prefix") == "") & (pl.col("version") == ".0"))
        )
    )
    for (prefix,), part in numbered.partition_by("prefix", as_dict=True).items():
        ids = _ids(str(prefix))
        if ids is not None:
            found.append(part.join(ids, on="number").select("row", "kind", "gene"))
    return pl.concat(found)


@functools.cache
def _names() -> pl.DataFrame:
    """Return every name of every gene: key, kind, gene."""
    names = _table.names().with_row_index("gene")
    orthologs = _named_orthologs()
    parts = [_keys(names, "symbol", "approved")]
    for column, kind in (
        ("previous", "previous"),
        ("aliases", "alias"),
        ("uniprot", "uniprot"),
        ("uniprot_other", "uniprot"),
    ):
        parts.append(_keys(names, column, kind))
    for species in ("mouse", "rat"):
        theirs = orthologs.filter(pl.col("species") == species)
        parts.append(_keys(theirs, "symbol", f"{species} symbol"))
        parts.append(_keys(theirs, "synonyms", f"{species} alias"))
    return pl.concat(parts)


def _keys(frame: pl.DataFrame, column: str, kind: str) -> pl.DataFrame:
    keys = frame.select("gene", key=column)
    if keys.schema["key"] != pl.String:
        keys = keys.explode("key").drop_nulls("key")
    return keys.select(
        pl.col("key").str.strip_chars(_AROUND).str.to_uppercase(),
        pl.lit(_CODE[kind], dtype=pl.UInt8).alias("kind"),
        "gene",
    )


@functools.cache
def _named_orthologs() -> pl.DataFrame:
    """Return orthologs with a row a human gene; the one of the same name alone if there is one."""
    genes = pl.when("same").then(pl.col("genes").list.head(1)).otherwise("genes")
    return _table.orthologs().with_columns(gene=genes).explode("gene")


@functools.cache
def _ids(prefix: str) -> pl.DataFrame | None:
    """Return the numeric ids of one prefix: number, kind, gene. None for an unknown prefix."""
    if prefix in ("", "HGNC:", "ENSG"):
        kind, own, other = {
            "": ("entrez", "entrez", None),
            "HGNC:": ("hgnc", "hgnc", "hgnc_merged"),
            "ENSG": ("ensembl gene", "ensembl", "ensembl_other"),
        }[prefix]
        numbers = _table.numbers().with_row_index("gene")
        parts = [numbers.select("gene", number=own)]
        if other:
            parts.append(numbers.select("gene", number=other).explode("number"))
        ids = pl.concat(parts)
    elif prefix == "ENST":
        kind, ids = "ensembl transcript", _table.transcripts()
    elif prefix in ("MGI:", "RGD:", "ENSMUSG", "ENSRNOG"):
        species = "mouse" if prefix in ("MGI:", "ENSMUSG") else "rat"
        column = "ensembl" if prefix.startswith("ENS") else "id"
        kind = f"ensembl gene ({species})" if column == "ensembl" else prefix[:3].lower()
        ids = (
            _named_orthologs()
            .filter(pl.col("species") == species)
            .select("gene", number=pl.col(column))
        )
    else:
        return None
    return ids.drop_nulls().select(
        pl.col("number").cast(pl.UInt64),
        pl.lit(_CODE[kind], dtype=pl.UInt8).alias("kind"),
        pl.col("gene").cast(pl.UInt32),
    )


def _dates(frame: pl.DataFrame, *, serials: bool) -> pl.DataFrame:
    """Look up keys that may be dates: row, kind, gene."""
    parse = _excel.parse_serial if serials else _excel.parse
    meant = [
        (row, name)
        for row, key in frame.iter_rows()
        if (date := parse(key)) is not None
        for name in _excel.names(*date)
    ]
    wanted = pl.DataFrame(meant, schema={"row": pl.UInt32, "key": pl.String}, orient="row")
    found = wanted.join(_names(), on="key").filter(pl.col("kind") <= _CODE["alias"])
    # An alias counts only where no current or previous symbol explains the date; the others are
    # listed as candidates of a date that is ambiguous all the same.
    best = pl.col("kind") == pl.col("kind").min().over("row")
    code = _CODE["excel serial" if serials else "excel date"]
    return found.filter(best).select("row", pl.lit(code, dtype=pl.UInt8).alias("kind"), "gene")


# -- the decision ------------------------------------------------------------------------------


def _precedence(species: Species | None) -> NDArray[np.int64]:
    """Return the rank of every kind: lower wins."""
    order = list(range(len(_KINDS)))
    if species in ("mouse", "rat"):
        for kind, before in ((f"{species} symbol", "approved"), (f"{species} alias", "previous")):
            order.remove(_CODE[kind])
            order.insert(order.index(_CODE[before]), _CODE[kind])
    return np.argsort(order)


def _decide(
    hits: pl.DataFrame, n: int, species: Species | None
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_], pl.Series]:
    """Return for each of `n` keys: gene (-1: none), code, whether ambiguous, candidates."""
    precedence = _precedence(species)
    # Sorting one number sorts by row, then rank, then gene.
    row = hits["row"].to_numpy().astype(np.int64)
    rank = precedence[hits["kind"].to_numpy()]
    packed = np.unique(row << 40 | rank << 32 | hits["gene"].to_numpy().astype(np.int64))
    row, rank, gene = packed >> 40, packed >> 32 & 0xFF, packed & 0xFFFFFFFF

    genes = np.full(n, -1, dtype=np.int64)
    codes = np.full(n, _UNMATCHED, dtype=np.int64)
    ambiguous = np.zeros(n, dtype=np.bool_)
    rows, first, inverse = np.unique(row, return_index=True, return_inverse=True)
    kinds = np.argsort(precedence)
    genes[rows], codes[rows] = gene[first], kinds[rank[first]]

    other = gene != gene[first][inverse]
    ambiguous[row[other & (rank == rank[first][inverse])]] = True

    # Other meanings: of the same species, or the list would fill with coincidences.
    human = _HUMAN[kinds[rank]]
    other &= human == human[first][inverse]
    several = np.zeros(n, dtype=np.bool_)
    several[row[other]] = True
    listed = several[row] & (human == human[first][inverse])
    candidates = (
        pl.DataFrame({"row": row[listed], "symbol": _gather(_table.symbols(), gene[listed])})
        .group_by("row", maintain_order=True)
        .agg(pl.col("symbol").unique(maintain_order=True))
    )
    lists = (
        pl.DataFrame({"row": np.arange(n)})
        .join(candidates, on="row", how="left", maintain_order="left")["symbol"]
        .fill_null(pl.Series([[]], dtype=pl.List(pl.String)))
    )
    genes[ambiguous] = -1
    return genes, codes, ambiguous, lists


# -- the result --------------------------------------------------------------------------------


class Resolution:
    """What `resolve` returns: one row an identifier, in the order given.

    Attributes
    ----------
    table
        ``input``; ``symbol``, the approved symbol (null: none); ``match``, how it was found
        (``approved``, ``approved (case)``, ``previous``, ``alias``, ``entrez``, ``hgnc``,
        ``ensembl gene``, ``ensembl transcript``, ``uniprot``, ``mouse symbol``, ``rat symbol``,
        ``mouse alias``, ``rat alias``, ``mgi``, ``rgd``, ``ensembl gene (mouse)``,
        ``ensembl gene (rat)``, ``excel date``, ``excel serial``, ``ambiguous``, ``unmatched``);
        ``candidates``, the symbols that it could mean where these are several, the one taken
        first; ``rule``, in words.

    Examples
    --------
    >>> from gsfm import genes
    >>> found = genes.resolve(["TP53", "SEPT2", "1-Mar"])
    >>> found
    Resolution(3 identifiers: 2 matched, 1 ambiguous, 0 unmatched)
    >>> found.counts
    {'ambiguous': 1, 'approved': 1, 'previous': 1}
    """

    def __init__(self, table: pl.DataFrame) -> None:
        self.table = table

    @functools.cached_property
    def symbols(self) -> list[str | None]:
        """The approved symbols, aligned with the input; None where there is none."""
        return self.table["symbol"].to_list()

    def _inputs(self, condition: pl.Expr) -> list[str]:
        return self.table.filter(condition)["input"].drop_nulls().to_list()

    @property
    def matched(self) -> list[str]:
        """The inputs with a symbol, in order."""
        return self._inputs(pl.col("symbol").is_not_null())

    @property
    def ambiguous(self) -> list[str]:
        """The inputs that may mean several genes, in order."""
        return self._inputs(pl.col("match") == "ambiguous")

    @property
    def unmatched(self) -> list[str]:
        """The inputs that mean nothing known, in order (missing values are left out)."""
        return self._inputs(pl.col("match") == "unmatched")

    @functools.cached_property
    def counts(self) -> Mapping[str, int]:
        """How many inputs were matched in which way, most frequent first."""
        counted = self.table.group_by("match").len().sort("len", "match", descending=[True, False])
        return dict(counted.iter_rows())

    def summary(self, *, limit: int = 10) -> str:
        """Return a few lines for people: how many were matched and how, and which were not.

        Examples
        --------
        >>> from gsfm import genes
        >>> print(genes.resolve(["TP53", "SEPT2", "1-Mar", "nonsense"]).summary())
        2 of 4 identifiers are known genes (2 distinct): 1 approved, 1 previous
        ambiguous (1): 1-Mar (MARCHF1 or MTARC1)
        unmatched (1): nonsense
        """
        known = self.table["symbol"].drop_nulls()
        ways = [f"{n:,} {m}" for m, n in self.counts.items() if m not in ("ambiguous", "unmatched")]
        head = f"{len(known):,} of {len(self):,} identifiers are known genes"
        lines = [f"{head} ({known.n_unique():,} distinct): {', '.join(ways)}" if ways else head]
        for match in ("ambiguous", "unmatched"):
            if count := self.counts.get(match):
                rows = self.table.filter(pl.col("match") == match).unique(
                    "input", maintain_order=True
                )
                told = [
                    f"{name} ({' or '.join(several[:4])})" if several else f"{name}"
                    for name, several in rows.select("input", "candidates").head(limit).iter_rows()
                ]
                more = f", ... ({rows.height - limit:,} more)" if rows.height > limit else ""
                lines.append(f"{match} ({count:,}): {', '.join(told)}{more}")
        return "\n".join(lines)

    def to_pandas(self) -> pd.DataFrame:
        """Return the table as a pandas data frame.

        Raises
        ------
        MissingExtraError
            If pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError:
            raise MissingExtraError("Resolution.to_pandas", "pandas") from None
        return pd.DataFrame(self.table.to_dict(as_series=False))

    def __len__(self) -> int:
        return self.table.height

    def __repr__(self) -> str:
        ambiguous, unmatched = (self.counts.get(m, 0) for m in ("ambiguous", "unmatched"))
        return (
            f"Resolution({len(self):,} identifiers: {len(self) - ambiguous - unmatched:,} matched, "
            f"{ambiguous:,} ambiguous, {unmatched:,} unmatched)"
        )
