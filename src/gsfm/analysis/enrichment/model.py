"""Model-based enrichment: which terms a set's completed signature speaks for.

Over-representation sees the genes that a set and a term share. A model sees more: what the set's
genes keep company with. Here the model's evidence for every gene is averaged over the genes of each
term, and compared with what random sets of genes as popular as the given ones get.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm.analysis.enrichment.common import (
    COLUMNS,
    Background,
    BackgroundLike,
    Enrichment,
    Given,
    finish,
    symbols_in,
)
from gsfm.analysis.enrichment.null import (
    Floats,
    Ids,
    Numbers,
    null_of,
    popularity,
    profile,
    strata,
)
from gsfm.analysis.terms import MIN_SIZE, LibrariesLike, Terms, load_terms
from gsfm.completion.scorer import model_told
from gsfm.errors import GsfmError, UnknownGenesError
from gsfm.genes import Species
from gsfm.genes.rankings import RankedLike, pairs
from gsfm.models import Model, ModelLike, load_model
from gsfm.models.evidence import rows_of
from gsfm.progress import Progress

DRAWS = 200
TOP_GENES = 100
#: Bounds of a gene's evidence, in standard deviations. A few genes that a set is sure of, or that
#: no set is like, should not decide about a term: its genes should, together.
LOWEST, HIGHEST = -2.0, 4.0
#: Genes that are named of a term although they were not given.
IMPLIED = 5

SCORE = (
    "mean over the term's genes of the model's evidence for each: its score less the mean, over "
    "the standard deviation, of all genes that were not given, bounded to -2 and 4; that of a "
    "given gene is leave-one-out"
)
Z_SCORE = "score less its mean, over its standard deviation, among the random sets; ranks the terms"
P_VALUE = (
    "chance of so large a score for a random set of as many genes that are as popular, drawn from "
    "the background: the share of the random sets where 10 or more do as well, else the tail of a "
    "generalized Pareto distribution with the shape 0.1, fitted to their upper tenth"
)
NULL_RANK = "place among all terms tested; 1 has the largest z_score"
IMPLIED_IS = "the term's genes that were not given and for which the evidence is best"
DIRECTION = "whether the genes with the largest (up) or the smallest (down) statistics were asked"


def by_model(
    genes: Iterable[str],
    libraries: LibrariesLike = None,
    *,
    background: BackgroundLike = "all",
    top: int | None = 100,
    min_size: int = MIN_SIZE,
    max_size: int | None = None,
    draws: int = DRAWS,
    random_state: int = 0,
    model: ModelLike = None,
    species: Species | None = None,
    progress: Progress | None = None,
) -> Enrichment:
    r"""Model-based enrichment: the terms that a set's completed signature speaks for.

    A term may be found that shares no gene with the set.

    Parameters
    ----------
    genes
        Identifiers of any kind.
    libraries
        One library or several: names, paths or `GeneSets`; all that there are if None.
    background
        The genes that could have been found: random sets are drawn from them, the terms are their
        genes among them, and given genes that are not among them are left out and reported.
        ``"all"``: those that the model knows. ``"library"``: those in any term of the libraries.
        Or identifiers, such as the genes that an assay measured.
    top
        How many terms to return; all if None.
    min_size, max_size
        Terms with fewer or more genes of the background are not tested.
    draws
        Random sets in the null. They are remembered in the process for sets of the same size and
        popularity.
    random_state
        Of the random sets.
    model
        The model to ask: a fitted model, or a model folder; the shipped model if None.
    species
        Where the identifiers come from, as in `gsfm.genes.resolve`.
    progress
        Called with what is being done, how much of it is done, and how much there is.

    Returns
    -------
    Enrichment
        Columns ``score``, ``z_score``, ``overlap``, ``predicted_members`` and ``genes``, beside the
        common ones.

    Raises
    ------
    UnknownGenesError
        If the model knows no gene of the set, or none is in the background.
    GsfmError
        If there is no such library, or no term has enough genes of the background.

    Notes
    -----
    The score of a term :math:`t` is :math:`T_t = \frac{1}{|t|} \sum_{g \in t} e_g`, with the
    evidence :math:`e_g`. Under the null the genes are as many as are given of each stratum of
    popularity, at random. The p-value of a set that is such a random one is uniform. A set of genes
    that belong together, in whatever way, is not: many terms are significant then, and their order
    says which way it is.

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
    given = Given(terms.vocabulary, genes, species, of, model=True)
    asked = _Asked(model, terms, of, min_size, max_size, draws, random_state, progress)
    found = asked.about(given.ids, "random sets")
    return asked.report(given, [(None, given.ids, found)], top)


