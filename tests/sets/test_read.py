"""Every oddity that files have: handled, and noted once with a count."""
# ruff: noqa: E501

from __future__ import annotations

import gzip
import io
import json
import sys
import tarfile
import zipfile
from pathlib import Path

import polars as pl
import pytest

from gsfm import FormatError, MissingExtraError
from gsfm.genes import read_genes
from gsfm.sets import GeneSets, Note, read, write


def gmt(text: bytes, **settings: object) -> GeneSets:
    return read(io.BytesIO(text), format="gmt", **{"resolve": False, **settings})  # type: ignore[arg-type]


def notes(sets: GeneSets) -> dict[str, tuple[int, int | None]]:
    assert sets.report is not None
    return {note.kind: (note.count, note.line) for note in sets.report.notes}


def lists(sets: GeneSets) -> dict[str, tuple[str, ...]]:
    assert len(set(sets.names)) == len(sets)
    return {name: sets.genes(i) for i, name in enumerate(sets.names)}


# -- GMT ---------------------------------------------------------------------------------------


def test_plain_gmt() -> None:
    sets = gmt(b"one\tfirst\tB\tA\ntwo\thttp://x\tC\n")
    assert lists(sets) == {"one": ("A", "B"), "two": ("C",)}
    assert sets.metadata["description"].to_list() == ["first", "http://x"]
    assert sets.vocabulary.symbols == ("A", "B", "C")
    assert notes(sets) == {}
    assert sets.member_weights is None


def test_no_line_feed_at_the_end() -> None:
    assert lists(gmt(b"one\td\tA\ntwo\td\tB")) == {"one": ("A",), "two": ("B",)}


def test_windows_line_ends() -> None:
    sets = gmt(b"one\td\tA\tB\r\ntwo\td\tA\r\nthree\td\tB\n")
    assert lists(sets) == {"one": ("A", "B"), "two": ("A",), "three": ("B",)}
    assert notes(sets) == {"windows-line-ends": (2, 1)}


def test_old_mac_line_ends() -> None:
    sets = gmt(b"one\td\tA\rtwo\td\tB\r")
    assert lists(sets) == {"one": ("A",), "two": ("B",)}
    assert notes(sets) == {"mac-line-ends": (2, 1)}


def test_trailing_tabs() -> None:
    sets = gmt(b"one\td\tA\t\ntwo\td\tB\nthree\td\tB\tC\t\t\t\n")
    assert sets.sizes.tolist() == [1, 1, 2]
    assert notes(sets) == {"trailing-tabs": (2, 1)}


def test_holes_between_members() -> None:
    sets = gmt(b"one\td\tA\t\t\tB\t\ntwo\td\t\tC\n")
    assert lists(sets) == {"one": ("A", "B"), "two": ("C",)}
    assert notes(sets) == {"trailing-tabs": (1, 1), "empty-members": (3, 1)}


def test_duplicate_members() -> None:
    sets = gmt(b"one\td\tA\tB\ntwo\td\tB\tC\tB\tB\tC\n")
    assert lists(sets) == {"one": ("A", "B"), "two": ("B", "C")}
    assert sets.report is not None
    assert sets.report.notes == (Note("duplicate-members", 3, "B", 2),)


def test_duplicate_names_are_all_kept() -> None:
    sets = gmt(b"one\td\tA\ntwo\td\tA\none\te\tB\none\tf\tC\n")
    assert sets.names == ["one", "two", "one", "one"]
    assert sets.genes(2) == ("B",)
    assert sets.report is not None
    assert sets.report.notes == (Note("duplicate-names", 2, "one", 3),)


def test_empty_sets_are_kept() -> None:
    sets = gmt(b"one\td\tA\ntwo\td\nthree\td\t\n")
    assert sets.sizes.tolist() == [1, 0, 0]
    assert notes(sets) == {"empty-sets": (2, 2), "trailing-tabs": (1, 3)}


def test_unnamed_sets_are_numbered() -> None:
    sets = gmt(b"one\td\tA\n\td\tB\n")
    assert sets.names == ["one", "set 2"]
    assert notes(sets) == {"unnamed-sets": (1, 2)}


def test_byte_order_mark() -> None:
    sets = gmt(b"\xef\xbb\xbfone\td\tA\n")
    assert sets.names == ["one"]
    assert notes(sets) == {"byte-order-mark": (1, 1)}


