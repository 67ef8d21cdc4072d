"""Ordered over-representation: for each term the beginning of a ranked list that overlaps most."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm.analysis.enrichment.common import (
    BackgroundLike,
    Enrichment,
    Experiment,
    overlap_columns,
)
from gsfm.analysis.enrichment.model import about_ranks, by_gene, ranking
from gsfm.analysis.terms import MIN_SIZE, LibrariesLike, Terms
from gsfm.completion.inputs import RankedLike, pairs
from gsfm.errors import GsfmError, UnknownGenesError, check_given, check_least, check_sizes
from gsfm.genes import Species
from gsfm.models.types import Numbers
from gsfm.sets.overlap import p_values

Ints = NDArray[np.int64]

COLUMNS = {
    "direction": "the end of the list: its largest (up) or its smallest (down) statistics",
    "prefix": "number of first genes of the list, from that end, for which the overlap has the "
    "smallest p-value; the columns from overlap to prefix_p_value are about them",
    "prefix_p_value": "probability of that overlap or more with as many random genes of the "
    "background (hypergeometric); not corrected for the choice of the prefix",
    "p_value": "probability that a term of as many random genes of the background has so small a "
    "prefix_p_value for any prefix",
}
#: Genes of a background up to which logarithms of factorials are in a table.
LARGEST_TABLE = 10**6
#: The null is computed for terms of these sizes and for these smallest p-values, and interpolated
#: between them. Larger terms are extrapolated.
SIZES = np.array([1, 2, 3, 4, 5, 6, 8, 10, 14, 20, 30, 50, 80, 130, 230, 400, 700])
SMALLEST = 10.0 ** -np.array(
    [0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.3, 1.7, 2, 3, 4, 6, 8, 12, 20, 40, 80, 160, 300]
)


def ordered_ora(
    ranked: RankedLike,
    libraries: LibrariesLike = None,
    *,
    background: BackgroundLike | None = None,
    top: int | None = 20,
    min_size: int = MIN_SIZE,
    max_size: int | None = None,
    random_state: int = 0,
    species: Species | None = None,
) -> Enrichment:
    r"""Over-representation in the first genes of a ranked list, of a number that each term chooses.

    Parameters
    ----------
    ranked
        Identifiers with a signed statistic, as in `enrich`. The genes with positive statistics,
        largest first, are the list ``up``; those with negative ones, smallest first, ``down``.
    libraries, top, min_size, max_size, species
        As in `ora`.
    background
        As in `ora`; the genes of the list if None. A list of the significant genes only needs the
        genes that were measured.
    random_state
        Seed of the order of genes with the same statistic.

    Returns
    -------
    Enrichment
        One row a term and direction, with the columns ``prefix``, ``overlap``, ``expected``,
        ``odds_ratio``, ``prefix_p_value`` and ``overlap_genes``, besides the common ones. The false
        discovery rate is over both directions.

    Raises
    ------
    UnknownGenesError, GsfmError
        As in `ora`.

    Notes
    -----
    The statistic of a term is the smallest hypergeometric p-value :math:`s` of all prefixes of the
    list. In a random list, so small a value is more probable than :math:`s`. Let :math:`c_k` be the
    length of the longest prefix in which :math:`k` genes of the term have a p-value of :math:`s` or
    less, and :math:`N(c)` the number of its genes among the first :math:`c`. The p-value is the
    probability that :math:`N(c_k) \ge k` for any :math:`k`. For the last such :math:`k`,
    :math:`N(c_k) = k`. So it is a sum over :math:`k`,

    .. math:: p = \sum_k P(N(c_k) = k) \, h_k, \qquad
              h_k = 1 - \sum_{j > k} P(N(c_j) = j \mid N(c_k) = k) \, h_j,

    which is exact. It is computed for 17 sizes of terms and 21 values of :math:`s`; between these,
    the logarithm of :math:`p / s` is interpolated, with an error of a few percent.

    References
    ----------
    Ordered queries: Raudvere et al., Nucleic Acids Res 2019, doi:10.1093/nar/gkz369. The minimum
    hypergeometric p-value: Eden et al., PLoS Comput Biol 2007, doi:10.1371/journal.pcbi.0030039

    Examples
    --------
    >>> changes = {"TP53": 3.0, "MDM2": 2.5, "BAX": 2.0, "MYC": 0.1, "GRB2": -1.0, "EGFR": -2.0}
    >>> terms = {"arrest": ["TP53", "MDM2"], "growth": ["EGFR", "GRB2"]}
    >>> found = ordered_ora(changes, terms, min_size=2, top=2)
    >>> found.table.select("term", "direction", "prefix", "overlap").rows()
    [('arrest', 'up', 2, 2), ('growth', 'down', 2, 2)]
    >>> found.table["prefix_p_value"].round(3).to_list()  # one of the 15 pairs of genes
    [0.067, 0.067]
    """
    check_given(random_state=random_state)
    check_least(1, top=top)
    check_least(0, random_state=random_state)
    check_sizes(min_size, max_size)
    identifiers, statistics = pairs(ranked)
    is_list = background is None
    pool: Any = identifiers if background is None else background
    test = Experiment(identifiers, libraries, pool, species, is_list=is_list)
    ids, values = by_gene(test.of_input, statistics)
    terms = test.restrict(test.background, min_size, max_size)
    test.check_background()
    if not values.any():
        raise UnknownGenesError("no gene of the list with a statistic other than 0 is known")
    if not terms.overlap(ids).any():
        raise GsfmError(f"no gene of the list is in any tested term of {terms.names}")
    lists = overlaps_with_prefixes(test, ids, values, random_state)
    inputs = test.mapped.inputs.with_columns(pl.Series("statistic", statistics))
    test.mapped = test.mapped._replace(inputs=inputs)
    test.about |= {side: one.longest for side, one in lists.items()}
    n, parts = len(terms.source), list(lists.values())
    columns = {
        name: np.concatenate([one.columns[name] for one in parts]) for name in parts[0].columns
    }
    return test.result(
        "ora",
        {**columns, "overlap_genes": lambda row: parts[row // n].genes(row % n)},
        COLUMNS,
        order=columns["p_value"],
        top=top,
        rows=np.tile(np.arange(n), len(parts)),
        null={"prefixes": "of every length", "random_state": random_state},
        ranked=about_ranks(values, test.of_input),
    )


class Overlaps(NamedTuple):
    """The overlaps of terms with the best prefixes of one direction of a ranked list."""

    columns: dict[str, NDArray[Any]]  # (terms,) each
    prefixes: list[tuple[Prefixes, int]]  # (terms,) its library's prefixes, and its row in them
    longest: int  # genes of this direction

    def genes(self, row: int) -> list[str]:
        """The symbols of a term's genes in its best prefix."""
        prefixes, at = self.prefixes[row]
        return prefixes.genes(at)


