"""``gsfm train``: from a gene-set file to a model that completes sets."""

from __future__ import annotations

import json
import os
import signal
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

import gsfm

GENES = ["TP53", "MDM2", "CDKN1A", "BAX", "BBC3", "PMAIP1", "GADD45A", "SESN1", "EGFR", "ERBB2"]
OTHERS = ["ERBB3", "GRB2", "SOS1", "KRAS", "BRAF", "RAF1", "MAP2K1", "MAPK1", "MYC", "CCND1"]


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    path: Path = tmp_path_factory.mktemp("corpus") / "sets.gmt"
    # All sets of eight, and those of ten, of the one or of the other ten genes.
    rows = [row for half in (GENES, OTHERS) for n in (8, 10) for row in combinations(half, n)]
    text = "".join(f"set {i}\t\t" + "\t".join(row) + "\n" for i, row in enumerate(rows))
    path.write_text(text + "again\t\t" + "\t".join(GENES) + "\n")
    return str(path)


def test_the_trained_model_completes_a_set(run, library, tmp_path):
    folder = str(tmp_path / "model")
    result = run(
        *("train", "--corpus", library, "--model", "linear", "-o", folder),
        *("--set", "regularization=5", "--set", "prune=8", "--seed", "3"),
    )
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    assert "92 sets" in result.stderr
    assert "excluded: 1 duplicate" in result.stderr
    assert "recall@50 1.000 on 2 sets held out" in result.stderr
    assert "peak memory" in result.stderr
    manifest = json.loads((tmp_path / "model" / "manifest.json").read_text())
    assert manifest["config"]["regularization"] == 5.0
    assert manifest["seed"] == 3
    best = gsfm.load(folder).complete(GENES[:4], top=6).table["symbol"]
    assert set(best) == set(GENES[4:])


def test_train_says_how_well_it_is_calibrated(run, tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "sets.gmt"
    rows = [sorted(rng.choice(GENES + OTHERS, 10, replace=False).tolist()) for _ in range(450)]
    path.write_text("".join(f"set {i}\t\t" + "\t".join(r) + "\n" for i, r in enumerate(rows)))
    folder = str(tmp_path / "model")
    settings = ("--corpus", str(path), "--model", "popularity", "-o", folder)
    result = run("train", *settings)
    assert result.exit_code == 0, result.output
    assert "calibrated on 2" in result.stderr
    assert "expected calibration error" in result.stderr
    assert gsfm.load(folder).calibration is not None


def test_a_network_reports_progress(run, library, tmp_path):
    pytest.importorskip("torch")
    small = ["--set", "dimensions=4", "--set", "hidden=4", "--set", "epochs=3"]
    result = run(
        *("train", "--corpus", library, "-o", str(tmp_path / "model"), "--threads", "1"),
        *(*small, "--set", "batch_size=9", "--set", "storage=int8", "--precision", "fp32"),
    )
    assert result.exit_code == 0, result.output
    # 90 sets are left, in batches of 9, three times.
    assert "step 30/30" in result.stderr
    assert "sets/s" in result.stderr
    assert "left  loss" in result.stderr
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    assert (config["storage"], config["epochs"]) == ("int8", 3.0)


def test_ctrl_c_saves_and_resume_goes_on(run, library, tmp_path, monkeypatch):
    pytest.importorskip("torch")
    from gsfm.cli import train

    class Stop(train._Reporter):
        def __call__(self, now):
            if now.step == 2:
                os.kill(os.getpid(), signal.SIGINT)

    folder = tmp_path / "model"
    command = ["train", "--corpus", library, "-o", str(folder), "--threads", "1"]
    command += ["--set", "dimensions=4", "--set", "epochs=8", "--set", "batch_size=9"]
    with monkeypatch.context() as patch:
        patch.setattr(train, "_Reporter", Stop)
        result = run(*command)
    assert result.exit_code == 130
    assert "stopped after step 2 of 80" in result.stderr
    assert gsfm.load(folder).manifest["training"]["finished"] is False
    result = run(*command, "--resume")
    assert result.exit_code == 0, result.output
    assert gsfm.load(folder).manifest["training"]["finished"] is True
    assert not folder.with_name("model.checkpoint").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model", "magic"], "'magic' is none of adaptive"),
        (["--set", "magic=1"], "has the settings average"),
        (["--set", "epochs"], "has the settings average"),
        (["--set", "epochs=-1"], "must be above 0"),
        (["--set", "epochs=many"], "epochs"),
        (["--precision", "fp8"], "auto, bf16 or fp32"),
        (["--threads", "0"], "threads"),
        (["--devices", "0"], "devices must be 1 or more, or auto"),
        (["--devices", "some"], "devices must be 1 or more, or auto"),
        (["--strategy", "magic"], "strategy must be auto or ddp"),
        (["--accelerator", "tpu"], "accelerator must be cpu, cuda or auto"),
    ],
)
def test_wrong_usage_says_what_is_possible(run, library, tmp_path, options, message):
    result = run("train", "--corpus", library, "-o", str(tmp_path / "model"), *options)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (tmp_path / "model").exists()


def test_a_family_of_one_process_says_so_in_one_line(run, library, tmp_path):
    folder = tmp_path / "model"
    result = run(
        *("train", "--corpus", library, "-o", str(folder), "--model", "linear", "--devices", "2")
    )
    assert result.exit_code == 1
    assert result.stderr.startswith("gsfm: a model of the family linear is fitted by one process")
    assert not folder.exists()


def test_a_corpus_that_is_not_there_is_one_line(run, tmp_path):
    result = run("train", "--corpus", "nowhere.gmt", "-o", str(tmp_path / "model"))
    assert result.exit_code == 1
    assert result.stderr.startswith("gsfm: nowhere.gmt")
    assert "Traceback" not in result.stderr
