"""Why a gene for a set: what each gene and each kind of evidence adds, and which papers say so."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import polars as pl

from gsfm.analysis.query import PAPERS, Asked, Collection, collection, standard_scores
from gsfm.completion.identifiers import Ids, Understood
from gsfm.completion.ranking import probability_told
from gsfm.completion.result import Result
from gsfm.errors import GsfmError, UnknownGenesError
from gsfm.genes import Species
from gsfm.genes.tables import names_of
from gsfm.models import Model, ModelLike, load_model
from gsfm.models.attribution import TOLERANCE, Attribution
from gsfm.sets.overlap import p_values

#: A paper has the gene and so many genes of the set: then that they belong together is known.
TOGETHER = 2

COLUMNS = {
    "share": "what the gene adds to the score; the baseline (the score if the set were empty, its "
    "weights and scales held) and the shares of all genes add up to the score",
    "percent": "share, in percent of the score less the baseline; null if that is not above 0",
    "papers": "papers of the embedded corpus with this gene and the one explained",
}
KIND_COLUMNS = {
    "kind": "a member of the model; that is, a kind of evidence",
    "weight": "weight of the evidence for this set",
    "evidence": "how far the gene stands out by this evidence; weight x evidence is the part",
    "part": "what the kind adds to the score; the constant and all parts add up to the score",
    "baseline": "what of the part would be left if the set were empty",
}
PAPER_COLUMNS = {
    "overlap": "genes of the set in the paper, the one explained not counted",
    "p_value": "hypergeometric chance that as many of the paper's other genes, or more, were of "
    "the set, had they been drawn from all genes of the embedded corpus; not corrected for the "
    "number of papers; the same overlap in a larger paper says less",
    "co_membership": f"whether the paper has the gene and {TOGETHER} genes of the set or more",
}


class Explanation(Result):
    """Why a gene for a set.

    Attributes
    ----------
    table
        One row a gene of the set, the largest share first: ``symbol``, ``name``, ``share``,
        ``percent``, ``papers``.
    kinds
        One row a kind of evidence: ``kind``, ``weight``, ``evidence``, ``part``, ``baseline``.
    by_kind
        The share of each gene in each kind of evidence: ``symbol``, ``kind``, ``share``; zeros are
        left out.
    papers
        Papers of the embedded corpus with the gene and one of the set or more, the least likely
        overlap first: ``paper``, ``year``, ``genes`` (in the paper), ``overlap``, ``p_value``,
        ``co_membership``, ``overlap_genes`` (the symbols), ``link``.
    provenance
        ``explained`` has the gene, its score, z-score and rank, the baseline, and what is known of
        gene and set together.
    """

    def __init__(
        self,
        table: pl.DataFrame,
        provenance: dict[str, Any],
        *,
        given: Understood,
        kinds: pl.DataFrame,
        by_kind: pl.DataFrame,
        papers: pl.DataFrame,
    ) -> None:
        super().__init__(table, provenance, inputs=given.inputs, resolution=given.resolution)
        self.kinds, self.by_kind, self.papers = kinds, by_kind, papers

    @property
    def explained(self) -> dict[str, Any]:
        """The gene that was explained: its score, and what the shares add up to."""
        return dict(self.provenance["explained"])

    @property
    def has_co_membership(self) -> bool:
        """Whether a paper of the embedded corpus has the gene and two genes of the set or more."""
        return bool(self.provenance["evidence"]["co_membership"])

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it: ``kinds``, ``by_kind`` and ``papers`` beside the ``results``."""
        whole = super().to_dict()
        results = whole.pop("results")
        tables = {name: getattr(self, name).to_dicts() for name in ("kinds", "by_kind", "papers")}
        return {**whole, "results": results, **tables}

    def headline(self) -> str:
        """The score and what it is made of, in one line."""
        e = self.explained
        given = " (a gene of the set: scored without it)" if e["in_input"] else ""
        chance = "" if e["probability"] is None else f", probability {e['probability']:.3g}"
        return (
            f"{e['symbol']}{given}: score {e['score']:.4g} = {e['baseline']:.4g} (no gene) + "
            f"{e['of_genes']:.4g} (genes of the set); z-score {e['z_score']:.3g}, rank "
            f"{e['rank']:,} of {e['ranked']:,}{chance}"
        )

    def evidence(self) -> str:
        """What the embedded corpus says, in one line."""
        e = self.provenance["evidence"]
        symbol = self.explained["symbol"]
        if not e["papers"]:
            return (
                f"no paper of the embedded corpus has {symbol} and a gene of the set: new, as far "
                "as this corpus goes; the model has learned from other sets too"
            )
        some = f"{e['papers']:,} of {e['of']:,} papers have {symbol} and a gene of the set"
        if e["co_membership"]:
            return (
                f"{some}, {e['co_membership']:,} of them {TOGETHER} genes or more, first in "
                f"{e['first_year']}: known, not new"
            )
        return f"{some}, none of them {TOGETHER} genes or more"

    def _headline(self) -> str:
        return f"{self.headline()}; model {self.provenance['model']['name']}"


