"""Signatures of terms: what is added to them, and what is remembered."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from gsfm.analysis import signatures
from gsfm.analysis.signatures import complete_terms
from gsfm.models import Linear

SETS = [["A", "B", "C", "D"], ["W", "X", "Y", "Z"], ["A", "B", "W"]] * 20


@pytest.fixture(autouse=True)
def nothing_is_remembered(monkeypatch, tmp_path):
    monkeypatch.setenv("GSFM_HOME", str(tmp_path))
    monkeypatch.setattr(signatures, "_memory", {})


@pytest.fixture
def model():
    fitted = Linear(regularization=1).fit(SETS)
    return fitted.calibrate([one[:2] for one in SETS], [one[2:] for one in SETS])


@pytest.fixture
def calls(monkeypatch):
    """The number of sets of each call of `Model.probability`."""
    found, original = [], Linear.probability
    monkeypatch.setattr(
        Linear,
        "probability",
        lambda self, sets: found.append(sets.shape[0]) or original(self, sets),
    )
    return found


def test_the_likeliest_genes_are_added_with_their_probability(model):
    sets = [["A", "B"], ["X"], ["A", "W", "Z"]]
    members, chances = model.encode(sets), model.probability(sets)
    for pool in (np.ones(8, bool), np.arange(8) % 3 > 0):
        for added in (0.0, 0.4, 1.0, 100.0):
            members_here = sp.csr_array(members.multiply(pool))
            members_here.eliminate_zeros()
            chances = model.probability(members_here)
            found = complete_terms(model, members_here, pool, added=added).weights.toarray()
            for row, weights in enumerate(found):
                own = members_here[[row]].indices
                free = np.setdiff1d(np.flatnonzero(pool), own)
                n = round(added * len(own))
                # The first of equal ones.
                best = sorted(free, key=lambda gene: (-chances[row, gene], gene))[:n]
                expected = np.zeros(8)
                expected[own], expected[best] = 1, chances[row, best]
                np.testing.assert_array_equal(weights, expected)


def test_what_is_remembered_is_of_the_same_content(model, calls):
    members, pool = model.encode([["A", "B"], ["W"]]), np.ones(8, bool)
    first = complete_terms(model, members, pool)
    again = complete_terms(model, members.copy(), pool.copy())
    assert [first.source, again.source, *calls] == ["computed", "memory", 2]
    assert again.weights is first.weights
    complete_terms(model, members, pool, added=2.0)
    complete_terms(model, members[[0]], pool)
    complete_terms(model, members, np.arange(8) > 3)
    assert calls == [2, 2, 1, 2]
    model.calibrate([one[:1] for one in SETS], [one[1:] for one in SETS])
    assert complete_terms(model, members, pool).source == "computed"
    for added in range(20):
        complete_terms(model, members, pool, added=added)
    assert len(signatures._memory) < 20


def test_what_is_stored_is_read_by_other_processes_and_damage_is_mended(
    model, calls, tmp_path, monkeypatch
):
    monkeypatch.setattr(signatures, "LEAST", 2)
    members, pool = model.encode([["A", "B"], ["W"]]), np.ones(8, bool)
    first = complete_terms(model, members, pool)
    [file] = (tmp_path / "cache" / "signatures").iterdir()
    signatures._memory.clear()
    again = complete_terms(model, members, pool)
    assert [again.source, *calls] == ["disk", 2]
    assert (again.weights != first.weights).nnz == 0
    signatures._memory.clear()
    file.write_bytes(b"damaged")
    assert complete_terms(model, members, pool).source == "computed"
    # Few terms, and terms to which nothing is added, are not stored.
    file.unlink()
    complete_terms(model, members[[1]], pool)
    complete_terms(model, members, pool, added=0.0)
    assert not list(file.parent.iterdir())
