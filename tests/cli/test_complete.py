"""``gsfm complete``: every way in, every way out, and what it says of what it could not use."""

from __future__ import annotations

import csv
import io
import json

import pytest

from gsfm import libraries
from gsfm.analysis import complete

GENES = ["TP53", "CDKN1A", "BAX"]


def _rows(text: str, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text), delimiter=delimiter))


def test_json_is_the_librarys_answer(run, folder, model):
    result = run("complete", *GENES, "p53", "nonsense", "--model", folder, "--top", "4", "--json")
    assert result.exit_code == 0
    answer = json.loads(result.stdout)
    expected = complete([*GENES, "p53", "nonsense"], top=4, model=model).to_dict()
    # The model that was saved is the model that was fitted.
    assert answer == json.loads(json.dumps(expected))
    assert list(answer) == ["provenance", "inputs", "results"]


@pytest.mark.parametrize(("form", "delimiter"), [("--csv", ","), ("--tsv", "\t")])
def test_flat_forms_hold_the_same_table(run, folder, model, form, delimiter):
    rows = _rows(run("complete", *GENES, "--model", folder, form).stdout, delimiter)
    table = complete(GENES, model=model).table
    assert [row["symbol"] for row in rows] == table["symbol"].to_list()
    assert list(rows[0]) == table.columns
    assert [float(row["score"]) for row in rows] == pytest.approx(table["score"].to_list())


def test_the_plain_table_is_whole_and_without_color(run, folder):
    result = run("complete", *GENES, "--model", folder, "--top", "3")
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["rank", "symbol", "name", "score", "z_score"]
    assert len(lines) == 4
    assert "\x1b" not in result.stdout
    assert "\u2026" not in result.stdout


def test_every_identifier_is_reported_on_stderr_not_stdout(run, folder):
    result = run("complete", "p53", "OCT1", "CD8B", "nonsense", "--model", folder, "--csv")
    assert result.exit_code == 0
    for message in ("p53 = TP53", "OCT1 (POU2F1 or SLC22A1)", "not in the model (1): CD8B"):
        assert message in result.stderr
    assert "nonsense" in result.stderr
    assert "nonsense" not in result.stdout


def test_the_same_genes_by_every_way_in(run, folder, tmp_path):
    path = tmp_path / "genes.txt"
    path.write_text("\n".join(GENES) + "\n")
    settings = ("--model", folder, "--csv")
    expected = run("complete", *GENES, *settings).stdout
    assert expected.startswith("rank,symbol")
    by_path = run("complete", str(path), *settings)
    assert by_path.stdout == expected
    assert f"{path}: 3 genes" in by_path.stderr
    assert run("complete", "--file", str(path), *settings).stdout == expected
    assert run("complete", "-", *settings, stdin=path.read_bytes()).stdout == expected
    assert run("complete", "-f", "-", *settings, stdin=path.read_bytes()).stdout == expected
    mixed = run("complete", "BAX", "-", *settings, stdin="TP53\r\nCDKN1A\r\n")
    assert mixed.stdout == expected


def test_options_reach_the_library(run, folder, model, tmp_path):
    background = tmp_path / "background.txt"
    background.write_text("MDM2\nEGFR\nTP53\nBAX\nERBB2\nnonsense\n")
    excluded = tmp_path / "excluded.txt"
    excluded.write_text("EGFR\n")
    result = run(
        *("complete", *GENES, "--model", folder, "--background", str(background)),
        *("--exclude", str(excluded), "--exclude", "her2", "--include-input", "--json"),
    )
    answer = json.loads(result.stdout)
    for part, file in (("background", background), ("exclude", excluded)):
        assert answer["provenance"][part].pop("read")[0]["file"] == str(file)
    assert {row["symbol"] for row in answer["results"]} == {"MDM2", "TP53", "BAX"}
    assert {row["symbol"] for row in answer["results"] if row["in_input"]} == {"TP53", "BAX"}
    assert "of the background, not used (1): nonsense" in result.stderr
    expected = complete(
        GENES,
        background=["MDM2", "EGFR", "TP53", "BAX", "ERBB2", "nonsense"],
        exclude=["EGFR", "her2"],
        include_input=True,
        model=model,
    )
    assert answer == json.loads(json.dumps(expected.to_dict()))


def test_top(run, folder, model):
    everything = _rows(run("complete", "TP53", "--model", folder, "--top", "0", "--csv").stdout)
    assert len(everything) == len(model.vocabulary) - 1
    assert len(_rows(run("complete", "TP53", "--model", folder, "--top", "2", "--csv").stdout)) == 2


def test_species_settles_a_contradiction(run, folder):
    # Bex2 of the mouse is BEX1 of man; BEX2 is a gene of man too.
    def read_as(species: str) -> str:
        settings = ("--model", folder, "--species", species, "--json")
        answer = json.loads(run("complete", "TP53", "Bex2", *settings).stdout)
        return answer["inputs"][1]["symbol"]

    assert (read_as("human"), read_as("mouse")) == ("BEX2", "BEX1")


def test_a_library(run, folder, tmp_path):
    path = tmp_path / "library.gmt"
    path.write_text("a\tna\tTP53,1.0\tCDKN1A\nb\tna\tEGFR\tGRB2\nc\tna\tnonsense\n")
    result = run("complete", "--library", str(path), "--model", folder, "--top", "2", "--csv")
    assert result.exit_code == 0
    assert [row["set"] for row in _rows(result.stdout)] == ["a", "a", "b", "b"]
    assert "sets without a known gene (1): c" in result.stderr
    assert "1 member with a weight" in result.stderr
    piped = run(
        *("complete", "--library", "-", "--model", folder, "--top", "2", "--csv"),
        stdin=path.read_bytes(),
    )
    assert piped.stdout == result.stdout


