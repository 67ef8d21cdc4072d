"""Annotation: the terms that a gene, or a set of genes, belongs to.

For a gene the question to the model is turned round. Of every term the term matrix has the
evidence for the gene; the terms at the top are then put to the whole model. A set is completed
once, and the terms are ranked by how high their genes come out.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any, Literal, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm.analysis.term_scores import (
    MISSING,
    Library,
    Numbers,
    Progress,
    ask,
    open_libraries,
    split_half_auroc,
)
from gsfm.analysis.terms import LibrariesLike
from gsfm.completion.calibration import check_missing_fraction, meaning
from gsfm.completion.identifiers import input_told, nothing_known, understand
from gsfm.completion.result import Result
from gsfm.completion.scorer import model_told
from gsfm.errors import UnknownGenesError
from gsfm.genes import Species
from gsfm.models import Model, ModelLike, load_model
from gsfm.models.term_matrix import TermMatrix, holders
from gsfm.version import __version__

#: Which terms are shown: all, those that hold the gene (or a gene of the set) already, the others.
Which: TypeAlias = Literal["all", "annotated", "new"]

#: What the logarithm of a term's size counts beside the evidence for a gene. Of the annotations
#: that GO gained between 2023 and 2025, weighed by how specific they are, 1.25 times as many are
#: among a gene's ten first terms as with 0; with 1 the terms are larger, and no more are found.
SIZE_WEIGHT = 0.75
#: What a set points at is the mean evidence of a term's genes and of so many more that have none:
#: the mean of few genes is trusted less.
NONE = 10


def probability_of_term(missing_fraction: float) -> str:
    """What the probability is, if the share `missing_fraction` of the whole term is."""
    return f"{meaning(missing_fraction)}. Here the genes given are the term's"


LIBRARY = "the library of the term; ranks are within a library"
SIZE = "genes of the term that the model knows"
#: What the numbers are; a part of every provenance.
OF_GENE = {
    "rank": "place among the library's terms by support; 1 is the likeliest",
    "library": LIBRARY,
    "id": "identifier of the term",
    "term": "name of the term",
    "size": SIZE,
    "annotated": "whether the term holds the gene already; all numbers but split_half_auroc are "
    "then of the term without it (leave-one-out)",
    "support": "evidence for the gene by the model's fast form, that of all its members with the "
    f"weights that are assumed of them, plus {SIZE_WEIGHT} times the logarithm of the term's size: "
    "large terms gain a gene more often; can be compared between terms; not a probability",
    "score": "the model's score of the gene; larger is likelier; no unit, not a probability",
    "z_score": "score less the mean, over the standard deviation, of the scores of all genes that "
    "are not in the term",
    "probability": probability_of_term(MISSING),
    "gene_rank": "place of the gene among all genes that are not in the term; 1 is the best",
    "z_score_across_terms": "the fast form's evidence for the gene, less its mean, over its "
    "standard deviation, among all terms of the library: low for a gene that scores high "
    "everywhere",
    "split_half_auroc": "AUROC with which a half of the term's genes, chosen at random, finds the "
    "other half among all genes, mean of both ways, by the whole model: 0.5 is chance, 1 perfect; "
    "of a term near 0.5 the model can tell nothing",
}
OF_SET = {
    "rank": "place among the library's terms by evidence; 1 is what the set points at most",
    "library": LIBRARY,
    "id": "identifier of the term",
    "term": "name of the term",
    "size": SIZE,
    "evidence": "mean over the term's genes of how much each looks like one of the set, in "
    f"standard deviations over all genes, with {NONE} genes of none added, so that the mean of few "
    "is trusted less. Genes given have the evidence that they get when left out of the set, alone "
    "or with up to an eighth of it; a single one has that of the mean of all",
    "evidence_new": "the same of the term's genes that were not given alone; null if all were",
    "z_score": "the mean without these additions, over its standard error for as many genes drawn "
    "at random from all. No p-value belongs to it: genes of a term are not independent, and large "
    "terms have large ones",
    "overlap": "how many of the genes given the term holds: what is known already",
    "overlap_genes": "these genes",
}


class Annotation(Result):
    """The ranked terms of `annotate`, and what was understood of the input.

    Attributes
    ----------
    table
        One row a term, library by library, best first.
    provenance
        The model, the libraries with their releases, the input, and what the columns mean.
    inputs
        One row an identifier: ``input``, ``symbol``, ``match``, ``candidates`` and ``rule`` as
        `gsfm.genes.resolve` has them, and ``in_model``.
    resolution
        What `gsfm.genes.resolve` returned.
    """

    def _headline(self) -> str:
        p = self.provenance
        terms = sum(one["terms_used"] for one in p["libraries"])
        return f"{len(self)} of {terms} terms; {p['about']}; model {p['model']['name']}"


def annotate(
    genes: str | Iterable[str],
    libraries: LibrariesLike = None,
    *,
    top: int | None = 5,
    which: Which = "all",
    fast: bool = False,
    missing_fraction: float = MISSING,
    model: ModelLike = None,
    species: Species | None = None,
    cache: bool = False,
    progress: Progress | None = None,
) -> Annotation:
    r"""Rank the terms of libraries for a gene, or for a set of genes.

    Parameters
    ----------
    genes
        An identifier of one gene, of any kind that `gsfm.genes.resolve` knows; or several, which
        are then a set.
    libraries
        One or several: the name of a library (`gsfm.libraries.names`), the path of a gene-set
        file, or a `GeneSets`. All that are shipped or were added, if None.
    top
        How many terms of each library to return; all of them if None.
    which
        Only the terms that hold the gene already ("annotated"; of a set, one of its genes), or only
        those that do not ("new").
    fast
        For a gene: return the numbers of the term matrices only. The columns ``score``,
        ``z_score``, ``probability``, ``gene_rank`` and ``split_half_auroc``, which need the whole
        model, are left out.
    missing_fraction
        For a gene: the share of each whole term that is missing from it, above 0 and below 1. It
        changes the probabilities alone. A fifth is what terms of GO gained in four years.
    model
        The model to ask: a fitted model, or a model folder; the shipped model if None.
    species
        Where the identifiers come from, as in `gsfm.genes.resolve`.
    cache
        Keep what the libraries were made into in the user's cache folder, for the next process.
    progress
        Called with what is being done, how much of it is done, and how much there is.

    Returns
    -------
    Annotation
        For a gene ``rank``, ``library``, ``id``, ``term``, ``size``, ``annotated``, ``support``,
        ``score``, ``z_score``, ``probability`` if the model is calibrated, ``gene_rank``,
        ``z_score_across_terms`` and ``split_half_auroc``. For a set ``rank``, ``library``, ``id``,
        ``term``, ``size``, ``evidence``, ``evidence_new``, ``z_score``, ``overlap`` and
        ``overlap_genes``. The provenance says what they mean.

    Raises
    ------
    UnknownGenesError
        If no identifier is a gene that the model knows.
    GsfmError
        If there is no such library, or no term of a library has a gene that the model knows.
    ValueError
        If a setting is out of its range.

    Notes
    -----
    *A gene.* A term of n genes has the support :math:`\sum_m w_m e_m + 0.75 \log n`, with the
    evidence :math:`e_m` of the model's members and the weights :math:`w_m` that are assumed of
    them. If the term holds the gene, the evidence is that of the term without it; a term of that
    gene alone is left out. The first question makes the library ready, which takes seconds; a model
    of a family that has no fast form scores all terms for each gene. What else is told of the terms
    that are returned is the whole model's.

    *A set.* The model completes the set once. With the evidence :math:`e_j` of gene j for being in
    it, and its mean m and standard deviation d over all N genes, a term of n genes has

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
    if top is not None and top < 1:
        raise ValueError(f"top must be 1 or more, not {top}")
    if which not in ("all", "annotated", "new"):
        raise ValueError(f"which must be all, annotated or new, not {which!r}")
    check_missing_fraction(missing_fraction)
    one = isinstance(genes, str)
    given = understand(model.vocabulary, [genes] if isinstance(genes, str) else genes, species)
    ids = np.unique(given.ids[given.ids >= 0])
    if not len(ids):
        raise UnknownGenesError(nothing_known("the set" if not one else "the input", given))
    opened = open_libraries(model, libraries)
    if one:
        tables = _of_gene(
            model, opened, int(ids[0]), top, which, fast, missing_fraction, cache, progress
        )
        meanings = {**OF_GENE, "probability": probability_of_term(missing_fraction)}
        about = f"gene {model.vocabulary[int(ids[0])]}"
    else:
        evidence = _evidence(model, ids)
        tables = [_of_set(model, library, ids, evidence, top, which) for library in opened]
        meanings = OF_SET
        about = f"{len(ids)} input genes"
    table = pl.concat(tables)
    provenance = {
        "task": "annotate",
        "about": about,
        "gsfm_version": __version__,
        "model": model_told(model),
        "input": input_told(given.inputs, len(ids)),
        "libraries": [library.provenance for library in opened],
        "top": top,
        "which": which,
        "missing_fraction": missing_fraction,
        "columns": {name: meanings[name] for name in table.columns},
    }
    return Annotation(table, provenance, inputs=given.inputs, resolution=given.resolution)


