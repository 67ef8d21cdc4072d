"""Explanations: shares that add up, against other ways to find them, and the papers."""

from __future__ import annotations

import itertools
import json

import numpy as np
import polars as pl
import pytest
from scipy.stats import hypergeom

from gsfm import GeneSets, UnknownGenesError, Vocabulary, corpus
from gsfm.analysis import explain
from gsfm.models import (
    Adaptive,
    Attribute,
    Autoencoder,
    Cooccurrence,
    Ensemble,
    Features,
    Linear,
    Popularity,
)

RNG = np.random.default_rng(0)
SYMBOLS = ("TP53", "MDM2", "CDKN1A", "BAX", "EGFR", "ERBB2", "GRB2", "KRAS", "MYC", "ATM")
ROWS = [list(RNG.choice(SYMBOLS, RNG.integers(2, 6), replace=False)) for _ in range(60)]
SETS = GeneSets.from_lists(ROWS, vocabulary=Vocabulary(SYMBOLS))
GIVEN = ["TP53", "BAX", "GRB2", "MYC"]


def random_autoencoder(scale: float = 1.0) -> Autoencoder:
    """An autoencoder with random tensors: no fit, hence no torch, and nothing is small."""
    model = Autoencoder(dimensions=6, hidden=8, storage="float32")
    model._vocabulary = Vocabulary(SYMBOLS)
    rng = np.random.default_rng(1)
    tensors = {
        name: rng.normal(size=shape).astype(np.float32) * scale
        for name, shape in model.shapes(model.config).items()
    }
    for name, shape in (("input_vectors", (10, 6)), ("output_vectors", (10, 6))):
        tensors[name] = rng.normal(size=shape).astype(np.float32)
    tensors["output_bias"] = rng.normal(size=10).astype(np.float32)
    model._restore(tensors)
    return model


def adaptive() -> Adaptive:
    members = [
        random_autoencoder(),
        Linear(regularization=1).fit(SETS),
        Features(of="words").fit(SETS),
        Features(of="sets", max_containment=0.9).fit(SETS),
        Cooccurrence().fit(SETS),
        Attribute(of="length").fit(SETS),
        Popularity().fit(SETS[np.arange(20)]),
    ]
    return Adaptive.of(members, weights=[0.5, 0.4, 0.2, 0.3, 0.1, 0.0, 0.0])


MODELS = {
    "linear": lambda: Linear(regularization=1).fit(SETS),
    "pruned": lambda: Linear(regularization=1, prune=4).fit(SETS),
    "features": lambda: Features(of="sets").fit(SETS),
    "max_containment": lambda: Features(of="sets", max_containment=0.6).fit(SETS),
    "cooccurrence": lambda: Cooccurrence().fit(SETS),
    "popularity": lambda: Popularity().fit(SETS),
    "autoencoder": random_autoencoder,
    "steep autoencoder": lambda: random_autoencoder(5.0),
    "ensemble": lambda: Ensemble.of([random_autoencoder(), Linear().fit(SETS)], [1, 0.3]),
    "adaptive": adaptive,
}


@pytest.mark.parametrize("name", MODELS)
def test_shares_and_kinds_add_up_to_the_score(name):
    model = MODELS[name]()
    for gene in ("MDM2", "EGFR"):
        why = explain(gene, GIVEN, model=model)
        ids = model.vocabulary.ids(GIVEN)
        score = float(model.score([ids])[0, model.vocabulary.ids([gene])[0]])
        e = why.explained
        assert e["score"] == pytest.approx(score, abs=1e-5)
        assert e["baseline"] + why.table["share"].sum() == pytest.approx(score, rel=1e-3, abs=1e-3)
        assert why.kinds["part"].sum() == pytest.approx(score, rel=1e-3, abs=1e-3)
        assert why.kinds["baseline"].sum() == pytest.approx(e["baseline"])
        by_gene = why.by_kind.group_by("symbol").agg(share=pl.col("share").sum())
        for symbol, share in by_gene.rows():
            assert why.table.row(by_predicate=pl.col("symbol") == symbol)[2] == pytest.approx(share)
        assert set(why.table["symbol"]) == set(GIVEN)


