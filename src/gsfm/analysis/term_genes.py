"""The genes of a term: those that it holds and those that are predicted for it, in one ranking."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from gsfm.analysis.annotation import Which, _descending, _of_which
from gsfm.analysis.query import evidence
from gsfm.analysis.term_scores import MISSING, Progress, find_term, of_genes, split_half_auroc
from gsfm.completion.calibration import check_missing_fraction
from gsfm.completion.ranking import probability_told
from gsfm.completion.scorer import model_told
from gsfm.genes.tables import names_of
from gsfm.models import ModelLike, load_model
from gsfm.report import Report
from gsfm.version import __version__

#: What the numbers are; a part of every provenance.
COLUMNS = {
    "rank": "place among all genes by z_score, known and new; 1 is the likeliest. The places of "
    "known genes are by their evidence when left out, alone or with up to an eighth of the term",
    "symbol": "approved symbol",
    "name": "approved name",
    "annotated": "whether the term holds the gene already; score, z_score, probability and "
    "gene_rank are then leave-one-out, of the term without it",
    "score": "the model's score; larger is likelier; no unit, not a probability; scores of known "
    "genes, each of another set, cannot be compared",
    "z_score": "score less the mean, over the standard deviation, of the scores of all genes that "
    "are not in the term",
    "probability": probability_told(MISSING),
    "gene_rank": "place among all genes that are not in the term; 1 is the best",
}


class TermGenes(Report):
    """The ranked genes of `term`.

    Attributes
    ----------
    table
        One row a gene, best first.
    provenance
        The model, the library with its release, the term with its split_half_auroc, and what the
        columns mean.
    """

    def summary(self) -> str:
        """Which term it is, and how much of it the model knows."""
        t = self.provenance["term"]
        found = t["split_half_auroc"]
        lines = [
            f"{t['name']} ({t['id']}, {self.provenance['library']['name']}): "
            f"{t['genes_in_model']:,} of {t['genes']:,} genes in the model",
            "split_half_auroc (AUROC of one half by the other): "
            + ("too few genes" if found is None else f"{found:.3f}"),
        ]
        if t["not_in_model"]:
            lines.append(f"not in the model ({len(t['not_in_model']):,}): ")
            lines[-1] += ", ".join(t["not_in_model"])
        return "\n".join(lines)

    def _headline(self) -> str:
        p = self.provenance
        return f"{len(self)} genes; {p['term']['name']}; model {p['model']['name']}"


def term(
    text: str,
    library: str | Path | None = None,
    *,
    top: int | None = 50,
    which: Which = "all",
    missing_fraction: float = MISSING,
    model: ModelLike = None,
    progress: Progress | None = None,
) -> TermGenes:
    """Rank the genes of a term: those that it holds, each as if it did not, and those predicted.

    Parameters
    ----------
    text
        The term: its identifier, its name, or the beginning of either, as in
        `gsfm.libraries.find`.
    library
        Where to look for it: the name of a library, or the path of a gene-set file. All libraries
        that are shipped or were added, if None.
    top
        How many genes to return; all of them if None.
    which
        Only genes that the term holds already ("annotated"), or only those that it does not
        ("new").
    missing_fraction
        The share of the whole term that is missing from it, above 0 and below 1. It changes the
        probabilities alone. A fifth is what terms of GO gained in four years.
    model
        The model to ask: a fitted model, or a model folder; the shipped model if None.
    progress
        Called with what is being done, how much of it is done, and how much there is.

    Returns
    -------
    TermGenes
        ``rank``, ``symbol``, ``name``, ``annotated``, ``score``, ``z_score``, ``probability`` if
        the model is calibrated, and ``gene_rank``.

    Raises
    ------
    UnknownTermError
        If no term is meant, or more than one; the message names some that could be.
    GsfmError
        If there is no such library, or the model knows no gene of the term.
    ValueError
        If a setting is out of its range.

    Notes
    -----
    The numbers of each known gene that is shown are of the term without this gene, one pass of the
    model each, as in `annotate`. A term of a single gene leaves nothing to score it from: that gene
    is not ranked.

    Examples
    --------
    >>> from gsfm.models import Linear
    >>> from gsfm.sets import GeneSets
    >>> corpus = [["RAD51", "BRCA2", "PALB2"], ["EGFR", "ERBB2", "GRB2"]] * 5
    >>> model = Linear(regularization=1.0).fit(GeneSets.from_lists(corpus))
    >>> found = term("homologous recombination", "go-bp", which="new", top=1, model=model)
    >>> found.provenance["term"]["id"], found.table["annotated"].to_list()
    ('GO:0035825', [False])
    """
    model = load_model(model)
    if top is not None and top < 1:
        raise ValueError(f"top must be 1 or more, not {top}")
    if which not in ("all", "annotated", "new"):
        raise ValueError(f"which must be all, annotated or new, not {which!r}")
    check_missing_fraction(missing_fraction)
    place, row, meant = find_term(model, text, library)
    ids = place.genes(row)

    n = len(model.vocabulary)
    known = np.zeros(n, bool)
    known[ids] = True
    key = evidence(model, [ids])[0].astype(np.float64)
    ranked = np.argsort(model.vocabulary.alphabetical_rank)
    if len(ids) == 1:
        ranked = ranked[~known[ranked]]
    order = _descending(key, ranked)
    rank = np.empty(n, np.int64)
    rank[order] = np.arange(len(order)) + 1
    chosen = order[_of_which(known[order], which)][:top]

    table = pl.DataFrame(
        {
            "rank": rank[chosen],
            "symbol": pl.Series([model.vocabulary[int(g)] for g in chosen], dtype=pl.String),
            "annotated": pl.Series(known[chosen], dtype=pl.Boolean),
            **of_genes(model, ids, chosen, progress, missing_fraction=missing_fraction),
        }
    )
    table = table.insert_column(2, names_of(table["symbol"]))
    genes = place.sets.genes(meant.row)
    found = split_half_auroc([(place, [row])], progress)[0]
    meanings = {**COLUMNS, "probability": probability_told(missing_fraction)}
    provenance = {
        "task": "term",
        "gsfm_version": __version__,
        "model": model_told(model),
        "library": place.provenance,
        "term": {
            "id": meant.id,
            "name": meant.name,
            "genes": len(genes),
            "genes_in_model": len(ids),
            "not_in_model": [gene for gene in genes if gene not in model.vocabulary],
            "split_half_auroc": None if np.isnan(found) else float(found),
        },
        "top": top,
        "which": which,
        "missing_fraction": missing_fraction,
        "columns": {name: meanings[name] for name in table.columns},
    }
    return TermGenes(table, provenance)
