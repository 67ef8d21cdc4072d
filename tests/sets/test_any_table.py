"""Any sets in any form of a table are read as they are, or refused; they are never other sets."""

from __future__ import annotations

import contextlib
import io
import random

import hypothesis.strategies as st
import pandas as pd
import polars as pl
import pytest
from hypothesis import event, given, settings

from gsfm import FormatError, genes
from gsfm.sets import read

ALL = genes.vocabulary().symbols
WORDS = [
    "DNA repair",
    "Apoptosis",
    "T cells",
    "M1",
    "hypoxia, up",
    "Wnt signaling",
    "GO:0006281",
    "E2F",
]


def long(sets, shuffled):
    rows = {
        "term": [name for name, members in sets.items() for _ in members],
        "gene": [gene for members in sets.values() for gene in members],
    }
    rows["score"] = [round(0.37 * i % 5, 3) for i in range(len(rows["gene"]))]
    rows["note"] = ["of the study"] * len(rows["gene"])
    return pd.DataFrame({column: rows[column] for column in shuffled})


def one_row(sets, shuffled):
    rows = {
        "term": list(sets),
        "gene": [random.Random(0).choice(["; ", ";"]).join(members) for members in sets.values()],
        "score": [0.01 * i for i in range(len(sets))],
        "note": ["3/10"] * len(sets),
    }
    return pd.DataFrame({column: rows[column] for column in shuffled})


def wide(sets, shuffled):
    return pd.DataFrame({name: pd.Series(members) for name, members in sets.items()})


def rows(sets, shuffled):
    return pd.DataFrame.from_dict(sets, orient="index")


def text_of(frame, writer, index):
    if writer == "polars":
        columns = frame.reset_index().astype(str) if index else frame.astype(str)
        columns.columns = list(map(str, columns.columns))
        return pl.DataFrame(columns.replace({"None": "", "nan": ""}).to_dict("list")).write_csv()
    separator = {"csv": ",", "tsv": "\t", "semicolon": ";", "pandas index": ","}[writer]
    return frame.to_csv(sep=separator, index=index or writer == "pandas index")


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    sizes=st.lists(st.integers(2, 12), min_size=2, max_size=5),
    form=st.sampled_from([long, one_row, wide, rows]),
    writer=st.sampled_from(["csv", "tsv", "semicolon", "pandas index", "polars"]),
    shuffled=st.permutations(["term", "gene", "score", "note"]),
)
def test_any_table_gives_its_sets(seed, sizes, form, writer, shuffled):
    random_ = random.Random(seed)
    sets = {
        name: random_.sample(ALL, size)
        for name, size in zip(random_.sample(WORDS, len(sizes)), sizes, strict=True)
    }
    text = text_of(form(sets, shuffled), writer, form is rows)
    with contextlib.suppress(FormatError):
        found = read(io.BytesIO(text.encode()))
        read_sets = {name: set(found.genes(i)) for i, name in enumerate(found.names)}
        assert read_sets == {name: set(members) for name, members in sets.items()}, text
        return
    event("refused")


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    sizes=st.lists(st.integers(2, 12), min_size=2, max_size=5),
    described=st.booleans(),
    suffix=st.sampled_from([".gmt", ".txt"]),
)
def test_any_gmt_gives_its_sets(seed, sizes, described, suffix, tmp_path_factory):
    random_ = random.Random(seed)
    sets = {
        name: random_.sample(ALL, size)
        for name, size in zip(random_.sample(WORDS, len(sizes)), sizes, strict=True)
    }
    path = tmp_path_factory.mktemp("gmt") / f"sets{suffix}"
    path.write_text(
        "".join(
            "\t".join([name, *["of the study"] * described, *members]) + "\n"
            for name, members in sets.items()
        )
    )
    found = read(path)
    read_sets = {name: set(found.genes(i)) for i, name in enumerate(found.names)}
    assert read_sets == {name: set(members) for name, members in sets.items()}


@pytest.mark.parametrize("names", [
    ["cluster 0", "cluster 1", "cluster 2"],
    ["G2 DNA arrest", "T cell death", "fatty acid transport"],
])  # fmt: skip
def test_commas_behind_names_with_spaces(names):
    """White space separates such lines, too, but only into parts of names and all the rest."""
    members = ["TP53,MDM2,BAX", "ATM,ATR", "EGFR,MYC,KRAS,NRAS"]
    lines = [f"{name},na,{genes}" for name, genes in zip(names, members, strict=True)]
    with pytest.raises(FormatError, match="not clear"):
        read(io.BytesIO("\n".join(lines).encode()))
