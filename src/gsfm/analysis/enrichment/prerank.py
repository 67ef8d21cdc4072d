"""GSEA of a ranked list, by GSEApy."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from gsfm.analysis.enrichment.common import Enrichment, Experiment, is_number
from gsfm.analysis.enrichment.model import about_ranks, by_gene, ranking
from gsfm.analysis.query import mask_of
from gsfm.analysis.terms import MIN_SIZE, LibrariesLike
from gsfm.completion.inputs import RankedLike, is_path, pairs
from gsfm.errors import (
    GsfmError,
    MissingExtraError,
    check_given,
    check_least,
    check_number,
    check_sizes,
    count,
    require,
)
from gsfm.genes import Species
from gsfm.progress import Progress

MAX_SIZE = 500
PERMUTATIONS = 1000

COLUMNS = {
    "rank": "rank among the tested terms of the library; 1 has the smallest p-value, then the "
    "largest nes",
    "es": "enrichment score: the maximum deviation of the running sum from 0, -1 to 1",
    "nes": "normalized es: es over the mean es of permuted lists with the same sign",
    "leading_edge": "the term's genes between one end of the list and the maximum deviation of the "
    "running sum, from that end",
    "p_value": "fraction of the permuted lists with an es of the same sign that is as large or "
    "larger; 0 is below one over their number",
    "fdr": "false discovery rate of GSEA: from the nes of all terms of the library and all "
    "permuted lists",
    "fwer": "family-wise error rate of GSEA: fraction of the permuted lists in which any term of "
    "the library has such a nes",
}
#: The columns of GSEApy by the names of ours.
GSEAPY = {
    "es": "ES",
    "nes": "NES",
    "p_value": "NOM p-val",
    "fdr": "FDR q-val",
    "fwer": "FWER p-val",
}


def prerank(
    ranked: RankedLike,
    libraries: LibrariesLike = None,
    *,
    background: Any = None,
    top: int | None = 20,
    min_size: int = MIN_SIZE,
    max_size: int | None = MAX_SIZE,
    weight: float = 1.0,
    permutations: int = PERMUTATIONS,
    random_state: int = 0,
    n_threads: int | None = None,
    species: Species | None = None,
    progress: Progress | None = None,
) -> Enrichment:
    """Gene set enrichment analysis of a ranked list, by GSEApy's ``prerank``.

    Parameters
    ----------
    ranked, libraries, top, random_state, species, progress
        As in `enrich`.
    background
        Identifiers of the only genes of the list to use; all of them if None.
    min_size, max_size
        Terms with fewer or more genes of the list are not tested, nor are terms with all genes of
        the list.
    weight
        Power of the statistics in the running sum, from 0 to 10; 0 uses the ranks only.
    permutations
        Permuted lists of the null: the genes are permuted, so that the null is a random list.
        Genes with the same statistic are in random order, by `random_state`.
    n_threads
        Number of threads; all cores if None. The result does not depend on it.

    Returns
    -------
    Enrichment
        Columns ``es``, ``nes`` (positive at the top of the list, negative at its bottom), ``fwer``
        and ``leading_edge``. Ordered by p-value, then by the absolute value of nes.

    Raises
    ------
    MissingExtraError
        If GSEApy is not installed.
    UnknownGenesError, GsfmError, ValueError
        As in `enrich`.

    References
    ----------
    Subramanian et al., PNAS 2005, doi:10.1073/pnas.0506580102; Fang et al., Bioinformatics 2023,
    doi:10.1093/bioinformatics/btac757

    Examples
    --------
    >>> changes = {"TP53": 3.0, "MDM2": 2.5, "BAX": 2.0, "MYC": 0.1, "GRB2": -1.0, "EGFR": -2.0}
    >>> terms = {"arrest": ["TP53", "MDM2", "BAX"], "growth": ["EGFR", "GRB2"]}
    >>> found = prerank(changes, terms, min_size=2, permutations=100)
    >>> found.table.select("term", "es", "leading_edge").sort("term").rows()
    [('arrest', 1.0, ['TP53', 'MDM2', 'BAX']), ('growth', -1.0, ['EGFR', 'GRB2'])]
    """
    try:
        import gseapy
        import pandas as pd
    except ImportError as error:
        raise MissingExtraError("GSEA prerank", "gsea") from error
    if is_number(background) or (isinstance(background, str) and not is_path(background)):
        raise ValueError("the background of prerank is the list, or identifiers of its genes")
    check_given(permutations=permutations, random_state=random_state)
    check_least(1, permutations=permutations, top=top, n_threads=n_threads)
    check_least(0, random_state=random_state)
    check_sizes(min_size, max_size)
    check_number(weight=weight)
    require(0 <= weight <= 10, f"weight must be 0 to 10, not {weight}")
    identifiers, statistics = pairs(ranked)
    pool = identifiers if background is None else background
    test = Experiment(identifiers, libraries, pool, species, is_list=background is None)
    ids, values = by_gene(test.of_input, statistics)
    in_list = mask_of(ids, len(test.terms.vocabulary))
    # A term with all genes of the list has no running sum: GSEApy returns memory that is not set.
    whole = int((test.terms.overlap(ids) == len(ids)).sum())
    largest = len(ids) - 1 if max_size is None else min(max_size, len(ids) - 1)
    if largest < min_size:
        raise GsfmError(
            f"the list has {len(ids):,} known genes, too few for terms of {min_size} genes or "
            "more; lower min_size, or give the whole ranked list"
        )
    try:
        terms = test.restrict(in_list, min_size, largest, what="the genes of the list")
    except GsfmError as error:
        if not whole:
            raise
        raise GsfmError(
            f"nothing can be tested: {count(whole, 'term')} of {test.terms.names} with all "
            f"{len(ids):,} genes of the list, and none with {min_size} to {largest}; give the "
            "whole ranked list"
        ) from error
    symbols, n_terms = terms.vocabulary.symbols, len(terms.source)
    if progress is not None:
        progress(f"GSEApy: {n_terms:,} terms, {permutations:,} permutations", 0, 1)
    # Ties are in random order: in the order of the alphabet, families of genes would be enriched.
    order = ranking(values, random_state)
    largest_value = np.abs(values).max()
    if not 1e-20 < largest_value < 1e20:  # GSEApy does not notice sums that overflow
        values = values / largest_value
    ranks = pd.Series(values[order], index=[symbols[g] for g in ids[order]])
    numbers = {name: np.empty(n_terms) for name in GSEAPY}
    leading: dict[int, list[str]] = {}
    # Each library alone: the false discovery rate is over the terms of one call.
    for rows in (np.flatnonzero(terms.source == i) for i in range(len(terms.libraries))):
        if not len(rows):
            continue
        sets = {str(row): [symbols[g] for g in terms.genes(row)] for row in rows.tolist()}
        with _quiet():
            found = gseapy.prerank(
                rnk=ranks,
                gene_sets=sets,
                min_size=1,
                max_size=len(ids) + 1,
                weight=weight,
                permutation_num=permutations,
                seed=random_state,
                threads=n_threads or _cores(),
                outdir=None,
                no_plot=True,
                verbose=False,
            ).res2d
        at = found["Term"].astype(int).to_numpy()
        for name, column in GSEAPY.items():
            numbers[name][at] = found[column].astype(float)
        for row, genes in zip(at.tolist(), found["Lead_genes"], strict=True):
            leading[row] = str(genes).split(";") if genes else []
    return test.result(
        "prerank",
        {**numbers, "leading_edge": leading.__getitem__},
        COLUMNS,
        order=numbers["p_value"] - np.abs(numbers["nes"]) * 1e-9,
        top=top,
        ranking=pl.DataFrame({"gene": ranks.index.to_list(), "statistic": ranks.to_numpy()}),
        null={"permutations": permutations, "random_state": random_state, "weight": weight},
        gseapy=gseapy.__version__,
        ranked={**about_ranks(values, test.of_input), "terms_with_the_whole_list": whole},
    )


def _cores() -> int:
    """The number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Suppress the warnings that GSEApy logs: on ties, which are in random order already."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
