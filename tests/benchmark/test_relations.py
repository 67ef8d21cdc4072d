"""New relations between genes, against pairs counted one by one."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gsfm import GsfmError
from gsfm.benchmark import relations
from gsfm.benchmark.questions import Questions
from gsfm.benchmark.relations import new_interactions, new_relations
from gsfm.genes import Vocabulary
from gsfm.sets import GeneSets

GENES = [f"G{i:02}" for i in range(30)]

Dated = list[tuple[int | None, list[str]]]


def dated(papers: Dated) -> GeneSets:
    sets = GeneSets.from_lists([genes for _, genes in papers], vocabulary=Vocabulary(GENES))
    years = pl.Series("year", [year for year, _ in papers], dtype=pl.Int32)
    sets.metadata = sets.metadata.with_columns(years)
    return sets


def pairs(sets: Iterable[Iterable[str]]) -> set[frozenset[str]]:
    return {frozenset(two) for genes in sets for two in itertools.combinations(genes, 2)}


def members(sets: GeneSets | None) -> list[tuple[str, ...]]:
    assert sets is not None
    return [sets.genes(i) for i in range(len(sets))]


def check(
    questions: Questions,
    before: list[list[str]],
    later: list[list[str]],
    ever: Dated,
    max_size: int,
    negatives: int,
) -> None:
    """Every question, by what was said of pairs."""
    popularity = {gene: sum(gene in genes for genes in before) for gene in GENES}
    old, met = pairs(before), pairs(genes for _, genes in ever)
    new = pairs(genes for genes in later if len(genes) <= max_size) - old
    new = {two for two in new if all(popularity[gene] for gene in two)}
    assert questions.candidates is not None
    for i, row in enumerate(questions.table.iter_rows(named=True)):
        gene = row["term"]
        assert questions.shown.genes(i) == (gene,)
        assert row["popularity"] == popularity[gene]
        partners = {other for two in new if gene in two for other in two if other != gene}
        hidden, candidates = set(questions.hidden.genes(i)), set(questions.candidates.genes(i))
        assert hidden <= partners
        assert row["unmatched"] == len(partners - hidden)
        others = candidates - hidden
        assert hidden <= candidates
        assert len(others) == negatives * len(hidden)
        assert not any(frozenset((gene, other)) in met for other in others)
        assert gene not in others
        assert all(popularity[other] for other in others)
        if len(hidden) == 1:
            (partner,) = hidden
            levels = sorted(popularity[other] for other in others)
            assert levels[negatives // 2 - 1] <= popularity[partner] <= levels[negatives // 2]
    assert questions.table.columns == ["term", "split", "k", "popularity", "unmatched"]
    assert questions.about["relations"] == len(questions.hidden.indices)
    assert questions.about["relations_unmatched"] == questions.table["unmatched"].sum()
    json.dumps([questions.skipped, questions.about])


def test_by_hand() -> None:
    papers: Dated = [
        *[(1990, ["G00"])] * 2,
        *[(1990, ["G01"])] * 1,
        *[(1991, ["G02"])] * 2,
        *[(1995, ["G03"])] * 3,
        *[(1995, ["G04"])] * 2,
        *[(1995, ["G07"])] * 2,
        (2000, ["G00", "G05"]),  # the year itself is before
        (None, ["G00", "G06"]),  # who knows when
        (2001, ["G00", "G02"]),  # the new one
        (2001, ["G00", "G05"]),  # not new
        (2002, ["G00", "G06"]),  # not surely new
        (2005, ["G00", "G07", "G08", "G09"]),  # too many at once; and yet they met
        (2006, ["G00", "G04"]),  # too late; and yet they met
        (2001, ["G02", "G29"]),  # never heard of before
    ]
    questions = new_relations(dated(papers), after=2000, until=2005, max_size=3, negatives=2)
    assert questions.protocol == "new-relations"
    assert questions.table.rows() == [("G00", 1, None, 4, 0)]
    assert questions.shown.genes(0) == ("G00",)
    assert questions.hidden.genes(0) == ("G02",)
    # G02 was in 2 sets, G01 in 1, G03 in 3; all others in 1 or 2 have met G00.
    assert questions.candidates is not None
    assert questions.candidates.genes(0) == ("G01", "G02", "G03")
    # G02's partner is G00, than which none is more popular. G05 and G06 have no new partner.
    assert questions.skipped == {"no match for a partner": 1, "no new partner": 2}
    assert questions.older is not None
    assert len(questions.older) == questions.about["sets_before"] == 14
    assert questions.about["sets_after"] == 4
    assert (questions.about["undated"], questions.about["relations"]) == (1, 1)


def some_papers(seed: int) -> Dated:
    """Papers of up to 4 of 20 genes, now and then without a year."""
    rng = np.random.default_rng(seed)
    years = [None, *range(1995, 2004)]
    return [
        (years[rng.integers(10)], rng.choice(GENES[:20], rng.integers(5), replace=False).tolist())
        for _ in range(rng.integers(20, 60))
    ]


@settings(max_examples=60)
@given(
    made=st.integers(0, 10**6).map(some_papers),
    until=st.sampled_from([None, 2001, 2002]),
    max_size=st.integers(2, 4),
    batch=st.sampled_from([1, 5, 256]),
)
def test_against_pairs_one_by_one(
    made: Dated, until: int | None, max_size: int, batch: int
) -> None:
    ask = {"after": 2000, "until": until, "max_size": max_size, "negatives": 2}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(relations, "BATCH", batch)
        try:
            questions = new_relations(dated(made), **ask)
        except GsfmError:
            return
    before = [genes for year, genes in made if year is None or year <= 2000]
    later = [genes for year, genes in made if year and 2000 < year <= (until or 9999)]
    check(questions, before, later, made, max_size, 2)
    again = new_relations(dated(made), **ask)
    assert members(again.candidates) == members(questions.candidates)
    assert again.table.equals(questions.table)


def many(n: int = 2500) -> Dated:
    """Papers in which some genes are far more frequent than others."""
    rng = np.random.default_rng(0)
    weight = 1 / np.arange(1, 301)
    genes = np.array([f"P{i:03}" for i in range(300)])
    return [
        (
            int(rng.integers(1990, 2010)),
            rng.choice(genes, int(rng.integers(2, 6)), replace=False, p=weight / weight.sum()),
        )
        for _ in range(n)
    ]


def auroc(scores: np.ndarray, hidden: np.ndarray, others: np.ndarray) -> float:
    a, b = scores[hidden][:, None], scores[others]
    return float(((a > b) + 0.5 * (a == b)).mean())


def test_popularity_does_not_win() -> None:
    made = many()
    sets = GeneSets.from_lists([genes.tolist() for _, genes in made])
    years = pl.Series("year", [year for year, _ in made])
    sets.metadata = sets.metadata.with_columns(years)
    questions = new_relations(sets, after=2000, negatives=4)
    assert len(questions) > 150
    assert questions.older is not None
    assert questions.candidates is not None
    popularity = np.bincount(questions.older.indices, minlength=sets.n_genes)
    matched, unmatched = [], []
    for i in range(len(questions)):
        hidden = questions.hidden.ids(i)
        others = np.setdiff1d(questions.candidates.ids(i), hidden)
        matched.append(auroc(popularity, hidden, others))
        rest = np.setdiff1d(np.arange(sets.n_genes), [*hidden, *questions.shown.ids(i)])
        unmatched.append(auroc(popularity, hidden, rest))
    assert np.mean(matched) == pytest.approx(0.5, abs=0.01)
    assert np.mean(unmatched) > 0.6

    few = new_relations(sets, after=2000, negatives=4, queries=20)
    assert len(few) == 20
    assert few.table.equals(questions.table.head(20))
    # All genes in later sets are counted, whether looked at or not.
    assert few.skipped["not in the sample of 20"] > 100
    assert 20 + sum(few.skipped.values()) == len(questions) + sum(questions.skipped.values())
    other = new_relations(sets, after=2000, negatives=4, queries=20, seed=1)
    assert other.table["term"].to_list() != few.table["term"].to_list()


def test_releases() -> None:
    """Sets of two are edges; what is in the older release is not new, whatever its size."""
    vocabulary = Vocabulary(GENES)
    older = [["G00", "G10"], ["G01", "G10", "G11"], ["G02", "G11"], ["G02", "G12"], ["G03", "G12"]]
    older += [["G03", "G13"], ["G03", "G14"], ["G00", "G15"], ["G16", "G02"]]
    newer = [["G00", "G02"], ["G00", "G10"], ["G01", "G11"], ["G16", "G17", "G10"]]
    one, other = (GeneSets.from_lists(rows, vocabulary=vocabulary) for rows in (older, newer))
    questions = new_interactions(one, other, max_size=2, negatives=2)
    assert questions.protocol == "new-interactions"
    assert "G00" in questions.table["term"].to_list()
    ever: Dated = [(None, genes) for genes in [*older, *newer]]
    check(questions, older, newer, ever, 2, 2)
    assert questions.older is one
    rows = questions.table["term"].to_list()
    assert questions.hidden.genes(rows.index("G00")) == ("G02",)


def test_refuses() -> None:
    sets = dated([(1990, ["G00"]), (1991, ["G01", "G02"]), (2001, ["G00", "G01"])])
    without = GeneSets.from_lists([["G00"]], vocabulary=Vocabulary(GENES))
    with pytest.raises(GsfmError, match=r"have no years, .* column 'year'"):
        new_relations(without, after=2000)
    with pytest.raises(GsfmError, match="have no years"):
        new_relations(dated([(None, ["G00"])]), after=2000)
    with pytest.raises(GsfmError, match="no set is after 2001: the 3 sets are from 1990 to 2001"):
        new_relations(sets, after=2001)
    with pytest.raises(GsfmError, match="no set is after 1991 and up to 2000"):
        new_relations(sets, after=1991, until=2000)
    with pytest.raises(GsfmError, match="no set is from 1980 or before"):
        new_relations(sets, after=1980)
    with pytest.raises(GsfmError, match=r"no new relation: .* lower negatives"):
        new_relations(sets, after=2000)
    with pytest.raises(ValueError, match=r"until .* later than after"):
        new_relations(sets, after=2000, until=2000)
    with pytest.raises(ValueError, match="max_size must be 2 or more"):
        new_relations(sets, after=2000, max_size=1)
    with pytest.raises(ValueError, match="negatives must be even"):
        new_relations(sets, after=2000, negatives=3)
    with pytest.raises(ValueError, match="queries must be 1 or more"):
        new_relations(sets, after=2000, queries=0)
    empty = GeneSets.from_lists([[]], vocabulary=Vocabulary(GENES))
    with pytest.raises(GsfmError, match="genes of the newer release"):
        new_interactions(without, empty)
    with pytest.raises(ValueError, match="the same vocabulary"):
        new_interactions(without, GeneSets.from_lists([["G00"]]))