def test_a_linear_models_shares_are_its_weights():
    model = MODELS["linear"]()
    why = explain("MDM2", GIVEN, model=model)
    column = model.vocabulary.ids(["MDM2"])[0]
    expected = {g: model.matrix[model.vocabulary.ids([g])[0], column] for g in GIVEN}
    assert dict(why.table.select("symbol", "share").rows()) == pytest.approx(expected)
    assert why.explained["baseline"] == 0


def test_integrated_gradients_against_finite_differences():
    model = random_autoencoder()
    b = {name: tensor.astype(float) for name, tensor in model.block.items()}
    ids = np.sort(model.vocabulary.ids(GIVEN))
    gene = int(model.vocabulary.ids(["EGFR"])[0])

    def norm(x, name):
        x = x - x.mean()
        return x / np.sqrt((x**2).mean() + 1e-5) * b[f"{name}.weight"] + b[f"{name}.bias"]

    def after(x):
        """The score from what the first layer norm gives."""
        up = b["up.weight"] @ x + b["up.bias"]
        up = 0.5 * up * (1 + np.tanh(np.sqrt(2 / np.pi) * (up + 0.044715 * up**3)))
        y = norm(x + b["down.weight"] @ up + b["down.bias"], "norm_out")
        return float(model.output_vectors[gene] @ y + model.output_bias[gene])

    pooled = model.input_vectors[ids].astype(float)
    whole = pooled.sum(axis=0) / 2
    assert after(norm(whole, "norm_in")) == pytest.approx(float(model.score([ids])[0, gene]))
    spread = np.sqrt(((whole - whole.mean()) ** 2).mean() + 1e-5)
    steps = (pooled - pooled.mean(axis=1, keepdims=True)) / 2 / spread * b["norm_in.weight"]
    middles = (np.arange(400) + 0.5) / 400
    expected = np.zeros(4)
    for t in middles:
        at, h = t * steps.sum(axis=0) + b["norm_in.bias"], 1e-5
        slope = [(after(at + h * step) - after(at - h * step)) / (2 * h) for step in steps]
        expected += np.array(slope) / 400
    why = explain("EGFR", GIVEN, model=model)
    found = dict(why.table.select("symbol", "share").rows())
    assert [found[model.vocabulary[i]] for i in ids] == pytest.approx(expected, abs=1e-3)
    assert why.explained["baseline"] == pytest.approx(float(model.score([[]])[0, gene]), abs=1e-5)


def test_other_families_get_shapley_values():
    model = Cooccurrence().fit(SETS)
    column = int(model.vocabulary.ids(["EGFR"])[0])

    def score(genes):
        return float(model.score([list(genes)])[0, column])

    # Two genes have two orders, and both are always taken.
    pair = ["TP53", "BAX"]
    expected = {
        a: (score([a]) - score([]) + score(pair) - score([b])) / 2 for a, b in (pair, pair[::-1])
    }
    found = dict(explain("EGFR", pair, model=model).table.select("symbol", "share").rows())
    assert found == pytest.approx(expected, abs=1e-6)
    # Of four genes some orders are drawn; all of them give nearly the same.
    orders = list(itertools.permutations(GIVEN))
    exact = dict.fromkeys(GIVEN, 0.0)
    for order in orders:
        for k, gene in enumerate(order):
            exact[gene] += (score(order[: k + 1]) - score(order[:k])) / len(orders)
    found = dict(explain("EGFR", GIVEN, model=model).table.select("symbol", "share").rows())
    assert found == pytest.approx(exact, abs=0.1)
    again = explain("EGFR", GIVEN, random_state=0, model=model).table
    assert again["share"].to_list() == explain("EGFR", GIVEN, model=model).table["share"].to_list()


