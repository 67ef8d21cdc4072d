"""``gsfm explain``, ``relate``, ``network`` and the like: the library's answers."""

from __future__ import annotations

import csv
import io
import json
import re

import numpy as np
import polars as pl
import pytest

from gsfm import GsfmError, analysis, sets

GENES = ["TP53", "CDKN1A", "BAX"]


@pytest.fixture
def library(tmp_path):
    path = tmp_path / "terms.gmt"
    lines = [f"term {i}\tna\t{genes}" for i, genes in enumerate(
        ["TP53\tMDM2\tBAX\tCDKN1A", "EGFR\tGRB2\tKRAS\tSOS1", "p53\tMDM2\tBBC3", "MYC\tCCND1\tCDK4",
         "EGFR\tERBB2\tERBB3", "BRAF\tRAF1\tMAP2K1", "nonsense"])]  # fmt: skip
    path.write_text("\n".join(lines) + "\n")
    return path


def same(answer: str, report: analysis.Completion) -> bool:
    """Whether the answer is the report, besides what was read of files."""

    def unread(values: dict) -> dict:
        return {name: value for name, value in values.items() if name != "read"}

    wanted = json.dumps(report.to_dict())
    return json.loads(answer, object_hook=unread) == json.loads(wanted, object_hook=unread)


def test_explain(run, folder, model):
    result = run("explain", "MDM2", *GENES, "nonsense", "--model", folder, "--json", "--top", "0")
    assert result.exit_code == 0, result.stderr
    assert same(
        result.stdout, analysis.explain("MDM2", [*GENES, "nonsense"], top=None, model=model)
    )
    for message in ("unmapped (1): nonsense", "MDM2: score ", "papers have MDM2"):
        assert message in result.stderr
    plain = run("explain", "MDM2", *GENES, "--model", folder)
    for message in ("What each gene adds", "What each kind of evidence adds", "Papers of"):
        assert message in plain.stdout
    rows = run("explain", "MDM2", "-", "--model", folder, "--csv", stdin="TP53\nBAX\n").stdout
    assert {row["symbol"] for row in csv.DictReader(io.StringIO(rows))} == {"TP53", "BAX"}
    papers = run("explain", "MDM2", *GENES, "--model", folder, "--show", "papers", "--tsv").stdout
    assert papers.startswith("paper\tyear\tgenes\toverlap")


def test_relate(run, folder, model, library):
    result = run("relate", "p53", "--model", folder, "--top", "4", "--json")
    assert same(result.stdout, analysis.relate("p53", top=4, model=model))
    result = run("relate", "p53", "--context", "EGFR,GRB2", "--context", "KRAS", "--model", folder,
                 "--json")  # fmt: skip
    assert same(
        result.stdout, analysis.relate("p53", context=["EGFR", "GRB2", "KRAS"], model=model)
    )
    assert "of 3 genes (3 known genes)" in result.stderr
    result = run("relate", "p53", "--context", "term 1", "--library", str(library), "--model",
                 folder, "--json")  # fmt: skip
    found = analysis.relate("p53", context="term 1", libraries=[library], model=model)
    assert same(result.stdout, found)
    term = analysis.relate("p53", context=sets.read(library)[1], model=model)
    assert found.table.equals(term.table)
    result = run("relate", "p53", "MDM2", "--library", str(library), "--draws", "12", "--seed", "2",
                 "--model", folder, "--json")  # fmt: skip
    expected = analysis.relate(
        "p53", "MDM2", libraries=[library], draws=12, random_state=2, model=model
    )
    assert same(result.stdout, expected)
    assert expected.headline() in result.stderr
    assert [row["name"] for row in expected if row["kind"] == "term"][:2] == ["term 2", "term 0"]


def test_network(run, folder, model, tmp_path):
    graph, drawing = tmp_path / "net.graphml", tmp_path / "net.svg"
    settings = ("--add", "2", "--min-relation", "0.5", "--degree", "3", "--model", folder, "--json")
    saved = ("--save", str(graph), "--save", str(drawing))
    result = run("network", *GENES, "EGFR", *settings, *saved)
    expected = analysis.network([*GENES, "EGFR"], add=2, min_relation=0.5, degree=3, model=model)
    assert same(result.stdout, expected)
    assert graph.exists()
    assert drawing.exists()
    assert f"wrote {graph}" in result.stderr
    edges = run("network", *GENES, "--edges", "--min-relation", "0", "--model", folder, "--csv")
    assert edges.stdout.startswith("source,target,weight\n")


