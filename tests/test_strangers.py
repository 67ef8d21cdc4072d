"""Files from strangers are read, or refused in one line, within limits."""

from __future__ import annotations

import contextlib
import cProfile
import errno
import gzip
import importlib
import io
import json
import os
import re
import sqlite3
import sys
import tarfile
import threading
import tracemalloc
import zipfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest

import gsfm
from gsfm import FormatError, GeneSets, GsfmError
from gsfm.corpus import plot
from gsfm.io import child
from gsfm.io.files import atomic_path
from gsfm.io.limits import Limits, limits, variable
from gsfm.models import Linear
from gsfm.report import Report
from gsfm.sets import describe, read, write
from gsfm.sets.files import FORMATS

SETS = GeneSets.from_lists({"repair": ["BRCA1", "BRCA2", "TP53"], "growth": ["EGFR", "KRAS"]})
ESCAPES = "\x1b]0;title\x07\x1b[31mred"


def written(form: str) -> bytes:
    stream = io.BytesIO()
    write(SETS[:1] if form == "grp" else SETS, stream, format=form)
    return stream.getvalue()


# -- damaged files --------------------------------------------------------------------------------

DATABASE = """
CREATE TABLE gene_set (id INTEGER PRIMARY KEY, standard_name, collection_name);
CREATE TABLE gene_symbol (id INTEGER PRIMARY KEY, symbol);
CREATE TABLE gene_set_gene_symbol (gene_set_id, gene_symbol_id);
INSERT INTO gene_set VALUES (1, 'A', 'H');
INSERT INTO gene_symbol VALUES (1, 'TP53'), (2, 'BAX');
INSERT INTO gene_set_gene_symbol VALUES (1, 1), (1, 2);
"""
TEXTS = ("gmt", "gmx", "grp", "json", "enrichr-json", "csv", "tsv")


@pytest.mark.parametrize("form", [*TEXTS, "gmt.gz", "gmt.zip", "xml", "db", "ranking"])
def test_damaged_files(form: str, tmp_path: Path, damage: Any) -> None:
    """A file that is damaged anywhere is read, or refused in one line."""
    if form == "gmt.gz":
        good = gzip.compress(written("gmt"), mtime=0)
    elif form == "gmt.zip":
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo("a.gmt"), written("gmt"))
        good = packed.getvalue()
    elif form == "db":
        with contextlib.closing(sqlite3.connect(tmp_path / "a.db")) as database:
            database.executescript(DATABASE)
        good = (tmp_path / "a.db").read_bytes()
    elif form == "xml":
        good = b'<MSIGDB><GENESET STANDARD_NAME="A" MEMBERS_SYMBOLIZED="TP53,BAX"/></MSIGDB>'
    else:
        good = b"gene\tstat\nTP53\t2\nBAX\t-1\n" if form == "ranking" else written(form)
    for i, data in enumerate(damage(good, 60, 0)):
        with contextlib.suppress(GsfmError):
            if form == "ranking":
                gsfm.genes.read(io.BytesIO(data), ranked=bool(i % 2))
            else:
                describe(
                    read(
                        io.BytesIO(data),
                        format=form if form in TEXTS and i % 2 else None,
                        resolve=False,
                    )
                )


def test_damaged_collections(tmp_path: Path, damage: Any) -> None:
    path = tmp_path / "a.gsets"
    SETS.save(path)
    for data in damage(path.read_bytes(), 60, 0):
        path.write_bytes(data)
        with contextlib.suppress(FormatError):
            describe(GeneSets.open(path))


def test_xml_in_an_unknown_encoding() -> None:
    for encoding in ("UPF-8", "hex", "utf-7"):
        text = f'<?xml version="1.0" encoding="{encoding}"?>\n<MSIGDB></MSIGDB>\n'
        with pytest.raises(FormatError):
            read(io.BytesIO(text.encode()))


def test_a_zip_with_a_damaged_name() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("x.gmt", "a\tb\tTP53\n")
    data = bytearray(packed.getvalue())
    data[data.index(b"PK\x01\x02") + 46] = 0  # Python reads the name up to this byte
    with pytest.raises(FormatError):
        read(io.BytesIO(data))


