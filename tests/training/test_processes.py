"""Several processes, and corpora that are mapped rather than held in memory."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tracemalloc

import numpy as np
import polars as pl
import pytest

from gsfm import GeneSets, GsfmError, Vocabulary
from gsfm.errors import MissingExtraError
from gsfm.models import Autoencoder, Linear, load, train
from gsfm.training import start
from gsfm.training.allocator import keep_freed_memory
from gsfm.training.batches import HoldOutBatches
from gsfm.training.run import Run

torch = pytest.importorskip("torch")

needs_fabric = pytest.mark.skipif(
    importlib.util.find_spec("lightning_fabric") is None, reason="needs the extra scale"
)

# Seven sets in two processes: parts of three and of four.
SETTINGS = {"dimensions": 8, "hidden": 8, "batch_size": 7, "epochs": 3.0, "storage": "float32"}


@pytest.fixture(scope="module")
def corpus() -> GeneSets:
    rng = np.random.default_rng(0)
    rows = [rng.choice(20, rng.integers(5, 15), replace=False) + 20 * (i % 2) for i in range(60)]
    return GeneSets.from_ids(Vocabulary(f"G{i:02d}" for i in range(40)), rows)


def assert_same_tensors(a, b):
    for one, other in zip(a._tensors().values(), b._tensors().values(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@needs_fabric
def test_two_processes_of_the_command_give_the_model_of_one(corpus, tmp_path):
    corpus.save(tmp_path / "corpus.gsets")
    one = train(
        Autoencoder(**SETTINGS, dropout=0.1),
        corpus,
        tmp_path / "one",
        random_state=4,
        run=Run(n_threads=1, precision="fp32"),
    )
    command = [sys.executable, "-m", "gsfm", "train", "--devices", "2", "--seed", "4"]
    command += ["--corpus", str(tmp_path / "corpus.gsets"), "-o", str(tmp_path / "two")]
    command += ["--threads", "1", "--precision", "fp32", "--set", "dropout=0.1"]
    command += [part for k, v in SETTINGS.items() for part in ("--set", f"{k}={v}")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    # One of the two speaks.
    assert done.stderr.count("corpus: 60 sets") == done.stderr.count("step 24/24") == 1
    assert done.stderr.count("saved") == 1
    two = load(tmp_path / "two")
    assert_same_tensors(one, two)
    training = two.manifest["training"]
    assert training["processes"] == 2
    for key in ("step", "loss", "watched"):
        curves = [[point[key] for point in curve] for curve in (one.curve, training["curve"])]
        assert curves[0] == pytest.approx(curves[1], abs=2e-4)  # rounded to 4 places


SCRIPT = """
import dataclasses, json, os, signal, sys
from pathlib import Path
from gsfm import GeneSets
from gsfm.models import Autoencoder
from gsfm.training.run import Run
from gsfm.models import train
from gsfm.training import Interrupted, start

folder = Path(sys.argv[1])
settings = json.loads(sys.argv[2])
corpus = GeneSets.open(folder / "corpus.gsets")
run = Run(n_threads=1, precision="fp32", devices=2, checkpoint=folder / "checkpoint")
rank = start(run).rank

def stop(progress):
    assert rank == 0
    if progress.step == 9:
        os.kill(os.getpid(), signal.SIGINT)

said = []
try:
    train(Autoencoder(**settings), corpus, folder / "model",
          run=dataclasses.replace(run, progress=stop))
except Interrupted as stopped:
    said.append(str(stopped))
    assert (folder / "model" / "config.json").exists()
