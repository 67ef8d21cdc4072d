"""A folder of results: its files can be opened, and an error says what is wrong with it."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from gsfm import FormatError, GeneSets, GsfmError
from gsfm.benchmark.config import Benchmark
from gsfm.benchmark.metrics import Measured
from gsfm.benchmark.results import Results, Unit
from gsfm.benchmark.runner import run
from gsfm.models import Cooccurrence, Popularity


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Results of two saved models on three terms."""
    data = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    genes = [f"G{i}" for i in range(60)]
    terms = {f"term {i}": genes[20 * i : 20 * i + 20] for i in range(3)}
    corpus = GeneSets.from_lists(
        [rng.choice(terms[f"term {i % 3}"], 8, replace=False).tolist() for i in range(60)]
    )
    corpus.save(data / "corpus.gsets")
    GeneSets.from_lists(terms).save(data / "terms.gsets")
    Popularity().fit(corpus).save(data / "popularity")
    Cooccurrence().fit(corpus).save(data / "cooccurrence")
    names = ("popularity", "cooccurrence")
    benchmark = Benchmark.from_dict(
        {
            "corpus": {"file": "corpus.gsets"},
            "task": [{"protocol": "half-split", "library": "terms.gsets"}],
            "method": [{"name": name, "model": name} for name in names],
        },
        data=data,
    )
    return run(benchmark, data / "out", pages=False).folder


def test_results_can_be_opened_again(folder):
    results = Results.open(folder)
    assert repr(results) == "Results('benchmark': 1 tasks, 2 methods)"
    assert results.questions.height == 2 * 3 * 5
    assert set(results.curves["method"]) == {"popularity", "cooccurrence"}
    assert results.genes["n"].sum() == 2 * 3 * 5 * 10
    methods = [row["method"] for row in results.summary["methods"]]
    assert methods == ["popularity", "cooccurrence"]
    assert "| cooccurrence |" in results.markdown()


def test_summary_and_pages_are_made_again(folder):
    pytest.importorskip("jinja2")
    pytest.importorskip("matplotlib")
    results = Results.open(folder)
    before = results.summary
    (folder / "summary.json").unlink()
    results.summarize()
    assert results.summary == before
    assert results.summary is not before
    results.write_pages()
    assert "cooccurrence" in (folder / "report.html").read_text()
    assert (folder / "report.md").read_text() == results.markdown()


def test_a_folder_that_has_no_results(tmp_path):
    with pytest.raises(GsfmError, match="no folder of results: it has no run"):
        Results.open(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "run.json: not JSON"),
        ("[1]", "run.json: not a JSON object"),
        ("{}", "run.json: the format is None, and this gsfm reads 'gsfm-benchmark/1'"),
        ('{"format": "gsfm-benchmark/2"}', "choose another folder, or use the gsfm that wrote it"),
    ],
)
def test_a_folder_of_another_version(tmp_path, text, message):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(FormatError, match=message):
        Results.open(tmp_path)


def test_a_run_that_has_finished_nothing(folder, tmp_path):
    (tmp_path / "run.json").write_text((folder / "run.json").read_text())
    with pytest.raises(GsfmError, match="nothing is finished here yet"):
        Results.open(tmp_path)


def test_a_damaged_table_is_told(folder, tmp_path):
    for name in ("run.json", "genes.parquet"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / "results.parquet").write_bytes(b"PAR1")
    results = Results.open(tmp_path)
    assert results.genes.height == Results.open(folder).genes.height
    with pytest.raises(FormatError, match=r"results\.parquet: cannot be read"):
        results.questions  # noqa: B018
    with pytest.raises(FormatError, match=r"curves\.parquet: cannot be read"):
        results.curves  # noqa: B018


def test_a_unit_is_whole_or_not_there(tmp_path):
    tables = [pl.DataFrame({"x": [i]}) for i in range(3)]
    measured = Measured(*tables)
    unit = Unit(tmp_path / "task" / "method", "abc")
    assert unit.about() is None
    unit.write({"refused": None}, measured)
    assert unit.about() == {"fingerprint": "abc", "refused": None}
    assert unit.table("curves")["x"].item() == 2
    assert Unit(unit.folder, "other").about() is None
    # Written again, it is not there until it is whole.
    broken = Measured(tables[0], tables[1], None)
    with pytest.raises(AttributeError):
        unit.write({"refused": None}, broken)
    assert unit.about() is None
    unit.write({"refused": None}, measured)
    (unit.folder / "genes.parquet").unlink()
    with pytest.raises(FormatError, match=r"genes\.parquet.*remove .* and run the benchmark again"):
        unit.table("genes")


def test_what_is_written_is_json(folder):
    about = json.loads((folder / "run.json").read_text())
    assert about["configuration"]["task"][0]["library"] == "terms.gsets"
    assert set(about["data"]) == {
        "corpus",
        "default",  # whose papers are counted
        "terms.gsets",
        *(
            f"{name}/{file}"
            for name in ("popularity", "cooccurrence")
            for file in ("config.json", "vocab.txt", "model.safetensors")
        ),
    }
    units = sorted(path.relative_to(folder).as_posix() for path in folder.glob("units/*/*"))
    assert units == [f"units/terms, half split/{m}" for m in ("cooccurrence", "popularity")]
