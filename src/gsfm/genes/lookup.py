"""The lookup of `resolve`: the genes that match a key, and the kind of each match.

A key is an identifier in upper case, without white space and quotes around it. A *hit* is the row
of a key, a kind of match and a gene; the three are packed into one integer that sorts by row, then
kind, then gene.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm.genes import tables

Hits = NDArray[np.int64]


class Kind(NamedTuple):
    """A kind of match between an identifier and a gene."""

    match: str
    rule: str
    human: bool = True


#: In order of precedence; a kind is represented by its position.
KINDS = (
    Kind("excel serial", "the serial number of the date that Excel made of a gene name"),
    Kind("entrez", "NCBI (Entrez) gene id"),
    Kind("hgnc", "HGNC id"),
    Kind("hgnc (merged)", "HGNC id of an entry that was merged into this gene"),
    Kind("ensembl gene", "Ensembl gene id"),
    Kind("ensembl transcript", "Ensembl transcript id"),
    Kind("ensembl protein", "Ensembl protein id"),
    Kind("refseq", "RefSeq accession"),
    Kind("approved", "approved symbol"),
    Kind("previous", "previous symbol"),
    Kind("alias", "alias"),
    Kind("uniprot", "UniProt accession"),
    Kind("uniprot (other)", "further UniProt accession"),
    Kind("uniprot (merged)", "UniProt accession that was merged into one of this gene"),
    Kind("uniprot entry name", "UniProt entry name"),
    Kind("mouse symbol", "ortholog of the mouse gene", human=False),
    Kind("rat symbol", "ortholog of the rat gene", human=False),
    Kind("mouse alias", "ortholog of the mouse gene with this synonym", human=False),
    Kind("rat alias", "ortholog of the rat gene with this synonym", human=False),
    Kind("mgi", "ortholog of the mouse gene with this MGI id", human=False),
    Kind("rgd", "ortholog of the rat gene with this RGD id", human=False),
    Kind("mouse ensembl gene", "ortholog of the mouse gene with this Ensembl id", human=False),
    Kind("rat ensembl gene", "ortholog of the rat gene with this Ensembl id", human=False),
    Kind("mouse uniprot", "ortholog of the mouse gene with this UniProt accession", human=False),
    Kind("rat uniprot", "ortholog of the rat gene with this UniProt accession", human=False),
    Kind("mouse entry name", "ortholog of the mouse gene with this UniProt name", human=False),
    Kind("rat entry name", "ortholog of the rat gene with this UniProt name", human=False),
    Kind("excel date", "the date that Excel made of a gene name"),
    Kind("mature microrna", "gene of the mature microRNA"),
    Kind("hla allele", "gene of the HLA allele"),
    Kind("make.names", "symbol in which R replaced hyphens by dots"),
    Kind("make.unique", "symbol with a number that R or scanpy added to a repeat"),
    Kind("spelling", "symbol or alias in another spelling (Greek letters, hyphens)"),
)
CODE = {kind.match: code for code, kind in enumerate(KINDS)}

# An integer holds the row above 26 bits, the kind in 6, the gene in 20.
_KIND_SHIFT, _ROW_SHIFT = 20, 26


def pack(row: NDArray[np.int64], kind: NDArray[np.int64], gene: NDArray[np.int64]) -> Hits:
    """Return hits from their parts."""
    return row << _ROW_SHIFT | kind << _KIND_SHIFT | gene


def unpack(hits: Hits) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return rows, kinds and genes of hits.

    Examples
    --------
    >>> one = np.array([7])
    >>> [part.item() for part in unpack(pack(one, one + 1, one + 2))]
    [7, 8, 9]
    """
    kinds = hits >> _KIND_SHIFT & (1 << _ROW_SHIFT - _KIND_SHIFT) - 1
    return hits >> _ROW_SHIFT, kinds, hits & (1 << _KIND_SHIFT) - 1


