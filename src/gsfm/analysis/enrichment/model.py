"""Model-based enrichment: the terms with evidence for their genes from a completed set.

Over-representation uses the genes that a set and a term have in common. A model also uses the
co-occurrence of genes: its evidence for every gene is averaged over the genes of each term, and
compared with that of random sets of genes of similar popularity.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import polars as pl

from gsfm.analysis.enrichment.common import (
    Background,
    BackgroundLike,
    Enrichment,
    InputGenes,
    finish,
    symbols_in,
)
from gsfm.analysis.enrichment.null import Floats, Ids, Numbers, null_of, profile, strata
from gsfm.analysis.gene_frequency import popularity
from gsfm.analysis.query import evidence
from gsfm.analysis.terms import MIN_SIZE, LibrariesLike, Terms, load_terms
from gsfm.completion.scorer import describe_model
from gsfm.errors import GsfmError, UnknownGenesError
from gsfm.genes import Species
from gsfm.genes.rankings import RankedLike, pairs
from gsfm.models import Model, ModelLike, load_model
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
    "score": "mean over the term's genes of the model's evidence for each: its score less the "
    "mean, over the standard deviation, of all genes but the input genes, bounded to -2 and 4; "
    "leave-one-out for an input gene",
    "z_score": "score less its mean, over its standard deviation, among the random sets; ranks the "
    "terms",
    "p_value": "probability of such a score for a random set of as many genes of similar "
    "popularity, drawn from the background: the fraction of the random sets if 10 or more have "
    "such a score, else the tail of a generalized Pareto distribution with the shape 0.1, fitted "
    "to their upper tenth",
    "predicted_members": "the term's genes with the largest evidence that are no input genes",
}


def by_model(
    genes: Iterable[str],
    libraries: LibrariesLike = None,
    *,
    background: BackgroundLike = "all",
    top: int | None = 100,
    model: ModelLike = None,
    species: Species | None = None,
    **options: Any,
) -> Enrichment:
    r"""Model-based enrichment of a gene set; a term may have no overlap with the set.

    Parameters
    ----------
    genes, libraries, background, top, model, species, **options
        As in `enrich`.

    Returns
    -------
    Enrichment
        Columns ``score``, ``z_score``, ``overlap``, ``predicted_members`` and ``genes``, besides
        the common ones.

    Notes
    -----
    The score of a term :math:`t` is :math:`T_t = \frac{1}{|t|} \sum_{g \in t} e_g`, with the
    evidence :math:`e_g`. The null is random sets with as many genes of each stratum of popularity.
    The p-value of such a random set is uniform. A set of related genes is not random: many terms
    are significant, and their order shows how the genes are related.

    Examples
    --------
    >>> from gsfm.models import Linear
    >>> from gsfm.sets import GeneSets
    >>> corpus = [["TP53", "MDM2", "CDKN1A"], ["EGFR", "ERBB2", "GRB2"], ["MYC", "MAX"]] * 5
    >>> model = Linear(regularization=1.0).fit(GeneSets.from_lists(corpus))
    >>> terms = GeneSets.from_lists({"arrest": ["CDKN1A", "MDM2"], "growth": ["EGFR", "GRB2"]})
    >>> by_model(["p53"], terms, min_size=2, model=model).table.select("term", "overlap").rows()
    [('arrest', 0), ('growth', 0)]
    """
    model = load_model(model)
    terms = load_terms(libraries, model.vocabulary)
    of = Background(terms, background, species)
    query = InputGenes(terms, genes, species, of, with_model=True)
    test = _Test(model, terms, of, **options)
    return test.result(query, [(None, query.ids, test.scores(query.ids, "random sets"))], top)


def by_model_ranked(
    ranked: RankedLike,
    libraries: LibrariesLike = None,
    *,
    top_genes: int = TOP_GENES,
    background: BackgroundLike | None = None,
    top: int | None = 100,
    model: ModelLike = None,
    species: Species | None = None,
    **options: Any,
) -> Enrichment:
    """Model-based enrichment of a ranked list, such as that of a differential expression.

    The genes with the largest positive statistics are one set, those with the smallest negative
    ones another. Each is tested as in `by_model`; the table has a row a term and direction.

    Parameters
    ----------
    ranked
        As in `enrich`. For a gene with several statistics, the one furthest from 0 is used.
    top_genes
        Genes of each of the two sets. Genes with a statistic of 0 are in neither.
    libraries, background, top, model, species, **options
        As in `enrich`.

    Returns
    -------
    Enrichment
        As for `by_model`, with a column ``direction``: ``up`` or ``down``. The false discovery
        rate is over both.

    Examples
    --------
    >>> from gsfm.models import Linear
    >>> from gsfm.sets import GeneSets
    >>> corpus = [["TP53", "MDM2", "CDKN1A"], ["EGFR", "ERBB2", "GRB2"], ["MYC", "MAX"]] * 5
    >>> model = Linear(regularization=1.0).fit(GeneSets.from_lists(corpus))
    >>> terms = GeneSets.from_lists({"arrest": ["CDKN1A", "MDM2"], "growth": ["EGFR", "GRB2"]})
    >>> changes = {"TP53": 3.1, "MYC": 0.1, "MAX": -0.1, "ERBB2": -2.5}
    >>> settings = {"min_size": 2, "background": "all", "model": model}
    >>> found = by_model_ranked(changes, terms, top_genes=1, **settings)
    >>> best = found.table.unique("direction", keep="first")
    >>> sorted(best.select("direction", "term").rows())
    [('down', 'growth'), ('up', 'arrest')]
    """
    model = load_model(model)
    if top_genes < 1:
        raise ValueError(f"top_genes must be 1 or more, not {top_genes}")
    symbols, statistics = pairs(ranked)
    terms = load_terms(libraries, model.vocabulary)
    of = Background(
        terms, symbols if background is None else background, species, is_list=background is None
    )
    query = InputGenes(terms, symbols, species, of, with_model=True)
    test = _Test(model, terms, of, **options)
    ids, values = by_gene(query.of_input, statistics)
    sides: list[_Side] = []
    direction = np.full(len(symbols), None, object)
    for name, sign in (("up", 1), ("down", -1)):
        order = np.argsort(-sign * values, kind="stable")[:top_genes]
        chosen = np.sort(ids[order[sign * values[order] > 0]])
        direction[np.isin(query.of_input, chosen)] = name
        if len(chosen):
            sides.append((name, chosen, test.scores(chosen, f"random sets ({name})")))
    if not sides:
        raise UnknownGenesError("no gene of the list with a statistic other than 0 is known")
    inputs = query.mapped.inputs.with_columns(
        pl.Series("statistic", statistics), pl.Series("direction", direction.tolist(), pl.String)
    )
    query.mapped = query.mapped._replace(inputs=inputs)
    query.about |= {str(name): len(chosen) for name, chosen, _ in sides}
    return test.result(query, sides, top, top_genes=top_genes)


def by_gene(of_input: Ids, statistics: Numbers) -> tuple[Ids, Numbers]:
    """The genes of a ranked list and their statistics: of several the one furthest from 0."""
    order = np.argsort(-np.abs(statistics), kind="stable")
    order = order[of_input[order] >= 0]
    ids, first = np.unique(of_input[order], return_index=True)
    return ids, statistics[order[first]]


def signatures(model: Model, sets: list[Ids]) -> Floats:
    """(n, genes) the bounded evidence for every gene; leave-one-out for a set's own genes."""
    values = evidence(model, sets, neutral_single=True)
    if not np.isfinite(values).all():
        raise GsfmError("the model gave scores that are not finite numbers; is it damaged?")
    return np.clip(values, LOWEST, HIGHEST, out=values)


