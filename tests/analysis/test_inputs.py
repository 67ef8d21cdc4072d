"""What stands for a list of genes: no verb reads letters of a string or keys of a mapping."""

from __future__ import annotations

import copy
import io
import json
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.stats import hypergeom

import gsfm
from gsfm import FormatError, GeneSets, GsfmError, MissingExtraError
from gsfm.models import FAMILIES, Linear, Popularity

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
    with pytest.raises(
        TypeError, match=r"must be a list of identifiers, or a file: use \['MDM4'\]"
    ):
        VERBS[verb]("MDM4")


GENES = ["EGFR", "GRB2", "TP53", "MDM2", "CDKN1A"]
#: The forms in which the genes of a set can be given.
FORMS = {
    "tuple": tuple(GENES),
    "iterator": lambda: iter(GENES),
    "array": np.array(GENES),
    "objects": np.array(GENES, object),
    "series": pd.Series(GENES, index=list("abcde")),
    "index": pd.Index(GENES),
    "categories": pd.Series(GENES, dtype="category"),
    "polars": pl.Series(GENES),
    "frame": pd.DataFrame({"n": range(5), "symbol": GENES}),
    "frame of an index": pd.DataFrame({"logFC": [2.0, 1, 0.5, -1, -3]}, index=GENES),
    "polars frame": pl.DataFrame({"padj": [0.1, 0.2, 0.3, 0.4, 0.5], "gene": GENES}),
    "one set": GeneSets.from_lists({"mine": GENES})[0],
    "one set of a collection": GeneSets.from_lists({"mine": GENES}),
    "read": gsfm.genes.read(io.BytesIO("\n".join(GENES).encode())),
}


#: The same with missing values, or as Entrez ids.
FORMS |= {
    "set": set(GENES),
    "keys": dict.fromkeys(GENES).keys(),
    "generator": lambda: (gene for gene in GENES),
    "missing": [*GENES, None, float("nan")],
    "array with nan": np.array([*GENES, np.nan], object),
    "strings": pd.Series([*GENES, None], dtype="string"),
    "categories with missing ones": pd.Series([*GENES, None], dtype="category"),
    "index of categories": pd.CategoricalIndex(GENES),
    "frame of strings": pd.DataFrame({"gene": pd.Series(GENES, dtype="string"), "n": range(5)}),
    "frame of categories": pd.DataFrame({"gene": pd.Categorical(GENES), "n": range(5)}),
    "polars categories": pl.Series([*GENES, None], dtype=pl.Categorical),
    "polars enum": pl.Series(GENES, dtype=pl.Enum(GENES)),
    "polars frame of an enum": pl.DataFrame({"gene": pl.Series(GENES, dtype=pl.Enum(GENES))}),
    "vocabulary": gsfm.Vocabulary(GENES),
    "entrez": pd.Series([1956, 2885, 7157, 4193, 1026, None], dtype="Int64"),
    "entrez of floats": [1956.0, 2885.0, 7157.0, 4193.0, 1026.0, float("nan")],
}
WORLDS = {"arrest": [*GENES[2:], "BAX", "BBC3"], "growth": [*GENES[:2], "SOS1", "KRAS"]}
SMALL = Linear(regularization=1.0, dimensions=2).fit(GeneSets.from_lists([*WORLDS.values()] * 5))
#: Every place for genes.
PLACES = {
    "complete": lambda genes: gsfm.complete(genes, top=3, model=SMALL),
    "annotate": lambda genes: gsfm.annotate(genes, WORLDS, model=SMALL),
    "enrich": lambda genes: gsfm.enrich(genes, WORLDS, method="ora", min_size=1),
    "embed": lambda genes: gsfm.embed(genes, model=SMALL),
    "explain": lambda genes: gsfm.explain("BAX", genes, model=SMALL),
    "nearest": lambda genes: gsfm.nearest(genes, WORLDS, model=SMALL),
    "network": lambda genes: gsfm.network(genes, model=SMALL),
    "targets": lambda genes: gsfm.discover.targets(genes, model=SMALL),
    "seeds": lambda genes: gsfm.prioritize(["BAX"], seeds=genes, why=False, model=SMALL),
    "candidates": lambda genes: gsfm.prioritize(genes, seeds=["BAX", "BBC3"], model=SMALL),
    "context": lambda genes: gsfm.relate("BAX", context=genes, model=SMALL),
    "background": lambda genes: gsfm.complete(["BAX"], background=genes, model=SMALL),
    "exclude": lambda genes: gsfm.complete(["BAX"], exclude=genes, model=SMALL),
    "background of enrich": lambda genes: gsfm.analysis.ora(
        GENES[:2], WORLDS, background=genes, min_size=1
    ),
}


