"""Explanation of a score: the share of each input gene and kind of evidence, and the papers."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from gsfm.analysis.query import Query, check_least, standard_scores
from gsfm.analysis.sources import PAPERS, Collection, collection
from gsfm.completion.identifiers import Ids
from gsfm.completion.inputs import GenesLike
from gsfm.completion.ranking import describe_probability
from gsfm.completion.result import Result, gene_columns
from gsfm.errors import GsfmError, UnknownGenesError
from gsfm.genes import Species
from gsfm.models import Model, ModelLike, load_model
from gsfm.models.attribution import TOLERANCE, Attribution

#: A paper with the gene and so many genes of the set shows that their co-membership is known.
TOGETHER = 2

COLUMNS = {
    "share": "contribution of the gene to the score; the baseline (the score of the empty set, "
    "with the weights and scales of this set) and the shares of all genes add up to the score",
    "percent": "share, in percent of the score less the baseline; null if that is not above 0",
    "papers": "papers of the embedded corpus with this gene and the explained one",
}
KIND_COLUMNS = {
    "kind": "a member of the model, which is a kind of evidence",
    "weight": "weight of the evidence for this set",
    "evidence": "evidence for the gene; weight x evidence is the part",
    "part": "contribution of the kind to the score; the constant and all parts add up to the score",
    "baseline": "the part of the empty set",
}
PAPER_COLUMNS = {
    "overlap": "genes of the set in the paper, without the explained gene",
    "p_value": "hypergeometric probability of that overlap or more, if the paper's others were "
    "drawn from all genes of the embedded corpus; not corrected for the number of papers",
    "co_membership": f"whether the paper has the gene and {TOGETHER} or more genes of the set",
}


class Explanation(Result):
    """The explanation of a gene's score for a set.

    Attributes
    ----------
    table
        One row a gene of the set, the largest share first: ``symbol``, ``name``, ``share``,
        ``percent``, ``papers``.
    kinds
        One row a kind of evidence: ``kind``, ``weight``, ``evidence``, ``part``, ``baseline``.
    by_kind
        The shares that are not 0: ``symbol``, ``kind``, ``share``.
    papers
        Papers of the embedded corpus with the gene and one or more of the set, the smallest p-value
        first: ``paper``, ``year``, ``genes`` (in the paper), ``overlap``, ``p_value``,
        ``co_membership``, ``overlap_genes`` (the symbols), ``link``.
    """

    kinds: pl.DataFrame
    by_kind: pl.DataFrame
    papers: pl.DataFrame

    @property
    def explained(self) -> dict[str, Any]:
        """The explained gene: its score, and the sum of the shares."""
        return dict(self.provenance["explained"])

    @property
    def has_co_membership(self) -> bool:
        """Whether a paper of the embedded corpus has the gene and two or more of the set."""
        return bool(self.provenance["evidence"]["co_membership"])

    def to_dict(self) -> dict[str, Any]:
        """The result for JSON: the further tables come after the ``results``."""
        whole = super().to_dict()
        return {name: whole[name] for name in ("provenance", "inputs", "results")} | whole

    def headline(self) -> str:
        """The score and its parts, in one line."""
        e = self.explained
        own = " (a gene of the set: leave-one-out)" if e["in_input"] else ""
        probability = "" if e["probability"] is None else f", probability {e['probability']:.3g}"
        return (
            f"{e['symbol']}{own}: score {e['score']:.4g} = {e['baseline']:.4g} (no gene) + "
            f"{e['of_genes']:.4g} (genes of the set); z-score {e['z_score']:.3g}, rank "
            f"{e['rank']:,} of {e['ranked']:,}{probability}"
        )

    def evidence(self) -> str:
        """The papers of the embedded corpus, in one line."""
        e, symbol = self.provenance["evidence"], self.explained["symbol"]
        papers = f"{e['papers']:,} of {e['of']:,} papers have {symbol} and a gene of the set"
        if not e["papers"]:
            return (
                f"no paper of the embedded corpus has {symbol} and a gene of the set: new in this "
                "corpus; the model was also trained on other sets"
            )
        if not e["co_membership"]:
            return f"{papers}, none of them with {TOGETHER} or more"
        many = f"{e['co_membership']:,} of them with {TOGETHER} or more"
        return f"{papers}, {many}, first in {e['first_year']}: known, not new"

    def _headline(self) -> str:
        return f"{self.headline()}; model {self.provenance['model']['name']}"


def explain(
    gene: str,
    genes: GenesLike,
    *,
    top: int | None = 10,
    random_state: int = 0,
    model: ModelLike = None,
    species: Species | None = None,
) -> Explanation:
    r"""Explain the score of a gene for a set.

    Parameters
    ----------
    gene
        The gene to explain: an identifier of any kind. If it is in the set, its leave-one-out score
        is explained.
    genes
        The set: identifiers of any kind.
    top
        Number of papers to return; all of them if None.
    random_state
        Seed of the random orders, for families whose shares are computed by these.
    model, species
        As in `complete`.

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

    with the evidence :math:`e_m` of the members of the model (a single one of weight 1, for a model
    that is no ensemble), its value :math:`\beta_m` for the empty set, and the share
    :math:`\phi_{mi}` of each gene: exact for linear members, by integrated gradients for the
    autoencoder (Sundararajan et al. 2017, arXiv:1703.01365). The weights of the set and the
    scale of its scores are constant. The sum of the shares is checked, to 0.1%.

    The papers are those of the embedded corpus. The shipped model was also trained on other gene
    sets, so that a gene may have a high score and no paper.

    Examples
    --------
    >>> why = explain("MDM2", ["TP53", "CDKN1A", "EGFR"])
    >>> [(symbol, round(p)) for symbol, p in why.table.select("symbol", "percent").rows()]
    [('TP53', 83), ('CDKN1A', 17), ('EGFR', 0)]
    >>> why.has_co_membership
    True
    """
    model = load_model(model)
    check_least(0, top=top, random_state=random_state)
    query = Query.of(model, species, gene=[gene], set=genes)
    target, ids = query.gene("gene"), query.genes("set")
    in_input = bool((ids == target).any())
    ids = ids[ids != target]
    symbols = model.vocabulary.symbols
    if not len(ids):
        raise UnknownGenesError(
            f"the set has no known gene but {symbols[target]}; a gene is not explained by itself"
        )
    parts = model.attribution(ids, target, random_state=random_state)
    shares = parts.by_gene
    rise = shares.sum()
    whole = parts.baseline + rise
    error = abs(whole - parts.score)
    if not error <= TOLERANCE * max(1.0, abs(parts.score)):
        raise GsfmError(
            f"the shares add up to {whole:.6g}, but the score is {parts.score:.6g}; "
            "is the model damaged?"
        )
    corpus = collection(PAPERS, model.vocabulary)
    papers = _papers(corpus, ids, target)
    n_papers = (corpus.by_gene[ids] @ corpus.by_gene[[target]].T).toarray()[:, 0].astype(int)
    # Without a rise of the score there is nothing to have a percentage of.
    percent = 100 * shares / rise if rise > 0 else [None] * len(ids)
    columns = gene_columns(model.vocabulary, ids)
    own = {"share": shares, "percent": pl.Series(percent, dtype=pl.Float64), "papers": n_papers}
    table = pl.DataFrame({**columns, **own}).sort("share", "symbol", descending=[True, False])
    by_kind = pl.concat(
        pl.DataFrame({"symbol": columns["symbol"], "kind": kind.name, "share": kind.shares})
        for kind in parts.kinds
    )
    return query.result(
        Explanation,
        "explain",
        table,
        COLUMNS,
        beside={"kinds": KIND_COLUMNS, "papers of the table papers": PAPER_COLUMNS},
        parts={
            "kinds": _kinds(parts),
            "by_kind": by_kind.filter(pl.col("share") != 0),
            "papers": papers.head(papers.height if top is None else top),
        },
        explained={
            "symbol": symbols[target],
            "in_input": in_input,
            **_standing(model, ids, target),
            "score": parts.score,
            "baseline": parts.baseline,
            "of_genes": float(rise),
            "error": float(error),
        },
        evidence={
            "corpus": corpus.about,
            "papers": papers.height,
            "of": len(corpus.sets),
            "co_membership": int(papers["co_membership"].sum()),
            "first_year": papers.filter("co_membership")["year"].min(),
            "note": "the model was also trained on other gene sets",
        },
        top=top,
        random_state=random_state,
    )


def _standing(model: Model, ids: Ids, gene: int) -> dict[str, Any]:
    """Z-score, rank and probability of a gene among the missing ones."""
    z = standard_scores(model, [ids])[0]
    missing = np.delete(z, ids)
    rank = int((missing > z[gene]).sum()) + 1
    standing = {"z_score": float(z[gene]), "rank": rank, "ranked": len(missing)}
    if model.calibration is None:
        return {**standing, "probability": None}
    probability = float(model.probability([ids])[0, gene])
    about = {"probability": probability, "probability_meaning": describe_probability()}
    return {**standing, **about}


def _kinds(parts: Attribution) -> pl.DataFrame:
    rows = [
        (k.name, k.weight, k.evidence, k.baseline + float(k.shares.sum()), k.baseline + 0.0)
        for k in parts.kinds  # + 0.0: a negative weight times 0 is -0
    ]
    rows.sort(key=lambda row: -abs(row[3]))
    if parts.constant:
        rows.append(("constant", 1.0, parts.constant, parts.constant, parts.constant))
    return pl.DataFrame(rows, schema=list(KIND_COLUMNS), orient="row")


def _papers(corpus: Collection, ids: Ids, gene: int) -> pl.DataFrame:
    """The papers with the gene and one or more of the set."""
    rows = corpus.having(gene)
    overlap = corpus.overlap(ids)[rows]
    rows, overlap = rows[overlap > 0], overlap[overlap > 0]
    table = pl.DataFrame(
        {
            **corpus.columns(rows, paper="name", year="year"),
            "genes": corpus.sets.sizes[rows],
            "overlap": overlap,
            # The gene is in every one of these papers: the overlap is among its other genes.
            "p_value": corpus.p_values(rows, overlap, ids, fixed=1),
            "co_membership": overlap >= TOGETHER,
            "overlap_genes": corpus.overlap_genes(rows, ids),
            **corpus.columns(rows, link="link"),
        }
    )
    return table.sort("p_value", "genes", "paper")
