"""Genes that few papers are about, and what the model predicts of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm import genes as who
from gsfm.analysis.annotation import (
    LIBRARY,
    OF_GENE,
    SIZE,
    SIZE_WEIGHT,
    _descending,
    supports,
    z_score_across_terms,
)
from gsfm.analysis.query import Asked
from gsfm.analysis.term_scores import (
    MISSING,
    Library,
    Progress,
    ask,
    open_libraries,
    split_half_auroc,
)
from gsfm.analysis.terms import LibraryLike
from gsfm.completion.result import Result
from gsfm.errors import GsfmError
from gsfm.genes import Species
from gsfm.genes.tables import names_of
from gsfm.models import Model, ModelLike, load_model

Numbers = NDArray[np.float64]

#: Genes whose terms are looked at between two reports of progress.
STEP = 50
CODING = "gene with protein product"

COLUMNS = {
    "rank": "place of the gene by the support of its best term; 1 is the surest",
    "symbol": "approved symbol",
    "name": "approved name",
    "papers": "papers that NCBI linked to the gene by 2022-09-12",
    "annotated_terms": "terms of the library, of any size, that hold the gene already",
    "library": LIBRARY.partition(";")[0],
    "id": OF_GENE["id"],
    "term": "a term that does not hold the gene",
    "size": SIZE,
    "support": OF_GENE["support"],
    **{name: OF_GENE[name] for name in ("score", "z_score", "probability", "gene_rank")},
    "z_score_across_terms": OF_GENE["z_score_across_terms"],
    "split_half_auroc": OF_GENE["split_half_auroc"],
}


class Understudied(Result):
    """The genes of `understudied`, each with the terms that are predicted for it.

    Attributes
    ----------
    table
        One row a gene and term, the surest gene first.
    provenance
        The model, the library with its release, which genes were looked at, and what the columns
        mean.
    inputs
        One row an identifier of the background; none without it.
    """

    def summary(self, *, limit: int = 50) -> str:
        """How many genes were looked at, and what was understood of the background."""
        p = self.provenance
        kind = "coding genes" if p["coding"] else "genes"
        looked = (
            f"{p['genes']:,} {kind} of up to {p['max_papers']:,} papers; "
            f"{p['terms']:,} terms of {p['library']['name']} with {p['min_size']:,} to "
            f"{p['max_size']:,} genes"
        )
        return f"{super().summary(limit=limit)}\n{looked}" if self.inputs.height else looked

    def _headline(self) -> str:
        p = self.provenance
        return f"{len(self)} predictions for genes of up to {p['max_papers']} papers"


def understudied(
    library: LibraryLike = "go-bp",
    *,
    max_papers: int = 20,
    coding: bool = True,
    top: int | None = 50,
    terms: int = 1,
    min_size: int = 5,
    max_size: int = 500,
    background: Iterable[str] = (),
    model: ModelLike = None,
    species: Species | None = None,
    cache: bool = False,
    progress: Progress | None = None,
) -> Understudied:
    """Find genes that few papers are about, and for which the model predicts terms surely.

    Parameters
    ----------
    library
        The terms: the name of a library, the path of a gene-set file, or a `GeneSets`.
    max_papers
        The most papers that a gene may have, as `gsfm.genes.facts` counts them.
    coding
        Only genes with a protein product.
    top
        How many genes to return; all of them if None. Each is asked of the whole model.
    terms
        How many terms to return of each gene.
    min_size, max_size
        The least and most genes of a term. That a gene is of a large term says little.
    background
        The only genes to look at, by any identifiers; all if none are given.
    model
        The model to ask: a fitted model, or a model folder; the shipped model if None.
    species
        Where the identifiers come from, as in `gsfm.genes.resolve`.
    cache
        Keep what the library was made into in the user's cache folder, for the next process.
    progress
        Called with what is being done, how much of it is done, and how much there is.

    Returns
    -------
    Understudied
        ``rank``, ``symbol``, ``name``, ``papers``, ``annotated_terms``, ``library``, ``id``,
        ``term``, ``size``, ``support``, ``score``, ``z_score``, ``probability`` if the model is
        calibrated, ``gene_rank``, ``z_score_across_terms`` and ``split_half_auroc``, as `annotate`
        has them.

    Raises
    ------
    UnknownGenesError
        If the model knows no gene of the background.
    GsfmError
        If there is no such library, no term of such a size, or no such gene.

    Notes
    -----
    The terms of a gene are those that do not hold it, by support, as `annotate` ranks them; genes
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
    if max_papers < 0:
        raise ValueError(f"max_papers must be 0 or more, not {max_papers}")
    if terms < 1:
        raise ValueError(f"terms must be 1 or more, not {terms}")
    if top is not None and top < 1:
        raise ValueError(f"top must be 1 or more, not {top}")
    asked = Asked(model, species, background=background)
    place = open_libraries(model, library)[0]
    usable = (place.sizes >= min_size) & (place.sizes <= max_size)
    if not usable.any():
        raise GsfmError(f"no term of {place} has {min_size:,} to {max_size:,} genes of the model")
    facts = who.facts(model.vocabulary.symbols)
    few = pl.col("papers") <= max_papers
    if coding:
        few &= pl.col("locus_type") == CODING
    pool = np.flatnonzero(facts.select(few.fill_null(False)).to_series().to_numpy())
    if asked.given.inputs.height:
        pool = np.intersect1d(pool, asked.genes("background", what="the background"))
    if not len(pool):
        kind = "coding gene" if coding else "gene"
        raise GsfmError(f"the model knows no {kind} of up to {max_papers:,} papers among these")
    pool = pool[np.argsort(model.vocabulary.alphabetical_rank[pool])]

    strongest = _strongest(place, pool, usable, cache, progress)
    order = _descending(strongest, np.flatnonzero(np.isfinite(strongest)))[:top]
    rows = [_rows(place, int(gene), usable, terms) for gene in pool[order]]
    columns = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
    rank = np.repeat(np.arange(len(rows)) + 1, [len(row["of_term"]) for row in rows])
    of_gene, of_term = columns.pop("of_gene"), columns.pop("of_term")
    table = _table(model, place, facts, of_gene, of_term, progress)
    table = table.with_columns(rank=rank, **columns)
    table = table.select(name for name in COLUMNS if name in table.columns)
    provenance = asked.provenance(
        "understudied",
        library=place.provenance,
        genes=len(pool),
        terms=int(usable.sum()),
        max_papers=max_papers,
        coding=coding,
        min_size=min_size,
        max_size=max_size,
        top=top,
        missing_fraction=MISSING,
        columns={name: COLUMNS[name] for name in table.columns},
    )
    given = asked.given
    return Understudied(table, provenance, inputs=given.inputs, resolution=given.resolution)


