"""The contract, on every family: one suite, on a corpus whose right answers are known."""

from __future__ import annotations

import contextlib
import copy
import functools
import json
import os
import pickle
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import scipy.sparse
from safetensors.numpy import load_file, save_file
from sklearn.base import clone

import gsfm.models
from gsfm import GeneSets, ModelFormatError, NotCalibratedError, NotFittedError, Vocabulary
from gsfm.completion import Calibration
from gsfm.models import FAMILIES, Model, families, load
from gsfm.models.term_matrix import Rescored
from gsfm.training import Run

#: Small settings of every family, and variants that are stored in another way.
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "popularity": ("popularity", {}),
    "cooccurrence": ("cooccurrence", {}),
    "cooccurrence conditional": ("cooccurrence", {"similarity": "conditional", "top": 7}),
    "linear": ("linear", {"regularization": 10.0}),
    "linear pruned": ("linear", {"regularization": 10.0, "prune": 8, "min_sets": 2}),
    "autoencoder": (
        "autoencoder",
        {"dimensions": 8, "hidden": 8, "epochs": 40.0, "batch_size": 32},
    ),
    "autoencoder of all": (
        "autoencoder",
        {"dimensions": 8, "hidden": 8, "epochs": 40.0, "batch_size": 32, "targets": "all"},
    ),
    "autoencoder logistic": (
        "autoencoder",
        {"dimensions": 8, "hidden": 8, "epochs": 40.0, "batch_size": 32, "targets": "all"}
        | {"loss": "logistic"},
    ),
    "autoencoder tied int8": (
        "autoencoder",
        {"dimensions": 8, "hidden": 8, "epochs": 40.0, "batch_size": 32}
        | {"tied": True, "storage": "int8"},
    ),
    "autoencoder int4": (
        "autoencoder",
        {"dimensions": 9, "hidden": 8, "epochs": 40.0, "batch_size": 32} | {"storage": "int4"},
    ),
    "published": (
        "published",
        {"d_model": 8, "epochs": 30, "batch_size": 16, "learning_rate": 0.02, "partition": 0.5},
    ),
    "published balance": (
        "published",
        {"d_model": 8, "depth": 1, "epochs": 30, "batch_size": 16, "learning_rate": 0.02}
        | {"partition": 0.5, "dropout": 0.0, "weighted_loss": "balance"},
    ),
    "svd": ("svd", {"dimensions": 2}),
    "svd unscaled": ("svd", {"dimensions": 2, "gene_exponent": 0.0, "size_exponent": 0.0}),
    "als": ("als", {"dimensions": 2, "regularization": 0.1}),
    "features": ("features", {}),
    "features max_containment": ("features", {"max_containment": 0.8}),
    "annotation": ("annotation", {}),
    "attribute": ("attribute", {}),
    "attribute autosomal": ("attribute", {"of": "autosomal"}),
    "attribute coding": ("attribute", {"of": "coding"}),
    "adaptive": (
        "adaptive",
        {
            "weights": [1, 0.3, 0],
            "members": [
                {"family": "linear"},
                {"family": "cooccurrence", "top": 7},
                {"family": "popularity"},
            ],
            "prior_precision": 5,
        },
    ),
    "adaptive precisions": (
        "adaptive",
        {
            "weights": [1, 0],
            "members": [{"family": "linear"}, {"family": "annotation"}],
            "prior_precision": (5, 100.5),
        },
    ),
    "ensemble": (
        "ensemble",
        {"weights": [1, 0.3], "members": [{"family": "linear"}, {"family": "cooccurrence"}]},
    ),
}
CASES["ensemble of networks"] = (
    "ensemble",
    {
        "weights": [0.5, 0.5],
        "members": [
            {"family": family, **settings}
            for family, settings in (CASES["autoencoder"], CASES["published"])
        ],
    },
)
TORCH = {"autoencoder", "published"}
#: A change of the settings of each family.
CHANGES: dict[str, dict[str, Any]] = {
    "popularity": {"pseudocount": 2.5},
    "cooccurrence": {"top": 3, "dimensions": 2},
    "linear": {"regularization": 7.5},
    "autoencoder": {"epochs": 2.5, "targets": "all"},
    "published": {"epochs": 3},
    "svd": {"size_exponent": 0.75},
    "als": {"iterations": 2},
    "features": {"largest": 90},
    "annotation": {"max_containment": 0.5},
    "attribute": {"of": "coding"},
    "ensemble": {"weights": (0.1, 0.2)},
    "adaptive": {"prior_precision": 2.5},
}
#: Families that are made of others.
JOINT = {"ensemble", "adaptive"}
#: One thread: these fits are far too small to share.
RUN = Run(n_threads=1)
#: Families whose answer does not depend on the set.
IMPERSONAL = {"popularity", "attribute", "annotation"}

