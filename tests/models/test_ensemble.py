"""Ensembles against z-scores taken by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gsfm import GeneSets, ModelFormatError, NotFittedError
from gsfm.models import Cooccurrence, Ensemble, Linear, Model, Popularity, load

CORPUS = GeneSets.from_lists(
    [
        ["A", "B", "C"],
        ["A", "B", "C", "D"],
        ["X", "Y", "Z"],
        ["X", "Y", "A"],
        ["D", "Z"],
        ["Y", "C"],
    ]
)


def by_hand(model: Model, genes: list[str]) -> dict[str, float]:
    """Symbol -> z-score over the genes that are not in the set."""
    scores = model.score([genes])[0].astype(float)
    outside = np.array([gene not in genes for gene in model.vocabulary])
    z = (scores - scores[outside].mean()) / scores[outside].std()
    return dict(zip(model.vocabulary, z, strict=True))


@pytest.mark.parametrize("genes", [["A"], ["A", "B"], ["X", "Z", "D"]])
def test_weighted_sum_of_z_scores(genes: list[str]) -> None:
    members = [Linear(regularization=1).fit(CORPUS), Popularity().fit(CORPUS)]
    model = Ensemble.of(members, weights=[1.0, -0.4])
    a, b = (by_hand(member, genes) for member in members)
    expected = [a[gene] - 0.4 * b[gene] for gene in model.vocabulary]
    np.testing.assert_allclose(model.score([genes])[0], expected, atol=1e-5)


def test_fit_fits_the_members() -> None:
    settings = [
        {"family": "linear", "regularization": 2.0},
        {"family": "cooccurrence", "similarity": "conditional"},
    ]
    weights = [1, 2, 3, 1, 1, 2]
    model = Ensemble(weights=[0.5, 2], members=settings).fit(
        CORPUS, weights=weights, random_state=5
    )
    alone = Ensemble.of(
        [
            Linear(regularization=2).fit(CORPUS, weights=weights, random_state=5),
            Cooccurrence(similarity="conditional").fit(CORPUS, weights=weights, random_state=5),
        ],
        weights=[0.5, 2],
    )
    np.testing.assert_array_equal(model.score(CORPUS), alone.score(CORPUS))
    assert model.config == alone.config
    assert model.manifest["members"] == alone.manifest["members"]
    assert model.manifest["members"][0]["seed"] == 5
    # Every setting is settled, not only those that were named.
    assert model.config.members[0]["size_exponent"] == Linear().config.size_exponent


def test_members_with_different_genes(tmp_path: Path) -> None:
    other = GeneSets.from_lists([["NEW", "Z", "A"], ["NEW", "Z"], ["A", "Y"], ["Y", "Z"]])
    members = [Linear(regularization=1).fit(CORPUS), Linear(regularization=1).fit(other)]
    model = Ensemble.of(members)
    # The first member's genes, then what the second adds.
    assert model.vocabulary.symbols == ("A", "B", "C", "D", "X", "Y", "Z", "NEW")
    genes = ["A", "B", "NEW"]
    first = by_hand(members[0], ["A", "B"])
    second = by_hand(members[1], ["A", "NEW"])
    expected = [first.get(gene, 0) + second.get(gene, 0) for gene in model.vocabulary]
    np.testing.assert_allclose(model.score([genes])[0], expected, atol=1e-5)
    model.save(tmp_path / "model")
    back = load(tmp_path / "model")
    np.testing.assert_array_equal(back.score([genes]), model.score([genes]))
    np.testing.assert_array_equal(back.embed_genes(), model.embed_genes())
    # A gene that no member knows cannot be in the vocabulary.
    with (tmp_path / "model" / "vocab.txt").open("a") as file:
        file.write("ORPHAN\n")
    with pytest.raises(ModelFormatError, match="'ORPHAN'"):
        load(tmp_path / "model")


def test_embeddings_add_cosines() -> None:
    members = [Linear(regularization=1).fit(CORPUS), Cooccurrence().fit(CORPUS)]
    model = Ensemble.of(members, weights=[1.0, 0.3])

    def cosines(vectors: np.ndarray) -> np.ndarray:
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit @ unit.T

    a, b = (cosines(member.embed_genes()) for member in members)
    vectors = model.embed_genes()
    np.testing.assert_allclose(vectors @ vectors.T, a + 0.3 * b, atol=1e-5)


def test_flat_scores_add_nothing() -> None:
    # To an empty set the linear model says 0 of every gene.
    members = [Linear(regularization=1).fit(CORPUS), Popularity().fit(CORPUS)]
    scores = Ensemble.of(members).score([[]])
    np.testing.assert_array_equal(scores, Ensemble.of(members[1:]).score([[]]))
    # And a set of all genes leaves nothing to standardize over.
    assert (Ensemble.of(members).score([CORPUS.vocabulary.symbols]) == 0).all()


def test_ensembles_nest(tmp_path: Path) -> None:
    inner = Ensemble.of([Linear(regularization=1).fit(CORPUS), Popularity().fit(CORPUS)])
    outer = Ensemble.of([inner, Cooccurrence().fit(CORPUS)], weights=[2, 1])
    outer.save(tmp_path / "model")
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    assert config["members"][0]["members"][1]["family"] == "popularity"
    back = load(tmp_path / "model")
    assert back.config == outer.config
    np.testing.assert_array_equal(back.score(CORPUS), outer.score(CORPUS))


def test_bottomless_nesting_is_refused(tmp_path: Path) -> None:
    Ensemble.of([Popularity().fit(CORPUS)]).save(tmp_path / "model")
    text = '{"family": "popularity"}'
    for _ in range(600):
        text = f'{{"family": "ensemble", "weights": [1], "members": [{text}]}}'
    text = text.replace("{", '{"format": "gsfm-model/1", ', 1)
    (tmp_path / "model" / "config.json").write_text(text)
    with pytest.raises(ModelFormatError, match=r"config\.json"):
        load(tmp_path / "model")


def test_wrong_settings() -> None:
    linear = {"family": "linear"}
    for settings, word in (
        ({"weights": [1.0], "members": [linear, linear]}, "weights"),
        ({"weights": [0, 0], "members": [linear, linear]}, "weights"),
        ({"weights": [], "members": []}, "members"),
        ({"weights": [1], "members": [{"family": "oracle"}]}, r"members\[0\].*oracle"),
        ({"weights": [1], "members": [{}]}, r"members\[0\]"),
        ({"weights": [1], "members": [{**linear, "regularization": 0}]}, "regularization"),
        ({"weights": [1], "members": [{**linear, "speed": 1}]}, r"members\[0\].*speed"),
        ({"weights": [1], "members": ["linear"]}, "members"),
    ):
        with pytest.raises(ValueError, match=word):
            Ensemble(**settings)
    with pytest.raises(NotFittedError):
        Ensemble.of([Linear()])


def test_broken_member_is_named(tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    Ensemble.of([Popularity().fit(CORPUS), Linear().fit(CORPUS)]).save(tmp_path / "model")
    path = tmp_path / "model" / "model.safetensors"
    good = load_file(path)
    cut = good["1.genes"].copy()
    cut[0] = 99
    for tensors, word in (
        ({**good, "1.weights": np.ones((2, 2), np.float32)}, "member 1, linear.*weights"),
        ({**good, "1.more": np.ones(2, np.float32)}, "member 1, linear.*more"),
        ({**good, "2.weights": np.ones(2, np.float32)}, "2.weights"),
        ({**good, "1.genes": cut}, "1.genes"),
    ):
        save_file(tensors, path)
        with pytest.raises(ModelFormatError, match=word):
            load(tmp_path / "model")