def _strongest(
    place: Library,
    genes: NDArray[np.int64],
    usable: NDArray[np.bool_],
    cache: bool,
    progress: Progress | None,
) -> Numbers:
    """(genes,) the support of each gene's best new term; minus infinity where there is none."""
    matrix = place.term_matrix(progress, cache=cache)
    size = SIZE_WEIGHT * np.log(place.sizes)
    holds = place.members.tocsc()
    out = np.empty(len(genes))
    for i, gene in enumerate(genes):
        support = np.where(usable, matrix.evidence(int(gene)) + size, -np.inf)
        support[holds.indices[holds.indptr[gene] : holds.indptr[gene + 1]]] = -np.inf
        out[i] = support.max()
        if progress is not None and (i % STEP == 0 or i + 1 == len(genes)):
            progress(f"looking at {len(genes):,} genes", i + 1, len(genes))
    return out


def _rows(place: Library, gene: int, usable: NDArray[np.bool_], k: int) -> dict[str, NDArray[Any]]:
    """The best new terms of a gene, and the fast form's numbers of them."""
    evidence, support, known = supports(place, place.term_matrix(), gene)
    shown = np.isfinite(support)
    new = np.flatnonzero(shown & ~known & usable)
    best = _descending(support, new)[:k]
    return {
        "of_gene": np.full(len(best), gene),
        "of_term": best,
        "annotated_terms": np.full(len(best), known.sum()),
        "support": support[best],
        "z_score_across_terms": z_score_across_terms(evidence[shown], evidence[best]),
    }


def _table(
    model: Model,
    place: Library,
    facts: pl.DataFrame,
    genes: NDArray[np.int64],
    terms: NDArray[np.int64],
    progress: Progress | None,
) -> pl.DataFrame:
    """What the whole model says of genes and terms, one row each."""
    symbols = pl.Series("symbol", [model.vocabulary[int(g)] for g in genes], dtype=pl.String)
    sets = [place.genes(t) for t in terms]
    answers = ask(model, sets, genes.tolist(), progress, missing_fraction=MISSING)._asdict()
    if model.calibration is None:
        del answers["probability"]
    halves = split_half_auroc([(place, terms.tolist())], progress)
    return pl.DataFrame(
        {
            "symbol": symbols,
            "name": names_of(symbols),
            "papers": facts["papers"][genes],
            "library": pl.Series([place.name] * len(genes), dtype=pl.String),
            "id": place.ids[terms].cast(pl.String),
            "term": place.names[terms].cast(pl.String),
            "size": place.sizes[terms].astype(np.int64),
            **answers,
            "split_half_auroc": pl.Series(halves, dtype=pl.Float64, nan_to_null=True),
        }
    )