A, B = [[f"{block}{i}" for i in range(8)] for block in "AB"]


@functools.cache
def blocks() -> GeneSets:
    """Ninety sets of four to eight genes, each from one of two blocks that never mix."""
    rng = np.random.default_rng(7)
    return GeneSets.from_lists(
        [rng.choice(b, rng.integers(4, 9), replace=False).tolist() for b in [A, B] * 45]
    )


def make(case: str) -> Model:
    family, settings = CASES[case]
    if TORCH & {family, *(member["family"] for member in settings.get("members", []))}:
        pytest.importorskip("torch")
    return FAMILIES[family](**settings)


@functools.cache
def fitted(case: str) -> Model:
    return make(case).fit(blocks(), random_state=3, run=RUN)


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def model(case: str) -> Model:
    return fitted(case)


@pytest.fixture
def folder(model: Model, tmp_path: Path) -> Path:
    model.save(tmp_path / "model")
    return tmp_path / "model"


def test_every_family_is_here() -> None:
    assert {family for family, _ in CASES.values()} == set(FAMILIES)


# -- answers --------------------------------------------------------------------------------------


def test_right_block_comes_first(model: Model) -> None:
    if model.family in IMPERSONAL:
        pytest.skip("gives every set the same answer")
    for own, other in ((A, B), (B, A)):
        scores = model.score([own[:3], own[4:6]])
        for row, given in zip(scores, (own[:3], own[4:6]), strict=True):
            missing = model.vocabulary.ids([gene for gene in own if gene not in given])
            assert row[missing].min() > row[model.vocabulary.ids(other)].max()


def test_scores_have_shape_type_and_no_nan(model: Model) -> None:
    scores = model.score([A[:3], [], B, ["A0"], ["A0", "B0"]])
    assert scores.shape == (5, 16)
    assert scores.dtype == np.float32
    assert np.isfinite(scores).all()
    assert model.score([]).shape == (0, 16)
    # A caller may write into it.
    scores[0, 0] = 5


def test_batch_size_does_not_change_the_answer(model: Model) -> None:
    sets = blocks()[:40]
    whole = model.score(sets)
    for size in (1, 7, 40, 1000):
        np.testing.assert_allclose(model.score(sets, batch_size=size), whole, 1e-5, 1e-5)
    with pytest.raises(ValueError, match="batch_size"):
        model.score(sets, batch_size=0)


def test_order_and_repetition_of_genes_are_irrelevant(model: Model) -> None:
    expected = model.score([["A0", "A3", "B5"]])
    np.testing.assert_array_equal(model.score([["B5", "A3", "A0", "A3"]]), expected)


def test_lists_ids_and_gene_sets_are_the_same(model: Model) -> None:
    lists = [["A1", "A2"], ["B0"], []]
    ids = [model.vocabulary.ids(genes) for genes in lists]
    expected = model.score(lists)
    other_vocabulary = Vocabulary(["B0", "other", "A2", "A1"])
    for same in (
        ids,
        [array.tolist() for array in ids],
        [array.astype(np.uint8) for array in ids],
        [tuple(genes) for genes in lists],
        [np.array(genes, dtype=str) for genes in lists],
        GeneSets.from_lists(lists, vocabulary=model.vocabulary),
        GeneSets.from_lists(lists, vocabulary=other_vocabulary),
    ):
        np.testing.assert_array_equal(model.score(same), expected)
        np.testing.assert_array_equal(model.embed_sets(same), model.embed_sets(lists))


def test_the_term_matrix_is_the_evidence_of_every_term(case: str, model: Model) -> None:
    if CASES[case][0] in JOINT:
        return  # their term matrix has the weights of the configuration: tests/analysis
    terms = model.encode([A[:4], B[:5], [A[0], B[0], B[1]], A, B[2:4]])
    fast, slow = model.term_matrix(terms), Rescored(model, terms)
    dense = terms.toarray() > 0
    for gene in range(len(model.vocabulary)):
        new, known = ~dense[:, gene], np.flatnonzero(dense[:, gene])
        np.testing.assert_allclose(
            fast.evidence(gene)[new], slow.evidence(gene)[new], rtol=1e-3, atol=1e-3
        )
        if len(known):
            np.testing.assert_allclose(
                fast.leave_one_out(known, gene),
                slow.leave_one_out(known, gene),
                rtol=1e-3,
                atol=1e-3,
            )


