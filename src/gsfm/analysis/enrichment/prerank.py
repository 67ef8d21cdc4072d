"""GSEA of a ranked list, by GSEApy."""

from __future__ import annotations

from typing import Any

import numpy as np

from gsfm.analysis.enrichment.common import Background, Enrichment, Given, finish
from gsfm.analysis.enrichment.model import by_gene
from gsfm.analysis.terms import MIN_SIZE, LibrariesLike, load_terms
from gsfm.errors import MissingExtraError
from gsfm.genes import Species
from gsfm.genes.rankings import RankedLike, pairs
from gsfm.progress import Progress

MAX_SIZE = 500
PERMUTATIONS = 1000

ES = "enrichment score: how far the running sum over the list gets from 0, -1 to 1"
NES = "es over the mean of those of permuted lists with the same sign"
LEADING = "the term's genes up to where the running sum is furthest from 0"
P_VALUE = (
    "share of the permuted lists with an es of the same sign that is as large or larger; 0 is "
    "below one over their number"
)
FDR = "false discovery rate as GSEA has it: from the nes of all terms and all permuted lists"


def prerank(
    ranked: RankedLike,
    libraries: LibrariesLike = None,
    *,
    background: Any = None,
    top: int | None = 100,
    min_size: int = MIN_SIZE,
    max_size: int | None = MAX_SIZE,
    weight: float = 1.0,
    permutations: int = PERMUTATIONS,
    random_state: int = 0,
    species: Species | None = None,
    progress: Progress | None = None,
) -> Enrichment:
    """Gene set enrichment analysis of a ranked list, by GSEApy's ``prerank``.

    Parameters
    ----------
    ranked
        As in `enrich`.
    libraries
        As in `enrich`.
    background
        Identifiers of the only genes of the list to keep; all of them if None.
    top
        How many terms to return; all if None.
    min_size, max_size
        Terms with fewer or more genes of the list are not tested.
    weight
        Power of the statistics in the running sum; 0 counts ranks alone.
    permutations
        Permuted lists of the null: genes change places, so that the null is a random list.
    random_state
        Of the permutations.
    species
        Where the identifiers come from.
    progress
        Called with what is being done, how much of it is done, and how much there is.

    Returns
    -------
    Enrichment
        Columns ``es``, ``nes`` (positive at the top of the list, negative at its bottom) and
        ``genes``, the leading edge. Ordered by p-value, then by the size of nes.

    Raises
    ------
    MissingExtraError
        If GSEApy is not installed.
    UnknownGenesError, GsfmError
        As `enrich` does.

    References
    ----------
    Subramanian et al., PNAS 2005, doi:10.1073/pnas.0506580102; Fang et al., Bioinformatics 2023,
    doi:10.1093/bioinformatics/btac757
    """
    try:
        import gseapy
        import pandas as pd
    except ImportError as error:
        raise MissingExtraError("GSEA prerank", "gsea") from error
    identifiers, statistics = pairs(ranked)
    terms = load_terms(libraries)
    of = Background(terms, identifiers if background is None else background, species)
    given = Given(terms.vocabulary, identifiers, species, of, model=False)
    ids, values = by_gene(given.of_input, statistics)
    pool = np.zeros(len(terms.vocabulary), bool)
    pool[ids] = True
    if background is None:
        of.kind, of.told = "list", f"the {len(ids):,} genes of the list"
    terms = terms.within(pool, min_size, max_size, what="the genes of the list")
    symbols, members = terms.vocabulary.symbols, terms.members
    of_term = {
        str(row): [
            symbols[g] for g in members.indices[members.indptr[row] : members.indptr[row + 1]]
        ]
        for row in range(len(terms.source))
    }
    order = np.argsort(-values, kind="stable")
    list_ = pd.Series(values[order], index=[symbols[g] for g in ids[order]])
    if progress is not None:
        progress(f"GSEApy: {len(of_term):,} terms, {permutations:,} permutations", 0, 1)
    result = gseapy.prerank(
        rnk=list_,
        gene_sets=of_term,
        min_size=1,
        max_size=len(ids) + 1,
        weight=weight,
        permutation_num=permutations,
        seed=random_state,
        n_threads=1,
        outdir=None,
        no_plot=True,
        verbose=False,
    ).res2d
    rows = np.array([int(name) for name in result["Term"]])
    at = np.empty(len(terms.source), np.int64)
    at[rows] = np.arange(len(rows))
    result = result.iloc[at]

    def numbers(name: str) -> Any:
        return np.array(result[name].astype(float))

    lead = [str(text).split(";") if text else [] for text in result["Lead_genes"]]
    nes, p_values = numbers("NES"), numbers("NOM p-val")
    return finish(
        "prerank",
        terms,
        given,
        of,
        {
            "es": (numbers("ES"), ES),
            "nes": (nes, NES),
            "genes": (lambda row: lead[row], LEADING),
        },
        p_values=p_values,
        p_value_is=P_VALUE,
        order=p_values - np.abs(nes) * 1e-9,
        rank_is="place among all terms tested; 1 has the smallest p-value, then the largest nes",
        top=top,
        fdr=numbers("FDR q-val"),
        more={
            "null": {"permutations": permutations, "random_state": random_state, "weight": weight},
            "gseapy": gseapy.__version__,
            "min_size": min_size,
            "max_size": max_size,
            "fdr": FDR,
        },
    )
