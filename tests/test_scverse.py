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


@pytest.fixture
def ranked(adata):
    """What ``scanpy.tl.rank_genes_groups`` writes: the genes of a cluster against the other."""
    x = np.asarray(adata.X, float)
    is_a = (adata.obs["cluster"] == "a").to_numpy()
    t, p = stats.ttest_ind(x[is_a], x[~is_a])
    change = (x[is_a].mean(axis=0) - x[~is_a].mean(axis=0)) / np.log(2)
    fields = {"scores": t, "logfoldchanges": change, "pvals": p, "pvals_adj": np.minimum(9 * p, 1)}
    order = {"a": np.argsort(-np.nan_to_num(t)), "b": np.argsort(np.nan_to_num(t))}
    names = adata.var_names.to_numpy().astype(object)

    def records(values: list[np.ndarray], kind: type) -> np.recarray:
        return np.rec.fromarrays(values, dtype=[(group, kind) for group in order])

    found = {"params": {"groupby": "cluster", "method": "t-test", "use_raw": False}}
    found["names"] = records([names[at] for at in order.values()], object)
    for name, one in fields.items():
        other = one if name.startswith("pvals") else -one
        found[name] = records([one[order["a"]], other[order["b"]]], float)
    adata.uns["rank_genes_groups"] = found
    return found


def test_enrich_reads_what_scanpy_wrote(adata, ranked, model, library):
    found = scverse.enrich(adata, library, method="model", model=model, top_genes=9)
    for group, term in (("a", "interferon"), ("b", "ribosome")):
        up = found[group].table.filter(direction="up")
        assert up["term"][0] == term
        assert up["z_score"][0] > 0
        assert up["p_value"][0] < 0.05 < up["p_value"][1]
        assert found[group].provenance["background"]["identifiers"] == adata.n_vars
        about = found[group].provenance["ranked"]
        assert (about["statistic"], about["group"]) == ("scores", group)
        assert about["test"] == {"groupby": "cluster", "method": "t-test", "use_raw": "False"}
    frame = adata.uns["enrich_gsfm"]
    assert list(frame.columns[:3]) == ["group", "rank", "library"]
    assert len(frame) == 12
    assert adata.uns["gsfm_enrich"]["statistic"] == "scores"
    only = scverse.enrich(adata, PLANTED, method="ora", groups=["a"], top_genes=9)
    assert list(only) == ["a"]
    assert only["a"].table["overlap"][0] >= 7
    with pytest.raises(GsfmError, match="no group 'c'"):
        scverse.enrich(adata, library, groups=["c"], model=model)
    with pytest.raises(GsfmError, match="there are combined, model, ora, prerank"):
        scverse.enrich(adata, library, method="guess")


def _used(adata, **options):
    """The numbers of genes that over-representation uses, and the ranks of the terms."""
    found = scverse.enrich(adata, PLANTED, method="ora", top_genes=9, **options)
    return {group: one.provenance["ranked"]["used"] for group, one in found.items()}


@pytest.mark.parametrize("statistic", ["scores", "logfoldchanges", "pvals", "pvals_adj"])
def test_each_field_of_scanpy_ranks_the_genes(adata, ranked, statistic):
    for group, term in (("a", "interferon"), ("b", "ribosome")):
        found = scverse.enrich(adata, PLANTED, method="ora", top_genes=9, statistic=statistic)
        best = found[group].table.row(0, named=True)
        assert best["term"] == term
        assert best["overlap"] >= 7
        assert found[group].provenance["ranked"]["statistic"] == statistic