class _Entries(NamedTuple):
    """Distinct keys, ascending; key ``i`` has the entries ``offsets[i]:offsets[i + 1]``."""

    keys: pl.Series
    offsets: NDArray[np.int64]
    meanings: NDArray[np.int64]  # kind and gene of each entry, packed with row 0

    @classmethod
    def of(cls, keys: pl.Series, kinds: NDArray[np.int64], genes: NDArray[np.int64]) -> _Entries:
        """Return the entries of ascending `keys`."""
        first = (keys != keys.shift()).fill_null(True)
        offsets = np.append(np.flatnonzero(first.to_numpy()), len(keys))
        return cls(keys.filter(first), offsets, pack(np.zeros_like(genes), kinds, genes))

    def find(self, rows: NDArray[np.int64], keys: pl.Series) -> Hits:
        """Return the hits of `keys`, which belong to `rows`."""
        if self.keys.is_empty():
            return np.empty(0, dtype=np.int64)
        at = self.keys.search_sorted(keys, side="left").to_numpy().astype(np.int64)
        at = np.minimum(at, len(self.keys) - 1)
        found = (self.keys.gather(at) == keys).to_numpy()
        at, rows = at[found], rows[found]
        counts = self.offsets[at + 1] - self.offsets[at]
        # The position of every entry: the start of its key, and its number within the key.
        ends = np.cumsum(counts)
        within = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts)
        entries = np.repeat(self.offsets[at], counts) + within
        hits: Hits = np.repeat(rows, counts) << _ROW_SHIFT | self.meanings[entries]
        return hits


def _codes(kinds: pl.Series) -> NDArray[np.int64]:
    """Return the codes of kinds that a file has by name, so that their order can change."""
    assert isinstance(kinds.dtype, pl.Enum)
    codes = np.array([CODE[kind] for kind in kinds.dtype.categories])
    found: NDArray[np.int64] = codes[kinds.to_physical().to_numpy()]
    return found


@functools.cache
def _names() -> _Entries:
    """Return every name of every gene; the file is sorted by key."""
    names = tables.read("names")
    keys = tables.bare(names["name"]).str.to_uppercase()
    return _Entries.of(keys, _codes(names["kind"]), names["gene"].to_numpy().astype(np.int64))


def find_names(rows: NDArray[np.int64], keys: pl.Series) -> Hits:
    """Return the hits of `keys` among symbols, synonyms and the main UniProt accessions."""
    return _names().find(rows, keys)


#: Prefixes of the ids of genes ("" is an Entrez id), with the columns of each kind of match.
_HUMAN = {
    "": {"entrez": ["entrez", "entrez_other"]},
    "HGNC:": {"hgnc": ["hgnc"], "hgnc (merged)": ["hgnc_merged"]},
    "ENSG": {"ensembl gene": ["ensembl", "ensembl_other"]},
}
#: Those of orthologs, with the kind of match, the species and the column.
_ORTHOLOGS = {
    "MGI:": ("mgi", "mouse", "id"),
    "RGD:": ("rgd", "rat", "id"),
    "ENSMUSG": ("mouse ensembl gene", "mouse", "ensembl"),
    "ENSRNOG": ("rat ensembl gene", "rat", "ensembl"),
}
# Ids that are a prefix and a number. Those of Ensembl and RefSeq have versions. Pandas writes 7157
# as 7157.0 in a column with missing values.
_NUMBERED = r"^(?:[0-9]|ENS|HGNC:|MGI:|RGD:|[NXY][MPR]_)"
_PREFIX_NUMBER = (
    r"^(?<prefix>HGNC:|MGI:|RGD:|ENS(?:MUS|RNO)?G|ENS[TP]|[NX][MPR]_|YP_)?0*(?<number>[0-9]{1,14})"
    r"(?<version>\.[0-9]+)?(?:_PAR_Y)?$"
)
#: The forms of UniProt's accessions (the pattern is its own) and entry names.
UNIPROT = r"(?:[OPQ]\d[A-Z0-9]{3}\d|[A-NR-Z]\d(?:[A-Z][A-Z0-9]{2}\d){1,2})"
_ENTRY_NAME = r"^[A-Z0-9]{1,10}_(?:HUMAN|MOUSE|RAT)$"