def overlaps_with_prefixes(
    test: Experiment, ids: Ints, values: Numbers, random_state: int
) -> dict[str, Overlaps]:
    """The overlaps of each direction that has genes, of genes with statistics."""
    terms = test.terms
    n_terms, found = len(terms.source), {}
    pools = np.broadcast_to(test.background, terms.known.shape)
    for side, sign in {"up": 1, "down": -1}.items():
        order = ids[ranking(sign * values, random_state)]
        of_gene = np.zeros(len(terms.vocabulary))
        of_gene[ids] = sign * values
        order = order[of_gene[order] > 0]
        if not len(order):
            continue
        part: dict[str, NDArray[Any]]
        part = {name: np.zeros(n_terms, np.int64) for name in ("prefix", "overlap")}
        part |= {name: np.ones(n_terms) for name in ("prefix_p_value", "p_value")}
        prefixes: dict[int, tuple[Prefixes, int]] = {}
        for i, n_background in enumerate(test.background_sizes.tolist()):
            rows = np.flatnonzero(terms.source == i)
            own = Prefixes(terms, rows, order[pools[i, order]], n_background)
            for name, column in own.columns().items():
                part[name][rows] = column
            prefixes |= {row: (own, at) for at, row in enumerate(rows.tolist())}
        counts = overlap_columns(
            part["overlap"], part["prefix"], terms.sizes, test.background_sizes[terms.source]
        )
        columns = {
            "direction": np.full(n_terms, side),
            "prefix": part["prefix"],
            **counts,
            **{name: part[name] for name in ("prefix_p_value", "p_value")},
        }
        found[side] = Overlaps(columns, [prefixes[row] for row in range(n_terms)], len(order))
    return found


