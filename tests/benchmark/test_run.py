"""A benchmark from end to end, on a world whose structure is planted.

Genes come in modules. The corpus is draws from the modules; the library's terms are the modules,
of which an older release has a part. Two modules have genes in common.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import gsfm
from gsfm import FormatError, GeneSets, GsfmError, MissingExtraError, corpus, sets
from gsfm.benchmark import fitting, runner
from gsfm.benchmark.config import FILES, Benchmark, Corpus, Task, options, read_config
from gsfm.benchmark.results import Results
from gsfm.benchmark.runner import run

TASKS = """
[[task]]
protocol = "half-split"
library = "Modules_2024.gmt"
name = "halves"
splits = 2
[[task]]
protocol = "hold-out"
library = "Modules_2024.gmt"
name = "a few"
shown = [3, 5]
splits = 2
[[task]]
protocol = "time-split"
folder = "."
library = "Modules"
from = 2018
to = 2024
name = "later genes"
[[task]]
protocol = "never-seen"
older = "Modules_2018.gmt"
newer = "Modules_2024.gmt"
name = "later terms"
splits = 2
[[task]]
protocol = "new-relations"
sets = "corpus.gsets"
after = 2018
negatives = 4
name = "relations"
[[task]]
protocol = "context-switch"
library = "Modules_2024.gmt"
name = "context"
"""
METHODS = """
[[method]]
name = "popularity"
train = "popularity"
[[method]]
name = "linear"
train = "linear"
settings = { regularization = 5.0 }
weights = { papers = 2.0 }
[[method]]
name = "sum"
sum = { linear = 1.0, popularity = 0.1 }
[[method]]
name = "a saved model"
model = "saved"
[[method]]
name = "annotation count"
library = "popularity"
[[method]]
name = "older release"
library = "cooccurrence"
[[method]]
name = "vectors"
embedding = "vectors.csv"
"""
HEAD = """
name = "planted"
seed = 1
[corpus]
file = "corpus.gsets"
exclude = ["junk"]
[leakage]
share = 0.9
retrain = ["linear"]
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Path:
    """A folder with a corpus, two releases of a library, a model, gene vectors and CONFIG.toml."""
    folder: Path = tmp_path_factory.mktemp("world")
    rng = np.random.default_rng(5)
    papers = corpus.embedded()
    genes = np.argsort(-np.bincount(papers.indices))[:240]
    symbols = [papers.vocabulary[int(i)] for i in rng.permutation(genes)]
    modules = [symbols[15 * i : 15 * i + 15] for i in range(16)]
    for i in range(0, 16, 2):  # neighbors share a gene
        modules[i][0] = modules[i + 1][0]

    rows, years, sources = [], [], []
    for i in range(600):
        # Some modules are drawn from more often, so that their genes are more popular; the last
        # two are not known before 2019.
        late = i % 3 == 0
        year = 2019 + i % 5 if late else 2010 + i % 9
        chances = np.arange(4.0, 20 if late else 18)
        module = modules[rng.choice(len(chances), p=chances / chances.sum())]
        members = [*rng.choice(module, 8, replace=False), *rng.choice(symbols, 2, replace=False)]
        rows.append(sorted(set(members)))
        years.append(year)
        sources.append("papers" if i % 2 else "screens")
    # A term that is no module: nothing tells its genes but the one set that has them all.
    leak = [module[7] for module in modules[:12]]
    collection = GeneSets.from_lists([*rows, leak, ["JUNK1", "JUNK2"]])
    collection.metadata = collection.metadata.with_columns(
        year=pl.Series([*years, 2015, 2015], dtype=pl.Int32),
        source=pl.Series([*sources, "screens", "junk"]),
    )
    collection.save(folder / "corpus.gsets")
    older = {f"module {i}": modules[i][:10] for i in range(14)}
    newer = {f"module {i}": modules[i] for i in range(16)} | {"tiny": symbols[:4], "leak": leak}
    for name, library in (("Modules_2018", older), ("Modules_2024", newer)):
        sets.write(GeneSets.from_lists(library), folder / f"{name}.gmt")
    from gsfm.models import Cooccurrence

    Cooccurrence().fit(collection[:300]).save(folder / "saved")
    # A gene's vector is its module and some noise; the last two genes have none.
    lines = []
    for i, symbol in enumerate(symbols[:-2]):
        vector = np.eye(16)[i // 15] + rng.normal(0, 0.3, 16)
        lines.append(",".join([symbol, *(f"{x:.3f}" for x in vector)]))
    header = ",".join(["gene", *(f"x{i}" for i in range(16))])
    (folder / "vectors.csv").write_text("\n".join([header, *lines]) + "\n")
    (folder / "config.toml").write_text(HEAD + TASKS + METHODS)
    return folder


@pytest.fixture(scope="module")
def whole(world, tmp_path_factory) -> Results:
    """The results of an uninterrupted run."""
    return run(read_config(world / "config.toml"), tmp_path_factory.mktemp("results") / "out")


def _median(results: Results, task: str, method: str, metric: str = "auroc") -> float:
    table = results.questions.filter((pl.col("task") == task) & (pl.col("method") == method))
    return table.group_by("term").agg(pl.col(metric).mean())[metric].median()


def test_what_was_planted_is_found(whole):
    for task in ("halves", "a few", "later terms"):
        assert _median(whole, task, "linear") > 0.9
        assert _median(whole, task, "vectors") > 0.9
        assert abs(_median(whole, task, "popularity", "matched_auroc") - 0.5) < 0.1
        assert _median(whole, task, "linear", "matched_auroc") > 0.9
    assert _median(whole, "later genes", "linear") > 0.9
    assert _median(whole, "relations", "linear") > 0.6
    # Without context genes a method cannot distinguish the two.
    assert _median(whole, "context", "popularity") == 0.5
    assert _median(whole, "context", "linear") > 0.9


def test_all_methods_are_asked_the_same(whole):
    keys = ["task", "term", "split", "k", "n_shown", "n_hidden", "n_candidates"]
    tables = [
        table.select(keys)
        for (task, _), table in whole.questions.group_by("task", "method", maintain_order=True)
        if task == "halves"
    ]
    assert len(tables) == 6  # two methods have no part
    for table in tables[1:]:
        assert_frame_equal(table, tables[0])
    backgrounds = pl.read_parquet(whole.folder / "backgrounds.parquet")
    halves = backgrounds.filter(task="halves")
    # All genes of the library but the two that have no vector.
    record = whole.about["tasks"][0]
    assert record["genes"] == {"library": 233, "background": 231}
    assert record["unknown_to"] == {"vectors": 2}
    assert halves.height == 231
    assert record["skipped"] == {"fewer than 10 genes of the background": 1}


def test_popularity_is_counted_in_the_corpus(whole, world):
    backgrounds = pl.read_parquet(whole.folder / "backgrounds.parquet").filter(task="halves")
    collection = GeneSets.open(world / "corpus.gsets")
    gene = backgrounds["gene"][17]
    expected = sum(gene in collection.genes(i) for i in range(len(collection)))
    assert backgrounds["popularity"][17] == expected
    papers = corpus.embedded()
    of_papers = sum(papers.vocabulary.ids([gene])[0] == papers.indices)
    assert backgrounds["papers"][17] == of_papers
    assert whole.about["corpus"]["dropped"] == {"excluded": 1, "without_year": 0, "too_new": 0}


def test_a_planted_leak_is_found_and_taken_out(whole, world):
    leaks = pl.read_parquet(whole.folder / "leaks.parquet").filter(pl.col("leaking_sets") > 0)
    of_halves = leaks.filter(task="halves")
    assert of_halves.rows() == [("halves", "leak", 1, 1)]
    context = leaks.filter(task="context")
    assert context["term"].str.contains("leak").all()
    assert whole.about["leakage"]["leaking_sets"] == 1
    assert whole.about["leakage"]["tasks"]["halves"] == {
        "terms": 17,
        "leaked_terms": 1,
        "leaking_sets": 1,
        "leaked_by_narrow": 1,
        "narrow_sets": 1,
    }
    again = "linear, without leaks"
    manifest = json.loads((whole.folder / "models" / again / "manifest.json").read_text())
    assert manifest["corpus"]["sets"] == 600
    original = json.loads((whole.folder / "models" / "linear" / "manifest.json").read_text())
    assert original["corpus"]["sets"] == 601
    # What had been learned by heart is gone.
    table = whole.questions.filter(task="halves", term="leak")
    ap = dict(table.group_by("method").agg(pl.col("average_precision").mean()).rows())
    assert ap[again] < ap["linear"] - 0.1
    kinds = {row["method"]: row["kind"] for row in whole.about["methods"]}
    assert kinds[again].endswith("without the sets that leak a term")
    # A sum is summed again where all that it sums was fitted again: here popularity was not.
    assert "sum, without leaks" not in kinds


def test_a_method_that_has_no_part_is_told(whole):
    of = {row["method"]: row for row in whole.about["methods"]}
    no_release = "there is no older release of the library"
    assert of["older release"]["refused"] == dict.fromkeys(
        ("halves", "a few", "context"), no_release
    )
    assert set(of["older release"]["answer_seconds"]) == {
        "later genes",
        "later terms",
        "relations",
    }
    assert of["linear"]["refused"] == {}
    found = whole.questions.filter(pl.col("method") == "older release")["task"].unique()
    assert set(found) == {"later genes", "later terms", "relations"}


def test_what_a_method_cost_is_told(whole):
    of = {row["method"]: row for row in whole.about["methods"]}
    assert of["linear"]["peak_memory_bytes"] > 10**7
    assert of["linear"]["size_bytes"] == sum(
        f.stat().st_size for f in (whole.folder / "models" / "linear").iterdir()
    )
    assert of["sum"]["size_bytes"] == of["linear"]["size_bytes"] + of["popularity"]["size_bytes"]
    assert of["vectors"]["training_seconds"] is None


def test_the_tables_and_the_pages(whole):
    files = {path.name for path in whole.folder.iterdir()}
    assert files >= {"run.json", "results.parquet", "genes.parquet", "curves.parquet"}
    assert files >= {"summary.json", "report.html", "report.md"}
    assert whole.questions.columns[:4] == ["task", "protocol", "method", "term"]
    assert whole.genes.columns[:3] == ["task", "method", "gene"]
    assert whole.curves.filter(task="halves", method="linear", curve="roc").height == 101
    assert whole.summary["reference"] == "popularity"
    assert {row["task"] for row in whole.summary["tasks"]} == set(whole.questions["task"])
    assert "linear" in (whole.folder / "report.md").read_text()
    assert "<svg" in (whole.folder / "report.html").read_text()
    # Nothing of this machine is in what may be published.
    for name in ("run.json", "summary.json", "report.html", "report.md"):
        assert str(whole.folder.parent) not in (whole.folder / name).read_text()


def test_a_stopped_run_goes_on_and_finds_the_same(world, whole, tmp_path, monkeypatch):
    benchmark = read_config(world / "config.toml")
    measured = []
    measure = runner.measure
    monkeypatch.setattr(
        runner, "measure", lambda m, *a, **k: measured.append(m.name) or measure(m, *a, **k)
    )

    def stop(event):
        if event.done == 9 and not event.passing:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(benchmark, tmp_path / "out", pages=False, progress=stop)
    assert measured == ["popularity"] * 6 + ["linear"] * 3
    assert not (tmp_path / "out" / "summary.json").exists()
    with pytest.raises(GsfmError, match="nothing is finished"):
        Results.open(tmp_path / "out")
    # A unit that is half written is not taken for a whole one.
    half = tmp_path / "out" / "units" / "relations" / "popularity" / "unit.json"
    half.write_text(half.read_text()[:50])
    measured.clear()
    fitted = []
    fit = fitting._run
    monkeypatch.setattr(fitting, "_run", lambda job, p: fitted.append(job["folder"]) or fit(job, p))
    lines = []
    results = run(benchmark, tmp_path / "out", pages=False, progress=lines.append)
    assert measured[:4] == ["popularity", "linear", "linear", "linear"]
    assert [Path(path).name for path in fitted] == ["linear, without leaks"]
    assert any("8 of 48 were answered before" in event.text for event in lines)
    for name in ("questions", "genes", "curves"):
        assert_frame_equal(getattr(results, name), getattr(whole, name))
    for key in ("results", "strata", "lift", "tests", "verdicts", "tasks"):
        assert results.summary[key] == whole.summary[key]
    # And once more: there is nothing left to do.
    measured.clear()
    run(benchmark, tmp_path / "out", pages=False)
    assert measured == []


def test_one_task_at_a_time(world, tmp_path):
    benchmark = _small(world)
    first = run(benchmark, tmp_path / "out", only=["relations"], pages=False)
    assert set(first.questions["task"]) == {"relations"}
    both = run(benchmark, tmp_path / "out", only=["halves"], pages=False)
    assert set(both.questions["task"]) == {"halves", "relations"}
    with pytest.raises(GsfmError, match="no task 'nothing'; there are halves, relations"):
        run(benchmark, tmp_path / "out", only=["nothing"], pages=False)


def test_the_whole_genome_as_background(world, tmp_path):
    results = run(_small(world, background="genome"), tmp_path / "out", pages=False)
    collection = GeneSets.open(world / "corpus.gsets")
    everything = {gene for i in range(len(collection)) for gene in collection.genes(i)}
    for task in ("halves", "relations"):
        table = pl.read_parquet(results.folder / "backgrounds.parquet").filter(task=task)
        assert set(table["gene"]) == everything


def test_new_interactions_between_releases(world, tmp_path):
    task = {"protocol": "new-interactions", "folder": ".", "library": "Modules", "from": 2018}
    task |= {"to": 2024, "name": "interactions", "negatives": 2}
    found = run(_small(world, task=[task], leakage={}), tmp_path / "out", pages=False)
    assert found.questions["protocol"].unique().to_list() == ["new-interactions"]
    assert found.questions["term"].str.len_chars().min() > 1  # a gene each
    assert found.questions["auroc"].mean() > 0.5
    assert found.about["leakage"]["tasks"] == {}  # no set leaks a term where there are none


def test_a_task_has_a_background_of_its_own(world, tmp_path):
    tasks = [
        _half_split("Modules_2024.gmt", "among its own"),
        _half_split("Modules_2024.gmt", "among all", background="genome"),
    ]
    results = run(_small(world, task=tasks), tmp_path / "out", pages=False)
    sizes = dict(
        pl.read_parquet(results.folder / "backgrounds.parquet").group_by("task").len().iter_rows()
    )
    assert sizes["among its own"] < sizes["among all"]
    table = results.about["configuration"]["task"]
    assert [task.get("background") for task in table] == [None, "genome"]
    with pytest.raises(ValueError, match='background must be "library" or "genome", not "all"'):
        Task("half-split", {"library": "x.gmt"}, background="all")


def test_what_wrong_genes_cost(world, tmp_path):
    tasks = [
        _half_split("Modules_2024.gmt", "clean", splits=2),
        _half_split("Modules_2024.gmt", "dirty", splits=2, noise=0.4),
    ]
    results = run(_small(world, task=tasks), tmp_path / "out")
    clean, dirty = (results.questions.filter(task=name) for name in ("clean", "dirty"))
    key = ["term", "split", "n_hidden"]
    assert clean.select(key).equals(dirty.select(key))
    wrong = dirty["n_shown"] - clean["n_shown"]
    assert wrong.to_list() == [round(n * 0.4 / 0.6) for n in clean["n_shown"]]
    assert (clean["n_candidates"] - dirty["n_candidates"] == wrong).all()
    # What is wrong cannot help.
    assert dirty["average_precision"].mean() < clean["average_precision"].mean()
    assert "dirty: half-split with 40% wrong genes, " in results.markdown()
    page = (results.folder / "report.html").read_text(encoding="utf-8")
    assert page.count("40% of the shown genes are wrong (") == 1
    about = {row["task"]: row["about"] for row in results.about["tasks"]}
    assert about["dirty"]["genes_wrong"] == wrong.sum()
    assert "noise" not in about["clean"]


def test_up_to_a_year(world, tmp_path):
    benchmark = _small(world, corpus={"file": "corpus.gsets", "until": 2018})
    results = run(benchmark, tmp_path / "out", pages=False)
    assert results.about["corpus"]["sets"] == 402
    assert results.about["corpus"]["dropped"]["too_new"] == 200


# -- what may be wrong -----------------------------------------------------------------------------


def _small(world: Path, **changes) -> Benchmark:
    """Two tasks and the cheapest method."""
    tables = {
        "corpus": {"file": "corpus.gsets"},
        "task": [
            {"protocol": "half-split", "library": "Modules_2024.gmt", "name": "halves"},
            {
                "protocol": "new-relations",
                "sets": "corpus.gsets",
                "after": 2018,
                "negatives": 4,
                "name": "relations",
            },
        ],
        "method": [{"name": "a saved model", "model": "saved"}],
    }
    return Benchmark.from_dict(tables | changes, data=world)


def _half_split(file: str, name: str = "other", **options) -> dict:
    return {"protocol": "half-split", "library": file, "name": name, **options}


def test_a_task_without_questions_is_skipped_and_told(world, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(world, data)
    (data / "yeast.gmt").write_text(
        "a term\t\t" + "\t".join(f"YAL{i:03}W" for i in range(20)) + "\n"
    )
    (data / "small.gmt").write_text("tiny\t\tTP53\tMDM2\tBAX\n")
    tasks = [
        _half_split("Modules_2024.gmt", "halves"),
        _half_split("yeast.gmt", "of yeast"),
        _half_split("small.gmt", "too small"),
        {
            "protocol": "time-split",
            "older": "Modules_2024.gmt",
            "newer": "Modules_2018.gmt",
            "name": "back in time",
        },
    ]
    lines = []
    results = run(
        _small(data, task=tasks),
        tmp_path / "out",
        pages=False,
        progress=lambda e: lines.append(e.text),
    )
    reasons = {row["task"]: row["reason"] for row in results.about["tasks"]}
    assert reasons["halves"] is None
    assert "no identifier of the library is mapped to a gene" in reasons["of yeast"]
    assert reasons["too small"]
    assert "time split is empty" in reasons["back in time"]
    assert any(line.startswith("of yeast: skipped: no identifier") for line in lines)
    assert set(results.questions["task"]) == {"halves"}
    with pytest.raises(GsfmError, match="no task has a question: of yeast: no identifier"):
        run(_small(data, task=tasks[1:3]), tmp_path / "nothing", pages=False)
    assert not (tmp_path / "nothing").exists()


def test_settings_that_contradict_each_other(world, tmp_path):
    task = {"protocol": "new-relations", "sets": "corpus.gsets", "after": 2018, "until": 2017}
    with pytest.raises(GsfmError, match=r"until .2017. must be later than after .2018."):
        run(_small(world, task=[task]), tmp_path / "out", pages=False)


def test_a_sum_is_summed_again_without_leaks(world, tmp_path):
    method = [
        {"name": "popularity", "train": "popularity"},
        {"name": "sum", "sum": {"popularity": 1.0}},
        {"name": "mixed", "sum": {"popularity": 1.0, "sum": 1.0}},
    ]
    changes = {"method": method, "leakage": {"retrain": ["popularity"]}}
    results = run(_small(world, **changes), tmp_path / "out", only=["halves"], pages=False)
    names = [row["method"] for row in results.about["methods"]]
    assert names == [
        f"{name}{x}" for name in ("popularity", "sum", "mixed") for x in ("", ", without leaks")
    ]
    models = sorted(path.name for path in (tmp_path / "out" / "models").iterdir() if path.is_dir())
    assert models == ["popularity", "popularity, without leaks"]


def test_a_method_at_its_best(world, tmp_path):
    """The model that answers is the one kept at the best look, and the training is paid once."""
    pytest.importorskip("torch")
    settings = {"d_model": 8, "epochs": 20, "batch_size": 64, "learning_rate": 0.05}
    method = [
        {"name": "net", "train": "published", "settings": settings},
        {"name": "net at its best", "snapshot_of": "net"},
        {"name": "net, early", "snapshot_of": "net", "at": 2},
    ]
    benchmark = _small(world, method=method, corpus={"file": "corpus.gsets", "held_out": 40})
    results = run(benchmark, tmp_path / "out", only=["halves"], n_threads=1, pages=False)
    models = tmp_path / "out" / "models"
    last, best, early = (gsfm.load(models / name) for name in ("net", "net.best", "net.2"))
    assert early.manifest["training"]["step"] == last.manifest["training"]["curve"][1]["step"]
    curve = last.manifest["training"]["curve"]
    assert len(curve) == 20, "a look after each pass"
    top = max(curve, key=lambda point: point["watched"])
    assert best.manifest["training"]["step"] == top["step"] < curve[-1]["step"]
    cost = {row["method"]: row["training_seconds"] for row in results.about["methods"]}
    assert cost["net at its best"] == pytest.approx(top["seconds"], abs=0.1)
    assert cost["net at its best"] < cost["net"]
    found = results.questions
    scores = {name: found.filter(method=name)["auroc"].to_list() for name in cost}
    assert scores["net"] != scores["net at its best"]
    saved = _small(world, method=[{"name": "again", "model": str(models / "net.best")}])
    again = run(saved, tmp_path / "again", only=["halves"], pages=False).questions
    assert again["auroc"].to_list() == scores["net at its best"]


def test_the_models_of_another_run_are_used_again(world, tmp_path, monkeypatch):
    method = [{"name": "linear", "train": "linear", "settings": {"regularization": 5.0}}]
    first = run(_small(world, method=method), tmp_path / "one", only=["halves"], pages=False)
    monkeypatch.setattr(fitting, "_run", lambda *a: pytest.fail("it was trained already"))
    models = tmp_path / "one" / "models"
    other = _small(world, method=method, name="other")
    second = run(other, tmp_path / "two", models=models, only=["halves"], pages=False)
    assert second.questions["auroc"].to_list() == first.questions["auroc"].to_list()
    assert not (tmp_path / "two" / "models").exists()


def test_a_sum_that_each_set_weighs_anew(world, tmp_path):
    """Popularity that would be counted against the genes is given another weight by the sets."""
    method = [
        {"name": "popularity", "train": "popularity"},
        {"name": "linear", "train": "linear"},
        {"name": "fixed", "sum": {"linear": 1.0, "popularity": -2.0}},
        {"name": "anew", "sum": {"linear": 1.0, "popularity": -2.0}, "prior_precision": 0.1},
    ]
    results = run(_small(world, method=method), tmp_path / "out", only=["halves"], pages=False)
    kinds = {row["method"]: row["kind"] for row in results.about["methods"]}
    assert kinds["anew"] == "sum of 1 linear + -2 popularity, weighed by each set (0.1)"
    mean = results.questions.group_by("method").agg(pl.col("auroc").mean())
    auroc = dict(mean.iter_rows())
    assert auroc["anew"] > auroc["fixed"]


def test_a_sum_with_the_library(world, tmp_path):
    """What the older release tells is added for its later genes, and to no half split."""
    data = tmp_path / "data"
    shutil.copytree(world, data)
    newer = sets.read(data / "Modules_2024.gmt")
    terms = {name: list(newer.genes(i)) for i, name in enumerate(newer.names[:16])}
    # Each term has a relative with most of its genes, the later ones among them.
    relatives = {f"like {name}": genes[2:] for name, genes in terms.items()}
    older = {name: genes[:10] for name, genes in terms.items()}
    for year, release in ((2018, older), (2024, terms)):
        sets.write(GeneSets.from_lists(release | relatives), data / f"Relatives_{year}.gmt")
    library = {"overlap": ("features", {"max_containment": 0.8}), "count": ("annotation", {})}
    method = [
        {"name": "popularity", "train": "popularity"},
        *({"name": k, "library": f, "settings": s} for k, (f, s) in library.items()),
        {
            "name": "sum",
            "sum": {"popularity": 0.1, "overlap": 1.0, "count": 0.1},
            "prior_precision": {"popularity": 10.0, "overlap": 50.0, "count": 100.0},
        },
        {"name": "library alone", "sum": {"overlap": 1.0, "count": 0.1}},
    ]
    later = {"protocol": "time-split", "folder": ".", "library": "Relatives", "from": 2018}
    tasks = [{**later, "to": 2024, "name": "later"}, _half_split("Modules_2024.gmt", "halves")]
    leakage = {"retrain": ["popularity"]}
    benchmark = _small(data, method=method, task=tasks, leakage=leakage)
    results = run(benchmark, tmp_path / "out", pages=False)
    about = {row["method"]: row for row in results.about["methods"]}
    assert about["sum"]["kind"].endswith(", weighed by each set (10, 50, 100)")
    for name in (*library, "sum", "library alone"):
        reason = "there is no older release of the library"
        assert about[name]["refused"] == {"halves": reason}
    assert about["sum"]["training_seconds"] >= about["popularity"]["training_seconds"]
    # The library learns nothing from the corpus, so that the sum without leaks has it as it is.
    assert [name for name in about if name.endswith(", without leaks")] == [
        "popularity, without leaks",
        "sum, without leaks",
    ]
    later = results.questions.filter(pl.col("task") == "later")
    auroc = dict(later.group_by("method").agg(pl.col("auroc").mean()).iter_rows())
    assert auroc["sum"] > auroc["popularity"] + 0.05
    assert auroc["library alone"] > auroc["count"] + 0.05


def test_a_corpus_that_knows_no_gene_of_the_library(world, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(world, data)
    GeneSets.from_lists([["OR4F5", "OR4F29"]]).save(data / "noses.gsets")
    changes = {"corpus": {"file": "noses.gsets"}, "leakage": {}}
    task = [_half_split("Modules_2024.gmt")]
    results = run(_small(data, task=task, **changes), tmp_path / "out", pages=False)
    assert results.about["leakage"] == {"share": 0.8, "leaking_sets": 0, "tasks": {}}
    # All genes are as popular as each other, so that every rank by popularity is a tie.
    assert set(results.genes["popularity"]) == {0}


def test_a_library_that_no_method_knows(world, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(world, data)
    other = {"a": [f"OR{i}A1" for i in range(20)]}
    GeneSets.from_lists(other).save(data / "other.gsets")
    with pytest.raises(GsfmError, match="no gene of the library is known to all methods"):
        run(_small(data, task=[_half_split("other.gsets")]), tmp_path / "out", pages=False)


def test_nobody_takes_part(world, tmp_path):
    benchmark = _small(
        world,
        task=[_half_split("Modules_2024.gmt")],
        method=[{"name": "older release", "library": "cooccurrence"}],
    )
    with pytest.raises(GsfmError, match="no method answered any task: there is no older release"):
        run(benchmark, tmp_path / "out", pages=False)


def test_results_of_another_configuration_are_not_touched(world, tmp_path):
    run(_small(world), tmp_path / "out", pages=False)
    run(_small(world), tmp_path / "out", pages=False)
    changes = [
        ({"seed": 1}, "its seed differs"),
        ({"method": [{"name": "other", "model": "saved"}]}, "the method 'a saved model' is not"),
        (
            {"task": [_half_split("Modules_2024.gmt", "halves", splits=1)]},
            "the task 'halves' differs",
        ),
        ({"leakage": {}}, "its leakage differs"),
    ]
    for change, message in changes:
        with pytest.raises(
            GsfmError, match=f"of another configuration .{message}.*; choose another"
        ):
            run(_small(world, **change), tmp_path / "out", pages=False)


def test_methods_and_tasks_can_be_added(world, tmp_path):
    first = run(_small(world), tmp_path / "out", pages=False).questions
    methods = [{"name": "popularity", "train": "popularity"}, *_small(world).to_dict()["method"]]
    tasks = [*_small(world).to_dict()["task"], _half_split("Modules_2024.gmt", splits=1)]
    events = []
    more = _small(world, method=methods, task=tasks)
    grown = run(more, tmp_path / "out", pages=False, progress=events.append).questions
    # Two tasks of the saved model were there; its third and all three of popularity were not.
    assert (events[-1].done, events[-1].units) == (6, 6)
    assert sum("a saved model" in event.text and "AUROC" in event.text for event in events) == 1
    same = grown.join(first.select("task", "method").unique(), on=["task", "method"], how="semi")
    keys = ["task", "method", "term", "split"]
    assert same.sort(keys).equals(first.sort(keys))
    assert grown["method"].n_unique() == 2


def test_results_of_other_data_are_not_touched(world, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(world, data)
    run(_small(data), tmp_path / "out", pages=False)
    with (data / "Modules_2024.gmt").open("a") as stream:
        stream.write("more\t\tTP53\tMDM2\n")
    with pytest.raises(GsfmError, match=r"'Modules_2024\.gmt' has changed since"):
        run(_small(data), tmp_path / "out", pages=False)
    shutil.copy(world / "Modules_2024.gmt", data)
    GeneSets.open(data / "corpus.gsets")[:500].save(data / "less.gsets")
    shutil.move(data / "less.gsets", data / "corpus.gsets")
    with pytest.raises(GsfmError, match="'corpus' has changed since"):
        run(_small(data), tmp_path / "out", pages=False)


def test_a_folder_that_is_something_else(world, tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(GsfmError, match="no folder of results"):
        run(_small(world), tmp_path, pages=False)
    (tmp_path / "run.json").write_text('{"format": "gsfm-benchmark/0"}')
    with pytest.raises(FormatError, match="'gsfm-benchmark/0', and this gsfm reads"):
        run(_small(world), tmp_path, pages=False)


def test_missing_extras_are_told_before_the_work(world, tmp_path, monkeypatch):
    monkeypatch.setattr(runner.corpora, "load", lambda name: pytest.fail("too late"))
    for module in ("jinja2", "matplotlib"):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, module, None)
            with pytest.raises(MissingExtraError, match=r".\[bench\]"):
                run(_small(world), tmp_path / "out")
    monkeypatch.setitem(sys.modules, "torch", None)
    method = [{"name": "ours", "train": "autoencoder"}]
    with pytest.raises(MissingExtraError, match=r".\[train\]"):
        run(_small(world, method=method), tmp_path / "out", pages=False)
    assert not (tmp_path / "out").exists()


def test_a_model_of_nothing_in_the_library_leaves_no_background(world, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(world, data)
    gsfm.models.Popularity().fit(GeneSets.from_lists([["OR4F5", "OR4F29"]])).save(data / "noses")
    method = [{"name": "noses", "model": "noses"}]
    with pytest.raises(GsfmError, match="known to all methods"):
        run(_small(data, method=method), tmp_path / "out", pages=False)


def test_the_corpus_of_another_year_leaves_too_little(world, tmp_path):
    benchmark = _small(world, corpus={"file": "corpus.gsets", "until": 1990})
    assert benchmark.corpus == Corpus("corpus.gsets", 1990)
    with pytest.raises(GsfmError, match="no set of the corpus is left: 602 too new"):
        run(benchmark, tmp_path / "out", pages=False)


def test_the_example_of_the_documentation(tmp_path):
    page = Path(__file__).parent.parent.parent / "docs" / "benchmark.md"
    example = page.read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
    for year in (2018, 2023, 2025):
        (tmp_path / f"GO_Biological_Process_{year}.gmt.gz").touch()
    for name in ("corpus.gsets", "vectors.parquet"):
        (tmp_path / name).touch()
    (tmp_path / "config.toml").write_text(example)
    benchmark = read_config(tmp_path / "config.toml")
    assert [task.name for task in benchmark.tasks] == [
        "GO Biological Process 2023, half split",
        "GO Biological Process 2018 to 2025, time split",
    ]
    assert len(benchmark.methods) == 7


def test_the_documentation_has_every_option_with_its_default():
    page = (Path(__file__).parent.parent.parent / "docs" / "benchmark.md").read_text("utf-8")
    for name in FILES:
        row = next(line for line in page.splitlines() if line.startswith(f"| `{name}` |"))
        for option, parameter in options(name).items():
            default = parameter.default
            assert f"`{option}`" in row
            if default not in (None, parameter.empty):
                shown = list(default) if isinstance(default, tuple) else default
                assert f"`{option}` {shown}" in row