@pytest.mark.parametrize("coding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16(coding: str) -> None:
    sets = gmt("one\té\tA\tB\r\ntwo\td\tα\r\n".encode(coding))
    assert lists(sets) == {"one": ("A", "B"), "two": ("α",)}
    assert set(notes(sets)) >= {"utf-16", "windows-line-ends"}


def test_byte_order_marks_of_concatenated_files() -> None:
    sets = gmt(("\ufeffone\td\tA\n" * 2 + "\ufefftwo\td\tB\n").encode())
    assert sets.names == ["one", "one", "two"]
    assert notes(sets)["byte-order-mark"] == (3, 1)


def test_latin_1() -> None:
    sets = gmt("naïve\té\tA\n".encode() + "café\td\tB\tÅ1\n".encode("latin-1"))
    assert lists(sets) == {"naïve": ("A",), "café": ("B", "Å1")}
    assert notes(sets) == {"latin-1": (1, 2)}


def test_blank_lines() -> None:
    sets = gmt(b"one\td\tA\n\n \t \t\ntwo\td\tB\n\n")
    assert lists(sets) == {"one": ("A",), "two": ("B",)}
    assert notes(sets) == {"blank-lines": (3, 2)}


def test_white_space_around_members() -> None:
    sets = gmt(b"one\td\t A\tB \tA\ntwo\td\tB \n")
    assert lists(sets) == {"one": ("A", "B"), "two": ("B",)}
    assert notes(sets) == {"padded-members": (3, None), "duplicate-members": (1, 1)}


def test_weighted_members() -> None:
    sets = gmt(b"one\td, e\tA,1.0\tB,-2.5e-1\tC\ntwo\td\tB,3\n")
    assert lists(sets) == {"one": ("A", "B", "C"), "two": ("B",)}
    assert sets.member_weights is not None
    assert sets.member_weights.tolist() == [1.0, -0.25, 1.0, 3.0]
    assert notes(sets) == {"weighted-members": (3, None)}


def test_a_comma_without_a_number_is_part_of_the_identifier() -> None:
    sets = gmt(b"one\td\t1,2-x\tA,\t,5\tA,nan\tA,1_0\tB,0x1\n")
    assert lists(sets) == {"one": (",5", "1,2-x", "A,", "A,1_0", "A,nan", "B,0x1")}
    assert sets.member_weights is None


def test_weights_at_the_edge_of_float32() -> None:
    largest = 3.4028235e38
    sets = gmt(b"one\td\tA,3.4028235e38\tB,3.5e38\tC,-1e-60\n")
    assert lists(sets) == {"one": ("A", "B,3.5e38", "C")}
    assert sets.member_weights is not None
    assert sets.member_weights.tolist() == pytest.approx([largest, 1.0, 0.0])
    stream = io.BytesIO()
    write(sets, stream, format="json")
    again = read(io.BytesIO(stream.getvalue()), resolve=False)
    assert again.member_weights is not None
    assert again.member_weights.tolist() == sets.member_weights.tolist()
    with pytest.raises(FormatError, match="one number"):
        read(io.BytesIO(b'{"a": {"A": 1e39}}'))


def test_of_merged_members_the_largest_weight_stays() -> None:
    sets = gmt(b"one\td\tA,1\tA,3\tA,2\n")
    assert sets.member_weights is not None
    assert sets.member_weights.tolist() == [3.0]


def test_weights_that_begin_late_in_a_large_file() -> None:
    plain = b"".join(b"set%d\td\tA\tB\n" % i for i in range(120_000))
    assert len(plain) > 1 << 20  # more than one block
    sets = gmt(plain + b"last\td\tA,2\tC\n")
    assert sets.member_weights is not None
    assert sets.member_weights[-2:].tolist() == [2.0, 1.0]
    assert sets.member_weights[:-2].min() == sets.member_weights[:-2].max() == 1.0
    assert len(sets.member_weights) == 240_002


def test_lines_longer_than_a_block() -> None:
    genes = [b"GENE%d" % i for i in range(300_000)]
    sets = gmt(b"big\td\t" + b"\t".join(genes) + b"\r\nsmall\td\tGENE7\r\n")
    assert sets.sizes.tolist() == [300_000, 1]
    assert sets.genes(1) == ("GENE7",)
    assert notes(sets) == {"windows-line-ends": (2, 1)}


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (b"", None, "empty"),
        (b"\xef\xbb\xbf", None, "no gene set"),
        (b"\n\n", None, "no gene set"),
        (b"one\td\tA\nTP53\n", 2, "no tab"),
        (b"one\td\tA\n\ntwo\td\tA\0B\n", 3, "zero byte"),
        (b"\xff\xfeo\0n\0e\0\t\0d\0\t\0A", None, "damaged UTF-16"),
        (b"<!DOCTYPE html>\n<html>", 1, "web page"),
        (b"PAR1....", None, "Parquet"),
    ],
)
def test_what_is_not_gmt(text: bytes, line: int | None, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "a.gmt"
    path.write_bytes(text)
    with pytest.raises(FormatError, match=reason) as caught:
        read(path)
    assert caught.value.line == line
    assert caught.value.path == str(path)
    assert str(path) in str(caught.value)


def test_line_numbers_hold_behind_the_first_block() -> None:
    plain = b"".join(b"set%d\td\tA\tB\n" % i for i in range(120_000))
    with pytest.raises(FormatError) as caught:
        gmt(plain + b"bad\n")
    assert caught.value.line == 120_001
    assert notes(gmt(plain + b"e\td\n")) == {"empty-sets": (1, 120_001)}


def test_no_descriptions() -> None:
    text = b"up\tTP53\tMDM2\tEGFR\ndown\tKRAS\tBRAF\nmid\tbrca1\tBRCA2\n"
    sets = gmt(text, resolve=True)
    assert lists(sets)["up"] == ("EGFR", "MDM2", "TP53")
    assert notes(sets) == {"no-descriptions": (3, 1)}
    assert "description" not in sets.metadata.columns
    kept = gmt(text, resolve=True, descriptions=True)
    assert lists(kept)["up"] == ("EGFR", "MDM2")
    assert kept.metadata["description"].to_list() == ["TP53", "KRAS", "brca1"]
    raw = gmt(text, descriptions=False)
    assert lists(raw)["mid"] == ("BRCA2", "brca1")


def test_descriptions_that_only_look_like_genes_stay() -> None:
    counts = gmt(b"up\t309\tTP53\ndown\t12\tMDM2\n", resolve=True)
    assert counts.metadata["description"].to_list() == ["309", "12"]
    targets = gmt(b"MYC targets\tMYC\tTP53\nE2F1 targets\tE2F1\tMDM2\n", resolve=True)
    assert targets.metadata["description"].to_list() == ["MYC", "E2F1"]
    some = gmt(b"a\tMYC\tTP53\nb\t\tMDM2\n", resolve=True)
    assert some.metadata["description"].to_list() == ["MYC", None]


def test_no_descriptions_in_a_large_unresolved_file() -> None:
    genes = [f"G{i}" for i in range(30)]
    rows = [f"set{i}x\t{genes[i]}\t{genes[(i + 1) % 30]}\n" for i in range(30)]
    sets = gmt("".join(rows).encode())
    assert set(sets.sizes.tolist()) == {2}
    assert notes(sets) == {"no-descriptions": (30, 1)}


# -- resolving ---------------------------------------------------------------------------------


def test_resolving_and_its_report() -> None:
    sets = gmt(
        b"one\td\tTP53\tp53\ttp53\tnonsense\ntwo\td\tnonsense\tmore nonsense\n", resolve=True
    )
    assert [sets.genes(i) for i in range(2)] == [("TP53",), ()]
    report = sets.report
    assert report is not None
    assert dict(report.mapped) == {"approved": 1, "approved (case)": 1, "alias": 1}
    assert list(report.unmapped.items()) == [("nonsense", 2), ("more nonsense", 1)]
    assert notes(sets) == {"merged-members": (2, None), "unmapped-sets": (1, None)}
    assert "nonsense" in report.summary()
    assert json.loads(json.dumps(report.to_dict()))["unmapped"]["nonsense"] == 2


def test_ambiguous_identifiers_are_left_out_and_reported() -> None:
    sets = gmt(b"one\td\tOCT1\tTP53\n", resolve=True)
    assert sets.genes(0) == ("TP53",)
    assert sets.report is not None
    assert dict(sets.report.ambiguous) == {"OCT1": 1}
    assert not sets.report.unmapped


def test_species() -> None:
    sets = gmt(b"one\td\tTrp53\tCd8b1\n", resolve=True, species="mouse")
    assert sets.genes(0) == ("CD8B", "TP53")
    with pytest.raises(ValueError, match="species"):
        gmt(b"one\td\tTrp53\n", resolve=True, species="yeast")


def test_resolve_of_a_collection() -> None:
    raw = GeneSets.from_lists({"a": ["brca1", "BRCA1", "x!"], "b": ["EGFR"]})
    sets = raw.resolve()
    assert lists(sets) == {"a": ("BRCA1",), "b": ("EGFR",)}
    assert sets.report is not None
    assert (sets.report.n_identifiers, dict(sets.report.unmapped)) == (4, {"x!": 1})
    assert raw.genes(0) == ("BRCA1", "brca1", "x!")


# -- other text formats ------------------------------------------------------------------------


def test_gmx() -> None:
    text = b"one\ttwo\t\nd1\t\nA\tB\t\n\tC\n\nD\t\t\n"
    sets = read(io.BytesIO(text), format="gmx", resolve=False)
    assert lists(sets) == {"one": ("A", "D"), "two": ("B", "C")}
    assert sets.metadata["description"].to_list() == ["d1", None]
    assert notes(sets) == {
        "blank-lines": (1, 5),
        "trailing-tabs": (3, None),
        "empty-members": (1, None),
    }


def test_gmx_errors() -> None:
    with pytest.raises(FormatError, match="row of descriptions"):
        read(io.BytesIO(b"one\ttwo\n"), format="gmx")
    with pytest.raises(FormatError, match="column without a name") as caught:
        read(io.BytesIO(b"one\nd\nA\tB\n"), format="gmx")
    assert caught.value.line == 3


def test_grp(tmp_path: Path) -> None:
    path = tmp_path / "mine.grp"
    path.write_bytes(b"# HYPOXIA\n# Genes of hypoxia\nVEGFA\n# and\nHIF1A\n")
    sets = read(path, resolve=False)
    assert lists(sets) == {"HYPOXIA": ("HIF1A", "VEGFA")}
    assert sets.metadata["description"].to_list() == ["Genes of hypoxia"]
    assert notes(sets) == {"comments": (1, 4)}
    path.write_bytes(b"HYPOXIA\n> Genes of hypoxia\nVEGFA\n")
    assert lists(read(path, resolve=False)) == {"HYPOXIA": ("VEGFA",)}
    path.write_bytes(b"VEGFA\nHIF1A\n")
    assert lists(read(path, resolve=False)) == {"mine": ("HIF1A", "VEGFA")}
    path.write_bytes(b"VEGFA\nHIF1A\t1\n")
    with pytest.raises(FormatError, match="line 2: the line has a tab"):
        read(path)


def read_json(value: object) -> GeneSets:
    return read(io.BytesIO(json.dumps(value).encode()), resolve=False)


def test_msigdb_json() -> None:
    sets = read_json(
        {
            "HALLMARK_A": {
                "systematicName": "M1",
                "pmid": "123",
                "exactSource": "",
                "geneSymbols": ["A", "B"],
                "msigdbURL": "https://x/A",
                "filteredBySimilarity": ["M2", "M3"],
            },
            "HALLMARK_B": {"systematicName": "M4", "geneSymbols": []},
        }
    )
    assert lists(sets) == {"HALLMARK_A": ("A", "B"), "HALLMARK_B": ()}
    assert sets.metadata.row(0, named=True) == {
        "name": "HALLMARK_A",
        "systematicName": "M1",
        "pmid": "123",
        "filteredBySimilarity": ["M2", "M3"],
        "link": "https://x/A",
    }
    assert notes(sets) == {"empty-sets": (1, None)}


def test_enrichr_json() -> None:
    sets = read_json({"Lib_2020": {"terms": {"t1": {"A": 1.0, "B": 2}, "t2": ["C"]}}})
    assert lists(sets) == {"t1": ("A", "B"), "t2": ("C",)}
    assert sets.metadata["source"].to_list() == ["Lib_2020"] * 2
    assert sets.member_weights is not None
    assert sets.member_weights.tolist() == [1.0, 2.0, 1.0]


def test_plain_json() -> None:
    assert lists(read_json({"t1": ["A", "B"], "t2": [7157]})) == {"t1": ("A", "B"), "t2": ("7157",)}


def test_json_keys_that_occur_twice() -> None:
    sets = read(io.BytesIO(b'{"a": ["A"], "a": ["B"]}'), resolve=False)
    assert [sets.genes(i) for i in range(2)] == [("A",), ("B",)]
    assert notes(sets) == {"duplicate-names": (1, None)}


#: A table of results, as pandas writes it in JSON.
ORIENTS = {
    "columns": '{"term":{"0":"a","1":"b"},"genes":{"0":"TP53;BAX","1":"FAS"},"p":{"0":0.1,"1":null}}',
    "index": '{"0":{"term":"a","genes":"TP53;BAX","p":0.1},"1":{"term":"b","genes":"FAS","p":null}}',
    "records": '[{"term":"a","genes":"TP53;BAX","p":0.1},{"term":"b","genes":"FAS","p":null}]',
    "lines": '{"term":"a","genes":"TP53;BAX","p":0.1}\n{"term":"b","genes":"FAS","p":null}\n',
    "split": '{"columns":["term","genes","p"],"index":[0,1],"data":[["a","TP53;BAX",0.1],["b","FAS",null]]}',
    "table": '{"schema":{"fields":[{"name":"index"}]},"data":[{"index":0,"term":"a","genes":"TP53;BAX"},'
    '{"index":1,"term":"b","genes":"FAS"}]}',
    "a service": '{"meta":{"n":2},"result":[{"term":"a","genes":["TP53","BAX"]},{"term":"b","genes":["FAS"]}]}',
    "by name": '{"a":{"genes":["TP53","BAX"],"p":1},"b":{"genes":["FAS"],"p":2}}',
}  # fmt: skip


@pytest.mark.parametrize("orient", ORIENTS)
def test_tables_in_json(orient: str) -> None:
    data = ORIENTS[orient].encode()
    assert lists(read(io.BytesIO(data))) == {"a": ("BAX", "TP53"), "b": ("FAS",)}
    chosen = read(io.BytesIO(data), gene_column="genes")
    assert lists(chosen) == {"a": ("BAX", "TP53"), "b": ("FAS",)}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"baseMean":{"TP53":9.5,"BAX":20.0},"stat":{"TP53":2.0,"BAX":-3.0}}', "a ranked list"),
        ('{"TP53":{"baseMean":9.5,"stat":2.0},"BAX":{"baseMean":20.0,"stat":-3.0}}', "a ranked"),
        ('{"baseMean":{"TP53":9,"BAX":20}}', "a ranked list"),
        ('{"columns":["stat"],"index":["TP53","BAX"],"data":[[2.5],[-1.5]]}', "a ranked list"),
        ('[{"index":"TP53","stat":2.0},{"index":"BAX","stat":-3.5}]', "a ranked list"),
        ('[{"baseMean":9.5,"stat":2.0},{"baseMean":20.0,"stat":-3.5}]', "no column has identif"),
    ],
)
def test_statistics_in_json_are_no_gene_sets(text: str, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        read(io.BytesIO(text.encode()))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b'{"a": ["A"]', "line 2: not JSON"),
        (b"{}", "not an object of gene sets"),
        (b'{"a": "A"}', "'a' is neither"),
        (b'{"a": [["A"]]}', "'a' is neither"),
        (b'{"a": {"A": "x"}}', "one number for each gene"),
        (b'{"a": {"A": NaN}}', "one number for each gene"),
        (b'{"a": {"geneSymbols": ["A"], "memberWeights": [1, 2]}}', "one number for each"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_what_is_no_gene_set_json(text: bytes, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        read(io.BytesIO(text), format="json")


# -- tables ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        b"name,gene\na,G1\nb,G2\na,G3\n",
        b"gs_name;Gene Symbol\na;G1\nb;G2\na;G3\n",
        b"# from somewhere\nterm\tsymbol\na\tG1\nb\tG2\na\tG3\n",
        b"#term\tgene_id\na\tG1\nb\tG2\na\tG3\n",
        b'"Pathway","ENTREZ ID"\r\n"a","G1"\r\n"b","G2"\r\n"a","G3"\r\n',
        b"source,target\na,G1\nb,G2\na,G3\n",
        b"name,gene,_row,_set\na,G1,1,2\nb,G2,3,4\na,G3,5,6\n",
    ],
)
def test_headers_of_long_tables(text: bytes) -> None:
    assert lists(read(io.BytesIO(text), resolve=False)) == {"a": ("G1", "G3"), "b": ("G2",)}