def test_nearest(run, folder, model, library):
    arguments = ("nearest", *GENES, "--among", str(library), "--model", folder, "--json")
    result = run(*arguments)
    assert same(result.stdout, analysis.nearest(GENES, library, model=model))
    result = run(*arguments, "--by", "model", "--top", "2")
    assert same(result.stdout, analysis.nearest(GENES, library, by="model", top=2, model=model))
    papers = run("nearest", "-", "--model", folder, "--top", "1", "--csv", stdin="TP53\nMDM2\n")
    assert "PMID:" in papers.stdout


def test_embed(run, folder, model, library, tmp_path):
    path = tmp_path / "v.parquet"
    result = run("embed", "genes", *GENES, "--model", folder, "-o", str(path))
    assert (result.exit_code, result.stdout) == (0, "")
    assert pl.read_parquet(path)["symbol"].to_list() == GENES
    result = run("embed", "genes", "p53", "--dimensions", "3", "--model", folder, "--json")
    assert same(result.stdout, analysis.embed(["p53"], dimensions=3, model=model))
    path = tmp_path / "v.npz"
    result = run("embed", "sets", str(library), "--model", folder, "-o", str(path))
    with np.load(path) as stored:
        expected = analysis.embed(sets.read(library, resolve=False), model=model)
        assert np.array_equal(stored["vectors"], expected.vectors)
    assert "unmapped (1): nonsense" in result.stderr
    flat = run("embed", "sets", str(library), "--model", folder, "--csv")
    assert flat.stdout.startswith("set,genes,in_model,v1,v2")


def test_map(run, folder, library, tmp_path):
    path = tmp_path / "map.html"
    result = run("map", str(library), "--model", folder, "-o", str(path))
    assert (result.exit_code, result.stdout) == (0, "")
    assert "term 3" in path.read_text()
    assert "not on the map: 1" in result.stderr
    rows = run("map", str(library), "--model", folder, "--csv").stdout
    assert [row["set"] for row in csv.DictReader(io.StringIO(rows))] == [
        f"term {i}" for i in range(6)
    ]
    some = run("map", str(library), "--most", "6", "--seed", "4", "--model", folder, "--json")
    assert "6 of 7 sets, drawn at random" in some.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("explain", "TP53"),
        ("explain", "TP53", "-", "-"),
        ("explain", "TP53", "MDM2", "--json", "--csv"),
        ("relate", "TP53", "MDM2", "--context", "EGFR"),
        ("relate", "TP53", "--context", "x", "--library", "y", "--library", "z"),
        ("relate", "TP53", "--library", "x.gmt"),
        ("relate", "TP53", "--context", "EGFR", "--context-term", "x", "--library", "y"),
        ("network",),
        ("nearest",),
        ("nearest", "-", "--among", "-"),
        ("nearest", "TP53", "--by", "magic"),
        ("map", "x.gmt", "--most", "2"),
        ("embed", "genes", "TP53", "-o", "x.txt"),
    ],
)
def test_wrong_usage_is_exit_code_2(run, folder, arguments):
    result = run(*arguments, "--model", folder)
    assert (result.exit_code, result.stdout) == (2, "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("explain", "nonsense", "TP53"), "nonsense is no known gene"),
        (("explain", "TP53", "nonsense"), "nonsense"),
        (("relate", "CD8B"), "does not know"),
        (("relate", "TP53", "p53"), "the two genes are both TP53"),
        (("relate", "TP53", "--context", "MDM2,BAX"), "at least 3"),
        (("network", "TP53"), "at least 2"),
        (("network", "TP53", "MDM2", "--save", "x.txt"), "x.txt"),
        (("nearest", "TP53", "--among", "no-such-library"), "no-such-library"),
        (("embed", "sets", "no-such-file.gmt"), "no-such-file.gmt"),
        (("map", "no-such-file.gmt"), "no-such-file.gmt"),
    ],
)
def test_an_error_is_one_line_and_exit_code_1(run, folder, arguments, message):
    result = run(*arguments, "--model", folder)
    assert (result.exit_code, result.stdout) == (1, "")
    last = result.stderr.splitlines()[-1]
    assert last.startswith("gsfm: ")
    assert message in last


