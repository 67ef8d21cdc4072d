"""Annotation: the fast form against brute force, leave-one-out, and known biology."""

from __future__ import annotations

import json
import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

import gsfm
from gsfm import GeneSets, GsfmError, UnknownGenesError, libraries
from gsfm.analysis import annotate
from gsfm.analysis.annotation import NONE, SIZE_WEIGHT
from gsfm.analysis.term_scores import MISSING
from gsfm.models import (
    Adaptive,
    Cooccurrence,
    Ensemble,
    Features,
    Linear,
    Model,
    Popularity,
)
from gsfm.models.evidence import shuffled
from gsfm.models.term_matrix import without

SYMBOLS = [
    *("TP53", "MDM2", "CDKN1A", "BAX", "BBC3", "PMAIP1", "GADD45A", "SESN1", "EGFR", "ERBB2"),
    *("ERBB3", "GRB2", "SOS1", "KRAS", "BRAF", "RAF1", "MAP2K1", "MAPK1", "MYC", "CCND1", "CDK4"),
    *("RB1", "E2F1", "PCNA", "MCM2", "MCM3", "BRCA1", "BRCA2", "RAD51", "PALB2", "ATM", "CHEK2"),
]
ISGS = ["ISG15", "IFIT1", "MX1", "OAS1", "IFIT3", "STAT1", "IFI44L", "RSAD2", "USP18", "IRF7"]


def _sets(n: int, size: int, random_state: int) -> list[list[str]]:
    """Sets of near neighbors in the list of symbols."""
    rng = np.random.default_rng(random_state)
    starts = rng.integers(0, len(SYMBOLS) - size - 2, n)
    return [[SYMBOLS[s + i] for i in rng.choice(size + 3, size, replace=False)] for s in starts]


@pytest.fixture(scope="module")
def model() -> Adaptive:
    corpus = GeneSets.from_lists(_sets(200, 4, 0))
    members: list[Model] = [
        Linear(regularization=2).fit(corpus),
        Linear(regularization=2, prune=5).fit(corpus),
        Features(of="sets").fit(corpus),
        Popularity().fit(corpus),
    ]
    made = Adaptive.of(members, weights=[0.5, 0.3, 0.4, 0.1])
    halves = _sets(60, 6, 1)
    return made.calibrate([one[:3] for one in halves], [one[3:] for one in halves])


@pytest.fixture(scope="module")
def library() -> GeneSets:
    rows = {f"term {i}": one for i, one in enumerate(_sets(40, 5, 2))}
    return GeneSets.from_lists({**rows, "alone": ["TP53"], "strange": ["NOT A GENE"]})


@pytest.fixture(scope="module")
def shipped() -> Model:
    return gsfm.load()


@pytest.fixture(scope="module")
def some_terms() -> GeneSets:
    """A few terms of GO of all sizes."""
    go = libraries.load("go-bp")
    rows = np.random.default_rng(0).choice(len(go), 70, replace=False)
    return go[np.sort(rows)]


# -- the fast form ---------------------------------------------------------------------------------


def _check(model: Model, terms: GeneSets, genes: list[int]) -> None:
    """Hold the fast form of a model against the evidence that it makes of all genes.

    That is in single precision, and the fast form is not.
    """
    members = model.encode(terms)
    fast = model.term_matrix(members)
    of_genes, of_members = model.evidence(members)
    dense = members.toarray() > 0
    own = dict(zip(zip(*members.nonzero(), strict=True), of_members, strict=True))
    for gene in genes:
        new, known = ~dense[:, gene], np.flatnonzero(dense[:, gene])
        np.testing.assert_allclose(
            fast.evidence(gene)[new], of_genes[new, gene], rtol=2e-4, atol=1e-4
        )
        if not len(known):
            continue
        if model.leaves_itself_out:
            want = [own[t, gene] for t in known]
        else:
            want = model.evidence(without(members, known, gene))[0][:, gene]
        np.testing.assert_allclose(fast.leave_one_out(known, gene), want, rtol=2e-4, atol=1e-4)


def _genes_of(model: Model, terms: GeneSets, n: int) -> list[int]:
    """Some genes of the terms, those in most of them, and some that may be in none."""
    count = np.bincount(model.encode(terms).indices, minlength=len(model.vocabulary))
    rng = np.random.default_rng(1)
    some = rng.choice(np.flatnonzero(count), min(n, (count > 0).sum()), replace=False)
    return [*np.argsort(-count)[:3].tolist(), *some.tolist(), *rng.choice(len(count), 3).tolist()]