@pytest.mark.parametrize("ending", ["json", "csv", "tsv"])
def test_output_writes_what_stdout_would_show(run, folder, tmp_path, ending):
    shown = run("complete", *GENES, "--model", folder, f"--{ending}").stdout
    path = tmp_path / f"answer.{ending}"
    result = run("complete", *GENES, "--model", folder, "-o", str(path))
    assert (result.exit_code, result.stdout) == (0, "")
    assert path.read_text() == shown


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("TP53", "--library", "x.gmt"),
        ("TP53", "--json", "--csv"),
        ("TP53", "--top", "-1"),
        ("TP53", "--species", "fly"),
        ("-", "--background", "-"),
        ("TP53", "--no-such-option"),
    ],
)
def test_wrong_usage_is_exit_code_2(run, folder, arguments):
    result = run("complete", *arguments, "--model", folder)
    assert (result.exit_code, result.stdout) == (2, "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nonsense", "CD8B"), "nonsense, CD8B"),
        (("TP53", "--model", "no-such-folder"), "no-such-folder"),
        (("--file", "no-such-file"), "no-such-file"),
        (("TP53", "--background", "no-such-file"), "no-such-file"),
        (("--library", "no-such-file"), "no-such-file"),
        (("TP53", "-o", "/dev/null/x.csv"), "/dev/null"),
    ],
)
def test_an_error_is_one_line_and_exit_code_1(run, folder, arguments, message):
    model = () if "--model" in arguments else ("--model", folder)
    result = run("complete", *arguments, *model)
    assert (result.exit_code, result.stdout) == (1, "")
    last = result.stderr.splitlines()[-1]
    assert last.startswith("gsfm: ")
    assert message in last
    assert "Traceback" not in result.stderr


def test_a_calibrated_model_shows_probabilities(run, calibrated, calibrated_folder, tmp_path):
    result = run("complete", *GENES, "--model", calibrated_folder, "--top", "3", "--json")
    assert result.exit_code == 0
    answer = json.loads(result.stdout)
    assert answer == json.loads(json.dumps(complete(GENES, top=3, model=calibrated).to_dict()))
    assert all(0 < row["probability"] < 1 for row in answer["results"])
    assert "random half" in answer["provenance"]["columns"]["probability"]
    (tmp_path / "model" / "calibration.json").write_text("{}")
    result = run("complete", *GENES, "--model", calibrated_folder)
    assert result.exit_code == 1
    assert "calibration.json: format is None" in result.stderr


def test_the_share_that_is_missing(run, calibrated, calibrated_folder, tmp_path):
    settings = ("--model", calibrated_folder, "--top", "3", "--json")
    result = run("complete", *GENES, *settings, "--missing-fraction", "0.1")
    assert result.exit_code == 0
    expected = complete(GENES, top=3, missing_fraction=0.1, model=calibrated).to_dict()
    assert json.loads(result.stdout) == json.loads(json.dumps(expected))
    assert json.loads(result.stdout)["provenance"]["missing_fraction"] == 0.1
    usual = run("complete", *GENES, *settings).stdout
    assert run("complete", *GENES, *settings, "--missing-fraction", "0.5").stdout == usual
    assert usual != result.stdout
    library = tmp_path / "mine.gmt"
    library.write_text("a\tna\t" + "\t".join(GENES) + "\n")
    many = run("complete", "--library", str(library), *settings, "--missing-fraction", "0.1")
    rows = json.loads(many.stdout)["results"]
    probability = [row["probability"] for row in expected["results"]]
    assert [row["probability"] for row in rows] == pytest.approx(probability, abs=1e-6)


@pytest.mark.parametrize("share", ["0", "1", "-0.2", "2", "nan", "half"])
def test_what_is_no_share(run, share):
    for command in (["complete"], ["annotate"], ["term"]):
        result = run(*command, "TP53", "--missing-fraction", share)
        assert result.exit_code == 2
        assert "--missing-fraction" in result.stderr


def test_commas_separate_genes(run, folder, tmp_path):
    usual = run("complete", *GENES, "--model", folder, "--csv")
    assert run("complete", ",".join(GENES), "--model", folder, "--csv").stdout == usual.stdout
    assert run("complete", ", ".join(GENES), "--model", folder, "--csv").stdout == usual.stdout
    without = run("complete", *GENES, "--model", folder, "--exclude", "MDM2,EGFR", "--csv").stdout
    assert {"MDM2", "EGFR"}.isdisjoint(row["symbol"] for row in _rows(without))
    # The name of a gene, and of a file, may have a comma.
    resolved = _rows(run("genes", "resolve", "TP53,MDM2", "H+,K+-ATPase", "--csv").stdout)
    assert [row["symbol"] for row in resolved] == ["TP53", "MDM2", "ATP4B"]
    path = tmp_path / "a,b"
    path.write_text("\n".join(GENES))
    assert run("complete", str(path), "--model", folder, "--csv").stdout == usual.stdout


def test_every_set_of_a_library(run, folder, model):
    result = run("complete", "--library", "families", "--model", folder, "--top", "1", "--csv")
    expected = complete(libraries.load("families"), top=1, model=model).table
    assert [row["symbol"] for row in _rows(result.stdout)] == expected["symbol"].to_list()
    wrong = run("complete", "--library", "familes", "--model", folder)
    assert (wrong.exit_code, wrong.stdout) == (1, "")
    assert "did you mean 'families'?" in wrong.stderr
