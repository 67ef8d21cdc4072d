"""``gsfm corpus``: the same words as the library."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gsfm import GeneSets, corpus
from gsfm.cli.app import app


def run(*arguments: object, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, ["corpus", *map(str, arguments)], input=stdin, prog_name="gsfm")


@pytest.fixture
def library(tmp_path: Path) -> Path:
    path = tmp_path / "Library.gmt"
    path.write_text(
        "a\t\tTP53\tMDM2\tCDKN1A\nb\t\tTP53\tMDM2\tCDKN1A\nc\t\tEGFR\tKRAS\nd\t\tRB1\tMYC\tKRAS\n"
    )
    return path


def test_build_and_look(library, tmp_path):
    papers = tmp_path / "gene2pubmed"
    rows = "".join(f"9606\t{gene}\t9000001\n" for gene in (7157, 4193, 672))
    papers.write_text("#tax_id\tGeneID\tPubMed_ID\n" + rows)
    output = tmp_path / "corpus.gsets"
    result = run(
        "build",
        library,
        "--source",
        f"publications={papers}",
        "--min-size",
        3,
        "--max-size",
        9,
        "-o",
        output,
    )
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "[1/2] publications: 1 set\n[2/2] Library: 4 sets\n" in result.stderr
    assert "5 sets read, 3 kept; dropped: 1 too small, 1 duplicate\n" in result.stderr
    made = GeneSets.open(output)
    assert made.names == ["PMID:9000001", "a", "d"]
    assert made.manifest["settings"]["near_duplicates"] == 0.8

    result = run("manifest", output)
    assert json.loads(result.stdout) == made.manifest

    result = run("describe", output, "--json")
    description = json.loads(result.stdout)
    assert description.pop("inputs") == made.manifest["inputs"]
    assert description == corpus.describe(made, top=10).to_dict()
    result = run("describe", output, "--tsv")
    assert result.stdout.splitlines()[0].split("\t")[:3] == ["source", "sets", "members"]
    picture = tmp_path / "corpus.png"
    result = run("describe", output, "--top", 1, "--plot", picture)
    assert result.exit_code == 0
    assert result.stdout.startswith("3 gene sets, 7 genes, 9 members\n")
    assert "Commonest genes\nsymbol  sets    part\nMDM2       2  0.6667\n\n" in result.stdout
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_options_arrive(library, tmp_path):
    output = tmp_path / "corpus.gsets"
    result = run(
        *(
            "build",
            library,
            "--min-size",
            2,
            "--max-size",
            3,
            "--min-gene-sets",
            1,
            "--near-duplicates",
            0,
        ),
        *("--shrink", 0.5, "--species", "human", "--exclude", "Other*", "-o", output),
    )
    assert result.exit_code == 0
    assert GeneSets.open(output).manifest["settings"] == {
        "min_size": 2,
        "max_size": 3,
        "min_gene_sets": 1,
        "near_duplicates": None,
        "shrink": 0.5,
        "species": "human",
        "exclude": ["Other*"],
    }


def test_stdin(library, tmp_path):
    output = tmp_path / "corpus.gsets"
    result = run("build", "-", "--min-size", 3, "-o", output, stdin=library.read_text())
    assert result.exit_code == 0
    assert GeneSets.open(output).metadata["source"].to_list() == ["stdin", "stdin"]


def test_the_default_corpus():
    result = run("describe", "--json")
    assert json.loads(result.stdout)["sets"] == len(corpus.embedded())
    assert json.loads(run("manifest").stdout) == corpus.embedded().manifest


def test_sources():
    result = run("sources", "--csv")
    assert result.stdout.startswith("name,description,license,url,files\npublications,")


def test_download(tmp_path, monkeypatch):
    from gsfm.corpus import sources
    from gsfm.corpus.sources import publications

    result = run("download", "nothing", "-o", tmp_path / "a")
    assert result.exit_code == 1
    assert "unknown source 'nothing'" in result.stderr

    def fail(path):
        return publications.download(path, url="http://127.0.0.1:9/a")

    monkeypatch.setitem(
        sources.SOURCES, "publications", sources.Source("p", "", "", "", "", None, fail)
    )
    result = run("download", "publications", "-o", tmp_path / "a")
    assert result.exit_code == 1
    assert "could not fetch" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["build", "-o", "x.gsets"], 2, "give files, folders, or --source"),
        (["build", "--source", "publications", "-o", "x.gsets"], 2, "write it as NAME=FILE"),
        (["build", "--source", "pubs=x", "-o", "x.gsets"], 1, "gsfm: unknown source 'pubs'"),
        (["build", "missing.gmt", "-o", "x.gsets"], 1, "gsfm: missing.gmt: no such file"),
        (["describe", "missing.gsets"], 1, "gsfm: missing.gsets: No such file"),
        (["describe", "--json", "--csv"], 2, "choose one of"),
    ],
)
def test_errors(tmp_path, monkeypatch, arguments, code, message):
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.exit_code == code
    assert message in result.stderr
    assert list(tmp_path.iterdir()) == []