@pytest.mark.parametrize("place", PLACES)
def test_every_form_of_a_list_is_read(place):
    expected = PLACES[place](GENES).table.sort(pl.all())
    for name, form in FORMS.items():
        if name == "one set of a collection" and place in ("complete", "embed"):
            continue  # a collection is a library there
        found = PLACES[place](form() if callable(form) else form).table.sort(pl.all())
        assert found.equals(expected), name
    for result in (gsfm.complete(GENES, top=3, model=SMALL), gsfm.genes.resolve(GENES)):
        with pytest.raises(TypeError, match="use a column of its table"):
            PLACES[place](result)


@pytest.mark.parametrize("method", ["model", "prerank"])
def test_every_form_of_a_ranked_list_is_read(method):
    ranked = dict(zip(GENES, [3.0, 2.0, -0.5, -1.0, -2.0], strict=True))
    symbols, values = list(ranked), list(ranked.values())
    rows = list(ranked.items())
    own = {"model": SMALL, "top_genes": 2, "background": "all"}
    settings = {"min_size": 1, **(own if method == "model" else {"permutations": 5})}
    expected = gsfm.enrich(ranked, WORLDS, method=method, **settings).table
    for form in (
        *(rows, iter(rows), tuple(rows), [list(row) for row in rows], np.array(rows, object)),
        np.array(rows, dtype=[("gene", "U9"), ("statistic", float)]),
        *(pd.Series(ranked), pd.Series(ranked, dtype=object), pd.Series(ranked, dtype="Float64")),
        pd.Series(values, index=pd.Index(symbols, dtype="string")),
        pd.Series(values, index=pd.CategoricalIndex(symbols)),
        pd.DataFrame({"gene": pd.Categorical(symbols), "stat": values}),
        pl.DataFrame({"gene": pl.Series(symbols, dtype=pl.Categorical), "stat": values}),
        {gene: str(value) for gene, value in rows},
    ):
        assert gsfm.enrich(form, WORLDS, method=method, **settings).table.equals(expected)
    with pytest.raises(GsfmError, match="the statistic of EGFR is no number: True"):
        gsfm.enrich(dict.fromkeys(GENES, True), WORLDS, method=method, **settings)


#: Every place for a library.
LIBRARIES = {
    "annotate": lambda library: gsfm.annotate("BAX", library, model=SMALL),
    "enrich": lambda library: gsfm.analysis.ora(GENES, library, min_size=1),
    "term": lambda library: gsfm.term("growth", library, model=SMALL),
    "nearest": lambda library: gsfm.nearest(GENES, library, model=SMALL),
    "relate": lambda library: gsfm.relate("TP53", "EGFR", libraries=library, model=SMALL),
    "understudied": lambda library: gsfm.discover.understudied(
        library, min_size=1, max_papers=10**6, model=SMALL
    ),
    "prioritize": lambda library: gsfm.prioritize(
        ["TP53", "EGFR"], terms="growth", library=library, model=SMALL
    ),
}