def test_long_table_with_everything(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "set,gene,weight,Year,logFC,note,set_weight\n"
        "a,G1,2.5,2020,0.1,x,3\n"
        ",,,,,,\n"
        "b,,,2021,,,\n"
        'a,G2,,2020,0.2,"x",3\n'
    )
    sets = read(path, resolve=False)
    assert lists(sets) == {"a": ("G1", "G2"), "b": ()}
    assert sets.metadata.to_dicts() == [
        {"name": "a", "year": 2020, "note": "x", "weight": 3.0},
        {"name": "b", "year": 2021, "note": None, "weight": None},
    ]
    assert sets.member_weights is not None
    assert sets.member_weights.tolist() == [2.5, 1.0]
    assert notes(sets) == {
        "weighted-members": (1, None),
        "member-columns": (1, None),
        "blank-lines": (1, 3),
        "empty-sets": (1, 4),
    }


def test_sets_of_one_name_stay_apart_by_their_id(tmp_path: Path) -> None:
    sets = read(io.BytesIO(b"set_id,name,gene\n1,a,A\n2,a,B\n1,a,C\n"), resolve=False)
    assert [sets.genes(i) for i in range(2)] == [("A", "C"), ("B",)]


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (b"name,thing\na,A\n", None, "no column has identifiers of genes"),
        (b"name,gene\n", None, "no row below"),
        (b"name,gene\na,A\n,B\n", 3, "without the name of a set"),
        (b"name,gene\na,A\nb,B,C\n", 3, "more cells than the header"),
        (b"name,gene,weight\na,A,1\na,B,big\n", 3, "'big' is not a number"),
        (b'name,gene\na,"A\n', 2, "quotes do not match"),
        (b"name,gene\na,A\0\n", 2, "zero byte"),
    ],
)
def test_what_is_no_long_table(text: bytes, line: int | None, reason: str) -> None:
    with pytest.raises(FormatError, match=reason) as caught:
        read(io.BytesIO(text), format="csv")
    assert caught.value.line == line