train(Autoencoder(**settings), corpus, folder / "model", run=dataclasses.replace(run, resume=True))
limited = Autoencoder(**settings | {"epochs": 1e5})
limited.fit(corpus, run=dataclasses.replace(run, checkpoint=None, max_seconds=0.3))
said.append(limited.curve[-1]["step"])
(folder / f"{rank}.json").write_text(json.dumps(said))
"""


@needs_fabric
def test_two_processes_stop_together_and_resume(corpus, tmp_path):
    corpus.save(tmp_path / "corpus.gsets")
    straight = train(
        Autoencoder(**SETTINGS), corpus, tmp_path / "one", run=Run(n_threads=1, precision="fp32")
    )
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, "script.py", str(tmp_path), json.dumps(SETTINGS)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    said = [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1)]
    assert said[0] == said[1]
    # The signal reached one of the two, while a step was under way in the other.
    assert said[0][0] in [f"stopped after step {step} of 24" for step in (9, 10)]
    assert 0 < said[0][1] < 800_000
    resumed = load(tmp_path / "model")
    assert resumed.manifest["training"]["finished"] is True
    assert_same_tensors(straight, resumed)
    assert not (tmp_path / "checkpoint").exists()


def test_the_parts_of_a_batch_are_the_batch(corpus):
    def draw(part):
        return HoldOutBatches(
            corpus,
            np.ones(60),
            batch_size=7,
            share=(0.2, 0.8),
            max_members=9,
            random_state=1,
            part=part,
        )(5)

    whole, first, second = draw(slice(None)), draw(slice(0, 3)), draw(slice(3, 7))
    assert (first.n, second.n) == (3, 4)
    for side in ("shown", "hidden"):
        genes = [getattr(batch, side) for batch in (first, second)]
        np.testing.assert_array_equal(np.concatenate(genes), getattr(whole, side))
        rows = [getattr(batch, f"{side}_rows") for batch in (first, second)]
        joined = np.concatenate([rows[0], rows[1] + 3])
        np.testing.assert_array_equal(joined, getattr(whole, f"{side}_rows"))


def test_what_cannot_be_run_is_said_before_it_starts(monkeypatch):
    monkeypatch.setattr(sys, "argv", [__file__])  # in a worker of the tests it is no file
    if not torch.cuda.is_available():
        with pytest.raises(GsfmError, match="no CUDA GPU"):
            start(Run(accelerator="cuda"))
        assert start(Run(accelerator="auto")).device == "cpu"
    with pytest.raises(GsfmError, match="family linear is fitted by one process"):
        Linear().fit(GeneSets.from_lists([["A", "B"]]), run=Run(devices=2))
    with monkeypatch.context() as patch:
        patch.setenv("TORCHELASTIC_RUN_ID", "x")
        patch.setenv("WORLD_SIZE", "4")
        with pytest.raises(GsfmError, match="torchrun started 4 processes"):
            start(Run())
        patch.setitem(sys.modules, "lightning_fabric", None)
        with pytest.raises(MissingExtraError, match=r".\[scale\]"):
            start(Run(devices=2))
        patch.setattr(sys, "argv", ["-c"])
        with pytest.raises(GsfmError, match="not by a prompt"):
            start(Run(devices=2))
    for wrong in ({"devices": 0}, {"nodes": 0}, {"strategy": "fsdp"}, {"accelerator": "tpu"}):
        with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be"):
            Run(**wrong)


def test_a_set_of_weight_0_has_no_influence(corpus):
    rng = np.random.default_rng(1)
    rows = [corpus.ids(i) for i in range(60)]
    weights = rng.random(60)
    # One before, one between and one after the others, of any content.
    mixed = [[1, 2], *rows[:30], [3], *rows[30:], np.arange(40)]
    mixed_weights = [0, *weights[:30], 0, *weights[30:], 0]
    run = Run(n_threads=1)
    alone = Autoencoder(**SETTINGS).fit(corpus, weights=weights, run=run)
    beside = Autoencoder(**SETTINGS).fit(
        GeneSets.from_ids(corpus.vocabulary, mixed), weights=mixed_weights, run=run
    )
    for name, tensor in alone._tensors().items():
        np.testing.assert_array_equal(tensor, beside._tensors()[name])
    assert beside.manifest["corpus"] == alone.manifest["corpus"]


def test_an_allocator_without_settings_is_left_alone(monkeypatch):
    monkeypatch.setattr("ctypes.CDLL", lambda name: object())
    with keep_freed_memory():
        pass


def test_a_mapped_corpus_is_not_taken_into_memory(tmp_path, monkeypatch):
    monkeypatch.setenv("GSFM_MAX_MAPPED", "1000000")
    n_sets, size, n_genes = 20_000, 400, 2000
    starts = np.random.default_rng(0).integers(n_genes - 4 * size, size=n_sets)
    members = starts[:, None] + 4 * np.arange(size)
    weight = np.ones(n_sets, np.float32)
    weight[::7] = 0  # what would ask for a copy without them
    metadata = pl.DataFrame({"name": [str(i) for i in range(n_sets)], "weight": weight})
    vocabulary = Vocabulary(f"G{i}" for i in range(n_genes))
    indptr = np.arange(n_sets + 1) * size
    GeneSets(vocabulary, indptr, members.ravel(), metadata).save(tmp_path / "corpus.gsets")
    del members
    model = Autoencoder(dimensions=4, hidden=4, batch_size=16, epochs=0.02)
    train(model, GeneSets.from_lists([["A", "B"]] * 9), tmp_path / "model")  # imports what it needs

    tracemalloc.start()
    corpus = GeneSets.open(tmp_path / "corpus.gsets")
    run = Run(n_threads=1, watches=1, checkpoint=tmp_path / "checkpoint")
    # The evidence for typical sets takes memory of its own.
    train(model, corpus, tmp_path / "model", held_out=20, typical_sets=0, run=run)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert model.manifest["training"]["held_out_sets"] == 20
    # A copy of the members would take 32 MB; ids or weights of all of them, 64 MB.
    assert corpus.indices.nbytes == 32_000_000
    assert peak < 10_000_000
