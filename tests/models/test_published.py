"""The published architecture against an independent network in torch."""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from gsfm import GeneSets, MissingExtraError, ModelFormatError
from gsfm.models import Published, load
from gsfm.training import Run

GENES = [f"G{i}" for i in range(30)]
WIDTHS = {
    1: ([32, 6], [6, 32]),
    2: ([32, 12, 6], [6, 6, 32]),
    3: ([32, 24, 12, 6], [6, 6, 12, 32]),
    4: ([32, 48, 24, 12, 6], [6, 6, 12, 24, 32]),
}


def checkpoint(folder: Path, layers: int, **changed: Any) -> dict[str, np.ndarray]:
    """Write a folder as its authors publish them; return the tensors."""
    rng = np.random.default_rng(layers)
    tensors = {}
    for name, widths in zip(("encoder", "decoder"), WIDTHS[layers], strict=True):
        for i, (a, b) in enumerate(itertools.pairwise(widths)):
            tensors[f"{name}.layers.{3 * i}.weight"] = rng.normal(size=(b, a)) / np.sqrt(a)
            tensors[f"{name}.layers.{3 * i}.bias"] = rng.normal(size=b)
    tensors = {name: tensor.astype(np.float32) for name, tensor in tensors.items()}
    config = {
        "vocab_size": 32,
        "d_model": 6,
        "depth": layers,
        "dropout": 0.2,
        "partition": 0.8,
        "weighted_loss": "none",
    }
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps({**config, **changed}))
    (folder / "vocab.txt").write_text("\n".join(["<unk>", "<pad>", *GENES]) + "\n")
    save_file(tensors, folder / "model.safetensors")
    return tensors


def torch_logits(tensors: dict[str, np.ndarray], depth: int, sets: list[list[int]]) -> Any:
    """The network as torch builds it: triples, the last activation and dropout removed."""
    torch = pytest.importorskip("torch")
    stacks = []
    for name, widths in zip(("encoder", "decoder"), WIDTHS[depth], strict=True):
        layers = []
        for a, b in itertools.pairwise(widths):
            layers += [torch.nn.Linear(a, b), torch.nn.ReLU(), torch.nn.Dropout(0.2)]
        stack = torch.nn.Sequential(*layers[:-2]).eval()
        prefix = f"{name}.layers."
        stack.load_state_dict(
            {
                key.removeprefix(prefix): torch.from_numpy(value)
                for key, value in tensors.items()
                if key.startswith(prefix)
            }
        )
        stacks.append(stack)
    x = torch.zeros(len(sets), 32)
    for i, tokens in enumerate(sets):
        # A batch is filled up with <pad>, whose column is zeroed.
        x[i, [*tokens, 1]] = 1
    x[:, 1] = 0
    with torch.no_grad():
        middle = stacks[0](x)
        return middle.numpy(), stacks[1](middle).numpy()


@pytest.mark.parametrize("depth", WIDTHS)
def test_equals_torch(tmp_path: Path, depth: int) -> None:
    tensors = checkpoint(tmp_path / "theirs", depth)
    model = load(tmp_path / "theirs")
    assert isinstance(model, Published)
    assert model.vocabulary.symbols == tuple(GENES)
    assert model.manifest == {}
    sets = [[0, 5, 7], [29], [], list(range(30))]
    middle, logits = torch_logits(tensors, depth, [[i + 2 for i in one] for one in sets])
    np.testing.assert_allclose(model.score(sets), logits[:, 2:], atol=1e-5)
    np.testing.assert_allclose(model.embed_sets(sets), middle, atol=1e-5)
    alone, _ = torch_logits(tensors, depth, [[i + 2] for i in range(30)])
    np.testing.assert_allclose(model.embed_genes(), alone, atol=1e-5)


def test_unknown_genes_are_not_the_unknown_token(tmp_path: Path) -> None:
    tensors = checkpoint(tmp_path / "theirs", 2)
    model = load(tmp_path / "theirs")
    known, with_unknown = model.score([["G3"], ["G3", "ACE1", "<unk>", "<pad>"]])
    np.testing.assert_array_equal(known, with_unknown)
    _, fed_as_unknown = torch_logits(tensors, 2, [[0, 5]])
    assert np.abs(fed_as_unknown[0, 2:] - known).max() > 0.01
    assert model.unknown([["G3", "ACE1"]]) == [("ACE1",)]


def test_what_is_saved_has_the_published_layout(tmp_path: Path) -> None:
    tensors = checkpoint(tmp_path / "theirs", 3)
    load(tmp_path / "theirs").save(tmp_path / "ours")
    for name in ("vocab.txt", "model.safetensors"):
        assert (tmp_path / "ours" / name).read_bytes() == (tmp_path / "theirs" / name).read_bytes()
    theirs, ours = (
        json.loads((tmp_path / name / "config.json").read_text()) for name in ("theirs", "ours")
    )
    assert theirs.items() <= ours.items()
    assert ours["family"] == "published"
    # And back: with their keys alone it is a published checkpoint again.
    (tmp_path / "ours" / "config.json").write_text(json.dumps(theirs))
    (tmp_path / "ours" / "manifest.json").unlink()
    again = load(tmp_path / "ours")
    for name, tensor in again._tensors().items():
        np.testing.assert_array_equal(tensor, tensors[name])


