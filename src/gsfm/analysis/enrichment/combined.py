"""Enrichment by overlap and by a model together: what either finds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp

from gsfm.analysis.enrichment.common import (
    BackgroundLike,
    Enrichment,
    Experiment,
    overlap_columns,
    symbols_in,
)
from gsfm.analysis.enrichment.model import COLUMNS as MODEL_COLUMNS
from gsfm.analysis.enrichment.model import (
    TOP_GENES,
    Match,
    by_gene,
    describe_null,
    describe_ranks,
    ends,
    experiment,
    match_terms,
)
from gsfm.analysis.enrichment.ordered import COLUMNS as ORDERED_COLUMNS
from gsfm.analysis.enrichment.ordered import overlaps_with_prefixes
from gsfm.analysis.enrichment.overlap import Ids, matched_p_values, strata
from gsfm.analysis.gene_frequency import popularity
from gsfm.analysis.query import check_least
from gsfm.analysis.terms import MIN_SIZE, LibrariesLike
from gsfm.completion.scorer import describe_model
from gsfm.genes import Species
from gsfm.models import ModelLike, load_model
from gsfm.models.types import Numbers
from gsfm.progress import Progress

#: The part of the false positives that the test of the overlap may have; the model has the rest.
SHARE = 0.9
#: A term of so many genes has half the weight of a large one.
HALF_WEIGHT = 100

COLUMNS = {
    "rank": "rank among the tested terms of the library; 1 has the largest score",
    "expected": "expected number of input genes in the term, if they were random genes of the "
    "background with the same popularity",
    "overlap_p_value": "probability of that overlap or more with random genes of the background "
    "with the same popularity",
    "model_p_value": "fraction of typical gene sets that the model matches with the term at least "
    "as well, without regard to the overlap",
    "score": "sum of -log10 overlap_p_value, of -log10 model_p_value times the model's weight for "
    "this set (0 to 1, in the provenance), and of log10 of size / (size + 100)",
    "p_value": "the smaller one of overlap_p_value / 0.9 and model_p_value / 0.1",
}
#: Of a ranked list.
OF_LIST = {
    **{name: ORDERED_COLUMNS[name] for name in ("direction", "prefix", "prefix_p_value")},
    "overlap": "number of genes of the prefix in the term",
    "expected": "expected number of genes of the prefix in the term by chance",
    "overlap_genes": "the genes of the prefix in the term",
    "overlap_p_value": ORDERED_COLUMNS["p_value"],
}


def combined(
    genes: Any,
    libraries: LibrariesLike = None,
    *,
    is_ranked: bool = False,
    background: BackgroundLike | None = None,
    top: int | None = 20,
    min_size: int = MIN_SIZE,
    max_size: int | None = None,
    top_genes: int = TOP_GENES,
    random_state: int = 0,
    model: ModelLike = None,
    species: Species | None = None,
    progress: Progress | None = None,
) -> Enrichment:
    r"""Enrichment by overlap and model; the parameters are those of `enrich`.

    Of a ranked list, the test of the overlap is that of `ordered_ora`, and the model matches the
    `top_genes` genes at each end. The false discovery rate is over both directions.

    Notes
    -----
    Two tests ask different questions. :math:`p_o`, of the overlap: is it larger than that of random
    genes that are met as often in the training corpus? :math:`p_m`, of the model: does it match
    the term better than typical gene sets do, without regard to the overlap?

    .. math:: p = \min(1, p_o / 0.9, p_m / 0.1)

    is at most as often below :math:`\alpha` as :math:`\alpha` says, whatever the dependence of the
    two (the weighted Bonferroni method: Genovese et al. 2006). It is at most 1.12 times
    :math:`p_o`.

    The terms are ordered by :math:`-\log_{10} p_o - w \log_{10} p_m + \log_{10} \frac{m}{m + 100}`,
    because a term for which both tests speak is more often the right one than a term for which one
    does, and a term of few genes less often than a large one. The weight :math:`w` of the model is
    0 if it cannot tell the genes of the set, each by the others, from other genes (AUROC 0.5 or
    less), rises linearly, and is 1 from an AUROC of 0.75 on.

    References
    ----------
    Weighted tests: Genovese et al., Biometrika 2006, doi:10.1093/biomet/93.3.509
    """
    model = load_model(model)
    check_least(1, top_genes=top_genes, top=top)
    test, statistics = experiment(
        genes,
        libraries,
        background,
        species,
        model,
        is_ranked=is_ranked,
        default="library",
        keeps_all=True,
    )
    terms = test.restrict(test.background, min_size, max_size)
    test.check_background()
    null: dict[str, Any] = describe_null(model, progress)
    ranked: dict[str, Any] = {}
    sides: dict[str, Ids] = {}
    overlaps: dict[str, tuple[dict[str, Any], Callable[[int], list[str]]]] = {}
    if statistics is None:
        sides[""] = test.ids
        of_gene, null["matched_on"] = popularity(model, terms)
        overlaps[""] = _matched_overlap(test, of_gene), symbols_in(terms, test.ids)
    else:
        ranked = {"top_genes": top_genes, "ranked": describe_ranks(test, statistics)}
        sides = ends(test, statistics, top_genes, random_state)
        values = by_gene(test.of_input, statistics)
        for side, one in overlaps_with_prefixes(test, *values, random_state).items():
            own = dict(one.columns)
            own["overlap_p_value"] = own.pop("p_value")
            overlaps[side] = own, one.genes
        null["random_state"] = random_state
    matches = {side: match_terms(model, terms, ids, progress) for side, ids in sides.items()}
    parts = [_joined(own, matches[side]) for side, (own, _) in overlaps.items()]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    n, order = len(terms.source), list(overlaps)
    return test.result(
        "combined",
        {
            **columns,
            "predicted_members": lambda row: matches[order[row // n]].predicted_members(row % n),
            "overlap_genes": lambda row: overlaps[order[row // n]][1](row % n),
        },
        MODEL_COLUMNS | COLUMNS | (OF_LIST if is_ranked else {}),
        order=-columns["score"],
        top=top,
        rows=np.tile(np.arange(n), len(parts)),
        model=describe_model(model),
        model_weight={side or "set": _describe(one) for side, one in matches.items()},
        null=null,
        **ranked,
    )


def _matched_overlap(test: Experiment, of_gene: Numbers) -> dict[str, Any]:
    """The columns of the overlap of a gene set."""
    terms, ids = test.terms, test.ids
    n_terms = len(terms.source)
    n_input, expected, p = np.zeros(n_terms, np.int64), np.zeros(n_terms), np.ones(n_terms)
    overlap = terms.overlap(ids)
    pools = np.broadcast_to(test.background, terms.known.shape)
    sizes = test.background_sizes
    for i, pool in enumerate(pools):
        rows = np.flatnonzero(terms.source == i)
        if test.is_number and sizes[i] < len(pool):  # which genes these are is not known
            groups = [np.flatnonzero(pool)]
        else:
            groups = strata(of_gene, pool, ids)
        counts = np.array([len(group) for group in groups])
        # Of a number of genes, the others are in no set.
        counts[-1] += sizes[i] - counts.sum()
        stratum = np.full(len(pool), len(groups))
        stratum[np.concatenate(groups)] = np.repeat(
            np.arange(len(groups)), [len(group) for group in groups]
        )
        in_strata = sp.csr_array(
            (np.ones(len(pool), np.int64), stratum, np.arange(len(pool) + 1)),
            shape=(len(pool), len(groups) + 1),
        )
        of_terms = (terms.members[rows].astype(np.int64) @ in_strata).toarray()[:, :-1]
        of_set = np.bincount(stratum[ids], minlength=len(groups) + 1)[:-1]
        n_input[rows] = of_set.sum()
        expected[rows] = of_terms @ (of_set / counts)
        p[rows] = matched_p_values(overlap[rows], of_terms, of_set, counts)
    columns = overlap_columns(overlap, n_input, terms.sizes, sizes[terms.source])
    return {**columns, "expected": expected, "overlap_p_value": p}


def _joined(overlap: dict[str, Any], match: Match) -> dict[str, Any]:
    """The columns of the overlap and of the match of terms, with their score and p-value."""
    of_overlap, sizes = overlap["overlap_p_value"], match.terms.sizes
    score = -np.log10(np.maximum(of_overlap, np.finfo(float).tiny))
    score -= model_weight(match.coherence) * np.log10(match.p_value)
    score += np.log10(sizes / (sizes + HALF_WEIGHT))
    p = np.minimum(of_overlap / SHARE, match.p_value / (1 - SHARE))
    return {
        **overlap,
        "model_p_value": match.p_value,
        "score": score,
        "p_value": np.minimum(p, 1),
    }


def model_weight(coherence: float) -> float:
    """The weight of the model for a set that it can complete with an AUROC.

    Examples
    --------
    >>> [model_weight(auroc) for auroc in (0.4, 0.6, 0.9, float("nan"))]
    [0.0, 0.4, 1.0, 1.0]
    """
    return 1.0 if np.isnan(coherence) else round(float(np.clip(4 * coherence - 2, 0, 1)), 3)


def _describe(match: Match) -> dict[str, float | None]:
    coherence = None if np.isnan(match.coherence) else round(match.coherence, 3)
    return {"weight": model_weight(match.coherence), "coherence": coherence}
