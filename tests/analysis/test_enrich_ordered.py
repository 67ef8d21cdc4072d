"""Ordered over-representation: against every order by brute force, and uniform for random lists."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import gsfm
from gsfm import GeneSets, GsfmError, UnknownGenesError, Vocabulary
from gsfm.analysis import enrich, ordered_ora
from gsfm.analysis.enrichment.ordered import exact_p, p_of_smallest

GENES = [f"gene{i:03}" for i in range(300)]
RNG = np.random.default_rng(0)
LIBRARY = GeneSets.from_lists(
    {f"term {n} {i}": RNG.choice(GENES, n, replace=False) for n in (5, 9, 31, 120) for i in (0, 1)},
    vocabulary=Vocabulary(GENES),
)


def _smallest(places: np.ndarray, size: int, longest: int, n: int) -> float:
    """The smallest p-value of a prefix of the list, by SciPy."""
    places = np.sort(places[places <= longest])
    tails = stats.hypergeom.sf(np.arange(len(places)), n, size, places)
    return float(min([1.0, *tails]))


@pytest.mark.parametrize(
    ("size", "longest", "n"), [(1, 9, 9), (2, 5, 9), (3, 6, 10), (5, 11, 11), (6, 8, 10), (3, 1, 9)]
)
def test_the_p_value_is_exact(size, longest, n):
    """The fraction of all orders of the list with so small a p-value of any prefix."""
    orders = itertools.combinations(range(1, n + 1), size)
    values = np.array([_smallest(np.array(places), size, longest, n) for places in orders])
    smallest = np.unique(values.round(12))
    smallest = smallest[smallest < 1 - 1e-9]
    expected = (values <= smallest[:, None] * (1 + 1e-9)).mean(axis=1)
    np.testing.assert_allclose(exact_p(smallest, size, longest, n), expected, rtol=1e-9)


def test_a_background_of_any_size(monkeypatch):
    smallest = np.array([0.3, 0.01, 1e-5])
    expected = exact_p(smallest, 20, 200, 500)
    monkeypatch.setattr("gsfm.analysis.enrichment.ordered.LARGEST_TABLE", 0)
    np.testing.assert_allclose(exact_p(smallest, 20, 200, 500), expected, rtol=1e-9)
    found = ordered_ora({"gene001": 1.0, "gene002": 2.0}, LIBRARY, background=10**9, top=1)
    assert found.table["p_value"].item() < 1e-6


@pytest.mark.parametrize("size", [5, 7, 24, 60, 170])
def test_what_is_interpolated_is_nearly_exact(size):
    smallest = 10.0 ** -np.array([0.15, 0.8, 1.5, 2.5, 5])
    found = p_of_smallest(smallest, np.full(5, size), 600, 1200)
    np.testing.assert_allclose(found, exact_p(smallest, size, 600, 1200), rtol=0.1)


def test_p_values_of_random_lists_are_uniform():
    rng = np.random.default_rng(1)
    sizes = rng.choice([5, 9, 31, 120], 250)
    many = GeneSets.from_lists(
        {str(i): rng.choice(GENES, n, replace=False) for i, n in enumerate(sizes)},
        vocabulary=Vocabulary(GENES),
    )
    values = np.linspace(-1, 1.5, 300)
    lists = [dict(zip(GENES, rng.permutation(values), strict=True)) for _ in range(6)]
    found = [ordered_ora(ranked, many, top=None).table for ranked in lists]
    at = np.concatenate([one.filter(direction="up")["p_value"].to_numpy() for one in found])
    for bound in (0.5, 0.2, 0.1, 0.05):
        assert (at <= bound).mean() == pytest.approx(bound, abs=0.25 * bound + 0.005)
    # Uncorrected, they would not be.
    uncorrected = np.concatenate([one["prefix_p_value"].to_numpy() for one in found])
    assert (uncorrected <= 0.05).mean() > 0.15


def test_each_term_has_its_best_prefix_of_both_ends():
    ranked = dict(zip(GENES, RNG.normal(0, 1, 300), strict=True))
    ranked |= {gene: 3 + i / 100 for i, gene in enumerate(LIBRARY.genes(2))}
    found = ordered_ora(ranked, LIBRARY, top=None)
    assert found.table["direction"].value_counts(sort=True)["count"].to_list() == [8, 8]
    for row in found:
        sign = 1 if row["direction"] == "up" else -1
        order = sorted((g for g in GENES if sign * ranked[g] > 0), key=lambda g: -sign * ranked[g])
        term = set(LIBRARY.genes(LIBRARY.names.index(row["term"])))
        places = np.array([i for i, gene in enumerate(order, 1) if gene in term])
        smallest = _smallest(places, row["size"], len(order), 300)
        assert row["prefix_p_value"] == pytest.approx(smallest)
        overlap = sorted(term & set(order[: row["prefix"]]))
        assert (row["overlap"], row["overlap_genes"]) == (len(overlap), overlap)
        peer = stats.hypergeom.sf(len(overlap) - 1, 300, row["size"], row["prefix"])
        assert row["prefix_p_value"] == pytest.approx(peer)
        exact = exact_p(np.array([smallest]), row["size"], len(order), 300)[0]
        assert row["p_value"] == pytest.approx(exact, rel=0.1)
    best = found.table.row(0, named=True)
    assert (best["term"], best["direction"], best["prefix"]) == ("term 9 0", "up", 9)
    np.testing.assert_allclose(
        found.table["fdr"], stats.false_discovery_control(found.table["p_value"])
    )
    turned = ordered_ora({gene: -value for gene, value in ranked.items()}, LIBRARY, top=1)
    assert turned.table["direction"].item() == "down"
    for form in (pd.Series(ranked), list(ranked.items())):
        again = enrich(form, LIBRARY, method="ora", top=None, group=False)
        assert again.table.equals(found.table)
    assert found.parts()[0][0] == "library 1: 16 of 8 terms, up and down"


def test_a_short_list_has_a_background():
    """Only the significant genes are ranked; terms keep the genes that were measured."""
    ranked = {gene: 10.0 - i for i, gene in enumerate(LIBRARY.genes(0))}
    found = ordered_ora(ranked, LIBRARY, background=GENES, top=1)
    row = found.table.row(0, named=True)
    assert (row["term"], row["direction"], row["prefix"], row["size"]) == ("term 5 0", "up", 5, 5)
    assert row["prefix_p_value"] == pytest.approx(stats.hypergeom.sf(4, 300, 5, 5))
    by_library = ordered_ora(ranked, [LIBRARY[:4], LIBRARY[4:]], background="library", top=None)
    sizes = by_library.provenance["background"]["genes"]
    assert sizes == [len(np.unique(LIBRARY[:4].indices)), len(np.unique(LIBRARY[4:].indices))]
    part = by_library.table.filter(library="library 1", term="term 5 0", direction="up")
    peer = stats.hypergeom.sf(4, sizes[0], 5, 5)
    assert part["prefix_p_value"].item() == pytest.approx(peer)


def test_ties_are_in_random_order():
    ranked = dict(zip(GENES, [1.0] * 150 + [-1.0] * 150, strict=True))
    first, second = (ordered_ora(ranked, LIBRARY, random_state=i).table for i in (0, 1))
    assert not first.equals(second)
    assert ordered_ora(ranked, LIBRARY, random_state=0).table.equals(first)


def test_bad_lists_are_errors():
    with pytest.raises(UnknownGenesError, match="nonsense"):
        ordered_ora({"nonsense": 1.0}, LIBRARY)
    with pytest.raises(GsfmError, match=r"no term of library 1 has 5 or more genes"):
        ordered_ora({"gene001": 1.0, "gene002": 2.0}, LIBRARY)
    with pytest.raises(GsfmError, match="no gene of the list is in any tested term"):
        ordered_ora({"BRCA1": 1.0}, {"a": ["TP53", "MDM2"]}, background="all", min_size=1)
    zeros = {"BRCA1": 0.0, "EGFR": 0.0, "nothing": 1.0}
    with pytest.raises(UnknownGenesError, match="a statistic other than 0"):
        ordered_ora(zeros, {"a": ["BRCA1", "EGFR"]}, min_size=1)
    with pytest.raises(GsfmError, match="a background of 2 genes is too small"):
        ordered_ora({"BRCA1": 1.0, "TP53": 2.0}, {"a": ["BRCA1", "EGFR"]}, background=2, min_size=1)
    with pytest.raises(ValueError, match="random_state belongs to method 'combined'"):
        gsfm.enrich(GENES[:9], LIBRARY, method="ora", random_state=1)
