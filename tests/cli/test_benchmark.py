"""``gsfm benchmark``: from a configuration to a table, a page, and a comparison."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from gsfm import GeneSets, sets
from gsfm.benchmark import runner
from gsfm.benchmark.runner import Event
from gsfm.cli import benchmark

CONFIG = """
name = "A small benchmark"
seed = 2
[corpus]
file = "corpus.gsets"
[[task]]
name = "halves"
protocol = "half-split"
library = "terms.gmt"
splits = 3
[[task]]
name = "a few"
protocol = "hold-out"
library = "terms.gmt"
shown = [3]
splits = 1
[[method]]
name = "popularity"
train = "popularity"
[[method]]
name = "saved"
model = "MODEL"
"""


@pytest.fixture(scope="module")
def data(folder, model, tmp_path_factory) -> Path:
    """A corpus, a library, a model, and a configuration."""
    data: Path = tmp_path_factory.mktemp("data")
    symbols = list(model.vocabulary)
    rng = np.random.default_rng(1)
    rows = [rng.choice(symbols, 5, replace=False).tolist() for _ in range(40)]
    GeneSets.from_lists([*rows, symbols]).save(data / "corpus.gsets")
    terms = {f"term {i}": symbols[3 * i : 3 * i + 12] for i in range(4)}
    sets.write(GeneSets.from_lists(terms), data / "terms.gmt")
    (data / "config.toml").write_text(CONFIG.replace("MODEL", folder))
    return data


@pytest.fixture(scope="module")
def done(run, data, tmp_path_factory):
    """The folder of a finished run, and what was printed."""
    pytest.importorskip("jinja2")
    pytest.importorskip("matplotlib")
    out = tmp_path_factory.mktemp("done") / "out"
    result = run("benchmark", "run", str(data / "config.toml"), "-o", str(out))
    assert result.exit_code == 0, result.output
    return out, result


def test_a_run_prints_its_table_and_leaves_its_pages(done):
    out, result = done
    assert result.stdout.startswith("## A small benchmark\n")
    assert result.stdout == (out / "report.md").read_text()
    row = next(line for line in result.stdout.splitlines() if line.startswith("| saved |"))
    assert row.count("**") >= 4
    assert "<svg" in (out / "report.html").read_text()
    lines = result.stderr.splitlines()
    assert lines[0] == "corpus: 41 sets, 21 genes"
    assert "halves: 12 questions about 4 terms, background 21 genes" in lines
    units = [line for line in lines if line.startswith("[")]
    assert len(units) == 4
    assert units[-1].startswith("[4/4] a few · saved: median AUROC 0.")
    assert units[-1].endswith("(0:00 left)")
    assert lines[-1] == f"results in {out}"


def test_a_finished_run_prints_the_same_and_computes_nothing(run, done, data, monkeypatch):
    out, first = done
    monkeypatch.setattr(runner, "measure", lambda *a, **k: pytest.fail("it was there already"))
    again = run("benchmark", "run", str(data / "config.toml"), "-o", str(out), "--no-report")
    assert again.exit_code == 0, again.output
    assert again.stdout == first.stdout
    assert "4 of 4 were answered before" in again.stderr


def test_the_pages_are_made_again(run, done, tmp_path):
    out, first = done
    copy = tmp_path / "copy"
    shutil.copytree(out, copy)
    for name in ("report.html", "report.md", "summary.json"):
        (copy / name).unlink()
    result = run("benchmark", "report", str(copy))
    assert result.exit_code == 0, result.output
    assert result.stdout == first.stdout
    for name in ("report.html", "report.md", "summary.json"):
        assert (copy / name).read_text() == (out / name).read_text()


def test_two_results_are_compared(run, done, data, tmp_path):
    out, _ = done
    config = (data / "config.toml").read_text()
    other = config.replace(
        'name = "popularity"\ntrain = "popularity"', 'name = "popularity"\ntrain = "cooccurrence"'
    )
    assert other != config
    (data / "other.toml").write_text(other)
    there = tmp_path / "other"
    ran = run("benchmark", "run", str(data / "other.toml"), "-o", str(there), "--no-report")
    assert ran.exit_code == 0, ran.output
    result = run("benchmark", "compare", str(out), str(there), "--json")
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)["results"]
    same = [row for row in rows if row["method_a"] == row["method_b"] == "saved"]
    assert {row["task"] for row in same} == {"halves", "a few"}
    assert {row["difference"] for row in same} == {0.0}
    table = csv.DictReader(
        io.StringIO(run("benchmark", "compare", str(out), str(there), "--csv").stdout)
    )
    assert {row["task"] for row in table} == {"halves", "a few"}


def test_data_and_corpus_may_lie_elsewhere(run, data, tmp_path):
    shutil.copy(data / "config.toml", tmp_path / "elsewhere.toml")
    GeneSets.open(data / "corpus.gsets")[:30].save(tmp_path / "less.gsets")
    result = run(
        *("benchmark", "run", str(tmp_path / "elsewhere.toml"), "-o", str(tmp_path / "out")),
        *("--data", str(data), "--corpus", str(tmp_path / "less.gsets"), "--no-report"),
        *("--only", "a few", "--threads", "1"),
    )
    assert result.exit_code == 0, result.output
    assert "corpus: 30 sets" in result.stderr
    assert "| method | a few |" in result.stdout
    assert not (tmp_path / "out" / "report.html").exists()


def test_ctrl_c_keeps_what_is_finished(run, data, tmp_path, monkeypatch):
    measure = runner.measure

    def once(method, *arguments, **options):
        if method.name == "saved":
            raise KeyboardInterrupt
        return measure(method, *arguments, **options)

    monkeypatch.setattr(runner, "measure", once)
    command = ("benchmark", "run", str(data / "config.toml"), "-o", str(tmp_path / "out"))
    result = run(*command, "--no-report")
    assert result.exit_code == 130
    assert result.stdout == ""
    assert "Stopped; what was finished is kept." in result.stderr
    monkeypatch.undo()
    result = run(*command, "--no-report")
    assert result.exit_code == 0
    assert "2 of 4 were answered before" in result.stderr


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("half-split", "half"), "protocol"),
        (("terms.gmt", "nothing.gmt"), "nothing.gmt"),
        (('train = "popularity"', 'train = "magic"'), "magic"),
        (("splits = 3", "splits = 0"), "splits"),
    ],
)
def test_what_is_wrong_is_one_line(run, data, tmp_path, change, message):
    path = data / "wrong.toml"
    path.write_text((data / "config.toml").read_text().replace(*change, 1))
    result = run("benchmark", "run", str(path), "-o", str(tmp_path / "out"))
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("gsfm: ")
    assert message in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_folder_of_something_else_is_one_line(run, tmp_path):
    for command in (("report", str(tmp_path)), ("compare", str(tmp_path), str(tmp_path))):
        result = run("benchmark", *command)
        assert result.exit_code == 1
        assert "no folder of results" in result.stderr
        assert len(result.stderr.splitlines()) == 1


def test_on_a_terminal_what_passes_is_overwritten(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    reporter = benchmark._Reporter()
    reporter.shown = -1e9
    reporter(Event("reading", passing=True))
    reporter(Event("halves · linear: found", done=1, units=2, seconds_left=61))
    shown = capsys.readouterr().err
    assert shown == "reading\r\x1b[2K[1/2] halves · linear: found  (1:01 left)\n"
    # Elsewhere a passing line is shown now and then.
    monkeypatch.setattr("sys.stderr.isatty", lambda: False, raising=False)
    reporter = benchmark._Reporter()
    reporter(Event("reading", passing=True))
    reporter(Event("\x1b[31mred"))
    assert capsys.readouterr().err == "\N{REPLACEMENT CHARACTER}[31mred\n"
