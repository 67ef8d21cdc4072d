"""Model-based enrichment: the terms with evidence for their genes from a completed set.

Over-representation uses the genes that a set and a term have in common. A model also uses the
co-occurrence of genes: its evidence for every gene is averaged over the genes of each term, and
compared with that of random sets of genes of similar popularity.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm.analysis.enrichment.common import (
    BackgroundLike,
    Enrichment,
    Experiment,
    is_number,
    symbols_in,
)
from gsfm.analysis.enrichment.null import ENOUGH, Ids, null_of, profile, strata
from gsfm.analysis.gene_frequency import popularity
from gsfm.analysis.query import check_least, evidence
from gsfm.analysis.terms import MIN_SIZE, LibrariesLike, Terms
from gsfm.completion.inputs import pairs
from gsfm.completion.scorer import describe_model
from gsfm.errors import GsfmError, UnknownGenesError
from gsfm.genes import Species
from gsfm.models import Model, ModelLike, load_model
from gsfm.models.types import Floats, Numbers
from gsfm.progress import Progress

DRAWS = 200
TOP_GENES = 100
#: Bounds of a gene's evidence, in standard deviations. All genes of a term should decide together,
#: not a few with extreme evidence.
LOWEST, HIGHEST = -2.0, 4.0
#: Predicted members that are listed for a term.
PREDICTED = 5

COLUMNS = {
    "rank": "rank among all tested terms; 1 has the largest z_score",
    "direction": "the genes with the largest (up) or the smallest (down) statistics",
    "score": "mean of the model's evidence for the term's genes: each score, standardized over all "
    "genes but the input genes, bounded to -2 and 4; leave-one-out for an input gene",
    "z_score": "score, standardized over the random sets; ranks the terms",
    "p_value": "fraction of random sets of as many genes of similar popularity, drawn from the "
    "background, with such a score; if fewer than 10 have it, the tail of a generalized Pareto "
    "distribution with the shape 0.1, fitted to their upper tenth",
    "predicted_members": "the term's genes with the largest evidence that are no input genes",
}


def by_model(
    genes: Any,
    libraries: LibrariesLike = None,
    *,
    is_ranked: bool = False,
    background: BackgroundLike | None = None,
    top: int | None = 20,
    min_size: int = MIN_SIZE,
    max_size: int | None = None,
    top_genes: int = TOP_GENES,
    draws: int = DRAWS,
    random_state: int = 0,
    model: ModelLike = None,
    species: Species | None = None,
    progress: Progress | None = None,
) -> Enrichment:
    r"""Model-based enrichment; the parameters are those of `enrich`.

    Of a ranked list, the genes with the largest positive statistics are one set, and those with the
    smallest negative ones another. The table has a row a term and ``direction``; the false
    discovery rate is over both.

    Notes
    -----
    The score of a term :math:`t` is :math:`T_t = \frac{1}{|t|} \sum_{g \in t} e_g`, with the
    evidence :math:`e_g`. The null is random sets with as many genes of each stratum of popularity.
    The p-value of such a random set is uniform. A set of related genes is not random: many terms
    are significant, and their order shows how the genes are related.
    """
    model = load_model(model)
    check_least(1, top_genes=top_genes)
    check_least(2 * ENOUGH, draws=draws)
    if is_number(background):
        raise ValueError("a number as the background belongs to method 'ora'")
    symbols, statistics = pairs(genes) if is_ranked else (genes, None)
    is_list = is_ranked and background is None
    if background is None:
        background = symbols if is_list else "all"
    test = Experiment(
        symbols, libraries, background, species, vocabulary=model.vocabulary, is_list=is_list
    )
    of_gene, counted = popularity(model, test.terms)
    terms, groups = test.restrict(test.pool, min_size, max_size), strata(of_gene, test.pool)
    ranked: dict[str, Any] = {}
    sides = {"": test.ids}
    if statistics is not None:
        about = about_ranks(by_gene(test.of_input, statistics)[1], test.of_input)
        ranked = {"top_genes": top_genes, "ranked": about}
        sides = _sides(test, statistics, top_genes, random_state)

    def scores(sets: list[Ids]) -> Floats:
        return _means(terms, signatures(model, sets))

    parts, lists = [], []
    for side, ids in sides.items():
        null = null_of(
            model,
            terms,
            groups,
            profile(groups, ids),
            scores,
            draws=draws,
            random_state=random_state,
            progress=progress,
            text=f"random sets ({side})" if side else "random sets",
        )
        of_genes = signatures(model, [ids])
        # In 32 bits before, as the null is: a tie must be one.
        score = _means(terms, of_genes)[:, 0].astype(np.float64)
        z_score, p_value = null.judge(score)
        numbers = {"score": score, "z_score": z_score, "p_value": p_value}
        overlap = {"overlap": terms.overlap(ids)}
        direction = {"direction": np.full(len(score), side)} if side else {}
        parts.append({**direction, **numbers, **overlap})
        lists.append((_predicted_members(terms, ids, of_genes[0]), symbols_in(terms, ids)))
    n = len(terms.source)
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return test.result(
        "model",
        {
            **columns,
            "predicted_members": lambda row: lists[row // n][0](row % n),
            "overlap_genes": lambda row: lists[row // n][1](row % n),
        },
        COLUMNS,
        order=-columns["z_score"],
        top=top,
        rows=np.tile(np.arange(n), len(sides)),
        model=describe_model(model),
        null={
            "sets": draws,
            "random_state": random_state,
            "matched_on": ["size", counted],
            "strata": [len(group) for group in groups],
        },
        **ranked,
    )


def _sides(
    test: Experiment, statistics: Numbers, top_genes: int, random_state: int
) -> dict[str, Ids]:
    """The genes at each end of a ranked list; the table of its identifiers shows them."""
    ids, values = by_gene(test.of_input, statistics)
    sides: dict[str, Ids] = {}
    direction = np.full(len(statistics), None, object)
    for side, sign in (("up", 1), ("down", -1)):
        order = ranking(sign * values, random_state)[:top_genes]
        chosen = np.sort(ids[order[sign * values[order] > 0]])
        if len(chosen):
            sides[side] = chosen
            direction[np.isin(test.of_input, chosen)] = side
    if not sides:
        raise UnknownGenesError("no gene of the list with a statistic other than 0 is known")
    inputs = test.mapped.inputs.with_columns(
        pl.Series("statistic", statistics), pl.Series("direction", direction.tolist(), pl.String)
    )
    test.mapped = test.mapped._replace(inputs=inputs)
    test.about |= {side: len(chosen) for side, chosen in sides.items()}
    return sides


def _means(terms: Terms, of_genes: Floats) -> Floats:
    """(terms, sets) the mean over the genes of each term, of (sets, genes) evidence."""
    return np.asarray(terms.members @ of_genes.T / terms.sizes[:, None], np.float32)


def by_gene(of_input: Ids, statistics: Numbers) -> tuple[Ids, Numbers]:
    """The genes of a ranked list and their statistics: of several the one furthest from 0."""
    order = np.argsort(-np.abs(statistics), kind="stable")
    order = order[of_input[order] >= 0]
    ids, first = np.unique(of_input[order], return_index=True)
    return ids, statistics[order[first]]


def ranking(values: Numbers, random_state: int) -> NDArray[np.int64]:
    """The order of statistics, largest first; ties are in random order."""
    by_chance = np.random.default_rng(random_state).permutation(len(values))
    return np.lexsort((by_chance, -values)).astype(np.int64)


def about_ranks(values: Numbers, of_input: Ids) -> dict[str, Any]:
    """Describe a ranked list: the number of genes, the tied and the repeated ones."""
    counts = np.unique(values, return_counts=True)[1]
    repeated = int((np.unique(of_input[of_input >= 0], return_counts=True)[1] > 1).sum())
    about = {"genes": len(values), "tied": int(counts[counts > 1].sum())}
    return {**about, "repeated": repeated} if repeated else about


def signatures(model: Model, sets: list[Ids]) -> Floats:
    """(n, genes) the bounded evidence for every gene; leave-one-out for a set's own genes."""
    values = evidence(model, sets)
    if not np.isfinite(values).all():
        raise GsfmError("the model gave scores that are not finite numbers; is it damaged?")
    return np.clip(values, LOWEST, HIGHEST, out=values)


def _predicted_members(terms: Terms, ids: Ids, of_genes: Floats) -> Callable[[int], list[str]]:
    """A function from a term to its genes with the largest evidence that are not among `ids`."""
    symbols = terms.vocabulary.symbols
    predicted = of_genes > 0
    predicted[ids] = False

    def of_term(row: int) -> list[str]:
        own = terms.genes(row)
        own = own[predicted[own]]
        return [symbols[g] for g in own[np.argsort(-of_genes[own], kind="stable")[:PREDICTED]]]

    return of_term