def test_cutoffs_are_those_of_scanpy(adata, ranked):
    significant = {g: int((ranked["pvals_adj"][g] < 1e-3).sum()) for g in "ab"}
    assert _used(adata, pval_cutoff=1e-3) == significant
    larger = {g: int((ranked["logfoldchanges"][g] > 0.5).sum()) for g in "ab"}
    assert _used(adata, log2fc_min=0.5) == larger
    # A group without a gene has no table; that of all is an error.
    ranked["pvals_adj"]["b"] = 1.0
    assert list(_used(adata, pval_cutoff=1e-3)) == ["a"]
    assert adata.uns["gsfm_enrich"]["groups_without_genes"] == ["b"]
    with pytest.raises(GsfmError, match=r"no gene of adata.uns\['rank_genes_groups'\] is left"):
        _used(adata, pval_cutoff=1e-3, groups=["b"])
    with pytest.raises(ValueError, match="prerank needs all genes; leave out pval_cutoff"):
        scverse.enrich(adata, PLANTED, method="prerank", pval_cutoff=0.1)


def test_genes_that_scanpy_filtered_or_could_not_test_are_counted(adata, ranked):
    ranked["names"]["a"][:2], ranked["scores"]["a"][2] = np.nan, np.nan
    found = scverse.enrich(adata, PLANTED, method="ora", groups=["a"], top_genes=9)
    expected = np.isfinite(ranked["scores"]["a"])[2:].sum()
    assert found["a"].provenance["ranked"]["used"] == expected
    assert found["a"].provenance["ranked"]["no_number"] == adata.n_vars - expected


def test_the_background_is_what_was_ranked(adata, ranked):
    ranked["params"]["use_raw"] = True
    adata.raw = adata
    part = adata[:, :30].copy()
    found = scverse.enrich(part, PLANTED, method="ora", groups=["a"], top_genes=9)
    assert found["a"].provenance["background"]["identifiers"] == adata.n_vars
    assert found["a"].provenance["input"]["identifiers"] == 9


def test_a_field_that_scanpy_did_not_write_is_an_error_that_lists_them(adata, ranked):
    for name in ("logfoldchanges", "pvals", "pvals_adj"):
        del ranked[name]
    ranked["params"]["method"] = "logreg"
    message = "no 'logfoldchanges'; its method 'logreg' has scores"
    with pytest.raises(GsfmError, match=message):
        scverse.enrich(adata, PLANTED, method="ora", statistic="logfoldchanges")
    with pytest.raises(ValueError, match="statistic is 'logFC'; there are scores, logfoldchanges"):
        scverse.enrich(adata, PLANTED, method="ora", statistic="logFC")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"layer": "nothing"}, "no layer 'nothing'"),
        ({"groupby": "nothing"}, "no column 'nothing'"),
        ({"min_size": 50}, "50 or more genes"),
        ({"raw": True}, "adata.raw is empty"),
        ({"raw": True, "layer": "x"}, "layer='x' or raw=True, not both"),
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


FORMS = ["dense", "csr", "csc"]


def _as(form, values):
    return values if form == "dense" else sp.coo_matrix(values).asformat(form)