def test_a_term_that_is_several_or_none(run, folder, library):
    def ask(name):
        return run("relate", "EGFR", "--context", name, "--library", str(library), "--model",
                   folder)  # fmt: skip

    assert "7 terms are 'term': term 0, term 1," in ask("term").stderr
    assert "'cycle' is not a file or a gene: no term 'cycle' in " in ask("cycle").stderr
    assert ask("TERM 2").exit_code == 0


def test_a_context_term_is_looked_for_in_all_libraries_if_none_is_named(run, folder):
    def ask(name, *more):
        return run("relate", "EGFR", "--context", name, "--model", folder, "--json", *more)

    found = ask("R-HSA-1250196", "--top", "3")
    assert found.exit_code == 0
    context = "SHC1 events in ERBB2 signaling (R-HSA-1250196, reactome)"
    assert f"nearest genes in {context} (" in found.stderr
    assert ask("reactome:shc1 events in erbb2 signaling", "--top", "3").stdout == found.stdout
    several = ask("DNA repair")
    assert (several.exit_code, several.stdout) == (1, "")
    assert re.search(r"the model knows 2 of the \d+ genes of the context", several.stderr)
    assert "no term 'xyzzy' in any library" in ask("xyzzy").stderr


def test_a_context_that_is_both_a_gene_and_a_term_names_both(run, folder, model, tmp_path):
    path = tmp_path / "terms.gmt"
    path.write_text("MDM2\tna\tTP53\tBAX\tCDKN1A\nrepair, arrest\tna\tTP53\tMDM2\tBBC3\n")
    settings = ("--library", str(path), "--model", folder, "--json")
    both = run("relate", "EGFR", "--context", "mdm2", *settings)
    assert (both.exit_code, both.stdout) == (1, "")
    assert "'mdm2' is both a gene (MDM2) and a term (" in both.stderr
    with pytest.raises(GsfmError, match=r"'mdm2' is both a gene \(MDM2\) and a term"):
        analysis.relate("EGFR", context="mdm2", libraries=[path], model=model)
    # A comma is not enough to make a list of genes of a term.
    term = run("relate", "EGFR", "--context", "repair, arrest", *settings)
    expected = analysis.relate("EGFR", context=sets.read(path)[1], model=model)
    assert (
        json.loads(term.stdout)["results"] == json.loads(json.dumps(expected.to_dict()))["results"]
    )
    # A shipped library has families that are called as a gene is.
    both = run("relate", "GSK3B", "--context", "AKT")
    assert "'AKT' is both a gene (AKT1) and a term (families:AKT)" in both.stderr
    assert "use 'families:AKT' for the term, or several genes" in both.stderr
    term = run("relate", "GSK3B", "--context", "families:AKT", "--csv")
    assert term.exit_code == 0
    # The advice helps if the library is named, too.
    named = ("relate", "GSK3B", "--library", "families", "--csv", "--context")
    assert "use 'families:AKT' for the term" in run(*named, "AKT").stderr
    assert run(*named, "families:AKT").stdout == term.stdout
    with pytest.raises(GsfmError, match="use its GeneSet for the term, or several genes"):
        analysis.relate("EGFR", context="mdm2", libraries=[sets.read(path)], model=model)
    own = analysis.relate("EGFR", context=f"{path}:mdm2", libraries=[path], model=model)
    assert own.provenance["context"]["name"] == "MDM2 (terms)"


def test_a_context_is_a_file_or_stdin(run, folder, model, tmp_path):
    path = tmp_path / "context.txt"
    path.write_text("EGFR\nGRB2\nKRAS\n")
    expected = analysis.relate("p53", context=["EGFR", "GRB2", "KRAS"], model=model)
    for context, stdin in ((str(path), None), ("-", path.read_text())):
        result = run(
            "relate", "p53", "--context", context, "--model", folder, "--json", stdin=stdin
        )
        assert same(result.stdout, expected)
    for context in (path, str(path), "EGFR, GRB2,KRAS"):
        found = analysis.relate("p53", context=context, model=model)
        assert same(json.dumps(found.to_dict()), expected)
    with pytest.raises(ValueError, match="in one library"):
        analysis.relate("p53", context="a term", libraries=["go-bp", "reactome"], model=model)
