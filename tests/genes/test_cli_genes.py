"""gsfm genes: what goes to stdout, what to stderr, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gsfm import genes
from gsfm.cli.app import app


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, ["genes", *arguments], input=stdin)


def test_resolve_prints_a_table_and_a_summary() -> None:
    result = run("resolve", "TP53", "2-Sep", "OCT1")
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0] == ["input", "symbol", "match", "candidates", "rule"]
    assert lines[1][:3] == ["TP53", "TP53", "approved"]
    assert lines[2][:2] == ["2-Sep", "SEPTIN2"]
    assert result.stderr == genes.resolve(["TP53", "2-Sep", "OCT1"]).summary() + "\n"


@pytest.mark.parametrize(("flag", "separator"), [("--csv", ","), ("--tsv", "\t")])
def test_resolve_as_text(flag: str, separator: str) -> None:
    result = run("resolve", "TP53", "OCT1", flag)
    expected = [
        ["input", "symbol", "match", "candidates", "rule"],
        ["TP53", "TP53", "approved", '""', "approved symbol"],
    ]
    lines = [line.split(separator) for line in result.stdout.splitlines()]
    assert lines[:2] == expected
    assert lines[2][3] == "POU2F1|SLC22A1"


def test_resolve_as_json_is_the_table() -> None:
    result = run("resolve", "p53", "zzzz", "--json")
    assert json.loads(result.stdout) == genes.resolve(["p53", "zzzz"]).to_dict()


def test_resolve_reads_files_and_stdin(tmp_path: Path) -> None:
    path = tmp_path / "genes.txt"
    path.write_text("MDM2\nEGFR\n")
    result = run("resolve", "TP53", "--file", str(path), "-", "--json", stdin="KRAS\nBRAF\n")
    found = [row["symbol"] for row in json.loads(result.stdout)["results"]]
    assert found == ["TP53", "MDM2", "EGFR", "KRAS", "BRAF"]


def test_resolve_reads_a_file_without_an_option(tmp_path: Path) -> None:
    path = tmp_path / "genes.txt"
    path.write_text("MDM2\nEGFR\n")
    result = run("resolve", "TP53", str(path), "--csv")
    assert [line.split(",")[0] for line in result.stdout.splitlines()[1:]] == [
        *("TP53", "MDM2", "EGFR")
    ]
    assert f"{path}: 2 genes" in result.stderr


def test_resolve_writes_a_file(tmp_path: Path) -> None:
    path = tmp_path / "found.csv"
    result = run("resolve", "TP53", "-o", str(path))
    assert result.stdout == ""
    assert path.read_text().splitlines()[1].startswith("TP53,TP53,approved")


def test_options_reach_the_library() -> None:
    mouse = run("resolve", "Hc", "--species", "mouse", "--json")
    assert json.loads(mouse.stdout)["results"][0]["symbol"] == "C5"
    serial = run("resolve", "44623", "--excel-serials", "--json")
    assert json.loads(serial.stdout)["results"][0]["symbol"] == "MARCHF3"


@pytest.mark.parametrize(
    "arguments",
    [
        ["resolve"],
        ["resolve", "-", "--file", "-"],
        ["resolve", "TP53", "--json", "--csv"],
        ["resolve", "TP53", "--species", "yeast"],
        ["show"],
    ],
)
def test_wrong_usage(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    result = run("resolve", "--file", str(tmp_path / "none.txt"))
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1


def test_show() -> None:
    result = run("show", "p53")
    assert result.exit_code == 0
    assert result.stdout == f"{genes.show('p53')}\n"
    assert result.stderr == "p53: alias\n"
    shown = json.loads(run("show", "TP53", "--json").stdout)
    assert shown == [genes.show("TP53").to_dict()]


def test_show_an_unknown_gene() -> None:
    result = run("show", "TP35")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("gsfm: no gene is known as 'TP35'; did you mean TP53")
