"""Relations of genes: the nearest genes of one, also in a context, and the relation of two."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, overload

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm.analysis.gene_frequency import empirical_p_value, popularity
from gsfm.analysis.query import Query, check_least, singles, standard_scores
from gsfm.analysis.sources import PAPERS, Collection, Source, collection, read_context
from gsfm.analysis.terms import listed
from gsfm.completion.identifiers import Ids
from gsfm.completion.inputs import GenesLike, as_identifiers
from gsfm.completion.ranking import best_genes
from gsfm.completion.result import Result, gene_columns
from gsfm.errors import GsfmError, count
from gsfm.genes import Species
from gsfm.models import Model, ModelLike, load_model
from gsfm.models.evidence import evidence
from gsfm.models.types import Floats, Numbers
from gsfm.progress import Progress
from gsfm.sets import GeneSet

#: Genes whose relation is computed in both directions: so many, or twice `top`, of the best.
SHORTLIST = 100
#: The smallest context, in genes.
LEAST_CONTEXT = 3
#: Genes of similar popularity, from which the null is drawn.
ALIKE = 200
#: A gene is predicted for a term if the model ranks it so high.
PREDICTED = 100
#: Terms of a library with one of the two genes that are scored, the smallest first.
SCORED_TERMS = 50

RELATION = (
    "mean of two z-scores: of each gene among all genes, by the model's score for the set of the "
    "other gene; not a test statistic"
)
COLUMNS = {"rank": "rank by score; ties are in the order of symbols", "relation": RELATION}
ALONE = {"score": "the relation"}
IN_CONTEXT = {
    "score": "the smaller of relation and context_score: both must be high",
    "context_score": "z-score for the context without the query gene; leave-one-out for its genes",
    "gain": "effect of the query gene: z-score for the context with it, less that without it",
    "in_context": "whether the gene is one of the context",
}
CONTEXT_COLUMNS = {
    "kind": "paper, term, or gene (a gene near both)",
    "how": "both: the set has both genes; else the gene that the model predicts for a set with the "
    f"other gene, with its rank (up to {PREDICTED}, for the {SCORED_TERMS} smallest terms with one "
    "of the two); or the smaller of a gene's two z-scores",
    "genes": "genes of the set; small sets, which are most specific, come first",
}


class Neighbors(Result):
    """The genes nearest to a gene, the nearest first."""

    def _headline(self) -> str:
        p = self.provenance
        where = f" in {p['context']['name']}" if p["context"] else ""
        nearest = f"{count(len(self), 'gene')} nearest to {p['gene']}{where}"
        return f"{nearest}; model {p['model']['name']}"


class Relation(Result):
    """The relation of two genes, and the contexts that they share.

    Attributes
    ----------
    table
        The shared contexts: papers, then terms, then genes; ``kind``, ``name``,
        ``description``, ``year``, ``genes``, ``how``, ``link``.
    relation
        ``relation``, the z-scores and ranks of both directions, the p-value and its null.
    """

    relation: dict[str, Any]

    def headline(self) -> str:
        """The relation, the p-value and its null in one line."""
        r, papers = self.relation, self.provenance["shared"]["papers"]
        a, b = r["genes"]
        return (
            f"{a} and {b}: relation {r['relation']:.3g} ({b} is rank {r['ranks'][0]:,} for {a}, "
            f"{a} rank {r['ranks'][1]:,} for {b}); p = {r['p_value']:.2g} among {r['pairs']:,} "
            f"pairs of similar popularity, whose median is {r['null_median']:.2g}; "
            f"{papers:,} papers of the embedded corpus have both"
        )

    def _headline(self) -> str:
        return f"{self.headline()}; model {self.provenance['model']['name']}"


@overload
def relate(
    gene: str,
    other: None = None,
    *,
    context: GenesLike | None = None,
    libraries: Source | Iterable[Source] = (),
    top: int = 20,
    model: ModelLike = None,
    species: Species | None = None,
    progress: Progress | None = None,
) -> Neighbors: ...
@overload
def relate(
    gene: str,
    other: str,
    *,
    libraries: Source | Iterable[Source] = (),
    top: int = 20,
    draws: int = 50,
    random_state: int = 0,
    model: ModelLike = None,
    species: Species | None = None,
    progress: Progress | None = None,
) -> Relation: ...
def relate(
    gene: str,
    other: str | None = None,
    *,
    context: GenesLike | None = None,
    libraries: Source | Iterable[Source] = (),
    top: int = 20,
    draws: int = 50,
    random_state: int = 0,
    model: ModelLike = None,
    species: Species | None = None,
    progress: Progress | None = None,
) -> Neighbors | Relation:
    r"""Find the genes nearest to a gene, or compute the relation of two genes.

    Parameters
    ----------
    gene
        A gene: an identifier of any kind.
    other
        A second gene. Without it, the nearest genes are found.
    context
        For the nearest genes: the genes of the context, such as a term, the markers of a cell type
        or the genes of a disease. A list of identifiers, a gene set, the path of a file of genes,
        or the name or identifier of a term. A text can also be identifiers, separated by commas.
    libraries
        For two genes: gene sets to search for shared contexts, besides the papers of the embedded
        corpus. For a context: the library of its term; all libraries by default.
    top
        Number of genes to return; for two genes, number of contexts of each kind.
    draws
        For two genes: number of genes of similar popularity to draw for each; the null is all pairs
        of them.
    random_state
        Seed of the drawing.
    model, species, progress
        As in `complete`.

    Returns
    -------
    Neighbors or Relation
        The neighbors of one gene, or the relation of two.

    Raises
    ------
    UnknownGenesError
        If the model does not know a gene, or fewer than 3 other genes of the context.
    GsfmError
        If the two genes are the same, or the text of a context is neither genes nor a term, or
        both.
    ValueError
        If a parameter is out of its range.

    Notes
    -----
    The relation of A and B is :math:`(z_A(B) + z_B(A)) / 2`, with :math:`z_A(B)` the model's score
    of B for the set {A}, less the mean and over the standard deviation of the scores of all genes
    but A. The neighbors of a gene are searched among the 100 best genes by :math:`z_A`, or twice as
    many as `top` if that is more.

    In a context C the score of B is the smaller of its relation to the gene and its z-score for C:
    both must be high. The ``gain`` is no measure of a neighbor in C: the gene cannot raise the
    score of what the context predicts already.

    The p-value of two genes is :math:`(1 + k) / (1 + n)`, for k of n pairs with a relation as large
    or larger. Each pair has one of `draws` genes drawn from the 200 that are closest to A in
    popularity, and one from those closest to B: well-studied genes are related by chance
    (Gillis & Pavlidis 2011, doi:10.1371/journal.pone.0017258). It is not corrected for the number
    of pairs that are tested. The pairs share genes, so that it is less precise than with n
    independent pairs.

    Examples
    --------
    >>> relate("GSK3B", top=3).table["symbol"].to_list()
    ['GSK3A', 'APC', 'AXIN1']
    >>> relate("TP53", "MDM2").relation["p_value"] < 0.001
    True
    """
    model = load_model(model)
    check_least(1, top=0 if top is None else top)
    check_least(0, random_state=random_state)
    if other is None:
        if isinstance(context, str | Path):
            places = listed(libraries)
            if len(places) > 1:
                raise ValueError("the term of a context is looked up in one library")
            source = places[0] if places else None
            context = read_context(context, model.vocabulary, source, species)
        return _neighbors(model, gene, context, top, species, progress)
    if context is not None:
        raise ValueError("context is for the neighbors of one gene; leave out other")
    check_least(10, draws=draws)
    query = Query.of(model, species, gene=[gene], other=[other])
    return _pair(query, listed(libraries), top, draws, random_state, progress)


# -- the neighbors of a gene ----------------------------------------------------------------------


def _neighbors(
    model: Model,
    gene: str,
    context: GenesLike | None,
    top: int,
    species: Species | None,
    progress: Progress | None,
) -> Neighbors:
    name = None
    files: Any = {}
    if isinstance(context, GeneSet):
        files = {k: context.metadata[k] for k in ("read",) if k in context.metadata}
        known = ("id", "source", "others")
        labels = [str(context.metadata[k]) for k in known if context.metadata.get(k)]
        name = context.name + (f" ({', '.join(labels)})" if labels else "")
        context = context.genes
    if context is not None:
        context = as_identifiers(context, "the context")
    query = Query.of(model, species, gene=[gene], context=context)
    target = query.gene("gene")
    near = standard_scores(model, singles([target]))[0]
    context_score = np.full(len(near), np.inf, np.float32)
    about: dict[str, Any] | None = None
    if context is not None:
        ids = query.genes("context", what="the context")
        least = LEAST_CONTEXT + int(target in ids)
        ids = query.genes("context", least=least, what="the context")
        ids = ids[ids != target]
        context_score, with_gene = evidence(model, [ids, np.union1d(ids, [target])])
        name = name or f"the context of {len(ids):,} genes"
        about = {"name": name, "genes": len(ids), **files}
    pool = np.delete(np.arange(len(near)), target)
    shortlist = max(SHORTLIST, 2 * top)
    key = np.minimum(near, context_score)[pool]
    genes = pool[best_genes(key, pool, shortlist, model.vocabulary)]
    back = standard_scores(model, singles(genes), progress)[:, target]
    relation = (near[genes].astype(np.float64) + back) / 2
    score = np.minimum(relation, context_score[genes])
    order = best_genes(score, genes, top, model.vocabulary)
    genes = genes[order]
    columns = {
        **gene_columns(model.vocabulary, genes, rank=True),
        "score": score[order],
        "relation": relation[order],
    }
    if about is not None:
        columns["context_score"] = context_score[genes].astype(np.float64)
        columns["gain"] = (with_gene - context_score)[genes].astype(np.float64)
        columns["in_context"] = np.isin(genes, ids)
    table, descriptions = pl.DataFrame(columns), ALONE if about is None else IN_CONTEXT
    more = {"gene": model.vocabulary[target], "context": about, "shortlist": shortlist, "top": top}
    return query.result(Neighbors, "relate", table, COLUMNS | descriptions, **more)


# -- two genes -------------------------------------------------------------------------------------


def _pair(
    query: Query,
    libraries: Iterable[Source],
    top: int,
    draws: int,
    random_state: int,
    progress: Progress | None,
) -> Relation:
    model, a, b = query.model, query.gene("gene"), query.gene("other")
    names = [model.vocabulary[a], model.vocabulary[b]]
    if a == b:
        raise GsfmError(f"the two genes are both {names[0]}; give two different genes")
    popular, counted = popularity(model)
    rng = np.random.default_rng(random_state)
    like_a, like_b = (_alike(popular, one, (a, b), draws, rng) for one in (a, b))
    genes = np.unique([a, b, *like_a, *like_b])
    z = standard_scores(model, singles(genes), progress)
    at_a, at_b = np.searchsorted(genes, like_a), np.searchsorted(genes, like_b)
    z_a, z_b = z[np.searchsorted(genes, [a, b])]
    relation = float(z_a[b] + z_b[a]) / 2
    pairs = (z[at_a][:, like_b] + z[at_b][:, like_a].T) / 2
    pairs = pairs[like_a[:, None] != like_b]
    if not len(pairs):
        raise GsfmError("the model knows too few genes to draw pairs from")
    table, shared = _contexts(model, libraries, a, b, z_a, z_b, top)
    numbers = {
        "genes": names,
        "relation": relation,
        "z_scores": [float(z_a[b]), float(z_b[a])],
        "ranks": [_rank(z_a, a, b), _rank(z_b, b, a)],
        "p_value": empirical_p_value(relation, pairs),
        "pairs": len(pairs),
        "null_median": float(np.median(pairs)),
        "popularity": [float(popular[a]), float(popular[b])],
    }
    null_model = (
        f"pairs of genes of similar popularity: {draws} genes drawn from the {ALIKE} closest in "
        "popularity to one gene, each with as many for the other; p = (1 + pairs with such a "
        "relation or a larger one) / (1 + pairs), one-sided, not corrected"
    )
    null = {"model": null_model, "popularity": counted, "random_state": random_state}
    more: dict[str, Any] = {"relation": RELATION, "null": null, "shared": shared, "top": top}
    parts = {"relation": numbers}
    return query.result(Relation, "relate", table, CONTEXT_COLUMNS, parts=parts, **more)


def _rank(z: Floats, members: Ids | int, gene: int) -> int:
    """The rank of a gene among all genes that are not `members`."""
    return int((np.delete(z, members) > z[gene]).sum()) + 1


def _alike(
    popular: Numbers, gene: int, never: tuple[int, int], draws: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw genes of similar popularity."""
    distance = np.abs(popular - popular[gene])
    distance[list(never)] = np.inf
    # Genes of equal popularity are in a random order.
    order = np.lexsort((rng.permutation(len(distance)), distance))
    order = order[np.isfinite(distance[order])][: max(ALIKE, draws)]
    return np.sort(rng.choice(order, min(draws, len(order)), replace=False))


