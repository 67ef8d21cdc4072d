"""Several lists at once: each as if it were alone, in one table."""

from __future__ import annotations

import json

import pandas as pd
import polars as pl
import pytest

import gsfm
from gsfm import GeneSets, GsfmError, UnknownGenesError
from gsfm.analysis import enrich
from gsfm.models import Linear

TERMS = {
    "arrest": ["TP53", "CDKN1A", "MDM2", "BAX"],
    "growth": ["EGFR", "GRB2", "SOS1", "KRAS"],
    "repair": ["BRCA1", "BRCA2", "RAD51", "ATM"],
}
MORE = {"death": ["BAX", "BBC3", "PMAIP1"], "growth": ["EGFR", "ERBB2", "MYC"]}
UP, DOWN = ["TP53", "BAX", "nonsense"], ["EGFR", "GRB2", "MYC"]
LISTS = {"up": UP, "down": DOWN}
SETTINGS = {"method": "ora", "min_size": 2}


def test_each_list_is_as_if_alone():
    found = enrich(LISTS, [TERMS, MORE], top=2, **SETTINGS)
    assert found.table.columns[:3] == ["list", "rank", "library"]
    for name, genes in LISTS.items():
        alone = enrich(genes, [TERMS, MORE], top=2, **SETTINGS).table
        assert found.table.filter(list=name).drop("list").equals(alone)
    assert found.unmapped == ["nonsense"]
    assert found.inputs.filter(list="up")["input"].to_list() == UP
    lists = found.provenance["lists"]
    assert {name: one["genes"] for name, one in lists.items()} == {"up": 2, "down": 3}
    assert "genes of each list: up (2), down (3)" in found.summary()
    titles = [title for title, _ in found.parts()]
    assert titles[:2] == ["up, gene sets: 2 of 3 terms", "up, gene sets (2): 2 of 2 terms"]
    assert titles[2:] == ["down, gene sets: 2 of 3 terms", "down, gene sets (2): 2 of 2 terms"]
    assert set(found.provenance["columns"]) == set(found.table.columns)
    json.dumps(found.to_dict())


def test_every_form_of_lists_is_read(tmp_path):
    expected = enrich(LISTS, TERMS, **SETTINGS).table.sort(pl.all())
    rows = [(name, gene) for name, genes in LISTS.items() for gene in genes]
    frame = pd.DataFrame(rows, columns=["cluster", "gene"])
    path = tmp_path / "lists.gmt"
    path.write_text("".join("\t".join([n, "", *genes]) + "\n" for n, genes in LISTS.items()))
    for form in (
        GeneSets.from_lists(LISTS),
        frame,
        frame.assign(logFC=1.5),
        pl.DataFrame(frame.to_dict("list")),
        gsfm.sets.read(path),
        {name: pd.Series(genes) for name, genes in LISTS.items()},
    ):
        assert enrich(form, TERMS, **SETTINGS).table.sort(pl.all()).equals(expected)
    numbered = enrich({0: UP, 1: DOWN}, TERMS, **SETTINGS).table
    assert numbered["list"].unique(maintain_order=True).to_list() == ["0", "1"]


def test_ranked_lists_and_a_model():
    model = Linear(regularization=1.0, dimensions=2).fit(GeneSets.from_lists([*TERMS.values()] * 5))
    settings = {"min_size": 2, "model": model}
    found = enrich({"a": UP, "b": DOWN[:2]}, TERMS, **settings)
    assert (
        found.table.filter(list="b").drop("list").equals(enrich(DOWN[:2], TERMS, **settings).table)
    )
    ranked = {"TP53": 3.0, "BAX": 2.0, "KRAS": -1.0, "EGFR": -2.0}
    contrasts = {"one": ranked, "other": {gene: -value for gene, value in ranked.items()}}
    ordered = enrich(contrasts, TERMS, **SETTINGS, top=1).table
    assert ordered["direction"].to_list() == ["up", "down"]


def test_a_list_without_a_known_gene_is_excluded_with_the_reason():
    found = enrich({**LISTS, "none": ["nothing"]}, TERMS, **SETTINGS)
    assert found.table["list"].unique(maintain_order=True).to_list() == ["up", "down"]
    assert "nothing" in found.provenance["lists"]["none"]["reason"]
    assert "excluded list none: no gene of the set is known: nothing" in found.summary()
    with pytest.raises(UnknownGenesError, match="none of 1 list can be tested; none: no gene"):
        enrich({"none": ["nothing"]}, TERMS, **SETTINGS)
    with pytest.raises(GsfmError, match="there is no list of genes"):
        enrich(GeneSets.from_lists({}), TERMS, **SETTINGS)
    with pytest.raises(GsfmError, match="all be gene sets, or all be ranked lists"):
        enrich({"a": UP, "b": {"TP53": 1.0, "BAX": -1.0}}, TERMS, **SETTINGS)
    with pytest.raises(GsfmError, match="no such library"):
        enrich(LISTS, "no such library")
    with pytest.raises(ValueError, match="takes a ranked list"):
        enrich(LISTS, TERMS, method="prerank")
