"""Models that the tests of several questions share."""

from __future__ import annotations

import pytest

import gsfm
from gsfm import GeneSets
from gsfm.models import Linear, Model

WORLDS = [
    ["TP53", "MDM2", "CDKN1A", "BAX", "BBC3", "PMAIP1", "GADD45A", "SESN1"],
    ["EGFR", "ERBB2", "ERBB3", "GRB2", "SOS1", "KRAS", "BRAF", "RAF1"],
    ["BRCA1", "BRCA2", "RAD51", "PALB2", "ATM", "CHEK2", "MYC", "PCNA"],
]


@pytest.fixture(scope="session")
def shipped() -> Model:
    return gsfm.load()


@pytest.fixture(scope="session")
def worlds() -> list[list[str]]:
    """Three groups of eight genes that have nothing to do with each other."""
    return WORLDS


@pytest.fixture(scope="session")
def small() -> Linear:
    """A model that knows the three worlds, and TP53 in two of them."""
    rows = [world[i : i + 4] for world in WORLDS for i in range(5)] * 3
    rows += [["TP53", "BRCA1", "ATM"], ["TP53", "CHEK2", "BRCA2"]] * 2
    return Linear(regularization=1.0, dimensions=6).fit(GeneSets.from_lists(rows))