def _contexts(
    model: Model, libraries: Iterable[Source], a: int, b: int, z_a: Floats, z_b: Floats, top: int
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """The contexts that two genes share, and their numbers."""
    parts, abouts = [], []
    for kind, source in [("paper", PAPERS), *(("term", source) for source in libraries)]:
        sets = collection(source, model.vocabulary)
        both = _smallest(sets, np.intersect1d(sets.having(a), sets.having(b)))
        parts.append(_rows(sets, kind, both[:top], ["both"] * len(both[:top])))
        if kind == "term":
            parts.append(_predicted(model, sets, a, b, top))
        abouts.append({**sets.about, "both": len(both)})
    papers, *terms = abouts
    shared = {"papers": papers.pop("both"), "corpus": papers, "libraries": terms}
    smaller = np.minimum(z_a, z_b).astype(np.float64)
    smaller[[a, b]] = -np.inf
    near = best_genes(smaller, np.arange(len(smaller)), top, model.vocabulary)
    near = near[smaller[near] > 0]
    symbols = gene_columns(model.vocabulary, near)
    how = pl.Series([f"near both: {smaller[g]:.3g}" for g in near], dtype=pl.String)
    own = {"name": symbols["symbol"], "description": symbols["name"], "how": how}
    parts.append(pl.DataFrame(own).with_columns(kind=pl.lit("gene")))
    table = pl.concat(parts, how="diagonal")
    return table.select("kind", "name", "description", "year", "genes", "how", "link"), shared


def _smallest(sets: Collection, rows: NDArray[np.int32]) -> NDArray[np.int32]:
    """Rows of sets, the smallest set first."""
    return rows[np.argsort(sets.sets.sizes[rows], kind="stable")]


def _rows(sets: Collection, kind: str, rows: NDArray[Any], how: list[str]) -> pl.DataFrame:
    columns = sets.columns(rows, name="name", description="description", year="year", link="link")
    own = {"genes": sets.sets.sizes[rows], "how": pl.Series(how, dtype=pl.String)}
    return pl.DataFrame({**columns, **own}).with_columns(kind=pl.lit(kind))


def _predicted(model: Model, terms: Collection, a: int, b: int, top: int) -> pl.DataFrame:
    """Terms that have one of two genes, and for which the model predicts the other."""
    rows = _smallest(terms, np.setxor1d(terms.having(a), terms.having(b)))
    rows = rows[terms.sets.sizes[rows] >= LEAST_CONTEXT][:SCORED_TERMS]
    members = [terms.sets.ids(int(row)) for row in rows]
    missing = [b if a in ids else a for ids in members]
    ranks = np.array(list(map(_rank, standard_scores(model, members), members, missing)), np.int64)
    order = np.argsort(ranks, kind="stable")
    order = order[ranks[order] <= PREDICTED][:top]
    how = [f"{model.vocabulary[missing[i]]} predicted, rank {ranks[i]}" for i in order]
    return _rows(terms, "term", rows[order], how)
