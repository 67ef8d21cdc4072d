"""Calibration: from scores to probabilities, each set by its own genes.

The precision of a score differs more between sets than between models. The leave-one-out scores of
a set's own genes show how its missing genes will score. Every set therefore has a curve of its own,
fitted to these scores, with a prior that is learned from sets whose missing genes are known.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gsfm.completion.reliability import calibration_error
from gsfm.errors import GsfmError, require

Floats = NDArray[np.float32]
Numbers = NDArray[np.float64]
Integers = NDArray[np.int64]

FORMAT = "gsfm-calibration/1"

#: The missing fraction of the sets that a calibration is fitted on.
HALF = 0.5

#: The terms of the log-odds, see `Calibration`.
TERMS = ("constant", "evidence", "rank", "first_10", "first_1000")

#: Each bin of ranks ends at so many times the last rank of the one before, and has a gene or more.
STEP = 1.35
#: The fewest sets to fit on.
FEWEST = 20
#: Sets whose evidence is in memory at once when fitting.
BLOCK = 64
#: Weight of the loss without the sets' own deviations, when fitting.
PRIOR_LOSS = 0.1
#: Penalty of the prior weights and the log-precisions.
RIDGE = 1.0


def meaning(missing_fraction: float = HALF) -> str:
    """The description of a calibrated probability, by the fraction of the set that is missing."""
    check_missing_fraction(missing_fraction)
    fraction = "half" if missing_fraction == HALF else f"{100 * (1 - missing_fraction):.6g}%"
    return (
        "the chance that the gene is one of the set's missing genes, if the input genes are a "
        f"random {fraction} of the whole set: of all genes with 0.3, about 3 in 10 are"
    )


def check_missing_fraction(missing_fraction: float) -> None:
    """Raise ValueError if `missing_fraction` is out of its range."""
    message = "missing_fraction, the fraction of the whole set that is missing, must be above 0 "
    is_number = isinstance(missing_fraction, int | float | np.number)
    holds = is_number and 0 < missing_fraction < 1
    require(holds, f"{message}and below 1, not {missing_fraction!r}")


def require_finite(*scores: NDArray[Any]) -> None:
    """Raise GsfmError unless all scores of a model are finite."""
    message = "the model gave scores that are not finite numbers; is it damaged?"
    require(all(np.isfinite(one).all() for one in scores), message, GsfmError)


@dataclass(frozen=True)
class Calibration:
    r"""Converts the evidence for the genes of a set into probabilities.

    Parameters
    ----------
    prior_weights
        (5,) the mean weights of `TERMS` among sets, :math:`\theta`.
    prior_precision
        (5,) 1 over their variance among sets.

    Notes
    -----
    For a set of n genes, with N genes to choose from, the log-odds that a gene with the
    standardized evidence e at the rank r among those N is one of m missing ones are

    .. math:: \log \frac{P}{1 - P} = \log \frac{m}{N - m} + (\theta + u) \cdot
              \big(1,\ \pm \log(1 + |e|),\ \tfrac13 \log \tfrac{N}{r},\
              \log^+ \tfrac{10}{r},\ \tfrac13 \log^+ \tfrac{1000}{r}\big)

    For a half, m is n; if the fraction s of the whole set is missing, m is n s / (1 - s). The
    calibration is fitted on halves; :math:`\theta` and the precision are the same for any fraction.

    The deviation :math:`u \sim N(0, 1 / \text{precision})` is the set's own. It is the maximum a
    posteriori estimate from the leave-one-out evidence for the set's own genes, each counted m / n
    times: genes that are left out at random have the same evidence as genes that are missing at
    random. A set of one gene has no deviation; the probabilities of an empty set are 0. The sums
    are over bins of ranks, each about a third longer than the one before. If the probability of a
    bin is below that of a worse one, the two are pooled; between the bins the log-odds are
    interpolated by the evidence.
    """

    prior_weights: tuple[float, ...]
    prior_precision: tuple[float, ...]

    def __post_init__(self) -> None:
        for name in ("prior_weights", "prior_precision"):
            values = getattr(self, name)
            right = len(values) == len(TERMS) and np.isfinite(values).all()
            require(right, f"{name} must hold {len(TERMS)} finite numbers")
        require(min(self.prior_precision) > 0, "prior_precision must hold numbers above 0")

    def probabilities(
        self,
        of_genes: Floats,
        of_members: Floats,
        members: sp.csr_array,
        missing_fraction: float = HALF,
    ) -> Floats:
        """(n, genes) the probability of each gene for each set; see `Model.probability`.

        Parameters
        ----------
        of_genes, of_members
            (n, genes) and (members,) evidence, as `Model.evidence` returns it.
        members
            (n, genes) 0/1 membership.
        missing_fraction
            The fraction of each whole set that is missing from it, above 0 and below 1.

        Raises
        ------
        GsfmError
            If the evidence is not finite.
        ValueError
            If `missing_fraction` is out of its range.
        """
        check_missing_fraction(missing_fraction)
        binned = Binned.of(of_genes, of_members, members)
        curves = self._curves(binned, missing_fraction)
        out = np.zeros(of_genes.shape, np.float32)
        # Nothing is missing from an empty set, and nothing can be added to a set of all genes.
        for u in np.flatnonzero((binned.size > 0) & (binned.n_bins > 0)):
            k = binned.n_bins[u]
            # From the worst bin to the best.
            evidence, curve = binned.evidence[u, :k][::-1], curves[u, :k][::-1]
            at = slice(members.indptr[u], members.indptr[u + 1])
            own = of_genes[u].copy()
            own[members.indices[at]] = of_members[at]
            out[u] = _sigmoid(np.interp(own, evidence, curve))
        return out

    def _curves(self, binned: Binned, missing_fraction: float = HALF) -> Numbers:
        """(n, bins) the log-odds of a gene of each bin, never rising with the rank."""
        ratio = missing_fraction / (1 - missing_fraction)
        terms = binned.terms()
        at_prior = binned.prior(ratio)[:, None] + terms @ np.array(self.prior_weights)
        own, _ = _deviations(binned, terms, at_prior, np.array(self.prior_precision), ratio)
        log_odds = at_prior + np.einsum("nbk,nk->nb", terms, own)
        for curve, genes, k in zip(log_odds, binned.genes, binned.n_bins, strict=True):
            curve[:k] = _never_rising(curve[:k], genes[:k])
        return np.asarray(log_odds)

    @classmethod
    def fit(cls, binned: Binned) -> Self:
        """Fit the prior to 20 sets or more with hidden genes, by maximum likelihood."""
        # Imported here: prediction does not need it.
        from scipy.optimize import minimize

        n = len(binned.size)
        message = f"a calibration needs {FEWEST} halved sets or more, not {n}"
        require(n >= FEWEST and binned.hidden.any(), message, GsfmError)
        terms, prior, m = binned.terms(), binned.prior(), len(TERMS)
        total = binned.hidden.sum()

        def loss(theta: Numbers) -> tuple[float, Numbers]:
            precision = np.exp(theta[m:])
            at_prior = prior[:, None] + terms @ theta[:m]
            own, curvature = _deviations(binned, terms, at_prior, precision)
            z = at_prior + np.einsum("nbk,nk->nb", terms, own)
            p = _sigmoid(z)
            value = binned.log_loss(z) + PRIOR_LOSS * binned.log_loss(at_prior)
            error = binned.genes * p - binned.hidden  # (n, bins)
            alone = PRIOR_LOSS * (binned.genes * _sigmoid(at_prior) - binned.hidden)
            # The deviations depend on the prior: by the implicit function theorem,
            # du / d theta = -C^-1 T' W T and du / d log(precision) = -C^-1 precision u.
            pull = np.einsum("nbk,nb->nk", terms, error)
            pull = np.linalg.solve(curvature, pull[:, :, None])[:, :, 0]
            weight = binned.genes * p * (1 - p) * (binned.size > 1)[:, None]
            direct = error - weight * np.einsum("nbk,nk->nb", terms, pull)
            of_weights = np.einsum("nbk,nb->k", terms, direct + alone)
            gradient = np.concatenate([of_weights, -(pull * precision * own).sum(axis=0)])
            value += 0.5 * RIDGE * theta @ theta
            return float(value / total), (gradient + RIDGE * theta) / total

        bounds = [(-50.0, 50.0)] * m + [(-6.0, 12.0)] * m
        start = np.concatenate([np.zeros(m), np.ones(m)])
        options = {"maxiter": 300, "ftol": 1e-10, "gtol": 1e-6}
        theta = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x
        return cls(tuple(map(float, theta[:m])), tuple(map(float, np.exp(theta[m:]))))

    def errors(self, binned: Binned) -> dict[str, float]:
        """The errors on sets with hidden genes, as `Model.calibrate` records them."""
        z = self._curves(binned)
        loss = binned.log_loss(z)
        top = (np.cumsum(binned.genes, axis=1) <= 100) & (binned.genes > 0)
        counts = binned.genes[top].astype(np.int64)
        predicted = np.repeat(_sigmoid(z)[top], counts)
        observed = np.repeat(binned.hidden[top] / binned.genes[top], counts)
        return {
            "log_loss": float(loss / max(binned.hidden.sum(), 1)),
            "error_top_100": calibration_error(predicted, observed) if len(predicted) else 0.0,
        }

    def to_json(self) -> dict[str, Any]:
        """The object in ``calibration.json``."""
        return {
            "format": FORMAT,
            "meaning": meaning(),
            "prior_weights": dict(zip(TERMS, self.prior_weights, strict=True)),
            "prior_precision": dict(zip(TERMS, self.prior_precision, strict=True)),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`; ValueError names the wrong field."""
        found = value.get("format")
        require(found == FORMAT, f"format is {found!r}; this gsfm reads {FORMAT!r}")
        fields = ("prior_weights", "prior_precision")
        surplus = sorted(set(value) - {"format", "meaning", *fields})
        require(not surplus, f"there is no field {surplus}; the fields are {', '.join(fields)}")
        return cls(*(_numbers(name, value.get(name)) for name in fields))