def by_model_ranked(
    ranked: RankedLike,
    libraries: LibrariesLike = None,
    *,
    top_genes: int = TOP_GENES,
    background: BackgroundLike | None = None,
    top: int | None = 100,
    min_size: int = MIN_SIZE,
    max_size: int | None = None,
    draws: int = DRAWS,
    random_state: int = 0,
    model: ModelLike = None,
    species: Species | None = None,
    progress: Progress | None = None,
) -> Enrichment:
    """Model-based enrichment of a ranked list, such as that of a differential expression.

    The genes with the largest positive statistics make one set, those with the smallest negative
    ones another; each is asked about as `by_model` does, and the table has a row a term and
    direction.

    Parameters
    ----------
    ranked
        Identifiers with their statistics: a mapping, pairs, or a Polars table of two columns.
        Of a gene that is there twice the statistic furthest from 0 counts.
    top_genes
        Genes of each of the two sets. Genes with a statistic of 0 are in neither.
    background
        As in `by_model`; the genes of the list if None.
    libraries, top, min_size, max_size, draws, random_state, species, progress
        As in `by_model`.
    model
        The model to ask: a fitted model, or a model folder; the shipped model if None.

    Returns
    -------
    Enrichment
        As `by_model` does, with a column ``direction``: ``up`` or ``down``. The false discovery
        rate is over both.

    Raises
    ------
    UnknownGenesError, GsfmError
        As `by_model` does; and if the list is empty or a statistic is no number.

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
    of = Background(terms, symbols if background is None else background, species)
    if background is None:
        of.kind, of.told = "list", f"the {int(of.any.sum()):,} genes of the list"
    given = Given(terms.vocabulary, symbols, species, of, model=True)
    asked = _Asked(model, terms, of, min_size, max_size, draws, random_state, progress)
    ids, values = by_gene(given.of_input, statistics)
    sides: list[_Side] = []
    direction: list[str | None] = [None] * len(symbols)
    for name, sign in (("up", 1), ("down", -1)):
        order = np.argsort(-sign * values, kind="stable")[:top_genes]
        chosen = np.sort(ids[order[sign * values[order] > 0]])
        for i in np.flatnonzero(np.isin(given.of_input, chosen)):
            direction[i] = name
        if len(chosen):
            sides.append((name, chosen, asked.about(chosen, f"random sets ({name})")))
    if not sides:
        raise UnknownGenesError("no gene of the list with a statistic other than 0 is known")
    given.inputs = given.inputs.with_columns(
        pl.Series("statistic", statistics), pl.Series("direction", direction, pl.String)
    )
    given.told |= {str(name): len(chosen) for name, chosen, _ in sides}
    return asked.report(given, sides, top, top_genes=top_genes)


def by_gene(of_input: Ids, statistics: Numbers) -> tuple[Ids, Numbers]:
    """The genes of a ranked list and their statistics: of several the one furthest from 0."""
    order = np.argsort(-np.abs(statistics), kind="stable")
    order = order[of_input[order] >= 0]
    ids, first = np.unique(of_input[order], return_index=True)
    return ids, statistics[order[first]]


def signatures(model: Model, sets: list[Ids]) -> Floats:
    """(n, genes) the bounded evidence for every gene, that of a set's own genes without them."""
    members = model.encode(sets)
    of_genes, of_members = model.evidence(members)
    if not (np.isfinite(of_genes).all() and np.isfinite(of_members).all()):
        raise GsfmError("the model gave scores that are not finite numbers; is it damaged?")
    evidence = np.array(of_genes, np.float32)
    # A single gene leaves no set to tell it from.
    alone = np.diff(members.indptr)[rows_of(members)] == 1
    evidence[rows_of(members), members.indices] = np.where(alone, 0, of_members)
    return np.clip(evidence, LOWEST, HIGHEST, out=evidence)


