"""Model-based enrichment: the terms with evidence for their genes from a completed set.

Over-representation uses the genes that a set and a term have in common. A model also uses the
co-occurrence of genes: its evidence for every gene is averaged over the genes of each term, and
compared with that for typical gene sets.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm.analysis.enrichment.common import (
    BackgroundLike,
    Enrichment,
    Experiment,
    is_number,
    overlap_columns,
    symbols_in,
)
from gsfm.analysis.enrichment.null import null_of, typical_of
from gsfm.analysis.enrichment.overlap import Ids
from gsfm.analysis.query import check_least
from gsfm.analysis.terms import MIN_SIZE, LibrariesLike, Terms
from gsfm.completion.inputs import pairs
from gsfm.completion.scorer import describe_model
from gsfm.errors import UnknownGenesError
from gsfm.genes import Species
from gsfm.models import Model, ModelLike, load_model
from gsfm.models.evidence import evidence
from gsfm.models.types import Floats, Numbers
from gsfm.models.typical import bounded
from gsfm.progress import Progress

TOP_GENES = 100
#: Predicted members that are listed for a term.
PREDICTED = 5

COLUMNS = {
    "rank": "rank among all tested terms; 1 has the largest z_score",
    "direction": "the genes with the largest (up) or the smallest (down) statistics",
    "score": "mean of the model's evidence for the term's genes: each score, standardized over all "
    "genes but the input genes, bounded to -2 and 4, less its trend along the frequency of genes; "
    "leave-one-out for an input gene",
    "z_score": "score, standardized over typical gene sets; ranks the terms",
    "p_value": "fraction of typical gene sets with such a score; if fewer than 10 have it, the "
    "tail of a generalized Pareto distribution with the shape 0.1, fitted to their upper tenth",
    "predicted_members": "the term's genes with the largest evidence that are not input genes",
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
    evidence :math:`e_g`. The null is the same mean for typical gene sets. A small p-value says that
    few of the gene sets that studies report match the term as well.
    """
    model = load_model(model)
    check_least(1, top_genes=top_genes, top=top)
    if is_number(background):
        raise ValueError("a number as the background belongs to method 'ora' or 'combined'")
    test, statistics = experiment(
        genes, libraries, background, species, model, is_ranked=is_ranked, default="all"
    )
    terms = test.restrict(test.pool, min_size, max_size)
    ranked: dict[str, Any] = {}
    sides = {"": test.ids}
    if statistics is not None:
        ranked = {"top_genes": top_genes, "ranked": describe_ranks(test, statistics)}
        sides = ends(test, statistics, top_genes, random_state)
    parts, matches = [], []
    for side, ids in sides.items():
        match = match_terms(model, terms, ids, progress)
        overlap = overlap_columns(
            terms.overlap(ids),
            np.full(len(terms.source), len(ids)),
            terms.sizes,
            test.background_sizes[terms.source],
        )
        direction = {"direction": np.full(len(terms.source), side)} if side else {}
        numbers = {"score": match.score, "z_score": match.z_score, "p_value": match.p_value}
        parts.append({**direction, **numbers, **overlap})
        matches.append((match, symbols_in(terms, ids)))
    n = len(terms.source)
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return test.result(
        "model",
        {
            **columns,
            "predicted_members": lambda row: matches[row // n][0].predicted_members(row % n),
            "overlap_genes": lambda row: matches[row // n][1](row % n),
        },
        COLUMNS,
        order=-columns["z_score"],
        top=top,
        rows=np.tile(np.arange(n), len(sides)),
        model=describe_model(model),
        null=describe_null(model, progress),
        **ranked,
    )


def experiment(
    genes: Any,
    libraries: LibrariesLike,
    background: BackgroundLike | None,
    species: Species | None,
    model: Model,
    *,
    is_ranked: bool,
    default: BackgroundLike,
    keeps_all: bool = False,
) -> tuple[Experiment, Numbers | None]:
    """The experiment of a method with a model, and the statistics of a ranked list.

    The background is the genes of a ranked list, and of a set the `default`, if it is None.
    """
    symbols, statistics = pairs(genes) if is_ranked else (genes, None)
    is_list = is_ranked and background is None
    if background is None:
        background = symbols if is_list else default
    test = Experiment(
        symbols,
        libraries,
        background,
        species,
        vocabulary=model.vocabulary,
        is_list=is_list,
        keeps_all=keeps_all,
    )
    return test, statistics


class Match(NamedTuple):
    """The match of a gene set with terms, by a model.

    Attributes
    ----------
    score, z_score, p_value
        (terms,) the mean evidence over the genes of each, and what it is among typical gene sets.
    coherence
        The AUROC with which the model tells the genes of the set, each by the others, from all
        genes that are not in it; nan for a set of one gene, or of all genes.
    """

    terms: Terms
    ids: Ids
    of_genes: Floats
    score: Numbers
    z_score: Numbers
    p_value: Numbers
    coherence: float

    def predicted_members(self, row: int) -> list[str]:
        """The genes of a term with the largest positive evidence that are not in the set."""
        own = self.terms.genes(row)
        own = own[(self.of_genes[own] > 0) & ~np.isin(own, self.ids)]
        best = own[np.argsort(-self.of_genes[own], kind="stable")[:PREDICTED]]
        return [self.terms.vocabulary.symbols[g] for g in best]


def match_terms(model: Model, terms: Terms, ids: Ids, progress: Progress | None) -> Match:
    """Match a gene set with terms."""
    null = null_of(model, terms, progress)
    of_genes = evidence(model, [ids])
    values = bounded(model, of_genes)[0]
    score = np.asarray(terms.members @ values / terms.sizes, np.float64)
    others, own = np.sort(np.delete(values, ids)), values[ids]
    # Those at the bound are ties.
    below = np.searchsorted(others, own) + np.searchsorted(others, own, side="right")
    can_tell = len(ids) > 1 and len(others)
    coherence = float(below.mean() / (2 * len(others))) if can_tell else np.nan
    of_genes = of_genes[0]
    return Match(terms, ids, of_genes, score, *null.judge(score), coherence)


def describe_null(model: Model, progress: Progress | None) -> dict[str, Any]:
    """The typical gene sets of a model, for the provenance."""
    reference = typical_of(model, progress)
    return {"sets": len(reference.coordinates), "source": reference.source}


def ends(
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


def describe_ranks(test: Experiment, statistics: Numbers) -> dict[str, Any]:
    """Describe a ranked list: the number of genes, the tied and the repeated ones."""
    return about_ranks(by_gene(test.of_input, statistics)[1], test.of_input)


def about_ranks(values: Numbers, of_input: Ids) -> dict[str, Any]:
    """Describe the statistics of the genes of a ranked list."""
    counts = np.unique(values, return_counts=True)[1]
    repeated = int((np.unique(of_input[of_input >= 0], return_counts=True)[1] > 1).sum())
    about = {"genes": len(values), "tied": int(counts[counts > 1].sum())}
    return {**about, "repeated": repeated} if repeated else about