def test_every_member_of_the_shipped_model_has_its_evidence(shipped, some_terms):
    assert shipped.has_fast_term_matrix
    for member in shipped.members:
        _check(member, some_terms, _genes_of(member, some_terms, 8))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Cooccurrence(),
        lambda: Popularity(),
        lambda: Linear(regularization=2),
        lambda: Linear(regularization=2, prune=4),
        lambda: Features(of="sets"),
        lambda: Features(of="sets", max_containment=0.8),
        lambda: Features(of="words"),
    ],
)
def test_every_family_answers_as_by_brute_force(make, library):
    model = make().fit(GeneSets.from_lists(_sets(200, 4, 0)))
    _check(model, library[:40], list(range(len(model.vocabulary))))


def test_common_and_rare_features_together(monkeypatch, library):
    monkeypatch.setattr("gsfm.models.features.COMMON", 12)
    model = Features(of="sets").fit(GeneSets.from_lists([*_sets(80, 3, 0), *_sets(20, 14, 3)]))
    assert {True, False} == set((model._sizes() >= 12).tolist())
    _check(model, library[:40], list(range(len(model.vocabulary))))


def test_an_ensemble_is_the_weighted_sum_whatever_its_members_know(library):
    corpus = GeneSets.from_lists(_sets(200, 4, 0))
    few = GeneSets.from_lists([[g for g in one if g < "M"] or ["ATM"] for one in _sets(99, 4, 5)])
    members = [Linear(regularization=2).fit(few), Features().fit(corpus), Popularity().fit(few)]
    model = Ensemble.of(members, weights=[0.7, 0.2, 0.0])
    terms = model.encode(library[:40])
    fast = model.term_matrix(terms)
    dense = terms.toarray() > 0
    for gene in range(len(model.vocabulary)):
        total = np.zeros(40)
        for weight, member in zip(model.config.weights, members, strict=True):
            symbol = model.vocabulary[gene]
            if symbol in member.vocabulary:
                evidence = member.evidence(member.encode(library[:40]))[0]
                total += weight * evidence[:, member.vocabulary.ids([symbol])[0]]
        new = ~dense[:, gene]
        np.testing.assert_allclose(fast.evidence(gene)[new], total[new], atol=1e-4)


def test_a_model_without_a_fast_form_answers_too(model, library):
    wider = model.with_library(library[:40])
    assert not wider.has_fast_term_matrix
    events = []
    result = annotate("BAX", library, progress=lambda *event: events.append(event), model=wider)
    assert len(result) == 5
    assert any(done == total for _, done, total in events)


# -- a gene ----------------------------------------------------------------------------------------


def test_the_numbers_are_the_whole_models(model, library):
    result = annotate("BAX", library, top=None, model=model)
    assert set(result.table["annotated"]) == {True, False}
    vocabulary = model.vocabulary
    gene = vocabulary.ids(["BAX"])[0]
    for row in result:
        term = set(library.genes(library.names.index(row["term"])))
        assert row["annotated"] == ("BAX" in term)
        assert row["size"] == len(term)
        rest = sorted(term - {"BAX"})
        scores = model.score([rest])[0]
        missing = scores[[g not in rest for g in vocabulary]].astype(float)
        assert row["score"] == pytest.approx(scores[gene], abs=1e-4)
        assert row["z_score"] == pytest.approx(
            (scores[gene] - missing.mean()) / missing.std(), 1e-3
        )
        assert row["gene_rank"] == 1 + (missing > scores[gene]).sum()
        expected = model.probability([rest], missing_fraction=MISSING)[0, gene]
        assert row["probability"] == pytest.approx(expected, abs=1e-4)
        if len(term) < 2:
            assert row["split_half_auroc"] is None


