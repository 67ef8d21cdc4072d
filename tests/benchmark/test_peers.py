from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import gsfm.models
from gsfm.benchmark.methods import BATCH, LibraryModel, LibrarySum, ModelMethod, cost_of
from gsfm.benchmark.questions import Questions
from gsfm.genes import Vocabulary
from gsfm.models import Adaptive, Cooccurrence, Ensemble, Linear, Model, Popularity, Published
from gsfm.sets import GeneSets

GENES = [f"G{i}" for i in range(12)]


def corpus(seed: int = 0, sets: int = 40) -> GeneSets:
    rng = np.random.default_rng(seed)
    rows = [rng.choice(12, rng.integers(2, 7), replace=False) for _ in range(sets)]
    return GeneSets.from_ids(Vocabulary(GENES), rows)


def questions(
    background: list[str],
    n: int = 5,
    *,
    protocol: str = "half-split",
    older: GeneSets | None = None,
) -> Questions:
    rng = np.random.default_rng(1)
    vocabulary = Vocabulary(background)
    # Sizes 0 to 4: a method can be shown nothing that it knows.
    drawn = [rng.permutation(len(background))[: 1 + i % 5] for i in range(n)]
    return Questions(
        protocol,
        vocabulary,
        shown=GeneSets.from_ids(vocabulary, [d[1:] for d in drawn]),
        hidden=GeneSets.from_ids(vocabulary, [d[:1] for d in drawn]),
        table=pl.DataFrame({"term": [str(i) for i in range(n)], "split": [0] * n, "k": [None] * n}),
        older=older,
    )


def as_lists(task: Questions) -> list[tuple[str, ...]]:
    return [task.shown.genes(i) for i in range(len(task))]


MODELS = {
    "popularity": Popularity(),
    "cooccurrence": Cooccurrence(),
    "linear": Linear(regularization=2),
    "ensemble": Ensemble.of(
        [Linear().fit(corpus(2)), Cooccurrence().fit(corpus(3)[:3])], weights=[1, 0.5]
    ),
}


@pytest.mark.parametrize("background", [GENES, GENES[::-1], ["G7", "G2", "G3", "G11", "G0"]])
@pytest.mark.parametrize("family", MODELS)
def test_scores_are_those_of_the_model_in_the_order_of_the_background(
    family: str, background: list[str]
) -> None:
    model: Model = MODELS[family]
    if not model.is_fitted:
        model.fit(corpus())
    method, task = ModelMethod(family, model), questions(background, 9)
    method.prepare(task)

    found = method.score(task, slice(2, 9))

    expected = model.score(as_lists(task))[2:, model.vocabulary.ids(background)]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_more_rows_than_a_batch_are_the_same_rows() -> None:
    model = Linear(regularization=2).fit(corpus())
    for background in (GENES, GENES[:7]):
        task = questions(background, 2 * BATCH + 3)
        method = ModelMethod("linear", model)
        whole = method.score(task, slice(0, len(task)))
        parts = [method.score(task, slice(i, i + 100)) for i in range(0, len(task), 100)]
        np.testing.assert_allclose(whole, np.concatenate(parts), rtol=1e-6)


def test_one_method_answers_several_tasks() -> None:
    model = Popularity().fit(corpus())
    method = ModelMethod("popularity", model)
    for background in (GENES[:4], GENES[4:], GENES[:4]):
        task = questions(background)
        method.prepare(task)
        expected = model.values[model.vocabulary.ids(background)]
        assert (method.score(task, slice(0, 1))[0] == expected).all()


def test_a_background_gene_that_the_model_does_not_know_is_an_error() -> None:
    method = ModelMethod("old", Popularity().fit(corpus()))
    with pytest.raises(ValueError, match="old does not know 'NEW' and 1 other genes"):
        method.prepare(questions(["G1", "NEW", "G2", "NEWER"]))


def test_loading_a_folder_tells_kind_and_cost(tmp_path: Path) -> None:
    model = Linear().fit(corpus())
    model.manifest["training"] = {"seconds": 3.5, "peak_memory_bytes": 123, "curve": []}
    model.save(tmp_path / "model")

    method = ModelMethod.load("ours", tmp_path / "model")

    assert (method.name, method.kind) == ("ours", "linear, saved")
    assert method.cost.training_seconds == 3.5
    assert method.cost.peak_memory_bytes == 123
    size = sum(len(file.read_bytes()) for file in (tmp_path / "model").iterdir())
    assert method.cost.size_bytes == size


def test_the_cost_of_an_ensemble_is_that_of_its_members() -> None:
    members = [Popularity().fit(corpus()), Linear().fit(corpus())]
    members[0].manifest["training"] = {"seconds": 2.0, "peak_memory_bytes": 50}
    # A resumed fit: 4 s in the second part, 9 s in all.
    curve = [{"seconds": 5.0}, {"seconds": 9.0}]
    members[1].manifest["training"] = {"seconds": 4.0, "peak_memory_bytes": 70, "curve": curve}

    cost = cost_of(Ensemble.of(members))

    assert (cost.training_seconds, cost.peak_memory_bytes, cost.size_bytes) == (11.0, 70, None)
    del members[0].manifest["training"]
    cost = cost_of(Ensemble.of(members))
    assert (cost.training_seconds, cost.peak_memory_bytes) == (None, None)