def test_optional_null(tmp_path: Path) -> None:
    checkpoint(tmp_path / "theirs", 1, weighted_loss=None)
    assert load(tmp_path / "theirs").config.weighted_loss is None


def test_balance_carries_its_counts(tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    tensors = checkpoint(folder, 1, weighted_loss="balance")
    with pytest.raises(ModelFormatError, match="'bias' is missing"):
        load(folder)
    counts = np.arange(32, dtype=np.float32)
    save_file({**tensors, "bias": counts}, folder / "model.safetensors")
    model = load(folder)
    np.testing.assert_array_equal(model._tensors()["bias"], counts)
    # Another loss has no such tensor.
    checkpoint(folder, 1)
    save_file({**tensors, "bias": counts}, folder / "model.safetensors")
    with pytest.raises(ModelFormatError, match="'bias'"):
        load(folder)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("vocab_size", 31),
        ("vocab_size", -1),
        ("d_model", 7),
        ("d_model", 0),
        ("depth", 1),
        ("depth", 0),
        ("depth", 10**9),
        ("dropout", 1.0),
        ("partition", 1),
        ("partition", -0.1),
        ("weighted_loss", "strange"),
        ("activation", "gelu"),
    ],
)
def test_inconsistent_checkpoints_are_refused(tmp_path: Path, field: str, value: Any) -> None:
    checkpoint(tmp_path / "theirs", 2, **{field: value})
    with pytest.raises(ModelFormatError):
        load(tmp_path / "theirs")


def test_special_tokens_must_come_first(tmp_path: Path) -> None:
    checkpoint(tmp_path / "theirs", 1)
    vocab = tmp_path / "theirs" / "vocab.txt"
    vocab.write_text("\n".join(["<pad>", "<unk>", *GENES]) + "\n")
    with pytest.raises(ModelFormatError, match=r"vocab\.txt.*<unk>"):
        load(tmp_path / "theirs")


# -- learning -------------------------------------------------------------------------------------


def test_what_is_shown_and_what_is_hidden() -> None:
    pytest.importorskip("torch")
    from gsfm.models.published.fit import draw

    sets = GeneSets.from_ids(load_vocabulary(), [np.arange(20), [3], [4, 5], np.arange(10)])
    rows = np.array([2, 0, 3, 1])
    for partition, shown_sizes in ((0.8, [3, 0, 0, 1]), (0.5, [9, 0, 0, 4]), (0.0, [20, 1, 2, 10])):
        batch = draw(sets, rows, partition, np.random.default_rng(0))
        for i, row in enumerate(rows):
            members = set((sets.ids(row) + 2).tolist())
            shown = batch.shown[batch.shown_rows == i].tolist()
            hidden = batch.hidden[batch.hidden_rows == i].tolist()
            assert len(shown) == shown_sizes[row]
            if partition == 0:
                assert set(shown) == set(hidden) == members
            else:
                assert sorted([*shown, *hidden]) == sorted(members)


def load_vocabulary() -> Any:
    return GeneSets.from_lists([sorted(GENES)]).vocabulary


def test_fit_sets_the_vocabulary_size_and_reports() -> None:
    pytest.importorskip("torch")
    sets = GeneSets.from_lists([["A", "B", "C"], ["B", "C", "D"]] * 5)
    seen = []
    model = Published(d_model=4, epochs=3, batch_size=4, weighted_loss="balance", partition=0.6)
    run = Run(
        n_threads=1, progress=seen.append, watch=lambda model: float(model.score([[0]])[0, 1])
    )
    model.fit(sets, run=run)
    assert model.config.vocab_size == model.manifest["config"]["vocab_size"] == 6
    assert [moment.step for moment in seen] == list(range(1, 10))
    assert {moment.steps for moment in seen} == {9}
    assert [moment.watched is not None for moment in seen] == [False, False, True] * 3
    for moment in seen:
        sets_seen = moment.step // 3 * 10 + moment.step % 3 * 4
        assert moment.sets_per_second * moment.seconds == pytest.approx(sets_seen)
    assert [point["step"] for point in model.curve] == [3, 6, 9]
    assert model.curve[-1]["watched"] == pytest.approx(float(model.score([[0]])[0, 1]), abs=1e-3)
    # Three passes over ten sets, the counts starting at 1; two of three genes hidden each time.
    assert model.counts is not None
    assert model.counts[1] == 31
    assert model.counts[2:].sum() == 4 + 3 * 10 * 2


def test_partition_zero_has_no_unseen_genes() -> None:
    with pytest.raises(ValueError, match="unseen"):
        Published(partition=0, weighted_loss="unseen")


def test_fit_without_torch_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r".\[train\]"):
        Published().fit(GeneSets.from_lists([["A", "B"]]))