@pytest.mark.parametrize("bsize", [1, 7, 59, 250_000.0])
@pytest.mark.parametrize("form", FORMS)
def test_no_form_of_the_expression_and_no_bsize_changes_a_score(adata, model, form, bsize):
    # Of the genes, some are far from 0 and some are not; in 32 bits.
    x = np.asarray(adata.X).copy()
    x[:, ::3] += 1e3
    both = {}
    for name, values, settings in (("x", x, {}), ("y", _as(form, x), {"bsize": bsize})):
        other = anndata.AnnData(obs=adata.obs, var=adata.var, layers={"x": values.copy()})
        for groupby in (None, "cluster"):
            settings |= {"layer": "x", "model": model, "groupby": groupby}
            assert scverse.score(other, TERMS, **settings) is None
        both[name] = other
    for where, key in itertools.product(("obsm", "uns"), ("score_gsfm", "padj_gsfm")):
        one, two = (getattr(found, where)[key] for found in both.values())
        assert one.index.equals(two.index)
        np.testing.assert_allclose(one, two, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("form", FORMS)
def test_a_file_is_scored_without_loading_all_of_it(adata, model, tmp_path, monkeypatch, form):
    adata.X = _as(form, adata.X)
    adata.raw = adata
    adata.write_h5ad(tmp_path / "a.h5ad")
    scverse.score(adata, TERMS, model=model)

    def whole(self):
        raise AssertionError("all of the file is read")

    backed = anndata.read_h5ad(tmp_path / "a.h5ad", backed="r")
    monkeypatch.setattr("anndata.abc.CSRDataset.to_memory", whole)
    monkeypatch.setattr("anndata.abc.CSCDataset.to_memory", whole)
    for raw in (False, True):
        scverse.score(backed, TERMS, model=model, bsize=16, raw=raw)
        np.testing.assert_allclose(backed.obsm["score_gsfm"], adata.obsm["score_gsfm"], rtol=1e-9)
    backed.file.close()


def test_sparse_expression_is_never_made_dense(adata, model, monkeypatch):
    adata.X = sp.csr_matrix(adata.X)
    shapes, dense = [], sp.csr_array.toarray
    monkeypatch.setattr(
        sp.csr_array, "toarray", lambda self: shapes.append(self.shape) or dense(self)
    )
    scverse.score(adata, TERMS, model=model, bsize=20)
    assert set(shapes) == {(20, len(TERMS))}


def test_raw_has_its_own_expression_and_genes(adata, model):
    part = adata[:, ::2].copy()
    part.raw, part.X = adata, np.zeros(part.shape, np.float32)
    scverse.score(part, TERMS, model=model, raw=True)
    scverse.score(adata, TERMS, model=model)
    pd.testing.assert_frame_equal(part.obsm["score_gsfm"], adata.obsm["score_gsfm"])
    assert part.uns["gsfm"]["layer"] == "raw"


@pytest.mark.parametrize("form", FORMS)
def test_empty_cells_are_excluded_in_a_copy(adata, model, form):
    x = np.asarray(adata.X).copy()
    x[[3, 40]] = 0
    adata.X = _as(form, x)
    there = adata[np.setdiff1d(np.arange(60), [3, 40])].copy()
    assert scverse.score(there, TERMS, model=model) is None
    found = scverse.score(adata, TERMS, model=model, bsize=8)
    assert found.uns["gsfm"]["cells_empty"] == 2
    assert "score_gsfm" not in adata.obsm
    one, two = found.obsm["score_gsfm"], there.obsm["score_gsfm"]
    pd.testing.assert_frame_equal(one, two, rtol=1e-9)
    # Groups need no copy.
    for data in (adata, there):
        assert scverse.score(data, TERMS, model=model, groupby="cluster") is None
    pd.testing.assert_frame_equal(adata.uns["score_gsfm"], there.uns["score_gsfm"], rtol=1e-9)
    assert scverse.score(adata, TERMS, model=model, empty=False) is None
    assert len(adata.obsm["score_gsfm"]) == 60


def test_genes_without_variation_can_be_kept(adata, model):
    x = np.asarray(adata.X, float).copy()
    x[:, 100:400] = 2
    adata.X = x
    scverse.score(adata, TERMS, model=model, empty=False, added=0.0)
    spread = x.std(axis=0)
    z = np.where(spread > 1e-9, (x - x.mean(axis=0)) / np.where(spread > 1e-9, spread, 1), 0)
    for term, genes in TERMS.items():
        line = stats.linregress(adata.var_names.isin(genes).astype(float), z[5])
        expected = line.slope / line.stderr
        assert adata.obsm["score_gsfm"][term].iloc[5] == pytest.approx(expected, rel=1e-9)


def test_groups_without_cells_and_cells_without_a_group(adata, model):
    groups = pd.Categorical(["a"] * 20 + [None] * 20 + ["c"] * 20, categories=["c", "b", "a"])
    adata.obs["some"] = groups
    scverse.score(adata, TERMS, model=model, groupby="some")
    assert list(adata.uns["score_gsfm"].index) == ["c", "a"]


@pytest.mark.parametrize("bsize", [0, 1.5, np.nan, np.inf, "many"])
def test_bsize_is_a_number_of_cells(adata, model, bsize):
    with pytest.raises(ValueError, match="bsize must be a whole number of cells"):
        scverse.score(adata, TERMS, model=model, bsize=bsize)
