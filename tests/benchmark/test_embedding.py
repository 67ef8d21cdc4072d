from __future__ import annotations

import contextlib
import gzip
import pickle
import string
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from safetensors.numpy import save_file
from scipy.spatial.distance import cdist

from gsfm import FormatError
from gsfm.benchmark.embedding import Embedding
from gsfm.benchmark.questions import Questions
from gsfm.genes import Vocabulary
from gsfm.sets import GeneSets

pytestmark = pytest.mark.usefixtures("in_this_process")

SYMBOLS = ["TP53", "MDM2", "EGFR", "KRAS", "BRCA1", "BRCA2", "ATM", "RB1"]


def questions(background: list[str], shown: list[list[str]]) -> Questions:
    vocabulary = Vocabulary(background)
    n = len(shown)
    return Questions(
        "half-split",
        vocabulary,
        shown=GeneSets.from_lists(shown, vocabulary=vocabulary),
        hidden=GeneSets.from_ids(vocabulary, [[]] * n),
        table=pl.DataFrame({"term": [str(i) for i in range(n)], "split": [0] * n, "k": [None] * n}),
    )


def unit_of(embedding: Embedding) -> dict[str, NDArray[np.float32]]:
    """The unit vector of each gene."""
    rows = embedding._of(embedding.vocabulary)
    return dict(zip(embedding.vocabulary, rows, strict=True))


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


# -- scores ----------------------------------------------------------------------------------------


