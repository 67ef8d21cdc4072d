"""Descriptions, by hand; and a figure that is one."""

from __future__ import annotations

import builtins
import json

import numpy as np
import polars as pl
import pytest

from gsfm import GeneSets, GsfmError, corpus
from gsfm.corpus import drawing
from gsfm.errors import MissingExtraError


@pytest.fixture
def sets():
    """Three sets of two sources; a gene that no set has."""
    made = GeneSets.from_ids(gsfm_vocabulary(), [[0, 1, 2], [0, 1], [0]], names=["a", "b", "c"])
    table = made.metadata.with_columns(
        source=pl.Series(["X", "X", "Y"]),
        year=pl.Series([2010, None, 2020], dtype=pl.Int32),
        weight=pl.Series([0.5, 0.5, 1.0]),
    )
    manifest = {"inputs": [{"source": "X", "license": "CC0"}, {"source": "Y"}]}
    return GeneSets(made.vocabulary, made.indptr, made.indices, table, manifest=manifest)


def gsfm_vocabulary():
    from gsfm.genes import Vocabulary

    return Vocabulary(["TP53", "MDM2", "EGFR", "MYC"])


def test_describe(sets):
    found = corpus.describe(sets, top=2)
    assert (found.sets, found.genes, found.members, found.weight) == (3, 3, 6, 2.0)
    assert found.hash == corpus.content_hash(sets)
    assert found.set_sizes == {
        "0%": 1.0,
        "5%": pytest.approx(1.1),
        "25%": 1.5,
        "50%": 2.0,
        "75%": 2.5,
        "95%": pytest.approx(2.9),
        "100%": 3.0,
    }
    assert (found.gene_frequencies["0%"], found.gene_frequencies["100%"]) == (1.0, 3.0)
    assert found.top_genes.rows() == [("TP53", 3, 1.0), ("MDM2", 2, pytest.approx(2 / 3))]
    assert found.sources.to_dicts() == [
        {
            "source": "X",
            "sets": 2,
            "members": 5,
            "median_size": 2.5,
            "first_year": 2010,
            "last_year": 2010,
            "license": "CC0",
        },
        {
            "source": "Y",
            "sets": 1,
            "members": 1,
            "median_size": 1.0,
            "first_year": 2020,
            "last_year": 2020,
            "license": None,
        },
    ]
    assert found.years.rows() == [(2010, 1), (2020, 1), (None, 1)]
    assert json.loads(json.dumps(found.to_dict()))["years"][2] == {"year": None, "sets": 1}


def test_describe_what_has_no_metadata_or_nothing_at_all():
    bare = GeneSets.from_lists([["TP53", "MDM2"], ["TP53"]])
    found = corpus.describe(bare)
    assert found.sources["source"].to_list() == [None]
    assert found.years.rows() == [(None, 2)]
    assert found.weight == 2
    empty = corpus.describe(bare[:0])
    assert (empty.sets, empty.genes, empty.members) == (0, 0, 0)
    assert empty.set_sizes == {}
    assert empty.top_genes.height == 0


def test_the_embedded_corpus():
    embedded = corpus.embedded()
    found = corpus.describe(embedded)
    assert found.top_genes["symbol"][0] == "TP53"
    frequency = sum("TP53" in embedded.genes(i) for i in range(len(embedded)))
    assert found.top_genes["sets"][0] == frequency
    assert found.sources["license"].to_list() == ["NCBI, public domain"]
    assert found.years["sets"].sum() == len(embedded)


@pytest.mark.parametrize(
    ("name", "magic"), [("a.png", b"\x89PNG"), ("a.svg", b"<?xml"), ("a.PDF", b"%PDF")]
)
def test_plot(sets, tmp_path, name, magic):
    corpus.plot(sets, tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(magic)


def test_the_figure_shows_the_numbers(tmp_path):
    rng = np.random.default_rng(0)
    vocabulary = gsfm_vocabulary()
    n = 40
    made = GeneSets.from_ids(vocabulary, [rng.choice(4, 1 + i % 4, False) for i in range(n)])
    table = made.metadata.with_columns(source=pl.Series([f"Source {i % 20:02}" for i in range(n)]))
    many = GeneSets(vocabulary, made.indptr, made.indices, table)
    path = tmp_path / "many.svg"
    corpus.plot(many, path)
    # Matplotlib draws text as outlines, with the text as a comment.
    text = path.read_text()
    for shown in ("40 gene sets", "median 2.5", "Sources (20)", "5 others", "Source 00", "TP53"):
        assert f"<!-- {shown}" in text
    assert "40 sets of unknown year" in text


@pytest.mark.parametrize("sizes", [[1], [5, 5, 5], [1, 2], [1, 1000]])
def test_any_sizes_can_be_drawn(tmp_path, sizes):
    from gsfm.genes import Vocabulary

    vocabulary = Vocabulary([f"G{i}" for i in range(1000)])
    corpus.plot(GeneSets.from_ids(vocabulary, [range(n) for n in sizes]), tmp_path / "a.png")


def test_plots_that_cannot_be(sets, tmp_path, monkeypatch):
    with pytest.raises(GsfmError, match=r"choose an ending of \.png, \.svg or \.pdf"):
        corpus.plot(sets, tmp_path / "a.gif")
    with pytest.raises(GsfmError, match="nothing to draw"):
        corpus.plot(sets[:0], tmp_path / "a.png")
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"pip install '.\[plot\]'"):
        corpus.plot(sets, tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_long_names_are_cut():
    assert drawing._short("short") == "short"
    assert drawing._short("a" * 50) == "a" * 33 + "…"