def test_split_half_auroc_is_the_auroc_of_one_half_by_the_other(model, library):
    number = shuffled(len(model.vocabulary))
    for row in annotate("TP53", library, top=None, model=model):
        ids = model.vocabulary.ids(library.genes(library.names.index(row["term"])))
        ids = sorted(ids.tolist(), key=lambda g: number[g])
        found = []
        for shown, hidden in ((ids[::2], ids[1::2]), (ids[1::2], ids[::2])):
            scores = np.delete(model.score([np.array(shown)])[0], shown)
            is_hidden = np.delete(np.isin(np.arange(len(model.vocabulary)), hidden), shown)
            found += [roc_auc_score(is_hidden, scores)] * len(hidden)
        assert row["split_half_auroc"] == pytest.approx(np.mean(found), abs=1e-6)


@given(st.integers(0, len(SYMBOLS) - 1), st.integers(0, 39))
@settings(max_examples=15)
def test_a_known_member_is_never_scored_on_itself(model, library, gene, term):
    """A term says the same of a gene whether it holds it or not."""
    symbol = SYMBOLS[gene]
    if symbol not in model.vocabulary:
        return
    rest = [g for g in library.genes(term) if g != symbol]
    rows = []
    for genes in (rest, [*rest, symbol]):
        terms = GeneSets.from_lists({"it": genes, "other": ["EGFR", "MYC", "ATM"]})
        row = annotate(symbol, terms, model=model).table.row(
            by_predicate=pl.col("term") == "it", named=True
        )
        rows.append(row)
    assert [row["annotated"] for row in rows] == [False, True]
    for name in ("score", "z_score", "probability"):
        assert rows[0][name] == pytest.approx(rows[1][name], abs=1e-5)
    assert rows[0]["gene_rank"] == rows[1]["gene_rank"]


def test_support_and_z_score_across_terms_by_hand(model, library):
    table = annotate("BAX", library, top=None, fast=True, model=model).table
    assert "score" not in table.columns
    others = table["size"].to_numpy() - table["annotated"].to_numpy()
    evidence = table["support"].to_numpy() - SIZE_WEIGHT * np.log(others)
    expected = (evidence - evidence.mean()) / evidence.std()
    np.testing.assert_allclose(table["z_score_across_terms"].to_numpy(), expected, atol=1e-9)
    members = model.encode(library[:40])
    parts = zip(model.config.weights, model.members, strict=True)
    brute = sum(weight * member.evidence(members)[0] for weight, member in parts)
    gene = model.vocabulary.ids(["BAX"])[0]
    for row, value in zip(table.iter_rows(named=True), evidence, strict=True):
        term = library.names.index(row["term"])
        if not row["annotated"] and term < 40:
            assert value == pytest.approx(brute[term, gene], abs=1e-4)


def test_the_order_and_what_is_shown(model, library):
    whole = annotate("BAX", library, top=None, model=model).table
    assert whole["rank"].to_list() == list(range(1, whole.height + 1))
    assert whole["support"].is_sorted(descending=True)
    assert annotate("BAX", library, top=4, model=model).table.equals(whole.head(4))
    for which in ("annotated", "new"):
        part = annotate("BAX", library, top=None, which=which, model=model).table
        assert part.equals(whole.filter(pl.col("annotated") == (which == "annotated")))
        assert 0 < part.height < whole.height


def test_what_says_nothing_is_left_out(model, library):
    names = annotate("TP53", library, top=None, fast=True, model=model).table["term"]
    assert "alone" not in names  # of TP53 but for itself nothing is in it
    assert "strange" not in names
    assert "alone" in annotate("BAX", library, top=None, fast=True, model=model).table["term"]


def test_every_library_has_its_ranks(model, library, tmp_path):
    path = tmp_path / "mine.gmt"
    path.write_text("a\tna\tTP53\tBAX\nb\tna\tEGFR\tERBB2\n")
    table = annotate("p53", [library, path], top=2, model=model).table
    assert table["library"].to_list() == ["library", "library", "mine", "mine"]
    assert table["rank"].to_list() == [1, 2, 1, 2]


def test_a_model_that_is_not_calibrated_has_no_probability(library):
    model = Linear(regularization=2).fit(GeneSets.from_lists(_sets(200, 4, 0)))
    result = annotate("TP53", library, model=model)
    assert "probability" not in result.table.columns
    assert list(result.provenance["columns"]) == result.table.columns


def test_a_model_that_is_fitted_anew_is_asked_anew(library):
    model = Linear(regularization=2).fit(GeneSets.from_lists(_sets(200, 4, 0)))
    before = annotate("TP53", library, fast=True, model=model).table
    model.fit(GeneSets.from_lists(_sets(200, 4, 9)))
    assert not annotate("TP53", library, fast=True, model=model).table.equals(before)