@pytest.mark.parametrize("place", LIBRARIES)
def test_every_form_of_a_library_is_read(place, tmp_path):
    net = pd.DataFrame([(a, b) for a in WORLDS for b in WORLDS[a]], columns=["source", "target"])
    path = tmp_path / "gene sets.gmt"
    lines = ["\t".join([name, "", *genes]) for name, genes in WORLDS.items()]
    path.write_text("\n".join(lines))
    names = ["library", "id", "link", "description"]
    expected = LIBRARIES[place](WORLDS).table.drop(names, strict=False)
    for form in (
        *({name: set(genes) for name, genes in WORLDS.items()}, {**WORLDS, "none": [None]}),
        {name: np.array([*genes, np.nan], object) for name, genes in WORLDS.items()},
        {name: pd.Series([*genes, None], dtype="string") for name, genes in WORLDS.items()},
        *(net, net.astype("category"), net.astype("string"), net.assign(weight=1.0)),
        *(pl.DataFrame(net.to_dict("list")), GeneSets.from_lists(WORLDS), path, str(path)),
    ):
        found = LIBRARIES[place](form).table.drop(names, strict=False)
        assert found.equals(expected)
    for wrong, message in (({}, "the library has no sets"), ({"a": None}, "a set is a list of")):
        with pytest.raises((GsfmError, TypeError), match=message):
            LIBRARIES[place](wrong)
    with pytest.raises(TypeError, match="a library is a name, a file"):
        LIBRARIES[place](gsfm.complete(GENES, top=3, model=SMALL))


def test_names_of_sets_may_be_numbers():
    clusters = {0: ["TP53", "BAX"], 1: ["EGFR", "GRB2"]}
    assert gsfm.analysis.ora(GENES, clusters, min_size=1).table["term"].to_list() == ["1", "0"]
    assert gsfm.embed(clusters, model=SMALL).table["set"].to_list() == ["0", "1"]


@pytest.mark.parametrize("verb", VERBS)
def test_a_file_is_read_and_what_was_read_is_in_the_provenance(verb, tmp_path):
    path = tmp_path / "genes.csv"
    pd.DataFrame({"padj": [0.1, 0.2, None, 0.4, 0.5], "gene": GENES}).to_csv(path)
    found, expected = VERBS[verb](path), VERBS[verb](GENES)
    assert found.table.equals(expected.table)
    where = found.provenance["exclude" if verb == "exclude" else "input"]["read"]
    assert [(one["file"], one["gene_column"]) for one in where] == [(str(path), "'gene'")]
    assert json.loads(json.dumps(found.to_dict()))["provenance"]
    assert VERBS[verb](str(path)).table.equals(expected.table)


def test_a_text_that_is_a_file_and_a_gene_or_a_term_is_an_error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("TP53", "DNA repair"):
        (tmp_path / name).write_text("BRCA1\nATM\nATR\nCHEK1\n")
    for call in (gsfm.complete, gsfm.annotate, gsfm.prioritize):
        with pytest.raises(GsfmError, match=r"both a file .* and a gene .* './TP53' .*HGNC:11998"):
            call("TP53")
    for call in (gsfm.discover.targets, lambda text: gsfm.relate("TP53", context=text)):
        with pytest.raises(GsfmError, match=r"both a file of this folder and a term \(go-bp:DNA"):
            call("DNA repair")
    assert gsfm.relate("TP53", context="./DNA repair").provenance["context"]["genes"] == 4
    assert gsfm.annotate("./TP53", "families").provenance["input"]["genes"] == 4


def test_backgrounds_of_every_form(tmp_path):
    background = [*GENES, "BRCA1", "BAX", "MYC"]
    path = tmp_path / "background.txt"
    path.write_text("\n".join(background))
    for verb in (
        lambda those: gsfm.complete(GENES, background=those),
        lambda those: gsfm.enrich(GENES, "reactome", method="ora", background=those, min_size=2),
        lambda those: gsfm.discover.targets(GENES, background=those),
    ):
        expected = verb(background)
        for form in (path, str(path), pd.Index(background), pl.DataFrame({"gene": background})):
            assert verb(form).table.equals(expected.table)
    found = gsfm.complete(GENES, background=path)
    assert found.provenance["background"]["read"][0]["file"] == str(path)