def test_by_hand() -> None:
    # Unit vectors (1, 0), (0.6, 0.8), (0, 1), (-1, 0).
    embedding = Embedding("x", Vocabulary("ABCD"), [[2, 0], [3, 4], [0, 0.1], [-7, 0]])
    task = questions(["A", "B", "C", "D"], [["A"], ["A", "B"], ["A", "D"], []])
    expected = [[1, 0.6, 0, -1], [0.8, 0.8, 0.4, -0.8], [0, 0, 0, 0], [0, 0, 0, 0]]
    np.testing.assert_allclose(embedding.score(task, slice(0, 4)), expected, atol=1e-6)


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_mean_cosine_as_scipy_has_it(scale: float) -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(8, 5)) * scale * rng.uniform(0.1, 9, size=(8, 1))
    embedding = Embedding("x", Vocabulary(SYMBOLS), vectors)
    background = ["RB1", "KRAS", "TP53", "MDM2", "ATM"]
    shown = [["TP53"], ["RB1", "MDM2"], ["KRAS", "ATM", "TP53"], background]
    task = questions(background, shown)
    embedding.prepare(task)

    found = embedding.score(task, slice(1, 4))

    of = dict(zip(SYMBOLS, vectors, strict=True))
    table = np.array([of[gene] for gene in background])
    expected = [
        (1 - cdist([of[gene] for gene in genes], table, "cosine")).mean(axis=0)
        for genes in shown[1:]
    ]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_background_gene_without_a_vector_is_an_error() -> None:
    embedding = Embedding("x", Vocabulary(["TP53"]), [[1.0]])
    with pytest.raises(ValueError, match="x does not know 'MDM2' and 1 other genes"):
        embedding.prepare(questions(["TP53", "MDM2", "ATM"], []))


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        ([[1.0, 2.0]], "one row of numbers a gene"),
        ([1.0, 2.0], "one row of numbers a gene"),
        ([[], []], "one row of numbers a gene"),
        ([[1.0], [0.0]], "vector of 'MDM2' is all zeros"),
        ([[1.0, 1], [np.nan, 2]], "vector of 'MDM2' is all zeros or not finite"),
    ],
)
def test_vectors_that_cannot_be_compared(vectors: list[object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Embedding("x", Vocabulary(["TP53", "MDM2"]), vectors)


# -- what becomes of the rows ----------------------------------------------------------------------


def test_every_row_is_accounted_for(tmp_path: Path) -> None:
    path = write(
        tmp_path / "vectors.tsv",
        "gene\tlength\tnote\ta\tb\n"
        "p53\t1\tx\t3\t0\n"  # alias of TP53
        "TP53\t2\tx\t1\t4\n"
        "MDM2\t0\tx\t0\t0\n"
        "EGFR\t4\tx\t1\tNA\n"
        "KRAS\t5\tx\tinf\t1\n"
        "ATM\t6\tx\t1\t2\n"
        "nonsense\t7\tx\t0\t0\n"
        "SEPT2\t8\tx\t1\t1\n"  # previous symbol of SEPTIN2
        "1-Mar\t9\tx\t1\t1\n"  # MARCHF1 or MTARC1
        "RB1\t4\tx\t-5\t1\n"
        "ENSG00000139687\t-4\tx\t5\t-1\n",  # RB1 once more
    )
    embedding = Embedding.read(path, "mine")
    report = embedding.report
    assert report is not None

    # TP53: the mean of (1, 3, 0) and (2, 1, 4).
    assert embedding.vocabulary.symbols == ("ATM", "SEPTIN2", "TP53")
    expected = np.array([1.5, 2, 2]) / np.linalg.norm([1.5, 2, 2])
    np.testing.assert_allclose(unit_of(embedding)["TP53"], expected, rtol=1e-6)
    assert (report.rows, report.dimensions, report.genes) == (11, 3, 3)
    assert (report.zero, report.not_finite) == (1, 2)
    assert (report.merged, report.cancelled) == (4, 1)
    assert report.ignored == ("note",)
    assert report.resolution.unmapped == ["nonsense"]
    assert report.resolution.ambiguous == ["1-Mar"]
    assert report.summary().split("\n")[:4] == [
        "vectors.tsv: 11 rows of 3 numbers; 3 genes have a vector",
        "excluded: 1 row of zeros, 2 rows with a value that is not a number, "
        "1 gene whose rows average to zero",
        "averaged: 4 rows of genes with several",
        "columns not used: note",
    ]
    assert "unmapped (1): nonsense" in report.summary()
    assert report.to_dict() == {
        "file": "vectors.tsv",
        "rows": 11,
        "dimensions": 3,
        "genes": 3,
        "zero": 1,
        "not_finite": 2,
        "merged": 4,
        "cancelled": 1,
        "identifiers": dict(report.resolution.counts),
        "ignored": ["note"],
    }
    assert (embedding.name, embedding.cost.size_bytes) == ("mine", path.stat().st_size)


def test_rows_of_zeros_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "gene,a,b\nTP53,1,2\nMDM2,0,0\nwho,0,0\n")
    report = Embedding.read(path).report
    assert report is not None
    assert (report.zero, report.genes) == (1, 1)
    assert "excluded: 1 row of zeros\n" in report.summary()


def test_names_of_a_species_are_preferred(tmp_path: Path) -> None:
    path = write(tmp_path / "mouse.csv", "gene,a\nTrp53,1\nCd8b1,2\n")
    assert Embedding.read(path, species="mouse").vocabulary.symbols == ("CD8B", "TP53")


# -- one table in every format ---------------------------------------------------------------------

TABLE = np.array([[1.5, -2], [0.25, 3], [-1, 1e-3]], np.float32)
NAMES = ["TP53", "MDM2", "EGFR"]


def _lines(separator: str, header: str = "", first: str | None = None) -> str:
    rows = [separator.join([g, *map(str, v)]) for g, v in zip(NAMES, TABLE.tolist(), strict=True)]
    return "\n".join(([header] if header else []) + rows) + "\n"


ROWS = _lines(",").split()
IDS = {"TP53": "7157", "MDM2": "4193", "EGFR": "1956"}


def _with(text: str, change: Callable[[str], str]) -> str:
    """The text with the identifiers changed."""
    for name in NAMES:
        text = text.replace(name, change(name))
    return text


def _frame() -> pl.DataFrame:
    return pl.DataFrame({"symbol": NAMES, "0": TABLE[:, 0], "1": TABLE[:, 1]})


TEXTS = {
    "header": _lines(",", "gene,0,1"),
    "no header": _lines(","),
    "index without a name": _lines(",", ",0,1"),
    "index of another name": _lines(",", "whatever,x,y"),
    "spreadsheet": "\ufeff" + _lines(",", '"Gene Symbol","a","b"').replace("\n", "\r\n"),
    "quotes": _with(_lines(",", '"gene","a","b"'), lambda name: f'"{name}"'),
    "blanks after commas": _lines(", ", "gene, a, b"),
    "blank lines": _lines(",", "gene,0,1").replace("\n", "\n\n"),
    "Entrez ids": _with(_lines(",", "foo,x,y"), IDS.__getitem__),
    "semicolons": _lines(";", "gene;0;1"),
    "tabs": _lines("\t", "symbol\ta\tb"),
    "tabs, R": _lines("\t", "a\tb"),
    "tab at the end": _lines("\t", "gene\ta\tb").replace("\n", "\t\n"),
    "white space": _lines("  "),
    "word2vec": _lines(" ", "3 2"),
    "word2vec, blank at the end": _lines(" ", "3 2").replace("\n", " \n"),
    "gene2vec": _with(_lines(" "), lambda name: f"{name}\t").replace("\t ", "\t"),
    "row numbers before": "\n".join([",gene,a,b", *(f"{i},{row}" for i, row in enumerate(ROWS))]),
    "genes last": "\n".join(
        ["a,b,gene", *(",".join(row.split(",")[1:] + row.split(",")[:1]) for row in ROWS)]
    ),
}
TEXTS["other ids beside"] = "\n".join(
    [
        "entrez,symbol,ensembl,a,b",
        *(f"99,{row.replace(',', ',ENSG00000141510,', 1)}" for row in ROWS),
    ]
)


@pytest.mark.parametrize("layout", TEXTS)
def test_layouts_of_text(layout: str, tmp_path: Path) -> None:
    check(Embedding.read(write(tmp_path / "a.csv", TEXTS[layout])))


@pytest.mark.parametrize("suffix", [".gz", ".zip"])
def test_compressed_text(suffix: str, tmp_path: Path) -> None:
    path, text = tmp_path / f"a.csv{suffix}", _lines(",", "gene,a,b").encode()
    if suffix == ".gz":
        path.write_bytes(gzip.compress(text))
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.csv", text)
    embedding = Embedding.read(path)
    check(embedding)
    assert embedding.name == "a"


def check(embedding: Embedding) -> None:
    """The embedding is that of TABLE, whatever it came in."""
    report = embedding.report
    assert report is not None
    assert (report.rows, report.dimensions, report.genes) == (3, 2, 3)
    unit = unit_of(embedding)
    assert list(unit) == sorted(NAMES)
    for gene, vector in zip(NAMES, TABLE, strict=True):
        np.testing.assert_allclose(unit[gene], vector / np.linalg.norm(vector), rtol=1e-6)


PARQUETS: dict[str, Callable[[], pl.DataFrame]] = {
    "columns": _frame,
    "index of pandas": lambda: _frame().rename({"symbol": "__index_level_0__"})[
        "0", "1", "__index_level_0__"
    ],
    "only one text": lambda: _frame().rename({"symbol": "whose"}),
    "categories": lambda: _frame().cast({"symbol": pl.Categorical}),
    "whole numbers beside": lambda: _frame().with_columns(
        entrez_id=pl.Series([7157, 4193, 1956]), flag=True
    ),
    "lists": lambda: pl.DataFrame({"gene": NAMES, "v": TABLE.tolist()}),
    "arrays": lambda: pl.DataFrame(
        {"gene": NAMES, "v": pl.Series(TABLE.tolist(), dtype=pl.Array(pl.Float64, 2))}
    ),
    "Entrez ids": lambda: (
        _frame().with_columns(gene_id=pl.Series([7157, 4193, 1956])).drop("symbol")
    ),
}


@pytest.mark.parametrize("layout", PARQUETS)
def test_layouts_of_parquet(layout: str, tmp_path: Path) -> None:
    PARQUETS[layout]().write_parquet(tmp_path / "a.parquet")
    check(Embedding.read(tmp_path / "a.parquet"))


@pytest.mark.parametrize("names", [np.array(NAMES), np.array(NAMES, "S")])
def test_npz(names: NDArray[np.str_], tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", whose=names, numbers=TABLE.astype(np.float64))
    check(Embedding.read(tmp_path / "a.npz"))
    np.savez(tmp_path / "b.npz", gene=names, other=names[:1], vectors=TABLE, more=TABLE[:1])
    check(Embedding.read(tmp_path / "b.npz"))


def test_safetensors(tmp_path: Path) -> None:
    save_file({"table": TABLE}, tmp_path / "a.safetensors")
    (tmp_path / "vocab.txt").write_text("".join(f"{name}\n" for name in NAMES))
    check(Embedding.read(tmp_path / "a.safetensors"))


def test_missing_values_of_parquet_leave_the_row_out(tmp_path: Path) -> None:
    frame = pl.DataFrame({"gene": ["TP53", "MDM2"], "a": [1.0, None]})
    frame.write_parquet(tmp_path / "a.parquet")
    lists = pl.DataFrame({"gene": ["MDM2", "TP53"], "v": [[1.0, None], [1.0, 2.0]]})
    lists.write_parquet(tmp_path / "b.parquet")
    for name in "ab":
        report = Embedding.read(tmp_path / f"{name}.parquet").report
        assert report is not None
        assert (report.genes, report.not_finite) == (1, 1)


@given(
    st.lists(
        st.lists(st.floats(-1e6, 1e6, width=32, allow_subnormal=False), min_size=3, max_size=3),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from([",", "\t", ";", " "]),
    st.booleans(),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_text_and_parquet_are_read_the_same(
    tmp_path: Path, rows: list[list[float]], separator: str, header: bool
) -> None:
    vectors = np.array(rows, np.float32)
    if not vectors.any():
        vectors[0] = 1
    names = SYMBOLS[: len(rows)]
    frame = pl.DataFrame({"gene": names, **{f"d{i}": vectors[:, i] for i in range(3)}})
    frame.write_parquet(tmp_path / "a.parquet")
    frame.write_csv(tmp_path / "a.csv", separator=separator, include_header=header)

    one, other = Embedding.read(tmp_path / "a.parquet"), Embedding.read(tmp_path / "a.csv")

    assert one.vocabulary == other.vocabulary
    assert (one._unit == other._unit).all()
    assert one.report is not None
    assert other.report is not None
    assert one.report.zero == other.report.zero


# -- what is no embedding --------------------------------------------------------------------------

BAD_TEXTS = {
    "empty": ("", None, "the file is empty"),
    "blank": ("\n\n\n", None, "only blank lines"),
    "short row": ("gene,a,b\nTP53,1,2\nMDM2,1\n", 3, "2 cells, where the lines before have 3"),
    "long row": ("TP53,1\nMDM2,1\nATM,1,2\n", 3, "3 cells, where the lines before have 2"),
    "long first row": ("gene,a\nTP53,1,2,3\n", 2, "4 cells, where the lines before have 2"),
    "no number": ("gene,a,b\nTP53,x,y\n", None, "there are no numbers in it"),
    "words": ("TP53\nMDM2\n", None, "there are no numbers in it"),
    "a word": ("gene,a\nTP53,1\nMDM2,two\n", 3, "'two' in column 2 is not a number"),
    "decimal commas": ("gene;a\nTP53;1,5\nMDM2;2,5\n", None, r"\(TP53;1, MDM2;2, ...\)"),
    "no gene": ("gene,a\nfoo,1\nbar,2\n", None, r"none of its 2 identifiers \(foo, bar, ...\)"),
    "genes across": (",TP53,MDM2\n0,1,2\n1,3,4\n", None, "rows are numbered, .* transpose it"),
    "header alone": ("3 2\n", None, "there are no numbers in it|none of its 1 identifier"),
    "cut short": ("3 2\nTP53 1 2\nMDM2 3 4\n", None, "promises 3 rows, and there are 2"),
    "zeros": ("gene,a\nTP53,0\nMDM2,nan\n", None, "no known gene in it has a vector"),
    "web page": ("<!doctype html>\n<html>\n", 1, "web page"),
    "quote": ('gene,a\nMDM2,2\n"TP53,1\n', 3, "1 cell, where the lines before have 2"),
}


@pytest.mark.parametrize("case", BAD_TEXTS)
def test_bad_texts(case: str, tmp_path: Path) -> None:
    text, line, message = BAD_TEXTS[case]
    with pytest.raises(FormatError, match=message) as caught:
        Embedding.read(write(tmp_path / "bad.csv", text))
    assert caught.value.line == line
    assert caught.value.path.endswith("bad.csv")


def _bad_files(folder: Path) -> dict[str, tuple[Path, str]]:
    def parquet(name: str, **columns: object) -> Path:
        pl.DataFrame(columns).write_parquet(folder / f"{name}.parquet")
        return folder / f"{name}.parquet"

    def npz(name: str, **arrays: NDArray[np.generic]) -> Path:
        np.savez(folder / f"{name}.npz", **arrays)  # type: ignore[arg-type]
        return folder / f"{name}.npz"

    def raw(name: str, content: bytes) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    table = np.ones((2, 2), np.float32)
    names = np.array(["TP53", "MDM2"])
    whole = npz("whole", genes=names, vectors=table).read_bytes()
    (folder / "other").mkdir()
    save_file({"a": table}, folder / "other" / "a.safetensors")
    (folder / "other" / "vocab.txt").write_text("TP53\n")
    save_file({"a": table}, folder / "alone.safetensors")
    with zipfile.ZipFile(folder / "torch.pt", "w") as archive:
        archive.writestr("archive/data.pkl", b"")
        archive.writestr("archive/data/0", b"")
    return {
        "missing": (folder / "no.csv", "No such file"),
        "folder": (folder, "Is a directory"),
        "pickle": (
            raw("a.pkl", pickle.dumps({"TP53": [1.0]})),
            "it is a pickle.*save it as Parquet",
        ),
        "torch": (folder / "torch.pt", "it holds a pickle"),
        "hdf5": (raw("a.h5ad", b"\x89HDF\r\n\x1a\n" + bytes(40)), "HDF5 files are not read"),
        "npy": (raw("a.npy", b"\x93NUMPY\x01\x00" + bytes(40)), "does not say whose vectors"),
        "binary": (raw("a.bin", b"TP53 1\x00 2\n"), "zero byte"),
        "damaged parquet": (
            raw("a.parquet", b"PAR1" + bytes(40) + b"PAR1"),
            "not a readable Parquet",
        ),
        "parquet without genes": (parquet("b", a=[1.0], b=[2.0]), "not clear whose they are"),
        "parquet with two texts": (parquet("c", a=["x"], b=["y"], v=[1.0]), "which of a, b holds"),
        "parquet without numbers": (parquet("d", gene=["TP53"]), "no numbers"),
        "parquet without rows": (
            parquet("e", gene=pl.Series([], dtype=pl.String), a=pl.Series([], dtype=pl.Float32)),
            "no numbers",
        ),
        "ragged lists": (
            parquet("f", gene=["TP53", "MDM2"], v=[[1.0, 2.0], [1.0]]),
            "line 2: 1 numbers",
        ),
        "null list": (
            parquet("g", gene=["TP53", "MDM2"], v=[[1.0, 2.0], None]),
            "line 2: 0 numbers",
        ),
        "two lists": (parquet("h", gene=["TP53"], v=[[1.0]], w=[[1.0]]), "v and w are both lists"),
        "pickled names": (npz("i", genes=np.array(["TP53", None]), v=table), "names.astype"),
        "no names": (npz("j", v=table), r"one array of texts.*v \(2 x 2 float32\)"),
        "no table": (npz("k", genes=names, v=table[0]), "one array of vectors"),
        "two tables": (npz("l", genes=names, v=table, w=table), "one array of vectors"),
        "too few names": (npz("m", genes=names[:1], v=table), "2 vectors, and 1 names"),
        "cut zip": (raw("n.npz", whole[: len(whole) // 2]), "not a readable zip"),
        "damaged zip": (raw("o.npz", whole.replace(b"\x80?", b"\x81?")), "not a readable NPZ"),
        "safetensors": (raw("p.safetensors", bytes(20)), "not a readable safetensors"),
        "no vocab": (folder / "alone.safetensors", "in vocab.txt"),
        "short vocab": (folder / "other" / "a.safetensors", "2 vectors, and 1 lines in vocab.txt"),
    }


def test_files_that_are_no_embedding(tmp_path: Path) -> None:
    for case, (path, message) in _bad_files(tmp_path).items():
        with pytest.raises(FormatError, match=message):
            pytest.fail(f"{case}: {Embedding.read(path)}")


@given(st.text(string.printable + "é\x00\u2028", max_size=200) | st.binary(max_size=100))
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_in_a_file_it_is_read_or_refused(tmp_path: Path, content: str | bytes) -> None:
    path = tmp_path / "any.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with contextlib.suppress(FormatError):
        embedding = Embedding.read(path)
        assert np.isfinite(embedding._of(embedding.vocabulary)).all()
