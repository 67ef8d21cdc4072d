"""docs/genes.md: its examples run, and its numbers are those of the table."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import polars as pl
import pytest

from gsfm import genes
from gsfm.genes import lookup, tables

PAGE = Path(__file__).parents[2] / "docs" / "genes.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_examples() -> None:
    result = doctest.testfile(str(PAGE), module_relative=False)
    assert result.attempted > 5
    assert result.failed == 0


def _cells(head: str) -> list[list[str]]:
    section = head + TEXT.split(head)[1].split("\n\n")[0]
    return [re.split(r"(?<!\\)\|", line)[1:-1] for line in section.splitlines()[2:]]


def _rows() -> list[tuple[str, set[str]]]:
    rows = [cells[:3] for cells in _cells("| identifier | example | `match` |")]
    return [
        (example.replace("\\|", "|"), set(re.findall("`([^`]+)`", matches)))
        for _, examples, matches in rows
        for example in re.findall("`([^`]+)`", examples)
    ]


@pytest.mark.parametrize(("example", "matches"), _rows())
def test_what_is_understood(example: str, matches: set[str]) -> None:
    row = genes.resolve([example], excel_serials="excel serial" in matches).table.row(0, named=True)
    assert row["symbol"] is not None
    assert row["match"] in matches


@pytest.mark.parametrize("cells", _cells("| form | example |"))
def test_forms(cells: list[str]) -> None:
    for example in re.findall("`([^`]+)`", cells[1].replace("\\|", "|")):
        assert genes.resolve([example]).symbols[0] in ("TP53", "PLCXD1"), example


def test_every_match_is_listed() -> None:
    listed = set().union(*(matches for _, matches in _rows()))
    assert {kind.match for kind in lookup.KINDS} | {"approved (case)"} == listed


def test_numbers() -> None:
    table = genes.table()
    assert f"{table['name'].null_count():,} genes that were approved after 2024-07" in TEXT
    transcripts = tables.read("transcripts")
    number = transcripts["step"].cum_sum().n_unique()
    coding = table["locus_type"] == "gene with protein product"
    with_transcript = coding.gather(transcripts["gene"].unique()).sum()
    words = " ".join(TEXT.split())
    assert f"(it has {number:,} transcripts, at least one for {with_transcript:,} of" in words
    assert f"of the {coding.sum():,} protein-coding genes" in words
    mouse = tables.read("orthologs").filter(pl.col("species") == "mouse")
    unclear = mouse.filter(pl.col("genes").list.len() > 1, ~pl.col("first")).height
    assert f"For {unclear} mouse genes" in words
    human_first = genes.resolve(mouse["symbol"], species="human").table["symbol"]
    mouse_first = genes.resolve(mouse["symbol"], species="mouse").table["symbol"]
    differ = human_first.ne_missing(mouse_first).sum()
    assert f"They differ for {differ} of {mouse.height:,}" in words


def test_numbers_of_domains() -> None:
    words = " ".join(TEXT.split())
    coding = pl.col("locus_type") == "gene with protein product"
    table = genes.table().select("domains", coding=coding)
    some = table.filter(pl.col("domains").list.len() > 0)
    assert f"{some.height:,} genes have a domain; {some['coding'].sum():,} of these" in words
    assert f"the {table['coding'].sum():,} protein-coding genes" in words
    sizes = some["domains"].explode().value_counts()["count"]
    assert f"There are {len(sizes):,} domains; {(sizes > 1).sum():,} of them are in two" in words


def test_coverage_of_positions() -> None:
    table = genes.table()
    section = TEXT.split("| locus type | genes |")[1].split("\n\n")[0]
    documented = {}
    for line in section.splitlines()[2:]:
        name, *numbers = line.strip("| ").split(" | ")
        documented[name] = [int(number.replace(",", "")) for number in numbers]
    counts = (pl.len(), pl.col("chromosome", "start", "band").count())
    known = {name: list(t.select(counts).row(0)) for (name,), t in table.group_by("locus_type")}
    others = table.filter(~pl.col("locus_type").is_in([*documented]))
    known |= {
        "all others": list(others.select(counts).row(0)),
        "**all**": list(table.select(counts).row(0)),
    }
    assert documented == {name: known[name] for name in documented}
    assert len(documented) == 8

    place = table.select("chromosome", "start", "end", "strand").drop_nulls()
    assert f"{place.is_duplicated().sum()} genes share their place" in " ".join(TEXT.split())
    both = table.select("start", "band").drop_nulls().height
    assert f"except for one gene of {both:,}" in TEXT