def test_the_attribution_adds_up_to_the_score(model: Model) -> None:
    ids = np.sort(model.vocabulary.ids([*A[:4], B[0]]))
    for symbol in (A[5], B[3]):
        found = model.attribution(ids, int(model.vocabulary.ids([symbol])[0]))
        assert found.by_gene.shape == (5,)
        total = found.baseline + found.by_gene.sum()
        assert total == pytest.approx(found.score, rel=1e-3, abs=1e-3)


def test_a_sparse_matrix_is_a_collection_of_sets(model: Model) -> None:
    members = model.encode([A[:4], B[:5]])
    np.testing.assert_array_equal(model.score(members), model.score([A[:4], B[:5]]))
    np.testing.assert_array_equal(
        model.score(scipy.sparse.coo_matrix(members)), model.score(members)
    )
    with pytest.raises(ValueError, match="columns"):
        model.score(members[:, :3])
    with pytest.raises(ValueError, match="other than 0 and 1"):
        model.score(2 * members)


def test_unknown_genes_are_left_out_and_named(model: Model) -> None:
    np.testing.assert_array_equal(
        model.score([["A1", "<unk>", "nothing", "A2"]]), model.score([["A1", "A2"]])
    )
    np.testing.assert_array_equal(model.score([["nothing"]]), model.score([[]]))
    assert model.unknown([["A1", "nothing", "a1"], ["A2"], []]) == [("nothing", "a1"), (), ()]
    assert model.unknown(GeneSets.from_lists([["A1", "nothing"]])) == [("nothing",)]
    assert model.unknown([[0, 1]]) == [()]


def test_wrong_input_is_refused(model: Model) -> None:
    with pytest.raises(TypeError, match="list of sets"):
        model.score(["A1"])
    with pytest.raises(TypeError, match="integer"):
        model.score([[1, 2.5]])
    for ids in ([0, 16], [-1]):
        with pytest.raises(ValueError, match=r"outside 0\.\.15"):
            model.score([ids])


def test_embeddings(model: Model) -> None:
    genes = model.embed_genes()
    sets = model.embed_sets([A[:4], B[:4], []])
    assert genes.shape[0] == 16
    assert sets.shape[0] == 3
    assert genes.ndim == sets.ndim == 2
    assert genes.dtype == sets.dtype == np.float32
    assert np.isfinite(genes).all()
    assert np.isfinite(sets).all()
    if model.family not in IMPERSONAL:
        # Genes of one block are more alike than genes of two.
        unit = genes / np.linalg.norm(genes, axis=1, keepdims=True)
        cosine = unit @ unit.T
        assert cosine[:8, :8].mean() > cosine[:8, 8:].mean()


# -- fitting --------------------------------------------------------------------------------------


def assert_same(a: Model, b: Model) -> None:
    left, right = a._tensors(), b._tensors()
    assert left.keys() == right.keys()
    for name, tensor in left.items():
        np.testing.assert_array_equal(tensor, right[name], err_msg=name)


def test_same_seed_same_model(case: str, model: Model) -> None:
    again = make(case).fit(blocks(), random_state=3, run=RUN)
    assert_same(model, again)
    np.testing.assert_array_equal(again.score([A[:3]]), model.score([A[:3]]))


def test_sets_of_weight_zero_have_no_influence(case: str, model: Model) -> None:
    rng = np.random.default_rng(0)
    genes = blocks().vocabulary.symbols
    junk = [rng.choice(genes, 7, replace=False).tolist() for _ in range(20)]
    lists = [list(blocks().genes(i)) for i in range(len(blocks()))]
    mixed = GeneSets.from_lists(lists[:50] + junk + [[]] + lists[50:])
    weights = np.ones(len(mixed))
    weights[50:70] = 0
    assert_same(make(case).fit(mixed, weights=weights, random_state=3, run=RUN), model)
    with_column = GeneSets(
        mixed.vocabulary,
        mixed.indptr,
        mixed.indices,
        mixed.metadata.with_columns(pl.Series("weight", weights)),
    )
    assert_same(make(case).fit(with_column, random_state=3, run=RUN), model)