BASE: dict[str, Any] = {"name": ["a"], "genes": [["TP53"]]}
LONG: dict[str, Any] = {"name": ["a"], "gene": ["TP53"]}


@pytest.mark.parametrize(
    "columns",
    [
        {**LONG, "\0row": [1]},
        {"name": [["a"]], "gene": ["TP53"]},
        {"name": ["a"], "genes": [[1]]},
        {"name": ["a"], "gene": [b"\xff"]},
        {"name": [b"\xff"], "genes": [["TP53"]]},
        {**LONG, "weight": [{"a": 1}]},
        {**LONG, "weight": [[1.0]]},
        {**BASE, "year": [[2020]]},
        {**BASE, "link": [[b"\xff"]]},
    ],
)
def test_types_of_parquet_that_are_refused(
    columns: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "_answer", lambda job, held: child.work(job))
    stream = io.BytesIO()
    pl.DataFrame(columns).write_parquet(stream)
    stream.seek(0)
    with pytest.raises(FormatError):
        read(stream)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": ["TP53", "\\ud800"]}',
        '{"\\ud800": ["TP53"]}',
        '{"a": {"geneSymbols": ["TP53"], "x": 1' + "0" * 400 + "}}",
        '{"a": {"geneSymbols": ["TP53"], "x": 1e400}}',
        '{"a": {"geneSymbols": ["TP53"], "x": ' + "[" * 900 + "]" * 900 + "}}",
        '{"a": ' * 50_000,
    ],
)
def test_json_that_python_reads_and_nothing_else_holds(text: str) -> None:
    with pytest.raises(FormatError):
        read(io.BytesIO(text.encode()))


# -- sparse arrays --------------------------------------------------------------------------------


@pytest.mark.parametrize("indices", [[0, 9], [1, 0], [0, 0], [-1, 0]])
def test_members_of_a_file_are_checked_before_any_use(indices: list[int], tmp_path: Path) -> None:
    path = tmp_path / "a.gsets"
    SETS[1:].save(path)
    data = bytearray(path.read_bytes())
    good = np.array(SETS[1:].indices, "<i4").tobytes()
    at = data.index(good)
    data[at : at + len(good)] = np.array(indices, "<i4").tobytes()
    path.write_bytes(data)
    uses: list[Callable[[GeneSets], object]] = [
        lambda s: s.indices,
        describe,
        lambda s: s.ids(0),
        lambda s: s[0],
        lambda s: s[:1].to_csr(),
        lambda s: s.gene_frequencies,
        lambda s: write(s, io.BytesIO(), format="gmt"),
    ]
    for use in uses:
        with pytest.raises(FormatError, match="gene id"):
            use(GeneSets.open(path))


@pytest.mark.parametrize("ids", [np.array([2**32]), np.array([1.5]), np.array([-1])])
def test_ids_that_a_narrow_integer_cannot_hold(ids: Any) -> None:
    with pytest.raises(ValueError, match="gene id"):
        GeneSets(SETS.vocabulary, [0, 1], ids)
    with pytest.raises(ValueError, match="gene id"):
        GeneSets.from_ids(SETS.vocabulary, [ids])


def test_a_file_that_shrinks_after_it_was_opened(tmp_path: Path) -> None:
    path = tmp_path / "a.gsets"
    SETS.save(path)
    opened = GeneSets.open(path)
    os.truncate(path, 100)  # with a memory map, the next line would end the process
    assert opened.genes(0) == SETS.genes(0)


# -- limits ---------------------------------------------------------------------------------------


def test_limits_are_set_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert limits() == Limits()
    monkeypatch.setenv("GSFM_MAX_LINE", "100")
    assert limits() == Limits(line=100)
    for wrong in ("0", "-1", "x", "1.5", ""):
        monkeypatch.setenv("GSFM_MAX_LINE", wrong)
        with pytest.raises(GsfmError, match="GSFM_MAX_LINE"):
            limits()


def zipped(n_files: int) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for i in range(n_files):
            archive.writestr(f"{i}.gmt", "a\tb\tTP53\n")
    return packed.getvalue()


def tarred(n_files: int) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for i in range(n_files):
            info = tarfile.TarInfo(f"{i}.gmt")
            info.size = 9
            archive.addfile(info, io.BytesIO(b"a\tb\tTP53\n"))
    return packed.getvalue()


