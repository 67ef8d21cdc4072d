"""Training on a GPU: the same code, the same model. Skipped where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from gsfm import GeneSets, Vocabulary
from gsfm.models import Autoencoder, train
from gsfm.training.run import Run

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU is here")

SHAPE = {"dimensions": 32, "hidden": 64, "batch_size": 64, "storage": "float32"}


@pytest.fixture(scope="module")
def corpus() -> GeneSets:
    """2,000 sets, each of one of 20 groups of 30 genes."""
    rng = np.random.default_rng(0)
    rows = [rng.choice(30, rng.integers(8, 20), replace=False) + 30 * (i % 20) for i in range(2000)]
    return GeneSets.from_ids(Vocabulary(f"G{i:03d}" for i in range(600)), rows)


def test_a_gpu_learns_what_a_processor_learns(corpus):
    here, there = (
        Autoencoder(epochs=3.0, **SHAPE).fit(
            corpus, random_state=1, run=Run(accelerator=accelerator, precision="fp32", watches=8)
        )
        for accelerator in ("cpu", "cuda")
    )
    # Sums are in another order, and differences grow with the steps.
    losses = [[point["loss"] for point in model.curve] for model in (here, there)]
    np.testing.assert_allclose(losses[1], losses[0], rtol=2e-3)
    shown = [corpus.genes(i)[:4] for i in range(20)]
    for a, b in zip(here.score(shown), there.score(shown), strict=True):
        assert np.corrcoef(a, b)[0, 1] > 0.999


def test_half_precision_on_a_gpu_finds_the_groups_too(corpus, tmp_path):
    run = Run(accelerator="auto", checkpoint=tmp_path / "checkpoint")
    model = train(Autoencoder(epochs=10.0, **SHAPE), corpus, tmp_path / "model", run=run)
    shown = [[f"G{30 * group + i:03d}" for i in range(5)] for group in range(20)]
    best = np.argsort(-model.score(shown), axis=1)[:, :30]
    assert np.mean(best // 30 == np.arange(20)[:, None]) > 0.95


def test_a_run_begun_on_a_gpu_goes_on_on_a_processor(corpus, tmp_path):
    plain = {"precision": "fp32", "checkpoint": tmp_path / "checkpoint", "checkpoint_seconds": 0.0}
    whole = Autoencoder(epochs=2.0, **SHAPE).fit(corpus, run=Run(precision="fp32"))
    part = Autoencoder(epochs=2.0, **SHAPE)
    part.fit(corpus, run=Run(accelerator="cuda", max_seconds=0.05, **plain))
    rest = Autoencoder(epochs=2.0, **SHAPE).fit(corpus, run=Run(resume=True, **plain))
    assert 0 < part.curve[-1]["step"] < rest.curve[-1]["step"]
    shown = [corpus.genes(i)[:4] for i in range(20)]
    assert rest.curve[-1]["step"] == whole.curve[-1]["step"]
    for a, b in zip(rest.score(shown), whole.score(shown), strict=True):
        assert np.corrcoef(a, b)[0, 1] > 0.999
