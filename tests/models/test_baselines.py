"""Popularity and co-occurrence, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from gsfm import GeneSets
from gsfm.models import Cooccurrence, Popularity

CORPUS = GeneSets.from_lists([["A", "B"], ["A", "B", "C"], ["A", "C"], ["D"]])
WEIGHTS = [1.0, 2.0, 0.5, 1.0]


def test_popularity() -> None:
    model = Popularity(pseudocount=0.5).fit(CORPUS, weights=WEIGHTS)
    # A is in 3.5 of 4.5 weighted sets, B in 3, C in 2.5, D in 1.
    expected = np.log((np.array([3.5, 3.0, 2.5, 1.0]) + 0.5) / 5.0)
    np.testing.assert_allclose(model.score([["A"], []]), [expected, expected], rtol=1e-6)
    np.testing.assert_allclose(model.embed_genes()[:, 0], expected, rtol=1e-6)
    np.testing.assert_allclose(
        model.embed_sets([["A", "D"], []])[:, 0], [(expected[0] + expected[3]) / 2, 0], rtol=1e-6
    )
    with pytest.raises(ValueError, match="pseudocount"):
        Popularity(pseudocount=0)


def test_a_gene_never_seen_has_the_lowest_score() -> None:
    from gsfm import Vocabulary

    sets = GeneSets.from_lists([["A"], ["A", "B"]], vocabulary=Vocabulary(["A", "B", "NEVER"]))
    scores = Popularity().fit(sets).score([[]])[0]
    assert scores[2] < scores[1] < scores[0]


# Weighted pairs: AB 3, AC 2.5, BC 2; alone A 3.5, B 3, C 2.5, D 1.
CONDITIONAL = np.array(
    [
        [0, 3 / 3.5, 2.5 / 3.5, 0],
        [3 / 3, 0, 2 / 3, 0],
        [2.5 / 2.5, 2 / 2.5, 0, 0],
        [0, 0, 0, 0],
    ]
)
PAIRS = np.array([[0, 3, 2.5, 0], [3, 0, 2, 0], [2.5, 2, 0, 0], [0, 0, 0, 0]])
ALONE = np.array([3.5, 3, 2.5, 1])
COSINE = PAIRS / np.sqrt(np.outer(ALONE, ALONE))


@pytest.mark.parametrize(
    ("similarity", "expected"), [("conditional", CONDITIONAL), ("cosine", COSINE)]
)
def test_cooccurrence(similarity: str, expected: np.ndarray) -> None:
    model = Cooccurrence(similarity=similarity).fit(CORPUS, weights=WEIGHTS)
    np.testing.assert_allclose(model.similarities.toarray(), expected, rtol=1e-3)
    scores = model.score([["A"], ["A", "B"], [], ["D"]])
    # A member's score is the mean over the other members.
    by_hand = [
        expected[0],
        [expected[1, 0], expected[0, 1], (expected[0, 2] + expected[1, 2]) / 2, 0],
        [0, 0, 0, 0],
        [0, 0, 0, 0],
    ]
    np.testing.assert_allclose(scores, by_hand, rtol=1e-3)


def test_cooccurrence_keeps_the_most_similar() -> None:
    model = Cooccurrence(similarity="conditional", top=1).fit(CORPUS, weights=WEIGHTS)
    kept = model.similarities.toarray()
    assert [row.nonzero()[0].tolist() for row in kept] == [[1], [0], [0], []]


def test_cooccurrence_ranges() -> None:
    for setting in ({"top": 0}, {"dimensions": 0}, {"similarity": "jaccard"}):
        with pytest.raises(ValueError, match=next(iter(setting))):
            Cooccurrence(**setting)