def test_fit_refuses_what_it_cannot_learn_from(case: str) -> None:
    empty = GeneSets.from_lists([[]], vocabulary=blocks().vocabulary)
    for corpus, weights in (
        (empty, None),
        (blocks()[:0], None),
        (blocks(), np.zeros(90)),
        (blocks(), np.full(90, -1.0)),
        (blocks(), np.full(90, np.nan)),
        (blocks(), np.ones(89)),
    ):
        with pytest.raises(ValueError):
            make(case).fit(corpus, weights=weights)


def test_manifest(case: str, model: Model) -> None:
    assert model.manifest["family"] == model.family
    assert model.manifest["seed"] == 3
    assert model.manifest["corpus"] == {
        "sets": 90,
        "members": len(blocks().indices),
        "genes": 16,
    }
    assert json.loads(json.dumps(model.manifest["config"])) == json.loads(
        json.dumps(vars(model.config))
    )


def test_unfitted_model_says_so(case: str) -> None:
    with pytest.raises(NotFittedError, match=r"call fit or load"):
        make(case).score([["A1"]])
    with pytest.raises(NotFittedError):
        make(case).embed_genes()


def test_settings_are_checked(case: str) -> None:
    family = FAMILIES[CASES[case][0]]
    with pytest.raises(ValueError, match=f"{family.family}.*'no_such'"):
        family(no_such=1)
    for name, value in vars(family.Config()).items():
        for wrong in (object(), [1], {"a": 1}, float("nan"), b"text"):
            with pytest.raises(ValueError, match=name):
                family(**{name: wrong})
        if isinstance(value, int | float) and not isinstance(value, bool):
            with pytest.raises(ValueError, match=name):
                family(**{name: True})


# -- as an estimator of scikit-learn -------------------------------------------------------------


def test_params_are_the_settings(case: str) -> None:
    model = make(case)
    params = model.get_params()
    assert params == vars(model.config)
    assert type(model)(**params).config == model.config
    default = type(model)()
    assert default.set_params(**params) is default
    assert default.config == model.config
    assert clone(model).config == model.config
    assert type(clone(model)) is type(model)


def test_set_params_checks_as_the_constructor_does(case: str) -> None:
    model = make(case)
    before = model.config
    with pytest.raises(ValueError, match=f"{model.family}.*'no_such'"):
        model.set_params(no_such=1)
    for name, value in model.get_params().items():
        wrong = -1e9 if isinstance(value, int | float) else object()
        with pytest.raises(ValueError, match=name):
            model.set_params(**{name: wrong})
    assert model.config is before


def test_set_params_of_a_fitted_model(case: str) -> None:
    model = copy.copy(fitted(case))
    model.manifest = {**model.manifest, "calibration": {}}
    model.calibration = calibration = Calibration((0.0,) * 5, (1.0,) * 5)
    expected = model.score([A[:3]])
    model.set_params(**model.get_params())  # no change
    assert model.calibration is calibration
    np.testing.assert_array_equal(model.score([A[:3]]), expected)
    change = CHANGES[model.family]
    if case == "attribute coding":
        change = {"of": "length"}
    model.set_params(**change)
    assert model.get_params() == {**fitted(case).get_params(), **change}
    assert model.is_fitted
    assert model.calibration is None
    assert "calibration" not in model.manifest
    if model.family in JOINT:
        members = ({"family": "linear"},) * len(model.get_params()["members"])
        assert not model.set_params(members=members).is_fitted
        assert fitted(case).is_fitted


def test_repr_shows_what_differs_from_the_defaults(case: str, model: Model) -> None:
    assert repr(type(model)()) == f"{type(model).__name__}()"
    for one in (make(case), model):
        again = eval(repr(one), vars(gsfm.models))
        assert type(again) is type(one)
        if model.family in JOINT:
            assert again.config.weights == one.config.weights
            assert [m.config for m in again.members] == [m.config for m in one.members]
        else:
            assert again.config == one.config
    assert repr(FAMILIES["linear"](regularization=20)) == "Linear(regularization=20.0)"


def test_fit_takes_what_score_takes(case: str, model: Model) -> None:
    sets = blocks()
    lists = [list(sets.genes(i)) for i in range(len(sets))]
    for corpus, vocabulary in ((lists, None), (sets.to_csr(), sets.vocabulary)):
        again = make(case).fit(corpus, vocabulary=vocabulary, random_state=3, run=RUN)
        assert_same(again, model)
        assert again.vocabulary == model.vocabulary
        assert again.manifest == model.manifest