def _of_gene(
    model: Model,
    libraries: list[Library],
    gene: int,
    top: int | None,
    which: Which,
    fast: bool,
    missing_fraction: float,
    cache: bool,
    progress: Progress | None,
) -> list[pl.DataFrame]:
    """A table of each library."""
    ranked = [_ranked(library, gene, top, which, cache, progress) for library in libraries]
    tables = [table for _, table in ranked]
    if fast:
        return tables
    # The whole model is asked of all libraries' terms at once: it takes less than one by one.
    shown = [(library, chosen) for library, (chosen, _) in zip(libraries, ranked, strict=True)]
    sets = [library.genes(t) for library, chosen in shown for t in chosen]
    answers = ask(
        model, sets, [gene] * len(sets), progress, missing_fraction=missing_fraction
    )._asdict()
    if model.calibration is None:
        del answers["probability"]
    answers["split_half_auroc"] = split_half_auroc(shown, progress)
    told = pl.DataFrame(answers).with_columns(pl.col("split_half_auroc").fill_nan(None))
    order = [
        *tables[0].columns[:-1],
        *told.columns[:-1],
        "z_score_across_terms",
        "split_half_auroc",
    ]
    ends = np.cumsum([0, *map(len, tables)]).tolist()
    return [
        pl.concat([table, told[start:end]], how="horizontal").select(order)
        for table, (start, end) in zip(tables, pairwise(ends), strict=True)
    ]