def test_a_published_checkpoint_is_asked_by_approved_symbols(tmp_path: Path) -> None:
    # C11orf30 is the previous symbol of EMSY; FAM58A is one of CCNQ, which is there as well.
    vocabulary = Vocabulary(["TP53", "C11orf30", "FAM58A", "CCNQ", "nonsense"])
    sets = GeneSets.from_ids(vocabulary, [[0, 1], [2, 3, 4], [0, 4]])
    folder = tmp_path / "checkpoint"
    Published(d_model=4, depth=1, epochs=1).fit(sets).save(folder)
    # As their makers publish them: the network's settings, no format and no manifest.
    config = json.loads((folder / "config.json").read_text())
    keys = ("vocab_size", "d_model", "depth", "dropout", "partition", "weighted_loss")
    (folder / "config.json").write_text(json.dumps({key: config[key] for key in keys}))
    (folder / "manifest.json").unlink()

    method = ModelMethod.load("theirs", folder)

    assert method.kind == "published checkpoint"
    assert method.vocabulary.symbols == ("TP53", "EMSY", "FAM58A", "CCNQ", "nonsense")
    task = questions(["EMSY", "CCNQ", "TP53"])
    old = [["C11orf30" if gene == "EMSY" else gene for gene in one] for one in as_lists(task)]
    expected = gsfm.models.load(folder).score(old)[:, [1, 3, 0]]
    np.testing.assert_allclose(method.score(task, slice(0, 5)), expected, rtol=1e-5)
    both = ModelMethod("sum", Ensemble.of([method.model, Popularity().fit(corpus())]))
    both.prepare(task)


# -- models of the older release -------------------------------------------------------------------


def test_popularity_of_the_older_release_is_the_annotation_count() -> None:
    background = Vocabulary(["A", "B", "C", "D"])
    older = GeneSets.from_lists(
        [["A", "B"], ["B"], ["B", "C"], ["C", "A"], []], vocabulary=background
    )
    older.metadata = older.metadata.with_columns(weight=pl.Series([100.0, 1, 1, 1, 1]))
    task = questions(list(background), protocol="time-split", older=older)
    method = LibraryModel("annotation count", "popularity")

    assert method.vocabulary is None
    assert method.refuses(task) is None
    method.prepare(task)

    scores = method.score(task, slice(0, 5))
    # B in 3 terms, A and C in 2, D in none, plus the pseudocount, over 4 terms that hold a gene.
    expected = np.log(np.array([3, 4, 3, 1]) / 5)
    np.testing.assert_allclose(scores, np.tile(expected, (5, 1)), rtol=1e-6)
    assert method.cost.training_seconds is not None


def test_it_is_fitted_anew_for_each_task() -> None:
    method = LibraryModel("co-occurrence", "cooccurrence", {"similarity": "conditional"})
    for seed in (4, 5):
        older = corpus(seed)
        task = questions(GENES, 8, protocol="never-seen", older=older)
        method.prepare(task)
        expected = Cooccurrence(similarity="conditional").fit(older).score(as_lists(task))
        np.testing.assert_allclose(method.score(task, slice(0, 8)), expected, rtol=1e-6)


@pytest.mark.parametrize("protocol", ["half-split", "hold-out", "context-switch"])
def test_an_older_release_that_holds_what_is_hidden_is_refused(protocol: str) -> None:
    task = questions(GENES, protocol=protocol, older=corpus())
    assert LibraryModel("count", "popularity").refuses(task) is None
    method = LibraryModel("linear", "linear")
    assert method.refuses(task) == "the older release contains the hidden genes"
    with pytest.raises(
        ValueError, match="linear cannot score these questions: the older release contains"
    ):
        method.prepare(task)


@pytest.mark.parametrize("family", ["popularity", "linear"])
def test_without_an_older_release_it_has_no_part(family: str) -> None:
    method = LibraryModel("peer", family)
    for protocol in ("time-split", "half-split"):
        reason = method.refuses(questions(GENES, protocol=protocol))
        assert reason == "there is no older release of the library"
    empty = GeneSets.from_ids(Vocabulary(GENES), [[], []])
    task = questions(GENES, protocol="time-split", older=empty)
    assert method.refuses(task) == "the older release contains no gene of the background"


def test_a_sum_with_the_library_is_the_model_with_the_library() -> None:
    """Over the genes that the model knows, too, if the background has few of them."""
    base = Adaptive.of([Linear().fit(corpus(2)), Popularity().fit(corpus(2))], weights=[1, 0])
    older = corpus(4)
    task = questions(
        GENES[:9], 8, protocol="time-split", older=older.reindex(Vocabulary(GENES[:9]))
    )
    parts = [
        LibraryModel("terms", "features", {"max_containment": 0.5}),
        LibraryModel("count", "annotation", {"max_containment": 0.5}),
    ]
    method = LibrarySum(
        "sum",
        [*(ModelMethod(model.family, model) for model in base.members), *parts],
        lambda models: Adaptive.of(models, [1, 0, 0.4, 0.1], prior_precision=(10, 10, 50, 50)),
        "a sum",
    )
    method.prepare(task)
    assert task.older is not None
    whole = base.with_library(
        task.older, weights=(0.4, 0.1), prior_precision=50, max_containment=0.5
    )
    expected = whole.score(as_lists(task))[:, whole.vocabulary.ids(GENES[:9])]
    np.testing.assert_allclose(method.score(task, slice(0, 8)), expected, 1e-5, 1e-6)
    assert method.refuses(questions(GENES, protocol="half-split", older=older)) == (
        "the older release contains the hidden genes"
    )


def test_it_must_be_prepared() -> None:
    task = questions(GENES, protocol="time-split", older=corpus())
    with pytest.raises(ValueError, match="peer was not prepared"):
        LibraryModel("peer", "linear").score(task, slice(0, 1))


def test_wrong_families_and_settings_are_told_at_once() -> None:
    with pytest.raises(ValueError, match="no family 'liner'; there are adaptive, "):
        LibraryModel("peer", "liner")
    with pytest.raises(ValueError, match="regularization must be above 0"):
        LibraryModel("peer", "linear", {"regularization": 0})
