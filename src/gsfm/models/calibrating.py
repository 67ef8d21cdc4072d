"""Calibrating a fitted model on held-out sets, and measuring the calibration error."""

from __future__ import annotations

from typing import Any

import numpy as np

from gsfm.completion.reliability import calibration_error
from gsfm.models import Model
from gsfm.models.held_out import BLOCK, HeldOut
from gsfm.models.membership import slices

#: The numbers of best genes of each set that the errors are over.
TOPS = (10, 100)


def calibrate(model: Model, held: HeldOut) -> dict[str, Any]:
    """Calibrate a model on every other held-out set, and measure the error on the rest.

    Parameters
    ----------
    model
        A fitted model; it becomes calibrated (`Model.calibrate`).
    held
        Sets that the model was not fitted on: 40 or more.

    Returns
    -------
    dict
        ``fitted_sets`` and ``measured_sets``; the expected calibration errors, in ten bins of
        equal mass, over the 10 and 100 best genes of each measured set, ``error_top_10`` and
        ``error_top_100``; and for each of the two the mean predicted probability, ``told_``, and
        the observed frequency of hidden genes, ``found_``.

    Raises
    ------
    GsfmError
        If there are fewer than 20 sets to fit on.

    Examples
    --------
    >>> from gsfm.models import Popularity
    >>> from gsfm.sets import GeneSets
    >>> rng = np.random.default_rng(0)
    >>> corpus = GeneSets.from_lists([
    ...     [f"G{g}" for g in rng.choice(50, 12, replace=False)] for _ in range(400)
    ... ])
    >>> held, rows = HeldOut.draw(corpus, 40)
    >>> model = Popularity().fit(corpus[rows])
    >>> measured = calibrate(model, held)
    >>> measured["measured_sets"], 0.1 < measured["told_top_10"] < 0.2
    (20, True)
    """
    fit, test = held[::2], held[1::2]
    model.calibrate(fit.shown, fit.hidden)
    predicted, observed = [], []
    most = max(TOPS)
    for rows in slices(len(test), BLOCK):
        block = test[rows]
        scores, probability = model.score_and_probability(block.shown)
        shown = block.shown.reindex(model.vocabulary).to_csr()
        scores[shown.nonzero()] = -np.inf
        best = np.argsort(-scores, axis=1, kind="stable")[:, :most]
        # A small vocabulary may have fewer genes to rank than that.
        ranked = np.isfinite(np.take_along_axis(scores, best, axis=1))
        predicted.append(np.where(ranked, np.take_along_axis(probability, best, axis=1), np.nan))
        hidden = block.hidden.reindex(model.vocabulary).to_csr().toarray()
        observed.append(np.take_along_axis(hidden, best, axis=1))
    p, y = np.concatenate(predicted), np.concatenate(observed)
    record: dict[str, Any] = {"fitted_sets": len(fit), "measured_sets": len(test)}
    for top in TOPS:
        ranked = ~np.isnan(p[:, :top])
        a, b = p[:, :top][ranked], y[:, :top][ranked]
        record[f"error_top_{top}"] = round(calibration_error(a, b), 5)
        record[f"told_top_{top}"] = round(float(a.mean()), 5)
        record[f"found_top_{top}"] = round(float(b.mean()), 5)
    return record