def _ranked(
    library: Library,
    gene: int,
    top: int | None,
    which: Which,
    cache: bool,
    progress: Progress | None,
) -> tuple[NDArray[np.int64], pl.DataFrame]:
    """The terms that are shown, best first, and what the fast form says of them."""
    evidence, support, known = supports(library, library.term_matrix(progress, cache=cache), gene)
    shown = np.isfinite(support)  # a term of this gene alone says nothing of it
    # The rank is among all terms, whichever are shown.
    order = _descending(support, np.flatnonzero(shown))
    rank = np.empty(len(known), np.int64)
    rank[order] = np.arange(len(order)) + 1
    chosen = order[_of_which(known[order], which)][:top]
    columns = {
        **_naming(library, chosen, rank[chosen]),
        "annotated": pl.Series(known[chosen], dtype=pl.Boolean),
        "support": support[chosen],
        "z_score_across_terms": z_score_across_terms(evidence[shown], evidence[chosen]),
    }
    return chosen, pl.DataFrame(columns)


def supports(
    library: Library, terms: TermMatrix, gene: int
) -> tuple[Numbers, Numbers, NDArray[np.bool_]]:
    """(terms,) the evidence for a gene, the support, and whether each term holds the gene already.

    Those of a term that holds it are of the term without it; the support by a term of the gene
    alone is minus infinity.
    """
    evidence = terms.evidence(gene)
    known = np.zeros(len(library.rows), bool)
    known[holders(library.members, gene)[0]] = True
    if known.any():
        evidence[known] = terms.leave_one_out(np.flatnonzero(known), gene)
    rest = library.sizes - known
    support = evidence + SIZE_WEIGHT * np.log(np.maximum(rest, 1))
    return evidence, np.where(rest > 0, support, -np.inf), known