def test_parquet_forms(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame({"term": ["a", "b"], "genes": [["A", "B"], []], "n": [1, 2]}).write_parquet(path)
    sets = read(path, resolve=False)
    assert lists(sets) == {"a": ("A", "B"), "b": ()}
    assert sets.metadata["n"].to_list() == [1, 2]
    pl.DataFrame({"set": ["a", "a"], "gene": ["A", "B"], "weight": [1.5, 2.0]}).write_parquet(path)
    sets = read(path, resolve=False)
    assert lists(sets) == {"a": ("A", "B")}
    assert sets.member_weights is not None
    assert sets.member_weights.tolist() == [1.5, 2.0]
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(FormatError, match="not a readable Parquet"):
        read(path)


def workbook(rows: list[list[object]], *, sheets: int = 1) -> bytes:
    import xlsxwriter

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"default_date_format": "d-mmm"}) as book:
        for k in range(sheets):
            sheet = book.add_worksheet()
            for i, row in enumerate(rows if k == 0 else [["other"]]):
                for j, cell in enumerate(row):
                    sheet.write(i, j, cell)
    return buffer.getvalue()


def test_xlsx_long_with_dates_and_numbers() -> None:
    import datetime

    date = datetime.datetime(2024, 9, 2)
    data = workbook([["Term", "Gene"], ["a", date], ["a", "TP53"], ["a", 1956]], sheets=2)
    sets = read(io.BytesIO(data))
    assert lists(sets) == {"a": ("EGFR", "SEPTIN2", "TP53")}
    assert notes(sets) == {"excel-dates": (1, None)}


