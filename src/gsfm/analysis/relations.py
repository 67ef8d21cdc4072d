"""Gene and gene: the nearest genes of one, in what company, and how related two are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, overload

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm.analysis.gene_frequency import popularity
from gsfm.analysis.query import (
    PAPERS,
    Asked,
    Collection,
    Floats,
    Numbers,
    Progress,
    Source,
    collection,
    evidence,
    find_set,
    standard_scores,
)
from gsfm.completion.identifiers import Ids, Understood
from gsfm.completion.ranking import best_genes
from gsfm.completion.result import Result
from gsfm.errors import GsfmError
from gsfm.genes import Species
from gsfm.genes.tables import names_of
from gsfm.models import Model, ModelLike, load_model
from gsfm.sets import GeneSet

#: Genes whose relation is looked at from both sides: the model's best, and twice as many as asked.
SHORTLIST = 100
#: A smaller company says too little.
LEAST_CONTEXT = 3
#: Genes as popular as one, to draw from for the null.
ALIKE = 200
#: A term predicts a gene that the model ranks so high, or higher, for it.
PREDICTED = 100
#: Terms of a library that are asked about one of the two genes, the smallest first.
ASKED_TERMS = 50

RELATION = (
    "mean of two z-scores, so that it is the same both ways: how far each gene stands out among "
    "all genes by the model's score for a set of the other alone; not a test statistic"
)
COLUMNS = {"rank": "place by score; ties are in the order of symbols", "relation": RELATION}
ALONE = {"score": "the relation"}
IN_CONTEXT = {
    "score": "the lesser of relation and context_score: a neighbor in this company is near the "
    "gene and at home in the company",
    "context_score": "z-score of the gene for the context without the gene asked about; of a gene "
    "of the context as if it were left out of it",
    "gain": "what the gene asked about adds: z-score for the context with it, less that without",
    "in_context": "whether the gene is one of the context",
}
CONTEXT_COLUMNS = {
    "kind": "paper, term, or gene (a gene near both)",
    "how": "both: the set has both genes; else which gene the model predicts for a set that has "
    f"the other alone, and with what rank; or the lesser of a gene's two z-scores. Told are ranks "
    f"up to {PREDICTED}, of the {ASKED_TERMS} smallest terms with one of the two",
    "genes": "genes of the set; small sets, which say most, come first",
}


class Neighbors(Result):
    """The genes nearest to a gene.

    Attributes
    ----------
    table
        One row a gene: ``rank``, ``symbol``, ``name``, ``score``, ``relation``; in a context also
        ``context_score``, ``gain`` and ``in_context``.
    provenance
        The model, the gene, the context, and what the columns mean.
    """

    def _headline(self) -> str:
        p = self.provenance
        where = f" in {p['context']['name']}" if p["context"] else ""
        return f"the {len(self)} genes nearest to {p['gene']}{where}; model {p['model']['name']}"


class Relation(Result):
    """How related two genes are, and through what.

    Attributes
    ----------
    table
        The contexts that the two share, papers, then terms, then genes: ``kind``, ``name``,
        ``description``, ``year``, ``genes``, ``how``, ``link``.
    relation
        ``relation``, the z-scores and ranks of both directions, the p-value and its null.
    """

    def __init__(
        self,
        table: pl.DataFrame,
        provenance: dict[str, Any],
        *,
        given: Understood,
        relation: dict[str, Any],
    ) -> None:
        super().__init__(table, provenance, inputs=given.inputs, resolution=given.resolution)
        self.relation = relation

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON has it: ``relation`` beside the ``results``."""
        whole = super().to_dict()
        results = whole.pop("results")
        return {**whole, "relation": self.relation, "results": results}

    def headline(self) -> str:
        """The relation, the p-value and its null in one line."""
        r, shared = self.relation, self.provenance["shared"]
        a, b = r["genes"]
        return (
            f"{a} and {b}: relation {r['relation']:.3g} ({b} is rank {r['ranks'][0]:,} for {a}, "
            f"{a} rank {r['ranks'][1]:,} for {b}); p = {r['p_value']:.2g} among {r['pairs']:,} "
            f"pairs of the same popularity, whose median is {r['null_median']:.2g}; "
            f"{shared['papers']:,} papers of the embedded corpus have both"
        )

    def _headline(self) -> str:
        return f"{self.headline()}; model {self.provenance['model']['name']}"


