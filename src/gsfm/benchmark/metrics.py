"""Metrics of rankings, exact also with ties, and their measurement for a method.

All metrics follow from counts of candidates and hidden genes with a higher and the same score.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import polars as pl
import polars.selectors as cs
from numpy.typing import ArrayLike, NDArray

from gsfm.benchmark.methods import Method
from gsfm.benchmark.questions import COLUMNS, Questions
from gsfm.errors import require

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Ranking:
    """The ranks of the hidden genes of n questions among the candidates.

    Make it with `Ranking.of`. The hidden genes of all questions are held flat (h in all): question
    by question, the best first.

    A question without a hidden gene or without another candidate is *undefined*, and all its
    metrics are nan.

    Attributes
    ----------
    owner, gene
        (h,) the question and the gene id of each hidden gene.
    above, tied
        (h,) candidates that score higher, and the same (itself among them).
    hidden_above, hidden_tied
        (h,) the same, counting hidden genes only.
    n_candidates, n_hidden
        (n,) candidates and hidden genes of each question.

    Examples
    --------
    >>> scores = np.float32([[3, 1, 2, 0, 9]])
    >>> ranked = np.array([[True, True, True, True, False]])  # gene 4 was shown
    >>> wanted = np.array([[True, True, False, False, False]])
    >>> ranking = Ranking.of(scores, ranked, wanted)
    >>> ranking.above.tolist(), ranking.auroc().tolist(), ranking.recall(1).tolist()
    ([0, 2], [0.75], [1.0])
    """

    owner: Ints
    gene: Ints
    above: Ints
    tied: Ints
    hidden_above: Ints
    hidden_tied: Ints
    n_candidates: Ints
    n_hidden: Ints

    @classmethod
    def of(cls, scores: ArrayLike, ranked: ArrayLike, wanted: ArrayLike) -> Ranking:
        """Rank the candidates of each question by their scores.

        Parameters
        ----------
        scores
            (n, genes); larger is better, infinities are in order. Scores of genes that are no
            candidates do not matter.
        ranked
            (n, genes) whether a gene is a candidate.
        wanted
            (n, genes) whether a gene is hidden; hidden genes are candidates.

        Raises
        ------
        ValueError
            If the shapes differ, a candidate's score is NaN, or a hidden gene is no candidate.

        Examples
        --------
        >>> Ranking.of([[1.0, 1.0, 0.0]], [[True] * 3], [[True, False, False]]).auroc()
        array([0.75])
        """
        scores, ranked, wanted = _checked(scores, ranked, wanted)
        n_genes = scores.shape[1]
        n_candidates = np.count_nonzero(ranked, axis=1).astype(np.int64)
        n_hidden = np.count_nonzero(wanted, axis=1).astype(np.int64)

        owner, gene = _positions(wanted)
        mine = scores[owner, gene]
        best_first = np.lexsort((-mine, owner))
        owner, gene, mine = owner[best_first], gene[best_first], mine[best_first]

        # Among the candidates: the other genes go to the end of their row.
        rows = np.where(ranked, scores, np.asarray(np.inf, scores.dtype))
        rows.sort(axis=1)
        start = owner * n_genes
        below, upto = _count(rows.ravel(), start, start + n_candidates[owner], mine)
        # Among the hidden genes, in descending order: both are negated.
        start = _starts(n_hidden)[owner]
        hidden_above, hidden_upto = _count(-mine, start, start + n_hidden[owner], -mine)
        above, tied = n_candidates[owner] - upto, upto - below
        hidden_tied = hidden_upto - hidden_above
        return cls(owner, gene, above, tied, hidden_above, hidden_tied, n_candidates, n_hidden)

    def __len__(self) -> int:
        return len(self.n_hidden)

    def __repr__(self) -> str:
        return f"Ranking({len(self)} questions, {len(self.gene)} hidden genes)"

    @property
    def defined(self) -> Bools:
        """(n,) whether the question has both hidden genes and other candidates."""
        return (self.n_hidden > 0) & (self.n_candidates > self.n_hidden)

    def percentiles(self) -> Floats:
        """(h,) the share of the other candidates (not hidden) below each hidden gene; ties half.

        The mean of a question is its AUROC. nan where the question is undefined.

        Examples
        --------
        >>> Ranking.of([[3, 1, 2, 0]], [[True] * 4], [[True, True, False, False]]).percentiles()
        array([1. , 0.5])
        """
        others = self._others[self.owner]
        below = others - (self._others_above + self._others_tied / 2)
        return _divide(below, others, others > 0)

    def auroc(self) -> Floats:
        """(n,) area under the ROC curve: Mann-Whitney U over its largest value, ties half.

        Examples
        --------
        >>> Ranking.of([[3, 1, 2, 0]], [[True] * 4], [[True, True, False, False]]).auroc()
        array([0.75])
        """
        return self._mean(self.percentiles())

    def average_precision(self) -> Floats:
        """(n,) mean of the precision at the threshold of each hidden gene, as scikit-learn has it.

        Tied candidates pass the threshold together.

        Examples
        --------
        >>> ranking = Ranking.of([[3, 1, 2]], [[True] * 3], [[True, True, False]])
        >>> ranking.average_precision().round(3)  # (1/1 + 2/3) / 2
        array([0.833])
        """
        return self._mean(self._precision)

    def ndcg(self, k: int) -> Floats:
        """(n,) normalized discounted cumulative gain of the `k` best; tied ranks are averaged.

        A hidden gene at rank r gains 1 / log2(1 + r); the best possible sum is 1.

        Raises
        ------
        ValueError
            If `k` is not positive.

        Examples
        --------
        >>> Ranking.of([[3, 2]], [[True, True]], [[False, True]]).ndcg(100).round(3)  # 1 / log2(3)
        array([0.631])
        """
        require(k >= 1, "k must be 1 or more")
        gain = np.zeros(k + 1)
        np.cumsum(1 / np.log2(np.arange(2, k + 2)), out=gain[1:])
        top, bottom = np.minimum(self.above, k), np.minimum(self.above + self.tied, k)
        total = self._sum((gain[bottom] - gain[top]) / self.tied)
        return _divide(total, gain[np.minimum(self.n_hidden, k)], self.defined)

    def recall(self, k: int) -> Floats:
        """(n,) hidden genes among the `k` best over the most that there can be.

        The most is ``min(k, n_hidden)``. Of candidates that tie across rank `k`, each is as likely
        as the next to be within: this is the expected value.

        Raises
        ------
        ValueError
            If `k` is not positive.

        Examples
        --------
        >>> Ranking.of([[1, 1, 0]], [[True] * 3], [[True, False, False]]).recall(1)
        array([0.5])
        """
        require(k >= 1, "k must be 1 or more")
        found = self._sum(np.clip((k - self.above) / self.tied, 0, 1))
        return _divide(found, np.minimum(self.n_hidden, k), self.defined)

    def enrichment_score(self) -> Floats:
        """(n,) the largest lead of the hidden genes: max over thresholds of TPR - FPR, 0 at least.

        The peak of an unweighted running sum down the ranking, as in Clarke et al. 2026
        (10.1016/j.patter.2026.101565). Tied candidates pass together.

        Examples
        --------
        >>> ranking = Ranking.of([[3, 1, 2, 0]], [[True] * 4], [[True, True, False, False]])
        >>> ranking.enrichment_score()  # after the first gene; and again after the third
        array([0.5])
        """
        # It rises only where a hidden gene is passed.
        tpr = (self.hidden_above + self.hidden_tied) / self.n_hidden[self.owner]
        others = np.maximum(self._others[self.owner], 1)
        fpr = (self._others_above + self._others_tied) / others
        peak = np.zeros(len(self))
        np.maximum.at(peak, self.owner, tpr - fpr)
        return np.where(self.defined, peak, np.nan)

    def roc(self, points: int = 101) -> Floats:
        """(n, points) true positive rate where the false positive rate is 0, ..., 1.

        Tied candidates are a slope of the curve, so that the area under it is the AUROC; at a
        step, the upper end.

        Raises
        ------
        ValueError
            If there are fewer than 2 points.

        Examples
        --------
        >>> Ranking.of([[3, 1, 2, 0]], [[True] * 4], [[True, True, False, False]]).roc(3)
        array([[0.5, 1. , 1. ]])
        """
        require(points >= 2, "a curve needs 2 points or more")
        n, last = len(self), points - 1
        rows = np.repeat(np.arange(n), points)
        # Counts of others are held as multiples of 1 / last: whole numbers compare exactly.
        passed = np.tile(np.arange(points), n) * self._others[rows]
        ends = (self._others_above + self._others_tied) * last
        start = _starts(self.n_hidden)[rows]
        stop = start + self.n_hidden[rows]
        _, found = _count(ends, start, stop, passed)
        # The next hidden gene, and those tied with it, may be partly passed.
        partly = np.flatnonzero(found < stop - start)
        at = (start + found)[partly]
        slope = (passed[partly] - self._others_above[at] * last) / np.maximum(
            self._others_tied[at] * last, 1
        )
        rate = found.astype(np.float64)
        rate[partly] += self.hidden_tied[at] * np.clip(slope, 0, 1)
        defined = self.defined[rows]
        return _divide(rate, self.n_hidden[rows], defined).reshape(n, points)

    def precision_recall(self, points: int = 101) -> Floats:
        """(n, points) precision at the first threshold whose recall is at least 0, ..., 1.

        The area under these steps is the average precision. At recall 0: the precision at the
        first hidden gene.

        Raises
        ------
        ValueError
            If there are fewer than 2 points.

        Examples
        --------
        >>> ranking = Ranking.of([[3, 1, 2]], [[True] * 3], [[True, True, False]])
        >>> ranking.precision_recall(3).round(3)
        array([[1.   , 1.   , 0.667]])
        """
        require(points >= 2, "a curve needs 2 points or more")
        curve = np.full((len(self), points), np.nan)
        rows = np.flatnonzero(self.defined)
        wanted = self.n_hidden[rows, None] * np.arange(points)
        place = np.maximum(-(-wanted // (points - 1)), 1) - 1
        curve[rows] = self._precision[_starts(self.n_hidden)[rows, None] + place]
        return curve

    @property
    def _others(self) -> Ints:
        return self.n_candidates - self.n_hidden

    @property
    def _others_above(self) -> Ints:
        return self.above - self.hidden_above

    @property
    def _others_tied(self) -> Ints:
        return self.tied - self.hidden_tied

    @property
    def _precision(self) -> Floats:
        """(h,) hidden genes over candidates, down to each hidden gene."""
        return (self.hidden_above + self.hidden_tied) / (self.above + self.tied)

    def _sum(self, values: Floats) -> Floats:
        return np.asarray(np.bincount(self.owner, values, len(self)), np.float64)

    def _mean(self, values: Floats) -> Floats:
        return _divide(self._sum(values), self.n_hidden, self.defined)


def matched_auroc(
    scores: ArrayLike, ranked: ArrayLike, wanted: ArrayLike, order: ArrayLike, window: int = 25
) -> Floats:
    """(n,) AUROC of hidden genes against candidates that are as popular: being popular wins 0.5.

    The mean of `matched_percentiles` over the hidden genes that have one; nan where none has. A
    gene's number of known functions follows how much it was studied, and a ranking by popularity
    alone looks skilled (Gillis & Pavlidis 2011, 10.1371/journal.pone.0017258); here it does not.

    Parameters
    ----------
    scores, ranked, wanted
        As in `Ranking.of`.
    order
        (genes,) the gene ids by popularity; whether it rises or falls does not matter.
    window
        How many neighbors on each side a hidden gene is compared with.

    Raises
    ------
    ValueError
        As `Ranking.of`; or if `order` is no permutation of the genes, or `window` not positive.

    Examples
    --------
    >>> popularity = np.array([[5, 1, 9, 4, 7]])
    >>> ranked, wanted = np.ones((1, 5), bool), popularity == 5
    >>> order = np.argsort(popularity[0])
    >>> matched_auroc(popularity, ranked, wanted, order)
    array([0.5])
    >>> matched_auroc(popularity + 100 * wanted, ranked, wanted, order)
    array([1.])
    """
    owner, _, shares = matched_percentiles(scores, ranked, wanted, order, window)
    return _Means(len(np.asarray(scores))).add(owner, shares).means()


def matched_percentiles(
    scores: ArrayLike, ranked: ArrayLike, wanted: ArrayLike, order: ArrayLike, window: int = 25
) -> tuple[Ints, Ints, Floats]:
    """Compare each hidden gene with its neighbors in popularity.

    A hidden gene at place c of `order` is compared with the genes at c - j and c + j, for j from 1
    to `window`. A pair counts only if both are candidates and neither is hidden: so each hidden
    gene meets as many genes that are more popular as genes that are less.

    Parameters
    ----------
    scores, ranked, wanted, order, window
        As in `matched_auroc`.

    Returns
    -------
    owner, gene, shares
        (h,) each: the question and the id of each hidden gene, and the share of its comparisons
        that it won (ties half); nan where no pair counts.

    Raises
    ------
    ValueError
        As `matched_auroc`.

    Examples
    --------
    >>> everyone, wanted = np.ones((1, 3), bool), np.array([[False, True, False]])
    >>> matched_percentiles([[0.0, 1.0, 1.0]], everyone, wanted, [0, 1, 2])
    (array([0]), array([1]), array([0.75]))
    """
    scores, ranked, wanted = _checked(scores, ranked, wanted)
    n_genes = scores.shape[1]
    order = np.asarray(order, dtype=np.int64)
    once = np.array_equal(np.sort(order), np.arange(n_genes))
    require(once, f"order must hold each of the {n_genes} gene ids once")
    require(window >= 1, "window must be 1 or more")
    place = np.empty(n_genes, np.int64)
    place[order] = np.arange(n_genes)

    owner, gene = _positions(wanted)
    mine, center, row = scores[owner, gene], place[gene], owner * n_genes
    flat, others = scores.ravel(), (ranked & ~wanted).ravel()
    won = np.zeros(len(owner))
    met = np.zeros(len(owner), np.int64)
    for j in range(1, min(window, n_genes) + 1):
        inside = (center >= j) & (center < n_genes - j)
        less = row + order[np.maximum(center - j, 0)]
        more = row + order[np.minimum(center + j, n_genes - 1)]
        pair = inside & others[less] & others[more]
        for other in (flat[less], flat[more]):
            won += pair * ((mine > other) + 0.5 * (mine == other))
        met += 2 * pair
    return owner, gene, _divide(won, met, met > 0)


def _checked(
    scores: ArrayLike, ranked: ArrayLike, wanted: ArrayLike
) -> tuple[NDArray[Any], Bools, Bools]:
    """The arguments as arrays: of one shape, without NaN, the hidden genes among the candidates."""
    scores, ranked, wanted = np.asarray(scores), np.asarray(ranked, bool), np.asarray(wanted, bool)
    if scores.dtype.kind != "f":
        scores = scores.astype(np.float64)
    shapes = scores.shape, ranked.shape, wanted.shape
    if scores.ndim != 2 or len(set(shapes)) > 1:
        raise ValueError(
            f"scores, ranked and wanted need one shape (questions, genes), not {shapes}"
        )
    bad = np.isnan(scores)
    if bad.any() and (bad & ranked).any():
        row, gene = np.argwhere(bad & ranked)[0]
        raise ValueError(f"the score of candidate {gene} in row {row} is NaN")
    if (wanted > ranked).any():
        row, gene = np.argwhere(wanted > ranked)[0]
        raise ValueError(f"gene {gene} in row {row} is hidden, but is no candidate")
    return scores, ranked, wanted


def _positions(mask: Bools) -> tuple[Ints, Ints]:
    """`numpy.nonzero` of a matrix, several times faster."""
    row, column = np.divmod(np.flatnonzero(mask), max(mask.shape[1], 1))
    return row, column


def _starts(sizes: Ints) -> Ints:
    """(n,) where each question's part of a flat array begins."""
    return np.cumsum(sizes) - sizes


