"""``gsfm prioritize`` and ``gsfm discover``: every way in, and what is said of bad input."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from gsfm.analysis import biomarkers, prioritize, targets, understudied

SEEDS = ["TP53", "MDM2", "CDKN1A"]


@pytest.fixture
def library(tmp_path: Path) -> str:
    path = tmp_path / "signs.gmt"
    path.write_text("fever\t\tTP53\tMDM2\tBAX\nrash\t\tTP53\tBBC3\tEGFR\n")
    return str(path)


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GSFM_HOME", str(tmp_path / "home"))


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_prioritize_is_the_librarys_answer(run, folder, model, library):
    candidates = ["hdm2", "EGFR", "PMAIP1", "nonsense"]
    terms = ["fever", "rash"]
    result = run(
        "prioritize", *candidates, "--term", "fever", "--term", "rash", "--library", library,
        "--model", folder, "--json",
    )  # fmt: skip
    assert result.exit_code == 0
    expected = prioritize(candidates, terms=terms, library=library, model=model).to_dict()
    assert json.loads(result.stdout) == json.loads(json.dumps(expected))
    assert "unmapped (1): nonsense" in result.stderr
    assert "fever (fever, signs): 3 genes" in result.stderr


def test_candidates_and_seeds_from_files_and_stdin(run, folder, tmp_path):
    seeds = tmp_path / "seeds.txt"
    seeds.write_text("\n".join(SEEDS))
    settings = ("--model", folder, "--csv", "--no-why")
    by_name = run("prioritize", "BAX", "KRAS", "--seeds", ",".join(SEEDS), *settings)
    by_file = run("prioritize", "-", "--seeds", str(seeds), *settings, stdin="BAX\nKRAS\n")
    assert by_name.exit_code == by_file.exit_code == 0
    assert by_name.stdout == by_file.stdout
    assert [row["symbol"] for row in _rows(by_name.stdout)] == ["BAX", "KRAS"]
    assert "why" not in _rows(by_name.stdout)[0]


def test_each_term_alone(run, folder, library):
    result = run(
        "prioritize", "MYC", "RAF1", "--term", "fever", "--term", "rash", "--library", library,
        "--model", folder, "--by-term", "--tsv",
    )  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(result.stdout), delimiter="\t"))
    assert [row["term"] for row in rows] == ["fever", "rash"] * 2


def test_a_locus_of_the_shipped_model(run):
    result = run(
        "prioritize", "chr17:43000000-43200000", "--seeds", "BRCA2,PALB2,RAD51", "--top", "1"
    )
    assert result.exit_code == 0
    assert result.stdout.splitlines()[1].split()[1] == "BRCA1"
    assert "chr17:43000000-43200000: " in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["BAX", "--term", "fevr"], "no term 'fevr' in"),
        (["nonsense", "--seeds", "TP53,MDM2"], "no gene of the candidates is known"),
        (["BAX", "--seeds", "TP53"], "it needs at least 2"),
        (["chr7:9-1", "--seeds", "TP53,MDM2"], "is no place on the genome"),
        (["chr7:9,000-1,000", "--seeds", "TP53"], "'chr7:9,000-1,000' is no place on the genome"),
        (["BAX", "--term", "fever", "--library", "nonsuch"], "no library 'nonsuch'"),
    ],
)
def test_errors_of_prioritize_are_one_line(run, folder, library, arguments, said):
    where = [] if "--library" in arguments else ["--library", library]
    result = run("prioritize", *arguments, *where, "--model", folder)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_wrong_usage(run):
    assert run("prioritize", "--seeds", "TP53").exit_code == 2
    assert run("prioritize", "TP53").exit_code == 2
    assert run("prioritize", "-", "--seeds", "-").exit_code == 2
    assert run("discover", "targets").exit_code == 2
    assert run("discover", "targets", "TP53", "EGFR", "--new", "--annotated").exit_code == 2
    assert run("discover", "biomarkers", "-", "--background", "-").exit_code == 2
    assert run("discover", "biomarkers", "-", "--json", "--csv").exit_code == 2


@pytest.mark.parametrize(("name", "ask"), [("biomarkers", biomarkers), ("targets", targets)])
def test_members_are_the_librarys_answer(run, folder, model, library, tmp_path, name, ask):
    genes = ["EGFR", "ERBB2", "GRB2", "nonsense"]
    result = run("discover", name, *genes, "--model", folder, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == json.loads(json.dumps(ask(genes, model=model).to_dict()))
    assert "unmapped (1): nonsense" in result.stderr

    term = run("discover", name, "rash", "--library", library, "--model", folder, "--new", "--json")
    expected = ask("rash", library=library, which="new", model=model)
    assert json.loads(term.stdout) == json.loads(json.dumps(expected.to_dict()))

    background = tmp_path / "seen.txt"
    background.write_text("EGFR\nKRAS\nBRAF\nERBB3\n")
    few = run("discover", name, *genes, "--background", str(background), "--model", folder, "--csv")
    assert {row["symbol"] for row in _rows(few.stdout)} <= {"EGFR", "KRAS", "BRAF", "ERBB3"}


def test_genes_with_commas_are_genes_and_terms_with_commas_are_terms(run, folder, tmp_path):
    settings = ("--model", folder, "--csv")
    usual = run("discover", "targets", "EGFR", "KRAS", *settings)
    assert usual.exit_code == 0
    assert run("discover", "targets", "EGFR,KRAS", *settings).stdout == usual.stdout
    path = tmp_path / "terms.gmt"
    path.write_text("growth, cancer\tna\tEGFR\tKRAS\n")
    term = run("discover", "targets", "growth, cancer", "--library", str(path), *settings)
    assert term.exit_code == 0
    assert "growth, cancer" in term.stderr


def test_understudied_is_the_librarys_answer(run, folder, model, library):
    settings = {"max_papers": 100_000, "min_size": 2, "top": 3, "top_terms": 2}
    options = [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]
    result = run(
        "discover", "understudied", "--library", library, "--model", folder, "--json", *options
    )
    assert result.exit_code == 0
    expected = understudied(library, **settings, model=model).to_dict()
    assert json.loads(result.stdout) == json.loads(json.dumps(expected))
    assert "coding genes of up to 100,000 papers; 2 terms of signs" in result.stderr


def test_errors_of_discover_are_one_line(run, folder, library):
    for arguments, said in (
        (["targets", "rsh", "--library", library], "like it: rash"),
        (["biomarkers", "nonsense", "nothing"], "no gene of the set is known"),
        (["understudied", "--library", library], "no term of signs has 5 to 500 genes"),
        (["understudied", "--library", "nonsuch"], "no library 'nonsuch'"),
    ):
        result = run("discover", *arguments, "--model", folder)
        assert result.exit_code == 1
        assert said in result.stderr
        assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", ["discover targets", "discover biomarkers", "relate EGFR"])
def test_a_word_that_is_a_file_and_a_term_is_an_error(run, folder, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "terms.gmt").write_text("growth\t\tEGFR\tGRB2\tSOS1\tKRAS\n")
    (tmp_path / "growth").write_text("TP53\nMDM2\nBAX\n")
    option = ["--context"] if command.startswith("relate") else []
    settings = ("--library", "terms.gmt", "--model", folder, "--csv")
    both = run(*command.split(), *option, "growth", *settings)
    assert (both.exit_code, both.stdout) == (1, "")
    message = "gsfm: 'growth' is both a file of this folder and a term (terms.gmt:growth): use "
    assert both.stderr == f"{message}'./growth' for the file, or the term's identifier\n"
    file = run(*command.split(), *option, "./growth", *settings)
    term = run(*command.split(), *option, "terms.gmt:growth", *settings)
    assert file.exit_code == term.exit_code == 0
    assert file.stdout != term.stdout


def test_one_library_for_a_term(run, folder):
    both = run("term", "DNA repair", "--library", "go-bp", "--library", "reactome")
    assert (both.exit_code, both.stdout) == (2, "")
    assert both.stderr == "gsfm: give one --library; see gsfm term --help\n"