def test_every_form_of_a_corpus_is_the_same() -> None:
    sets, model = blocks(), fitted("popularity")
    symbols = list(sets.vocabulary)
    ids = [sets.ids(i) for i in range(len(sets))]
    forms: list[Any] = [
        ids,
        [one.tolist() for one in ids],
        scipy.sparse.coo_matrix(sets.to_csr()),
        [np.array(sets.genes(i), dtype=str) for i in range(len(sets))],
    ]
    for form in forms:
        for vocabulary in (symbols, Vocabulary(symbols)):
            assert_same(make("popularity").fit(form, vocabulary=vocabulary), model)
    wider = make("popularity").fit([["A", "B"]], vocabulary=["C", "B", "A"])
    assert wider.vocabulary.symbols == ("C", "B", "A")
    with pytest.raises(ValueError, match="'X' is not in the vocabulary"):
        make("popularity").fit([["A", "X"]], vocabulary=["A", "B"])
    for form in (ids, sets.to_csr()):
        with pytest.raises(ValueError, match="name the genes with vocabulary"):
            make("popularity").fit(form)
        with pytest.raises(ValueError, match=r"columns|outside"):
            make("popularity").fit(form, vocabulary=symbols[:-1])
    with pytest.raises(ValueError, match="has its own vocabulary"):
        make("popularity").fit(sets, vocabulary=symbols)
    with pytest.raises(TypeError, match="not a string"):
        make("popularity").fit(["A", "B"])


# -- files ----------------------------------------------------------------------------------------


def test_save_and_load_keep_everything(model: Model, folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.json",
        "manifest.json",
        "model.safetensors",
        "vocab.txt",
    ]
    back = load(folder)
    assert type(back) is type(model)
    assert back.config == model.config
    assert back.vocabulary == model.vocabulary
    assert back.manifest == json.loads(json.dumps(model.manifest))
    assert back.n_parameters == model.n_parameters > 0
    assert_same(back, model)
    assert back.fingerprint() == model.fingerprint()
    sets = [A[:3], ["B1"], []]
    np.testing.assert_array_equal(back.score(sets), model.score(sets))
    np.testing.assert_array_equal(back.embed_sets(sets), model.embed_sets(sets))
    # And what was loaded saves the same bytes.
    back.save(folder.parent / "again")
    for path in folder.iterdir():
        assert path.read_bytes() == (folder.parent / "again" / path.name).read_bytes()
    # Temporary files are private; a saved model must not be.
    plain = folder / "plain"
    plain.touch()
    assert {file.stat().st_mode for file in folder.iterdir()} == {plain.stat().st_mode}


def test_prediction_needs_no_torch(tmp_path: Path) -> None:
    expected = {}
    for name in CASES:
        try:
            model = fitted(name)
        except pytest.skip.Exception:
            continue
        model.save(tmp_path / name)
        expected[name] = model.score([A[:3], B[2:4]])
    program = """
import sys
sys.modules["torch"] = None  # from here on, importing it fails
import numpy as np
import gsfm
for folder in sys.argv[2:]:
    model = gsfm.load(folder)
    scores = model.score([["A0", "A1", "A2"], ["B2", "B3"]])
    model.embed_sets([["A0"]]), model.embed_genes()
    np.save(folder + "/scores.npy", scores)
assert "scipy.linalg" not in sys.modules, "a slow import that prediction does not need"
"""
    subprocess.run(
        [sys.executable, "-c", program, "-", *(str(tmp_path / name) for name in expected)],
        check=True,
    )
    for name, scores in expected.items():
        np.testing.assert_allclose(np.load(tmp_path / name / "scores.npy"), scores, 1e-5, 1e-5)


def test_an_earlier_model_is_replaced_and_other_folders_are_not(
    model: Model, folder: Path, tmp_path: Path
) -> None:
    (folder / "stray").write_text("of the earlier model")
    model.save(folder)
    assert not (folder / "stray").exists()
    assert load(folder).vocabulary == model.vocabulary
    other = tmp_path / "thesis"
    other.mkdir()
    (other / "chapter.txt").write_text("years of work")
    with pytest.raises(ModelFormatError, match="left as it is"):
        model.save(other)
    assert (other / "chapter.txt").read_text() == "years of work"
    with pytest.raises(ModelFormatError, match="is a file"):
        model.save(other / "chapter.txt")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "thesis"]


