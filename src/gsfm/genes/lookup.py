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
    Kind("hgnc", "HGNC id, or that of an entry merged into this gene"),
    Kind("ensembl gene", "Ensembl gene id"),
    Kind("ensembl transcript", "Ensembl transcript id"),
    Kind("approved", "approved symbol"),
    Kind("previous", "previous symbol"),
    Kind("alias", "alias"),
    Kind("uniprot", "UniProt accession"),
    Kind("uniprot (other)", "further UniProt accession"),
    Kind("mouse symbol", "ortholog of the mouse gene", human=False),
    Kind("rat symbol", "ortholog of the rat gene", human=False),
    Kind("mouse alias", "ortholog of the mouse gene with this synonym", human=False),
    Kind("rat alias", "ortholog of the rat gene with this synonym", human=False),
    Kind("mgi", "ortholog of the mouse gene with this MGI id", human=False),
    Kind("rgd", "ortholog of the rat gene with this RGD id", human=False),
    Kind("mouse ensembl gene", "ortholog of the mouse gene with this Ensembl id", human=False),
    Kind("rat ensembl gene", "ortholog of the rat gene with this Ensembl id", human=False),
    Kind("excel date", "the date that Excel made of a gene name"),
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


@functools.cache
def _names() -> _Entries:
    """Return every name of every gene; the file is sorted by key."""
    names = tables.read("names")
    kinds = names.schema["kind"]
    assert isinstance(kinds, pl.Enum)
    # The file has the kinds by name, so that their order can change.
    codes = np.array([CODE[kind] for kind in kinds.categories])
    return _Entries.of(
        tables.bare(names["name"]).str.to_uppercase(),
        codes[names["kind"].to_physical().to_numpy()],
        names["gene"].to_numpy().astype(np.int64),
    )


def find_names(rows: NDArray[np.int64], keys: pl.Series) -> Hits:
    """Return the hits of `keys` among symbols, synonyms and UniProt accessions."""
    return _names().find(rows, keys)


#: Prefixes of the ids of genes ("" is an Entrez id), with the kind of match and the columns.
_HUMAN = {
    "": ("entrez", ["entrez"]),
    "HGNC:": ("hgnc", ["hgnc", "hgnc_merged"]),
    "ENSG": ("ensembl gene", ["ensembl", "ensembl_other"]),
}
#: Those of orthologs, with the kind of match, the species and the column.
_ORTHOLOGS = {
    "MGI:": ("mgi", "mouse", "id"),
    "RGD:": ("rgd", "rat", "id"),
    "ENSMUSG": ("mouse ensembl gene", "mouse", "ensembl"),
    "ENSRNOG": ("rat ensembl gene", "rat", "ensembl"),
}


@functools.cache
def _numbers(prefix: str) -> _Entries:
    """Return the ids with a prefix, by number."""
    if prefix in _HUMAN:
        kind, columns = _HUMAN[prefix]
        genes = tables.read("genes", columns).with_row_index("gene")
        numbers = [genes.select("gene", number=pl.concat_list(column)) for column in columns]
        ids = pl.concat(part.explode("number") for part in numbers)
    elif prefix in _ORTHOLOGS:
        kind, species, own = _ORTHOLOGS[prefix]
        orthologs = tables.read("orthologs").filter(pl.col("species") == species)
        # `first`: of several human genes, the first one is the ortholog.
        human = pl.when("first").then(pl.col("genes").list.head(1)).otherwise("genes")
        ids = orthologs.select(gene=human, number=own).explode("gene")
    else:
        kind = "ensembl transcript"
        ids = tables.read("transcripts").select("gene", number=pl.col("step").cum_sum())
    ids = ids.drop_nulls().sort("number", "gene")
    rows = ids["gene"].to_numpy().astype(np.int64)
    return _Entries.of(ids["number"].cast(pl.UInt64), np.full_like(rows, CODE[kind]), rows)


def find_numbers(prefix: str, rows: NDArray[np.int64], numbers: pl.Series) -> Hits:
    """Return the hits of the ids that are `prefix` and a number."""
    return _numbers(prefix).find(rows, numbers)
