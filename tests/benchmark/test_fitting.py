"""The corpus of a run, and models fitted in a process of their own."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time

import numpy as np
import polars as pl
import pytest

from gsfm import GeneSets, GsfmError, MissingExtraError, Vocabulary, models
from gsfm.benchmark import fitting
from gsfm.benchmark.corpora import counts, select, weighted, without
from gsfm.benchmark.fitting import trained, unfitted
from gsfm.benchmark.methods import ModelMethod
from gsfm.corpus import content_hash
from gsfm.models import Popularity


@pytest.fixture(scope="module")
def corpus() -> GeneSets:
    rng = np.random.default_rng(0)
    rows = [[f"G{i}" for i in rng.choice(30, 6, replace=False)] for _ in range(60)]
    sets = GeneSets.from_lists([*rows, ["ONLY", "NEW"]])
    years = [2010 + i % 10 for i in range(60)]
    sets.metadata = sets.metadata.with_columns(
        year=pl.Series([None, *years[1:], 2030], dtype=pl.Int32),
        source=pl.Series(["papers" if i % 3 else "screens a" for i in range(61)]),
    )
    return sets


def test_up_to_a_year_and_without_a_source(corpus):
    kept, dropped = select(corpus, until=2014, exclude=["screens*"])
    rows = [i for i in range(1, 60) if i % 3 and i % 10 <= 4]
    assert kept.names == [corpus.names[i] for i in rows]
    assert [kept.genes(i) for i in range(len(kept))] == [corpus.genes(i) for i in rows]
    # The set without a year is a screen; 20 screens of the 61 sets and itself are left out first.
    assert dropped == {"excluded": 21, "without_year": 0, "too_new": 40 - len(rows)}
    assert "ONLY" not in kept.vocabulary
    kept, dropped = select(corpus, until=2014)
    assert dropped["without_year"] == 1
    assert len(kept) + sum(dropped.values()) == len(corpus)


def test_a_corpus_of_which_nothing_is_wanted_stays_as_it_is(corpus):
    kept, dropped = select(corpus)
    assert kept is corpus
    assert set(dropped.values()) == {0}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"until": 1990}, "no set of the corpus is left: 1 without year, 60 too new"),
        ({"exclude": ["screen"]}, "no source 'screen'; it has papers, screens a"),
        ({"exclude": ["*"]}, "no set of the corpus is left: 61 excluded"),
    ],
)
def test_a_corpus_of_which_nothing_is_left(corpus, options, message):
    with pytest.raises(GsfmError, match=message.replace("?", r"\?").replace("*", r"\*")):
        select(corpus, **options)


def test_a_corpus_without_years_or_sources():
    sets = GeneSets.from_lists([["A"]])
    with pytest.raises(GsfmError, match="no column 'year'"):
        select(sets, until=2000)
    with pytest.raises(GsfmError, match="no column 'source'"):
        weighted(sets, {"papers": 2})


def test_weights_are_multiplied(corpus):
    once = weighted(corpus, {"papers": 3, "*": 0.5})
    assert once.weights[:3].tolist() == [0.5, 1.5, 1.5]
    assert weighted(once, {"papers": 2}).weights[:3].tolist() == [0.5, 3, 3]
    assert set(corpus.weights) == {1}


def test_without_some_sets_the_genes_stay(corpus):
    left = without(corpus, np.array([60, 0]))
    assert left.names == corpus.names[1:60]
    assert left.vocabulary == corpus.vocabulary


def test_counts_are_those_of_a_dictionary(corpus):
    background = Vocabulary(["G3", "UNKNOWN", "ONLY"])
    lists = [corpus.genes(i) for i in range(len(corpus))]
    expected = [sum(gene in genes for genes in lists) for gene in background]
    assert counts(corpus, background).tolist() == expected
    assert expected[1:] == [0, 1]


# -- fitting ---------------------------------------------------------------------------------------


def test_a_model_is_fitted_once_and_its_cost_is_its_own(corpus, tmp_path, monkeypatch):
    folder = tmp_path / "models" / "popularity"
    heavy = np.ones(10**8, np.uint8)  # this process holds it; the fit's does not
    started = time.monotonic()
    trained(unfitted("popularity", {}), corpus, "h", folder, seed=3)
    whole = time.monotonic() - started
    paid = ModelMethod.load("popularity", folder).cost
    assert 10**7 < paid.peak_memory_bytes < 4 * 10**8
    assert paid.size_bytes == sum(f.stat().st_size for f in folder.iterdir())
    assert 0 <= paid.training_seconds <= whole
    del heavy
    model = models.load(folder)
    expected = Popularity().fit(corpus).score([["G1"]])
    np.testing.assert_array_equal(model.score([["G1"]]), expected)
    assert model.manifest["seed"] == 3
    assert sorted(p.name for p in folder.parent.iterdir()) == ["popularity", "popularity.json"]
    monkeypatch.setattr(fitting, "_run", lambda *a: pytest.fail("it was there already"))
    trained(unfitted("popularity", {}), corpus, "h", folder, seed=3)


def test_a_model_of_something_else_is_not_taken(corpus, tmp_path):
    folder = tmp_path / "popularity"
    trained(unfitted("popularity", {}), corpus, "h", folder)
    model = unfitted("popularity", {})
    with pytest.raises(GsfmError, match=r"another seed; remove it and popularity.json"):
        trained(model, corpus, "h", folder, seed=1)
    with pytest.raises(GsfmError, match="another corpus"):
        trained(model, corpus, "i", folder)
    with pytest.raises(GsfmError, match="another weights"):
        trained(model, weighted(corpus, {"papers": 2}), "h", folder)
    with pytest.raises(GsfmError, match="another settings"):
        trained(unfitted("popularity", {"pseudocount": 2}), corpus, "h", folder)
    folder.with_name("popularity.json").unlink()
    with pytest.raises(GsfmError, match="the settings of this model are unknown"):
        trained(model, corpus, "h", folder)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
def test_ctrl_c_is_handed_on_and_the_fit_goes_on_later(corpus, tmp_path):
    pytest.importorskip("torch")
    small = {"dimensions": 4, "hidden": 4, "batch_size": 6, "epochs": 60.0}

    def interrupt(now):
        if interrupt.step is None:
            interrupt.step = now.step
            threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGINT)).start()

    interrupt.step = None
    folder = tmp_path / "autoencoder"
    fit = {"corpus": corpus, "corpus_hash": content_hash(corpus), "n_threads": 1}
    # A shell has the signal ignored by what it starts in the background, as the tests may be.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            trained(unfitted("autoencoder", small), folder=folder, progress=interrupt, **fit)
    finally:
        signal.signal(signal.SIGINT, before)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["training"]["finished"] is False
    assert folder.with_name("autoencoder.checkpoint").exists()
    steps = []
    trained(
        unfitted("autoencoder", small),
        folder=folder,
        progress=lambda p: steps.append(p.step),
        **fit,
    )
    assert steps[0] > interrupt.step
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["training"]["finished"] is True
    # Both parts of the time were paid: the second one alone is in the manifest.
    paid = ModelMethod.load("autoencoder", folder).cost
    assert paid.training_seconds >= manifest["training"]["seconds"]
    assert [p.name for p in tmp_path.glob("*.checkpoint")] == []


def test_what_goes_wrong_in_the_other_process_is_told_here(corpus, tmp_path):
    lonely = weighted(corpus, {"*": 0})
    with pytest.raises(GsfmError, match=r"nothing: the corpus has no set .* weight above 0"):
        trained(unfitted("popularity", {}), lonely, "h", tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


def test_a_process_that_is_killed_is_told(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(fitting, "_CODE", "import os; os.abort()")
    with pytest.raises(GsfmError, match=r"ended without a model \(signal 6; was there enough"):
        trained(unfitted("popularity", {}), corpus, "h", tmp_path / "killed")


def test_settings_and_extras_are_checked_before_the_work(monkeypatch):
    with pytest.raises(GsfmError, match="no family 'magic'; there are adaptive"):
        unfitted("magic", {})
    with pytest.raises(GsfmError, match="regularization"):
        unfitted("linear", {"regularization": -1})
    monkeypatch.setitem(sys.modules, "torch", None)
    for family in ("autoencoder", "published", "ensemble"):
        with pytest.raises(MissingExtraError, match=r".\[train\]"):
            unfitted(family, {})
    members = [{"family": "popularity"}, {"family": "cooccurrence"}]
    assert unfitted("ensemble", {"members": members, "weights": [1, 1]}).family == "ensemble"