class _Found(NamedTuple):
    """What one set's signature says of the terms, (terms,) each."""

    signature: Floats  # (genes,)
    score: Numbers
    z_score: Numbers
    p_value: Numbers


#: A direction, its genes, and what was found.
_Side: TypeAlias = tuple[str | None, Ids, _Found]


class _Asked:
    """A model that is asked about terms, with the null."""

    def __init__(
        self,
        model: Model,
        terms: Terms,
        background: Background,
        min_size: int,
        max_size: int | None,
        draws: int,
        random_state: int,
        progress: Progress | None,
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

    def about(self, ids: Ids, text: str) -> _Found:
        """Ask about one set."""
        null = null_of(
            self.model,
            self.terms,
            self.strata,
            profile(self.strata, ids),
            lambda sets: self.statistic(sets)[0],
            draws=self.draws,
            random_state=self.random_state,
            progress=self.progress,
            text=text,
        )
        scores, signature = self.statistic([ids])
        # In 32 bits before, as the null is: a tie must be one.
        score = scores[:, 0].astype(np.float64)
        return _Found(signature[0], score, *null.judge(score))

    def report(
        self,
        given: Given,
        sides: list[_Side],
        top: int | None,
        **more: Any,
    ) -> Enrichment:
        """The table of one set or several."""
        terms, n = self.terms, len(self.terms.source)
        together = {
            name: np.concatenate([getattr(found, name) for _, _, found in sides])
            for name in ("score", "z_score", "p_value")
        }
        overlap, of_genes, predicted_members = [], [], []
        for _, ids, found in sides:
            chosen = np.zeros(len(terms.vocabulary), np.float32)
            chosen[ids] = 1
            overlap.append(np.rint(terms.members @ chosen).astype(np.int64))
            of_genes.append(symbols_in(terms, ids))
            predicted_members.append(_predicted_members(terms, ids, found.signature))
        direction = [name for name, _, _ in sides for _ in range(n)]
        columns: dict[str, tuple[Any, str]] = {}
        if sides[0][0] is not None:
            columns["direction"] = (direction, DIRECTION)
        columns |= {
            "score": (together["score"], SCORE),
            "z_score": (together["z_score"], Z_SCORE),
            "overlap": (np.concatenate(overlap), COLUMNS["overlap"]),
            "predicted_members": (lambda row: predicted_members[row // n](row % n), IMPLIED_IS),
            "genes": (lambda row: of_genes[row // n](row % n), COLUMNS["genes"]),
        }
        return finish(
            "model",
            terms,
            given,
            self.background,
            columns,
            p_values=together["p_value"],
            p_value_is=P_VALUE,
            order=-together["z_score"],
            rank_is=NULL_RANK,
            top=top,
            more={
                "model": model_told(self.model),
                "null": {
                    "sets": self.draws,
                    "random_state": self.random_state,
                    "matched_on": ["size", self.popularity],
                    "strata": [len(group) for group in self.strata],
                },
                **self.sizes,
                **more,
            },
            rows=np.tile(np.arange(n), len(sides)),
        )


def _predicted_members(terms: Terms, ids: Ids, signature: Floats) -> Callable[[int], list[str]]:
    """A function that names the genes of a term that speak for it and were not given."""
    symbols, members = terms.vocabulary.symbols, terms.members
    speaks = signature > 0
    speaks[ids] = False

    def of_term(row: int) -> list[str]:
        own: NDArray[Any] = members.indices[members.indptr[row] : members.indptr[row + 1]]
        own = own[speaks[own]]
        best = own[np.argsort(-signature[own], kind="stable")[:IMPLIED]]
        return [symbols[g] for g in best]

    return of_term
