"""Vectors, their files, and the nearest sets."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from scipy.stats import hypergeom

from gsfm import GeneSets, GsfmError, UnknownGenesError, corpus
from gsfm.analysis import embed, nearest

INTERFERON = ["IFIT1", "IFIT3", "ISG15", "MX1", "OAS1", "STAT1"]


def test_vectors_are_the_models(small):
    found = embed(["EGFR", "p53", "TP53", "nonsense"], model=small)
    rows = small.embed_genes()[small.vocabulary.ids(["EGFR", "TP53"])]
    assert found.table["symbol"].to_list() == ["EGFR", "TP53"]
    assert np.array_equal(found.vectors, rows)
    assert found.unmapped == ["nonsense"]
    everything = embed(model=small)
    assert everything.table["symbol"].to_list() == list(small.vocabulary)
    sets = GeneSets.from_lists({"a": ["p53", "Mdm2"], "b": ["EGFR"], "c": ["nonsense"]})
    found = embed(sets, model=small)
    assert np.array_equal(found.vectors, small.embed_sets([["TP53", "MDM2"], ["EGFR"], []]))
    assert found.table["in_model"].to_list() == [2, 1, 0]


def test_fewer_dimensions_keep_the_products(small):
    whole = embed(model=small).vectors
    short = embed(dimensions=5, model=small).vectors
    assert short.shape == (len(whole), 5)
    # The best five numbers can do (Eckart and Young).
    u, s, _ = np.linalg.svd(whole, full_matrices=False)
    best = (u[:, :5] * s[:5]) @ (u[:, :5] * s[:5]).T
    assert np.allclose(short @ short.T, best, atol=1e-3)
    with pytest.raises(ValueError, match="dimensions"):
        embed(dimensions=7, model=small)


def test_files_hold_the_vectors(small, tmp_path):
    found = embed(["TP53", "EGFR", "MYC"], model=small)
    for ending in ("parquet", "csv", "tsv", "npz", "json"):
        found.save(tmp_path / f"v.{ending}")
    tables = [
        pl.read_parquet(tmp_path / "v.parquet"),
        pl.read_csv(tmp_path / "v.csv"),
        pl.read_csv(tmp_path / "v.tsv", separator="\t"),
    ]
    for table in tables:
        assert table["symbol"].to_list() == ["TP53", "EGFR", "MYC"]
        read = table.select(pl.exclude("symbol", "name")).to_numpy()
        assert np.allclose(read, found.vectors, atol=1e-6)
    with np.load(tmp_path / "v.npz") as stored:  # not a pickle
        assert stored["names"].tolist() == ["TP53", "EGFR", "MYC"]
        assert np.array_equal(stored["vectors"], found.vectors)
        assert json.loads(str(stored["provenance"]))["task"] == "embed genes"
    whole = json.loads((tmp_path / "v.json").read_text())
    assert np.allclose(whole["results"][0]["vector"], found.vectors[0])
    with pytest.raises(GsfmError, match=r"v\.txt: choose an ending"):
        found.save(tmp_path / "v.txt")


@pytest.mark.filterwarnings("ignore")  # anndata's own, of its dependencies
def test_anndata(small, tmp_path):
    anndata = pytest.importorskip("anndata")
    found = embed(["TP53", "EGFR", "MYC"], model=small)
    found.save(tmp_path / "v.h5ad")
    read = anndata.read_h5ad(tmp_path / "v.h5ad")
    assert read.obs_names.tolist() == ["TP53", "EGFR", "MYC"]
    assert read.obs["name"].tolist()[0] == "tumor protein p53"
    assert np.array_equal(read.X, found.vectors)
    assert json.loads(read.uns["gsfm"])["model"]["family"] == "linear"


def test_the_benchmark_reads_them_as_gene_vectors(small, tmp_path):
    from gsfm.benchmark.embedding import Embedding

    embed(model=small).save(tmp_path / "v.parquet")
    report = Embedding.read(tmp_path / "v.parquet").report
    assert (report.genes, report.dimensions) == (len(small.vocabulary), 6)


def test_nearest_by_overlap_against_brute_force(small):
    library = GeneSets.from_lists(
        {
            "same": ["TP53", "MDM2", "BAX"],
            "more": ["TP53", "MDM2", "BAX", "EGFR", "KRAS", "MYC"],
            "one": ["TP53", "EGFR", "KRAS"],
            "none": ["BRCA1", "BRCA2", "RAD51"],
        }
    )
    found = nearest(["p53", "MDM2", "BAX", "nonsense"], library, model=small)
    assert found.table["set"].to_list() == ["same", "more", "one"]
    background = len(set(library.vocabulary))
    for row in found:
        genes = set(library.genes(library.names.index(row["set"])))
        shared = genes & {"TP53", "MDM2", "BAX"}
        assert set(row["overlap_genes"]) == shared
        assert row["jaccard"] == pytest.approx(len(shared) / len(genes | {"TP53", "MDM2", "BAX"}))
        p = hypergeom.sf(len(shared) - 1, background, 3, len(genes))
        assert row["p_value"] == pytest.approx(p)
    assert found.unmapped == ["nonsense"]


def test_the_model_finds_related_sets_without_a_common_gene(small, worlds):
    library = GeneSets.from_lists({str(i): world[4:] for i, world in enumerate(worlds)})
    for i, world in enumerate(worlds):
        found = nearest(world[1:4], library, by="model", model=small)
        assert found.table["set"][0] == str(i)
        assert found.table["overlap"].sum() == 0
        assert len(found) == 3
        assert len(nearest(world[1:4], library, model=small)) == 0


def test_papers(shipped):
    embedded = corpus.embedded()
    i = embedded.names.index("PMID:7545954")
    found = nearest(embedded.genes(i), top=5, model=shipped)
    assert "PMID:7545954" in found.table.filter(pl.col("jaccard") == 1)["set"].to_list()
    found = nearest(INTERFERON, by="model", top=10, model=shipped)
    shared = set().union(*found.table["overlap_genes"].to_list())
    assert len(shared & set(INTERFERON)) >= 5
    # Not the large papers of popular genes, which are near to everything.
    assert found.table["genes"].max() < 500


def test_bad_questions(small, tmp_path):
    with pytest.raises(UnknownGenesError, match="no gene of the set"):
        nearest(["nonsense"], model=small)
    with pytest.raises(UnknownGenesError, match="no gene of the genes"):
        embed(["nonsense"], model=small)
    with pytest.raises(UnknownGenesError, match="no gene of the library"):
        embed(GeneSets.from_lists([["nonsense"]]), model=small)
    with pytest.raises(GsfmError):
        nearest(["TP53"], tmp_path / "no-such-file.gmt", model=small)
    with pytest.raises(GsfmError, match="approved"):
        nearest(["TP53"], GeneSets.from_lists([["p53", "Mdm2"]]), model=small)
    with pytest.raises(ValueError, match="by must be"):
        nearest(["TP53"], by="magic", model=small)
