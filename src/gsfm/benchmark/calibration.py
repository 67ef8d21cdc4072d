"""Calibration of probabilities: reliability tables, calibration errors, and their plot."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm.benchmark.methods import ModelMethod
from gsfm.benchmark.questions import Questions
from gsfm.completion.reliability import Binning, bins_of
from gsfm.errors import GsfmError, needs_extra, printable, require
from gsfm.io.files import atomic_path
from gsfm.models import Model

Numbers = NDArray[np.float64]

#: Questions scored at once, to limit the memory.
BATCH = 128

_COLOR, _PALE = "#0072b2", "#767676"


@dataclass(frozen=True, eq=False)
class Reliability:
    """The predicted probabilities of a model and the observed frequencies.

    Attributes
    ----------
    errors
        A row for each group of pairs of a question and a gene, and each kind of bins: ``over``
        ("all", or "top 10": the 10 most probable genes of each question), ``binning``, ``pairs``,
        ``predicted`` (the mean probability), ``observed`` (the share of hidden genes), and
        ``error``, the expected calibration error, with the 95% interval ``low`` to ``high`` over
        terms. The error is never negative, and resamples are noisier than the terms, so the
        interval is biased upwards.
    bins
        A row for each bin that is not empty: ``over``, ``binning``, ``bin`` (from 1), ``pairs``,
        ``predicted``, ``observed``, and the 95% interval ``low`` to ``high`` of ``observed`` over
        terms.
    """

    errors: pl.DataFrame
    bins: pl.DataFrame

    def plot(self, path: str | Path, *, title: str = "") -> None:
        """Plot the observed frequency against the predicted probability, in bins of equal mass.

        Parameters
        ----------
        path
            The file to write; ``.png``, ``.svg`` or ``.pdf`` chooses the format.
        title
            Title of the figure.

        Raises
        ------
        MissingExtraError
            If matplotlib is not installed.
        GsfmError
            If the file's ending is another.
        """
        path = Path(path)
        known = path.suffix.lower() in (".png", ".svg", ".pdf")
        require(known, f"cannot draw {path.name}: choose .png, .svg or .pdf", GsfmError)
        with needs_extra("a reliability plot", "plot"):
            # Without pyplot: no window system and no global state.
            from matplotlib.backends.backend_agg import FigureCanvasAgg
            from matplotlib.figure import Figure
        groups = self.errors["over"].unique(maintain_order=True).to_list()
        figure = Figure(figsize=(4 * len(groups), 4.2), layout="constrained")
        FigureCanvasAgg(figure)
        figure.suptitle(printable(title), parse_math=False)
        for axes, over in zip(np.atleast_1d(figure.subplots(1, len(groups))), groups, strict=True):
            chosen = (pl.col("over") == over) & (pl.col("binning") == "equal mass")
            _draw(axes, self.bins.filter(chosen), over, self.errors.filter(chosen)["error"].item())
        with atomic_path(path) as temporary:
            figure.savefig(temporary, dpi=150, format=path.suffix[1:].lower())


def reliability(
    model: Model,
    questions: Questions,
    *,
    missing_fraction: float = 0.5,
    bins: int = 10,
    tops: Sequence[int] = (10, 100),
    resamples: int = 1000,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Reliability:
    """Compare predicted probabilities with observed frequencies, for all pairs and the best genes.

    Nearly all pairs of a set and a gene have a probability near 0, so the error over all pairs is
    small for any model. The errors over the best genes of each question are informative.

    Parameters
    ----------
    model
        A calibrated model.
    questions
        The questions, such as those of `half_split`, which hides as many genes as it shows.
    missing_fraction
        The share of each term that is hidden.
    bins
        Number of bins of each kind.
    tops
        The numbers of best genes of each question.
    resamples
        Number of bootstrap resamples of terms; the repetitions of a term stay together.
    seed
        Seed of the bootstrap.
    progress
        Called after each batch with the number of questions done and of all.

    Raises
    ------
    NotCalibratedError
        If the model is not calibrated.
    ValueError
        If a setting is out of its range, there is no question, or a gene of the background is
        unknown to the model.

    Examples
    --------
    >>> from gsfm.benchmark import half_split
    >>> from gsfm.models import Linear
    >>> from gsfm.sets import GeneSets
    >>> rng = np.random.default_rng(0)
    >>> sets = [[f"{b}{i}" for i in rng.choice(12, 10, replace=False)] for b in "ABC" * 60]
    >>> corpus = GeneSets.from_lists(sets)
    >>> halved = half_split(corpus, splits=1)
    >>> model = Linear(regularization=5).fit(corpus).calibrate(halved.shown, halved.hidden)
    >>> found = reliability(model, halved, tops=[5])
    >>> found.errors.filter(over="top 5", binning="equal mass")["error"].item() < 0.1
    True
    """
    least = min(bins, resamples, *tops, len(tops))
    require(least >= 1, "bins, tops and resamples must be 1 or more")
    require(len(questions) > 0, "there is no question")
    columns = ModelMethod("the model", model).columns(questions.background)
    term = np.unique(questions.table["term"].to_numpy(), return_inverse=True)[1].ravel()
    # The arrays of each batch: probability, whether hidden, rank, and term of each pair.
    found: list[tuple[NDArray[Any], ...]] = []
    for start in range(0, len(questions), BATCH):
        rows = slice(start, min(start + BATCH, len(questions)))
        shown = [columns[questions.shown.ids(i)] for i in range(rows.start, rows.stop)]
        scores, p = (
            array[:, columns]
            for array in model.score_and_probability(shown, missing_fraction=missing_fraction)
        )
        ranked, wanted = questions.ranked(rows), questions.wanted(rows)
        scores[~ranked] = -np.inf
        order = np.argsort(-scores, axis=1, kind="stable")[:, : max(tops)]
        # From 0; one number for all behind the longest top.
        rank = np.full(scores.shape, max(tops), np.int32)
        np.put_along_axis(rank, order, np.arange(order.shape[1], dtype=np.int32)[None], axis=1)
        owner = np.repeat(term[rows].astype(np.int32), ranked.sum(axis=1))
        found.append((p[ranked], wanted[ranked], rank[ranked], owner))
        if progress is not None:
            progress(rows.stop, len(questions))
    p, y, rank, owner = (np.concatenate(parts) for parts in zip(*found, strict=True))
    groups: dict[str, Any] = {"all": slice(None)}
    groups |= {f"top {top}": rank < top for top in sorted(set(tops), reverse=True)}
    errors, tables = [], []
    for (over, chosen), binning in itertools.product(groups.items(), get_args(Binning)):
        sums = _sums(p[chosen], y[chosen], owner[chosen], bins, binning)
        error, table = _figures(sums, resamples, seed)
        names = {"over": over, "binning": binning}
        errors.append({**names, **error})
        tables.append(table.select(*(pl.lit(v).alias(k) for k, v in names.items()), pl.all()))
    return Reliability(pl.DataFrame(errors), pl.concat(tables))


def _sums(p: Any, y: Any, term: Any, bins: int, binning: Binning) -> Numbers:
    """(3, terms, bins): number of pairs, sum of their probabilities, number of hidden genes."""
    terms = int(term.max(initial=-1)) + 1
    cell = term * bins + bins_of(p, bins, binning)
    counts = [np.bincount(cell, weight, terms * bins) for weight in (None, p, y)]
    return np.stack(counts).reshape(3, terms, bins).astype(np.float64)


def _figures(sums: Numbers, resamples: int, seed: int) -> tuple[dict[str, Any], pl.DataFrame]:
    """The expected calibration error, and the table of bins, with intervals over terms."""
    terms = sums.shape[1]
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(terms, np.full(terms, 1 / terms), size=resamples).astype(np.float64)
    again = np.stack([drawn @ one for one in sums])  # (3, resamples, bins)
    n, predicted, observed = sums.sum(axis=1)
    spread = np.abs(again[1] - again[2]).sum(axis=1) / again[0].sum(axis=1)
    low, high = np.quantile(spread, [0.025, 0.975]).tolist()
    used = np.flatnonzero(n)
    with np.errstate(invalid="ignore"):  # a bin may be empty in a resample
        shares = again[2][:, used] / again[0][:, used]
    ends = np.nanquantile(shares, [0.025, 0.975], axis=0)
    table = pl.DataFrame(
        {
            "bin": used + 1,
            "pairs": n[used].astype(np.int64),
            "predicted": predicted[used] / n[used],
            "observed": observed[used] / n[used],
            "low": ends[0],
            "high": ends[1],
        }
    )
    means = {"predicted": predicted.sum(), "observed": observed.sum()}
    means["error"] = np.abs(predicted - observed).sum()
    figures = {name: float(value / n.sum()) for name, value in means.items()}
    return {"pairs": int(n.sum()), **figures, "low": low, "high": high}, table


def _draw(axes: Any, table: pl.DataFrame, over: str, error: float) -> None:
    # Over all genes, nearly all probabilities are near 0: the axes are logarithmic.
    floor, scale = (1e-5, "log") if over == "all" else (0.0, "linear")
    columns = ("predicted", "observed", "low", "high")
    predicted, observed, low, high = (np.maximum(table[c].to_numpy(), floor) for c in columns)
    axes.plot([floor, 1], [floor, 1], color=_PALE, linewidth=1, linestyle=":")
    axes.vlines(predicted, low, high, color=_COLOR, linewidth=1)
    axes.plot(predicted, observed, "o-", color=_COLOR, linewidth=1.5, markersize=4)
    axes.set(
        title=f"{'all genes' if over == 'all' else f'{over} genes'}: error {error:.2g}",
        xlabel="predicted probability",
        ylabel="observed frequency",
        xscale=scale,
        yscale=scale,
        xlim=(floor, 1),
        ylim=(floor, 1),
    )
    axes.spines[["top", "right"]].set_visible(False)