def test_a_number_of_genes_is_a_background_of_ora():
    found = gsfm.enrich(GENES, "reactome", method="ora", background=20000, top=1)
    row = next(iter(found))
    p = hypergeom.sf(row["overlap"] - 1, 20000, row["size"], 5)
    assert row["p_value"] == pytest.approx(p, rel=1e-9)
    assert found.provenance["background"]["genes"] == 20000
    with pytest.raises(GsfmError, match="a background of 1,000 genes is too small"):
        gsfm.enrich(GENES, "reactome", method="ora", background=1000)
    with pytest.raises(ValueError, match="belongs to method 'ora' or 'combined'"):
        gsfm.enrich(GENES, "reactome", method="model", background=20000)


def test_rankings_and_libraries_that_were_read(tmp_path):
    table = pd.DataFrame({"gene": GENES, "pvalue": 0.01, "logFC": [3.0, 2.0, -0.5, -1.0, -2.0]})
    path = tmp_path / "ranked.csv"
    table.to_csv(path, index=False)
    settings = {"top_genes": 2, "min_size": 2, "background": "all", "model": SMALL}
    expected = gsfm.enrich(table, WORLDS, **settings).table
    read = gsfm.genes.read(path, ranked=True)
    assert gsfm.enrich(read, [WORLDS], **settings).table.equals(expected)
    assert gsfm.complete(WORLDS, top=3, model=SMALL).sets["set"].to_list() == list(WORLDS)


@pytest.mark.parametrize("verb", sorted(set(VERBS) - {"enrich", "complete"}))
def test_a_mapping_is_no_list(verb):
    with pytest.raises(TypeError, match="not a mapping"):
        VERBS[verb]({"MDM2": 1.0, "MDM4": 2.0})


def test_a_series_of_pandas():
    symbols, values = ["EGFR", "GRB2", "TP53", "MDM2"], [3.0, 2.0, -1.0, -2.0]
    settings = {"top_genes": 2, "min_size": 3, "background": "all"}
    series = pd.Series(values, index=symbols)
    expected = gsfm.enrich(dict(zip(symbols, values, strict=True)), "families", **settings)
    assert gsfm.enrich(series, "families", **settings).table.equals(expected.table)
    names = gsfm.complete(symbols, top=5).table
    assert gsfm.complete(pd.Series(symbols), top=5).table.equals(names)
    assert gsfm.complete(pl.Series(symbols), top=5).table.equals(names)
    with pytest.raises(TypeError, match="use the index of the Series"):
        gsfm.complete(series)


@pytest.mark.parametrize(
    ("genes", "message"),
    [
        (None, "the genes must be a list of identifiers, or a file, not NoneType"),
        (7157, "not int"),
        (b"TP53", r"use \[b'TP53'\]"),
        (np.array("TP53"), r"use \[array\('TP53'"),
        (["TP53", ["MDM2"]], "a text or a number, not a list: give one flat list"),
        ([("TP53", 1.5), ("MDM2", 2.0)], "not a tuple"),
        (np.array([["TP53", "MDM2"]]), "not a ndarray"),
        (pl.Series([["TP53"]]), "not a Series"),
        ([0.5, 2.0], "must be identifiers, not numbers"),
        (pd.Series([1, 2], index=pd.CategoricalIndex(GENES[:2])), "use the index of the Series"),
        (gsfm.genes.resolve(GENES), "not Resolution: use a column of its table"),
    ],
)
def test_what_is_no_list_of_identifiers_is_an_error(genes, message):
    with pytest.raises(TypeError, match=message):
        gsfm.complete(genes)


def test_the_name_of_a_column_is_no_gene():
    for frame in (
        pd.DataFrame({"T": GENES}),
        pl.DataFrame({"T": GENES}),
        pl.DataFrame({"": GENES}),
    ):
        assert gsfm.complete(frame, top=1).inputs["input"].to_list() == GENES
    with pytest.raises(FormatError, match="no column has identifiers"):
        gsfm.complete(pd.DataFrame({"x": [1.0, 2.0]}))


