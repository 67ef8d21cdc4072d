"""The half-split benchmark's measures, against scikit-learn."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from gsfm import GeneSets
from gsfm.models import Popularity

PATH = Path(__file__).parents[2] / "benchmarks" / "half_split.py"
_spec = importlib.util.spec_from_file_location("half_split", PATH)
half_split = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(half_split)


@given(seed=st.integers(0, 10_000), distinct=st.integers(2, 40))
@settings(max_examples=60, deadline=None)
def test_measures_are_those_of_scikit_learn_with_ties(seed, distinct):
    rng = np.random.default_rng(seed)
    scores = rng.integers(distinct, size=40).astype(np.float32)
    genes = rng.permutation(40)
    shown, hidden = genes[:6], genes[6:13]
    truth = np.isin(np.arange(40), hidden)
    rest = np.setdiff1d(np.arange(40), shown)
    auroc, precision = half_split.measure(scores, shown, hidden)
    assert auroc == pytest.approx(roc_auc_score(truth[rest], scores[rest]))
    assert precision == pytest.approx(average_precision_score(truth[rest], scores[rest]))


def test_halves_are_disjoint_and_whole():
    library = GeneSets.from_lists({"a": [f"G{i}" for i in range(13)], "small": ["G1", "G2"]})
    shown, hidden = half_split.halves(library, splits=3, seed=0)
    assert [len(h) for h in shown] == [6] * 3
    assert all(sorted([*s, *h]) == list(range(13)) for s, h in zip(shown, hidden, strict=True))


def test_a_model_that_knows_nothing_is_at_chance():
    names = [f"G{i:02d}" for i in range(40)]
    library = GeneSets.from_lists({"a": names[:20], "b": names[20:]})
    # All genes are equally frequent, so all scores are tied.
    model = Popularity().fit(GeneSets.from_lists([names]))
    found = half_split.evaluate({"m": model}, library, splits=2, seed=0, terms=None)["m"]
    assert found["background"] == 40
    assert found["median_auroc"] == 0.5
    assert found["mean_average_precision"] == pytest.approx(10 / 30, abs=1e-4)