ALL = (*TEXTS, "xlsx", "parquet", "gsets")
LIMITS: list[tuple[str, int, str, bytes]] = [
    *(("size", 20, form, b"") for form in ALL),
    *(("identifier", 3, form, b"") for form in ALL if form != "gsets"),
    *(("line", 4, form, b"") for form in TEXTS if "json" not in form),
    ("line", 8, "list", b"TP53\nMDM2 TP53\n"),
    ("size", 8, "list", b"TP53\nMDM2 TP53\n"),
    ("size", 1000, "gmt", gzip.compress(b"a\tb\tTP53\n" * 1000)),
    ("ratio", 1, "gmt", gzip.compress(b"a\tb" + b"\tTP53" * 20_000_000 + b"\n", 1)),
    ("files", 2, "gmt", zipped(3)),
    ("files", 2, "gmt", tarred(3)),
    ("nesting", 2, "json", b'{"a": {"geneSymbols": ["TP53"], "x": [[1]]}}'),
    ("columns", 1, "json", b'{"a": {"geneSymbols": ["TP53"], "x": 1, "y": 2}}'),
    *(("columns", 1, form, b"") for form in ("csv", "tsv", "xlsx", "parquet")),
    ("cells", 3, "xlsx", b""),
]


@pytest.mark.parametrize(
    ("name", "value", "form", "data"),
    LIMITS,
    ids=[f"{name}, {form} {i}" for i, (name, _, form, _) in enumerate(LIMITS)],
)
def test_a_limit_holds_for_all_readers_and_names_its_variable(
    name: str, value: int, form: str, data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"a.{form}"
    if data:
        path.write_bytes(data)
    else:
        write(SETS[:1] if form == "grp" else SETS, path, format=form)
    monkeypatch.setattr(child, "_answer", lambda job, held: child.work(job))
    monkeypatch.setenv(variable(name), str(value))
    with pytest.raises(FormatError, match=variable(name)) as caught:
        gsfm.genes.read(path) if form == "list" else read(path, resolve=False)
    assert "\n" not in str(caught.value)


def test_the_table_of_limits() -> None:
    page = Path(gsfm.__file__).parents[2] / "docs" / "strangers.md"
    if not page.exists():
        pytest.skip("gsfm is installed without its documentation")
    units = {"": 1, " GiB": 1 << 30, " MiB": 1 << 20, " KiB": 1 << 10}
    rows = re.findall(r"`(GSFM_MAX_\w+)` \| ([\d,]+)( \wiB)? \|", page.read_text("utf-8"))
    shown = {name: int(n.replace(",", "")) * units[unit] for name, n, unit in rows}
    assert shown == {variable(name): value for name, value in asdict(Limits()).items()}
    held = {name for name, *_ in LIMITS}
    # Those of a child are tested below, and `mapped` with collections.
    assert held == set(asdict(Limits())) - {"memory", "seconds", "mapped"}


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no such device")
def test_devices_are_refused() -> None:
    with pytest.raises(FormatError, match="a device"):
        read("/dev/zero")
    with pytest.raises(FormatError, match="not a regular file"):
        GeneSets.open("/dev/zero")
    with pytest.raises(FormatError, match="empty"):
        read(os.devnull)


def test_a_fifo_is_read_once(tmp_path: Path) -> None:
    fifo = tmp_path / "a.gmt"
    os.mkfifo(fifo)
    writer = threading.Thread(target=fifo.write_bytes, args=(written("gmt"),))
    writer.start()
    assert read(fifo, resolve=False).names == SETS.names
    writer.join()


# -- parsers in a child ---------------------------------------------------------------------------


#: A parser that fails.
PARSER = """
import os
def parse(path, target, *, how):
    if how == "abort":
        os.abort()
    elif how == "memory":
        bytearray(1 << 40)
    elif how == "large":
        open(target, "wb").write(bytes(100 << 20))
    elif how == "panic":
        raise BaseException("capacity overflow")
    raise ValueError("cannot be\\nread")
"""


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("abort", "is damaged, or reading it needs more than .* GSFM_MAX_SECONDS"),
        ("memory", "is damaged, or reading it needs more than .*GSFM_MAX_MEMORY"),
        ("large", "more than 67,108,864 bytes, .*GSFM_MAX_RATIO"),
        ("panic", r"a.xlsx: the file is damaged \(capacity overflow\): save it as CSV"),
        ("error", "a.xlsx: cannot be read"),
    ],
)
def test_what_happens_in_a_child_is_an_error_of_the_file(
    how: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "failing_parser.py").write_text(PARSER)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with pytest.raises(FormatError, match=reason) as caught:
        child.run(importlib.import_module("failing_parser").parse, io.BytesIO(), "a.xlsx", how=how)
    assert "\n" not in str(caught.value)


