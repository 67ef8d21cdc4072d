"""SVD and ALS, by independent implementations."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import scipy.sparse as sp

from gsfm import GeneSets, MissingExtraError, Vocabulary
from gsfm.models import ALS, SVD

GENES = Vocabulary([f"G{i}" for i in range(12)])


@pytest.fixture(scope="module")
def sets() -> GeneSets:
    rng = np.random.default_rng(4)
    rows = [rng.choice(11, rng.integers(2, 7), replace=False) for _ in range(40)]
    return GeneSets.from_ids(GENES, rows)  # G11 is in none


@pytest.fixture(scope="module")
def weights() -> np.ndarray:
    return np.random.default_rng(5).uniform(0.2, 2, 40).astype(np.float32)


@pytest.mark.parametrize(("size", "gene"), [(0.0, 0.0), (0.5, 0.25), (1.0, 0.5)])
def test_svd_is_that_of_numpy(sets, weights, size, gene) -> None:
    model = SVD(dimensions=4, size_exponent=size, gene_exponent=gene).fit(sets, weights=weights)
    x = sets.to_csr().toarray().astype(float)
    scale = np.zeros(12)
    scale[:11] = (weights @ x)[:11] ** -gene
    rows = np.sqrt(weights / x.sum(axis=1) ** size)
    v = np.linalg.svd(rows[:, None] * x * scale)[2][:4].T
    new = np.eye(12)[:3] + np.eye(12)[4:7]
    np.testing.assert_allclose(
        model.score([np.flatnonzero(one) for one in new]), new * scale @ v @ v.T, atol=1e-5
    )


def test_svd_of_full_rank_gives_the_set_back(sets) -> None:
    model = SVD(dimensions=50, gene_exponent=0).fit(sets)
    assert model.vectors.shape[1] == 11  # one gene is in no set
    np.testing.assert_allclose(model.score([[0, 3]])[0], np.isin(range(12), [0, 3]), atol=1e-4)


def test_als_answers_as_the_library_does(sets) -> None:
    als = pytest.importorskip("implicit.cpu.als")
    from threadpoolctl import threadpool_limits

    settings = {"regularization": 0.3, "confidence": 6.0, "iterations": 5}
    model = ALS(dimensions=3, **settings).fit(sets, random_state=1)
    new = sets[:9].to_csr()
    new.data[:] = 6.0
    with threadpool_limits(1, "blas"):
        library = als.AlternatingLeastSquares(factors=3, regularization=0.3, num_threads=1)
        library.item_factors = model.vectors
        theirs = library.recalculate_user(np.arange(9), sp.csr_matrix(new, dtype=np.float32))
    np.testing.assert_allclose(model.embed_sets(sets[:9]), theirs, rtol=2e-3, atol=1e-4)


def test_als_minimizes_what_it_says(sets, weights) -> None:
    """At the end of many iterations no gene's vector can be better, given the sets' vectors."""
    pytest.importorskip("implicit")
    model = ALS(dimensions=2, regularization=0.5, confidence=8, iterations=300).fit(sets)
    y, x = model.vectors.astype(float), model.embed_sets(sets).astype(float)
    m = sets.to_csr().toarray()
    for j in range(12):
        c = np.where(m[:, j] > 0, 8.0, 1.0)
        best = np.linalg.solve((x.T * c) @ x + 0.5 * np.eye(2), (x.T * c) @ m[:, j])
        np.testing.assert_allclose(y[j], best, atol=2e-2)
    weighted = ALS(dimensions=2, regularization=0.5, confidence=8).fit(sets, weights=weights)
    assert not np.allclose(weighted.vectors, model.vectors, atol=1e-3)


def test_settings_have_ranges() -> None:
    for family, setting in (
        (SVD, {"dimensions": 0}),
        (SVD, {"size_exponent": -1.0}),
        (SVD, {"gene_exponent": -0.1}),
        (ALS, {"dimensions": 0}),
        (ALS, {"confidence": 0.5}),
        (ALS, {"regularization": 0.0}),
        (ALS, {"iterations": 0}),
    ):
        with pytest.raises(ValueError, match=next(iter(setting))):
            family(**setting)


def test_als_without_its_library_names_the_extra(sets, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "implicit.cpu.als", None)
    with pytest.raises(MissingExtraError, match=r".\[bench\]"):
        ALS().fit(sets)