def refused(folder: Path, *words: str) -> None:
    """Assert that the folder is refused with a message that holds every word."""
    with pytest.raises(ModelFormatError) as caught:
        load(folder)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("name", ["config.json", "vocab.txt", "model.safetensors", "manifest.json"])
def test_missing_files_are_refused(folder: Path, name: str) -> None:
    (folder / name).unlink()
    refused(folder, name)


def rewrite(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    path = folder / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(change(config) or config))


def test_bad_config_is_refused(folder: Path) -> None:
    path = folder / "config.json"
    good = path.read_text()
    config = json.loads(good)
    for field in config:
        for wrong in ({}, [[]], -1e9, "no such thing"):
            path.write_text(json.dumps({**config, field: wrong}))
            refused(folder, "config.json", field)
        if field in ("format", "family"):
            path.write_text(json.dumps({k: v for k, v in config.items() if k != field}))
            refused(folder, "config.json", field)
    path.write_text(json.dumps({**config, "no_such": 1}))
    refused(folder, "config.json", "no_such")
    for text in ("", "{", "[]", "null", good.replace("{", '{"x": NaN,', 1), "[" * 100_000):
        path.write_text(text)
        refused(folder, "config.json")
    path.write_bytes(b'{"format": "\xff"}')
    refused(folder, "config.json", "UTF-8")


def test_bad_vocabulary_is_refused(model: Model, folder: Path) -> None:
    path = folder / "vocab.txt"
    lines = path.read_text().splitlines()
    for changed, word in (
        ([*lines, lines[-1]], "vocab.txt"),
        ([*lines[:-1], lines[-2]], "vocab.txt"),
        ([*lines[:-1], "", lines[-1]], f"line {len(lines)}"),
        (lines[:-1], ""),
        ([*lines, "one more"], ""),
        ([], ""),
    ):
        path.write_text("".join(f"{line}\n" for line in changed))
        refused(folder, word)
    path.write_bytes(b"\xff\xfe")
    refused(folder, "vocab.txt", "UTF-8")


def test_bad_manifest_is_refused(folder: Path) -> None:
    (folder / "manifest.json").write_text("[1]")
    refused(folder, "manifest.json")


def test_bad_tensors_are_refused(model: Model, folder: Path) -> None:
    path = folder / "model.safetensors"
    good = load_file(path)

    def put(tensors: dict[str, Any]) -> None:
        save_file({k: np.ascontiguousarray(v) for k, v in tensors.items()}, path)

    for name, tensor in good.items():
        put({k: v for k, v in good.items() if k != name})
        refused(folder, "model.safetensors", name.split(".")[-1], "missing")
        put({**good, name: np.concatenate([tensor, tensor[-1:]])})
        refused(folder, "model.safetensors")
        put({**good, name: tensor[None]})
        refused(folder, "model.safetensors", name.split(".")[-1], "shape")
        put({**good, name: np.ones(tensor.shape, bool)})
        refused(folder, "model.safetensors", name.split(".")[-1], "bool")
        if tensor.dtype.kind == "f":
            for bad in (np.nan, np.inf):
                spoilt = tensor.copy()
                spoilt.flat[-1] = bad
                put({**good, name: spoilt})
                refused(folder, "model.safetensors", name.split(".")[-1], "finite")
        elif tensor.dtype != np.int8:
            # An id or an offset that points outside.
            for bad in (16 * 16 + 1, -1):
                spoilt = tensor.astype(np.int64)
                spoilt.flat[-1] = bad
                put({**good, name: spoilt})
                refused(folder, "model.safetensors")
    put({**good, "stowaway": np.ones(3, np.float32)})
    refused(folder, "model.safetensors", "stowaway")


