"""The genes of a term, annotated and predicted, in one ranking."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from gsfm.analysis.query import Which, check_selection
from gsfm.analysis.term_scores import (
    MISSING,
    describe_scores,
    find_term,
    rank_genes,
    split_half_auroc,
)
from gsfm.completion.calibration import check_missing_fraction
from gsfm.completion.scorer import provenance
from gsfm.errors import count
from gsfm.models import ModelLike, load_model
from gsfm.progress import Progress
from gsfm.report import Report
from gsfm.sets.genesets import LibraryLike

RANK = (
    "rank among all genes by z_score, annotated and new; 1 is the best. Annotated genes are ranked "
    "by their leave-one-out evidence, alone or with up to an eighth of the term"
)


class TermGenes(Report):
    """The ranked genes of `term`, the best first."""

    def summary(self) -> str:
        """The term, and the number of its genes that the model knows."""
        t = self.provenance["term"]
        auroc = t["split_half_auroc"]
        lines = [
            f"{t['name']} ({t['id']}, {self.provenance['library']['name']}): "
            f"{t['genes_in_model']:,} of {t['genes']:,} genes in the model",
            "split_half_auroc (AUROC of one half by the other): "
            + ("too few genes" if auroc is None else f"{auroc:.3f}"),
        ]
        if t["others"]:
            lines.append(f"same name in other libraries: {', '.join(t['others'])}")
        if t["not_in_model"]:
            names = ", ".join(t["not_in_model"])
            lines.append(f"not in the model ({len(t['not_in_model']):,}): {names}")
        return "\n".join(lines)

    def _headline(self) -> str:
        p = self.provenance
        return f"{count(len(self), 'gene')}; {p['term']['name']}; model {p['model']['name']}"


def term(
    text: str,
    library: LibraryLike | None = None,
    *,
    top: int | None = 50,
    which: Which = "all",
    missing_fraction: float = MISSING,
    model: ModelLike = None,
    progress: Progress | None = None,
) -> TermGenes:
    """Rank the genes of a term: annotated ones by leave-one-out scores, and predicted ones.

    Parameters
    ----------
    text
        The term: its identifier, its name, or the beginning of either, as in
        `gsfm.libraries.find`.
    library
        Where to look for it: a library of any kind that `gsfm.libraries.load` takes. All libraries
        that are shipped or were added if None.
    top
        Number of genes to return; all of them if None.
    which
        Only genes that are annotated in the term ("annotated"), or only the others ("new").
    missing_fraction
        The fraction of the whole term that is missing from it, above 0 and below 1. It changes the
        probabilities only. Terms of GO gained a fifth of their genes in four years.
    model, progress
        As in `complete`.

    Returns
    -------
    TermGenes
        ``rank``, ``symbol``, ``name``, ``annotated``, ``score``, ``z_score``, ``probability`` if
        the model is calibrated, and ``gene_rank``.

    Raises
    ------
    UnknownTermError
        If no term matches, or several do; the message names similar terms.
    GsfmError
        If there is no such library, or the model knows no gene of the term.
    ValueError
        If a parameter is out of its range.

    Notes
    -----
    The numbers of each annotated gene are from the term without this gene, one pass of the model
    each, as in `annotate`. A term of a single gene leaves nothing to score it by: that gene is not
    ranked.

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
    check_selection(top, which)
    check_missing_fraction(missing_fraction)
    source, row, found = find_term(model, text, library)
    ids, pool = source.genes(row), np.arange(len(model.vocabulary))
    pool = np.delete(pool, ids) if len(ids) == 1 else pool
    settings: dict[str, Any] = {"top": top, "which": which, "missing_fraction": missing_fraction}
    _, columns = rank_genes(model, ids, pool, **settings, progress=progress)
    genes = source.sets.genes(found.row)
    auroc = float(split_half_auroc(model, [(source, row)], progress)[0])
    descriptions = {"rank": RANK, **describe_scores("the term", missing_fraction)}
    about = {
        "id": found.id,
        "name": found.name,
        "others": list(found.others),
        "genes": len(genes),
        "genes_in_model": len(ids),
        "not_in_model": [gene for gene in genes if gene not in model.vocabulary],
        "split_half_auroc": None if np.isnan(auroc) else auroc,
    }
    settings["columns"] = {name: descriptions[name] for name in columns}
    whole = provenance("term", model, library=source.provenance, term=about, **settings)
    return TermGenes(pl.DataFrame(columns), whole)