class Prefixes:
    """The prefixes of a list with the smallest p-value of each of some terms.

    Parameters
    ----------
    terms, rows
        The terms, of one library.
    order
        The genes of the list that are in the background, first to last.
    n_background
        The number of genes of the background.
    """

    def __init__(self, terms: Terms, rows: Ints, order: Ints, n_background: int) -> None:
        self.order, self.n_background, self.symbols = order, n_background, terms.vocabulary.symbols
        members = terms.members[rows]
        self.sizes = terms.sizes[rows]
        at = np.zeros(members.shape[1], np.int64)
        at[order] = np.arange(len(order)) + 1
        # Of each term, the places in the list of its genes, ascending.
        place = at[members.indices]
        owner = np.repeat(np.arange(len(rows)), self.sizes)[place > 0]
        place = place[place > 0]
        by_place = np.lexsort((place, owner))
        self.place, self.owner = place[by_place], owner[by_place]
        self.starts = np.searchsorted(self.owner, np.arange(len(rows) + 1))
        self.overlap = 1 + np.arange(len(self.place)) - self.starts[self.owner]

    def genes(self, row: int) -> list[str]:
        """The symbols of a term's genes in its best prefix."""
        own = self.place[self.starts[row] : self.starts[row] + self.best[row]]
        return sorted(self.symbols[g] for g in self.order[own - 1])

    def columns(self) -> dict[str, NDArray[Any]]:
        """(terms,) the best prefix, its overlap and p-value, and the p-value of the best prefix."""
        n, k, m = self.place, self.overlap, self.sizes[self.owner]
        N = self.n_background
        # The tail is between its first two terms and a geometric series: few places can be best.
        first = np.exp(_log_probability(k, n, m, N))
        ratio = (m - k) * (n - k) / ((k + 1.0) * np.maximum(N - n - m + k + 1, 1))
        above = np.where(ratio < 1, first / np.maximum(1 - ratio, 1e-12), 1.0)
        least = np.ones(len(self.sizes))
        np.minimum.at(least, self.owner, above)
        maybe = np.flatnonzero(first <= least[self.owner] * (1 + 1e-9))
        p = p_values(k[maybe], n[maybe], m[maybe], N)
        best = maybe[np.lexsort((n[maybe], p, self.owner[maybe]))]
        which, at = np.unique(self.owner[best], return_index=True)
        best = best[at]
        smallest = np.ones(len(self.sizes))
        smallest[which] = np.minimum(p_values(k[best], n[best], m[best], N), 1)
        prefix, self.best = np.zeros((2, len(self.sizes)), np.int64)
        prefix[which], self.best[which] = n[best], k[best]
        corrected = p_of_smallest(smallest, self.sizes, len(self.order), N)
        return {
            "prefix": prefix,
            "overlap": self.best,
            "prefix_p_value": smallest,
            "p_value": corrected,
        }


def p_of_smallest(smallest: Numbers, sizes: Ints, longest: int, n_background: int) -> Numbers:
    """(terms,) the probability of so small a p-value of any prefix, if the list is random.

    Parameters
    ----------
    smallest
        (terms,) the smallest hypergeometric p-value of all prefixes.
    sizes
        (terms,) the number of genes of each term.
    longest
        The length of the longest prefix.
    n_background
        The number of genes of the background.

    Examples
    --------
    The first or the second of ten genes is the only one of the term:

    >>> p_of_smallest(np.array([0.2]), np.array([1]), 10, 10).round(3)
    array([0.2])
    """
    if not len(smallest):
        return np.empty(0)
    most = int(sizes.max())
    nodes = SIZES[: int(np.searchsorted(SIZES, min(most, SIZES[-1]))) + 1]
    nodes = nodes[nodes <= max(n_background, 1)]
    log_s = np.log(SMALLEST)
    table = np.stack([_log_ratios(int(size), longest, n_background) for size in nodes])
    # Linear in the logarithms of the smallest p-value, then of the size; beyond the last size, too.
    s = np.log(np.clip(smallest, 1e-300, 1))
    by_size = np.stack([np.interp(s, log_s[::-1], row[::-1]) for row in table])
    if len(nodes) == 1:
        ratio = by_size[0]
    else:
        x = np.log(nodes)
        low = np.clip(np.searchsorted(nodes, sizes, side="right") - 1, 0, len(nodes) - 2)
        weight = (np.log(sizes) - x[low]) / (x[low + 1] - x[low])
        columns = np.arange(len(s))
        ratio = (1 - weight) * by_size[low, columns] + weight * by_size[low + 1, columns]
    return np.asarray(np.exp(np.minimum(np.maximum(ratio, 0) + np.log(smallest), 0)))