def _numbers(name: str, value: Any) -> tuple[float, ...]:
    """The numbers of a field, in the order of `TERMS`."""
    whole = isinstance(value, dict) and set(value) == set(TERMS)
    require(whole, f"{name} must be an object of {', '.join(TERMS)}")
    for term, number in value.items():
        right = type(number) in (int, float) and abs(number) < 1e6
        right = right and (number > 0 or name == "prior_weights")
        require(right, f"{name}.{term} must be a number in its range, not {number!r}")
    return tuple(float(value[term]) for term in TERMS)


@dataclass(frozen=True)
class Binned:
    """The genes outside each of n sets, binned by the rank of their evidence, best bin first.

    Sets with fewer bins are padded with empty ones. Genes with equal evidence are in one bin.
    """

    size: Integers  # (n,) genes in the set
    others: Integers  # (n,) other genes
    n_bins: Integers  # (n,)
    genes: Numbers  # (n, bins) genes in the bin
    evidence: Numbers  # (n, bins) the mean evidence
    log_rank: Numbers  # (n, bins) the mean logarithm of the rank, from 1
    left_out: Numbers  # (n, bins) the set's own genes, by their leave-one-out evidence
    hidden: Numbers  # (n, bins) hidden genes

    @classmethod
    def of(
        cls,
        of_genes: Floats,
        of_members: Floats,
        members: sp.csr_array,
        hidden: sp.csr_array | None = None,
    ) -> Self:
        """Bin the evidence; the arrays are those of `Calibration.probabilities`."""
        n, genes = of_genes.shape
        require_finite(of_genes, of_members)
        ends, logs = _ends(genes), _sum_of_logs(genes)
        out = np.zeros((5, n, len(ends)))
        n_genes, evidence, log_rank, left_out, n_hidden = out
        n_bins = np.zeros(n, np.int64)
        size = np.diff(members.indptr).astype(np.int64)
        for u in range(n):
            at = slice(members.indptr[u], members.indptr[u + 1])
            values = np.sort(np.delete(of_genes[u], members.indices[at])).astype(np.float64)
            count = len(values)
            if not count:
                continue
            last = np.append(ends[ends < count], count)
            lowest = values[count - last]  # of each bin
            # Bins end where the evidence changes.
            last = np.unique(count - np.searchsorted(values, lowest))
            lowest, first = values[count - last], np.append(0, last[:-1])
            k = n_bins[u] = len(last)
            sums = np.append(0, np.cumsum(values[::-1]))
            n_genes[u, :k] = last - first
            evidence[u, :k] = (sums[last] - sums[first]) / (last - first)
            log_rank[u, :k] = (logs[last] - logs[first]) / (last - first)
            left_out[u, :k] = _count(of_members[at], lowest)
            if hidden is not None:
                own = hidden.indices[hidden.indptr[u] : hidden.indptr[u + 1]]
                n_hidden[u, :k] = _count(of_genes[u, own], lowest)
        # The means of the bins fall, up to the rounding errors of long sums.
        return cls(size, genes - size, n_bins, *out)

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """The sets of all parts, which have the same genes."""
        columns = ([getattr(part, field.name) for part in parts] for field in fields(cls))
        return cls(*map(np.concatenate, columns))

    def prior(self, ratio: float = 1.0) -> Numbers:
        """(n,) the log-odds of any gene, with `ratio` missing genes for each gene of the set."""
        missing = np.maximum(self.size, 1) * ratio
        return np.asarray(np.log(missing / np.maximum(self.others - missing, 1)))

    def log_loss(self, log_odds: Numbers) -> Any:
        """The log loss over all genes, by the (n, bins) log-odds."""
        return (self.genes * np.logaddexp(0, log_odds) - self.hidden * log_odds).sum()

    def terms(self) -> Numbers:
        """(n, bins, 5) the terms of the log-odds."""
        e, r = self.evidence, self.log_rank
        terms = [
            np.ones_like(e),
            np.sign(e) * np.log1p(np.abs(e)),
            (np.log(np.maximum(self.others, 1))[:, None] - r) / 3,
            np.maximum(np.log(10) - r, 0),
            np.maximum(np.log(1000) - r, 0) / 3,
        ]
        return np.stack(terms, axis=2) * (self.genes > 0)[:, :, None]


