"""Training: batches, the loss and its gradient, resuming, and what is saved."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import json
import os
import signal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax

from gsfm import FormatError, GeneSets, GsfmError, Vocabulary
from gsfm.models import Autoencoder, Ensemble, Popularity, Published, load, train
from gsfm.models.held_out import HeldOut
from gsfm.training import Interrupted
from gsfm.training.batches import HoldOutBatches, split
from gsfm.training.run import Run

torch = pytest.importorskip("torch")

from safetensors import safe_open  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402

from gsfm.models.autoencoder.fit import Network, _update_averages  # noqa: E402
from gsfm.models.published.fit import draw  # noqa: E402
from gsfm.training.checkpoint import KEY  # noqa: E402
from gsfm.training.loss import hidden_gene_loss, logistic_loss  # noqa: E402

SMALL = {"dimensions": 12, "hidden": 16, "batch_size": 8, "epochs": 6.0, "storage": "float32"}


def blocks(n_sets: int = 60, n_genes: int = 40, random_state: int = 0) -> GeneSets:
    """Sets drawn from the first or the second half of the genes."""
    rng = np.random.default_rng(random_state)
    half = n_genes // 2
    rows = [
        rng.choice(half, rng.integers(10, 15), replace=False) + half * (i % 2)
        for i in range(n_sets)
    ]
    return GeneSets.from_ids(Vocabulary(f"G{i:02d}" for i in range(n_genes)), rows)


@pytest.fixture(scope="module")
def corpus() -> GeneSets:
    return blocks()


@given(
    sizes=st.lists(st.integers(2, 30), min_size=1, max_size=8),
    share=st.floats(0.05, 0.95),
    cap=st.integers(2, 12),
    random_state=st.integers(0, 99),
)
@settings(max_examples=60)
def test_split_shows_and_hides_members_of_the_set_only(sizes, share, cap, random_state):
    rng = np.random.default_rng(random_state)
    vocabulary = Vocabulary(f"G{i}" for i in range(40))
    sets = GeneSets.from_ids(vocabulary, [rng.choice(40, n, replace=False) for n in sizes])
    rows = rng.integers(len(sizes), size=5)
    batch = split(sets, rows, np.full(5, share), rng, max_members=cap)
    for b, row in enumerate(rows):
        shown = set(batch.shown[batch.shown_rows == b].tolist())
        hidden = set(batch.hidden[batch.hidden_rows == b].tolist())
        assert shown
        assert hidden
        assert not shown & hidden
        assert shown | hidden <= set(sets.ids(row).tolist())
        assert len(shown) + len(hidden) == min(cap, sizes[row])


def test_batches_depend_on_seed_and_step_alone(corpus):
    def make(random_state):
        return HoldOutBatches(
            corpus,
            corpus.weights,
            batch_size=4,
            share=(0.2, 0.8),
            max_members=9,
            random_state=random_state,
        )

    a, b = make(1), make(1)
    a(1), a(2)
    np.testing.assert_array_equal(a(3).shown, b(3).shown)
    assert not np.array_equal(a(3).shown[:5], a(4).shown[:5])
    assert not np.array_equal(a(3).shown[:5], make(2)(3).shown[:5])


def test_sets_are_drawn_in_proportion_to_their_weights():
    sets = GeneSets.from_lists([["A", "B"], ["C", "D"], ["E", "F"], ["G"]])
    draw = HoldOutBatches(
        sets, np.array([3.0, 1.0, 0.0, 9.0]), batch_size=4000, share=(0.5, 0.5), max_members=9
    )
    batch = draw(1)
    drawn = np.bincount(batch.shown, minlength=7) + np.bincount(batch.hidden, minlength=7)
    # A set of weight 0 and a set of one gene are never drawn.
    np.testing.assert_allclose(drawn / 4000, [0.75, 0.75, 0.25, 0.25, 0, 0, 0], atol=0.03)


def test_loss_and_gradient_are_those_of_a_softmax_without_the_shown_genes():
    rng = np.random.default_rng(0)
    vectors, table, bias = (
        torch.tensor(rng.normal(size=shape), dtype=torch.float32, requires_grad=True)
        for shape in ((2, 3), (6, 3), (6,))
    )
    shown, hidden = ([[0, 1], [2]], [[3, 5], [0]])
    pairs = [
        tuple(
            torch.tensor(x)
            for x in zip(*[(r, g) for r, m in enumerate(side) for g in m], strict=True)
        )
        for side in (shown, hidden)
    ]
    loss = hidden_gene_loss(vectors, table, bias, *pairs, torch.float32)
    loss.backward()
    got = [x.grad.clone() for x in (vectors, table, bias)]

    # By SciPy.
    logits = (vectors @ table.T + bias).detach().numpy()
    for row, genes in enumerate(shown):
        logits[row, genes] = -np.inf
    log_p = log_softmax(logits, axis=1)
    assert loss.item() == pytest.approx(-np.mean([log_p[0, [3, 5]].mean(), log_p[1, 0]]), rel=1e-5)

    # By autograd.
    for x in (vectors, table, bias):
        x.grad = None
    again = vectors @ table.T + bias
    mask = torch.zeros_like(again)
    for row, genes in enumerate(shown):
        mask[row, genes] = -torch.inf
    again = torch.log_softmax(again + mask, dim=1)
    (-(again[0, [3, 5]].mean() + again[1, 0]) / 2).backward()
    for mine, theirs in zip(got, (vectors.grad, table.grad, bias.grad), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("tied", [False, True])
def test_numpy_scores_are_those_of_the_torch_network(corpus, tied):
    model = Autoencoder(**SMALL, tied=tied).fit(corpus)
    network = Network(corpus.n_genes, model.config, torch.float32).eval()
    state = {"input_vectors": model.input_vectors, "output_bias": model.output_bias, **model.block}
    if not tied:
        state["output_vectors"] = model.output_vectors
    network.load_state_dict({name: torch.from_numpy(x) for name, x in state.items()})
    genes = torch.from_numpy(corpus.indices.astype(np.int64))
    with torch.no_grad():
        vectors = network(genes, torch.from_numpy(corpus.indptr[:-1]))
        logits = vectors @ network.table.T + network.output_bias
    np.testing.assert_allclose(model.score(corpus), logits.numpy(), atol=1e-5)
    np.testing.assert_allclose(model.embed_sets(corpus), vectors.numpy(), atol=1e-5)


def test_it_learns_the_blocks(corpus):
    held, rows = HeldOut.draw(corpus, 6)
    model = Autoencoder(**{**SMALL, "epochs": 60}).fit(corpus[rows])
    scores = model.score(held.shown)
    for i in range(len(held)):
        first = held.shown.ids(i)[0] < 20
        others = np.setdiff1d(np.arange(40), held.shown.ids(i))
        best = others[np.argsort(-scores[i, others])][:3]
        assert ((best < 20) == first).all()
    # Chance finds a fraction of 10 in 40.
    assert held.recall(model, 10) > 0.5 > 2 * held.recall(Popularity().fit(corpus[rows]), 10) - 0.5
    losses = [point["loss"] for point in model.curve]
    assert losses[-1] < losses[0]


def test_held_out_recall_by_brute_force(corpus):
    held, rows = HeldOut.draw(corpus, 5, random_state=3)
    assert len(held) == 5
    assert len(rows) == len(corpus) - 5
    model = Popularity().fit(corpus[rows])
    scores = model.score(held.shown)
    expected = []
    for i in range(5):
        shown, hidden = set(held.shown.ids(i).tolist()), set(held.hidden.ids(i).tolist())
        assert not shown & hidden
        assert any(shown | hidden == set(corpus.ids(j).tolist()) for j in range(len(corpus)))
        ranked = [g for g in np.argsort(-scores[i], kind="stable") if g not in shown][:4]
        expected.append(len(hidden & set(ranked)) / min(len(hidden), 4))
    # Popularity has ties, which may fall either way; take what cannot depend on them.
    scores_distinct = len(np.unique(scores[0])) == scores.shape[1]
    if scores_distinct:
        assert held.recall(model, 4) == pytest.approx(np.mean(expected))
    assert held.recall(model, 40) == pytest.approx(1.0)


def test_the_same_seed_gives_the_same_model(corpus):
    run = Run(n_threads=1)
    a, b, c = (
        Autoencoder(**SMALL).fit(corpus, random_state=s, run=run).score(corpus) for s in (1, 1, 2)
    )
    np.testing.assert_array_equal(a, b)
    assert not np.allclose(a, c)


@pytest.mark.parametrize(("dropout", "average"), [(0.0, 0.25), (0.2, 0.0)])
def test_a_stopped_run_resumes_to_the_same_model(corpus, tmp_path, dropout, average):
    model = {**SMALL, "dropout": dropout, "average": average}
    straight = Autoencoder(**model).fit(corpus, run=Run(n_threads=1)).score(corpus)

    def stop_at_20(progress):
        if progress.step == 20:
            os.kill(os.getpid(), signal.SIGINT)

    run = Run(n_threads=1, checkpoint=tmp_path / "checkpoint", progress=stop_at_20)
    stopped = Autoencoder(**model)
    with pytest.raises(Interrupted, match="step 20 of"):
        stopped.fit(corpus, run=run)
    resumed = Autoencoder(**model).fit(
        corpus, run=Run(n_threads=1, checkpoint=run.checkpoint, resume=True)
    )
    np.testing.assert_array_equal(resumed.score(corpus), straight)


def test_an_average_is_over_about_the_last_share_of_the_steps():
    weights = {"w": torch.zeros(1)}
    mean = {"w": torch.full((1,), -7.0)}  # what it starts from is forgotten at once
    for step in range(1, 2001):
        weights["w"].fill_(float(step))
        if step % 4 == 0:
            _update_averages(weights, mean, 4 / (0.25 * step))
    # With weights as old as (1 - u) at the power 1 / 0.25 - 1 of u, the mean age is a fifth.
    assert mean["w"].item() == pytest.approx(2000 * (1 - 0.25 / 1.25), rel=0.01)


def test_the_model_has_the_average_of_the_weights(corpus, monkeypatch):
    steps, seen = [], []

    def spy(parameters, averages, weight):
        seen.append(parameters["input_vectors"].detach().numpy().copy())
        _update_averages(parameters, averages, weight)

    monkeypatch.setattr("gsfm.models.autoencoder.fit._update_averages", spy)
    run = Run(n_threads=1, progress=lambda p: steps.append(p.step))
    model = Autoencoder(**SMALL, average=0.5).fit(corpus, run=run)
    assert steps[-1] == 45
    at = [4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 45]  # every fourth, and the last
    share = [min(1, 4 / (0.5 * step)) for step in at]
    # Each counts its share of what the later ones leave of it.
    weights = [
        own * np.prod([1 - later for later in share[i + 1 :]]) for i, own in enumerate(share)
    ]
    assert sum(weights) == pytest.approx(1)
    mean = np.average(seen, axis=0, weights=weights)
    np.testing.assert_allclose(model.input_vectors, mean, atol=1e-6)
    assert np.abs(model.input_vectors - seen[-1]).max() > 1e-3


def test_a_checkpoint_of_another_run_is_refused(corpus, tmp_path):
    run = Run(checkpoint=tmp_path / "checkpoint", resume=True)
    Autoencoder(**SMALL).fit(corpus, run=run)
    with pytest.raises(FormatError, match="its seed differs"):
        Autoencoder(**SMALL).fit(corpus, random_state=9, run=run)
    run.checkpoint.write_bytes(b"\x80\x04not tensors")
    with pytest.raises(FormatError, match="not a checkpoint"):
        Autoencoder(**SMALL).fit(corpus, run=run)


def test_train_saves_the_model_with_what_it_cost(corpus, tmp_path):
    seen = []
    run = Run(n_threads=1, watches=3, checkpoint=tmp_path / "checkpoint", progress=seen.append)
    model = train(Autoencoder(**SMALL), corpus, tmp_path / "model", held_out=6, run=run)
    again = load(tmp_path / "model")
    np.testing.assert_array_equal(again.score(corpus), model.score(corpus))
    training = json.loads((tmp_path / "model" / "manifest.json").read_text())["training"]
    assert training["held_out_sets"] == 6
    assert training["finished"] is True
    assert 0 < training["recall_at_50"] <= 1
    assert training["peak_memory_bytes"] > 10**7
    assert [point["watched"] is not None for point in training["curve"]] == [True] * 3
    assert [p.step for p in seen] == list(range(1, seen[-1].steps + 1))
    assert not (tmp_path / "checkpoint").exists()


def test_train_calibrates_on_half_of_what_it_holds_out(tmp_path):
    model = train(Popularity(), blocks(n_sets=900), tmp_path / "model", held_out=80)
    training = json.loads((tmp_path / "model" / "manifest.json").read_text())["training"]
    measured = training["calibration"]
    assert measured["fitted_sets"] == measured["measured_sets"] == 40
    assert measured["error_top_10"] < 0.15
    sets = [["G00", "G03", "G07"]]
    np.testing.assert_array_equal(
        load(tmp_path / "model").probability(sets), model.probability(sets)
    )
    # The same figures by hand, of the sets that did not calibrate.
    held, _ = HeldOut.draw(blocks(n_sets=900), 80)
    test = held[1::2]
    scores, probability = model.score_and_probability(test.shown)
    p, y = [], []
    for i in range(40):
        shown = test.shown.ids(i)
        others = np.setdiff1d(np.arange(40), shown)
        best = others[np.argsort(-scores[i, others], kind="stable")][:10]
        p += probability[i, best].tolist()
        y += np.isin(best, test.hidden.ids(i)).tolist()
    assert measured["predicted_top_10"] == pytest.approx(np.mean(p), abs=1e-4)
    assert measured["observed_top_10"] == pytest.approx(np.mean(y), abs=1e-4)
    few = train(Popularity(), blocks(n_sets=300), tmp_path / "few", held_out=80)
    assert few.calibration is None
    assert few.manifest["training"]["calibration"] is None


def test_a_stopped_training_saves_the_model_so_far(corpus, tmp_path):
    def stop(progress):
        if progress.step == 3:
            os.kill(os.getpid(), signal.SIGINT)

    run = Run(n_threads=1, checkpoint=tmp_path / "checkpoint", progress=stop)
    with pytest.raises(Interrupted):
        train(Autoencoder(**SMALL), corpus, tmp_path / "model", run=run)
    assert load(tmp_path / "model").manifest["training"]["finished"] is False
    done = train(
        Autoencoder(**SMALL),
        corpus,
        tmp_path / "model",
        run=dataclasses.replace(run, resume=True, progress=lambda progress: None),
    )
    assert done.manifest["training"]["finished"] is True


@pytest.mark.parametrize(
    "make",
    [
        functools.partial(Autoencoder, **SMALL),
        functools.partial(Published, d_model=4, epochs=12, batch_size=16, learning_rate=0.5),
    ],
)
def test_snapshots_of_a_training(tmp_path, make, monkeypatch):
    """By brute force: the model of every look is kept, and compared with what was saved."""
    corpus = blocks(n_genes=240)  # more than the 50 that recall is of
    scores, recalls = [], []
    recall = HeldOut.recall

    def spy(self, model, k=50):
        scores.append(model.score(corpus))
        recalls.append(recall(self, model, k))
        return recalls[-1]

    monkeypatch.setattr(HeldOut, "recall", spy)
    run = Run(n_threads=1, watches=6, checkpoint=tmp_path / "checkpoint")
    snapshots = {"best": tmp_path / "best", 2: tmp_path / "second"}
    model = train(make(), corpus, tmp_path / "model", held_out=6, run=run, snapshots=snapshots)
    assert len(set(recalls)) > 1, "nothing to tell the best from"
    best = int(np.argmax(recalls[:6]))
    for at, folder in ((best, tmp_path / "best"), (1, tmp_path / "second")):
        kept = load(folder)
        np.testing.assert_array_equal(kept.score(corpus), scores[at])
        training = kept.manifest["training"]
        assert training["step"] == model.curve[at]["step"]
        assert training["seconds"] == pytest.approx(model.curve[at]["seconds"], abs=0.1)
        assert training["recall_at_50"] == recalls[at]
        assert training["finished"] is True
        assert kept.manifest["config"] == model.manifest["config"]

    # Stopped late and resumed: what was best before stays.
    def stop(progress):
        if progress.step == model.curve[-1]["step"] - 1:
            os.kill(os.getpid(), signal.SIGINT)

    again = dataclasses.replace(run, progress=stop)
    other = {"best": tmp_path / "best 2", 2: tmp_path / "second 2"}
    with pytest.raises(Interrupted):
        train(make(), corpus, tmp_path / "model 2", held_out=6, run=again, snapshots=other)
    assert load(other[2]).manifest["training"]["finished"] is False
    again = dataclasses.replace(run, resume=True)
    train(make(), corpus, tmp_path / "model 2", held_out=6, run=again, snapshots=other)
    for at, folder in snapshots.items():
        first, second = load(folder), load(other[at])
        np.testing.assert_array_equal(first.score(corpus), second.score(corpus))
        steps = [m.manifest["training"]["step"] for m in (first, second)]
        assert steps[0] == steps[1]
        assert second.manifest["training"]["finished"] is True


def test_a_run_that_was_stopped_early_has_no_late_snapshot(corpus, tmp_path):
    def stop(progress):
        if progress.step == 3:
            os.kill(os.getpid(), signal.SIGINT)

    run = Run(n_threads=1, watches=6, progress=stop)
    late = {6: tmp_path / "late"}
    with pytest.raises(Interrupted):
        train(Autoencoder(**SMALL), corpus, tmp_path / "m", held_out=6, run=run, snapshots=late)
    assert not (tmp_path / "late").exists()


def test_snapshots_need_looks(corpus, tmp_path):
    folder = tmp_path / "model"
    for model, held_out, run in (
        (Popularity(), 6, Run()),
        (Ensemble(weights=[1], members=[{"family": "autoencoder", **SMALL}]), 6, Run()),
        (Autoencoder(**SMALL), 0, Run()),
        (Autoencoder(**SMALL), 6, Run(watches=0)),
    ):
        best = {"best": tmp_path / "best"}
        with pytest.raises(GsfmError, match="held-out sets, and a family"):
            train(model, corpus, folder, held_out=held_out, run=run, snapshots=best)
    for at in (0, 17, "last"):
        with pytest.raises(ValueError, match=f"'best' or at evaluation 1 to 16, not {at!r}"):
            train(Autoencoder(**SMALL), corpus, folder, snapshots={at: tmp_path / "s"})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("storage", "error"),
    [("float32", 0), ("float16", 2e-2), ("int8", 0.2), ("int4", 2)],
)
def test_storage_changes_the_scores_a_little(corpus, tmp_path, storage, error):
    model = Autoencoder(**{**SMALL, "storage": storage}).fit(corpus)
    model.save(tmp_path / "model")
    difference = np.abs(load(tmp_path / "model").score(corpus) - model.score(corpus))
    assert difference.max() <= error


def test_two_numbers_a_byte_are_two_parameters():
    corpus = blocks(20)
    counts = {
        storage: Autoencoder(**{**SMALL, "dimensions": 5, "storage": storage, "epochs": 0.5})
        .fit(corpus)
        .n_parameters
        for storage in ("float32", "int8", "int4")
    }
    scales = 2 * corpus.n_genes
    assert counts["int4"] == counts["int8"] == counts["float32"] + scales


def test_low_precision_stays_close(corpus):
    pair = []
    for precision in ("fp32", "bf16"):
        model = Autoencoder(**SMALL).fit(corpus, run=Run(n_threads=1, precision=precision))
        pair.append(model.curve[-1]["loss"])
    assert pair[0] == pytest.approx(pair[1], rel=0.03)
    assert pair[0] != pair[1]


@pytest.mark.parametrize("step", [3, 8, 17])
def test_a_published_model_that_was_stopped_resumes_to_the_same_model(corpus, tmp_path, step):
    def stop(progress):
        if progress.step == step:
            os.kill(os.getpid(), signal.SIGINT)

    # Four steps a pass; the learning rate is cut within the run, and "balance" has counts.
    make = functools.partial(
        Published, d_model=4, epochs=25, batch_size=16, weighted_loss="balance", learning_rate=0.5
    )
    straight = make().fit(corpus, run=Run(n_threads=1)).score(corpus)
    run = Run(n_threads=1, progress=stop, checkpoint=tmp_path / "checkpoint")
    with pytest.raises(Interrupted, match=f"step {step} of 100"):
        train(make(), corpus, tmp_path / "model", held_out=0, run=run)
    stopped = load(tmp_path / "model")
    assert stopped.manifest["training"]["finished"] is False
    assert not np.array_equal(stopped.score(corpus), straight)
    again = dataclasses.replace(run, resume=True, progress=lambda progress: None)
    resumed = train(make(), corpus, tmp_path / "model", held_out=0, run=again)
    np.testing.assert_array_equal(resumed.score(corpus), straight)
    np.testing.assert_array_equal(resumed.counts, make().fit(corpus, run=Run(n_threads=1)).counts)


def test_a_family_fitted_in_one_go_cannot_resume(corpus, tmp_path):
    with pytest.raises(GsfmError, match="family popularity is fitted in one go"):
        train(Popularity(), corpus, tmp_path / "model", run=Run(resume=True))


@pytest.mark.parametrize("family", [Autoencoder, Published])
def test_a_fit_ends_when_its_time_is_over(corpus, family):
    moments = []
    model = family(epochs=100_000, batch_size=16)
    model.fit(corpus, run=Run(n_threads=1, max_seconds=0.5, progress=moments.append))
    assert moments[-2].seconds < 0.5 <= moments[-1].seconds
    assert model.curve[-1]["step"] == moments[-1].step < moments[-1].steps
    assert model.score(corpus).shape == (len(corpus), 40)
    with pytest.raises(ValueError, match="max_seconds must be above 0"):
        Run(max_seconds=0)


def test_the_logistic_autoencoder_learns_the_probability_of_a_member():
    """Shown A, it was B in half of the sets, C and D in a quarter each, and A itself in all."""
    corpus = GeneSets.from_lists([["A", "B"], ["A", "B"], ["A", "C"], ["A", "D"], ["X", "Y"]] * 40)
    model = Autoencoder(
        dimensions=16, hidden=16, batch_size=64, epochs=100, targets="all", loss="logistic"
    ).fit(corpus, random_state=0)
    scores = model.score([["A"]])[0]
    probability = dict(zip(model.vocabulary.symbols, 1 / (1 + np.exp(-scores)), strict=True))
    for gene, expected in {"A": 1, "B": 0.5, "C": 0.25, "D": 0.25, "X": 0, "Y": 0}.items():
        assert probability[gene] == pytest.approx(expected, abs=0.06), gene


def test_the_logistic_loss_is_of_all_members():
    with pytest.raises(ValueError, match="targets='all'"):
        Autoencoder(loss="logistic")


@pytest.mark.parametrize("balanced", [False, True])
def test_logistic_loss_and_gradient_are_those_of_torch(balanced):
    rng = np.random.default_rng(0)
    inputs = [
        torch.tensor(rng.normal(size=shape), dtype=torch.float32, requires_grad=True)
        for shape in ((3, 4), (6, 4), (6,))
    ]
    hidden = (torch.tensor([0, 0, 2]), torch.tensor([1, 5, 2]))  # the second set hides nothing
    weights = torch.tensor([1.0, 0.5, 2.0])
    positive = torch.tensor([3.0, 0.5, 2.0, 1.0, 1.0, 4.0]) if balanced else None
    got = logistic_loss(*inputs, hidden, weights, positive, torch.float32)
    (2 * got).backward()
    gradients = [x.grad.clone() for x in inputs]
    for x in inputs:
        x.grad = None

    wanted = torch.zeros(3, 6)
    wanted[hidden] = 1
    vectors, table, bias = inputs
    each = torch.nn.functional.binary_cross_entropy_with_logits(
        vectors @ table.T + bias, wanted, pos_weight=positive, reduction="none"
    )
    theirs = (each.mean(1) * weights).sum() / weights.sum()
    (2 * theirs).backward()
    assert got.item() == pytest.approx(theirs.item(), rel=1e-6)
    for mine, x in zip(gradients, inputs, strict=True):
        torch.testing.assert_close(mine, x.grad, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("partition", [0.0, 0.6])
def test_published_steps_are_those_of_a_plain_torch_network(corpus, partition):
    """The authors' network, written plainly, on the same batches: multi-hot in, dense loss."""
    model = Published(d_model=4, depth=2, dropout=0.0, epochs=1, batch_size=16, partition=partition)
    model.fit(corpus, random_state=3, run=Run(n_threads=1, precision="fp32"))
    torch.manual_seed(3)
    linear = [
        torch.nn.Linear(a, b) for widths in model.widths() for a, b in itertools.pairwise(widths)
    ]
    relu = torch.nn.ReLU()
    network = torch.nn.Sequential(linear[0], relu, linear[1], linear[2], relu, linear[3])
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    order = np.random.default_rng([3, 0]).permutation(len(corpus))
    for at in range(4):
        rows = order[at * 16 : (at + 1) * 16]
        batch = draw(corpus, rows, partition, np.random.default_rng([3, 0, at]))
        shown, hidden = np.zeros((2, batch.n, 42), np.float32)
        shown[batch.shown_rows, batch.shown] = 1
        hidden[batch.hidden_rows, batch.hidden] = 1
        optimizer.zero_grad()
        logits = network(torch.from_numpy(shown))
        torch.nn.functional.binary_cross_entropy_with_logits(
            logits, torch.from_numpy(hidden)
        ).backward()
        optimizer.step()
    with torch.no_grad():
        dense = torch.from_numpy(np.pad(corpus.to_csr().toarray(), ((0, 0), (2, 0))))
        theirs = network(dense)[:, 2:].numpy()
    np.testing.assert_allclose(model.score(corpus), theirs, atol=1e-5)


