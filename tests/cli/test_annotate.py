"""``gsfm annotate`` and ``gsfm term``: every way in, and what is said of what could not be used."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from gsfm.analysis import annotate, term
from gsfm.analysis.term_scores import MISSING


@pytest.fixture
def library(tmp_path: Path) -> str:
    path = tmp_path / "mine.gmt"
    path.write_text(
        "cell death\tna\tTP53\tBAX\tBBC3\tPMAIP1\n"
        "cell growth\tna\tEGFR\tERBB2\tGRB2\n"
        "cell cycle\tna\tCDK4\tCCND1\tMYC\n"
    )
    return str(path)


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GSFM_HOME", str(tmp_path / "home"))


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_gene_is_the_librarys_answer(run, folder, model, library):
    settings = ("--library", library, "--model", folder)
    result = run("annotate", "hdm2", *settings, "--top", "2", "--json")
    assert result.exit_code == 0
    expected = annotate("hdm2", library, top=2, model=model).to_dict()
    assert json.loads(result.stdout) == json.loads(json.dumps(expected))
    assert "hdm2 = MDM2" in result.stderr


def test_one_gene_is_a_gene_and_several_are_a_set(run, folder, library, tmp_path):
    settings = ("--library", library, "--model", folder, "--csv")
    assert "annotated" in _rows(run("annotate", "MDM2", *settings).stdout)[0]
    expected = run("annotate", "TP53", "BAX", *settings).stdout
    assert _rows(expected)[0]["overlap_genes"] == "BAX|TP53"
    path = tmp_path / "genes.txt"
    path.write_text("TP53\nBAX\n")
    assert run("annotate", str(path), *settings).stdout == expected
    assert run("annotate", "-", *settings, stdin=path.read_bytes()).stdout == expected


def test_options_reach_the_library(run, folder, library):
    settings = ("--library", library, "--model", folder, "--csv")
    known = _rows(run("annotate", "BAX", *settings, "--annotated").stdout)
    new = _rows(run("annotate", "BAX", *settings, "--new", "--top", "1").stdout)
    assert [row["term"] for row in known] == ["cell death"]
    assert [row["annotated"] for row in new] == ["false"]
    fast = _rows(run("annotate", "BAX", *settings, "--fast", "--top", "0").stdout)
    assert len(fast) == 3
    assert "z_score" not in fast[0]
    assert run("annotate", "BAX", *settings, "--new", "--annotated").exit_code == 2
    by_which = run("annotate", "BAX", *settings, "--which", "annotated").stdout
    assert _rows(by_which) == known
    assert run("annotate", "BAX", *settings, "--which", "new", "--annotated").exit_code == 2
    assert run("annotate", "BAX", *settings, "--which", "new", "--new").exit_code == 0
    as_in_python = ("--libraries", library, *settings[2:])
    assert run("annotate", "BAX", *as_in_python, "--annotated").stdout == by_which


def test_the_share_that_is_missing(run, calibrated, calibrated_folder, library):
    settings = ("--library", library, "--model", calibrated_folder, "--json")
    for command, ask, what in (("annotate", annotate, "MDM2"), ("term", term, "cell death")):
        printed = {}
        for share in (0.05, MISSING, 0.5):
            result = run(command, what, *settings, "--missing-fraction", str(share))
            assert result.exit_code == 0
            expected = ask(what, library, missing_fraction=share, model=calibrated).to_dict()
            assert json.loads(result.stdout) == json.loads(json.dumps(expected))
            printed[share] = result.stdout
        # The command's own default is the library's.
        assert run(command, what, *settings).stdout == printed[MISSING]
        assert len(set(printed.values())) == 3


def test_what_is_kept_is_where_it_should_be(run, folder, library, tmp_path, monkeypatch):
    monkeypatch.setattr("gsfm.analysis.cache.LEAST", 0)
    settings = ("--library", library, "--model", folder, "--csv")
    kept = tmp_path / "home" / "cache" / "terms"
    run("annotate", "BAX", *settings, "--no-cache")
    assert not kept.exists()
    first = run("annotate", "BAX", *settings).stdout
    assert len(list(kept.iterdir())) == 1
    assert run("annotate", "BAX", *settings).stdout == first


def test_a_term_is_the_librarys_answer(run, folder, model, library):
    settings = ("--library", library, "--model", folder)
    result = run("term", "Cell Death", *settings, "--top", "3", "--json")
    assert result.exit_code == 0
    expected = term("cell death", library, top=3, model=model).to_dict()
    assert json.loads(result.stdout) == json.loads(json.dumps(expected))
    assert "4 of 4 genes in the model" in result.stderr
    by_stdin = run("term", "-", *settings, "--top", "3", "--json", stdin="cell death\n")
    assert by_stdin.stdout == result.stdout
    new = _rows(run("term", "cell death", *settings, "--new", "--csv", "--top", "0").stdout)
    assert {row["annotated"] for row in new} == {"false"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["annotate", "no such gene"], "no gene of the input is known: no such gene"),
        (
            ["annotate", "no such gene", "nor this"],
            "no gene of the set is known: no such gene, nor this",
        ),
        (["term", "cell deaht"], "cell death"),
        (["term", "cell"], "3 terms are 'cell'"),
    ],
)
def test_errors_are_one_line(run, folder, library, arguments, message):
    result = run(*arguments, "--library", library, "--model", folder)
    assert result.exit_code == 1
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


def test_no_such_library(run, folder):
    result = run("annotate", "TP53", "--library", "go-pb", "--model", folder)
    assert result.exit_code == 1
    assert "did you mean 'go-" in result.stderr


def test_usage(run):
    assert run("annotate").exit_code == 2
    assert run("term").exit_code == 2
    assert run("term", "-", stdin="\n").exit_code == 2
    assert run("annotate", "-", "-").exit_code == 2