def explain(
    gene: str,
    genes: Iterable[str],
    *,
    top: int | None = 20,
    random_state: int = 0,
    model: ModelLike = None,
    species: Species | None = None,
) -> Explanation:
    r"""Tell why a model scores a gene for a set as it does.

    Parameters
    ----------
    gene
        The gene to explain, by any identifier. If it is in the set, it is explained from the rest.
    genes
        The set, by any identifiers.
    top
        How many papers to return; all of them if None.
    random_state
        Of the random orders, for families whose shares are found by these.
    model
        The model to ask: a fitted model, or a model folder; the shipped model if None.
    species
        Where the identifiers come from, as in `gsfm.genes.resolve`.

    Returns
    -------
    Explanation
        The share of each gene of the set, the part of each kind of evidence, and the papers.

    Raises
    ------
    UnknownGenesError
        If the model does not know the gene, or no gene of the set.
    GsfmError
        If the shares do not add up to the score.

    Notes
    -----
    The score of gene j for the set S is

    .. math:: s_j(S) = b + \sum_m w_m e_{mj}(S)
                     = \underbrace{b + \sum_m w_m \beta_m}_{\text{baseline}}
                     + \sum_{i \in S} \sum_m w_m \phi_{mi}

    with the evidence :math:`e_m` of the members of the model (one, of weight 1, for a model that is
    no ensemble), what is left of it without a gene, :math:`\beta_m`, and the share
    :math:`\phi_{mi}` of each gene: exact for what is linear, by integrated gradients for the
    autoencoder (Sundararajan et al. 2017, arXiv:1703.01365). The weights of the set and the
    scale of its scores are held. That the shares add up is checked, to 0.1%.

    The evidence is the embedded corpus: papers, each with the genes it is about. The shipped model
    has learned from other gene sets too, so that a gene may have a high score and no paper.

    Examples
    --------
    >>> from gsfm.models import Linear
    >>> from gsfm.sets import GeneSets
    >>> corpus = [["TP53", "MDM2", "CDKN1A"], ["EGFR", "ERBB2", "GRB2"]] * 5
    >>> model = Linear(regularization=1.0).fit(GeneSets.from_lists(corpus))
    >>> why = explain("MDM2", ["TP53", "CDKN1A", "EGFR"], model=model)
    >>> sorted((symbol, round(p)) for symbol, p in why.table.select("symbol", "percent").rows())
    [('CDKN1A', 50), ('EGFR', 0), ('TP53', 50)]
    >>> why.has_co_membership
    True
    """
    model = load_model(model)
    if top is not None and top < 0:
        raise ValueError(f"top must be 0 or more, not {top}")
    asked = Asked(model, species, gene=[gene], set=genes)
    target = asked.gene("gene")
    ids = asked.genes("set")
    in_input = bool((ids == target).any())
    ids = ids[ids != target]
    symbols = model.vocabulary.symbols
    if not len(ids):
        raise UnknownGenesError(
            f"the set has no known gene but {symbols[target]}; a gene is not explained by itself"
        )
    taken = model.attribution(ids, target, random_state=random_state)
    of_genes = taken.by_gene
    whole = taken.baseline + of_genes.sum()
    error = abs(whole - taken.score)
    if not error <= TOLERANCE * max(1.0, abs(taken.score)):
        raise GsfmError(
            f"the shares add up to {whole:.6g}, but the score is {taken.score:.6g}; "
            "is the model damaged?"
        )
    found = collection(PAPERS, model.vocabulary)
    papers, both = _papers(found, ids, target, symbols)
    order = np.lexsort((np.array([symbols[i] for i in ids]), -of_genes))
    names = pl.Series("symbol", [symbols[ids[i]] for i in order], dtype=pl.String)
    rise = of_genes.sum()
    # Of a set that speaks against the gene there is nothing to have a share of.
    percent = [float(100 * share / rise) if rise > 0 else None for share in of_genes[order]]
    table = pl.DataFrame(
        {
            "symbol": names,
            "name": names_of(names),
            "share": of_genes[order],
            "percent": pl.Series(percent, dtype=pl.Float64),
            "papers": both[order],
        }
    )
    provenance = asked.provenance(
        "explain",
        explained={
            "symbol": symbols[target],
            "in_input": in_input,
            **_standing(model, ids, target),
            "score": taken.score,
            "baseline": taken.baseline,
            "of_genes": float(rise),
            "error": float(error),
        },
        evidence={
            "corpus": found.about,
            "papers": papers.height,
            "of": len(found.sets),
            "co_membership": int(papers["co_membership"].sum()),
            "first_year": papers.filter("co_membership")["year"].min(),
            "note": "the model has learned from other gene sets too",
        },
        top=top,
        random_state=random_state,
        columns={**COLUMNS, "kinds": KIND_COLUMNS, "papers of the table papers": PAPER_COLUMNS},
    )
    return Explanation(
        table,
        provenance,
        given=asked.given,
        kinds=_kinds(taken),
        by_kind=_by_kind(taken, ids, symbols),
        papers=papers.head(papers.height if top is None else top),
    )


