"""Intervals over terms, and paired tests between methods."""

from __future__ import annotations

import itertools
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from scipy.stats import wilcoxon

from gsfm.errors import require

Floats = NDArray[np.float64]

#: Numbers drawn at once: a few megabytes.
_CHUNK = 1 << 20

#: The columns of `paired`.
_TESTS = {"task": pl.String, "one": pl.String, "other": pl.String, "n_terms": pl.Int64}
_TESTS |= dict.fromkeys(("difference", "better", "p_value", "p_holm"), pl.Float64)


def interval(
    values: ArrayLike,
    statistic: Literal["median", "mean"] = "median",
    *,
    n: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """95% interval of the median or mean over terms: percentile bootstrap.

    Parameters
    ----------
    values
        (terms,) one value for each term; average the repetitions of a term first, because they are
        not independent. nan is ignored.
    statistic
        The statistic.
    n
        Number of resamples.
    seed
        Seed of the resamples.

    Returns
    -------
    low, high
        The 2.5% and 97.5% quantiles of the statistic over the resamples; nan without a value.

    Raises
    ------
    ValueError
        If `values` is not one-dimensional, the statistic is unknown, or `n` is not positive.

    Notes
    -----
    The medians are drawn without resampling. The k-th smallest of m uniform numbers has the
    distribution Beta(k, m - k + 1), and the k-th smallest of m values drawn from a sorted list is
    the value at that fraction of the list: the same distribution, at a cost independent of m.

    Examples
    --------
    >>> low, high = interval(np.arange(101), "mean")
    >>> 43 < low < 50 < high < 57
    True
    >>> interval([0.7, 0.7, 0.7])
    (0.7, 0.7)
    """
    data = np.asarray(values, dtype=np.float64)
    require(data.ndim == 1, "values needs one number for each term")
    known = statistic in ("median", "mean")
    require(known, f"the statistic is 'median' or 'mean', not {statistic!r}")
    require(n >= 1, "n must be 1 or more")
    data = np.sort(data[~np.isnan(data)])
    if len(data) == 0:
        return np.nan, np.nan
    rng = np.random.default_rng(seed)
    found = _medians(data, n, rng) if statistic == "median" else _means(data, n, rng)
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def _medians(data: Floats, n: int, rng: np.random.Generator) -> Floats:
    """(n,) the medians of n resamples of the sorted data."""
    m = len(data)
    k = (m + 1) // 2
    share = rng.beta(k, m - k + 1, n)
    low = data[np.minimum((share * m).astype(np.int64), m - 1)]
    if m % 2:
        return low
    # The next in order is the least of m - k numbers that are uniform above this one.
    share += (1 - share) * rng.beta(1, m - k, n)
    high = data[np.minimum((share * m).astype(np.int64), m - 1)]
    return np.asarray((low + high) / 2)


def _means(data: Floats, n: int, rng: np.random.Generator) -> Floats:
    """(n,) the means of n resamples of the data."""
    found = np.empty(n)
    step = max(_CHUNK // len(data), 1)
    for start in range(0, n, step):
        size = min(step, n - start), len(data)
        picked = rng.integers(len(data), size=size, dtype=np.int32)
        found[start : start + step] = data[picked].mean(1)
    return found


def paired(table: pl.DataFrame, metric: str = "auroc") -> pl.DataFrame:
    """Compare all methods of each task, two at a time, on the terms that both scored.

    The Wilcoxon signed-rank test (two-sided; `scipy.stats.wilcoxon`) over terms, a term's
    repetitions averaged first. Equal terms count half for each side. The p-values of a task are
    adjusted together, after Holm.

    Parameters
    ----------
    table
        The columns ``task``, ``method``, ``term`` and `metric`, as in the results' table of
        questions.
    metric
        The metric to compare.

    Returns
    -------
    DataFrame
        A row for each two methods of a task, in the order of the table: ``task``, ``one``,
        ``other``, ``n_terms``; ``difference``, the median over terms of `metric` of `one` minus
        that of `other`; ``better``, the share of terms where `one` has more (equal ones half);
        ``p_value`` (of the hypothesis that the differences lie evenly about 0) and ``p_holm``.
        Nulls where there is no common term; a method without a value in a task has no row there.

    Examples
    --------
    >>> terms = [f"term {i}" for i in range(8)]
    >>> ours = pl.DataFrame({"term": terms, "auroc": [0.80 + i / 100 for i in range(8)]})
    >>> theirs = ours.with_columns(pl.col("auroc") - 0.05)
    >>> table = pl.concat([
    ...     ours.with_columns(task=pl.lit("GO"), method=pl.lit("ours")),
    ...     theirs.with_columns(task=pl.lit("GO"), method=pl.lit("theirs")),
    ... ])
    >>> row = paired(table).row(0, named=True)
    >>> row["one"], row["other"], row["n_terms"], round(row["difference"], 3), row["p_value"]
    ('ours', 'theirs', 8, 0.05, 0.0078125)
    """
    means = (
        table.select("task", "method", "term", pl.col(metric).cast(pl.Float64).fill_nan(None))
        .group_by("task", "method", "term", maintain_order=True)
        .agg(pl.col(metric).mean())
        .drop_nulls(metric)
    )
    rows = []
    for (task,), of_task in means.group_by("task", maintain_order=True):
        methods = of_task["method"].unique(maintain_order=True)
        wide = of_task.pivot("method", index="term", values=metric, maintain_order=True)
        tests = [
            (one, other, *signed_rank((wide[one] - wide[other]).drop_nulls().to_numpy()))
            for one, other in itertools.combinations(methods, 2)
        ]
        adjusted = holm([p for *_, p in tests])
        rows += [(task, *test, p) for test, p in zip(tests, adjusted.tolist(), strict=True)]
    return pl.DataFrame(rows, _TESTS, orient="row").with_columns(pl.col(pl.Float64).fill_nan(None))


def signed_rank(differences: Floats) -> tuple[int, float, float, float]:
    """Number of terms, median, share above 0 (0 counts half), and Wilcoxon's signed-rank p.

    Examples
    --------
    >>> signed_rank(np.array([1.0, 2.0, -3.0]))
    (3, 1.0, 0.666..., 1.0)
    """
    if len(differences) == 0:
        return 0, np.nan, np.nan, np.nan
    # Without a difference there is nothing to rank.
    p = wilcoxon(differences, zero_method="zsplit").pvalue if differences.any() else 1.0
    better = np.mean((differences > 0) + 0.5 * (differences == 0))
    return len(differences), float(np.median(differences)), float(better), float(p)


def holm(p: ArrayLike) -> Floats:
    """Adjust the p-values of a family of tests: Holm's step-down procedure.

    The chance that any true hypothesis is rejected at a level is at most that level
    (Holm 1979, Scandinavian Journal of Statistics 6, 65-70).

    Parameters
    ----------
    p
        (tests,) p-values; nan is no test, and stays.

    Returns
    -------
    ndarray
        (tests,) float64, in the given order: the r-th smallest of m times m - r + 1, no less than
        the smaller ones' and no more than 1.

    Examples
    --------
    >>> holm([0.04, 0.01, 0.03]).tolist()
    [0.06, 0.03, 0.06]
    """
    values = np.asarray(p, dtype=np.float64)
    adjusted = np.full(values.shape, np.nan)
    order = np.argsort(values)[: np.count_nonzero(~np.isnan(values))]  # nan comes last
    scaled = values[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1)
    return adjusted