def test_xlsx_with_a_column_a_set() -> None:
    rows = [
        ["higher", "lower", None],
        ["TP53", "FAS", None],
        ["MDM2", None, None],
        [None, "BAX", None],
    ]
    assert lists(read(io.BytesIO(workbook(rows)))) == {
        "higher": ("MDM2", "TP53"),
        "lower": ("BAX", "FAS"),
    }
    rows[2][2] = "MX1"
    with pytest.raises(FormatError, match="'MX1' is in a column without a name"):
        read(io.BytesIO(workbook(rows)))
    with pytest.raises(FormatError, match="empty"):
        read(io.BytesIO(workbook([])))


def test_xlsx_keeps_names_that_excel_would_change(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    sets = GeneSets.from_lists({"=1+1": ["2-Sep", "MARCH1", "1E5", "TRUE", "0012"]})
    write(sets, path)
    assert lists(read(path, resolve=False)) == {"=1+1": ("0012", "1E5", "2-Sep", "MARCH1", "TRUE")}


def test_xlsx_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(MissingExtraError, match="writing XLSX needs"):
        write(GeneSets.from_lists({"a": ["A"]}), io.BytesIO(), format="xlsx")


# -- files -------------------------------------------------------------------------------------


def test_magic_bytes_win_over_the_suffix(tmp_path: Path) -> None:
    text = b"one\td\tA\n"
    hidden = tmp_path / "a.gmt"
    hidden.write_bytes(gzip.compress(text))
    assert lists(read(hidden, resolve=False)) == {"one": ("A",)}
    claimed = tmp_path / "b.gmt.gz"
    claimed.write_bytes(text)
    sets = read(claimed, resolve=False)
    assert lists(sets) == {"one": ("A",)}
    assert notes(sets) == {"misleading-suffix": (1, None)}


def test_compressed_twice(tmp_path: Path) -> None:
    path = tmp_path / "a.gmt.gz.gz"
    path.write_bytes(gzip.compress(gzip.compress(b"one\td\tA\n")))
    assert lists(read(path, resolve=False)) == {"one": ("A",)}
    data = b"one\td\tA\n"
    for _ in range(10):
        data = gzip.compress(data)
    with pytest.raises(FormatError, match="again and again"):
        read(io.BytesIO(data))


@pytest.mark.parametrize("cut", [15, 40, -1])
def test_damaged_gzip(cut: int, tmp_path: Path) -> None:
    path = tmp_path / "a.gmt.gz"
    path.write_bytes(gzip.compress(bytes(f"one\td\t{list(range(100))}\n", "ascii"))[:cut])
    with pytest.raises(FormatError, match="damaged or cut short"):
        read(path)


def test_damaged_zstd_and_zip(tmp_path: Path) -> None:
    sets = GeneSets.from_lists({"a": [f"G{i}" for i in range(100)]})
    for name in ("a.gmt.zst", "a.gmt.zip"):
        path = tmp_path / name
        write(sets, path)
        whole = path.read_bytes()
        path.write_bytes(whole[:-30])
        with pytest.raises(FormatError):
            read(path)
        path.write_bytes(whole[:60] + bytes(10) + whole[70:])
        with pytest.raises(FormatError):
            read(path)


def zipped(members: dict[str, bytes]) -> io.BytesIO:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    buffer.seek(0)
    return buffer


def tarred(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def test_zip_members() -> None:
    one = {"dir/": b"", "dir/one.gmx": b"one\nd\nA\n", "__MACOSX/._one.gmx": b"", ".DS": b""}
    assert lists(read(zipped(one), resolve=False)) == {"one": ("A",)}
    two = {"a.gmt": b"a\td\tA\n", "README.md": b"# Sets", "b.gmt": b"a\td\tB\nb\td\tB\n"}
    sets = read(zipped(two), resolve=False)
    assert lists(sets) == {"a (a)": ("A",), "a (b)": ("B",), "b": ("B",)}
    assert sets.metadata["source"].to_list() == ["a", "b", "b"]
    assert sets.report is not None
    assert (sets.report.format, sets.report.layout) == ("zip", "gmt in a, b")
    assert notes(sets) == {"other-files": (1, None)}
    three = {"x/a.gmt": b"a\td\tA\n", "y/a.gmt": b"a\td\tB\n"}
    assert lists(read(zipped(three), resolve=False)) == {
        "a (x/a.gmt)": ("A",),
        "a (y/a.gmt)": ("B",),
    }
    with pytest.raises(FormatError, match=r"/z.tar: an archive in an archive"):
        read(zipped({**three, "z.tar": tarred({"a.gmt": b"a\td\tA\n"})}))
    with pytest.raises(FormatError, match=r"<stdin>/b.gmt, line 1: the line has no tab"):
        read(zipped({**two, "b.gmt": b"nothing\n"}))
    with pytest.raises(FormatError, match="holds 0 files"):
        read(zipped({}))


def test_unsupported_compression() -> None:
    import bz2
    import lzma

    for data in (bz2.compress(b"one\td\tA\n"), lzma.compress(b"one\td\tA\n")):
        with pytest.raises(FormatError, match="use gzip, zstd or zip"):
            read(io.BytesIO(data))


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="No such file"):
        read(tmp_path / "none.gmt")
    with pytest.raises(FormatError, match="directory"):
        read(tmp_path)


def test_standard_input_and_output(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setattr(
        sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(b"one\td\tB\tA\n")))
    )
    sets = read("-", resolve=False)
    assert sets.report is not None
    assert sets.report.path == "<stdin>"
    write(sets, "-", format="gmt")
    assert capfdbinary.readouterr().out == b"one\td\tA\tB\n"


