"""Which term of one release is which of another, and which file is which release."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsfm import GsfmError
from gsfm.benchmark.releases import Pairs, find_release, nearest, pair
from gsfm.sets import GeneSets

GENES = [f"G{i:02}" for i in range(40)]


def named(*names: str) -> GeneSets:
    """Terms without a gene in common: only their names can pair them."""
    return GeneSets.from_lists({name: [f"{name} {len(names)}"] for name in names})


def found(pairs: Pairs) -> list[tuple[str, str, str]]:
    return pairs.table.select("older_name", "newer_name", "by").rows()


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("cytoplasmic translation (GO:0002181)", "Translation In The Cytoplasm (GO:0002181)"),
        ("GO_0002181 translation", "go:0002181"),
        ("Prion diseases_Homo sapiens_hsa05020", "HSA05020 Prion disease"),
        ("Apoptosis_Homo sapiens_R-HSA-109581", "Programmed death R-HSA-109581.3"),
        ("Apoptosis_Homo sapiens_WP254", "Cell death WP254_r12345"),
        ("Abnormality of body height (HP:0000002)", "Height HP:0000002"),
        ("asthma MONDO:0004979", "MONDO_0004979"),
        ("EFO_0000270", "asthma (EFO:0000270)"),
        ("Orphanet:558 Marfan", "Marfan syndrome ORPHANET:558"),
        ("fatty liver DOID:9452", "steatosis DOID:9452"),
    ],
)
def test_by_identifier(older: str, newer: str) -> None:
    pairs = pair(named(older, "else"), named("more", newer))
    assert found(pairs) == [(older, newer, "identifier")]
    assert (pairs.older_only.tolist(), pairs.newer_only.tolist()) == ([1], [0])


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("Cell cycle_Homo sapiens_hsa04110", "cell cycle"),
        ("Sjögren's syndrome", "Sjogren Syndrome"),
        ("TGF-β signalling", "tgf beta signalling"),
        ("Alzheimer's disease", "Alzheimer disease"),
        ("Cytokine & chemokine", "cytokine and chemokine"),
        ("Lipoprotein (a) - cholesterol levels", "Lipoprotein(a) Cholesterol Levels"),
        ("DNA_repair", "DNA repair"),
        ("Heart Human", "Heart"),
    ],
)
def test_by_name(older: str, newer: str) -> None:
    pairs = pair(named(older, "else"), named("more", newer))
    assert found(pairs) == [(older, newer, "name")]


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("CD4+ T cells", "CD4- T cells"),
        ("term (GO:0000001)", "(GO:0000002)"),
        ("Heart Mouse", "Heart"),
        ("IKZF1_21737484_ChIP", "CEBPB_21737484_ChIP"),
        ("Interleukin-2", "Interleukin-12"),
        ("GO:000218", "GO:0002181"),
    ],
)
def test_other_names_are_other_terms(older: str, newer: str) -> None:
    pairs = pair(named(older), named(newer, "more"))
    assert found(pairs) == []
    assert pairs.older_only.tolist() == [0]
    assert pairs.newer_only.tolist() == [0, 1]


def test_the_closest_name_goes_first() -> None:
    """Exact names pair before those that differ in case; species before none."""
    older = named("height", "Height", "Lung_Homo sapiens_WP1", "Lung_Mus musculus_WP2")
    newer = named("Lung Mus musculus", "Height", "height", "Lung Homo sapiens")
    assert sorted((a, b) for a, b, _ in found(pair(older, newer))) == [
        ("Height", "Height"),
        ("Lung_Homo sapiens_WP1", "Lung Homo sapiens"),
        ("Lung_Mus musculus_WP2", "Lung Mus musculus"),
        ("height", "height"),
    ]


def test_a_name_that_is_there_twice_pairs_none() -> None:
    older = named("Height", "HEIGHT (HP:0000002)")
    assert found(pair(older, named("height"))) == []
    again = GeneSets.from_ids(named("a", "b").vocabulary, [[0], [1]], names=["same", "same"])
    assert found(pair(again, named("same"))) == []


def test_by_content() -> None:
    def terms(**genes: slice) -> GeneSets:
        return GeneSets.from_lists({k.replace("_", " "): GENES[v] for k, v in genes.items()})

    def by_content(older: GeneSets, newer: GeneSets) -> list[tuple[str, str]]:
        return [(a, b) for a, b, by in found(pair(older, newer)) if by == "content"]

    # Two thirds of the genes and something of the name.
    older = terms(Chagas_disease_American_trypanosomiasis=slice(0, 10))
    assert by_content(older, terms(Chagas_disease=slice(0, 15))) == [
        ("Chagas disease American trypanosomiasis", "Chagas disease")
    ]
    assert by_content(older, terms(Chagas_disease=slice(0, 16))) == []
    assert by_content(older, terms(Photosynthesis=slice(0, 10))) == []
    # Two fifths of the genes and most of the name, with its numbers.
    older = terms(Interleukin_12_levels_in_blood=slice(0, 8))
    assert by_content(older, terms(Interleukin_12_level_in_the_blood=slice(0, 20))) == [
        ("Interleukin 12 levels in blood", "Interleukin 12 level in the blood")
    ]
    assert by_content(older, terms(Interleukin_12_level_in_the_blood=slice(0, 21))) == []
    assert by_content(older, terms(Interleukin_13_level_in_the_blood=slice(0, 20))) == []
    # Two identifiers are two terms.
    a, b = (
        GeneSets.from_lists({name: GENES[:9]}) for name in ("t (GO:0000001)", "ts (GO:0000002)")
    )
    assert by_content(a, b) == []
    assert len(by_content(a, terms(ts=slice(0, 9)))) == 1


def test_content_pairs_the_best() -> None:
    """What is not the best of either side stays alone."""
    older = GeneSets.from_lists({"red alga": GENES[:10], "red algal": GENES[:9]})
    newer = GeneSets.from_lists({"red algae": GENES[:9]})
    pairs = pair(older, newer)
    assert found(pairs) == [("red algal", "red algae", "content")]
    assert pairs.older_only.tolist() == [0]
    # The first's best is the second's of the newer, whose own best is another.
    older = GeneSets.from_lists({"red alga": GENES[:12], "red algal": GENES[:14]})
    newer = GeneSets.from_lists(
        {"red algae": GENES[:14], "red algaes": [*GENES[:9], *GENES[20:22]]}
    )
    assert found(pair(older, newer)) == [("red algal", "red algae", "content")]


def test_table() -> None:
    older = GeneSets.from_lists({"x": ["A"], "same": ["A", "B"], "empty": []})
    newer = GeneSets.from_lists({"empty": [], "same": ["B", "C", "D"], "y": ["Z"]})
    pairs = pair(older, newer)
    assert pairs.table.rows() == [
        (2, 0, "empty", "empty", "name", 0.0),
        (1, 1, "same", "same", "name", 0.25),
    ]
    assert pairs.ways == {"identifier": 0, "name": 2, "content": 0}
    assert len(pairs) == 2
    none = pair(older, named("z"))
    assert none.table.schema == pairs.table.schema


names = st.sampled_from(
    ["heart", "Heart", "heart (GO:0000001)", "hart (GO:0000001)", "heard", "heat 1", "heat 2"]
)
releases = st.lists(
    st.tuples(names, st.sets(st.sampled_from(GENES[:8]), max_size=8)), max_size=8
).map(
    lambda rows: GeneSets.from_ids(
        GeneSets.from_lists([GENES]).vocabulary,
        [[GENES.index(gene) for gene in genes] for _, genes in rows],
        names=[name for name, _ in rows],
    )
)


@given(older=releases, newer=releases)
def test_every_term_is_paired_or_alone(older: GeneSets, newer: GeneSets) -> None:
    pairs = pair(older, newer)
    table = pairs.table
    for column, only, release in (
        ("older", pairs.older_only, older),
        ("newer", pairs.newer_only, newer),
    ):
        rows = table[f"{column}_row"].to_list()
        assert sorted([*rows, *only.tolist()]) == list(range(len(release)))
        assert table[f"{column}_name"].to_list() == [release.names[row] for row in rows]
    assert table["newer_row"].is_sorted()
    for a, b, jaccard in table.select("older_row", "newer_row", "jaccard").rows():
        one, other = set(older.genes(a)), set(newer.genes(b))
        assert jaccard == (len(one & other) / len(one | other) if one | other else 0)
    back = pair(newer, older).table.select("newer_row", "older_row", "by")
    assert sorted(back.rows()) == sorted(table.select("older_row", "newer_row", "by").rows())


@given(older=releases, newer=releases)
def test_nearest(older: GeneSets, newer: GeneSets) -> None:
    expected = [
        max(
            (len(one & other) / len(one | other) for other in map(set, rows) if one | other),
            default=0,
        )
        for one in (set(newer.genes(i)) for i in range(len(newer)))
        for rows in [[older.genes(i) for i in range(len(older))]]
    ]
    np.testing.assert_array_equal(nearest(newer, older), expected)


# -- files -------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (
        "GO_Biological_Process_2018.gmt.gz",
        "GO_Biological_Process_2025.gmt.gz",
        "GO_Molecular_Function_2018.gmt",
        "KEGG_2016.gmt",
        "KEGG_2019_Human.gmt.gz",
        "KEGG_2019_Mouse.gmt.gz",
        "KEGG-2021-Human.gsets",
        "WikiPathways_2017b.gmt",
        "SOURCES.tsv",
        "c2.all.v2023.2.Hs.gmt",
    ):
        (tmp_path / name).touch()
    (tmp_path / "KEGG_2030").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("library", "year", "name"),
    [
        ("GO_Biological_Process", 2018, "GO_Biological_Process_2018.gmt.gz"),
        ("go biological process", 2025, "GO_Biological_Process_2025.gmt.gz"),
        ("KEGG", 2016, "KEGG_2016.gmt"),
        ("KEGG", 2021, "KEGG-2021-Human.gsets"),
        ("KEGG Mouse", 2019, "KEGG_2019_Mouse.gmt.gz"),
        ("kegg_human", "2019", "KEGG_2019_Human.gmt.gz"),
        ("WikiPathways", "2017b", "WikiPathways_2017b.gmt"),
    ],
)
def test_find_release(folder: Path, library: str, year: int | str, name: str) -> None:
    assert find_release(folder, library, year) == folder / name


@pytest.mark.parametrize(
    ("library", "year", "message"),
    [
        ("GO", 2018, "nothing of the library 'GO'; there is GO_Biological.*KEGG.*Wiki"),
        (
            "KEGG",
            2030,
            "no release 2030 of the library 'KEGG'; there is KEGG-2021.*KEGG_2019_Mouse",
        ),
        ("KEGG", 2019, "may be each of KEGG_2019_Human.*, KEGG_2019_Mouse"),
        ("WikiPathways", 2017, "no release 2017 .*; there is WikiPathways_2017b.gmt"),
    ],
)
def test_no_such_release(folder: Path, library: str, year: int, message: str) -> None:
    with pytest.raises(GsfmError, match=message):
        find_release(folder, library, year)


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(GsfmError, match="No such file or directory; give the folder"):
        find_release(tmp_path / "nowhere", "KEGG", 2016)
    with pytest.raises(GsfmError, match="no file with a year in its name"):
        find_release(tmp_path, "KEGG", 2016)