def test_parquet_is_read_in_a_child() -> None:
    data = bytearray(written("parquet"))
    assert read(io.BytesIO(data), resolve=False).names == SETS.names
    at = data.index(b"repair") - 8
    data[at : at + 8] = b"\xff" * 8
    with contextlib.suppress(FormatError):
        read(io.BytesIO(data), resolve=False)


# -- linear time and memory -----------------------------------------------------------------------

SHAPES: dict[str, Callable[[int], bytes]] = {
    "wide header, short rows": lambda n: b"name\tgene" + b"\tx" * n + b"\n" + b"s\tTP53\n" * n,
    "wide row, tall column": lambda n: b"\t".join([b"c"] * n) + b"\nd\n" + b"TP53\n" * n,
    "tall column, wide row": lambda n: b"a\nd\n" + b"TP53\n" * n + b"\t" * n + b"\n",
    "one line": lambda n: b"s\td" + b"\tTP53" * n + b"\n",
    "sets": lambda n: b"".join(b"s%d\td\tG%d\n" % (i, i) for i in range(n)),
    "blank lines": lambda n: b"s\td\tTP53\n" + b"\n" * n,
    "quotes": lambda n: b"name,gene\n" + b'"' * n + b"\n",
    "a long word": lambda n: b"s\td\t" + b"A" * n + b"\n",
    "commas": lambda n: b"s\td\t" + b"," * n + b"\n",
    "keys of JSON": lambda n: json.dumps(
        {f"s{i}": {"geneSymbols": ["TP53"], f"k{i}": 1} for i in range(n)}
    ).encode(),
    "objects of JSON": lambda n: json.dumps([{f"k{i}": "x"} for i in range(n)]).encode(),
    "lists of JSON": lambda n: b'{"a": [' + b"[]," * n + b"[]]}",
    "open lists of JSON": lambda n: b'{"a": ' + b"[" * n,
}


def cost(data: bytes, form: str) -> tuple[int, int]:
    """Calls of functions, and bytes of memory, to read a file."""
    profile = cProfile.Profile()
    tracemalloc.start()
    try:
        with profile, contextlib.suppress(FormatError):
            read(io.BytesIO(data), format=form, resolve=False)
    finally:
        memory = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return sum(entry.callcount for entry in profile.getstats()), memory


def check_linear(make: Callable[[int], bytes], form: str) -> None:
    """Four times the content takes four times the calls and the memory, or little more."""
    cost(make(20), form)  # what is loaded once
    small, large = (cost(make(n), form) for n in (50, 200))
    assert large[0] <= 5 * small[0] + 2000, (form, "calls", small, large)
    assert large[1] <= 5 * small[1] + 2_000_000, (form, "memory", small, large)


