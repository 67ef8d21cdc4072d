"""Reliability of probabilities: bins, and the expected calibration error."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gsfm.errors import require

#: Bins of the same width in probability, or of the same number of pairs.
Binning: TypeAlias = Literal["equal width", "equal mass"]


def bins_of(probability: ArrayLike, bins: int, binning: Binning) -> NDArray[np.int64]:
    """(pairs,) the bin of each probability, from 0.

    Equal probabilities are in one bin: bins of equal mass are only approximately equal, and some
    may be empty.
    """
    p = np.asarray(probability)
    require(bins >= 1, "bins must be 1 or more")
    if binning == "equal width":
        return np.minimum((p * bins).astype(np.int64), bins - 1)
    if not len(p):
        return np.empty(0, np.int64)
    # The value at each boundary, not a mean of two, so that equal values are in one bin.
    at = (np.arange(1, bins) * len(p) / bins).astype(np.int64)
    edges = np.partition(p, np.unique(at))[at] if len(at) else p[:0]
    return np.searchsorted(edges, p, side="right").astype(np.int64)


def calibration_error(
    probability: ArrayLike, observed: ArrayLike, *, bins: int = 10, binning: Binning = "equal mass"
) -> float:
    r"""Expected calibration error: the mean distance of predicted and observed frequencies.

    .. math:: \sum_b \frac{n_b}{n} \left| \bar p_b - \bar y_b \right|

    over bins with :math:`n_b` of the n pairs, their mean probability and the observed frequency
    (Naeini et al., AAAI 2015, doi:10.1609/aaai.v29i1.9602).

    Parameters
    ----------
    probability, observed
        (pairs,) predicted probabilities, and observed outcomes, 0 or 1.
    bins, binning
        As for `bins_of`.

    Examples
    --------
    >>> predicted, observed = [0.2, 0.2, 0.2, 0.2, 0.8], [0, 0, 0, 1, 1]
    >>> round(calibration_error(predicted, observed, binning="equal width"), 6)
    0.08
    """
    p, y = np.asarray(probability, np.float64), np.asarray(observed, np.float64)
    if not len(p):
        return float("nan")
    gap = np.bincount(bins_of(p, bins, binning), p - y)
    return float(np.abs(gap).sum() / len(p))
