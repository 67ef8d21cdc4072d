"""Leakage: the sets of a training corpus that contain most of a term of a benchmark."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm.errors import GsfmError, require
from gsfm.sets import GeneSets, csr

Rows = NDArray[np.int64]

#: Largest size of a narrow set, as a multiple of the size of the term that it leaks.
NARROW = 10

#: Products of the sparse matrices at once.
_PRODUCTS = 1 << 23


@dataclass(frozen=True, eq=False)
class Leaks:
    """The sets of a corpus that leak a term: they contain most of its genes.

    Parameters
    ----------
    share
        Least share of the term's genes in a leaking set.
    n_sets
        Number of sets of the corpus.
    terms
        One row for each term, in the order of the library: ``term`` (name), ``size`` (genes),
        ``sets`` (number of leaking sets), ``narrow`` (number of narrow ones) and ``smallest``
        (genes of the smallest leaking set; null without one). A set of a thousand genes may leak
        a small term by its size. A narrow set has at most ten times the genes of the term.
    pairs
        One row for each term and leaking set, in the order of the terms, then of the sets:
        ``term`` and ``set`` (rows), ``set_size`` and ``shared`` (genes), ``narrow``.
    """

    share: float
    n_sets: int
    terms: pl.DataFrame
    pairs: pl.DataFrame

    def sets(self, *, narrow: bool = False) -> Rows:
        """The rows of the sets, or the narrow sets, that leak a term; ascending."""
        pairs = self.pairs.filter("narrow") if narrow else self.pairs
        return np.unique(pairs["set"].to_numpy())


def find_leaks(corpus: GeneSets, library: GeneSets, share: float = 0.8) -> Leaks:
    """Find the sets of a corpus that contain at least a share of a term's genes.

    A model that was trained on such a set may have memorized the term. The report counts these
    terms, and has the results without these terms and without these sets.

    Parameters
    ----------
    corpus
        The training corpus.
    library
        The terms. All their members count, also genes that are not in the vocabulary of the corpus.
    share
        Above 0, and up to 1.

    Returns
    -------
    Leaks

    Raises
    ------
    GsfmError
        If the library and the corpus have no gene in common.
    ValueError
        If the share is out of its range.

    Examples
    --------
    >>> library = GeneSets.from_lists({"repair": ["A", "B", "C", "D", "E"], "growth": ["F", "G"]})
    >>> corpus = GeneSets.from_lists([["A", "B", "C", "D"], ["A", "B", "C"], ["F", "G", "X"]])
    >>> leaks = find_leaks(corpus, library)
    >>> leaks.terms.select("term", "sets", "smallest").rows(), leaks.sets().tolist()
    ([('repair', 1, 4), ('growth', 1, 3)], [0, 2])
    """
    require(0 < share <= 1, f"share must be above 0 and up to 1, not {share}")
    known = library.reindex(corpus.vocabulary)
    members, of_gene = corpus.to_csr(), known.to_csr().T.tocsr()  # (sets, genes), (genes, terms)
    products = members @ np.diff(of_gene.indptr).astype(np.float64)
    if not products.any():
        raise GsfmError(
            f"the library ({len(library)} terms) and the corpus ({len(corpus)} sets) have no gene "
            "in common; are the identifiers of both resolved to approved symbols, as "
            "gsfm.sets.read does?"
        )
    # Rounded first: 0.7 of 10 genes are 7, though 0.7 * 10 may be a little more.
    least = np.ceil(np.round(share * library.sizes, 9))
    rows, terms, shared = [], [], []
    for first, last in csr.chunks(csr.to_indptr(products.astype(np.int64)), _PRODUCTS):
        common = members[first:last] @ of_gene  # (sets, terms) number of genes in both
        found = np.flatnonzero(common.data >= least[common.indices])
        rows.append(np.searchsorted(common.indptr, found, side="right") - 1 + first)
        terms.append(common.indices[found])
        shared.append(common.data[found])
    row, term = np.concatenate(rows), np.concatenate(terms)
    size = corpus.sizes[row]
    pairs = pl.DataFrame(
        {
            "term": term.astype(np.int64),
            "set": row,
            "set_size": size,
            "shared": np.concatenate(shared).astype(np.int64),
            "narrow": size <= NARROW * library.sizes[term],
        }
    ).sort("term", "set")
    counts = pairs.group_by(row="term").agg(
        sets=pl.len().cast(pl.Int64),
        narrow=pl.col("narrow").sum().cast(pl.Int64),
        smallest=pl.col("set_size").min(),
    )
    of_term = pl.DataFrame({"term": library.metadata["name"], "size": library.sizes})
    of_term = of_term.with_row_index("row").cast({"row": pl.Int64})
    table = of_term.join(counts, on="row", how="left", maintain_order="left").drop("row")
    return Leaks(
        share, len(corpus), table.with_columns(pl.col("sets", "narrow").fill_null(0)), pairs
    )
