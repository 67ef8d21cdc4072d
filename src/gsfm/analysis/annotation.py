"""Annotation: the terms that a gene, or a set of genes, belongs to.

For a gene, a term matrix gives the evidence in every term; the whole model then scores the gene for
the best terms. A set is completed once, and the terms are ranked by the evidence for their genes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm.analysis.query import Query, Which, best, check_selection, mask_of
from gsfm.analysis.term_scores import MISSING, Library, describe_scores, open_libraries, score_terms
from gsfm.analysis.terms import LibrariesLike
from gsfm.completion.calibration import check_missing_fraction, meaning
from gsfm.completion.inputs import GenesLike, is_path
from gsfm.completion.ranking import COLUMNS as SCORES
from gsfm.completion.result import Result
from gsfm.errors import count
from gsfm.genes import Species
from gsfm.models import ModelLike, load_model
from gsfm.models.evidence import evidence as evidence_of
from gsfm.models.term_matrix import TermMatrix, holders
from gsfm.models.types import Mask, Numbers
from gsfm.progress import Progress

#: Weight of the logarithm of a term's size beside the evidence for a gene. Of the annotations that
#: GO gained between 2023 and 2025, weighted by their specificity, 1.25 times as many are among the
#: first ten terms of a gene as with 0; with 1 the terms are larger, and no more are found.
SIZE_WEIGHT = 0.75
#: The evidence for a set is averaged over the genes of a term and so many more with evidence 0: the
#: mean of few genes is shrunk.
NONE = 10


def describe_term_probability(missing_fraction: float) -> str:
    """The description of ``probability`` if `missing_fraction` of the whole term is missing."""
    return f"{meaning(missing_fraction)}. Here the input genes are the term's"


#: Descriptions of the columns of a term.
TERM_COLUMNS = {
    "library": "the library of the term; ranks are within a library",
    "id": "identifier of the term",
    "term": "name of the term",
    "size": "genes of the term that the model knows",
}
_SCORES = describe_scores("the term")
#: Descriptions of the columns for a gene; a part of every provenance.
GENE_COLUMNS = {
    "rank": "rank among the terms of the library by support; 1 is the best",
    **TERM_COLUMNS,
    "annotated": "whether the gene is annotated in the term; all numbers but split_half_auroc are "
    "then leave-one-out, for the term without the gene",
    "support": "evidence for the gene by the fast form of the model (all its members with their "
    f"prior weights), plus {SIZE_WEIGHT} times the logarithm of the term's size; can be compared "
    "between terms; not a probability",
    "score": SCORES["score"],
    "z_score": _SCORES["z_score"],
    "probability": describe_term_probability(MISSING),
    "gene_rank": _SCORES["gene_rank"],
    "z_score_across_terms": "evidence by the fast form, standardized over all terms of the "
    "library: low for a gene with high scores everywhere",
    "split_half_auroc": "AUROC with which a random half of the term's genes predicts the other "
    "half, mean of both directions: 0.5 is chance; predictions for a term near 0.5 are unreliable",
}
#: Descriptions of the columns for a set.
SET_COLUMNS = {
    "rank": "rank among the terms of the library by evidence; 1 is the best",
    **TERM_COLUMNS,
    "evidence": "mean of the model's evidence for the term's genes, in standard deviations over "
    f"all genes, with {NONE} genes of evidence 0 added, which shrinks the mean of few genes; "
    "leave-one-out for input genes; a single input gene has the mean of all genes",
    "evidence_new": "the same over the genes of the term that are no input genes; null if all are",
    "z_score": "the mean without the added genes, over its standard error for as many random "
    "genes; it has no p-value, because genes of a term are not independent",
    "overlap": "number of input genes in the term",
    "overlap_genes": "these genes",
}


class Annotation(Result):
    """The ranked terms of `annotate`, library by library, the best first."""

    def _headline(self) -> str:
        p = self.provenance
        terms = sum(one["terms_used"] for one in p["libraries"])
        return f"{len(self)} of {terms} terms; {p['about']}; model {p['model']['name']}"


def annotate(
    genes: GenesLike,
    libraries: LibrariesLike = None,
    *,
    top: int | None = 5,
    which: Which = "all",
    fast: bool = False,
    missing_fraction: float = MISSING,
    model: ModelLike = None,
    species: Species | None = None,
    cache: bool = True,
    progress: Progress | None = None,
) -> Annotation:
    r"""Rank the terms of libraries for a gene, or for a set of genes.

    Parameters
    ----------
    genes
        An identifier of one gene, of any kind that `gsfm.genes.resolve` knows; or several, or a
        file of them, which are then a set.
    libraries
        One or several: the name of a library (`gsfm.libraries.names`), the path of a gene-set
        file, or a `GeneSets`; those of `gsfm.libraries.default_names` if None.
    top
        Number of terms of each library to return; all of them if None.
    which
        Only terms in which the gene (of a set, one of its genes) is annotated ("annotated"), or
        only the others ("new").
    fast
        For a gene: return the numbers of the term matrices only, without the columns ``score``,
        ``z_score``, ``probability``, ``gene_rank`` and ``split_half_auroc``, which need the whole
        model.
    missing_fraction
        For a gene: the fraction of each whole term that is missing from it, above 0 and below 1. It
        changes the probabilities only. Terms of GO gained a fifth of their genes in four years.
    model, species, progress
        As in `complete`.
    cache
        Store the term matrices in the user's cache folder, for later processes.

    Returns
    -------
    Annotation
        For a gene ``rank``, ``library``, ``id``, ``term``, ``size``, ``annotated``, ``support``,
        ``score``, ``z_score``, ``probability`` if the model is calibrated, ``gene_rank``,
        ``z_score_across_terms`` and ``split_half_auroc``. For a set ``rank``, ``library``, ``id``,
        ``term``, ``size``, ``evidence``, ``evidence_new``, ``z_score``, ``overlap`` and
        ``overlap_genes``. The provenance describes them.

    Raises
    ------
    UnknownGenesError
        If no identifier is a gene that the model knows.
    GsfmError
        If there is no such library, or no term of a library has a gene that the model knows.
    ValueError
        If a parameter is out of its range.

    Notes
    -----
    *A gene.* A term of n genes has the support :math:`\sum_m w_m e_m + 0.75 \log n`, with the
    evidence :math:`e_m` of the members of the model and their prior weights :math:`w_m`. If the
    gene is annotated in the term, the evidence is that of the term without it; a term of that gene
    alone is excluded. The first query prepares the library, which takes seconds; a model of a
    family without a fast form scores all terms for each gene. The other columns are those of the
    whole model.

    *A set.* The model completes the set once. With the evidence :math:`e_j` for gene j, its mean m
    and its standard deviation d over all N genes, a term of n genes has

    .. math:: \text{evidence} = \frac{1}{n + 10} \sum_j \frac{e_j - m}{d}, \qquad
              z = \frac{\bar e - m}{d} \sqrt{n \frac{N - 1}{N - n}}

    Examples
    --------
    >>> from gsfm.models import Linear
    >>> from gsfm.sets import GeneSets
    >>> corpus = [["TP53", "MDM2", "CDKN1A"], ["EGFR", "ERBB2", "GRB2"]] * 5
    >>> model = Linear(regularization=1.0).fit(GeneSets.from_lists(corpus))
    >>> terms = GeneSets.from_lists({"arrest": ["CDKN1A", "TP53"], "growth": ["EGFR", "GRB2"]})
    >>> annotate("hdm2", terms, model=model).table.select("term", "annotated", "gene_rank").rows()
    [('arrest', False, 1), ('growth', False, 2)]
    >>> annotate(["p53", "MDM2"], terms, model=model).table.select("term", "overlap").rows()
    [('arrest', 1), ('growth', 0)]
    """
    model = load_model(model)
    check_selection(top, which)
    check_missing_fraction(missing_fraction)
    is_gene = isinstance(genes, str) and not is_path(genes)
    query = Query.of(model, species, genes=[str(genes)] if is_gene else genes)
    ids = query.genes("genes", what="the input" if is_gene else "the set")
    opened = open_libraries(model, libraries)
    if is_gene:
        gene = int(ids[0])
        matrices = [library.term_matrix(progress, cache=cache) for library in opened]
        shown: list[tuple[Library, int]] = []
        parts = []
        for library, matrix in zip(opened, matrices, strict=True):
            terms, part = terms_of_gene(library, matrix, gene, top, which)
            parts.append(part)
            shown += [(library, term) for term in terms.tolist()]
        table = pl.concat(parts)
        if not fast:
            # All libraries at once: fewer batches than one by one.
            scores = score_terms(model, shown, [gene] * len(shown), missing_fraction, progress)
            table = table.hstack(pl.DataFrame(scores))
        table = table.select(name for name in GENE_COLUMNS if name in table.columns)
        descriptions = {**GENE_COLUMNS, "probability": describe_term_probability(missing_fraction)}
        about = f"gene {model.vocabulary[gene]}"
    else:
        of_genes = evidence_of(model, [ids])[0].astype(np.float64)
        is_input = mask_of(ids, len(of_genes))
        table = pl.concat([_of_set(one, is_input, of_genes, top, which) for one in opened])
        descriptions, about = SET_COLUMNS, count(len(ids), "input gene")
    places = [library.provenance for library in opened]
    settings: dict[str, Any] = {"top": top, "which": which, "missing_fraction": missing_fraction}
    return query.result(
        Annotation, "annotate", table, descriptions, about=about, libraries=places, **settings
    )


def terms_of_gene(
    library: Library,
    matrix: TermMatrix,
    gene: int,
    top: int | None,
    which: Which,
    usable: Mask | bool = True,
) -> tuple[NDArray[np.int64], pl.DataFrame]:
    """The best usable terms of a gene, and their columns by the fast form of the model.

    For a term in which the gene is annotated, evidence and support are leave-one-out; a term of
    the gene alone has none, and is left out.
    """
    evidence = matrix.evidence(gene)
    annotated = mask_of(holders(library.members, gene)[0], len(library.rows))
    if annotated.any():
        evidence[annotated] = matrix.leave_one_out(np.flatnonzero(annotated), gene)
    rest = library.sizes - annotated
    support = evidence + SIZE_WEIGHT * np.log(np.maximum(rest, 1))
    rows = np.flatnonzero((rest > 0) & usable)
    chosen, rank = best(support, rows, top, which=which, annotated=annotated)
    columns = {
        "rank": rank,
        **library.table[chosen].to_dict(),
        "annotated": annotated[chosen],
        "support": support[chosen],
        "z_score_across_terms": standardized(evidence[chosen], evidence[rest > 0]),
    }
    return chosen, pl.DataFrame(columns)


def standardized(values: Numbers, among: Numbers) -> Numbers:
    """`values` less the mean of `among`, over its standard deviation, if that is not 0."""
    if not len(among):
        return values
    return np.asarray((values - among.mean()) / (among.std() or 1.0))


def _of_set(
    library: Library, is_input: Mask, evidence: Numbers, top: int | None, which: Which
) -> pl.DataFrame:
    """The best terms of a set, by its (genes,) evidence."""
    overlap = (library.members @ is_input.astype(np.float64)).astype(np.int64)
    standard = standardized(evidence, evidence)
    total = library.members @ standard  # (terms,)
    new = library.members @ np.where(is_input, 0.0, standard)
    n, others, size = library.sizes, library.sizes - overlap, len(evidence)
    # Genes are drawn without replacement: the mean over all genes does not vary.
    error = np.sqrt(n * np.maximum(size - n, 0) / max(size - 1, 1))
    z_score = np.divide(total, error, out=np.zeros_like(total), where=error > 0)
    strength = total / (n + NONE)
    chosen, rank = best(strength, np.arange(len(n)), top, which=which, annotated=overlap > 0)
    symbols = library.model.vocabulary.symbols
    shared = [sorted(symbols[g] for g in library.genes(t) if is_input[g]) for t in chosen]
    alone = np.where(others > 0, new / (others + NONE), np.nan)[chosen]
    return pl.DataFrame(
        {
            "rank": rank,
            **library.table[chosen].to_dict(),
            "evidence": strength[chosen],
            "evidence_new": pl.Series(alone, nan_to_null=True),
            "z_score": z_score[chosen],
            "overlap": overlap[chosen],
            "overlap_genes": pl.Series(shared, dtype=pl.List(pl.String)),
        }
    )
