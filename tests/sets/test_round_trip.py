"""Write, then read: the identity, in every format and compression."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gsfm import FormatError
from gsfm.genes import Vocabulary
from gsfm.sets import GeneSets, read, write
from gsfm.sets.files import FORMATS

COMPRESSIONS = ("", ".gz", ".zst", ".zip")
#: A suffix by which each format is recognized; the forms of JSON share one.
SUFFIXES = {n: (*form.suffixes, ".json")[0] for n, form in FORMATS.items() if form.write}
SUFFIXES["gsets"] = ".gsets"

#: Text that every format can hold, and text that some cannot.
tame = st.text(st.characters(min_codepoint=0x21, exclude_categories=["C", "Z"]), min_size=1).filter(
    lambda text: "," not in text
)
wild = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    [
        "a,1",
        "x\ty",
        "a\nb",
        "#c",
        ">d",
        '"q"',
        " z ",
        "1",
        "0012",
        "NA",
        "é\u2028",
        "=A1",
        "\ufeffb",
    ]
)
weights = st.floats(allow_nan=False, allow_infinity=False, width=32)


@st.composite
def collections(draw: st.DrawFn) -> GeneSets:
    texts = draw(st.sampled_from([tame, wild]))
    symbols = draw(st.lists(texts.filter(bool), min_size=1, max_size=6, unique=True))
    n = draw(st.integers(1, 4))
    rows = [draw(st.lists(st.integers(0, len(symbols) - 1), max_size=5)) for _ in range(n)]
    used = sorted({symbols[g] for row in rows for g in row})
    sets = GeneSets.from_lists([[symbols[g] for g in row] for row in rows])
    columns: dict[str, list[object]] = {"name": [draw(texts) for _ in range(n)]}
    for column, values in (
        ("description", texts),
        ("source", texts),
        ("free text", texts),
        ("year", st.integers(-9999, 9999)),
        # A workbook has fifteen digits.
        ("weight", st.integers(0, 10**9).map(lambda n: n / 8)),
    ):
        if draw(st.booleans()):
            columns[column] = [draw(st.none() | values) for _ in range(n)]
    heavy = None
    if draw(st.booleans()):
        heavy = draw(st.lists(weights, min_size=len(sets.indices), max_size=len(sets.indices)))
    table = pl.DataFrame({k: pl.Series(v, strict=False) for k, v in columns.items()})
    assert used == list(sets.vocabulary)
    return GeneSets(sets.vocabulary, sets.indptr, sets.indices, table, member_weights=heavy)


def content(sets: GeneSets, columns: tuple[str, ...], *, weighted: bool) -> list[object]:
    """What must come back: every set with its members, weights and metadata."""
    rows = []
    for i in range(len(sets)):
        one = sets[i]
        about = {k: v for k, v in one.metadata.items() if k in columns and v not in (None, "")}
        heavy = None
        if weighted and sets.member_weights is not None and len(sets.indices):
            heavy = sets.member_weights[sets.indptr[i] : sets.indptr[i + 1]].tolist()
        rows.append((one.name, one.genes, about, heavy))
    return rows


@pytest.mark.parametrize("form", SUFFIXES)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_round_trip(form: str, data: st.DataObject, tmp_path: Path) -> None:
    sets = data.draw(collections())
    if form == "grp":
        sets = sets[:1]
        sets = sets.reindex(Vocabulary(sorted(sets[0].genes)))
    compression = data.draw(st.sampled_from(COMPRESSIONS)) if form != "gsets" else ""
    path = tmp_path / f"set{SUFFIXES[form]}{compression}"
    columns, weighted = tuple(sets.metadata.columns), True
    if form != "gsets":
        columns, weighted = FORMATS[form].columns or columns, FORMATS[form].member_weights
    if form == "enrichr-json" and "source" in sets.metadata.columns:
        # Sets come library by library.
        sources = sets.metadata["source"].fill_null("").to_list()
        first = {s: i for i, s in reversed(list(enumerate(sources)))}
        sets = sets[np.argsort([first[s] for s in sources], kind="stable")]
    path.unlink(missing_ok=True)
    try:
        write(sets, path, format=form)
    except FormatError:
        # What the format cannot hold is refused, and nothing is left behind.
        assert not list(tmp_path.iterdir())
        return
    again = read(path, resolve=False)
    assert content(again, columns, weighted=weighted) == content(sets, columns, weighted=weighted)
    assert again.vocabulary == sets.vocabulary
    path.unlink()


def test_tabs_in_quoted_cells_of_csv(tmp_path: Path) -> None:
    sets = GeneSets.from_lists({"x\ty\tz": ["A1"], "\tq": ["B2"], "r": [], "s t": []})
    write(sets, tmp_path / "a.csv")
    again = read(tmp_path / "a.csv", resolve=False)
    assert again.metadata["name"].to_list() == sets.metadata["name"].to_list()
    assert [again.genes(i) for i in range(4)] == [("A1",), ("B2",), (), ()]