def test_the_stream_stays_open() -> None:
    stream = io.BytesIO(b"one\td\tA\n")
    read(stream)
    assert not stream.closed


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (b"one\td\tA\n", "gmt"),
        (b"HYPOXIA\n> Genes\nTP53\nMDM2\n", "grp"),
        (b"# a list\nTP53\n", "grp"),
        (b' {"a": ["A"]}', "json"),
        (b"name\tgene\na\tA\n", "tsv"),
        (b"term,gene\na,A\n", "csv"),
    ],
)
def test_formats_by_content(text: bytes, form: str, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(text)
    report = read(path, resolve=False).report
    assert report is not None
    assert report.format == form


def test_formats_that_are_not_what_they_claim(tmp_path: Path) -> None:
    sets = GeneSets.from_lists({"a": ["A"]})
    for suffix in (".parquet", ".json", ".gsets"):
        write(sets, tmp_path / f"a{suffix}")
        (tmp_path / f"a{suffix}").rename(tmp_path / "b.gmt")
        assert lists(read(tmp_path / "b.gmt", resolve=False)) == {"a": ("A",)}
        (tmp_path / f"text{suffix}").write_text("one\td\tA\n")
        assert lists(read(tmp_path / f"text{suffix}", resolve=False)) == {"one": ("A",)}
        with pytest.raises(FormatError, match="not"):
            read(tmp_path / f"text{suffix}", format=suffix[1:])
    with pytest.raises(ValueError, match="no format 'tar'"):
        read(tmp_path / "b.gmt", format="tar")


def test_gsets_by_read_and_write(tmp_path: Path) -> None:
    sets = GeneSets.from_lists({"a": ["B", "A"]})
    assert write(sets, tmp_path / "a.gsets") == ()
    again = read(tmp_path / "a.gsets")
    assert lists(again) == {"a": ("A", "B")}
    assert again.report is not None
    assert again.report.format == "gsets"
    (tmp_path / "a.gsets.gz").write_bytes(gzip.compress((tmp_path / "a.gsets").read_bytes()))
    for target in (tmp_path / "a.gsets.gz", io.BytesIO((tmp_path / "a.gsets").read_bytes())):
        with pytest.raises(FormatError, match="mapped from the disk"):
            read(target)
    for target in (tmp_path / "b.gsets.gz", io.BytesIO(), "-"):
        with pytest.raises(FormatError, match="mapped from the disk"):
            write(sets, target, format="gsets")


# -- writing -----------------------------------------------------------------------------------


def test_what_is_left_out_is_told(tmp_path: Path) -> None:
    table = pl.DataFrame({"name": ["a"], "description": ["d"], "year": [2020]})
    plain = GeneSets.from_lists([["A"]])
    sets = GeneSets(plain.vocabulary, [0, 1], [0], table, member_weights=[2.0])
    assert write(sets, tmp_path / "a.gmt") == ("year",)
    assert write(sets, tmp_path / "a.grp") == ("year", "member weights")
    assert write(sets, tmp_path / "a.csv") == ()
    assert (tmp_path / "a.gmt").read_text() == "a\td\tA,2.0\n"


def test_refusals(tmp_path: Path) -> None:
    def refuse(names: list[str], genes: list[str], form: str, match: str) -> None:
        sets = GeneSets.from_lists([genes] * len(names))
        sets.metadata = pl.DataFrame({"name": names})
        with pytest.raises(FormatError, match=match):
            write(sets, tmp_path / "x", format=form)
        assert not (tmp_path / "x").exists()

    refuse(["a\tb"], ["A"], "gmt", "tab, line break")
    refuse(["a"], ["A\nB"], "gmt", "tab, line break")
    refuse([" "], ["A"], "json", "is blank")
    refuse(["a"], [" A"], "parquet", "white space")
    refuse(["a"], ["A,1"], "gmt", "read as 'A' with a weight")
    refuse(["a", "b"], ["A"], "grp", "can hold one set")
    refuse(["a"], ["#A"], "grp", "cannot hold '#A'")
    with pytest.raises(FormatError, match="no set to write"):
        write(GeneSets.from_lists([]), tmp_path / "x.gmt")
    with pytest.raises(FormatError, match="name the format"):
        write(GeneSets.from_lists([["A"]]), tmp_path / "x")


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    sets = GeneSets.from_lists({"a": ["A"]})
    for suffix in (".gz", ".zst", ".zip"):
        for name in ("x", "y"):
            (tmp_path / name).mkdir(exist_ok=True)
            write(sets, tmp_path / name / f"a.gmt{suffix}")
        assert (tmp_path / "x" / f"a.gmt{suffix}").read_bytes() == (
            tmp_path / "y" / f"a.gmt{suffix}"
        ).read_bytes()


# -- lists of genes ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        b"TP53\nMDM2\nEGFR\n",
        b"TP53, MDM2,EGFR",
        b"TP53 MDM2\tEGFR",
        b"TP53;MDM2 ; EGFR\r\n",
        b"# mine\n\nTP53\n#x\nMDM2\nEGFR",
        b'"TP53","MDM2","EGFR"\n',
        b"\xef\xbb\xbfGene Symbol\nTP53\nMDM2\nEGFR\n",
        b"gene,logFC,p\nTP53,1,0.1\nMDM2,2,0.2\nEGFR,,\n",
        b"rank\tSYMBOL\n1\tTP53\n2\tMDM2\n3\t\n4\tEGFR\n",
    ],
)
def test_read_genes(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "genes.txt"
    path.write_bytes(text)
    assert read_genes(path) == ["TP53", "MDM2", "EGFR"]
    assert read_genes(io.BytesIO(gzip.compress(text))) == ["TP53", "MDM2", "EGFR"]


@pytest.mark.parametrize("text", [b"", b"\n \n", b"# only a comment\n", b"A\0B\n"])
def test_what_is_no_list_of_genes(text: bytes) -> None:
    with pytest.raises(FormatError):
        read_genes(io.BytesIO(text))
