"""The shipped model: small, offline, and right about what every biologist knows."""

from __future__ import annotations

import json

import numpy as np
import pytest

import gsfm
from gsfm.models import Model
from gsfm.models.registry import SHIPPED


@pytest.fixture(scope="module")
def model() -> Model:
    return gsfm.load()


def test_it_is_small_and_says_what_trained_it():
    assert sum(file.stat().st_size for file in SHIPPED.iterdir()) < 60e6
    manifest = json.loads((SHIPPED / "manifest.json").read_text())
    assert len(manifest["corpus"]["hash"]) == 64
    sources = {each["source"] for each in manifest["corpus"]["inputs"]}
    assert "publications" in sources
    # What it is measured on must not be in it.
    assert not [name for name in sources if name.startswith(("GO_", "KEGG", "GWAS", "ChEA"))]
    assert manifest["metrics"]["recall_at_50"] > 0.3
    assert all(member["training"]["finished"] for member in manifest["members"])


def test_its_genes_are_approved_symbols(model):
    assert set(model.vocabulary) <= set(gsfm.genes.vocabulary())
    assert len(model.vocabulary) > 20_000


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        # The rest of well-known complexes and pathways, given a part of each.
        ("PSMA1 PSMA2 PSMA3 PSMB1 PSMB2", "PSMA4 PSMA5 PSMA6 PSMA7 PSMB3 PSMB4 PSMB5"),
        ("MCM2 MCM3 MCM4", "MCM5 MCM6 MCM7"),
        ("ORC1 ORC2 ORC3", "ORC4 ORC5 ORC6"),
        ("BRCA2 PALB2 RAD51", "BRCA1"),
        ("NDUFA1 NDUFA2 NDUFB3 NDUFS1", "NDUFB5 NDUFS2 NDUFS3 NDUFV1"),
        ("INS GCG SST", "PPY"),
        ("CD3D CD3E CD2", "CD3G CD247"),
    ],
)
def test_it_completes_what_is_in_every_textbook(model, given, missing):
    top = model.complete(given.split(), top=50).table["symbol"].to_list()
    assert set(missing.split()) <= set(top)


def test_the_order_of_the_input_does_not_matter(model):
    a = model.complete(["MCM2", "MCM3", "MCM4"], top=None).table
    b = model.complete(["MCM4", "MCM2", "MCM3"], top=None).table
    assert a["symbol"].to_list()[:200] == b["symbol"].to_list()[:200]
    np.testing.assert_allclose(a["z_score"], b["z_score"], atol=1e-4)


def test_a_long_list_is_no_trouble(model):
    genes = model.vocabulary.symbols[:5000]
    result = model.complete(genes, top=10)
    assert result.table.height == 10
    assert not set(result.table["symbol"]) & set(genes)
