"""Genes of few papers, and the terms that the model predicts for them."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from gsfm import genes as gene_names
from gsfm.analysis.annotation import GENE_COLUMNS, SIZE_WEIGHT, terms_of_gene
from gsfm.analysis.query import Query, best, check_least, row_of
from gsfm.analysis.term_scores import MISSING, Library, open_libraries, score_terms
from gsfm.completion.batches import batches
from gsfm.completion.inputs import GenesLike
from gsfm.completion.result import Result, gene_columns
from gsfm.errors import GsfmError, check_given, check_sizes, count
from gsfm.genes import Species
from gsfm.models import ModelLike, load_model
from gsfm.models.term_matrix import TermMatrix
from gsfm.models.types import Mask, Numbers
from gsfm.progress import Progress
from gsfm.sets.genesets import LibraryLike

#: Genes between two reports of progress.
STEP = 50
CODING = "gene with protein product"

COLUMNS = {
    "rank": "rank of the gene by the support of its best term; 1 is the best",
    "symbol": "approved symbol",
    "name": "approved name",
    "papers": "papers that NCBI linked to the gene by 2022-09-12",
    "annotated_terms": "terms of the library, of any size, in which the gene is annotated",
    **{k: v for k, v in GENE_COLUMNS.items() if k not in ("rank", "annotated")},
    "library": "the library of the term",
    "term": "a term in which the gene is not annotated",
}


class Understudied(Result):
    """The genes of `understudied`, one row a gene and term, the best gene first."""

    def summary(self, *, limit: int = 50) -> str:
        """The genes and terms that were considered, and the mapping of the background."""
        p = self.provenance
        kind = "coding genes" if p["coding"] else "genes"
        considered = (
            f"{p['genes']:,} {kind} of up to {p['max_papers']:,} papers; "
            f"{p['terms']:,} terms of {p['library']['name']} with {p['min_size']:,} to "
            f"{p['max_size']:,} genes"
        )
        return f"{super().summary(limit=limit)}\n{considered}" if len(self.inputs) else considered

    def _headline(self) -> str:
        p = self.provenance
        return f"{count(len(self), 'prediction')} for genes of up to {p['max_papers']} papers"


def understudied(
    library: LibraryLike = "go-bp",
    *,
    max_papers: int = 20,
    coding: bool = True,
    top: int | None = 50,
    top_terms: int = 1,
    min_size: int = 5,
    max_size: int = 500,
    background: GenesLike = (),
    model: ModelLike = None,
    species: Species | None = None,
    cache: bool = True,
    progress: Progress | None = None,
) -> Understudied:
    """Find genes of few papers with high-confidence predictions of terms.

    Parameters
    ----------
    library
        The terms: the name of a library, the path of a gene-set file, or a `GeneSets`.
    max_papers
        The largest number of papers of a gene, as in `gsfm.genes.facts`.
    coding
        Only genes with a protein product.
    top
        Number of genes to return; all of them if None. The whole model scores each.
    top_terms
        Number of terms to return for each gene.
    min_size, max_size
        The fewest and most genes of a term. A prediction of a large term is not specific.
    background
        Identifiers of the only genes to consider; all genes if empty.
    model, species, progress
        As in `complete`.
    cache
        Store the term matrix in the user's cache folder, for later processes.

    Returns
    -------
    Understudied
        ``rank``, ``symbol``, ``name``, ``papers``, ``annotated_terms``, ``library``, ``id``,
        ``term``, ``size``, ``support``, ``score``, ``z_score``, ``probability`` if the model is
        calibrated, ``gene_rank``, ``z_score_across_terms`` and ``split_half_auroc``, as in
        `annotate`.

    Raises
    ------
    UnknownGenesError
        If the model knows no gene of the background.
    GsfmError
        If there is no such library, no term of such a size, or no such gene.

    Notes
    -----
    The terms of a gene are those in which it is not annotated, by support as in `annotate`; genes
    are ranked by the support of their best term.

    Examples
    --------
    >>> from gsfm.models import Linear
    >>> from gsfm.sets import GeneSets
    >>> corpus = [["IFI44L", "ISG15", "IFIT1", "C1orf141"], ["EGFR", "ERBB2", "GRB2"]] * 5
    >>> model = Linear(regularization=1.0).fit(GeneSets.from_lists(corpus))
    >>> terms = GeneSets.from_lists({"interferon": ["ISG15", "IFIT1"], "growth": ["EGFR", "GRB2"]})
    >>> understudied(terms, min_size=2, model=model).table.select("symbol", "term").rows()
    [('C1orf141', 'interferon')]
    """
    model = load_model(model)
    check_least(0, max_papers=max_papers)
    check_least(1, top_terms=top_terms, top=top)
    check_given(max_papers=max_papers, top_terms=top_terms, max_size=max_size)
    check_sizes(min_size, max_size)
    query = Query.of(model, species, background=background)
    source = open_libraries(model, library)[0]
    usable = (source.sizes >= min_size) & (source.sizes <= max_size)
    if not usable.any():
        raise GsfmError(
            f"no term of {source.name} has {min_size:,} to {max_size:,} genes of the model"
        )
    facts = gene_names.facts(model.vocabulary.symbols)
    few = pl.col("papers") <= max_papers
    if coding:
        few &= pl.col("locus_type") == CODING
    pool = np.flatnonzero(facts.select(few.fill_null(False)).to_series().to_numpy())
    if query.mapped.inputs.height:
        pool = np.intersect1d(pool, query.genes("background", what="the background"))
    if not len(pool):
        kind = "coding gene" if coding else "gene"
        raise GsfmError(f"the model knows no {kind} of up to {max_papers:,} papers among these")
    pool = pool[np.argsort(model.vocabulary.alphabetical_rank[pool])]

    matrix, by_gene = source.term_matrix(progress, cache=cache), source.members.T.tocsr()
    largest = _largest_support(source, matrix, by_gene, pool, usable, progress)
    order, _ = best(largest, np.flatnonzero(np.isfinite(largest)), top)
    parts, shown = [], []
    for rank, gene in enumerate(pool[order].tolist(), 1):
        chosen, part = terms_of_gene(source, matrix, gene, top_terms, "new", usable)
        genes = np.full(len(chosen), gene)
        columns = {"rank": np.full(len(chosen), rank), **gene_columns(model.vocabulary, genes)}
        parts.append(part.with_columns(**columns, gene=genes))
        shown += [(source, term) for term in chosen]
    table = pl.concat(parts)
    genes = table["gene"].to_numpy()
    annotated = np.diff(by_gene.indptr)[genes].astype(np.int64)
    scores = score_terms(model, shown, genes.tolist(), MISSING, progress)
    own = {"papers": facts["papers"][genes], "annotated_terms": annotated, **scores}
    table = table.hstack(pl.DataFrame(own))
    table = table.select(name for name in COLUMNS if name in table.columns)
    settings = {
        "max_papers": max_papers,
        "coding": coding,
        "min_size": min_size,
        "max_size": max_size,
        "top": top,
        "missing_fraction": MISSING,
    }
    about: dict[str, Any] = {"library": source.provenance, "genes": len(pool)}
    about |= {"terms": int(usable.sum()), **settings}
    return query.result(Understudied, "understudied", table, COLUMNS, **about)


def _largest_support(
    source: Library,
    matrix: TermMatrix,
    by_gene: sp.csr_array,
    genes: NDArray[np.int64],
    usable: Mask,
    progress: Progress | None,
) -> Numbers:
    """(genes,) the support of each gene's best new term; minus infinity where there is none."""
    size = SIZE_WEIGHT * np.log(source.sizes)
    out = np.empty(len(genes))
    for rows in batches(len(genes), STEP, f"ranking {len(genes):,} genes", progress):
        for i, gene in enumerate(genes[rows].tolist(), rows.start):
            support = np.where(usable, matrix.evidence(gene) + size, -np.inf)
            support[row_of(by_gene, gene)] = -np.inf
            out[i] = support.max()
    return out