def test_the_fingerprint_depends_on_all_that_determines_the_scores(folder: Path) -> None:
    path = folder / "model.safetensors"
    first, good = load(folder).fingerprint(), load_file(path)
    for name, tensor in good.items():
        if name.endswith(("indptr", "indices", "genes")):
            continue  # another structure; its values are changed below
        changed = tensor.copy()
        changed.flat[tensor.size // 2] += 1
        save_file({**good, name: changed}, path)
        with contextlib.suppress(ModelFormatError):  # some values follow from others
            assert load(folder).fingerprint() != first, name


@pytest.mark.parametrize("name", ["config.json", "vocab.txt", "model.safetensors", "manifest.json"])
def test_files_that_are_no_files_of_the_folder(name: str, tmp_path: Path) -> None:
    fitted("linear").save(tmp_path / "model")
    path = tmp_path / "model" / name
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    refused(tmp_path / "model", name, "link out of the model folder")
    path.unlink()
    os.mkfifo(path)
    refused(tmp_path / "model", name, "not a regular file")
    path.unlink()
    path.symlink_to(path.name)
    refused(tmp_path / "model", name, "Too many levels of symbolic links")
    path.unlink()
    path.symlink_to("/dev/zero")
    refused(tmp_path / "model", name, "link out")
    path.unlink()
    (tmp_path / "elsewhere").rename(tmp_path / "model" / "inside")
    path.symlink_to("inside")
    assert load(tmp_path / "model").family == "linear"


@pytest.mark.parametrize("case", ["linear pruned", "features", "ensemble"])
def test_offsets_that_wrap_around_are_refused(case: str, tmp_path: Path) -> None:
    fitted(case).save(tmp_path / "model")
    path = tmp_path / "model" / "model.safetensors"
    tensors = load_file(path)
    for name in [name for name in tensors if name.endswith("indptr")]:
        offsets = tensors[name].copy()
        # The differences of these are small and not negative in 64 bits.
        offsets[1:5] = [2**62 + 0x7FFFFFF0, 2**63 - 1, -(2**63), -1]
        save_file({**tensors, name: offsets}, path)
        refused(tmp_path / "model", "indptr must not decrease")


def test_damaged_folders(folder: Path, damage: Any) -> None:
    """A model that is damaged anywhere is refused in one line, or loads and scores."""
    for i, name in enumerate(sorted(path.name for path in folder.iterdir())):
        path = folder / name
        good = path.read_bytes()
        for data in damage(good, 12, i):
            path.write_bytes(data)
            with contextlib.suppress(ModelFormatError), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # numbers that are too large
                model = load(folder)
                model.score([list(model.vocabulary)[:2]])
                gsfm.models.describe(model)
        path.write_bytes(good)


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("config.json", "self", 1),
        ("config.json", "config", {}),
        ("config.json", "family", []),
        ("config.json", "regularization", 10**400),
        ("manifest.json", "calibration", [1]),
        ("manifest.json", "note", "\ud800"),
    ],
)
def test_json_that_python_reads_and_nothing_else_holds(
    name: str, key: str, value: object, tmp_path: Path
) -> None:
    fitted("linear").save(tmp_path / "model")
    path = tmp_path / "model" / name
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    refused(tmp_path / "model", name)


class Stop(BaseException):
    pass


