"""``gsfm enrich``: the library's answers, by every way in and out."""

from __future__ import annotations

import csv
import io
import json

import pytest

from gsfm.analysis import enrich, ora

GENES = ["TP53", "CDKN1A", "BAX"]


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("libraries") / "mine.gmt"
    path.write_text(
        "arrest\tstops the cycle\tTP53\tMDM2\tCDKN1A\tGADD45A\tBBC3\n"
        "growth\tstarts it\tEGFR\tERBB2\tGRB2\tSOS1\tKRAS\n"
        "cycle\tna\tMYC\tCCND1\tCDK4\tMAPK1\tMAP2K1\n"
    )
    return str(path)


def _rows(text: str, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text), delimiter=delimiter))


def test_model_is_the_librarys_answer(run, folder, model, library):
    result = run(
        *("enrich", *GENES, "nonsense", "--model", folder, "--library", library),
        "--json",
    )
    assert result.exit_code == 0
    expected = enrich([*GENES, "nonsense"], library, top=20, model=model).to_dict()
    assert json.loads(result.stdout) == json.loads(json.dumps(expected))
    assert "nonsense" in result.stderr
    assert "terms tested: mine (3)" in result.stderr
    assert json.loads(result.stdout)["results"][0]["term"] == "arrest"


def test_ora_needs_no_model(run, library):
    result = run("enrich", *GENES, "--method", "ora", "--library", library, "--csv")
    assert result.exit_code == 0
    rows = _rows(result.stdout)
    found = ora(GENES, library)
    assert [row["term"] for row in rows] == found.table["term"].to_list()
    assert rows[0]["overlap_genes"] == "CDKN1A|TP53"
    assert "BAX" in result.stderr
    assert "not in the background" in result.stderr


def test_one_table_for_each_library(run, library, tmp_path):
    other = tmp_path / "other.gmt"
    other.write_text("death\t\tBAX\tBBC3\tTP53\nlife\t\tBCL2\tMCL1\n")
    files = ("--library", library, "--library", str(other))
    result = run("enrich", *GENES, "--method", "ora", *files, "--min-size", "2", "--top", "1")
    assert result.stdout.splitlines()[0] == "mine: 1 of 3 terms"
    assert "\n\nother: 1 of 2 terms\nrank  term   id     overlap  odds_ratio" in result.stdout
    assert " 2/3 " in result.stdout


def test_a_ranked_list_from_a_file_and_from_stdin(run, folder, model, library, tmp_path):
    text = "gene\tlogFC\nTP53\t2\nCDKN1A\t1.5\nEGFR\t-3\nKRAS\t-1\nMYC\t0.1\n"
    path = tmp_path / "list.rnk"
    path.write_text(text)
    settings = ("--model", folder, "--library", library, "--top-genes", "2")
    settings = (*settings, "--background", "all", "--tsv")
    result = run("enrich", "--ranked", str(path), *settings)
    assert result.exit_code == 0
    assert run("enrich", "--ranked", "-", *settings, stdin=text).stdout == result.stdout
    expected = enrich(
        {"TP53": 2, "CDKN1A": 1.5, "EGFR": -3, "KRAS": -1, "MYC": 0.1},
        library,
        top_genes=2,
        background="all",
        model=model,
    )
    rows = _rows(result.stdout, "\t")
    assert [(r["direction"], r["term"]) for r in rows] == expected.table.select(
        "direction", "term"
    ).rows()


def test_prerank(run, library, tmp_path):
    pytest.importorskip("gseapy")
    path = tmp_path / "list.rnk"
    path.write_text("TP53\t2\nCDKN1A\t1.5\nMDM2\t1.2\nEGFR\t-3\nKRAS\t-1\nGRB2\t-1.1\nMYC\t0.1\n")
    result = run(
        *("enrich", "--ranked", str(path), "--method", "prerank", "--library", library),
        *("--min-size", "3", "--permutations", "50", "--csv"),
    )
    assert result.exit_code == 0
    nes = {row["term"]: float(row["nes"]) for row in _rows(result.stdout)}
    assert nes["arrest"] > 0 > nes["growth"]


def test_an_ordered_query(run, library, tmp_path):
    path = tmp_path / "list.rnk"
    path.write_text("TP53\t2\nCDKN1A\t1.5\nMDM2\t1.2\nEGFR\t-3\nKRAS\t-1\nGRB2\t-1.1\nMYC\t0.1\n")
    command = ("enrich", "--ranked", str(path), "--method", "ora", "--library", library)
    rows = _rows(run(*command, "--min-size", "3", "--top", "2", "--csv").stdout)
    assert [(row["term"], row["direction"], row["prefix"]) for row in rows] == [
        ("arrest", "up", "3"),
        ("growth", "down", "3"),
    ]