@overload
def relate(
    gene: str,
    other: None = None,
    *,
    context: str | Iterable[str] | GeneSet | None = None,
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
    libraries: Iterable[Source] = (),
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
    context: str | Iterable[str] | GeneSet | None = None,
    libraries: Iterable[Source] = (),
    top: int = 20,
    draws: int = 50,
    random_state: int = 0,
    model: ModelLike = None,
    species: Species | None = None,
    progress: Progress | None = None,
) -> Neighbors | Relation:
    r"""Find the genes nearest to a gene, or tell how related two genes are.

    Parameters
    ----------
    gene
        A gene, by any identifier.
    other
        A second gene. Without one the nearest genes are found.
    context
        For the nearest genes: the company that the gene is looked at in; genes by any identifiers,
        or a gene set, such as a term, the markers of a cell type, the genes of a disease. A text is
        the name or the id of a term of a library that comes with gsfm.
    libraries
        For two genes: gene sets to look for shared contexts in, beside the papers of the embedded
        corpus.
    top
        How many genes to return; of two genes, how many contexts of each kind.
    draws
        For two genes: how many genes as popular as each to draw; the null is all pairs of them.
    random_state
        Of the drawing.
    model
        The model to ask: a fitted model, or a model folder; the shipped model if None.
    species
        Where the identifiers come from, as in `gsfm.genes.resolve`.
    progress
        Told how many of how many sets the model has scored.

    Returns
    -------
    Neighbors or Relation
        Of one gene its neighbors, of two their relation.

    Raises
    ------
    UnknownGenesError
        If the model does not know a gene, or fewer than 3 other genes of the context.
    ValueError
        If the two genes are the same, or a setting is out of its range.

    Notes
    -----
    The relation of A and B is :math:`(z_A(B) + z_B(A)) / 2`, with :math:`z_A(B)` the model's score
    of B for the set {A}, less the mean and over the standard deviation of the scores of all genes
    but A. A neighbor of a gene is looked at both ways if it is among the 100 best for the gene,
    or twice as many as `top`.

    In a context C the score of B is the lesser of its relation to the gene and its z-score for C:
    both must be high. What the gene adds to C, ``gain``, is told beside it, but is no measure of
    being a neighbor in C: what the context implies already, nothing can add.

    The p-value of two genes is :math:`(1 + k) / (1 + n)`, for k of n pairs with a relation as large
    or larger. Each pair has one of `draws` genes drawn from the 200 that are closest to A in
    popularity, and one from those closest to B: related by chance, as well-studied genes are
    (Gillis & Pavlidis 2011, doi:10.1371/journal.pone.0017258). It is not corrected for how many
    pairs are asked about. The pairs share genes, so that it is less sure than n pairs drawn one
    by one would make it.

    Examples
    --------
    >>> from gsfm.models import Linear
    >>> from gsfm.sets import GeneSets
    >>> corpus = [["TP53", "MDM2", "CDKN1A"], ["EGFR", "ERBB2", "GRB2"], ["TP53", "BAX"]] * 5
    >>> model = Linear(regularization=1.0).fit(GeneSets.from_lists(corpus))
    >>> relate("p53", top=2, model=model).table["symbol"].to_list()
    ['BAX', 'MDM2']
    >>> relate("TP53", "MDM2", model=model).relation["relation"] > 0
    True
    """
    model = load_model(model)
    if top < 1:
        raise ValueError(f"top must be 1 or more, not {top}")
    if other is None:
        return _neighbors(model, gene, context, top, species, progress)
    if draws < 10:
        raise ValueError(f"draws must be 10 or more, not {draws}")
    return _pair(model, gene, other, list(libraries), top, draws, random_state, species, progress)


# -- the neighbors of a gene ----------------------------------------------------------------------


