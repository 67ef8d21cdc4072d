"""Ask a method all questions, and measure its answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from gsfm.benchmark.method import Method
from gsfm.benchmark.metrics import Ranking, matched_percentiles
from gsfm.benchmark.questions import COLUMNS, Questions

#: The metrics of a question, as in the columns of `Measured.questions`.
METRICS = (
    "auroc",
    "average_precision",
    "ndcg_100",
    "recall_10",
    "recall_50",
    "recall_100",
    "enrichment_score",
    "matched_auroc",
)

#: Points of a curve: 0, 0.01, ..., 1.
POINTS = 101


@dataclass(frozen=True, eq=False)
class Measured:
    """How well a method answered.

    Attributes
    ----------
    questions
        A row for each question: ``protocol``, ``term``, ``split``, ``k``; ``n_shown``,
        ``n_hidden``, ``n_candidates`` (hidden genes among them); and the `METRICS`, null where
        there was nothing to tell apart (``matched_auroc`` also where no hidden gene has a match).
    genes
        A row for each gene that was ever hidden: ``gene``, ``popularity``, ``papers``, ``n``
        (times hidden), and the means over those times of ``auroc`` (the share of the other
        candidates below it, ties half) and of ``matched_auroc``.
    curves
        ``curve`` ("roc" or "pr"), ``x`` (false positive rate or recall) and ``y`` (true positive
        rate or precision), a mean over the questions.
    """

    questions: pl.DataFrame
    genes: pl.DataFrame
    curves: pl.DataFrame


def measure(
    method: Method,
    questions: Questions,
    popularity: ArrayLike,
    papers: ArrayLike,
    *,
    batch: int = 256,
    progress: Callable[[int, int], None] | None = None,
) -> Measured:
    """Let a method score the background for every question, and take all metrics.

    Parameters
    ----------
    method
        Prepared for these questions (`Method.prepare`).
    questions
        What is asked.
    popularity
        (background,) the number of training sets that have the gene: what the popularity-matched
        AUROC matches.
    papers
        (background,) the number of papers about the gene.
    batch
        Questions asked at once; bounds the working memory, and changes nothing else.
    progress
        Called with the number of questions done and of all, after each batch.

    Raises
    ------
    ValueError
        If the method gives scores of another shape, or a candidate the score NaN; or if popularity
        or papers has another length than the background.

    Examples
    --------
    >>> from gsfm.genes import Vocabulary
    >>> from gsfm.sets import GeneSets
    >>> background = Vocabulary(["A", "B", "C", "D"])
    >>> asked = Questions(
    ...     "half-split",
    ...     background,
    ...     shown=GeneSets.from_lists([["A"]], vocabulary=background),
    ...     hidden=GeneSets.from_lists([["B"]], vocabulary=background),
    ...     table=pl.DataFrame({"term": ["a term"], "split": [0], "k": [None]}),
    ... )
    >>> class Alphabet(Method):
    ...     name, kind, vocabulary = "alphabet", "earlier letters first", None
    ...
    ...     def score(self, questions, rows):
    ...         return np.tile(np.float32([4, 3, 2, 1]), (len(questions.table[rows]), 1))
    >>> found = measure(Alphabet(), asked, popularity=[3, 2, 5, 1], papers=[9, 7, 8, 2])
    >>> found.questions.select("term", "n_candidates", "auroc", "matched_auroc").rows()
    [('a term', 3, 1.0, None)]
    >>> found.genes.rows()
    [('B', 2, 7, 1, 1.0, None)]
    """
    n, n_genes = len(questions), len(questions.background)
    popularity = _per_gene("popularity", popularity, n_genes)
    papers = _per_gene("papers", papers, n_genes)
    if batch < 1:
        raise ValueError("batch must be 1 or more")
    order = np.argsort(popularity, kind="stable")

    metrics = np.full((len(METRICS), n), np.nan)
    n_candidates = np.zeros(n, np.int64)
    of_gene, matched_of_gene = _Means(n_genes), _Means(n_genes)
    roc, precision_recall = _Means(POINTS), _Means(POINTS)
    times = np.zeros(n_genes, np.int64)
    for start in range(0, n, batch):
        rows = slice(start, min(start + batch, n))
        ranked, wanted = questions.ranked(rows), questions.wanted(rows)
        scores = np.asarray(method.score(questions, rows))
        try:
            ranking = Ranking.of(scores, ranked, wanted)
        except ValueError as error:
            where = f"{method.name}, questions {start} to {rows.stop - 1}"
            raise ValueError(f"{where}: {error}") from error
        owner, gene, matched = matched_percentiles(scores, ranked, wanted, order)
        of_question = _Means(len(ranking))
        of_question.add(owner, matched)
        metrics[:, rows] = (
            ranking.auroc(),
            ranking.average_precision(),
            ranking.ndcg(100),
            ranking.recall(10),
            ranking.recall(50),
            ranking.recall(100),
            ranking.enrichment_score(),
            of_question.means(),
        )
        n_candidates[rows] = ranking.n_candidates
        times += np.bincount(gene, minlength=n_genes)
        of_gene.add(ranking.gene, ranking.percentiles())
        matched_of_gene.add(gene, matched)
        for means, curve in ((roc, ranking.roc()), (precision_recall, ranking.precision_recall())):
            means.add(np.tile(np.arange(POINTS), len(curve)), curve.ravel())
        if progress is not None:
            progress(rows.stop, n)

    sizes = {
        "n_shown": questions.shown.sizes,
        "n_hidden": questions.hidden.sizes,
        "n_candidates": n_candidates,
    }
    hidden = np.flatnonzero(times)
    symbols = questions.background.symbols
    x = np.arange(POINTS) / (POINTS - 1)
    return Measured(
        questions=questions.table.select(
            pl.lit(questions.protocol, pl.String).alias("protocol"),
            *(pl.col(name).cast(dtype) for name, dtype in COLUMNS.items()),
        ).with_columns(
            *(pl.Series(name, size.astype(np.int32)) for name, size in sizes.items()),
            *(_floats(name, values) for name, values in zip(METRICS, metrics, strict=True)),
        ),
        genes=pl.DataFrame(
            {
                "gene": pl.Series([symbols[i] for i in hidden.tolist()], dtype=pl.String),
                "popularity": popularity[hidden],
                "papers": papers[hidden],
                "n": times[hidden],
                "auroc": _floats("auroc", of_gene.means()[hidden]),
                "matched_auroc": _floats("matched_auroc", matched_of_gene.means()[hidden]),
            }
        ),
        curves=pl.DataFrame(
            {
                "curve": ["roc"] * POINTS + ["pr"] * POINTS,
                "x": _floats("x", np.tile(x, 2)),
                "y": _floats("y", np.concatenate([roc.means(), precision_recall.means()])),
            }
        ),
    )


class _Means:
    """Means of what falls into each of some bins, nan left out."""

    def __init__(self, bins: int) -> None:
        self.total = np.zeros(bins)
        self.n = np.zeros(bins, np.int64)

    def add(self, bins: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        known = ~np.isnan(values)
        self.total += np.bincount(bins[known], values[known], len(self.n))
        self.n += np.bincount(bins[known], minlength=len(self.n))

    def means(self) -> NDArray[np.float64]:
        """nan for an empty bin."""
        means = np.full(len(self.n), np.nan)
        np.divide(self.total, self.n, out=means, where=self.n > 0)
        return means


def _per_gene(name: str, values: ArrayLike, n_genes: int) -> NDArray[np.int64]:
    values = np.asarray(values, dtype=np.int64)
    if values.shape != (n_genes,):
        raise ValueError(f"{name} needs a number for each of the {n_genes} genes of the background")
    return values


def _floats(name: str, values: NDArray[np.float64]) -> pl.Series:
    """A float32 column, null for nan."""
    return pl.Series(name, values.astype(np.float32)).fill_nan(None)
