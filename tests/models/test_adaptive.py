"""Adaptive: which evidence counts is read off the set."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from gsfm import GeneSets
from gsfm.models import (
    Adaptive,
    Annotation,
    Attribute,
    Autoencoder,
    Cooccurrence,
    Features,
    Linear,
    Model,
    Popularity,
    load,
)
from gsfm.models.adaptive import _logistic
from gsfm.models.evidence import FOLDS, contained_terms, left_out, rows_of, standardize

RNG = np.random.default_rng(0)


def two_worlds() -> tuple[GeneSets, GeneSets]:
    """Two corpora that group the same 60 genes in different ways: by tens, and by remainders."""
    genes = [f"G{i:02}" for i in range(60)]

    def corpus(groups: list[list[str]]) -> GeneSets:
        sets = [RNG.choice(g, 6, replace=False).tolist() for g in groups * 40]
        return GeneSets.from_lists(sets)

    return corpus([genes[i : i + 10] for i in range(0, 60, 10)]), corpus(
        [genes[i::6] for i in range(6)]
    )


@pytest.fixture(scope="module")
def model() -> Adaptive:
    tens, remainders = two_worlds()
    return Adaptive.of([Linear().fit(tens), Linear().fit(remainders)], weights=[0.5, 0.5])


def test_each_set_finds_its_own_evidence(model):
    tens, remainders = [f"G{i:02}" for i in range(7)], [f"G{i:02}" for i in range(0, 42, 6)]
    weights = model.weigh([tens, remainders])
    assert weights[0, 0] > 0.6 > 0.5 > weights[0, 1]
    assert weights[1, 1] > 0.6 > 0.5 > weights[1, 0]
    best = [
        {model.vocabulary[int(i)] for i in np.argsort(-row)[:10]}
        for row in model.score([tens, remainders])
    ]
    assert best[0] == {f"G{i:02}" for i in range(10)}
    assert best[1] == {f"G{i:02}" for i in range(0, 60, 6)}


def test_confidence_keeps_the_assumed_weights(model):
    genes = [["G00", "G01", "G02"]]
    sure = Adaptive.of(model.members, weights=[0.5, 0.5], prior_precision=1e9)
    np.testing.assert_allclose(sure.weigh(genes), [[0.5, 0.5]], atol=1e-6)
    # And then the order is that of the fixed sum.
    total = sum(0.5 * m.evidence(m.encode(genes))[0] for m in model.members)
    assert (np.argsort(sure.score(genes)) == np.argsort(total)).mean() > 0.95


def test_a_set_without_genes_has_the_assumed_weights(model):
    np.testing.assert_array_equal(model.weigh([[], ["no such gene"]]), [[0.5, 0.5]] * 2)
    assert model.weigh([]).shape == (0, 2)


def test_logistic_regression_is_that_of_scikit_learn():
    """With the classes' weights as given, and the prior's mean moved to 0 by an offset of none."""
    inside, outside = RNG.normal(0.7, 1, (40, 3)), RNG.normal(0, 1, (500, 3))
    weights, base = _logistic(inside, outside, np.zeros(3), np.full(3, 4.0))
    peer = LogisticRegression(C=1 / 4.0, tol=1e-10, max_iter=1000).fit(
        np.vstack([inside, outside]),
        np.repeat([1, 0], [40, 500]),
        sample_weight=np.repeat([1.0, 40 / 500], [40, 500]),
    )
    np.testing.assert_allclose(weights, peer.coef_[0], atol=2e-3)
    assert base == pytest.approx(peer.intercept_[0], abs=5e-3)


def test_logistic_regression_of_classes_far_apart():
    """No overflow, and no end to the weights but the prior."""
    inside, outside = np.full((5, 2), 1e4), np.full((50, 2), -1e4)
    weights, base = _logistic(inside, outside, np.array([1.0, 0.0]), np.full(2, 10.0))
    assert np.isfinite(weights).all()
    assert np.isfinite(base)
    nothing = np.zeros((4, 2))
    weights, base = _logistic(nothing, nothing, np.array([1.0, -2.0]), np.full(2, 10.0))
    np.testing.assert_allclose(weights, [1, -2], atol=1e-9)
    assert base == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("family", ["linear", "cooccurrence", "features", "popularity"])
def test_evidence_of_a_member_is_that_without_it(family):
    """For the families that leave a gene out of its own score, against leaving it out in fact."""
    tens, _ = two_worlds()
    kinds = {"linear": Linear, "cooccurrence": Cooccurrence}
    model = {**kinds, "features": Features, "popularity": Popularity}[family]().fit(tens)
    members = model.encode([["G00", "G01", "G25", "G31"]])
    for place, gene in enumerate(members.indices):
        rest = members.copy()
        rest = sp.csr_array(
            (np.delete(rest.data, place), np.delete(rest.indices, place), [0, 3]), rest.shape
        )
        expected = model._score(rest)[0, gene]
        np.testing.assert_allclose(model._score(members)[0, gene], expected, 1e-5, 1e-6)


@given(st.lists(st.integers(0, 40), min_size=0, max_size=12))
def test_each_member_is_left_out_once(sizes):
    rng = np.random.default_rng(len(sizes))
    rows = [np.sort(rng.choice(64, n, replace=False)) for n in sizes]
    indptr = np.cumsum([0, *sizes])
    indices = np.concatenate([np.empty(0, int), *rows]).astype(int)
    members = sp.csr_array((np.ones(len(indices), np.float32), indices, indptr), (len(sizes), 64))
    rest, at = left_out(members)
    owner = rows_of(members)
    assert (at % max(len(sizes), 1) == owner).all()
    of_rest = rest.toarray()
    for place, (row, gene) in enumerate(zip(at, indices, strict=True)):
        whole = members.toarray()[owner[place]]
        missing = np.flatnonzero(whole - of_rest[row])
        if whole.sum() == 1:
            assert len(missing) == 0
        else:
            # It is missing, and no more with it than its share of the set.
            assert gene in missing
            assert len(missing) <= np.ceil(whole.sum() / FOLDS)
            assert of_rest[row].sum() == whole.sum() - len(missing) > 0


def test_the_autoencoder_s_short_cut_is_exact():
    """Its mean and spread come from moments of the output vectors; `Model` scores every gene."""
    pytest.importorskip("torch")
    tens, _ = two_worlds()
    model = Autoencoder(dimensions=8, hidden=8, epochs=3, batch_size=32).fit(tens)
    members = model.encode([["G00"], [], [f"G{i:02}" for i in range(23)], ["G00", "G07", "G11"]])
    plain = Model._score_and_evidence(model, members)
    for mine, theirs in zip(model._score_and_evidence(members), plain, strict=True):
        np.testing.assert_allclose(mine, theirs, 1e-3, 1e-4)


def test_standardize_is_over_the_genes_not_in_the_set():
    scores = np.array([[1.0, 2, 3, 100], [5, 5, 5, 9]], np.float32)
    members = sp.csr_array(np.array([[0, 0, 0, 1], [0, 0, 0, 1]], np.float32))
    spread = np.sqrt(2 / 3)
    expected = [[-1 / spread, 0, 1 / spread, 98 / spread], [0, 0, 0, 0]]
    np.testing.assert_allclose(standardize(scores, members), expected, 1e-6)


def test_attribute_of_known_genes():
    corpus = GeneSets.from_lists([["DMD", "TP53", "MIR21", "no such gene"]])
    model = Attribute(of="length").fit(corpus)
    by_gene = dict(zip(model.vocabulary.symbols, model.values, strict=True))
    assert by_gene["DMD"] > by_gene["TP53"] > by_gene["MIR21"]
    assert by_gene["no such gene"] == 0
    known = [v for gene, v in by_gene.items() if gene != "no such gene"]
    assert np.mean(known) == pytest.approx(0, abs=1e-6)
    assert np.std(known) == pytest.approx(1, abs=1e-6)
    coding = Attribute(of="coding").fit(corpus)
    by_gene = dict(zip(coding.vocabulary.symbols, coding.values, strict=True))
    assert by_gene["DMD"] == by_gene["TP53"] > 0 > by_gene["MIR21"]


def test_attribute_of_autosomes():
    corpus = GeneSets.from_lists([["DMD", "SRY", "TP53", "MT-CO1", "BRCA1", "no such gene"]])
    model = Attribute(of="autosomal").fit(corpus)
    by_gene = dict(zip(model.vocabulary.symbols, model.values, strict=True))
    # Two of the five are on autosomes: the mean is 0.4, the spread its square root of 0.24.
    assert by_gene["TP53"] == by_gene["BRCA1"] == pytest.approx(0.6 / 0.24**0.5)
    for elsewhere in ("DMD", "SRY", "MT-CO1"):
        assert by_gene[elsewhere] == pytest.approx(-0.4 / 0.24**0.5)
    assert by_gene["no such gene"] == 0


def test_features_against_cosines_by_hand():
    """Genes A (f1, f2), B (f1), C (f2, f3), D (f3): features of two genes of four each."""
    corpus = GeneSets.from_lists([["A", "B"], ["A", "C"], ["C", "D"]])
    score = Features().fit(corpus).score([["A"], ["A", "D"]])
    root = np.sqrt(0.5)
    np.testing.assert_allclose(score[0], [0, root, 0.5, 0], atol=1e-3)
    # A is compared with D alone, and D with A alone; B and C with both.
    np.testing.assert_allclose(score[1], [0, root / 2, (0.5 + root) / 2, 0], atol=1e-3)
    # A feature of too many genes is left out.
    few = GeneSets.from_lists([["A", "B"], ["A", "B", "C"]], vocabulary=corpus.vocabulary)
    assert Features(largest=2).fit(few).score([["A"]])[0, 2] == 0


# -- with a library -------------------------------------------------------------------------------


def random_library(random_state: int) -> GeneSets:
    rng = np.random.default_rng(random_state)
    genes = [f"G{i:02}" for i in range(30)]
    sizes = rng.integers(2, 14, 25)
    return GeneSets.from_lists([rng.choice(genes, n, replace=False).tolist() for n in sizes])


def test_covered_by_hand():
    terms = GeneSets.from_lists([list("ABCD"), list("AB"), list("ABCDEFGH"), list("XY")])
    model = Annotation().fit(terms)
    queries = model.encode([list("ABCD"), list("ABX"), [], list("ABCDEF")])

    def of(share: float) -> list[list[int]]:
        return contained_terms(queries, model._by_term, share).toarray().astype(int).tolist()

    assert of(1.0) == [[1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0], [1, 1, 0, 0]]
    assert of(0.75) == [[1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0], [1, 1, 1, 0]]
    assert of(0.5) == [[1, 1, 1, 0], [1, 1, 0, 1], [0, 0, 0, 0], [1, 1, 1, 0]]
    # Eleven of twenty are 0.55 of them, whatever floating point makes of the product.
    twenty = [f"G{i}" for i in range(20)]
    model = Annotation().fit(GeneSets.from_lists([twenty]))
    assert contained_terms(model.encode([twenty[:11]]), model._by_term, 0.55).sum() == 1
    assert contained_terms(model.encode([twenty[:10]]), model._by_term, 0.55).sum() == 0


def test_annotation_by_hand():
    library = GeneSets.from_lists([list("ABC"), list("BC"), list("CDE"), list("EX")])
    weights = [1, 2, 0.5, 1]
    model = Annotation(pseudocount=0.5).fit(library, weights=weights)
    found = np.exp(model.score([["X"], list("ABC"), list("BCDE")])) - 0.5
    expected = [[1, 3, 3.5, 0.5, 1.5, 1], [0, 0, 0.5, 0.5, 1.5, 1], [1, 1, 1, 0, 1, 1]]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_features_without_the_term_itself_by_hand():
    """Without the set {A, B}, B has nothing, and A and C are as like as two features make them."""
    library = GeneSets.from_lists([["A", "B"], ["A", "C"], ["A", "C", "D"], ["D", "E"]])
    model = Features(max_containment=1).fit(library)
    score = model.score([["A", "B"]])[0]
    pair, three = np.log(5 / 2), np.log(5 / 3)
    of_a = np.hypot(pair, three)  # A and C have the same two features left
    np.testing.assert_allclose(score[[1, 2]], [0, 0.5], atol=1e-3)
    np.testing.assert_allclose(score[3], three**2 / (of_a * np.hypot(pair, three)) / 2, atol=1e-3)
    assert score[0] == pytest.approx(0, abs=1e-6)  # A is compared with B alone
    whole = Features().fit(library).score([["A", "B"]])[0]
    assert whole[0] == pytest.approx(whole[1])
    assert whole[1] > 0.5


@pytest.mark.parametrize("make", [Features, Annotation])
@pytest.mark.parametrize("random_state", range(3))
def test_a_term_is_no_evidence_of_itself(make, random_state):
    """As if it had been removed from the library before the fit, with what is inside of it."""
    library = random_library(random_state)
    model = make(max_containment=1.0).fit(library)
    queries = [library.genes(i) for i in range(len(library))]
    found = model.evidence(model.encode(queries))
    sizes, start = np.array([len(genes) for genes in queries]), 0
    for i, genes in enumerate(queries):
        rest = [k for k in range(len(library)) if not set(library.genes(k)) <= set(genes)]
        without = make(max_containment=1.0).fit(library[np.array(rest)])
        expected = without.evidence(without.encode([genes]))
        np.testing.assert_allclose(found[0][i], expected[0][0], rtol=5e-3, atol=5e-3)
        members = found[1][start : start + sizes[i]]
        np.testing.assert_allclose(members, expected[1], rtol=5e-3, atol=5e-3)
        start += sizes[i]


def test_covered_features_of_sets_far_from_all_are_as_before():
    library = random_library(5)
    queries = [["G00", "G07"], ["G11"], []]
    plain, wary = (Features(max_containment=share).fit(library) for share in (None, 1.0))
    inside = contained_terms(wary.encode(queries), wary._by_feature, 1.0)
    assert inside.nnz == 0
    np.testing.assert_allclose(wary.score(queries), plain.score(queries), 1e-6, 1e-7)


def test_a_model_with_a_library(model, tmp_path):
    """Genes that no corpus has together, but the library has; and one that only it has."""
    own = model.weigh([["G00", "G01"]])
    library = GeneSets.from_lists(
        {"a": ["G00", "G15", "G31"], "b": ["G15", "G31", "G47"], "c": ["G47", "NEW", "G31"]}
        | {f"other {i}": [f"G{i}", f"G{i + 1}"] for i in range(50, 58)}
    )
    both = model.with_library(library, weights=(1.0, 0.0), prior_precision=1e6)
    assert both.vocabulary.symbols == (*model.vocabulary.symbols, "NEW")
    assert both.config.prior_precision == (10, 10, 1e6, 1e6)
    assert both.config.weights == (0.5, 0.5, 1, 0)
    assert [member.family for member in both.members[2:]] == ["features", "annotation"]
    # The model itself is what it was.
    np.testing.assert_array_equal(model.weigh([["G00", "G01"]]), own)
    queries = ["G15", "G31"]
    ranks = {}
    for name, one in (("model", model), ("both", both)):
        scores = one.score([queries])[0]
        above = scores[one.vocabulary.ids(["G00", "G47"])]
        ranks[name] = (scores[:, None] > above).sum(axis=0)
    assert (ranks["both"] < ranks["model"]).all()
    scores = both.score([queries])[0]
    assert scores[both.vocabulary.ids(["NEW"])] > np.median(scores)
    np.testing.assert_allclose(both.weigh([queries])[0, 2:], [1, 0], atol=1e-3)
    both.save(tmp_path / "both")
    np.testing.assert_array_equal(load(tmp_path / "both").score([queries]), both.score([queries]))
    again = both.with_library(random_library(1))
    assert len(again.members) == 6
    assert again.config.prior_precision[:4] == both.config.prior_precision
    assert both.complete(queries, top=3, background=None).table.height == 3


def test_a_fitted_model_with_a_library_tells_its_settings():
    tens, _ = two_worlds()
    settings = {"weights": [1], "members": [{"family": "popularity"}]}
    model = Adaptive(**settings).fit(tens).with_library(random_library(0))
    assert model.manifest["corpus"]["genes"] == 60
    assert model.manifest["config"]["weights"] == model.config.weights == (1, 0.5, -0.3)
    assert [one["family"] for one in model.manifest["members"]] == [
        "popularity",
        "features",
        "annotation",
    ]
    with pytest.raises(ValueError, match="the corpus has no set with a gene"):
        model.with_library(GeneSets.from_lists([[]]))
    with pytest.raises(ValueError, match="max_containment must be above 0"):
        model.with_library(random_library(0), max_containment=0)


def test_confidence_is_one_number_or_one_a_member():
    settings = {"weights": [1, 1], "members": [{"family": "linear"}, {"family": "popularity"}]}
    assert Adaptive(**settings, prior_precision=3).config.precisions == (3, 3)
    assert Adaptive(**settings, prior_precision=[3, 4]).config.precisions == (3, 4)
    with pytest.raises(ValueError, match="one a member, 2, not 3"):
        Adaptive(**settings, prior_precision=(1, 2, 3))
    with pytest.raises(ValueError, match="prior_precision must be above 0, not -1"):
        Adaptive(**settings, prior_precision=(1, -1))
