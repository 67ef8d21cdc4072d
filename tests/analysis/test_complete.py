"""Completion against brute force, and what becomes of every kind of input."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gsfm import GeneSets, GsfmError, UnknownGenesError, Vocabulary, genes
from gsfm.analysis import complete
from gsfm.models import Linear, Popularity

# Approved symbols in an order that is not the alphabet's, so that ties show the rule.
SYMBOLS = [
    *("TP53", "MDM2", "CDKN1A", "BAX", "BBC3", "PMAIP1", "GADD45A", "SESN1", "EGFR", "ERBB2"),
    *("ERBB3", "GRB2", "SOS1", "KRAS", "BRAF", "RAF1", "MAP2K1", "MAPK1", "MYC", "CCND1", "CDK4"),
    *("RB1", "E2F1", "PCNA", "MCM2", "MCM3", "BRCA1", "BRCA2", "RAD51", "PALB2", "ATM", "CHEK2"),
]


def _corpus() -> GeneSets:
    rng = np.random.default_rng(0)
    starts = rng.integers(0, len(SYMBOLS) - 6, 200)
    rows = [[SYMBOLS[s + i] for i in rng.choice(7, 4, replace=False)] for s in starts]
    return GeneSets.from_lists(rows, vocabulary=Vocabulary(SYMBOLS))


@pytest.fixture(scope="module")
def model() -> Linear:
    return Linear(regularization=2).fit(_corpus())


def _brute_force(model, members, *, background, exclude, include_input):
    """The ranking in plain Python: [(symbol, score, z, in_input)], best first."""
    members = sorted(set(members))
    score = dict(zip(SYMBOLS, map(float, model.score([members])[0]), strict=True))
    pool = [g for g in SYMBOLS if g in background and g not in exclude]
    missing = [g for g in pool if g not in members]
    rows = []

    def z_score(value, others):
        if not others:
            return 0.0
        mean = sum(others) / len(others)
        spread = math.sqrt(sum((x - mean) ** 2 for x in others) / len(others))
        return (value - mean) / spread if spread > 1e-7 * abs(mean) else 0.0

    for gene in missing:
        z = z_score(score[gene], [score[g] for g in missing])
        rows.append((gene, score[gene], z, False))
    if include_input and len(members) > 1:
        for gene in members:
            if gene not in pool:
                continue
            rest = [g for g in members if g != gene]
            without = dict(zip(SYMBOLS, map(float, model.score([rest])[0]), strict=True))
            z = z_score(without[gene], [without[g] for g in missing])
            rows.append((gene, without[gene], z, True))
    return rows


subsets = st.sets(st.sampled_from(SYMBOLS))


@settings(max_examples=60)
@given(
    members=st.sets(st.sampled_from(SYMBOLS), min_size=1),
    background=st.none() | st.sets(st.sampled_from(SYMBOLS), min_size=1),
    exclude=subsets,
    include_input=st.booleans(),
    top=st.none() | st.integers(1, 40),
)
def test_the_ranking_is_that_of_brute_force(
    model, members, background, exclude, include_input, top
):
    result = complete(
        members,
        background=background,
        exclude=exclude,
        include_input=include_input,
        top=top,
        model=model,
    )
    expected = _brute_force(
        model,
        members,
        background=background if background is not None else SYMBOLS,
        exclude=exclude,
        include_input=include_input,
    )
    table = result.table
    assert table.height == min(len(expected), top or len(expected))
    assert table["rank"].to_list() == list(range(1, table.height + 1))
    by_symbol = {row[0]: row for row in expected}
    for row in table.iter_rows(named=True):
        _, score, z, in_input = by_symbol[row["symbol"]]
        assert row["score"] == pytest.approx(score, abs=1e-6)
        assert row["z_score"] == pytest.approx(z, abs=1e-4)
        assert row.get("in_input", False) == in_input
    # Best first, and nothing that was left out is better than what was shown.
    key = "z_score" if include_input else "score"
    shown = table[key].to_list()
    assert shown == sorted(shown, reverse=True)
    column = 2 if include_input else 1
    left = [row[column] for row in expected if row[0] not in set(table["symbol"])]
    if left and shown:
        assert max(left) <= shown[-1] + 1e-4


def test_ranks_without_ties_are_an_argsort(model):
    members = ["TP53", "MDM2", "EGFR"]
    scores = model.score([members])[0]
    order = [SYMBOLS[i] for i in np.argsort(-scores) if SYMBOLS[i] not in members]
    assert complete(members, top=None, model=model).table["symbol"].to_list() == order
    assert complete(members, top=5, model=model).table["symbol"].to_list() == order[:5]


def test_leave_one_out_is_the_score_of_the_set_without_the_gene(model):
    members = ["TP53", "MDM2", "CDKN1A", "BAX"]
    table = complete(members, top=None, include_input=True, model=model).table
    own = {r["symbol"]: r["score"] for r in table.iter_rows(named=True) if r["in_input"]}
    assert set(own) == set(members)
    for gene in members:
        rest = [g for g in members if g != gene]
        assert own[gene] == pytest.approx(model.score([rest])[0][SYMBOLS.index(gene)])


def test_ranking_the_input_leaves_the_scores_of_the_others_alone(model):
    members = ["TP53", "MDM2", "CDKN1A", "BAX"]
    with_input = complete(members, top=None, include_input=True, model=model).table
    others = with_input.filter(~with_input["in_input"]).drop("in_input", "rank")
    assert others.equals(complete(members, top=None, model=model).table.drop("rank"))


def test_a_single_gene_is_not_scored_from_nothing(model):
    result = complete(["TP53"], top=None, include_input=True, model=model)
    assert not result.table["in_input"].any()
    assert len(result) == len(SYMBOLS) - 1


def test_ties_are_in_the_order_of_symbols_wherever_the_cut_falls():
    rows = [[gene] for gene in SYMBOLS]
    model = Popularity().fit(GeneSets.from_lists([*rows, ["TP53"]]))
    order = complete(["TP53"], top=None, model=model).table
    assert order["symbol"].to_list() == sorted(set(SYMBOLS) - {"TP53"})
    assert set(order["z_score"]) == {0.0}
    for top in (1, 7, 31):
        few = complete(["TP53"], top=top, model=model).table
        assert few["symbol"].to_list() == order["symbol"].to_list()[:top]


def test_every_identifier_is_accounted_for(model):
    given = ["p53", "ENSG00000146648.18", "tp53", "CD8B", "OCT1", "no such gene", "6714", "P04637"]
    result = complete(given, top=3, model=model)
    rows = {row["input"]: row for row in result.inputs.iter_rows(named=True)}
    assert list(rows) == given
    assert (rows["p53"]["symbol"], rows["p53"]["match"]) == ("TP53", "alias")
    assert rows["ENSG00000146648.18"]["symbol"] == "EGFR"
    assert {name for name, row in rows.items() if row["in_model"]} == {
        "p53",
        "ENSG00000146648.18",
        "tp53",
        "P04637",
    }
    query = result.provenance["input"]
    assert (query["identifiers"], query["genes"]) == (8, 2)
    assert result.unmapped == query["unmapped"] == ["no such gene"]
    assert query["ambiguous"] == ["OCT1"]
    assert result.not_in_model == ["CD8B", "6714"]
    summary = result.summary()
    for name in ("no such gene", "OCT1", "CD8B", "6714", "p53 = TP53"):
        assert name in summary
    # Three names of one gene are one gene: the answer is that of the two symbols.
    assert result.table.equals(complete(["TP53", "EGFR"], top=3, model=model).table)


def test_a_model_with_an_old_symbol_is_found_by_the_new_one():
    corpus = GeneSets.from_lists([["SEPT2", "TP53"], ["SEPT2", "MDM2"], ["TP53", "MDM2"]])
    result = complete(["SEPTIN2"], model=Linear(regularization=1).fit(corpus))
    assert result.inputs["in_model"].to_list() == [True]
    assert result.table["symbol"].to_list() == ["MDM2", "TP53"]


def test_a_symbol_of_the_models_own_is_understood():
    corpus = GeneSets.from_lists([["my-gene-1", "my-gene-2"], ["my-gene-1", "my-gene-3"]])
    result = complete(["my-gene-2", "TP53"], top=1, model=Linear(regularization=1).fit(corpus))
    assert result.table["symbol"].to_list() == ["my-gene-1"]
    assert result.inputs["match"].to_list() == ["model", "approved"]
    assert result.unmapped == []
    assert "the model's own symbols (1): my-gene-2" in result.summary()


def test_names_come_with_the_symbols(model):
    table = complete(["MDM2"], top=None, model=model).table
    names = dict(genes.table().select("symbol", "name").iter_rows())
    assert table["name"].to_list() == [names[symbol] for symbol in table["symbol"]]
    unknown = Popularity().fit(GeneSets.from_lists([["TP53", "AAAA", "ZZZZ", "MDM2x"]]))
    shown = complete(["TP53"], model=unknown).table
    assert dict(shown.select("symbol", "name").iter_rows()) == dict.fromkeys(
        ["AAAA", "MDM2x", "ZZZZ"]
    )


def test_the_background_is_all_that_is_ranked(model):
    result = complete(
        ["TP53"], background=["mdm2", "EGFR", "TP53", "nonsense", "CD8B"], top=None, model=model
    )
    assert set(result.table["symbol"]) == {"MDM2", "EGFR"}
    # Two values: one standard deviation above their mean, and one below.
    assert result.table["z_score"].to_list() == pytest.approx([1, -1])
    assert result.provenance["background"] == {
        "identifiers": 5,
        "genes": 3,
        "unused": ["nonsense", "CD8B"],
    }
    assert "nonsense, CD8B" in result.summary()


def test_exclude_leaves_out_genes_by_any_name(model):
    all_of_them = complete(["TP53"], top=None, model=model).table["symbol"].to_list()
    result = complete(["TP53"], top=None, exclude=["HGNC:6973", "her2", "nonsense"], model=model)
    assert result.table["symbol"].to_list() == [
        s for s in all_of_them if s not in ("MDM2", "ERBB2")
    ]
    assert result.provenance["exclude"] == {"identifiers": 3, "unused": ["nonsense"]}


def test_an_empty_ranking_is_a_table_without_rows(model):
    result = complete(["TP53"], exclude=SYMBOLS, model=model)
    assert len(result) == 0
    assert result.table.columns == ["rank", "symbol", "name", "score", "z_score"]


def test_a_set_larger_than_512_genes_is_whole(model):
    many = [f"unknown-{i}" for i in range(600)]
    result = complete([*many, "TP53"], model=model)
    assert result.provenance["input"]["identifiers"] == 601
    assert len(result.unmapped) == 600
    assert "unmapped (600)" in result.summary()
    assert all(gene in result.summary(limit=600) for gene in many)


@pytest.mark.parametrize("given", [["nonsense", "CD8B"], []])
def test_nothing_known_is_an_error_that_names_them(model, given):
    with pytest.raises(UnknownGenesError) as error:
        complete(given, model=model)
    assert all(gene in str(error.value) for gene in given)
    with pytest.raises(UnknownGenesError, match="background"):
        complete(["TP53"], background=given, model=model)


def test_wrong_calls(model):
    with pytest.raises(TypeError):
        complete("TP53", model=model)
    with pytest.raises(ValueError, match="top"):
        complete(["TP53"], top=0, model=model)
    with pytest.raises(ValueError, match="species"):
        complete(["TP53"], species="fly", model=model)
    with pytest.raises(ValueError, match="batch_size"):
        complete(GeneSets.from_lists([["TP53"]]), batch_size=0, model=model)


def test_scores_that_are_not_numbers_are_an_error(model):
    broken = Popularity().fit(_corpus())
    broken.values[3] = np.nan
    with pytest.raises(GsfmError, match="finite"):
        complete(["TP53"], model=broken)


def test_provenance_names_the_model_and_goes_through_json(model):
    result = complete(["TP53", "nonsense"], include_input=True, model=model)
    again = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert list(again) == ["provenance", "inputs", "results"]
    assert again["provenance"] == result.provenance
    assert again["provenance"]["model"]["family"] == "linear"
    assert set(again["provenance"]["columns"]) == {"rank", "score", "z_score", "in_input"}
    assert again["results"][0]["rank"] == 1
    other = Linear(regularization=3).fit(_corpus())
    hashes = {
        complete(["TP53"], model=m).provenance["model"]["manifest_sha256"]
        for m in (model, model, other)
    }
    assert len(hashes) == 2


@settings(max_examples=25)
@given(
    sets=st.lists(subsets, min_size=1, max_size=6),
    include_input=st.booleans(),
    batch_size=st.integers(1, 4),
    top=st.none() | st.integers(1, 9),
)
def test_many_sets_are_each_completed_as_one(model, sets, include_input, batch_size, top):
    library = GeneSets.from_lists({f"set {i}": sorted(s) for i, s in enumerate(sets)})
    options = {"include_input": include_input, "top": top, "exclude": ["MYC"]}
    if not any(sets):
        with pytest.raises(UnknownGenesError, match="library"):
            complete(library, **options, model=model)
        return
    result = complete(library, **options, batch_size=batch_size, model=model)
    for i, members in enumerate(sets):
        part = result.table.filter(result.table["set"] == f"set {i}").drop("set")
        if not members:
            assert part.height == 0
            assert f"set {i}" in result.empty
            continue
        alone = complete(members, **options, model=model).table
        assert part["symbol"].to_list() == alone["symbol"].to_list()
        assert part["rank"].to_list() == alone["rank"].to_list()
        np.testing.assert_allclose(part["score"], alone["score"], atol=1e-6)
        np.testing.assert_allclose(part["z_score"], alone["z_score"], atol=1e-4)


def test_a_library_of_any_identifiers(model):
    library = GeneSets.from_lists({"a": ["p53", "TP53", "HGNC:6973"], "b": ["nonsense", "CD8B"]})
    result = complete(library, top=2, model=model)
    assert result.table["set"].to_list() == ["a", "a"]
    assert result.sets.rows() == [("a", 3, 2), ("b", 2, 0)]
    assert result.empty == ["b"]
    assert result.unmapped == ["nonsense"]
    assert result.provenance["input"]["sets"] == 2
    assert list(result.to_dict()) == ["provenance", "inputs", "sets", "results"]
    assert "sets without a known gene (1): b" in result.summary()


# -- probabilities ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def calibrated() -> Linear:
    rng = np.random.default_rng(1)
    starts = rng.integers(0, len(SYMBOLS) - 6, 80)
    halved = [[SYMBOLS[s + i] for i in rng.permutation(7)[:6]] for s in starts]
    model = Linear(regularization=2).fit(_corpus())
    return model.calibrate([one[:3] for one in halved], [one[3:] for one in halved])


def test_a_calibrated_model_tells_probabilities(calibrated, model):
    members = ["TP53", "MDM2", "BAX", "EGFR"]
    plain = complete(members, top=None, model=model)
    result = complete(members, top=None, model=calibrated)
    assert "probability" not in plain.table.columns
    assert "probability" not in plain.provenance["columns"]
    assert "calibration" not in plain.provenance
    assert result.table.columns == [*plain.table.columns, "probability"]
    assert result.table.drop("probability").equals(plain.table)
    whole = calibrated.probability([members])[0]
    ids = calibrated.vocabulary.ids(result.table["symbol"])
    np.testing.assert_array_equal(result.table["probability"].to_numpy(), whole[ids])
    # Ranking and probability agree.
    assert (np.diff(result.table["probability"].to_numpy()) <= 0).all()
    meaning = result.provenance["columns"]["probability"]
    assert "if the input genes are a random half of the whole set" in meaning
    assert result.provenance["calibration"]["fitted"]["sets"] == 80
    assert result.provenance["calibration"]["measured"] is None
    json.dumps(result.to_dict(), allow_nan=False)


def test_probabilities_of_input_genes_are_leave_one_out(calibrated):
    members = ["TP53", "MDM2", "BAX", "EGFR"]
    result = complete(members, top=None, include_input=True, model=calibrated)
    probabilities = dict(result.table.select("symbol", "probability").iter_rows())
    for gene in members:
        rest = [other for other in members if other != gene]
        wanted = calibrated.probability([rest])[0, calibrated.vocabulary.ids([gene])[0]]
        assert probabilities[gene] == pytest.approx(float(wanted), abs=1e-6)
    outside = complete(members, top=None, model=calibrated).table
    for symbol, probability in outside.select("symbol", "probability").iter_rows():
        assert probabilities[symbol] == probability
    assert "probability" in result.provenance["columns"]["in_input"]


def test_neither_background_nor_context_changes_a_probability(calibrated):
    members = ["TP53", "MDM2", "BAX"]
    alone = dict(
        complete(members, top=None, model=calibrated).table.select("symbol", "probability").rows()
    )
    few = complete(members, background=["CDKN1A", "ERBB2", "BAX"], model=calibrated)
    assert set(few.table["symbol"]) == {"CDKN1A", "ERBB2"}
    library = GeneSets.from_lists({"a": members, "b": ["EGFR", "ERBB2"]})
    many = complete(library, top=None, model=calibrated)
    for table in (few.table, many.table.filter(set="a")):
        for symbol, probability in table.select("symbol", "probability").iter_rows():
            assert probability == pytest.approx(alone[symbol], abs=1e-6)


def test_the_share_that_is_missing(calibrated, model):
    members = ["TP53", "MDM2", "BAX", "EGFR"]
    plain = complete(members, top=None, include_input=True, model=calibrated)
    few = complete(members, top=None, include_input=True, missing_fraction=0.1, model=calibrated)
    assert few.table.drop("probability").equals(plain.table.drop("probability"))
    assert (few.table["probability"] < plain.table["probability"]).all()
    probabilities = dict(few.table.select("symbol", "probability").iter_rows())
    whole = calibrated.probability([members], missing_fraction=0.1)[0]
    rest = calibrated.probability([members[1:]], missing_fraction=0.1)[0]
    for symbol, wanted in (("CDKN1A", whole), ("TP53", rest)):
        assert probabilities[symbol] == pytest.approx(
            wanted[calibrated.vocabulary.ids([symbol])[0]]
        )
    assert (plain.provenance["missing_fraction"], few.provenance["missing_fraction"]) == (0.5, 0.1)
    meaning = few.provenance["columns"]["probability"]
    assert "if the input genes are a random 90% of the whole set" in meaning
    assert "if 11.1% more were" in meaning
    assert "if as many again were" in plain.provenance["columns"]["probability"]
    half = complete(members, top=None, include_input=True, missing_fraction=0.5, model=calibrated)
    assert half.table.equals(plain.table)
    assert half.provenance == plain.provenance
    many = complete(
        GeneSets.from_lists({"a": members}), missing_fraction=0.1, top=None, model=calibrated
    )
    outside = complete(members, top=None, missing_fraction=0.1, model=calibrated)
    assert many.table.drop("set").equals(outside.table)
    assert many.provenance["missing_fraction"] == 0.1
    for one in (calibrated, model):
        for share in (0, 1, 2):
            with pytest.raises(ValueError, match="fraction of the whole set"):
                complete(members, missing_fraction=share, model=one)