def _divide(a: NDArray[Any], b: NDArray[Any], where: Bools) -> Floats:
    """a / b, nan elsewhere."""
    out = np.full(len(a), np.nan)
    np.divide(a, b, out=out, where=where)
    return out


def _count(flat: NDArray[Any], start: Ints, stop: Ints, values: NDArray[Any]) -> tuple[Ints, Ints]:
    """How many of ``flat[start:stop]``, which ascends, are below each value; and below or equal.

    `numpy.searchsorted` with a stretch of its own for each value: both ends climb together, by
    halving steps.
    """
    below, upto = start.copy(), start.copy()
    longest = int((stop - start).max(initial=0))
    for bit in reversed(range(longest.bit_length())):
        step = 1 << bit
        for place, compare in ((below, np.less), (upto, np.less_equal)):
            further = place + step
            fits = further <= stop
            further[~fits] = 1  # any place that there is
            fits &= compare(flat[further - 1], values)
            place += step * fits
    return below - start, upto - start


_OF_RANKING: Mapping[str, Callable[[Ranking], Floats]] = {
    "auroc": Ranking.auroc,
    "average_precision": Ranking.average_precision,
    "ndcg_100": lambda ranking: ranking.ndcg(100),
    "recall_10": lambda ranking: ranking.recall(10),
    "recall_50": lambda ranking: ranking.recall(50),
    "recall_100": lambda ranking: ranking.recall(100),
    "enrichment_score": Ranking.enrichment_score,
}
#: The metrics of a question, as in the columns of `Measured.questions`.
METRICS = (*_OF_RANKING, "matched_auroc")

