"""What stands for a list of genes: no verb reads letters of a string or keys of a mapping."""

from __future__ import annotations

import copy
import pickle

import pandas as pd
import polars as pl
import pytest

import gsfm
from gsfm import FormatError, MissingExtraError
from gsfm.models import FAMILIES, Popularity

VERBS = {
    "complete": lambda genes: gsfm.complete(genes, top=3),
    "enrich": lambda genes: gsfm.enrich(genes, "families", method="ora"),
    "nearest": lambda genes: gsfm.nearest(genes),
    "network": lambda genes: gsfm.network(genes),
    "explain": lambda genes: gsfm.explain("TP53", genes),
    "exclude": lambda genes: gsfm.complete(["TP53"], exclude=genes),
    "seeds": lambda genes: gsfm.prioritize(["TP53", "MDM2"], seeds=genes),
}


@pytest.mark.parametrize("verb", VERBS)
def test_one_string_is_an_error_that_names_the_list(verb):
    with pytest.raises(TypeError, match=r"must be a list of identifiers: use \['MDM4'\]"):
        VERBS[verb]("MDM4")


def test_the_path_of_a_file_names_the_reader(tmp_path):
    path = tmp_path / "genes.txt"
    path.write_text("TP53\n")
    with pytest.raises(TypeError, match=r"use gsfm\.genes\.read\("):
        gsfm.complete(str(path))


@pytest.mark.parametrize("verb", sorted(set(VERBS) - {"enrich"}))
def test_a_mapping_is_no_list(verb):
    with pytest.raises(TypeError, match="not a mapping"):
        VERBS[verb]({"MDM2": 1.0, "MDM4": 2.0})


def test_a_series_of_pandas():
    symbols, values = ["EGFR", "GRB2", "TP53", "MDM2"], [3.0, 2.0, -1.0, -2.0]
    settings = {"top_genes": 2, "draws": 20, "min_size": 3, "background": "all"}
    series = pd.Series(values, index=symbols)
    expected = gsfm.enrich(dict(zip(symbols, values, strict=True)), "families", **settings)
    assert gsfm.enrich(series, "families", **settings).table.equals(expected.table)
    names = gsfm.complete(symbols, top=5).table
    assert gsfm.complete(pd.Series(symbols), top=5).table.equals(names)
    assert gsfm.complete(pl.Series(symbols), top=5).table.equals(names)
    with pytest.raises(TypeError, match="use the index of the Series"):
        gsfm.complete(series)


def test_a_context_is_for_one_gene_and_may_be_long():
    with pytest.raises(ValueError, match="leave out other"):
        gsfm.relate("TP53", "MDM2", context=["BRCA1", "ATM"])
    genes = ["BRCA1", "BRCA2", "ATM", "ATR", "CHEK1"]
    long = gsfm.relate("TP53", context=",".join(genes * 20), top=3)
    assert long.table.equals(gsfm.relate("TP53", context=genes, top=3).table)


@pytest.mark.parametrize(
    "error", [FormatError("file", "wrong", line=3), MissingExtraError("a", "b")]
)
def test_errors_can_be_sent_to_another_process(error):
    for twin in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):
        assert (type(twin), str(twin), vars(twin)) == (type(error), str(error), vars(error))


def test_a_model_can_be_pickled():
    for family in FAMILIES.values():
        if family.family not in ("ensemble", "adaptive"):
            assert pickle.loads(pickle.dumps(family())).get_params() == family().get_params()
    model = Popularity().fit([["A", "B"], ["B"]])
    twin = pickle.loads(pickle.dumps(model))
    assert (twin.score([["A"]]) == model.score([["A"]])).all()