def test_several_lists(run, library, tmp_path):
    path = tmp_path / "lists.gmt"
    path.write_text("up\t\tTP53\tCDKN1A\tMDM2\ndown\t\tEGFR\tKRAS\tGRB2\n")
    command = ("enrich", "--method", "ora", "--library", library, "--top", "1")
    result = run(*command, "--lists", str(path), "--csv")
    found = [(row["list"], row["term"], row["overlap"]) for row in _rows(result.stdout)]
    assert found == [("up", "arrest", "3"), ("down", "growth", "3")]
    assert "genes of each list: up (3), down (3)" in result.stderr
    assert "up, mine: 1 of 3 terms" in run(*command, "--lists", "-", stdin=path.read_text()).stdout
    refused = run(*command, str(path))
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "--lists" in refused.stderr


def test_plots_and_groups(run, library, tmp_path):
    pytest.importorskip("matplotlib")
    command = ("enrich", "TP53", "EGFR", "--method", "ora", "--library", library)
    files = [tmp_path / name for name in ("a.svg", "b.html")]
    result = run(*command, *(one for file in files for one in ("--plot", str(file))), "--csv")
    assert [row["group"] for row in _rows(result.stdout)] == ["1", "2", "3"]
    assert f"wrote {files[1]}" in result.stderr
    assert all("arrest" in file.read_text() for file in files)
    graph = tmp_path / "terms.graphml"
    result = run(*command, "--plot", str(graph), "--kind", "network", "--no-group", "--csv")
    assert "group" not in _rows(result.stdout)[0]
    assert "growth" in graph.read_text()
    refused = run(*command, "--plot", str(tmp_path / "a.gif"))
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "a.gif: choose an ending of .png" in refused.stderr


def test_background_and_output(run, folder, library, tmp_path):
    measured, path = tmp_path / "measured.txt", tmp_path / "found.json"
    measured.write_text("TP53\nMDM2\nCDKN1A\nEGFR\nnonsense\n")
    result = run(
        *("enrich", *GENES, "--method", "ora", "--library", library, "--min-size", "1"),
        *("--background", str(measured), "-o", str(path)),
    )
    assert (result.exit_code, result.stdout) == (0, "")
    provenance = json.loads(path.read_text())["provenance"]
    assert provenance["background"]["genes"] == 4
    assert provenance["background"]["unused"] == ["nonsense"]
    assert provenance["input"]["not_in_background"] == ["BAX"]


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("TP53", "--ranked", "x.rnk"),
        ("TP53", "--lists", "x.gmt"),
        ("TP53", "--plot", "x.svg", "--kind", "running-sum"),
        ("TP53", "--kind", "bar"),
        ("TP53", "--method", "prerank"),
        ("TP53", "--method", "ora", "--random-state", "1"),
        ("--ranked", "x.rnk", "--method", "prerank", "--background", "all"),
        ("TP53", "--method", "guess"),
        ("TP53", "--json", "--csv"),
        ("-", "--background", "-"),
        ("TP53", "--draws", "30"),
        ("TP53", "--method", "ora"),  # which has no model
    ],
)
def test_wrong_usage_is_exit_code_2(run, folder, arguments):
    result = run("enrich", *arguments, "--model", folder)
    assert (result.exit_code, result.stdout) == (2, "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nonsense",), "nonsense"),
        (("TP53", "--library", "no such library"), "no such library"),
        (("TP53", "--library", "reactome", "--min-size", "900"), "900 or more genes"),
        (("--ranked", "no-such-file"), "no-such-file"),
        (("EGFR", "--background", "no-such-file"), "no-such-file"),
        (("MYC", "--method", "ora", "--library", "families", "--min-size", "400"), "families"),
    ],
)
def test_an_error_is_one_line_and_exit_code_1(run, folder, arguments, message):
    result = run("enrich", *arguments, *(() if "ora" in arguments else ("--model", folder)))
    assert (result.exit_code, result.stdout) == (1, "")
    last = result.stderr.splitlines()[-1]
    assert last.startswith("gsfm: ")
    assert message in last


@pytest.mark.parametrize(
    ("number", "message"),
    [
        ("0", "a background of 0 genes is too small: the set and the libraries have "),
        ("100", "a background of 100 genes is too small"),
        ("-5", "--background must be a whole number of genes, not -5"),
        ("2.5", "--background must be a whole number of genes, not 2.5"),
        ("1e6", "--background must be a whole number of genes, not 1e6"),
        ("1,2", "--background must be a whole number of genes, not 1,2"),
        (str(10**30), "--background must be a whole number of genes, not 1000000"),
        (str(10**10), "background must be 1,000,000,000 genes or fewer, not 10,000,000,000"),
        ("", "a file is named, but its name is empty"),
    ],
)
def test_what_is_no_number_of_genes(run, number, message):
    command = ("enrich", "BRCA1", "BRCA2", "--method", "ora", "--library", "families")
    found = run(*command, "--background", number)
    assert found.exit_code in (1, 2)
    assert found.stdout == ""
    assert found.stderr.startswith(f"gsfm: {message}")
    assert found.stderr.count("\n") == 1
    same = [run(*command, "--background", text).stdout for text in ("20000", "20,000")]
    assert same[0] == same[1] != ""