def test_an_ensemble_resumes_its_members_and_leaves_no_checkpoint(corpus, tmp_path):
    members = ({"family": "autoencoder", **SMALL}, {"family": "linear"})
    straight = Ensemble(members=members).fit(corpus, run=Run(n_threads=1)).score(corpus)

    def stop(progress):
        if progress.step == 7:
            os.kill(os.getpid(), signal.SIGINT)

    run = Run(n_threads=1, checkpoint=tmp_path / "model.checkpoint", progress=stop)
    with pytest.raises(Interrupted):
        train(Ensemble(members=members), corpus, tmp_path / "model", held_out=0, run=run)
    # A sum without its second member is no model.
    assert not (tmp_path / "model").exists()
    assert (tmp_path / "model.0.checkpoint").exists()
    again = dataclasses.replace(run, resume=True, progress=lambda progress: None)
    train(Ensemble(members=members), corpus, tmp_path / "model", held_out=0, run=again)
    np.testing.assert_array_equal(load(tmp_path / "model").score(corpus), straight)
    assert not list(tmp_path.glob("*.checkpoint"))


def test_damaged_checkpoints_are_refused(corpus, tmp_path):
    path = tmp_path / "checkpoint"
    run = Run(checkpoint=path, resume=True, n_threads=1)
    Autoencoder(**SMALL).fit(corpus, run=run)
    good = load_file(path)
    with safe_open(path, "pt") as stored:
        about = stored.metadata()
    state = json.loads(about[KEY])
    first = min(good)
    for tensors, changes in (
        ({first: good[first][:1]}, {}),
        ({first: good[first].double()}, {}),
        ({}, {"step": state["step"] + 1}),
        ({}, {"step": 0}),
        ({}, {"step": "1"}),
        ({}, {"curve": None}),
        ({}, {"identity": []}),
        ({}, {"learner": None, "seconds": None}),
    ):
        text = json.dumps({**state, **changes})
        save_file({**good, **tensors}, path, {KEY: text})
        with pytest.raises(FormatError, match="not a checkpoint"):
            Autoencoder(**SMALL).fit(corpus, run=run)


def test_a_checkpoint_of_other_sets_is_refused(corpus, tmp_path):
    run = Run(checkpoint=tmp_path / "checkpoint", resume=True)
    Autoencoder(**SMALL).fit(corpus, run=run)
    other = blocks(random_state=1)
    same_size = other[np.arange(len(other))]
    with pytest.raises(FormatError, match="differs"):
        Autoencoder(**SMALL).fit(same_size, run=run)