def _deviations(
    binned: Binned, terms: Numbers, at_prior: Numbers, precision: Numbers, ratio: float = 1.0
) -> tuple[Numbers, Numbers]:
    """Each set's own deviation (n, 5) from the `at_prior` log-odds (n, bins), and the curvature.

    The maximum of the posterior, by Newton's method; a leave-one-out gene counts `ratio` times.
    """
    # A set of one gene has no leave-one-out evidence.
    informative = (binned.size > 1).astype(np.float64)[:, None]
    trials, successes = binned.genes * informative, binned.left_out * informative * ratio
    own = np.zeros((len(at_prior), len(precision)))
    curvature = np.broadcast_to(np.diag(precision), (*own.shape, len(precision)))
    for _ in range(60):
        p = _sigmoid(at_prior + np.einsum("nbk,nk->nb", terms, own))
        slope = np.einsum("nbk,nb->nk", terms, successes - trials * p) - precision * own
        weighted = terms * (trials * p * (1 - p))[:, :, None]
        curvature = np.matmul(weighted.transpose(0, 2, 1), terms) + np.diag(precision)
        step = np.linalg.solve(curvature, slope[:, :, None])[:, :, 0]
        # A full step can be too long where the curve is flat.
        longest = np.abs(step).max(axis=1, keepdims=True, initial=1e-9)
        step *= np.minimum(1, 2 / longest)
        own += step
        if np.abs(step).max(initial=0) < 1e-7:
            break
    return own, curvature


