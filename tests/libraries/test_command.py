"""``gsfm library``: what goes to stdout, what to stderr."""

from __future__ import annotations

import csv
import io
import json

import pytest

GMT = "Heart\tpumps\tMYH7\tmyh6\tnonsense\nLiver\t\tALB\n"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "organs.gmt"
    path.write_text(GMT)
    return str(path)


def test_list(run, tmp_path):
    rows = list(csv.DictReader(io.StringIO(run("library", "list", "--csv").stdout)))
    assert [row["name"] for row in rows[:2]] == ["go-bp", "go-mf"]
    assert all(row["license"] and row["release"] and row["date"] for row in rows)
    whole = json.loads(run("library", "list", "--json").stdout)
    assert whole["provenance"]["columns"]["license"] == "the terms of use of the data"
    assert run("library", "list", "-o", str(tmp_path / "a.tsv")).stdout == ""
    assert (tmp_path / "a.tsv").read_text().startswith("name\tterms")


def test_add_show_remove(run, file):
    added = run(
        *("library", "add", file, "--release", "1", "--date", "2024-01-01"),
        *("--license", "CC0", "--species", "human", "--min-size", "2"),
    )
    assert (added.exit_code, added.stdout) == (0, "")
    assert "1 identifier not mapped: nonsense" in added.stderr
    assert "added organs: 1 term, 2 genes; excluded: 1 too small" in added.stderr
    assert (
        "organs\t1\t2\t1\t2024-01-01\tCC0\thuman\tno\tadded"
        in run("library", "list", "--tsv").stdout
    )

    terms = run("library", "show", "organs", "--tsv")
    assert terms.stdout == "id\tterm\tsize\nHeart\tHeart\t2\n"
    assert "organs: organs, 1, 2024-01-01, CC0" in terms.stderr
    term = run("library", "show", "organs", "hea", "--tsv")
    assert term.stdout == "symbol\tname\nMYH6\tmyosin heavy chain 6\nMYH7\tmyosin heavy chain 7\n"
    assert "Heart: 2 genes" in term.stderr
    assert "pumps" in term.stderr

    twice = run("library", "add", file)
    assert (twice.exit_code, twice.stderr.count("\n")) == (1, 1)
    assert run("library", "add", file, "--replace").exit_code == 0
    assert run("library", "remove", "organs").stderr == "removed organs\n"
    assert run("library", "show", "organs").exit_code == 1


def test_stdin(run):
    added = run("library", "add", "-", "--name", "piped", stdin=GMT)
    assert added.exit_code == 0
    assert "added piped: 2 terms, 3 genes" in added.stderr
    assert run("library", "add", "-", stdin=GMT).exit_code == 1


def test_a_term_in_json(run):
    answer = json.loads(run("library", "show", "reactome", "r-hsa-109581", "--json").stdout)
    assert answer["provenance"]["term"]["name"] == "Apoptosis"
    assert answer["provenance"]["library"]["license"] == "CC0 1.0"
    assert {"BAX", "CASP3"} <= {row["symbol"] for row in answer["results"]}


def test_errors(run):
    slip = run("library", "show", "go-bp", "spermatogenisis")
    assert (slip.exit_code, slip.stdout, slip.stderr.count("\n")) == (1, "", 1)
    assert "spermatogenesis (GO:0007283)" in slip.stderr
    assert run("library", "show", "nothing").exit_code == 1
    assert run("library", "list", "--csv", "--tsv").exit_code == 2
    assert run("library", "add", "none.gmt", "--by", "organs").exit_code == 2
