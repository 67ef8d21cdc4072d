"""``gsfm sets``: the tables, the files, and what goes where."""

from __future__ import annotations

import gzip
import json
from typing import get_args

import pytest

from gsfm.cli.sets import Format
from gsfm.sets import read
from gsfm.sets.files import FORMATS

GMT = "one\td\tTP53\tp53\tMDM2\ntwo\td\tMDM2\tTP53\nthree\td\tEGFR\tnonsense\n"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a.gmt"
    path.write_text(GMT)
    return str(path)


def test_describe(run, file):
    result = run("sets", "describe", file, "--json")
    assert result.exit_code == 0
    fields = {row["field"]: row["value"] for row in json.loads(result.stdout)["results"]}
    assert (fields["sets"], fields["distinct sets"], fields["genes"]) == ("3", "2", "3")
    read_as = json.loads(result.stdout)["provenance"]["read"]
    assert read_as["unmapped"] == {"nonsense": 1}
    assert "1 identifier not mapped: nonsense" in result.stderr
    assert run("sets", "describe", "-", "--json", stdin=GMT).exit_code == 0


def test_convert(run, file, tmp_path):
    target = tmp_path / "b.csv.gz"
    result = run("sets", "convert", file, str(target))
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "wrote" in result.stderr
    lines = gzip.decompress(target.read_bytes()).decode().splitlines()
    assert lines[:3] == ["name,gene,description", "one,MDM2,d", "one,TP53,d"]
    options = ("--to", "gmt", "--no-resolve", "--max-size", "2")
    raw = run("sets", "convert", "-", "-", *options, stdin=GMT)
    assert raw.stdout == "two\td\tMDM2\tTP53\nthree\td\tEGFR\tnonsense\n"
    dropped = run("sets", "convert", file, str(tmp_path / "c.json"), "--to", "enrichr-json")
    assert "not written, as the format cannot hold it: description" in dropped.stderr


def test_overlap(run, file):
    result = run("sets", "overlap", file, file, "--background", "100", "--min-shared", "2", "--csv")
    assert result.exit_code == 0
    rows = [line.split(",") for line in result.stdout.splitlines()]
    assert [row[:2] for row in rows[1:]] == [
        ["one", "one"],
        ["one", "two"],
        ["two", "one"],
        ["two", "two"],
    ]
    assert float(rows[1][-1]) == pytest.approx(1 / 4950)
    assert run("sets", "overlap", file, file, "--background", "1").exit_code == 2
    assert run("sets", "overlap", "-", "-").exit_code == 2


def test_dedup(run, file, tmp_path):
    target = tmp_path / "b.gsets"
    result = run("sets", "dedup", file, str(target), "--tsv")
    assert result.exit_code == 0
    assert result.stdout == "name\tcopies\tnames\none\t2\tone|two\n"
    assert "3 sets, 2 distinct" in result.stderr
    assert read(target).names == ["one", "three"]
    assert run("sets", "dedup", file, "-").exit_code == 2


def test_similar(run, file):
    result = run("sets", "similar", file, "--threshold", "0.9", "--tsv")
    assert result.stdout == "first_name\tsecond_name\tjaccard\none\ttwo\t1.0\n"


def test_errors(run, file, tmp_path):
    missing = run("sets", "describe", str(tmp_path / "none.gmt"))
    assert missing.exit_code == 1
    assert missing.stderr.count("\n") == 1
    assert "No such file" in missing.stderr
    bad = run("sets", "describe", "-", "--from", "json", stdin=GMT)
    assert bad.exit_code == 1
    assert "not JSON" in bad.stderr
    assert run("sets", "convert", file, str(tmp_path / "noformat")).exit_code == 1
    assert run("sets", "convert", file, "x", "--to", "tar").exit_code == 2


def test_the_formats_are_those_of_the_library():
    assert list(get_args(Format)) == [*FORMATS, "gsets"]


TABLE = "pathway,signature,gene,logFC\na,x,TP53,1\na,y,MDM2,2\nb,x,BAX,3\n"


def test_a_choice_of_columns(run, tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(TABLE)
    refused = run("sets", "convert", str(path), "-", "--to", "gmt")
    assert refused.exit_code == 1
    assert "2 columns can be the sets ('pathway', 'signature')" in refused.stderr
    assert "--set-column" in refused.stderr
    chosen = run("sets", "convert", str(path), "-", "--to", "gmt", "--set-column", "signature")
    assert chosen.stdout == "x\t\tBAX\tTP53\ny\t\tMDM2\n"
    assert "(csv: sets from column 'signature', genes from column 'gene')" in chosen.stderr
    other = run(
        "sets", "describe", str(path), "--set-column", "1", "--gene-column", "gene", "--json"
    )
    assert json.loads(other.stdout)["provenance"]["read"]["layout"].startswith("sets from column")


def test_a_choice_of_a_sheet(run, tmp_path):
    xlsxwriter = pytest.importorskip("xlsxwriter")
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(path) as book:
        for name, genes in (("One", ("TP53", "MDM2")), ("Two", ("BAX", "FAS"))):
            sheet = book.add_worksheet(name)
            for i, row in enumerate([("term", "gene"), *((name.lower(), gene) for gene in genes)]):
                sheet.write_row(i, 0, row)
    refused = run("sets", "convert", str(path), "-", "--to", "gmt")
    assert "choose a sheet (--sheet): the workbook has 'One', 'Two'" in refused.stderr
    chosen = run("sets", "convert", str(path), "-", "--to", "gmt", "--sheet", "Two")
    assert chosen.stdout == "two\t\tBAX\tFAS\n"
    assert f"{path}, sheet 'Two': 1 set" in chosen.stderr
