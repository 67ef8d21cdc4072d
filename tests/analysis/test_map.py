"""The map: like sets are near each other, and the page stands alone."""

from __future__ import annotations

import json
import re

import numpy as np
import polars as pl
import pytest

from gsfm import GeneSets, GsfmError, UnknownGenesError
from gsfm.analysis import map


@pytest.fixture(scope="module")
def library(worlds):
    rng = np.random.default_rng(0)
    rows = {
        f"{w}.{i}": [world[k] for k in rng.choice(8, 4, replace=False)]
        for w, world in enumerate(worlds)
        for i in range(20)
    }
    return GeneSets.from_lists(rows)


@pytest.fixture(scope="module")
def found(small, library):
    return map(library, name="three worlds", model=small)


def test_like_sets_are_near_each_other(found):
    place = found.table.select("x", "y").to_numpy()
    world = np.array([name[0] for name in found.table["set"]])
    distance = np.linalg.norm(place[:, None] - place, axis=2)
    np.fill_diagonal(distance, np.inf)
    near = np.argsort(distance, axis=1)[:, :5]
    assert (world[near] == world[:, None]).mean() > 0.9


def test_the_same_seed_gives_the_same_map(small, library, found):
    assert map(library, name="three worlds", model=small).table.equals(found.table)


def test_colors_by_source_or_by_cluster(small, worlds, library, found):
    assert found.provenance["group_by"] == "cluster"
    assert all(name.startswith("like ") for name in found.table["group"])
    # Each cluster is called by genes of the world that most of its sets are of.
    for name, part in found.table.group_by("group"):
        typical = set(name[0].split("(")[-1].rstrip(")").split(", "))
        common = max("012", key=lambda w: sum(one.startswith(w) for one in part["set"]))
        assert typical <= set(worlds[int(common)])
    for row in found:
        genes = library.genes(library.names.index(row["set"]))
        assert set(row["example_genes"]) == set(genes)
    several = library[np.arange(len(library))]
    several.metadata = several.metadata.with_columns(
        source=pl.Series([f"s{i % 3}" for i in range(len(several))])
    )
    by_source = map(several, model=small)
    assert by_source.provenance["group_by"] == "source"
    assert by_source.table["group"].to_list() == several.metadata["source"].to_list()


def test_the_page_stands_alone(small, worlds, tmp_path):
    evil = "</script><script>alert(1)</script>"
    rows = {f"set {i}": worlds[i % 3][:4] for i in range(9)} | {evil: worlds[0][2:6]}
    found = map(GeneSets.from_lists(rows), name="<b>bold</b>", model=small)
    found.to_html(tmp_path / "map.html")
    page = (tmp_path / "map.html").read_text()
    assert "{{" not in page
    assert evil not in page
    assert "<b>bold</b>" not in page
    assert not re.search(r"<(script|link|img)[^>]*(src|href)=", page)
    data = re.search(r'<script id="data" type="application/json">(.*?)</script>', page, re.S)
    held = json.loads(data[1])
    assert held["sets"]["set"] == list(rows)
    assert held["about"]["task"] == "map"
    assert len(held["sets"]["x"]) == 10


def test_some_of_many_and_sets_without_a_known_gene(small, library):
    some = map(library, most=12, random_state=1, model=small)
    assert (len(some), some.provenance["sets"], some.provenance["drawn"]) == (12, 60, 12)
    assert "drawn at random of" in some.to_page()
    more = GeneSets.from_lists({name: library.genes(i) for i, name in enumerate(library.names)}
                               | {"unknown": ["nonsense"]})  # fmt: skip
    found = map(more, model=small)
    assert found.provenance["unplaced"] == 1
    assert "unknown" not in found.table["set"].to_list()
    assert found.unmapped == ["nonsense"]


def test_bad_questions(small):
    with pytest.raises(GsfmError, match="a map needs 5"):
        map(GeneSets.from_lists([["TP53"], ["MDM2"]]), model=small)
    with pytest.raises(UnknownGenesError, match="no gene of the library"):
        map(GeneSets.from_lists([["nonsense"]] * 9), model=small)
    with pytest.raises(ValueError, match="most"):
        map(GeneSets.from_lists([["TP53"]] * 9), most=2, model=small)
