"""The evidence for typical gene sets: its components, its file, and the models that have it."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from safetensors.numpy import load_file, save_file

from gsfm import GeneSets, ModelFormatError, Vocabulary
from gsfm.models import SVD, Linear, Popularity, load, train
from gsfm.models.evidence import evidence
from gsfm.models.typical import COMPONENTS, FEWEST, Typical, bounded_evidence, sample

GENES = [f"gene{i:02}" for i in range(60)]
VOCABULARY = Vocabulary(GENES)


def _sets(n: int, smallest: int, largest: int, seed: int = 0) -> GeneSets:
    rng = np.random.default_rng(seed)
    chance = 1 / (np.arange(60) + 20.0)
    sizes = rng.integers(smallest, largest + 1, n)
    rows = [
        [GENES[i] for i in rng.choice(60, size, replace=False, p=chance / chance.sum())]
        for size in sizes
    ]
    return GeneSets.from_lists(rows, vocabulary=VOCABULARY)


@pytest.fixture(scope="module")
def model() -> Linear:
    model = Linear(regularization=2.0).fit(_sets(120, 5, 20))
    model.typical = Typical.fit(model, _sets(90, 15, 20, 1), "these")
    model.manifest["typical"] = {"sets": 90, "source": "these"}
    return model


def _terms() -> sp.csr_array:
    rng = np.random.default_rng(5)
    return sp.csr_array((rng.random((40, 60)) < rng.uniform(0.05, 0.6, (40, 1))).astype(np.float32))


def _same(one: Typical, other: Typical) -> bool:
    arrays = one.tensors(), other.tensors()
    return one.source == other.source and all(
        np.array_equal(arrays[0][name], arrays[1][name]) for name in arrays[0]
    )


# -- components ------------------------------------------------------------------------------------


def test_with_all_components_it_is_the_mean_evidence():
    rng = np.random.default_rng(2)
    values = rng.normal(0.3, 1, (COMPONENTS - 4, 60)).astype(np.float32)
    terms = _terms()
    exact = (terms @ values.T) / np.diff(terms.indptr)[:, None]
    typical = Typical.of(values.copy(), "some")
    assert typical.loadings.dtype == np.float16
    # Half precision of the loadings is what is lost.
    np.testing.assert_allclose(typical.of_terms(terms), exact, atol=0.01)
    assert typical.residual.max() < 1e-4


def test_fewer_components_keep_the_mean_and_the_variance():
    rng = np.random.default_rng(3)
    low = rng.normal(0, 1, (400, 10)) @ rng.normal(0, 1, (10, 300))
    values = (low + rng.normal(0, 2, (400, 300)) + rng.normal(0, 1, 300)).astype(np.float32)
    terms = sp.csr_array(
        (rng.random((200, 300)) < rng.uniform(0.02, 0.3, (200, 1))) * np.float32(1)
    )
    exact = (terms @ values.T) / np.diff(terms.indptr)[:, None]
    typical = Typical.of(values.copy(), "some")
    assert typical.coordinates.shape == (400, COMPONENTS)
    assert typical.loadings.shape == (COMPONENTS, 300)
    found = typical.of_terms(terms)
    np.testing.assert_allclose(found.mean(axis=1), exact.mean(axis=1), atol=0.01)
    ratio = found.var(axis=1) / exact.var(axis=1)
    assert np.median(ratio) == pytest.approx(1, abs=0.03)
    assert ((ratio > 0.85) & (ratio < 1.15)).all()
    # Without the residual variance, they would be too narrow.
    narrow = typical._replace(residual=np.zeros_like(typical.residual)).of_terms(terms)
    assert np.median(narrow.var(axis=1) / exact.var(axis=1)) < 0.97
    correlation = [np.corrcoef(*pair)[0, 1] for pair in zip(found, exact, strict=True)]
    assert np.median(correlation) > 0.85
    # The residual of each gene is its variance that is left out.
    kept = typical.coordinates @ typical.loadings.astype(np.float32)
    left = ((values - values.mean(axis=0) - kept) ** 2).mean(axis=0)
    np.testing.assert_allclose(typical.residual, left, rtol=0.01)


def test_sets_of_equal_evidence_have_no_spread():
    typical = Typical.of(np.tile(np.arange(60, dtype=np.float32), (30, 1)), "equal")
    terms = _terms()
    mean = (terms @ np.arange(60)) / np.diff(terms.indptr)
    np.testing.assert_allclose(typical.of_terms(terms), np.tile(mean[:, None], 30), rtol=1e-5)


def test_it_is_that_of_the_model(model):
    sets = _sets(90, 15, 20, 1)
    members = sets.to_csr()
    values = bounded_evidence(model, np.split(members.indices, members.indptr[1:-1]))
    terms = _terms()
    exact = (terms @ values.T) / np.diff(terms.indptr)[:, None]
    np.testing.assert_allclose(model.typical.of_terms(terms), exact, atol=0.05)


def test_the_evidence_is_bounded_and_has_no_trend(model, monkeypatch):
    sets = [np.arange(3), np.array([7, 30, 41, 59]), np.array([11])]
    raw = np.clip(evidence(model, sets), -2, 4)
    x = np.log(1 / (np.arange(60) + 20.0))
    monkeypatch.setattr(model, "log_gene_frequency", lambda: x)
    for row, found in zip(raw, bounded_evidence(model, sets), strict=True):
        np.testing.assert_allclose(found, row - np.polyval(np.polyfit(x, row, 2), x), atol=1e-4)
        for power in range(3):
            assert (found * x**power).mean() == pytest.approx(0, abs=1e-3)
    monkeypatch.setattr(model, "log_gene_frequency", lambda: None)
    np.testing.assert_array_equal(bounded_evidence(model, sets), raw)
    # Genes that are all as frequent have no trend.
    monkeypatch.setattr(model, "log_gene_frequency", lambda: np.ones(60))
    np.testing.assert_array_equal(bounded_evidence(model, sets), raw)


def test_sets_of_another_size_are_not_typical():
    sizes = [14, 15, 40, 60]
    vocabulary = Vocabulary([f"g{i}" for i in range(700)])
    rows = [[f"g{i}" for i in range(n)] for n in [*sizes, 600, 601]]
    found = sample(GeneSets.from_lists(rows, vocabulary=vocabulary), 10, 0)
    assert found.sizes.tolist() == [15, 40, 60, 600]
    many = _sets(300, 15, 20)
    assert len(sample(many, 50, 0)) == 50
    assert sample(many, 50, 0).names == sample(many, 50, 0).names
    drawn = sample(many, 50, 1)
    assert drawn.names != sample(many, 50, 0).names
    assert len(set(drawn.names)) == 50


# -- the model folder ------------------------------------------------------------------------------


@pytest.fixture
def folder(model, tmp_path) -> Path:
    model.save(tmp_path / "model")
    return tmp_path / "model"


def test_a_model_folder_has_it(model, folder):
    assert (folder / "typical.safetensors").stat().st_mode == (folder / "vocab.txt").stat().st_mode
    loaded = load(folder)
    assert _same(loaded.typical, model.typical)
    assert loaded.typical.source == "these"
    loaded.save(folder)
    assert _same(load(folder).typical, model.typical)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert _same(other.typical, model.typical)
    # Without it, the folder is that of a model of before.
    model = load(folder)
    model.typical = None
    del model.manifest["typical"]
    model.save(folder)
    assert not (folder / "typical.safetensors").exists()
    assert load(folder).typical is None


def test_a_source_that_is_not_described(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["typical"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert load(folder).typical.source == "unknown"
    (folder / "manifest.json").write_text(json.dumps(manifest | {"typical": [1]}))
    with pytest.raises(ModelFormatError, match=r"manifest\.json: typical must be an object"):
        load(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mean": None}, "the tensor 'mean' is missing"),
        ({"loadings": None}, "the tensor 'loadings' is missing"),
        ({"more": np.zeros(3, np.float32)}, "the tensor 'more' is not known"),
        ({"mean": np.zeros(59, np.float32)}, "'mean' has the shape 59, not 60"),
        ({"residual": np.zeros((1, 60), np.float32)}, "'residual' has the shape 1x60, not 60"),
        ({"loadings": np.zeros((64, 59), np.float16)}, "'loadings' has the shape 64x59"),
        ({"coordinates": np.zeros((90, 3), np.float32)}, "'coordinates' has the shape 90x3"),
        ({"coordinates": np.zeros((0, 64), np.float32)}, "'coordinates' has less than 20 sets"),
        ({"residual": np.full(60, -1, np.float32)}, "'residual' holds negative numbers"),
        ({"mean": np.full(60, np.nan, np.float32)}, "'mean' holds values that are not finite"),
        ({"coordinates": np.ones((90, 64), np.int32)}, "'coordinates' holds int32"),
    ],
)
def test_a_damaged_file_is_an_error_that_says_what(folder, change, message):
    file = folder / "typical.safetensors"
    tensors = load_file(file)
    assert tensors["loadings"].shape == (COMPONENTS, 60)
    changed = {name: value for name, value in (tensors | change).items() if value is not None}
    save_file(changed, file)
    with pytest.raises(ModelFormatError, match=rf"typical\.safetensors: .*{message}"):
        load(folder)


def test_damaged_bytes_are_an_error(folder, damage):
    file = folder / "typical.safetensors"
    content = file.read_bytes()
    outcomes = []
    for changed in damage(content, 60, 0):
        file.write_bytes(changed)
        try:
            typical = load(folder).typical
        except ModelFormatError as error:
            assert "typical.safetensors" in str(error)  # noqa: PT017
            outcomes.append("error")
        else:
            assert np.isfinite(typical.of_terms(_terms())).all()
            outcomes.append("read")
    assert "error" in outcomes


# -- what drops it, and training -------------------------------------------------------------------


def test_other_settings_and_another_fit_drop_it():
    sets = _sets(120, 5, 20)
    model = SVD(dimensions=4).fit(sets)

    def computed() -> None:
        model.typical = Typical.fit(model, sets, "these")
        model.manifest["typical"] = {"sets": 120, "source": "these"}

    computed()
    model.set_params(dimensions=4)  # which changes nothing
    assert model.typical is not None
    assert "typical" in model.manifest
    model.set_params(dimensions=3)
    assert model.typical is None
    assert "typical" not in model.manifest
    model.fit(sets)
    computed()
    model.fit(sets)
    assert model.typical is None
    assert "typical" not in model.manifest


def test_a_pruned_model_has_none(model):
    pruned = model.pruned(8)
    assert pruned.typical is None
    assert "typical" not in pruned.manifest


def test_training_computes_it(tmp_path):
    sets = _sets(320, 15, 20)
    model = train(Popularity(), sets, tmp_path / "m", held_out=30, typical_sets=250)
    assert model.manifest["typical"] == {"sets": 250, "source": "training sets"}
    assert model.typical.coordinates.shape == (250, COMPONENTS)
    assert _same(load(tmp_path / "m").typical, model.typical)
    # Of the sets that the model was fitted on, so many as there are.
    most = train(Popularity(), sets, tmp_path / "most", held_out=30)
    assert most.manifest["typical"]["sets"] == 320 - most.manifest["training"]["held_out_sets"]
    again = train(Popularity(), sets, tmp_path / "again", held_out=30, typical_sets=250)
    assert _same(again.typical, model.typical)


@pytest.mark.parametrize(
    ("n", "smallest", "largest", "settings"),
    [
        (320, 15, 20, {"typical_sets": 0}),
        (320, 15, 20, {"typical_sets": FEWEST - 1}),
        (FEWEST - 1, 15, 20, {}),
        (320, 5, 14, {}),
    ],
)
def test_of_too_few_sets_there_is_none(tmp_path, n, smallest, largest, settings):
    model = train(Popularity(), _sets(n, smallest, largest), tmp_path / "m", held_out=0, **settings)
    assert model.typical is None
    assert "typical" not in model.manifest
    assert not (tmp_path / "m" / "typical.safetensors").exists()
    with pytest.raises(ValueError, match="typical_sets"):
        train(Popularity(), _sets(9, 15, 20), tmp_path / "m", typical_sets=-1)


def test_the_shipped_model_has_it():
    folder = Path(load.__code__.co_filename).parent / "shipped"
    about = json.loads((folder / "manifest.json").read_text())["typical"]
    tensors = load_file(folder / "typical.safetensors")
    assert about["sets"] == len(tensors["coordinates"]) >= FEWEST
    assert tensors["loadings"].shape[0] == COMPONENTS