def _standing(model: Model, ids: Ids, gene: int) -> dict[str, Any]:
    """Z-score, rank and probability of a gene among the missing ones."""
    z = standard_scores(model, [ids])[0]
    missing = np.ones(len(z), bool)
    missing[ids] = False
    chance = None
    if model.calibration is not None:
        chance = float(model.probability([ids])[0, gene])
    return {
        "z_score": float(z[gene]),
        "rank": int((z[missing] > z[gene]).sum()) + 1,
        "ranked": int(missing.sum()),
        "probability": chance,
        **({} if chance is None else {"probability_meaning": probability_told()}),
    }


def _kinds(taken: Attribution) -> pl.DataFrame:
    rows = [
        (k.name, k.weight, k.evidence, k.baseline + float(k.shares.sum()), k.baseline + 0.0)
        for k in taken.kinds  # 0.0: a negative weight of nothing is no -0
    ]
    rows.sort(key=lambda row: -abs(row[3]))
    if taken.constant:
        rows.append(("constant", 1.0, taken.constant, taken.constant, taken.constant))
    schema = ["kind", "weight", "evidence", "part", "baseline"]
    return pl.DataFrame(rows, schema=schema, orient="row")


def _by_kind(taken: Attribution, ids: Ids, symbols: tuple[str, ...]) -> pl.DataFrame:
    rows = [
        (symbols[gene], kind.name, float(share))
        for kind in taken.kinds
        for gene, share in zip(ids, kind.shares, strict=True)
        if share
    ]
    schema = {"symbol": pl.String, "kind": pl.String, "share": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _papers(
    found: Collection, ids: Ids, gene: int, symbols: tuple[str, ...]
) -> tuple[pl.DataFrame, Any]:
    """The papers with the gene and one of the set, and (n,) how many have each of the set."""
    rows = found.holding(gene)
    inside = np.zeros(len(symbols), bool)
    inside[ids] = True
    shared = [genes[inside[genes]] for genes in map(found.sets.ids, rows)]
    has = np.array([len(genes) for genes in shared], np.int64)
    both = np.bincount(np.concatenate([[], *shared]).astype(int), minlength=len(symbols))[ids]
    keep = np.flatnonzero(has)
    rows, has = rows[keep], has[keep]
    sizes = found.sets.sizes[rows]
    # The gene is in every one of these papers: what counts are the others in them.
    known = int((np.diff(found.by_gene.indptr) > 0).sum()) - 1
    occurring = int((np.diff(found.by_gene.indptr)[ids] > 0).sum())
    p = np.ones(len(rows))
    if len(rows):
        p = p_values(has, sizes - 1, np.full(len(rows), occurring), known)
    table = pl.DataFrame(
        {
            "paper": found.column("name").gather(rows),
            "year": found.column("year").gather(rows).cast(pl.Int64, strict=False),
            "genes": sizes,
            "overlap": has,
            "p_value": p,
            "co_membership": has >= TOGETHER,
            "overlap_genes": pl.Series(
                [[symbols[i] for i in shared[k]] for k in keep], dtype=pl.List(pl.String)
            ),
            "link": found.column("link").gather(rows),
        }
    )
    return table.sort("p_value", "genes", "paper", descending=[False, False, False]), both