class _Scores(NamedTuple):
    """The scores of the terms for one set, (terms,) each."""

    signature: Floats  # (genes,)
    score: Numbers
    z_score: Numbers
    p_value: Numbers


#: A direction, its genes, and the scores of the terms.
_Side: TypeAlias = tuple[str | None, Ids, _Scores]


class _Test:
    """The test of terms by a model, with its null."""

    def __init__(
        self,
        model: Model,
        terms: Terms,
        background: Background,
        *,
        min_size: int = MIN_SIZE,
        max_size: int | None = None,
        draws: int = DRAWS,
        random_state: int = 0,
        progress: Progress | None = None,
    ) -> None:
        if draws < 2 * 10:
            raise ValueError(f"draws must be 20 or more, not {draws}")
        self.model, self.background = model, background
        self.draws, self.random_state, self.progress = draws, random_state, progress
        self.sizes = {"min_size": min_size, "max_size": max_size}
        of_gene, self.popularity = popularity(model, terms)
        self.terms = terms.within(background.any, min_size, max_size, what="the background")
        self.strata = strata(of_gene, background.any)

    def statistic(self, sets: list[Ids]) -> tuple[Floats, Floats]:
        """(terms, sets) scores, and the (sets, genes) signatures."""
        of_genes = signatures(self.model, sets)
        total = self.terms.members @ of_genes.T
        return np.asarray(total / self.terms.sizes[:, None], np.float32), of_genes

    def scores(self, ids: Ids, task: str) -> _Scores:
        """The scores of the terms for one set."""
        null = null_of(
            self.model,
            self.terms,
            self.strata,
            profile(self.strata, ids),
            lambda sets: self.statistic(sets)[0],
            draws=self.draws,
            random_state=self.random_state,
            progress=self.progress,
            text=task,
        )
        scores, signature = self.statistic([ids])
        # In 32 bits before, as the null is: a tie must be one.
        score = scores[:, 0].astype(np.float64)
        return _Scores(signature[0], score, *null.judge(score))

    def result(
        self, query: InputGenes, sides: list[_Side], top: int | None, **more: Any
    ) -> Enrichment:
        """The result for one set or several."""
        terms, n = self.terms, len(self.terms.source)
        overlap, genes, predicted = [], [], []
        for _, ids, scores in sides:
            chosen = np.zeros(len(terms.vocabulary), np.float32)
            chosen[ids] = 1
            overlap.append(np.rint(terms.members @ chosen).astype(np.int64))
            genes.append(symbols_in(terms, ids))
            predicted.append(_predicted_members(terms, ids, scores.signature))
        joined = {
            name: np.concatenate([getattr(scores, name) for _, _, scores in sides])
            for name in ("score", "z_score", "p_value")
        }
        columns: dict[str, Any] = {
            "direction": [name for name, _, _ in sides for _ in range(n)],
            **joined,
            "overlap": np.concatenate(overlap),
            "predicted_members": lambda row: predicted[row // n](row % n),
            "genes": lambda row: genes[row // n](row % n),
        }
        if sides[0][0] is None:
            del columns["direction"]
        null = {
            "sets": self.draws,
            "random_state": self.random_state,
            "matched_on": ["size", self.popularity],
            "strata": [len(group) for group in self.strata],
        }
        return finish(
            "model",
            terms,
            query,
            self.background,
            columns,
            COLUMNS,
            order=-joined["z_score"],
            top=top,
            rows=np.tile(np.arange(n), len(sides)),
            model=describe_model(self.model),
            null=null,
            **self.sizes,
            **more,
        )


def _predicted_members(terms: Terms, ids: Ids, signature: Floats) -> Callable[[int], list[str]]:
    """A function from a term to its genes with the largest evidence that are not among `ids`."""
    symbols, members = terms.vocabulary.symbols, terms.members
    predicted = signature > 0
    predicted[ids] = False

    def of_term(row: int) -> list[str]:
        own = members.indices[members.indptr[row] : members.indptr[row + 1]]
        own = own[predicted[own]]
        best = own[np.argsort(-signature[own], kind="stable")[:PREDICTED]]
        return [symbols[g] for g in best]

    return of_term