def z_score_across_terms(evidence: Numbers, chosen: Numbers) -> Numbers:
    """The chosen evidence for a gene among that of all terms, in standard deviations."""
    spread = evidence.std() if len(evidence) else 0.0
    return (chosen - (evidence.mean() if len(evidence) else 0.0)) / (spread if spread > 0 else 1.0)


def _evidence(model: Model, ids: NDArray[np.integer[Any]]) -> Numbers:
    """(genes,) how much each gene looks like one of the set; those of the set as if left out."""
    members = model.encode([ids])
    of_genes, of_members = model.evidence(members)
    evidence: Numbers = of_genes[0].astype(np.float64)
    # Of a single gene nothing is left when it is left out: it is like any other.
    evidence[members.indices] = of_members if len(of_members) > 1 else 0.0
    return evidence


def _of_set(
    model: Model,
    library: Library,
    ids: NDArray[np.integer[Any]],
    evidence: Numbers,
    top: int | None,
    which: Which,
) -> pl.DataFrame:
    given = np.zeros(len(evidence), bool)
    given[ids] = True
    overlap = (library.members @ given.astype(np.float64)).astype(np.int64)
    size = len(evidence)
    spread = evidence.std()
    standard = (evidence - evidence.mean()) / (spread if spread > 0 else 1.0)
    total = library.members @ standard  # (terms,)
    new = library.members @ np.where(given, 0.0, standard)
    n, others = library.sizes, library.sizes - overlap
    # Drawn without replacement: of all genes the mean is always the same.
    error = np.sqrt(n * np.maximum(size - n, 0) / max(size - 1, 1))
    z_score = np.divide(total, error, out=np.zeros_like(total), where=error > 0)
    strength = total / (n + NONE)
    order = _descending(strength, np.arange(len(n)))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order)) + 1
    chosen = order[_of_which(overlap[order] > 0, which)][:top]
    symbols = model.vocabulary.symbols
    shared = [sorted(symbols[g] for g in library.genes(t) if given[g]) for t in chosen]
    alone = np.where(others > 0, new / (others + NONE), np.nan)[chosen]
    return pl.DataFrame(
        {
            **_naming(library, chosen, rank[chosen]),
            "evidence": strength[chosen],
            "evidence_new": pl.Series(alone, dtype=pl.Float64, nan_to_null=True),
            "z_score": z_score[chosen],
            "overlap": overlap[chosen],
            "overlap_genes": pl.Series(shared, dtype=pl.List(pl.String)),
        }
    )


def _naming(library: Library, chosen: NDArray[np.int64], rank: NDArray[np.int64]) -> dict[str, Any]:
    return {
        "rank": rank,
        "library": pl.Series([library.name] * len(chosen), dtype=pl.String),
        "id": library.ids[chosen].cast(pl.String),
        "term": library.names[chosen].cast(pl.String),
        "size": library.sizes[chosen].astype(np.int64),
    }


def _of_which(known: NDArray[np.bool_], which: Which) -> NDArray[np.bool_]:
    return np.ones(len(known), bool) if which == "all" else known == (which == "annotated")


def _descending(key: Numbers, among: NDArray[np.int64]) -> NDArray[np.int64]:
    """The positions `among`, the largest key first; ties in the library's order."""
    order: NDArray[np.int64] = among[np.argsort(-key[among], kind="stable")]
    return order
