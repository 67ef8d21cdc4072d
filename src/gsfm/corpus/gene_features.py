"""Features of single genes as gene sets: a feature is the set of the genes that have it.

The features are derived from the bundled gene table only: from names, domains and positions.
"""

from __future__ import annotations

import functools
import re
from typing import Literal, get_args

import numpy as np
import polars as pl

from gsfm import genes
from gsfm.errors import GsfmError
from gsfm.sets import GeneSets, csr
from gsfm.version import __version__

Kind = Literal["words", "domains", "windows", "regions"]

#: Widths of the windows, in bases: a gene and the next, and neighborhoods; a band or two.
WIDTHS = {"windows": (50_000, 200_000, 1_000_000), "regions": (10_000_000,)}

_CHROMOSOMES = pl.Enum([*map(str, range(1, 23)), "X", "Y", "MT"])

#: A pattern in the content of the sources of the gene table from which a kind is derived.
_MADE_OF = {
    "words": "HGNC|NCBI Gene",
    "domains": "Pfam domains",
    "windows": "positions on",
    "regions": "positions on",
}


def features(kind: Kind) -> GeneSets:
    """Return features of single genes, as gene sets over all approved symbols.

    Parameters
    ----------
    kind
        ``"words"``: the words of the names of genes (``word:kinase``, in lower case), and the roots
        of their symbols: the first letters (``symbol:ZNF``), and the first four and three
        characters (``symbol:ZNF6*``, ``symbol:ZNF*``).

        ``"domains"``: the Pfam domains of their proteins (``PF00069``), each with a link.

        ``"windows"``: windows of 50 kb, 200 kb and 1 Mb along the chromosomes of GRCh38, each
        overlapping the next one by half (``17:7500001-8500000``: the first and the last base,
        counted from 1). A gene is in every window that it overlaps.

        ``"regions"``: the same, of 10 Mb.

    Returns
    -------
    GeneSets
        A set for each feature of at least two genes: words and domains sorted by name, windows and
        regions by chromosome, width and start. Metadata: ``name``, ``source`` (the kind),
        ``species``, and ``link`` for domains. The manifest has the sources with their releases and
        licenses. Every call returns the same object, with read-only arrays.

    Raises
    ------
    GsfmError
        If there is no such kind.

    See Also
    --------
    gsfm.genes.table : The source of the features.

    Examples
    --------
    Kinases share a domain; TP53 and its neighbors share a window:

    >>> from gsfm import corpus
    >>> domains = corpus.features("domains")
    >>> domains[domains.names.index("PF07714")].genes[:4]
    ('AATK', 'ABL1', 'ABL2', 'ACVR1')
    >>> windows = corpus.features("windows")
    >>> windows[windows.names.index("17:7650001-7700000")].genes
    ('ATP1B2', 'TP53', 'WRAP53')
    >>> words = corpus.features("words")
    >>> words[words.names.index("word:frizzled")].genes[:3]
    ('FRZB', 'FZD1', 'FZD10')
    """
    if kind not in get_args(Kind):
        raise GsfmError(f"features are {', '.join(get_args(Kind))}; there are no {kind!r}")
    return _compile(kind)


@functools.cache
def _compile(kind: Kind) -> GeneSets:
    table = genes.table().with_row_index("gene")
    if kind in WIDTHS:
        pairs = windows(table, WIDTHS[kind])
    elif kind == "words":
        pairs = words(table)
    else:
        pairs = table.select("gene", name="domains").explode("name").drop_nulls()
    # By name; or for windows and regions by chromosome, width and start.
    by = [column for column in pairs.columns if column != "gene"]
    found = pairs.unique().sort(*by, "gene").group_by(by, maintain_order=True).agg("gene")
    kept = found.filter(pl.col("gene").list.len() > 1)
    indptr = csr.to_indptr(kept["gene"].list.len().to_numpy())
    indices = kept["gene"].explode().to_numpy()
    sets = GeneSets(genes.vocabulary(), indptr, indices, _metadata(kept, kind))
    sets.indptr.flags.writeable = sets.indices.flags.writeable = False
    sources = genes.provenance()["sources"]
    sets.manifest = {
        "gsfm_version": __version__,
        "settings": {"kind": kind, "widths": list(WIDTHS.get(kind, ())) or None},
        "sets": {
            "read": found.height,
            "kept": kept.height,
            "dropped": {"single_gene": found.height - kept.height},
        },
        "genes": {"kept": int(np.count_nonzero(sets.gene_frequencies))},
        "members": len(sets.indices),
        "inputs": [s for s in sources if re.search(_MADE_OF[kind], s["content"])],
    }
    return sets


def words(table: pl.DataFrame) -> pl.DataFrame:
    """Return a row for each gene and word of its name, or root of its symbol.

    Examples
    --------
    >>> table = pl.DataFrame({"gene": [0], "symbol": ["ZNF12"], "name": ["Zinc finger protein 12"]})
    >>> words(table)["name"].to_list()
    ['word:zinc', 'word:finger', 'word:protein', 'word:12',
     'symbol:ZNF', 'symbol:ZNF1*', 'symbol:ZNF*']
    """
    symbol = pl.col("symbol")
    listed = pl.col("name").str.to_lowercase().str.extract_all("[a-z_0-9-]{2,}")
    parts = [
        table.select("gene", listed).explode("name").with_columns(pl.format("word:{}", "name")),
        table.select("gene", name=pl.format("symbol:{}", symbol.str.extract("^([A-Z]+)"))),
        # ABC* has all symbols with this beginning; ABC has ABC1, but not ABCA1.
        table.select("gene", name=pl.format("symbol:{}*", symbol.str.head(4))),
        table.select("gene", name=pl.format("symbol:{}*", symbol.str.head(3))),
    ]
    return pl.concat(parts).drop_nulls()


def windows(table: pl.DataFrame, widths: tuple[int, ...]) -> pl.DataFrame:
    """Return a row for each gene and window that it overlaps: chromosome, width, first base.

    Examples
    --------
    >>> place = {"gene": [5], "chromosome": ["2"], "start": [90_000], "end": [100_001]}
    >>> windows(pl.DataFrame(place), (50_000,))["first"].to_list()
    [50001, 75001, 100001]
    """
    placed = table.drop_nulls("start").with_columns(pl.col("chromosome").cast(_CHROMOSOMES))
    parts = []
    for width in widths:
        step = width // 2
        # Window k has the bases from k * step + 1 to k * step + width.
        lowest = ((pl.col("start") - width + step - 1) // step).clip(0)
        highest = (pl.col("end") - 1) // step
        parts.append(
            placed.select("gene", "chromosome", width=width, k=pl.int_ranges(lowest, highest + 1))
            .explode("k")
            .select("gene", "chromosome", "width", first=pl.col("k") * step + 1)
        )
    return pl.concat(parts)


def _metadata(kept: pl.DataFrame, kind: Kind) -> pl.DataFrame:
    """The names, the source and species, and the links of the features."""
    about = {"source": pl.lit(kind), "species": pl.lit("human")}
    if kind in WIDTHS:
        last = pl.col("first") + pl.col("width") - 1
        return kept.select(name=pl.format("{}:{}-{}", "chromosome", "first", last), **about)
    if kind == "domains":
        about["link"] = pl.format("https://www.ebi.ac.uk/interpro/entry/pfam/{}/", "name")
    return kept.select("name", **about)