@pytest.mark.parametrize("method", ["model", "prerank"])
@pytest.mark.parametrize(
    ("ranked", "message"),
    [
        (pd.Series([0.1, 0.2], index=["TP53", "MDM2"], name="padj"), "name .padj., a p-value"),
        (pd.Series([1.5, 2.0, -3.0]), "the index of the ranked Series counts its rows"),
        (pd.Series([1.5, 2.0, -3.0], index=[2, 0, 1]), "counts its rows"),
        ([("TP53", "x"), ("MDM2", 1.0)], "the statistic of TP53 is no number: 'x'"),
    ],
)
def test_what_is_no_ranked_list_is_an_error(method, ranked, message):
    with pytest.raises(GsfmError, match=message):
        gsfm.enrich(ranked, "families", method=method)


def test_genes_with_several_statistics_are_said():
    ranked = [("TP53", 1.0), ("p53", -3.0), ("MDM2", 2.0), ("EGFR", -1.0), ("GRB2", 0.5)]
    terms = {"arrest": ["TP53", "MDM2"]}
    found = gsfm.enrich(ranked, terms, method="prerank", min_size=2, permutations=10)
    assert found.provenance["ranked"]["repeated"] == 1
    assert "the one furthest from 0 is used: 1" in found.summary()


def test_a_library_of_every_form_has_terms():
    sets = {"arrest": ["CDKN1A", "MDM2", "TP53"], "growth": ["EGFR", "GRB2"]}
    frame = pd.DataFrame([(a, b) for a in sets for b in sets[a]], columns=["source", "target"])
    for library in (sets, frame, GeneSets.from_lists(sets)):
        assert gsfm.term("growth", library, top=2, model=SMALL).provenance["term"]["genes"] == 2
        found = gsfm.prioritize(GENES, terms=list(sets), library=library, why=False, model=SMALL)
        assert "arrest (arrest, " in found.summary()
        assert (
            "growth (growth): 2 genes"
            in gsfm.discover.targets("growth", library=library, model=SMALL).summary()
        )
        with pytest.raises(gsfm.UnknownTermError, match="no term 'nope' in "):
            gsfm.term("nope", library, model=SMALL)


def test_a_library_that_is_named_twice_is_tested_once():
    once = gsfm.enrich(GENES, "families", method="ora").table
    assert gsfm.enrich(GENES, ["families"] * 2, method="ora").table.equals(once)
    with pytest.raises(TypeError, match="a library is a name"):
        gsfm.enrich(GENES, 7, method="ora")


def test_the_name_of_a_library_is_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    expected = gsfm.nearest(GENES, "families", top=2).table
    (tmp_path / "families").write_text("mine\t\tEGFR\tGRB2\nother\t\tTP53\tBAX\n")
    assert gsfm.nearest(GENES, "families", top=2).table.equals(expected)
    assert gsfm.nearest(GENES, "./families").table["set"].to_list() == ["mine", "other"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gsfm.complete(GENES, model=7), "a model is a fitted model or a model folder"),
        (lambda: gsfm.complete(GENES, missing_fraction="x"), "below 1, not 'x'"),
        (lambda: gsfm.enrich(GENES, "families", min_size=None), "min_size must be a whole number"),
        (lambda: gsfm.libraries.find(None), "term must be one text, the name or .* not NoneType"),
        (lambda: gsfm.network(GENES, min_relation=float("nan")), "min_relation must be a number"),
        (lambda: gsfm.relate("TP53", top=None), "top must be 1 or more"),
    ],
)
def test_parameters_of_a_wrong_type_are_an_error(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()


@pytest.mark.parametrize("read", [gsfm.genes.read, gsfm.sets.read])
def test_what_is_no_file_is_an_error(read):
    with pytest.raises(TypeError, match="a path, a binary stream or a data frame, not NoneType"):
        read(None)


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