def _never_rising(log_odds: Numbers, genes: Numbers) -> Numbers:
    """Isotonic regression: pool neighboring bins until the probability never rises."""
    if (np.diff(log_odds) <= 0).all():
        return log_odds
    pools: list[tuple[float, float, int]] = []  # probability, genes, bins
    for p, n in zip(_sigmoid(log_odds).tolist(), genes.tolist(), strict=True):
        bins = 1
        while pools and pools[-1][0] < p:
            p0, n0, bins0 = pools.pop()
            p, n, bins = (p0 * n0 + p * n) / (n0 + n), n0 + n, bins0 + bins
        pools.append((p, n, bins))
    pooled = np.repeat([p for p, _, _ in pools], [bins for _, _, bins in pools])
    pooled = np.clip(pooled, 1e-30, 1 - 1e-15)
    return np.asarray(np.log(pooled) - np.log1p(-pooled))


def _count(values: Floats, lowest: Numbers) -> Integers:
    """The number of values in each bin, by its lowest value; the last bin has the rest."""
    bins = np.searchsorted(-lowest, -values.astype(np.float64))
    return np.bincount(np.minimum(bins, len(lowest) - 1), minlength=len(lowest))


def _sigmoid(z: Numbers) -> Numbers:
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * z))


@functools.lru_cache(maxsize=8)
def _ends(genes: int) -> Integers:
    """The last rank of each bin."""
    ends = [1]
    while ends[-1] < genes:
        ends.append(min(genes, max(ends[-1] + 1, int(ends[-1] * STEP))))
    return np.array(ends)


@functools.lru_cache(maxsize=8)
def _sum_of_logs(genes: int) -> Numbers:
    """(genes + 1,) the sum of the logarithms of the first ranks."""
    return np.append(0, np.cumsum(np.log(np.arange(1, genes + 1))))