@functools.lru_cache(maxsize=256)
def _log_ratios(size: int, longest: int, n_background: int) -> Numbers:
    """The logarithms of p / s for the values of `SMALLEST`, for terms of one size."""
    p = exact_p(SMALLEST, size, longest, n_background)
    ratio = np.where(p > 0, np.log(np.maximum(p, 1e-320)) - np.log(SMALLEST), np.nan)
    # No prefix has so small a p-value: as for the smallest one that there is.
    last = np.flatnonzero(np.isfinite(ratio))
    return np.where(np.isfinite(ratio), ratio, ratio[last[-1]] if len(last) else 0.0)


def exact_p(smallest: Numbers, size: int, longest: int, n_background: int) -> Numbers:
    """(n,) the probability that any prefix has a p-value of `smallest` or less; see `ordered_ora`.

    Examples
    --------
    A term of 2 of 4 genes: the first two genes are its own in 1 of 6 orders.

    >>> exact_p(np.array([1 / 6]), 2, 4, 4).round(4)
    array([0.1667])
    """
    N, B = n_background, size
    k = np.arange(1, B + 1)
    c = _longest_prefixes(smallest, k, longest, N)
    choose = _choose(N)
    # The ways to choose the other genes of the term after the prefix.
    after = choose(N - c, B - k)
    # (n, B) the h of the text: no later k if this is the last prefix that there is.
    h = np.ones(c.shape)
    last = int(np.where(c < longest, k, 0).max(initial=0))
    for row in range(min(last, B - 1) - 1, -1, -1):
        at = np.flatnonzero((c[:, row] > 0) & np.isfinite(after[:, row]))
        here, j = c[at, row, None], k[row + 1 :]
        # N(c_j) = j, if N(c_k) = k.
        log_p = choose(c[at, row + 1 :] - here, j - k[row]) + after[at, row + 1 :]
        chance = np.exp(log_p - after[at, row, None])
        h[at, row] = 1 - (chance * h[at, row + 1 :]).sum(axis=1)
    log_p = choose(c, k) + after - choose(np.array(N), np.array(B))
    return np.asarray(np.minimum((np.exp(log_p) * h).sum(axis=1), 1.0))


def _longest_prefixes(smallest: Numbers, k: Ints, longest: int, N: int) -> Ints:
    """(n, k) the longest prefix in which k genes have a p-value of `smallest` or less; 0 if none.

    The term has ``len(k)`` genes.
    """
    shape = (len(smallest), len(k))
    size = np.full(shape, len(k)).ravel()
    of = np.broadcast_to(k, shape).ravel()
    bound = np.broadcast_to(smallest[:, None] * (1 + 1e-9), shape).ravel()
    # Bisection: below is a prefix that is short enough, above one that is too long.
    below, above = of - 1, np.full(of.shape, longest + 1)
    while (above - below > 1).any():
        middle = (below + above) // 2
        at = np.flatnonzero(above - below > 1)
        is_short = p_values(of[at], middle[at], size[at], N) <= bound[at]
        below[at] = np.where(is_short, middle[at], below[at])
        above[at] = np.where(is_short, above[at], middle[at])
    return np.where(below >= of, below, 0).reshape(shape)


def _choose(n_background: int) -> Callable[[NDArray[Any], NDArray[Any]], Numbers]:
    """The logarithm of the binomial coefficient; minus infinity where it is 0."""
    log_factorial: Callable[[NDArray[Any]], Numbers]
    if n_background <= LARGEST_TABLE:
        logs = np.log(np.arange(1, n_background + 1))
        log_factorial = np.concatenate([[0.0], np.cumsum(logs)]).__getitem__
    else:
        from scipy.special import gammaln

        def log_factorial(n: NDArray[Any]) -> Numbers:
            return np.asarray(gammaln(n + 1.0))

    def choose(n: NDArray[Any], k: NDArray[Any]) -> Numbers:
        rest = n - k
        value = log_factorial(n) - log_factorial(np.maximum(k, 0))
        value = value - log_factorial(np.maximum(rest, 0))
        return np.where((rest >= 0) & (k >= 0), value, -np.inf)

    return choose


def _log_probability(k: Ints, n: Ints, m: Ints, N: int) -> Numbers:
    """The logarithm of the hypergeometric probability of an overlap of exactly k."""
    choose = _choose(N)
    return choose(m, k) + choose(N - m, n - k) - choose(np.array(N), n)
