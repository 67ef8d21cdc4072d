"""EASE against what it claims to solve."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gsfm import GeneSets, NotFittedError, Vocabulary
from gsfm.models import Linear
from gsfm.models.linear import _invert
from gsfm.models.sparse import BLOCK, csr_tensors, keep_largest, principal_rows, take_csr


def random_sets(genes: int, sets: int, random_state: int = 0) -> tuple[GeneSets, np.ndarray]:
    rng = np.random.default_rng(random_state)
    vocabulary = Vocabulary(f"G{i}" for i in range(genes))
    rows = [rng.choice(genes, rng.integers(2, min(40, genes)), replace=False) for _ in range(sets)]
    weights = rng.uniform(0.1, 3, sets).astype(np.float32)
    return GeneSets.from_ids(vocabulary, rows), weights


def test_equals_the_inverse_in_double_precision() -> None:
    # More genes than a block holds, so that the triangles meet across blocks.
    sets, weights = random_sets(BLOCK + 90, 700)
    model = Linear(regularization=3.0, size_exponent=0.5).fit(sets, weights=weights)
    x = sets.to_csr().toarray().astype(float)
    gram = x.T @ np.diag(weights / np.sqrt(sets.sizes)) @ x
    precision = np.linalg.inv(gram + 3.0 * np.eye(len(gram)))
    expected = -precision / np.diag(precision)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(model.matrix, expected, atol=1e-6)
    np.testing.assert_allclose(model.score(sets[:5]), x[:5] @ expected, atol=1e-5)


def test_solves_the_constrained_ridge_regression() -> None:
    """Each column is the ridge regression of one gene on all others, set by set."""
    sets, weights = random_sets(12, 60, random_state=1)
    ridge = 0.7
    model = Linear(regularization=ridge, size_exponent=0.0).fit(sets, weights=weights)
    x = sets.to_csr().toarray().astype(float)
    for j in range(12):
        others = np.delete(np.arange(12), j)
        rows = np.sqrt(weights.astype(float))[:, None] * x
        left = np.vstack([rows[:, others], np.sqrt(ridge) * np.eye(11)])
        right = np.concatenate([rows[:, j], np.zeros(11)])
        solution = np.linalg.lstsq(left, right, rcond=None)[0]
        np.testing.assert_allclose(model.matrix[others, j], solution, atol=1e-5)
        assert model.matrix[j, j] == 0


def test_size_exponent_is_a_weight() -> None:
    sets, weights = random_sets(15, 40, random_state=2)
    a = Linear(regularization=2, size_exponent=1.5).fit(sets, weights=weights)
    b = Linear(regularization=2, size_exponent=0).fit(sets, weights=weights / sets.sizes**1.5)
    np.testing.assert_allclose(a.matrix, b.matrix, atol=1e-6)


def test_min_sets_leaves_rare_genes_out() -> None:
    sets = GeneSets.from_lists([["A", "B", "RARE"], ["A", "B"], ["B", "A"]])
    whole = GeneSets.from_lists([["A", "B"]] * 3)
    for prune in (0, 5):
        model = Linear(regularization=1, size_exponent=0, min_sets=2, prune=prune).fit(sets)
        scores = model.score([["A", "RARE"]])
        expected = Linear(regularization=1, size_exponent=0).fit(whole).score([["A"]])
        np.testing.assert_allclose(scores[:, :2], expected, atol=1e-3)
        assert scores[0, 2] == 0
    with pytest.raises(ValueError, match="min_sets"):
        Linear(min_sets=4).fit(sets)


def test_pruning_keeps_the_largest_partial_correlations() -> None:
    sets, weights = random_sets(50, 80, random_state=3)
    dense = Linear(regularization=2).fit(sets, weights=weights)
    pruned = dense.pruned(4)
    assert isinstance(pruned.matrix, sp.csr_array)
    kept = pruned.matrix.toarray()
    x = sets.to_csr().toarray().astype(float)
    gram = x.T @ np.diag(weights / np.sqrt(sets.sizes)) @ x
    precision = np.linalg.inv(gram + 2 * np.eye(50))
    partial = -precision / np.sqrt(np.outer(np.diag(precision), np.diag(precision)))
    np.fill_diagonal(partial, 0)
    for row, correlation, whole in zip(kept, partial, np.asarray(dense.matrix), strict=True):
        strongest = np.sort(np.argsort(-np.abs(correlation))[:4])
        np.testing.assert_array_equal(np.flatnonzero(row), strongest)
        np.testing.assert_allclose(row[strongest], whole[strongest], rtol=1e-3)
    # By setting or by method: one model.
    by_setting = Linear(regularization=2, prune=4).fit(sets, weights=weights)
    np.testing.assert_array_equal(by_setting.matrix.toarray(), kept)
    assert pruned.config == by_setting.config
    assert pruned.manifest == by_setting.manifest
    assert dense.config.prune == 0
    with pytest.raises(ValueError, match="pruned already"):
        pruned.pruned(2)
    with pytest.raises(ValueError, match="keep"):
        dense.pruned(0)
    with pytest.raises(NotFittedError):
        Linear().pruned(4)


def test_a_matrix_without_inverse_is_an_error() -> None:
    # Two genes that always occur together, and a ridge that float32 cannot see.
    sets = GeneSets.from_lists([["A", "B"]] * 4)
    with pytest.raises(ValueError, match="regularization"):
        Linear(regularization=1e-12, size_exponent=0).fit(sets)


@pytest.mark.parametrize(
    "setting",
    [
        {"regularization": 0},
        {"size_exponent": -0.1},
        {"min_sets": 0},
        {"prune": -1},
        {"dimensions": 0},
    ],
)
def test_ranges(setting: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(setting))):
        Linear(**setting)


# -- the shared matrix work -----------------------------------------------------------------------

matrices = hnp.arrays(
    np.float32,
    st.integers(1, 9).map(lambda n: (n, n)),
    elements=st.sampled_from([0, 0.5, -0.5, 1, 1e-9, -3, 0.1]).map(np.float32),
)


@given(matrices, st.integers(1, 10))
def test_keep_largest(matrix: np.ndarray, keep: int) -> None:
    kept = keep_largest([(m, np.abs(m)) for m in (matrix[:2], matrix[2:])], keep).toarray()
    stored = matrix.astype(np.float16).astype(np.float32)
    for row, whole in zip(kept, stored, strict=True):
        chosen = row != 0
        assert chosen.sum() == min(keep, np.count_nonzero(whole))
        np.testing.assert_array_equal(row[chosen], whole[chosen])  # rounded, not changed
        if chosen.any():
            assert np.abs(whole[~chosen]).max(initial=0) <= np.abs(row[chosen]).min()
            # Of equals at the edge the first are kept.
            edge = np.abs(row[chosen]).min()
            at_edge = np.flatnonzero(np.abs(whole) == edge)
            assert chosen[at_edge].tolist() == sorted(chosen[at_edge], reverse=True)


@given(matrices)
def test_storage_is_the_identity(matrix: np.ndarray) -> None:
    kept = keep_largest([(matrix, np.abs(matrix))], 4)
    tensors = csr_tensors(kept, "m")
    back = take_csr(tensors, "m", *matrix.shape)
    assert not tensors
    np.testing.assert_array_equal(back.toarray(), kept.toarray())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("m.indptr", [1, 2, 4]),  # does not start at 0
        ("m.indptr", [0, 5, 4]),  # falls
        ("m.indptr", [0, 2, 3]),  # ends early
        ("m.indices", [0, 1, 0, 2]),  # outside
        ("m.indices", [1, 0, 0, 1]),  # not ascending
        ("m.indices", [1, 1, 0, 1]),  # twice
        ("m.values", [1.0, 2.0, 3.0]),  # one too few
        ("m.values", [1, 2, 3, 4]),  # not floats
    ],
)
def test_a_broken_matrix_is_refused(name: str, value: list[float]) -> None:
    tensors = csr_tensors(sp.csr_array(np.ones((2, 2), np.float32)), "m")
    tensors[name] = np.array(value)
    with pytest.raises(ValueError, match=r"'m['.]"):
        take_csr(tensors, "m", 2, 2)


@pytest.mark.parametrize("make", [np.asarray, sp.csr_array])
def test_principal_rows_keep_dot_products(make: type) -> None:
    rng = np.random.default_rng(0)
    # Rank 5 with a little noise: five dimensions are enough.
    dense = (rng.normal(size=(40, 5)) @ rng.normal(size=(5, 40))).astype(np.float32)
    dense += 1e-4 * rng.normal(size=dense.shape).astype(np.float32)
    rows = principal_rows(make(dense), 5)
    assert rows.shape == (40, 5)
    np.testing.assert_allclose(rows @ rows.T, dense @ dense.T, atol=0.05)
    singular = np.linalg.svd(dense, compute_uv=False)[:5]
    np.testing.assert_allclose(np.linalg.norm(rows, axis=0), singular, rtol=1e-3)
    np.testing.assert_array_equal(principal_rows(make(dense), 5), rows)
    # No more dimensions than there are genes; then nothing is lost.
    whole = principal_rows(make(dense), 99)
    np.testing.assert_allclose(whole @ whole.T, dense @ dense.T, atol=1e-2)


def test_principal_rows_of_nothing() -> None:
    np.testing.assert_array_equal(principal_rows(sp.csr_array((6, 6), dtype=np.float32), 4), 0)


@pytest.mark.parametrize("n", [1, 7, 40, 63])
def test_blocks_are_joined_to_the_inverse(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # A corpus of this size is one block; let small ones do for large ones.
    monkeypatch.setattr("gsfm.models.linear.LAPACK_ROWS", 5)
    rng = np.random.default_rng(n)
    x = rng.normal(size=(n, 2 * n)).astype(np.float32)
    matrix = x @ x.T + 2 * np.eye(n, dtype=np.float32)
    expected = np.linalg.inv(matrix.astype(np.float64))
    _invert(matrix)
    np.testing.assert_allclose(matrix, expected, atol=1e-5 * np.abs(expected).max())


def test_a_singular_matrix_is_refused() -> None:
    with pytest.raises(ValueError, match="raise the regularization"):
        _invert(np.ones((3, 3), np.float32) - 2 * np.eye(3, dtype=np.float32))