def test_the_papers(shipped):
    given = ["BRCA1", "RAD51", "PALB2", "ATM", "CHEK2"]
    why = explain("BRCA2", given, top=None, model=shipped)
    papers = corpus.embedded()
    members = {name: set(papers.genes(i)) for i, name in enumerate(papers.names)}
    expected = {n for n, genes in members.items() if "BRCA2" in genes and genes & set(given)}
    assert set(why.papers["paper"]) == expected
    known = len(set().union(*members.values()) & set(shipped.vocabulary)) - 1
    for row in why.papers.head(20).iter_rows(named=True):
        genes = members[row["paper"]] & set(shipped.vocabulary)
        assert set(row["overlap_genes"]) == genes & set(given)
        assert (row["genes"], row["overlap"]) == (len(genes), len(row["overlap_genes"]))
        assert row["co_membership"] == (row["overlap"] >= 2)
        p = hypergeom.sf(row["overlap"] - 1, known, len(given), row["genes"] - 1)
        assert row["p_value"] == pytest.approx(p)
        assert row["link"].endswith(row["paper"].removeprefix("PMID:"))
    assert why.papers["p_value"].is_sorted()
    assert why.has_co_membership
    for symbol, count in why.table.select("symbol", "papers").rows():
        assert count == sum(1 for genes in members.values() if {symbol, "BRCA2"} <= genes)
    assert len(explain("BRCA2", given, top=3, model=shipped).papers) == 3


def test_known_biology(shipped):
    why = explain("BRCA2", ["BRCA1", "PALB2", "RAD51", "OR1A1"], model=shipped)
    assert why.table["symbol"][-1] == "OR1A1"
    assert why.table["percent"].sum() == pytest.approx(100)
    assert why.explained["error"] <= 1e-3 * abs(why.explained["score"])
    assert "known, not new" in why.evidence()
    new = explain("OR2T8", ["RPL3", "RPS6", "RPL5"], model=shipped)
    assert not new.has_co_membership
    assert "new in this corpus" in new.evidence()
    assert why.explained["z_score"] > new.explained["z_score"]


def test_a_gene_of_the_set_is_explained_from_the_rest(small):
    inside = explain("MDM2", ["TP53", "CDKN1A", "MDM2"], model=small)
    outside = explain("MDM2", ["TP53", "CDKN1A"], model=small)
    assert inside.table.equals(outside.table)
    assert (inside.explained["in_input"], outside.explained["in_input"]) == (True, False)
    assert "leave-one-out" in inside.headline()


def test_what_cannot_be_explained(small):
    with pytest.raises(UnknownGenesError, match="nonsense is no known gene"):
        explain("nonsense", ["TP53"], model=small)
    with pytest.raises(UnknownGenesError, match="CD8B is a gene that the model does not know"):
        explain("CD8B", ["TP53"], model=small)
    with pytest.raises(UnknownGenesError, match="OCT1 is ambiguous: POU2F1 or SLC22A1"):
        explain("OCT1", ["TP53"], model=small)
    with pytest.raises(UnknownGenesError, match="no gene of the set"):
        explain("TP53", ["nonsense"], model=small)
    with pytest.raises(UnknownGenesError, match="not explained by itself"):
        explain("TP53", ["p53"], model=small)


def test_it_says_what_it_could_not_use_and_goes_to_json(small):
    why = explain("MDM2", ["p53", "nonsense", "CD8B"], model=small)
    assert (why.unmapped, why.not_in_model) == (["nonsense"], ["CD8B"])
    assert "p53 = TP53" in why.summary()
    whole = json.loads(json.dumps(why.to_dict()))
    assert list(whole) == ["provenance", "inputs", "results", "kinds", "by_kind", "papers"]
    assert whole["provenance"]["task"] == "explain"