def _neighbors(
    model: Model,
    gene: str,
    context: str | Iterable[str] | GeneSet | None,
    top: int,
    species: Species | None,
    progress: Progress | None,
) -> Neighbors:
    name = None
    if isinstance(context, str):
        context = find_set(context)
    if isinstance(context, GeneSet):
        told = [str(context.metadata[k]) for k in ("id", "source") if context.metadata.get(k)]
        name = context.name + (f" ({', '.join(told)})" if told else "")
        context = context.genes
    asked = Asked(model, species, gene=[gene], context=context)
    target = asked.gene("gene")
    n = len(model.vocabulary)
    near = standard_scores(model, [np.array([target], np.int32)])[0]
    alone = np.full(n, np.inf, np.float32)
    company: dict[str, Any] | None = None
    if context is not None:
        ids = asked.genes("context", what="the context")
        ids = asked.genes(
            "context",
            least=LEAST_CONTEXT + int(target in ids),
            what="the context",
        )
        ids = ids[ids != target]
        alone, added = _company(model, ids, target)
        name = name or f"the company of {len(ids):,} genes"
        company = {"name": name, "genes": len(ids)}
    pool = np.flatnonzero(np.arange(n) != target)
    best = pool[
        best_genes(np.minimum(near, alone)[pool], pool, max(SHORTLIST, 2 * top), model.vocabulary)
    ]
    back = standard_scores(model, [np.array([g], np.int32) for g in best], progress)[:, target]
    relation = (near[best].astype(np.float64) + back) / 2
    score = np.minimum(relation, alone[best])
    order = best_genes(score, best, top, model.vocabulary)
    best = best[order]
    symbols = pl.Series("symbol", [model.vocabulary[int(g)] for g in best], dtype=pl.String)
    columns = {
        "rank": np.arange(len(best)) + 1,
        "symbol": symbols,
        "name": names_of(symbols),
        "score": score[order],
        "relation": relation[order],
    }
    if company is not None:
        columns["context_score"] = alone[best].astype(np.float64)
        columns["gain"] = added[best].astype(np.float64)
        columns["in_context"] = np.isin(best, ids)
    provenance = asked.provenance(
        "relate",
        gene=model.vocabulary[target],
        context=company,
        shortlist=max(SHORTLIST, 2 * top),
        top=top,
        columns={**COLUMNS, **(ALONE if company is None else IN_CONTEXT)},
    )
    given = asked.given
    return Neighbors(
        pl.DataFrame(columns), provenance, inputs=given.inputs, resolution=given.resolution
    )


def _company(model: Model, ids: Ids, gene: int) -> tuple[Floats, Floats]:
    """(genes,) z-scores for a context, and what a gene adds to them; of members left out."""

    alone, together = evidence(model, [ids, np.union1d(ids, [gene]).astype(np.int32)])
    return alone, together - alone


# -- two genes -------------------------------------------------------------------------------------


def _pair(
    model: Model,
    gene: str,
    other: str,
    libraries: list[Source],
    top: int,
    draws: int,
    random_state: int,
    species: Species | None,
    progress: Progress | None,
) -> Relation:
    asked = Asked(model, species, gene=[gene], other=[other])
    a, b = asked.gene("gene"), asked.gene("other")
    vocabulary = model.vocabulary
    names = [vocabulary[a], vocabulary[b]]
    if a == b:
        raise ValueError(f"{gene} and {other} are both {names[0]}; give two genes")
    popular, counted = popularity(model)
    rng = np.random.default_rng(random_state)
    like_a, like_b = (_alike(popular, one, (a, b), draws, rng) for one in (a, b))
    genes = np.unique([a, b, *like_a, *like_b])
    z = standard_scores(model, [np.array([g], np.int32) for g in genes], progress)
    at = {int(g): i for i, g in enumerate(genes)}
    z_a, z_b = z[at[a]], z[at[b]]
    relation = float(z_a[b] + z_b[a]) / 2
    there = z[[at[int(g)] for g in like_a]][:, like_b]
    back = z[[at[int(g)] for g in like_b]][:, like_a]
    null = (there + back.T) / 2
    null = null[like_a[:, None] != like_b]
    if not len(null):
        raise GsfmError("the model knows too few genes to draw pairs from")
    p = (1 + int((null >= relation).sum())) / (1 + len(null))
    table, shared = _contexts(model, libraries, a, b, z_a, z_b, top)
    found = {
        "genes": names,
        "relation": relation,
        "z_scores": [float(z_a[b]), float(z_b[a])],
        "ranks": [int((z_a > z_a[b]).sum() + 1 - (z_a[a] > z_a[b])),
                  int((z_b > z_b[a]).sum() + 1 - (z_b[b] > z_b[a]))],
        "p_value": p,
        "pairs": len(null),
        "null_median": float(np.median(null)),
        "popularity": [float(popular[a]), float(popular[b])],
    }  # fmt: skip
    provenance = asked.provenance(
        "relate",
        relation=RELATION,
        null={
            "model": f"pairs of genes as popular: each of {draws} genes drawn from the {ALIKE} "
            "closest in popularity to the one, with each of as many for the other; "
            "p = (1 + pairs as related or more) / (1 + pairs), one-sided, not corrected",
            "popularity": counted,
            "random_state": random_state,
        },
        shared=shared,
        top=top,
        columns=CONTEXT_COLUMNS,
    )
    return Relation(table, provenance, given=asked.given, relation=found)


