"""A small model in a folder, and a way to call the command line in this process."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from gsfm import GeneSets
from gsfm.cli.app import app
from gsfm.models import Linear

SYMBOLS = [
    *("TP53", "MDM2", "CDKN1A", "BAX", "BBC3", "PMAIP1", "GADD45A", "SESN1", "EGFR", "ERBB2"),
    *("ERBB3", "GRB2", "SOS1", "KRAS", "BRAF", "RAF1", "MAP2K1", "MAPK1", "MYC", "CCND1", "CDK4"),
]


@pytest.fixture(scope="session")
def model() -> Linear:
    rng = np.random.default_rng(0)
    starts = rng.integers(0, len(SYMBOLS) - 6, 150)
    rows = [[SYMBOLS[s + i] for i in rng.choice(7, 4, replace=False)] for s in starts]
    return Linear(regularization=2).fit(GeneSets.from_lists(rows))


@pytest.fixture(scope="session")
def folder(model: Linear, tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("models") / "small"
    model.save(path)
    return str(path)


@pytest.fixture(scope="session")
def calibrated(model: Linear) -> Linear:
    """The same model, which tells probabilities too."""
    rng = np.random.default_rng(1)
    symbols = model.vocabulary.symbols
    halved = [[symbols[i] for i in rng.choice(len(symbols), 8, replace=False)] for _ in range(40)]
    made = copy.copy(model)
    made.manifest = dict(model.manifest)
    return made.calibrate([one[:4] for one in halved], [one[4:] for one in halved])


@pytest.fixture
def calibrated_folder(calibrated: Linear, tmp_path: Path) -> str:
    calibrated.save(tmp_path / "model")
    return str(tmp_path / "model")


@pytest.fixture(scope="session")
def run() -> Callable[..., Result]:
    """``run("complete", "TP53")``: exit code, stdout and stderr of a command."""

    def call(*arguments: str, stdin: str | bytes | None = None) -> Result:
        return CliRunner().invoke(app, list(arguments), input=stdin, prog_name="gsfm")

    return call