@functools.cache
def _numbers(prefix: str) -> _Entries:
    """Return the ids with a prefix, by number."""
    number = pl.col("step").cum_sum()
    if prefix in _HUMAN:
        kinds = _HUMAN[prefix]
        genes = tables.read("genes", [c for listed in kinds.values() for c in listed])
        genes = genes.with_row_index("gene")
        columns = [(kind, column) for kind, listed in kinds.items() for column in listed]
        ids = pl.concat(
            genes.select("gene", number=pl.concat_list(column), kind=CODE[kind]).explode("number")
            for kind, column in columns
        )
    elif prefix in _ORTHOLOGS:
        kind, species, own = _ORTHOLOGS[prefix]
        orthologs = tables.read("orthologs").filter(pl.col("species") == species)
        ids = orthologs.select(gene=human_genes(), number=own, kind=CODE[kind]).explode("gene")
    elif prefix == "ENST":
        ids = tables.read("transcripts").select(
            "gene", number=number, kind=CODE["ensembl transcript"]
        )
    else:
        kind = "ensembl protein" if prefix == "ENSP" else "refseq"
        accessions = tables.read("accessions").filter(pl.col("prefix") == prefix)
        ids = accessions.select("gene", number=number, kind=CODE[kind])
    return _of_numbers(ids.drop_nulls())


def human_genes() -> pl.Expr:
    """The human genes of an ortholog: only the first one where this is clear."""
    return pl.when("first").then(pl.col("genes").list.head(1)).otherwise("genes")


def _of_numbers(ids: pl.DataFrame) -> _Entries:
    ids = ids.sort("number", "kind", "gene")
    kinds, genes = (ids[name].to_numpy().astype(np.int64) for name in ("kind", "gene"))
    return _Entries.of(ids["number"].cast(pl.UInt64), kinds, genes)


@functools.cache
def _uniprot() -> _Entries:
    """Return the further UniProt accessions, by the number that they are to the base 36."""
    table = tables.read("uniprot")
    kinds = pl.Series("kind", _codes(table["kind"]))
    return _of_numbers(table.select("gene", kinds, number=pl.col("step").cum_sum()))


@functools.cache
def _entry_names() -> _Entries:
    """Return UniProt's entry names."""
    table = tables.read("entries")
    species = pl.col("species").cast(pl.String).str.to_uppercase()
    table = table.select("gene", "species", key=pl.format("{}_{}", "name", species)).sort("key")
    codes = [CODE[f"{name} entry name"] for name in ("uniprot", "mouse", "rat")]  # human first
    kinds = np.array(codes)[table["species"].to_physical().to_numpy()]
    return _Entries.of(table["key"], kinds, table["gene"].to_numpy().astype(np.int64))


def look_up(rows: NDArray[np.int64], keys: pl.Series) -> Hits:
    """Return the hits of `keys` among all names, ids and accessions.

    Examples
    --------
    >>> hits = look_up(np.array([3]), pl.Series(["NM_000546.6"]))
    >>> row, kind, gene = (int(part[0]) for part in unpack(hits))
    >>> row, KINDS[kind].match, tables.symbols()[gene]
    (3, 'refseq', 'TP53')
    """
    found = [find_names(rows, keys)]
    numbered = keys.str.contains(_NUMBERED)
    if numbered.any():
        prefix, version = pl.col("prefix"), pl.col("version")
        parts = keys.filter(numbered).str.extract_groups(_PREFIX_NUMBER).struct.unnest()
        parts = parts.with_columns(prefix.fill_null(""), row=rows[numbered.to_numpy()]).filter(
            pl.col("number").is_not_null(),
            version.is_null() | prefix.str.contains("^ENS|_") | (prefix + version == ".0"),
        )
        for (name,), part in parts.group_by("prefix"):
            ids = part["number"].cast(pl.UInt64)
            found.append(_numbers(str(name)).find(part["row"].to_numpy(), ids))
    hits = np.concatenate(found)
    rest = ~np.isin(rows, unpack(hits)[0])
    if not rest.any():
        return hits
    rows, keys = rows[rest], keys.filter(rest)
    for pattern, entries, convert in (
        (f"^{UNIPROT}$", _uniprot, _base_36),
        (_ENTRY_NAME, _entry_names, None),
    ):
        alike = keys.str.contains(pattern)
        if alike.any():
            some = keys.filter(alike)
            some = convert(some) if convert else some
            hits = np.append(hits, entries().find(rows[alike.to_numpy()], some))
    return hits


def _base_36(accessions: pl.Series) -> pl.Series:
    return pl.Series([int(text, 36) for text in accessions], dtype=pl.UInt64)
