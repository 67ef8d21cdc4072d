"""Selection and algebra, against Python's own sets."""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from gsfm.genes import Vocabulary
from gsfm.sets import GeneSets, clusters, concat, csr

GENES = "ABCDEFGH"

rows = st.lists(st.lists(st.sampled_from(GENES), max_size=8), max_size=12)


def members(sets: GeneSets) -> list[set[str]]:
    return [set(sets.genes(i)) for i in range(len(sets))]


def weights_of(sets: GeneSets, i: int) -> dict[str, float]:
    assert sets.member_weights is not None
    weights = sets.member_weights[sets.indptr[i] : sets.indptr[i + 1]].tolist()
    return dict(zip(sets.genes(i), weights, strict=True))


@pytest.fixture(params=[1, 3, 1 << 18])
def chunk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in parts of several sizes: the answer must not depend on it."""
    real = csr.chunks
    monkeypatch.setattr(csr, "chunks", lambda indptr, size=0: real(indptr, request.param))


# -- the arrays --------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 5, 1 << 18])
@given(rows=rows)
def test_chunks_cover_every_set_once(rows: list[list[str]], size: int) -> None:
    indptr = GeneSets.from_lists(rows).indptr
    spans = list(csr.chunks(indptr, size))
    covered = [i for first, last in spans for i in range(first, last)]
    assert covered == list(range(len(rows)))
    for first, last in spans:
        assert last - first == 1 or indptr[last] - indptr[first] <= size


@given(rows=rows, data=st.data())
def test_reindex(rows: list[list[str]], data: st.DataObject) -> None:
    sets = GeneSets.from_lists(rows)
    weights = np.arange(len(sets.indices), dtype=np.float32)
    sets = GeneSets(sets.vocabulary, sets.indptr, sets.indices, member_weights=weights)
    new = Vocabulary(data.draw(st.lists(st.sampled_from("HGFEDCBAXY"), unique=True)))
    again = sets.reindex(new)
    again.validate()
    assert members(again) == [set(row) & set(new) for row in rows]
    for i in range(len(rows)):
        before, after = weights_of(sets, i), weights_of(again, i)
        assert after == {gene: weight for gene, weight in before.items() if gene in new}


@given(rows=rows, data=st.data())
def test_selection(rows: list[list[str]], data: st.DataObject) -> None:
    sets = GeneSets.from_lists(rows)
    index = list(range(len(rows)))
    if rows:
        picks = data.draw(st.lists(st.sampled_from(index)))
        assert members(sets[picks]) == [set(rows[i]) for i in picks]
        assert sets[picks].names == [sets.names[i] for i in picks]
    part = data.draw(st.slices(len(rows)))
    assert members(sets[part]) == [set(row) for row in rows[part]]
    mask = np.array([len(row) > 2 for row in rows], np.bool_)
    assert members(sets[mask]) == [set(row) for row in rows if len(row) > 2]
    sets[part].validate()


@pytest.mark.usefixtures("chunk")
def test_parts_make_no_difference() -> None:
    generator = np.random.default_rng(0)
    rows = [generator.choice(50, generator.integers(0, 20)) for _ in range(40)]
    weights_of = {(i, g): float(i * 100 + g) for i, row in enumerate(rows) for g in row}
    vocabulary = Vocabulary(f"G{i}" for i in range(50))
    sets = GeneSets.from_ids(vocabulary, rows)
    assert members(sets) == [{f"G{g}" for g in row} for row in rows]
    heavy = [weights_of[i, g] for i in range(40) for g in sets.ids(i)]
    sets = GeneSets(vocabulary, sets.indptr, sets.indices, member_weights=heavy)
    order = generator.permutation(40)
    picked = sets[order]
    assert members(picked) == [members(sets)[i] for i in order]
    assert picked.member_weights is not None
    flat = [weights_of[i, g] for i in order for g in sets.ids(i)]
    assert picked.member_weights.tolist() == flat
    turned = sets.reindex(Vocabulary(reversed(vocabulary)))
    assert members(turned) == members(sets)
    first = csr.first_equal(sets.indptr, sets.indices)
    assert first.tolist() == [members(sets).index(one) for one in members(sets)]


def test_constructor_refuses_what_is_no_collection() -> None:
    vocabulary = Vocabulary("ABC")
    for indptr, indices, reason in (
        ([0, 2], [1, 0], "ascending"),
        ([0, 2], [1, 1], "ascending"),
        ([0, 1], [3], "outside"),
        ([0, 1], [-1], "outside"),
        ([0, 2], [0], "end at"),
        ([1, 1], [0], "start at"),
        ([0, 2, 1], [0], "decrease"),
        ([], [], "start at"),
    ):
        with pytest.raises(ValueError, match=reason):
            GeneSets(vocabulary, indptr, indices)
    with pytest.raises(ValueError, match="one weight a member"):
        GeneSets(vocabulary, [0, 1], [0], member_weights=[1, 2])
    with pytest.raises(ValueError, match="one row a set"):
        GeneSets(vocabulary, [0, 1], [0], pl.DataFrame({"name": ["a", "b"]}))
    with pytest.raises(ValueError, match="column 'name'"):
        GeneSets(vocabulary, [0, 1], [0], pl.DataFrame({"title": ["a"]}))
    # Between two sets ids may fall, and sets may be empty.
    assert len(GeneSets(vocabulary, [0, 0, 2, 2, 4, 4], [1, 2, 0, 1])) == 5


def test_single_sets() -> None:
    sets = GeneSets.from_lists({"a": ["B", "A"], "b": ["C"]})
    assert sets[-1].name == "b"
    assert sets.genes(-2) == ("A", "B")
    assert sets[np.int64(1)].genes == ("C",)
    assert len(sets[0]) == 2
    for i in (2, -3):
        for get in (sets.ids, sets.genes, sets.__getitem__):
            with pytest.raises(IndexError, match=f"set {i} of 2"):
                get(i)


def test_weights_of_sets() -> None:
    sets = GeneSets.from_lists([["A"], ["B"]])
    assert sets.weights.tolist() == [1.0, 1.0]
    sets.metadata = pl.DataFrame({"name": ["a", "b"], "weight": [0.5, None]})
    assert sets.weights.tolist() == [0.5, 1.0]
    assert sets.weights.dtype == np.float32


def test_makers_refuse_what_is_no_set() -> None:
    with pytest.raises(TypeError, match="not a string"):
        GeneSets.from_lists(["TP53", "MDM2"])
    with pytest.raises(ValueError, match="'X' is not in the vocabulary"):
        GeneSets.from_lists([["A"], ["X"]], vocabulary=Vocabulary("AB"))
    for ids in ([2], [-1]):
        with pytest.raises(ValueError, match="outside"):
            GeneSets.from_ids(Vocabulary("AB"), [ids])
    with pytest.raises(ValueError, match="as many names"):
        GeneSets.from_ids(Vocabulary("AB"), [[0]], names=["a", "b"])


# -- filter, union, duplicates -----------------------------------------------------------------


@pytest.fixture
def library() -> GeneSets:
    sets = GeneSets.from_lists([["A"], ["A", "B"], ["A", "B", "C"], [], ["B", "A"]])
    table = pl.DataFrame(
        {
            "name": ["a", "b", "c", "d", "e"],
            "year": [2000, 2010, None, 2020, 2005],
            "source": ["x", "y", "x", None, "z"],
            "species": ["human", "mouse", None, "human", "human"],
        }
    )
    return GeneSets(sets.vocabulary, sets.indptr, sets.indices, table)


@pytest.mark.parametrize(
    ("bounds", "names"),
    [
        ({}, "abcde"),
        ({"min_size": 2}, "bce"),
        ({"max_size": 1}, "ad"),
        ({"min_size": 1, "max_size": 2}, "abe"),
        ({"min_year": 2005}, "bde"),
        ({"max_year": 2005}, "ae"),
        ({"sources": "x"}, "ac"),
        ({"sources": ["x", "z"]}, "ace"),
        ({"species": "human", "min_size": 1}, "ae"),
    ],
)
def test_filter(library: GeneSets, bounds: dict[str, object], names: str) -> None:
    assert library.filter(**bounds).names == list(names)  # type: ignore[arg-type]


def test_filter_by_a_missing_column() -> None:
    with pytest.raises(ValueError, match="no column 'year'; it has name"):
        GeneSets.from_lists([["A"]]).filter(min_year=2000)


def test_filter_understands_years_in_text() -> None:
    sets = GeneSets.from_lists([["A"], ["B"]])
    sets.metadata = pl.DataFrame({"name": ["a", "b"], "year": ["1999", "n.d."]})
    assert sets.filter(max_year=2000).names == ["a"]


@given(one=rows, other=rows)
def test_union(one: list[list[str]], other: list[list[str]]) -> None:
    both = GeneSets.from_lists(one).union(GeneSets.from_lists(other))
    both.validate()
    assert members(both) == [set(row) for row in one + other]
    assert list(both.vocabulary) == sorted({gene for row in one + other for gene in row})


def test_union_of_metadata_and_weights() -> None:
    one = GeneSets(
        Vocabulary("BA"),
        [0, 2],
        [0, 1],
        pl.DataFrame({"name": ["x"], "year": [2000]}),
        member_weights=[2.0, 3.0],
        manifest={"hash": "1"},
    )
    other = GeneSets.from_lists({"y": ["C"]})
    both = concat([one, other])
    assert both.metadata.to_dicts() == [{"name": "x", "year": 2000}, {"name": "y", "year": None}]
    assert both.vocabulary.symbols == ("A", "B", "C")
    assert both.member_weights is not None
    assert both.member_weights.tolist() == [3.0, 2.0, 1.0]
    assert both.manifest == {"parts": [{"hash": "1"}, {}]}
    assert concat([other, other]).vocabulary is other.vocabulary
    with pytest.raises(ValueError, match="no collection"):
        concat([])


def test_union_of_columns_of_different_types() -> None:
    one, other = GeneSets.from_lists([["A"]]), GeneSets.from_lists([["B"]])
    one.metadata = pl.DataFrame({"name": ["x"], "year": [2000], "tag": [["a", "b"]]})
    other.metadata = pl.DataFrame({"name": ["y"], "year": ["2001"], "tag": ["c"]})
    assert concat([one, other]).metadata.to_dicts() == [
        {"name": "x", "year": 2000, "tag": '["a", "b"]'},
        {"name": "y", "year": 2001, "tag": "c"},
    ]


@given(rows=rows)
def test_deduplicate(rows: list[list[str]]) -> None:
    sets = GeneSets.from_lists(rows)
    unique = sets.deduplicate()
    expected: dict[frozenset[str], list[str]] = {}
    for name, row in zip(sets.names, rows, strict=True):
        expected.setdefault(frozenset(row), []).append(name)
    assert members(unique) == [set(row) for row in expected]
    assert unique.metadata["names"].to_list() == list(expected.values())
    assert unique.metadata["copies"].to_list() == [len(names) for names in expected.values()]
    assert unique.names == [names[0] for names in expected.values()]


def test_deduplicate_keeps_the_first_and_the_earliest_year(library: GeneSets) -> None:
    unique = library.deduplicate()
    assert unique.metadata.rows() == [
        ("a", 2000, "x", "human", ["a"], 1),
        ("b", 2005, "y", "mouse", ["b", "e"], 2),
        ("c", None, "x", None, ["c"], 1),
        ("d", 2020, None, "human", ["d"], 1),
    ]
    # Again, together with more of the same: the names and counts add up.
    more = unique.union(library[1:2].deduplicate()).deduplicate()
    assert more.metadata["copies"].to_list() == [1, 3, 1, 1]
    assert more.metadata["names"].to_list()[1] == ["b", "e"]


def test_deduplicate_does_not_trust_its_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        csr, "_hashes", lambda indptr, indices: np.zeros(len(indptr) - 1, np.uint64)
    )
    rows = [["A"], ["B"], ["A", "B"], ["B"], ["A"], [], ["A", "B"], []]
    unique = GeneSets.from_lists(rows).deduplicate()
    assert members(unique) == [{"A"}, {"B"}, {"A", "B"}, set()]
    assert unique.metadata["copies"].to_list() == [2, 2, 2, 2]


# -- near-duplicates ---------------------------------------------------------------------------


def families(random_state: int, n: int = 60, *, size: int = 60) -> GeneSets:
    """Sets in families: relatives share all but some members; some are copies, some empty."""
    generator = np.random.default_rng(random_state)
    vocabulary = Vocabulary(f"GENE{i}" for i in range(2000))
    rows = []
    for _ in range(n):
        founder = generator.choice(2000, size, replace=False)
        for lost in (0, 1, 3, 6, 12, 20):
            rows.append(np.concatenate([founder[lost:], generator.choice(2000, lost)]))
        rows.append(founder)
        rows.append(founder[:0])
    return GeneSets.from_ids(vocabulary, rows)


def brute_force(sets: GeneSets, threshold: float) -> dict[tuple[int, int], float]:
    sizes, matrix = sets.sizes, sets.to_csr()
    shared = (matrix @ matrix.T).toarray()
    union = sizes[:, None] + sizes[None, :] - shared
    jaccard = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    pairs = zip(*np.triu(jaccard >= threshold, 1).nonzero(), strict=True)
    return {(int(i), int(j)): float(jaccard[i, j]) for i, j in pairs}


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.8, 0.95, 1.0])
def test_near_duplicates_against_brute_force(threshold: float) -> None:
    sets = families(1)
    true = brute_force(sets, threshold)
    found = sets.near_duplicates(threshold)
    table = {(i, j): value for i, j, value in found.select("first", "second", "jaccard").rows()}
    assert found.select("first", "second").rows() == sorted(table)
    # What is found is right to the last bit but one, and hardly anything is missed.
    assert set(table) <= set(true)
    assert all(value == pytest.approx(true[pair], abs=1e-7) for pair, value in table.items())
    assert len(table) >= 0.99 * len(true)
    sure = {pair for pair, value in true.items() if value >= min(1.0, threshold + 0.1)}
    assert sure <= set(table)


def test_near_duplicates_of_copies_alone() -> None:
    sets = GeneSets.from_lists([["A"], ["A"], [], ["B", "C"], ["A"], []])
    assert sets.near_duplicates().rows() == [
        (0, 1, "set 1", "set 2", 1.0),
        (0, 4, "set 1", "set 5", 1.0),
        (1, 4, "set 2", "set 5", 1.0),
    ]
    assert GeneSets.from_lists([]).near_duplicates().height == 0
    assert GeneSets.from_lists([[], []]).near_duplicates().height == 0


def test_copies_of_near_duplicates_are_all_paired() -> None:
    one, other = list("ABCDE"), list("ABCDEF")
    pairs = GeneSets.from_lists([one, other, other, one]).near_duplicates(0.8)
    assert pairs.select("first", "second").rows() == list(itertools.combinations(range(4), 2))


def test_the_signatures_are_those_of_datasketch() -> None:
    from datasketch import MinHash, MinHashLSH

    from gsfm.sets import similarity

    sets = families(2, 10)
    sets = sets.filter(min_size=1)
    signed = similarity.signatures(sets.vocabulary, sets.indptr, sets.indices, 64, 7)
    width = 4
    index = MinHashLSH(num_perm=64, params=(16, width))
    for i in range(len(sets)):
        sketch = MinHash(num_perm=64, seed=7)
        sketch.update_batch([gene.encode() for gene in sets.genes(i)])
        assert (sketch.hashvalues == signed[i]).all()
        index.insert(i, sketch)
    # The same candidates as its index gives, before sizes and signatures thin them out.
    theirs = set()
    for i in range(len(sets)):
        sketch = MinHash(seed=7, hashvalues=signed[i], scheme="affine32")
        theirs |= {(min(i, j), max(i, j)) for j in index.query(sketch) if j != i}
    left, right = similarity._candidates(signed, np.ones(len(sets), np.int64), 16, width, 1e-9)
    assert set(zip(left.tolist(), right.tolist(), strict=True)) == theirs


def test_bands() -> None:
    from gsfm.sets import similarity

    for threshold in (0.1, 0.5, 0.8, 0.9, 1.0):
        n_bands, width = similarity.bands(threshold, 128)
        assert n_bands * width <= 128
        assert 1 - (1 - threshold**width) ** n_bands >= 0.99


def test_near_duplicates_settings() -> None:
    sets = families(3, 5)
    assert sets.near_duplicates(0.8, random_state=1).equals(
        sets.near_duplicates(0.8, random_state=1)
    )
    for threshold in (0, -1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="threshold"):
            sets.near_duplicates(threshold)
    with pytest.raises(ValueError, match="n_permutations"):
        sets.near_duplicates(n_permutations=1)


def test_near_duplicates_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "datasketch", None)
    with pytest.raises(ImportError, match=r"'.\[corpus\]'"):
        families(4, 1).near_duplicates()


def test_clusters() -> None:
    pairs = pl.DataFrame({"first": [0, 4, 2, 6], "second": [3, 5, 3, 7]})
    assert clusters(pairs, 9).tolist() == [0, 1, 0, 0, 4, 4, 6, 6, 8]
    assert clusters(pairs.clear(), 3).tolist() == [0, 1, 2]


# -- overlap -----------------------------------------------------------------------------------


@settings(max_examples=50)
@given(one=rows, other=rows, extra=st.integers(0, 50))
def test_overlap(one: list[list[str]], other: list[list[str]], extra: int) -> None:
    left, right = GeneSets.from_lists(one), GeneSets.from_lists(other)
    occurring = len({gene for row in one + other for gene in row})
    background = occurring + extra
    table = left.overlap(right, background=background)
    expected = []
    for i, a in enumerate(members(left)):
        for j, b in enumerate(members(right)):
            if a & b:
                k = len(a & b)
                p = scipy.stats.hypergeom(background, len(a), len(b)).sf(k - 1)
                names = (left.names[i], right.names[j])
                expected.append((i, j, *names, len(a), len(b), k, k / len(a | b), p))
    assert [row[:-2] for row in table.rows()] == [row[:-2] for row in expected]
    for column in (-2, -1):
        assert [row[column] for row in table.rows()] == pytest.approx(
            [row[column] for row in expected], rel=1e-9
        )
    assert table.equals(left.overlap(right, background=background, max_p_value=1.0))


def test_p_values_by_counting() -> None:
    """Of all draws of the right set, the share that meets the left set as often or more."""
    left, right = GeneSets.from_lists([list("ABC")]), GeneSets.from_lists([list("BCXY")])
    draws = list(itertools.combinations("ABCXYUVW", 4))
    as_many = sum(len(set(draw) & set("ABC")) >= 2 for draw in draws)
    (row,) = left.overlap(right, background=8).to_dicts()
    assert row["p_value"] == pytest.approx(as_many / len(draws))
    assert (row["shared"], row["jaccard"]) == (2, pytest.approx(2 / 5))


def test_overlap_bounds_and_background() -> None:
    left = GeneSets.from_lists({"a": list("ABCD"), "b": list("AX")})
    right = GeneSets.from_lists({"c": list("ABCE"), "d": list("AXY")})
    everything = left.overlap(right)
    assert everything.select("left_name", "right_name", "shared").rows() == [
        ("a", "c", 3),
        ("a", "d", 1),
        ("b", "c", 1),
        ("b", "d", 2),
    ]
    assert everything.equals(left.overlap(right, background=7))
    assert left.overlap(right, min_shared=2)["shared"].to_list() == [3, 2]
    assert left.overlap(right, min_jaccard=0.65)["right_name"].to_list() == ["d"]
    p = everything["p_value"]
    assert left.overlap(right, max_p_value=0.4)["p_value"].to_list() == [v for v in p if v <= 0.4]
    with pytest.raises(ValueError, match="at least the 7 genes"):
        left.overlap(right, background=6)
    nothing = left.overlap(GeneSets.from_lists([["Q"]]))
    assert nothing.height == 0
    assert nothing.schema == everything.schema
    assert left.overlap(GeneSets.from_lists([])).schema == everything.schema


def test_overlap_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    from gsfm.sets import overlap

    sets = families(5, 4)
    whole = sets.overlap(sets)
    monkeypatch.setattr(overlap, "_PRODUCTS", 1000)
    assert whole.equals(sets.overlap(sets))
    shared = {(i, j): k for i, j, k in whole.select("left", "right", "shared").rows()}
    dense = (sets.to_csr() @ sets.to_csr().T).toarray()
    assert shared == {(int(i), int(j)): dense[i, j] for i, j in zip(*dense.nonzero(), strict=True)}
