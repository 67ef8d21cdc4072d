"""Sets that give a term away, against Python's own sets."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsfm import GsfmError
from gsfm.benchmark import leakage
from gsfm.benchmark.leakage import find_leaks
from gsfm.genes import Vocabulary
from gsfm.sets import GeneSets

GENES = "ABCDEFGHIJKL"

collections = st.lists(st.lists(st.sampled_from(GENES), unique=True), min_size=1, max_size=12)


def named(sets: dict[str, str]) -> GeneSets:
    return GeneSets.from_lists({name: list(genes) for name, genes in sets.items()})


def test_by_hand() -> None:
    library = named({"five": "ABCDE", "none": "", "ten": "ABCDEFGHIJ", "other": "XY", "one": "L"})
    corpus = GeneSets.from_lists(
        [
            list("ABC"),
            list("ABCD"),
            list("BCDEFGHIJ"),
            ["A", "B", "C", "E", *(f"Z{i}" for i in range(46))],
            ["A", "B", "C", "E", *(f"Z{i}" for i in range(47))],
            list("KLM"),
        ]
    )
    leaks = find_leaks(corpus, library)
    assert leaks.terms.rows() == [
        ("five", 5, 4, 3, 4),
        ("none", 0, 0, 0, None),
        ("ten", 10, 1, 1, 9),
        ("other", 2, 0, 0, None),
        ("one", 1, 1, 1, 3),
    ]
    assert leaks.pairs.rows() == [
        (0, 1, 4, 4, True),
        (0, 2, 9, 4, True),
        (0, 3, 50, 4, True),
        (0, 4, 51, 4, False),  # more than ten times the term
        (2, 2, 9, 9, True),
        (4, 5, 3, 1, True),
    ]
    assert leaks.sets().tolist() == [1, 2, 3, 4, 5]
    assert leaks.sets(narrow=True).tolist() == [1, 2, 3, 5]
    assert (leaks.share, leaks.n_sets) == (0.8, 6)


@given(
    corpus=collections,
    library=collections,
    tenths=st.integers(1, 10),
    products=st.sampled_from([1, 7, 1 << 23]),
)
def test_against_sets(
    corpus: list[list[str]], library: list[list[str]], tenths: int, products: int
) -> None:
    """Whatever is worked on at once; the corpus knows only some of the library's genes."""
    trained = GeneSets.from_lists(corpus, vocabulary=Vocabulary(GENES)).reindex(
        Vocabulary("LKJIHGFED")
    )
    terms = GeneSets.from_lists(library, vocabulary=Vocabulary(GENES))
    expected = [
        (i, j, len(known), len(known & set(term)), len(known) <= 10 * len(term))
        for i, term in enumerate(library)
        for j, known in enumerate(set(row) - set("ABC") for row in corpus)
        if term and Fraction(len(known & set(term)), len(term)) >= Fraction(tenths, 10)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leakage, "_PRODUCTS", products)
        try:
            leaks = find_leaks(trained, terms, tenths / 10)
        except GsfmError:
            genes = {gene for row in corpus for gene in row} - set("ABC")
            assert not any(genes & set(term) for term in library)
            return
    assert leaks.pairs.rows() == expected
    for i, (name, size, sets, narrow, smallest) in enumerate(leaks.terms.iter_rows()):
        found = [row for row in expected if row[0] == i]
        assert (name, size, sets) == (f"set {i + 1}", len(library[i]), len(found))
        assert narrow == sum(row[4] for row in found)
        assert smallest == min((row[2] for row in found), default=None)
    np.testing.assert_array_equal(leaks.sets(), sorted({row[1] for row in expected}))


def test_refuses() -> None:
    library = named({"term": "AB"})
    for share in (0, -0.5, 1.01, float("nan")):
        with pytest.raises(ValueError, match="share must be above 0 and up to 1"):
            find_leaks(library, library, share)
    for corpus in ([["X"]], [[]], [["X"], []]):
        with pytest.raises(GsfmError, match="no gene in common; are the identifiers"):
            find_leaks(GeneSets.from_lists(corpus), library)