def test_the_share_of_a_term_that_is_missing(model, library):
    usual = annotate("BAX", library, top=None, model=model)
    assert usual.provenance["missing_fraction"] == MISSING == 0.2
    assert "are a random 80% of the whole set" in usual.provenance["columns"]["probability"]
    assert usual.provenance["columns"]["probability"].endswith("the input genes are the term's")
    half = annotate("BAX", library, top=None, missing_fraction=0.5, model=model)
    assert half.provenance["missing_fraction"] == 0.5
    assert "are a random half of the whole set" in half.provenance["columns"]["probability"]
    assert half.table.drop("probability").equals(usual.table.drop("probability"))
    assert (half.table["probability"] > usual.table["probability"]).all()
    gene = model.vocabulary.ids(["BAX"])[0]
    for row in half:
        rest = [g for g in library.genes(library.names.index(row["term"])) if g != "BAX"]
        expected = model.probability([rest])[0, gene]
        assert row["probability"] == pytest.approx(expected, abs=1e-4)
    for genes in ("BAX", ["BAX", "TP53"]):
        with pytest.raises(ValueError, match="fraction of the whole set"):
            annotate(genes, library, missing_fraction=1, model=model)


# -- a set -----------------------------------------------------------------------------------------


def test_a_set_by_hand(model, library):
    genes = ["TP53", "BAX", "CDKN1A"]
    table = annotate(genes, library, top=None, model=model).table
    assert table["evidence"].is_sorted(descending=True)
    members = model.encode([genes])
    of_genes, of_members = model.evidence(members)
    values = dict(zip(model.vocabulary, map(float, of_genes[0]), strict=True))
    values |= {
        model.vocabulary[g]: float(e) for g, e in zip(members.indices, of_members, strict=True)
    }
    mean = sum(values.values()) / len(values)
    spread = math.sqrt(sum((v - mean) ** 2 for v in values.values()) / len(values))
    standard = {gene: (value - mean) / spread for gene, value in values.items()}
    for row in table.iter_rows(named=True):
        term = library.genes(library.names.index(row["term"]))
        own = [standard[g] for g in term]
        new = [standard[g] for g in term if g not in genes]
        n, big = len(own), len(values)
        assert row["evidence"] == pytest.approx(sum(own) / (n + NONE), abs=1e-6)
        z = sum(own) / n * math.sqrt(n * (big - 1) / (big - n))
        assert row["z_score"] == pytest.approx(z, abs=1e-5)
        assert row["overlap_genes"] == sorted(set(term) & set(genes))
        assert row["overlap"] == len(row["overlap_genes"])
        if new:
            assert row["evidence_new"] == pytest.approx(sum(new) / (len(new) + NONE), abs=1e-6)
        else:
            assert row["evidence_new"] is None


def test_only_terms_with_or_without_the_set(model, library):
    genes = ["TP53", "BAX"]
    assert (annotate(genes, library, which="annotated", model=model).table["overlap"] > 0).all()
    assert (annotate(genes, library, which="new", model=model).table["overlap"] == 0).all()


def test_a_set_of_one_gene_is_no_evidence_of_itself(model):
    terms = GeneSets.from_lists({"with": ["TP53", "BAX"], "without": ["BAX"]})
    table = annotate(["TP53"], terms, model=model).table.sort("term")
    # The gene itself counts as one that says nothing: not for the term that holds it.
    with_it, without_it = table["evidence"].to_list()
    assert with_it < without_it


# -- input, errors, provenance ---------------------------------------------------------------------


def test_what_was_understood_is_reported(model, library):
    result = annotate(["p53", "BAX", "no such gene", "CD8B"], library, model=model)
    assert result.unmapped == ["no such gene"]
    assert result.provenance["input"]["not_in_model"] == ["CD8B"]
    assert result.provenance["input"]["genes"] == 2
    for message in ("p53 = TP53", "no such gene", "not in the model (1): CD8B"):
        assert message in result.summary()
    about = result.provenance["libraries"][0]
    assert (about["terms"], about["terms_used"]) == (42, 41)
    whole = json.loads(json.dumps(result.to_dict()))
    assert list(whole) == ["provenance", "inputs", "results"]
    assert whole["provenance"]["columns"].keys() == set(result.table.columns)
    assert "2 input genes" in repr(result)