#: Points of a curve: 0, 0.01, ..., 1.
POINTS = 101


@dataclass(frozen=True, eq=False)
class Measured:
    """The metrics of a method in a task.

    Attributes
    ----------
    questions
        A row for each question: ``protocol``, ``term``, ``split``, ``k``; ``n_shown``,
        ``n_hidden``, ``n_candidates`` (including hidden genes); and the `METRICS`, null where they
        are undefined (``matched_auroc`` also where no hidden gene has a match).
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
    """Score all questions with a method, and compute all metrics.

    Parameters
    ----------
    method
        Prepared for these questions (`Method.prepare`).
    questions
        The questions.
    popularity
        (background,) the number of training sets with the gene, for the matched AUROC.
    papers
        (background,) the number of papers about the gene.
    batch
        Questions scored at once; it only affects the memory.
    progress
        Called after each batch with the number of questions done and of all.

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
    >>> questions = Questions(
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
    >>> found = measure(Alphabet(), questions, popularity=[3, 2, 5, 1], papers=[9, 7, 8, 2])
    >>> found.questions.select("term", "n_candidates", "auroc", "matched_auroc").rows()
    [('a term', 3, 1.0, None)]
    >>> found.genes.rows()
    [('B', 2, 7, 1, 1.0, None)]
    """
    n, n_genes = len(questions), len(questions.background)
    popularity = _per_gene("popularity", popularity, n_genes)
    papers = _per_gene("papers", papers, n_genes)
    require(batch >= 1, "batch must be 1 or more")
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
        matched_of_question = _Means(len(ranking)).add(owner, matched).means()
        found = [metric(ranking) for metric in _OF_RANKING.values()]
        metrics[:, rows] = [*found, matched_of_question]
        n_candidates[rows] = ranking.n_candidates
        times += np.bincount(gene, minlength=n_genes)
        of_gene.add(ranking.gene, ranking.percentiles())
        matched_of_gene.add(gene, matched)
        points = np.tile(np.arange(POINTS), len(ranking))
        roc.add(points, ranking.roc().ravel())
        precision_recall.add(points, ranking.precision_recall().ravel())
        if progress is not None:
            progress(rows.stop, n)

    hidden = np.flatnonzero(times)
    n_shown, n_hidden = questions.shown.sizes, questions.hidden.sizes
    own = questions.table.select(
        pl.lit(questions.protocol, pl.String).alias("protocol"),
        *(pl.col(name).cast(dtype) for name, dtype in COLUMNS.items()),
    )
    sizes = _table(n_shown=n_shown, n_hidden=n_hidden, n_candidates=n_candidates).cast(pl.Int32)
    return Measured(
        questions=pl.concat(
            [own, sizes, _table(**dict(zip(METRICS, metrics, strict=True)))], how="horizontal"
        ),
        genes=_table(
            gene=pl.Series([questions.background[i] for i in hidden.tolist()], dtype=pl.String),
            popularity=popularity[hidden],
            papers=papers[hidden],
            n=times[hidden],
            auroc=of_gene.means()[hidden],
            matched_auroc=matched_of_gene.means()[hidden],
        ),
        curves=_table(
            curve=["roc"] * POINTS + ["pr"] * POINTS,
            x=np.tile(np.arange(POINTS) / (POINTS - 1), 2),
            y=np.concatenate([roc.means(), precision_recall.means()]),
        ),
    )


class _Means:
    """Means of the values in each bin, without nan."""

    def __init__(self, bins: int) -> None:
        self.total = np.zeros(bins)
        self.n = np.zeros(bins, np.int64)

    def add(self, bins: Ints, values: Floats) -> Self:
        known = ~np.isnan(values)
        self.total += np.bincount(bins[known], values[known], len(self.n))
        self.n += np.bincount(bins[known], minlength=len(self.n))
        return self

    def means(self) -> Floats:
        """nan for an empty bin."""
        return _divide(self.total, self.n, self.n > 0)


def _per_gene(name: str, values: ArrayLike, n_genes: int) -> Ints:
    values = np.asarray(values, dtype=np.int64)
    if values.shape != (n_genes,):
        raise ValueError(f"{name} needs a number for each of the {n_genes} genes of the background")
    return values


def _table(**columns: Any) -> pl.DataFrame:
    """A table with numbers as float32, null for nan."""
    return pl.DataFrame(columns).with_columns(cs.float().cast(pl.Float32).fill_nan(None))