def _alike(
    popular: Numbers, gene: int, never: tuple[int, int], draws: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw genes as popular as one."""
    distance = np.abs(popular - popular[gene])
    distance[list(never)] = np.inf
    # Many genes are equally popular: among these, any.
    order = np.lexsort((rng.permutation(len(distance)), distance))
    order = order[np.isfinite(distance[order])][: max(ALIKE, draws)]
    return np.sort(rng.choice(order, min(draws, len(order)), replace=False))


def _contexts(
    model: Model, libraries: list[Source], a: int, b: int, z_a: Floats, z_b: Floats, top: int
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """The sets that two genes share, and how many there are."""
    papers = collection(PAPERS, model.vocabulary)
    both = np.intersect1d(papers.holding(a), papers.holding(b))
    parts = [_rows(papers, "paper", _smallest(papers, both)[:top], None)]
    shared: dict[str, Any] = {"papers": len(both), "corpus": papers.about, "libraries": []}
    for source in libraries:
        terms = collection(source, model.vocabulary)
        both = np.intersect1d(terms.holding(a), terms.holding(b))
        shared["libraries"].append({**terms.about, "both": len(both)})
        parts.append(_rows(terms, "term", _smallest(terms, both)[:top], None))
        parts.append(_predicted(model, terms, a, b, top))
    lesser = np.minimum(z_a, z_b).astype(np.float64)
    lesser[[a, b]] = -np.inf
    near = best_genes(lesser, np.arange(len(lesser)), top, model.vocabulary)
    near = near[lesser[near] > 0]
    names = pl.Series([model.vocabulary[int(g)] for g in near], dtype=pl.String)
    parts.append(
        pl.DataFrame(
            {
                "kind": pl.Series(["gene"] * len(near), dtype=pl.String),
                "name": names,
                "description": names_of(names),
                "year": pl.Series([None] * len(near), dtype=pl.Int64),
                "genes": pl.Series([None] * len(near), dtype=pl.Int64),
                "how": pl.Series([f"near both: {lesser[g]:.3g}" for g in near], dtype=pl.String),
                "link": pl.Series([None] * len(near), dtype=pl.String),
            }
        )
    )
    return pl.concat(parts), shared


def _smallest(found: Collection, rows: NDArray[Any]) -> NDArray[np.int64]:
    """Rows of sets, the smallest first."""
    rows = np.asarray(rows, np.int64)
    return rows[np.argsort(found.sets.sizes[rows], kind="stable")]


def _rows(
    found: Collection, kind: str, rows: NDArray[np.int64], how: list[str] | None
) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "kind": pl.Series([kind] * len(rows), dtype=pl.String),
            "name": found.column("name").gather(rows).cast(pl.String),
            "description": found.column("description").gather(rows).cast(pl.String),
            "year": found.column("year").gather(rows).cast(pl.Int64, strict=False),
            "genes": found.sets.sizes[rows],
            "how": pl.Series(how or ["both"] * len(rows), dtype=pl.String),
            "link": found.column("link").gather(rows).cast(pl.String),
        }
    )


def _predicted(model: Model, terms: Collection, a: int, b: int, top: int) -> pl.DataFrame:
    """Terms that have one of two genes, and that the model predicts the other for."""
    one = _smallest(terms, np.setxor1d(terms.holding(a), terms.holding(b)))
    one = one[terms.sets.sizes[one] >= LEAST_CONTEXT][:ASKED_TERMS]
    z = standard_scores(model, [terms.sets.ids(int(row)) for row in one])
    found = []
    for i, row in enumerate(one):
        ids = terms.sets.ids(int(row))
        missing = b if a in ids else a
        z[i, ids] = -np.inf
        rank = int((z[i] > z[i, missing]).sum()) + 1
        if rank <= PREDICTED:
            found.append((rank, int(row), f"{model.vocabulary[missing]} predicted, rank {rank}"))
    found.sort(key=lambda each: each[0])
    found = found[:top]
    rows = np.array([row for _, row, _ in found], np.int64)
    return _rows(terms, "term", rows, [how for _, _, how in found])
