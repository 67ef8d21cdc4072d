"""gsfm.scverse: a made AnnData whose truth is known."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from scipy import stats

import gsfm
from gsfm import GeneSets, GsfmError, MissingExtraError

pd = pytest.importorskip("pandas")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    anndata = pytest.importorskip("anndata")

from gsfm import scverse  # noqa: E402

TERMS = {
    "interferon": ["STAT1", "IRF9", "MX1", "OAS1", "ISG15", "IFIT1"],
    "ribosome": ["RPL3", "RPL4", "RPS3", "RPS6", "RPL5", "RPS8"],
    "collagen": ["COL1A1", "COL1A2", "COL3A1", "FN1", "SPARC", "COL5A1"],
}
#: Genes of the same doing, which are in no term.
PLANTED = {
    "interferon": ["IFI44", "IFI44L", "OAS2", "OAS3", "MX2", "IFIT2", "IFIT3", "RSAD2", "XAF1"],
    "ribosome": ["RPL7", "RPL8", "RPL9", "RPS2", "RPS4X", "RPS5", "RPS7", "RPL11", "RPL13"],
}


@pytest.fixture(scope="module")
def model():
    return gsfm.load()


@pytest.fixture(scope="module")
def library():
    return GeneSets.from_lists(TERMS)


@pytest.fixture
def adata(model):
    """60 cells: in "a" interferon genes are up, in "b" ribosomal ones; one of each is of a term."""
    rng = np.random.default_rng(0)
    others = [s for s in model.vocabulary.symbols if s.isalnum()][::10]
    named = itertools.chain(*TERMS.values(), *PLANTED.values())
    genes = list(dict.fromkeys([*named, *others]))
    x = rng.poisson(1.0, (60, len(genes))).astype(np.float32)
    for cluster, name in enumerate(PLANTED):
        rows = np.arange(60) // 30 == cluster
        x[np.ix_(rows, np.isin(genes, [*PLANTED[name], TERMS[name][0]]))] += 3
    obs = pd.DataFrame({"cluster": ["a"] * 30 + ["b"] * 30}, index=[f"cell{i}" for i in range(60)])
    return anndata.AnnData(np.log1p(x), obs=obs, var=pd.DataFrame(index=genes))


def test_what_is_no_anndata_is_an_error():
    with pytest.raises(TypeError, match="adata must be an AnnData, not DataFrame"):
        scverse.score(pd.DataFrame({"TP53": [1.0, 2.0]}), TERMS)


def test_cells_are_told_apart_by_genes_that_are_in_no_term(adata, model, library):
    is_a = (adata.obs["cluster"] == "a").to_numpy()

    def apart(added: float) -> dict[str, float]:
        """By how many standard deviations the scores of the clusters differ."""
        scverse.score(adata, library, model=model, added=added)
        scores = adata.obsm["score_gsfm"]
        difference = scores[is_a].mean() - scores[~is_a].mean()
        return dict(difference / np.sqrt((scores[is_a].var() + scores[~is_a].var()) / 2))

    completed, own = apart(3.0), apart(0.0)
    assert completed["interferon"] > max(own["interferon"] + 0.5, 1)
    assert completed["ribosome"] < min(own["ribosome"] - 0.5, -1)
    assert abs(completed["collagen"]) < 1
    scores, padj = adata.obsm["score_gsfm"], adata.obsm["padj_gsfm"]
    assert list(scores.columns) == list(padj.columns) == list(TERMS)
    assert list(scores.index) == list(adata.obs_names)
    assert ((padj >= 0) & (padj <= 1)).all(axis=None)
    assert adata.uns["gsfm"]["libraries"] == ["library 1"]
    assert adata.uns["gsfm"]["genes_unmapped"] == []


def test_the_score_is_the_t_value_of_a_regression(adata, model, library):
    scverse.score(adata, library, model=model)
    net = scverse.signatures(library, model=model, genes=list(adata.var_names))
    x = np.asarray(adata.X, float)
    spread = x.std(axis=0)
    x = np.where(spread > 0, (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1), 0)
    for term in TERMS:
        weights = net[net["source"] == term].set_index("target")["weight"]
        w = weights.reindex(adata.var_names).fillna(0).to_numpy()
        for cell in (0, 59):
            line = stats.linregress(w, x[cell])
            mine = adata.obsm["score_gsfm"][term].iloc[cell]
            assert mine == pytest.approx(line.slope / line.stderr, rel=1e-5)
    p = [
        stats.linregress(
            net[net["source"] == t]
            .set_index("target")["weight"]
            .reindex(adata.var_names)
            .fillna(0),
            x[7],
        ).pvalue
        for t in TERMS
    ]
    np.testing.assert_allclose(
        adata.obsm["padj_gsfm"].iloc[7], stats.false_discovery_control(p), rtol=1e-5
    )


def test_sparse_layers_and_groups(adata, model, library):
    adata.layers["sparse"] = sp.csr_matrix(adata.X)
    scverse.score(adata, library, model=model)
    dense = adata.obsm["score_gsfm"]
    scverse.score(adata, library, model=model, layer="sparse")
    np.testing.assert_allclose(adata.obsm["score_gsfm"], dense, rtol=1e-4, atol=1e-5)
    scverse.score(adata, library, model=model, groupby="cluster", added=3.0)
    groups = adata.uns["score_gsfm"]
    assert list(groups.index) == ["a", "b"]
    assert groups["interferon"].idxmax() == "a"
    assert groups["ribosome"].idxmax() == "b"


def test_signatures_are_a_network_of_the_term_and_what_is_likeliest_missing(model, library):
    net = scverse.signatures(library, model=model, added=2.0)
    own = net[net["source"] == "interferon"].set_index("target")["weight"]
    assert len(own) == 18
    assert (own[TERMS["interferon"]] == 1).all()
    added = own.drop(TERMS["interferon"])
    assert added.between(0, 1, inclusive="neither").all()
    probability = model.probability([TERMS["interferon"]])[0]
    for gene, weight in added.items():
        assert weight == pytest.approx(float(probability[model.vocabulary.ids([gene])[0]]))
    assert len(set(added.index) & set(PLANTED["interferon"])) >= 5
    # Written the way of the genes that were given.
    mouse = scverse.signatures(
        library, model=model, genes=[g.capitalize() for g in TERMS["interferon"]]
    )
    assert set(mouse["target"]) == {"Stat1", "Irf9", "Mx1", "Oas1", "Isg15", "Ifit1"}


def test_enrich_reads_what_scanpy_wrote(adata, model, library):
    x = np.asarray(adata.X, float)
    is_a = (adata.obs["cluster"] == "a").to_numpy()
    t = stats.ttest_ind(x[is_a], x[~is_a]).statistic
    t = np.nan_to_num(t)
    names = adata.var_names.to_numpy()
    order = {"a": np.argsort(-t), "b": np.argsort(t)}
    kinds = [(group, object) for group in order]
    ranked = np.rec.fromarrays([names[i] for i in order.values()], dtype=kinds)
    scores = np.rec.fromarrays(
        [t[order["a"]], -t[order["b"]]], dtype=[(group, np.float32) for group in order]
    )
    adata.uns["rank_genes_groups"] = {"names": ranked, "scores": scores, "params": {}}
    found = scverse.enrich(adata, library, model=model, draws=30, top_genes=9)
    for group, term in (("a", "interferon"), ("b", "ribosome")):
        up = found[group].table.filter(direction="up")
        assert up["term"][0] == term
        assert up["z_score"][0] > 0 > up["z_score"][1]
        assert found[group].provenance["background"]["identifiers"] == adata.n_vars
    frame = adata.uns["enrich_gsfm"]
    assert list(frame.columns[:3]) == ["group", "rank", "library"]
    assert len(frame) == 12
    only = scverse.enrich(
        adata,
        GeneSets.from_lists({"others": [*PLANTED["interferon"]]}),
        method="ora",
        groups=["a"],
        top_genes=9,
    )
    assert list(only) == ["a"]
    assert only["a"].table["overlap"][0] >= 7
    with pytest.raises(GsfmError, match="no group 'c'"):
        scverse.enrich(adata, library, groups=["c"], model=model)
    with pytest.raises(GsfmError, match="there are model, ora and prerank"):
        scverse.enrich(adata, library, method="guess")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"layer": "nothing"}, "no layer 'nothing'"),
        ({"groupby": "nothing"}, "no column 'nothing'"),
        ({"min_size": 50}, "50 or more genes"),
    ],
)
def test_bad_input_is_an_error_that_says_what(adata, model, library, settings, message):
    with pytest.raises(GsfmError, match=message):
        scverse.score(adata, library, model=model, **settings)
    with pytest.raises(GsfmError, match="run scanpy"):
        scverse.enrich(adata, library, model=model)


def test_without_pandas_it_says_how_to_get_it(monkeypatch, library):
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r"pip install '.\[scverse\]'"):
        scverse.signatures(library)


def test_an_offset_of_all_values_changes_nothing(adata, model, library):
    x = np.asarray(adata.X, np.float64)
    scores = []
    for layer in (x, x + 1e5, sp.csr_matrix(x + 1e5)):
        adata.layers["x"] = layer
        scverse.score(adata, library, model=model, layer="x")
        scores.append(adata.obsm["score_gsfm"])
    for other in scores[1:]:
        np.testing.assert_allclose(other, scores[0], rtol=1e-6, atol=1e-8)


def test_genes_with_one_value_are_excluded(adata, model, library):
    x = np.asarray(adata.X).copy()
    at = adata.var_names.get_indexer(["MX1", "RPL7", *adata.var_names[100:400]])
    x[:, at[:3]], x[:, at[3:]] = 0, 1e5
    adata.layers["x"] = x
    scverse.score(adata, library, model=model, layer="x")
    assert adata.uns["gsfm"]["genes_flat"] == len(at)
    there = adata[:, np.setdiff1d(np.arange(adata.n_vars), at)].copy()
    scverse.score(there, library, model=model)
    np.testing.assert_allclose(adata.obsm["score_gsfm"], there.obsm["score_gsfm"], rtol=1e-6)
    adata.layers["x"] = np.ones_like(x)
    with pytest.raises(GsfmError, match="fewer than three genes vary"):
        scverse.score(adata, library, model=model, layer="x")
