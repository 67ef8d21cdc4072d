"""The genes of a term: the same numbers as completion and annotation have, by another way."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import gsfm
from gsfm import GeneSets, GsfmError, UnknownTermError
from gsfm.analysis import annotate, complete, term
from gsfm.analysis.term_scores import MISSING
from gsfm.models import Adaptive, Features, Linear, Model

SYMBOLS = [
    *("TP53", "MDM2", "CDKN1A", "BAX", "BBC3", "PMAIP1", "GADD45A", "SESN1", "EGFR", "ERBB2"),
    *("ERBB3", "GRB2", "SOS1", "KRAS", "BRAF", "RAF1", "MAP2K1", "MAPK1", "MYC", "CCND1", "CDK4"),
]


def _sets(n: int, size: int, random_state: int) -> list[list[str]]:
    rng = np.random.default_rng(random_state)
    starts = rng.integers(0, len(SYMBOLS) - size - 2, n)
    return [[SYMBOLS[s + i] for i in rng.choice(size + 3, size, replace=False)] for s in starts]


@pytest.fixture(scope="module")
def model() -> Adaptive:
    corpus = GeneSets.from_lists(_sets(200, 4, 0))
    members: list[Model] = [Linear(regularization=2).fit(corpus), Features().fit(corpus)]
    halves = _sets(60, 6, 1)
    made = Adaptive.of(members, weights=[0.5, 0.3])
    return made.calibrate([one[:3] for one in halves], [one[3:] for one in halves])


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("libraries") / "mine.gmt"
    file.write_text(
        "cell death\tna\tTP53\tBAX\tBBC3\tPMAIP1\tCD8B\n"
        "cell growth\tna\tEGFR\tERBB2\tGRB2\tKRAS\n"
        "alone\tna\tTP53\n"
        "unknown to it\tna\tCD8A\tCD8B\n"
    )
    return file


def test_the_numbers_are_those_of_a_completion(model, path):
    genes = ["TP53", "BAX", "BBC3", "PMAIP1"]
    table = term("cell death", path, top=None, model=model).table
    expected = complete(
        genes, top=None, include_input=True, missing_fraction=MISSING, model=model
    ).table
    both = table.join(expected, on="symbol", suffix="_expected")
    assert both.height == table.height == expected.height == len(model.vocabulary)
    assert (both["annotated"] == both["in_input"]).all()
    for name in ("score", "probability"):
        np.testing.assert_allclose(both[name], both[f"{name}_expected"], atol=1e-5)
    new = both.filter(~pl.col("annotated"))
    np.testing.assert_allclose(new["z_score"], new["z_score_expected"], atol=1e-4)
    assert (new["gene_rank"] == np.arange(new.height) + 1).all()
    assert (new["name"] == new["name_expected"]).all()


def test_the_numbers_are_those_of_an_annotation(model, path):
    """The score of a gene for a term is the same in `term` and in `annotate`."""
    table = term("cell death", path, top=None, model=model).table
    for symbol in ("TP53", "PMAIP1", "MDM2", "KRAS"):
        row = table.row(by_predicate=pl.col("symbol") == symbol, named=True)
        other = annotate(symbol, path, top=None, model=model).table
        other_row = other.row(by_predicate=pl.col("term") == "cell death", named=True)
        for name in ("score", "z_score", "probability"):
            assert row[name] == pytest.approx(other_row[name], abs=1e-5)
        assert (row["annotated"], row["gene_rank"]) == (
            other_row["annotated"],
            other_row["gene_rank"],
        )


def test_the_share_of_the_term_that_is_missing(model, path):
    usual = term("cell death", path, top=None, model=model)
    assert usual.provenance["missing_fraction"] == MISSING
    assert "are a random 80% of the whole set" in usual.provenance["columns"]["probability"]
    half = term("cell death", path, top=None, missing_fraction=0.5, model=model)
    assert half.provenance["missing_fraction"] == 0.5
    assert "are a random half of the whole set" in half.provenance["columns"]["probability"]
    assert half.table.drop("probability").equals(usual.table.drop("probability"))
    assert (half.table["probability"] > usual.table["probability"]).all()
    genes = ["TP53", "BAX", "BBC3", "PMAIP1"]
    expected = complete(genes, top=None, model=model).table.select("symbol", wanted="probability")
    both = half.table.join(expected, on="symbol")
    assert both.height == expected.height
    np.testing.assert_allclose(both["probability"], both["wanted"], atol=1e-6)
    for share in (0, 1, -1):
        with pytest.raises(ValueError, match="fraction of the whole set"):
            term("cell death", path, missing_fraction=share, model=model)


def test_the_order_and_what_is_shown(model, path):
    whole = term("cell growth", path, top=None, model=model).table
    assert whole["rank"].to_list() == list(range(1, whole.height + 1))
    assert term("cell growth", path, top=6, model=model).table.equals(whole.head(6))
    for which in ("annotated", "new"):
        part = term("cell growth", path, top=None, which=which, model=model).table
        assert part.equals(whole.filter(pl.col("annotated") == (which == "annotated")))
    new = whole.filter(~pl.col("annotated"))
    assert new["z_score"].is_sorted(descending=True)
    assert set(whole.filter("annotated")["symbol"]) == {"EGFR", "ERBB2", "GRB2", "KRAS"}


def test_a_term_of_one_gene_says_nothing_of_it(model, path):
    result = term("alone", path, top=None, model=model)
    assert "TP53" not in result.table["symbol"]
    assert not result.table["annotated"].any()
    assert result.provenance["term"]["split_half_auroc"] is None
    assert "too few genes" in result.summary()


def test_provenance_and_summary(model, path):
    result = term("CELL death", path, model=model)
    about = result.provenance["term"]
    assert (about["name"], about["genes"], about["genes_in_model"]) == ("cell death", 5, 4)
    assert about["not_in_model"] == ["CD8B"]
    assert "4 of 5 genes in the model" in result.summary()
    assert "not in the model (1): CD8B" in result.summary()
    other = annotate("EGFR", path, top=None, model=model).table
    row = other.row(by_predicate=pl.col("term") == "cell death", named=True)
    assert about["split_half_auroc"] == pytest.approx(row["split_half_auroc"])
    json.dumps(result.to_dict())
    assert list(result.provenance["columns"]) == result.table.columns
    assert "cell death" in repr(result)


def test_errors_say_what_to_do(model, path):
    with pytest.raises(UnknownTermError, match="cell death"):
        term("cell deaht", path, model=model)
    with pytest.raises(UnknownTermError, match="2 terms are 'cell'"):
        term("cell", path, model=model)
    with pytest.raises(GsfmError, match="knows no gene of 'unknown to it'"):
        term("unknown to it", path, model=model)
    with pytest.raises(ValueError, match="top must be 1 or more"):
        term("cell death", path, top=0, model=model)
    with pytest.raises(ValueError, match="all, annotated or new"):
        term("cell death", path, which="old", model=model)


def test_progress_is_told(model, path):
    events = []
    term("cell death", path, progress=lambda *event: events.append(event), model=model)
    assert events[-1] == ("scoring genes", 4, 4)


def test_as_many_genes_are_expected_as_are_missing():
    """Of a large, well-known term too, where no rank is certain that a half would make so."""
    model = gsfm.load()
    for share in (0.1, 0.2):
        result = term(
            "DNA repair", "go-bp", top=None, which="new", missing_fraction=share, model=model
        )
        probability = dict(result.table.select("gene_rank", "probability").iter_rows())
        given = result.provenance["term"]["genes_in_model"]
        assert sum(probability.values()) == pytest.approx(given * share / (1 - share), rel=0.15)
        assert probability[1] > 0.9
        assert probability[400] < 0.05
    half = term(
        "DNA repair", "go-bp", top=None, which="new", missing_fraction=0.5, model=model
    ).table
    assert half.filter(gene_rank=400)["probability"].item() > 0.9


def test_known_biology():
    model = gsfm.load()
    text = "type I interferon-mediated signaling pathway"
    new = term(text, "go-bp", top=20, which="new", model=model).table
    assert "IRF9" in new["symbol"].to_list()
    # The term's own genes come first, though none was scored by itself.
    known = term(text, "go-bp", top=6, model=model).table
    assert known["annotated"].all()
    assert known["gene_rank"].max() <= 5