@pytest.fixture
def few_free_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small tables may have many empty cells; here, only very small ones."""
    for name in ("gsfm.io.limits._FREE_CELLS", "gsfm.sets.formats.table._CELLS"):
        monkeypatch.setattr(name, 1000)


@pytest.mark.usefixtures("few_free_cells")
@pytest.mark.parametrize("shape", SHAPES)
def test_reading_is_linear_in_the_bytes(shape: str) -> None:
    for form in ("json",) if "JSON" in shape else ("gmt", "gmx", "grp", "tsv"):
        check_linear(SHAPES[shape], form)


def many(n: int, form: str, folder: Path) -> bytes:
    """`n` sets; the genes of one set, if the format holds one."""
    path = folder / f"a.{form}"
    path.unlink(missing_ok=True)
    if form == "msigdb-xml":
        sets = (f'<GENESET STANDARD_NAME="s{i}" MEMBERS="TP53,G{i}"/>' for i in range(n))
        return f"<MSIGDB>{''.join(sets)}</MSIGDB>".encode()
    if form == "msigdb-db":
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.executescript(DATABASE.split("INSERT")[0])
            rows = [(i, f"s{i}") for i in range(n)]
            database.executemany("INSERT INTO gene_set VALUES (?, ?, 'H')", rows)
            database.executemany("INSERT INTO gene_symbol VALUES (?, ?)", rows)
            database.executemany(
                "INSERT INTO gene_set_gene_symbol VALUES (?, ?)", [(i, i) for i in range(n)]
            )
            database.commit()
    elif form == "grp":
        write({"s": [f"G{i}" for i in range(n)]}, path, format=form)
    else:
        write({f"s{i}": ["TP53", f"G{i}"] for i in range(n)}, path, format=form)
    return path.read_bytes()


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_is_linear(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "_answer", lambda job, held: child.work(job))
    check_linear(lambda n: many(n, form, tmp_path), form)


# -- what is written ------------------------------------------------------------------------------


def test_formulas_of_a_spreadsheet(tmp_path: Path) -> None:
    table = pl.DataFrame({"term": ["=cmd()", "+1", "-x", "@a", "DNA repair", None], "n": [-1] * 6})
    Report(table).to_csv(tmp_path / "a.csv", spreadsheet=True)
    cells = (tmp_path / "a.csv").read_text().splitlines()[1:]
    assert cells == ["'=cmd(),-1", "+1,-1", "'-x,-1", "'@a,-1", "DNA repair,-1", ",-1"]
    Report(table).to_csv(tmp_path / "a.csv")
    assert "\n=cmd()," in (tmp_path / "a.csv").read_text()


def test_pages_have_no_control_characters(tmp_path: Path) -> None:
    report = Report(pl.DataFrame({ESCAPES: [ESCAPES]}), {"model": ESCAPES})
    report.to_html(tmp_path / "a.html")
    text = (tmp_path / "a.html").read_text()
    assert not {c for c in text if ord(c) < 32} - {"\n"}


def test_a_text_where_numbers_are_expected_is_written_to_a_workbook(tmp_path: Path) -> None:
    pytest.importorskip("xlsxwriter")
    table = pl.DataFrame({"name": ["a", "b"], "year": ["2020", "n/a"]})
    sets = GeneSets(SETS.vocabulary, SETS.indptr, SETS.indices, table)
    write(sets, tmp_path / "a.xlsx")
    assert zipfile.is_zipfile(tmp_path / "a.xlsx")


def test_outputs_that_are_no_regular_files(tmp_path: Path) -> None:
    real, link, fifo = (tmp_path / name for name in ("real", "link", "fifo"))
    real.write_text("old")
    link.symlink_to(real)
    with atomic_path(link) as temporary:
        temporary.write_text("new")
    assert link.is_symlink()
    assert real.read_text() == "new"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    with atomic_path(fifo) as temporary:
        temporary.write_text("content")
    assert os.read(reader, 100) == b"content"
    os.close(reader)
    assert fifo.is_fifo()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fifo", "link", "real"]


def test_a_full_disk_names_the_file_to_write(tmp_path: Path) -> None:
    def fill(*, named: bool) -> None:
        with atomic_path(tmp_path / "out.csv") as temporary:
            filename = str(temporary) if named else None
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), filename)

    for named in (False, True):
        with pytest.raises(OSError, match=r"No space left on device: '.*/out\.csv'"):
            fill(named=named)
        assert not list(tmp_path.iterdir())


def test_drawings_and_graphs_of_odd_names(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    pytest.importorskip("networkx")
    names = ["A$x_1$", "B\x1b[31m", "C$", "D"]
    sets = GeneSets.from_lists([names, ["W", "X", "Y", "Z"]] * 10)
    sets.metadata = sets.metadata.with_columns(source=pl.lit("$x_1$ \x1b"))
    found = gsfm.network(names, model=Linear(regularization=1).fit(sets), min_relation=-10)
    found.save(tmp_path / "a.graphml")
    found.save(tmp_path / "a.svg")
    plot(sets, tmp_path / "b.svg")
    for name in ("a.graphml", "a.svg", "b.svg"):
        ElementTree.parse(tmp_path / name)