def test_errors_say_what_to_do(model, library):
    for nothing in ("no such gene", ["no such gene"], []):
        with pytest.raises(UnknownGenesError):
            annotate(nothing, library, model=model)
    strange = GeneSets.from_lists({"a": ["not a gene"]})
    with pytest.raises(GsfmError, match=r"no term of library has a gene .*gsfm sets convert"):
        annotate("TP53", strange, model=model)
    with pytest.raises(GsfmError, match=r"no library 'go-pb'.*go-bp"):
        annotate("TP53", "go-pb", model=model)
    with pytest.raises(GsfmError, match="no library is given"):
        annotate("TP53", [], model=model)
    with pytest.raises(ValueError, match="top must be 1 or more"):
        annotate("TP53", library, top=0, model=model)
    with pytest.raises(ValueError, match="all, annotated or new"):
        annotate("TP53", library, which="old", model=model)


def test_what_is_kept_is_found_again_and_damage_is_mended(model, tmp_path, monkeypatch):
    monkeypatch.setenv("GSFM_HOME", str(tmp_path))
    monkeypatch.setattr("gsfm.analysis.cache.LEAST", 0)

    def ask() -> pl.DataFrame:
        # A collection that this process has not seen.
        terms = GeneSets.from_lists({f"term {i}": one for i, one in enumerate(_sets(9, 5, 2))})
        return annotate("BAX", terms, fast=True, model=model).table

    first = ask()
    [file] = (tmp_path / "cache" / "terms").iterdir()
    written = file.stat().st_size
    assert ask().equals(first)
    file.write_bytes(b"damaged")
    assert ask().equals(first)
    assert file.stat().st_size == written
    # Without a cache, and for few terms, nothing is written.
    file.unlink()
    annotate("BAX", {"a": ["TP53", "MDM2"]}, fast=True, cache=False, model=model)
    monkeypatch.undo()
    monkeypatch.setenv("GSFM_HOME", str(tmp_path))
    annotate("BAX", {"a": ["TP53", "BAX"]}, fast=True, model=model)
    assert not list(file.parent.iterdir())


def test_a_folder_that_cannot_be_written_to_is_no_error(model, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GSFM_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("gsfm.analysis.cache.LEAST", 0)
    terms = GeneSets.from_lists({"a": ["TP53", "MDM2"]})
    assert len(annotate("BAX", terms, cache=True, model=model)) == 1


# -- known biology ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("genes", "library", "expected"),
    [
        (ISGS, "go-bp", "response to type I interferon"),
        (ISGS, "reactome", "Interferon alpha/beta signaling"),
        (["RPL3", "RPL5", "RPS6", "RPS19", "RPL11"], "go-bp", "cytoplasmic translation"),
        (["BRCA1", "BRCA2", "PALB2", "RAD51"], "reactome", "Impaired BRCA2 binding to PALB2"),
        (["BRCA1", "BRCA2", "PALB2", "RAD51"], "go-bp", "mitotic recombination"),
    ],
)
def test_what_sets_of_one_function_point_at(shipped, genes, library, expected):
    assert expected in annotate(genes, library, top=10, model=shipped).table["term"].to_list()


@pytest.mark.parametrize(
    ("gene", "expected"),
    [
        ("IFIT1", "Interferon alpha/beta signaling"),
        ("PALB2", "Homology Directed Repair"),
        ("RPL5", "Eukaryotic Translation Elongation"),
    ],
)
def test_a_genes_terms_without_the_gene(shipped, gene, expected):
    reactome = libraries.load("reactome")
    sizes = {name: len(reactome.genes(i)) for i, name in enumerate(reactome.names)}
    terms = reactome[np.array([i for i, n in enumerate(reactome.names) if sizes[n] < 160][::3])]
    if expected not in terms.names:
        more = reactome[np.array([reactome.names.index(expected)])]
        terms = gsfm.sets.concat([terms, more])
    table = annotate(gene, terms, fast=True, top=20, model=shipped).table
    row = table.row(by_predicate=pl.col("term") == expected, named=True)
    assert row["annotated"]
    assert row["z_score_across_terms"] > 2