@pytest.mark.parametrize("at", [1, 2])
def test_a_stopped_save_leaves_the_earlier_model(
    at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = fitted("popularity")
    model.save(tmp_path / "model")
    rename, calls = Path.rename, []

    def stop(path: Path, target: Path) -> Path:
        calls.append(path)
        result = rename(path, target) if at == 1 or len(calls) != at else path
        if len(calls) == at:
            raise Stop
        return result

    monkeypatch.setattr("gsfm.models.storage.exchange", lambda one, other: False)
    monkeypatch.setattr(Path, "rename", stop)
    with pytest.raises(Stop):
        model.save(tmp_path / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert_same(load(tmp_path / "model"), model)


class Bomb:
    def __reduce__(self) -> tuple[Callable[[str], Any], tuple[str]]:
        return pytest.fail, ("a pickle was loaded",)


def test_what_is_no_safetensors_file_is_refused(folder: Path) -> None:
    path = folder / "model.safetensors"
    good = path.read_bytes()
    huge = (1 << 60).to_bytes(8, "little")
    for content in (pickle.dumps(Bomb()), b"", good[:-1], good[:20], huge + good[8:]):
        path.write_bytes(content)
        refused(folder, "model.safetensors", "safetensors file")


# -- the registry ---------------------------------------------------------------------------------


def test_what_is_no_model_folder_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, "config.json", "model folder")
    refused(tmp_path / "nowhere", "config.json", "model folder")
    (tmp_path / "config.json").write_text("{}")
    refused(tmp_path, "config.json", "format")


def test_shipped_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gsfm.models.registry.SHIPPED", tmp_path / "shipped")
    with pytest.raises(ModelFormatError, match="without a trained model"):
        load()
    fitted("popularity").save(tmp_path / "shipped")
    assert load().family == "popularity"


def test_families_table() -> None:
    table = families()
    assert table["name"].to_list() == sorted(FAMILIES)
    for row in table.iter_rows(named=True):
        assert "doi:10." in row["paper"]
        assert row["description"]
        if row["name"] not in JOINT:  # which need what their members need
            assert row["fit_needs_torch"] == (row["name"] in TORCH)


def test_public_names() -> None:
    assert set(gsfm.models.__all__) >= {"FAMILIES", "Model", "families", "load"}
    for family in FAMILIES.values():
        assert getattr(gsfm.models, family.__name__) is family


def test_format_is_specified() -> None:
    """Every family, setting and tensor is in the specification of the folder."""
    text = (Path(__file__).parents[2] / "docs" / "model-format.md").read_text()
    for family in FAMILIES.values():
        assert f"`{family.family}`" in text
        for field in vars(family.Config()):
            assert f"`{field}`" in text, f"{family.family}: {field}"
    for case in CASES:
        try:
            tensors = fitted(case)._tensors()
        except pytest.skip.Exception:
            continue
        for name in tensors:
            pattern = ".".join("N" if part.isdigit() else part for part in name.split("."))
            if fitted(case).family not in JOINT:
                assert f"`{pattern}`" in text, f"{case}: {pattern}"


# -- probabilities --------------------------------------------------------------------------------


def test_any_family_can_be_calibrated(case: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    whole = [rng.permutation([A, B][i % 2])[: rng.integers(5, 9)].tolist() for i in range(60)]
    model = copy.copy(fitted(case))
    model.manifest = dict(model.manifest)
    with pytest.raises(NotCalibratedError, match=model.family):
        model.probability([A[:3]])
    model.calibrate([one[::2] for one in whole], [one[1::2] for one in whole])
    sets = [A[:3], ["B1"], [], [*A, *B], ["A0", "B0", "B3"]]
    scores, probability = model.score_and_probability(sets)
    np.testing.assert_array_equal(scores, model.score(sets))
    assert probability.shape == (5, 16)
    assert probability.dtype == np.float32
    assert ((probability >= 0) & (probability <= 1)).all()
    outside = model.encode(sets).toarray() == 0
    for p, s, out in zip(probability, scores, outside, strict=True):
        order = np.argsort(s[out], kind="stable")
        assert (np.diff(p[out][order]) >= -1e-6).all()
    own, other = model.vocabulary.ids(A[3:]), model.vocabulary.ids(B)
    if model.family not in IMPERSONAL:
        # Two or three of the five others are missing, and none of the other block.
        assert 0.25 < probability[0, own].mean() < 0.9
        assert probability[0, other].max() < 0.25
    model.save(tmp_path / "model")
    assert (tmp_path / "model" / "calibration.json").exists()
    np.testing.assert_array_equal(load(tmp_path / "model").probability(sets), probability)


def test_a_corpus_in_any_form_of_a_matrix():
    matrix = np.array([[1, 1, 0, 0], [0, 1, 0, 1], [1, 0, 1, 1]])
    genes = ["A", "B", "C", "D"]
    expected = (
        gsfm.models.Popularity().fit([["A", "B"], ["B", "D"], ["A", "C", "D"]]).score([["A"]])
    )
    ids = [0, 1, 3, 1, 3, 0, 2, 3]
    zeros = scipy.sparse.csr_array(([1, 1, 0, 1, 1, 1, 1, 1], ids, [0, 3, 5, 8]), shape=(3, 4))
    ids = [1, 0, 0, 1, 3, 3, 2, 0, 3]
    twice = scipy.sparse.csr_array((np.ones(9), ids, [0, 3, 5, 9]), shape=(3, 4))
    for form in (
        matrix,
        matrix.astype(bool),
        scipy.sparse.coo_array(matrix),
        scipy.sparse.csc_matrix(matrix),
        zeros,
        twice,
    ):
        found = gsfm.models.Popularity().fit(form, vocabulary=genes).score([["A"]])
        np.testing.assert_array_equal(found, expected)
    lists = ([*"AB"], [*"BD"], [*"ACD"])
    iterators = gsfm.models.Popularity().fit(iter([iter(one) for one in lists]))
    np.testing.assert_array_equal(iterators.score([["A"]]), expected)
    with pytest.raises(ValueError, match="random_state must be an integer"):
        gsfm.models.Popularity().fit(matrix, vocabulary=genes, random_state=1.5)
