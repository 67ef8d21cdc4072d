"""A report prints well and goes everywhere whole."""

from __future__ import annotations

import json
import math
import sys
from html.parser import HTMLParser

import polars as pl
import pytest

from gsfm import GsfmError
from gsfm.models import Adaptive, Ensemble, Linear, Popularity, describe
from gsfm.report import Report
from gsfm.sets import GeneSets

TABLE = pl.DataFrame(
    {
        "symbol": ["TP53", "<b>&", "a\x1b[1mb"],
        "score": [0.123456, math.nan, math.inf],
        "aliases": [["p53", "LFS1"], [], None],
    }
)


@pytest.fixture
def report() -> Report:
    return Report(TABLE, {"model": "linear", "background": {"genes": 3}})


def test_it_is_a_collection_of_rows(report):
    assert len(report) == 3
    assert [row["symbol"] for row in report] == TABLE["symbol"].to_list()
    assert len(Report(TABLE.clear())) == 0
    assert repr(Report(TABLE.clear())) == "Report(0 rows)\nsymbol  score  aliases"


def test_repr_is_aligned_and_says_what_is_left_out(report):
    lines = repr(report).splitlines()
    assert lines[0] == "Report(3 rows; model: linear)"
    assert lines[1:3] == ["symbol   score  aliases", "TP53    0.1235  p53|LFS1"]
    assert "\x1b" not in repr(report)
    many = Report(pl.DataFrame({"n": range(30)}))
    assert repr(many).splitlines()[-1] == "... 10 more"


def test_json_is_whole_and_valid(report, tmp_path):
    path = tmp_path / "report.json"
    report.to_json(path)
    # Anything that is not JSON, as NaN is not, would be refused.
    read = json.loads(path.read_text(), parse_constant=pytest.fail)
    assert read == report.to_dict()
    assert read["provenance"] == report.provenance
    assert [row["score"] for row in read["results"]] == [0.123456, None, None]
    assert read["results"][0]["aliases"] == ["p53", "LFS1"]


def test_csv_is_the_table(report, tmp_path):
    path = tmp_path / "report.csv"
    report.to_csv(path)
    read = pl.read_csv(path)
    assert read["symbol"].to_list() == TABLE["symbol"].to_list()
    assert read["score"].to_list()[0] == 0.123456
    assert read["aliases"].to_list()[0] == "p53|LFS1"
    report.to_csv(path, separator="\t")
    assert path.read_text().startswith("symbol\tscore\taliases\n")


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.text.append(data)


def test_html_escapes_what_is_shown(report, tmp_path):
    path = tmp_path / "report.html"
    report.to_html(path)
    for page in (path.read_text(), report._repr_html_()):
        parser = _Text()
        parser.feed(page)
        assert "b" not in parser.tags
        assert "<b>&" in parser.text
        assert parser.tags.count("tr") == 4
        assert any('"background"' in text for text in parser.text)
    assert "50 more" in Report(pl.DataFrame({"n": range(150)}))._repr_html_()
    Report(pl.DataFrame({"n": range(150)})).to_html(path)
    assert path.read_text().count("<tr>") == 151


def test_pandas(report, monkeypatch):
    frame = report.to_pandas()
    assert frame["symbol"].tolist() == TABLE["symbol"].to_list()
    assert frame["aliases"][0] == ["p53", "LFS1"]
    assert frame.attrs["model"] == "linear"
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(GsfmError, match=r"\.\[pandas\]"):
        report.to_pandas()


def test_describe_shows_all_of_the_manifest():
    model = Linear(regularization=3).fit(GeneSets.from_lists([["TP53", "MDM2"], ["TP53", "BAX"]]))
    model.manifest["libraries"] = {"first": {"license": "CC0"}}
    report = describe(model)
    values = dict(report.table.rows())
    assert values["config.regularization"] == "3.0"
    assert (values["genes"], values["parameters"]) == ("3", "9")
    assert values["libraries.first.license"] == "CC0"
    assert report.provenance == model.manifest


def test_describe_shows_each_member_with_its_weight():
    sets = GeneSets.from_lists([["TP53", "MDM2"], ["TP53", "BAX"]])
    models = [Linear(regularization=3 + i).fit(sets) for i in range(6)] + [Popularity().fit(sets)]
    weights = [1.0, 0.2, 0.2, 0.4, 0.0, 0.5, 0.1]
    for family in (Ensemble, Adaptive):
        fields = dict(describe(family.of(models, weights)).table.rows())
        for i, (model, weight) in enumerate(zip(models, weights, strict=True)):
            assert fields[f"config.members.{i}.family"] == model.family
            assert fields[f"config.members.{i}.weight"] == str(weight)
        assert fields["config.members.5.regularization"] == "8.0"
        assert fields["config.members.6.pseudocount"] == "1.0"
        assert ("config.prior_precision" in fields) == (family is Adaptive)
        assert fields["members"] == "7 entries"


def test_describe_unfolds_short_lists_and_counts_long_ones():
    model = Popularity().fit(GeneSets.from_lists([["TP53", "MDM2"], ["TP53"]]))
    model.manifest |= {
        "members": [{"family": "a"}, {"family": "b", "seed": 1}],
        "inputs": [{"file": str(i)} for i in range(9)],
        "weights": [1.0, 0.3],
    }
    fields = dict(describe(model).table.rows())
    assert fields["members.0.family"] == "a"
    assert fields["members.1.seed"] == "1"
    assert fields["inputs"] == "9 entries"
    assert fields["weights"] == "[1.0, 0.3]"
