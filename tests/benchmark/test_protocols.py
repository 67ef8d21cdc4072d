"""The questions of each protocol: by hand on small libraries, and what must hold on any."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gsfm import GsfmError
from gsfm.benchmark.protocols import (
    FULL,
    MAX_OVERLAP,
    context_switch,
    half_split,
    hold_out,
    never_seen,
    time_split,
)
from gsfm.benchmark.questions import Draws, Questions
from gsfm.genes import Vocabulary
from gsfm.sets import GeneSets

GENES = [f"G{i:02}" for i in range(40)]
BACKGROUND = Vocabulary(GENES)


def library(terms: dict[str, Sequence[str]], vocabulary: Vocabulary = BACKGROUND) -> GeneSets:
    return GeneSets.from_lists(terms, vocabulary=vocabulary)


def members(sets: GeneSets) -> list[set[str]]:
    return [set(sets.genes(i)) for i in range(len(sets))]


def check(questions: Questions, of: Callable[[int], set[str]]) -> None:
    """What must hold of every protocol; `of` gives the genes of the term of the question."""
    shown, hidden = members(questions.shown), members(questions.hidden)
    rows = slice(0, len(questions))
    for i, (some, others) in enumerate(zip(shown, hidden, strict=True)):
        assert some
        assert others
        assert not some & others
        assert some | others <= of(i)
    ranked, wanted = questions.ranked(rows), questions.wanted(rows)
    assert not (wanted & ~ranked).any()
    assert (ranked & ~wanted).any(axis=1).all()
    for sets in (questions.shown, questions.hidden, questions.candidates):
        assert sets is None or sets.validate() is None
    assert questions.shown.names == questions.table["term"].to_list()
    assert questions.table.schema["split"] == questions.table.schema["k"] == pl.Int32
    json.dumps([questions.skipped, questions.about])


def same(one: Questions, other: Questions) -> bool:
    return (
        members(one.shown) == members(other.shown)
        and members(one.hidden) == members(other.hidden)
        and one.table.equals(other.table)
    )


terms = st.dictionaries(
    st.sampled_from([f"term {i}" for i in range(12)]),
    st.lists(st.sampled_from(GENES), unique=True, max_size=30),
    max_size=8,
).filter(lambda made: any(len(genes) >= 10 for genes in made.values()))


# -- half split --------------------------------------------------------------------------------


@settings(max_examples=50)
@given(made=terms, splits=st.integers(1, 4), seed=st.integers(0, 5))
def test_half_split(made: dict[str, list[str]], splits: int, seed: int) -> None:
    questions = half_split(library(made), splits=splits, seed=seed)
    large = [name for name, genes in made.items() if len(genes) >= 10]
    assert questions.table["term"].to_list() == [name for name in large for _ in range(splits)]
    assert questions.table["split"].to_list() == list(range(1, splits + 1)) * len(large)
    assert questions.table["k"].null_count() == len(questions)
    check(questions, lambda i: set(made[questions.table["term"][i]]))
    for i, name in enumerate(questions.table["term"]):
        assert set(questions.shown.genes(i)) | set(questions.hidden.genes(i)) == set(made[name])
        assert len(questions.shown.genes(i)) == len(made[name]) // 2
    empty = sum(not genes for genes in made.values())
    few = len(made) - len(large) - empty
    assert questions.skipped == {
        reason: n
        for reason, n in (
            ("no gene of the background", empty),
            ("fewer than 10 genes of the background", few),
        )
        if n
    }
    assert questions.about["terms"] == len(large)
    assert same(questions, half_split(library(made), splits=splits, seed=seed))


@settings(max_examples=30)
@given(made=terms, data=st.data())
def test_halves_do_not_depend_on_other_terms_or_genes(
    made: dict[str, list[str]], data: st.DataObject
) -> None:
    whole = half_split(library(made))
    halves = dict(
        zip(whole.table.select("term", "split").rows(), members(whole.shown), strict=True)
    )
    # Only some of the terms, in another order, over a background in another order.
    terms = sorted({name for name, _ in halves})
    some = data.draw(st.lists(st.sampled_from(terms), unique=True, min_size=1))
    background = Vocabulary([*data.draw(st.permutations(GENES)), "another"])
    part = half_split(library({name: made[name] for name in some}, background))
    for key, shown in zip(
        part.table.select("term", "split").rows(), members(part.shown), strict=True
    ):
        assert shown == halves[key]
    # A gene more moves at most one of the others.
    name = some[0]
    more = half_split(library({name: [*made[name], "another"]}, background))
    for key, shown in zip(
        more.table.select("term", "split").rows(), members(more.shown), strict=True
    ):
        assert len((shown ^ halves[key]) - {"another"}) <= 1


def test_halves_are_random() -> None:
    """Each gene is shown in half of the splits, each pair in a bit less than a quarter."""
    questions = half_split(library({"a": GENES[:10], "b": GENES[:10]}), splits=1000)
    shown = questions.shown.to_csr().toarray()[:, :10].reshape(2, 1000, 10)
    together = np.einsum("tsi,tsj->tij", shown, shown) / 1000
    expected = np.where(np.eye(10, dtype=bool), 0.5, 0.5 * 4 / 9)
    # Six standard deviations of a share of 1000.
    assert np.abs(together - expected).max() < 6 * 0.5 / 1000**0.5
    # The halves of one term say nothing of those of the other.
    assert abs((shown[0] * shown[1]).mean() - 0.25) < 0.02
    other = half_split(library({"a": GENES[:10]}), splits=1000, seed=1)
    assert abs((shown[0] * other.shown.to_csr().toarray()[:, :10]).mean() - 0.25) < 0.02


def test_halves_are_those_of_the_definition() -> None:
    """By Python's integers: whatever the machine and the libraries, a seed means the same."""

    def number(*what: object) -> int:
        text = "\0".join(str(one) for one in (7, *what))
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")

    def mixed(z: int) -> int:
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ z >> 27) * 0x94D049BB133111EB % 2**64
        return z ^ z >> 31

    questions = half_split(library({"term": GENES[3:16]}), splits=3, seed=7)
    for i in range(3):
        order = sorted(GENES[3:16], key=lambda gene: mixed(number(gene) ^ number("term", i + 1)))
        assert set(questions.shown.genes(i)) == set(order[:6])


def test_a_sample_of_terms() -> None:
    made = {f"term {i}": GENES[i : i + 10] for i in range(20)} | {"small": GENES[:3]}
    whole = half_split(library(made), splits=2)
    few, more = (half_split(library(made), splits=2, terms=n) for n in (4, 9))
    names = [set(questions.table["term"]) for questions in (few, more, whole)]
    assert [len(one) for one in names] == [4, 9, 20]
    assert names[0] < names[1] < names[2]
    assert few.skipped == {
        "fewer than 10 genes of the background": 1,
        "not in the sample of 4": 16,
    }
    assert few.about["terms"] == 4
    rows = [i for i, name in enumerate(whole.table["term"]) if name in names[0]]
    assert members(few.shown) == members(whole.shown[rows])
    assert names[0] != set(half_split(library(made), terms=4, seed=1).table["term"])
    assert same(whole, half_split(library(made), splits=2, terms=100))


@settings(max_examples=50)
@given(
    made=terms,
    noise=st.sampled_from([0.01, 0.1, 0.2, 0.25, 0.4]),
    splits=st.integers(1, 3),
    seed=st.integers(0, 5),
)
def test_noise(made: dict[str, list[str]], noise: float, splits: int, seed: int) -> None:
    background = Vocabulary([*GENES, *(f"H{i:02}" for i in range(20))])
    sets = library(made, background)
    clean = half_split(sets, splits=splits, seed=seed)
    noisy = half_split(sets, splits=splits, seed=seed, noise=noise)
    more = half_split(sets, splits=splits, seed=seed, noise=noise + 0.05)
    assert noisy.table.drop("wrong").equals(clean.table)
    assert noisy.skipped == clean.skipped
    assert members(noisy.hidden) == members(clean.hidden)
    share = Fraction(noise).limit_denominator(100)
    for i, term in enumerate(clean.table["term"]):
        true, shown = set(clean.shown.genes(i)), set(noisy.shown.genes(i))
        assert true <= shown <= set(more.shown.genes(i))
        wrong = shown - true
        assert not wrong & set(made[term])
        # As near to the share as a whole number of genes can come.
        assert abs(len(wrong) - len(true) * share / (1 - share)) <= Fraction(1, 2)
        assert noisy.table["wrong"][i] == len(wrong)
        assert not noisy.ranked(slice(i, i + 1))[0, background.ids(list(shown))].any()
    added = {"noise": noise, "genes_wrong": noisy.table["wrong"].sum()}
    assert noisy.about == clean.about | added
    check(noisy, lambda i: {*background})
    assert same(noisy, half_split(sets, splits=splits, seed=seed, noise=noise))
    assert same(clean, half_split(sets, splits=splits, seed=seed, noise=0))


def test_noise_by_hand() -> None:
    made = library({"ten": GENES[:10], "twenty": GENES[:20], "most": GENES[:36]})
    questions = half_split(made, splits=1, noise=0.2)
    # A fifth of what is shown: 1 beside 5, not 1.25; 3 beside 10, not 2.5; no room for 5 beside 18.
    assert questions.table.rows() == [("ten", 1, None, 1), ("twenty", 1, None, 3)]
    assert questions.table.columns == ["term", "split", "k", "wrong"]
    assert questions.shown.sizes.tolist() == [6, 13]
    assert questions.hidden.sizes.tolist() == [5, 10]
    assert questions.about["genes_wrong"] == 4
    assert questions.skipped == {FULL: 1}
    assert half_split(made, splits=1, noise=0.05).shown.sizes.tolist() == [5, 11, 19]
    with pytest.raises(GsfmError, match=r"with their noise .* 40 genes.* or less noise"):
        half_split(made, noise=0.99)
    for noise in (-0.1, 1.0, float("nan")):
        with pytest.raises(ValueError, match="noise must be 0 or more and below 1"):
            half_split(made, noise=noise)


def test_wrong_genes_are_random() -> None:
    """Each gene outside the term is as often wrong as any other, whatever the term and the half."""
    made = library({"a": GENES[:20], "b": GENES[:20]})
    questions = half_split(made, splits=1000, noise=1 / 3)
    shown = questions.shown.to_csr().toarray().reshape(2, 1000, 40)
    assert (shown[:, :, 20:].sum(axis=2) == 5).all()
    # Six standard deviations of a share of 1000.
    assert np.abs(shown[:, :, 20:].mean(axis=1) - 0.25).max() < 6 * (0.25 * 0.75 / 1000) ** 0.5
    # The wrong genes of one term say nothing of those of the other, nor of the half shown.
    assert abs((shown[0, :, 20:] * shown[1, :, 20:]).mean() - 0.25**2) < 0.01
    assert abs(np.einsum("si,sj->ij", shown[0, :, :20], shown[0, :, 20:]) / 1000 - 0.125).max() < (
        6 * (0.125 * 0.875 / 1000) ** 0.5
    )
    other = half_split(made, splits=1000, noise=1 / 3, seed=1).shown.to_csr().toarray()
    assert abs((shown[0, :, 20:] * other[:1000, 20:]).mean() - 0.25**2) < 0.01


def test_wrong_genes_do_not_depend_on_other_terms_nor_on_the_order_of_the_background() -> None:
    made = {"a": GENES[:20], "b": GENES[5:30]}
    both = half_split(library(made), splits=3, noise=0.2)
    alone = half_split(library({"b": GENES[5:30]}, Vocabulary(GENES[::-1])), splits=3, noise=0.2)
    assert members(alone.shown) == members(both.shown)[3:]
    # A gene more in the background takes the place of one wrong gene at most.
    larger = half_split(library(made, Vocabulary([*GENES, "another"])), splits=3, noise=0.2)
    for one, other in zip(members(both.shown), members(larger.shown), strict=True):
        assert other - one <= {"another"}


@given(data=st.data(), n=st.integers(0, 50))
def test_first_is_the_start_of_the_shuffle(data: st.DataObject, n: int) -> None:
    draws = Draws(GENES, seed=3)
    items = np.array(data.draw(st.lists(st.integers(0, 39), unique=True)), np.int64)
    assert draws.first(n, items, "a", 1).tolist() == draws.shuffle(items, "a", 1)[:n].tolist()


# -- hold out ----------------------------------------------------------------------------------


@settings(max_examples=50)
@given(made=terms, seed=st.integers(0, 5))
def test_hold_out(made: dict[str, list[str]], seed: int) -> None:
    ks = (10, 3, 5, 3)
    questions = hold_out(library(made), shown=ks, splits=2, seed=seed)
    expected = [
        (name, split, k, len(genes) >= 15)
        for name, genes in made.items()
        for split in (1, 2)
        for k in (3, 5, 10)
        if len(genes) >= k + 5
    ]
    assert questions.table.rows() == expected
    assert questions.table.columns == ["term", "split", "k", "every_k"]
    check(questions, lambda i: set(made[questions.table["term"][i]]))
    nested: dict[tuple[str, int], set[str]] = {}
    for i, (name, split, k, _) in enumerate(expected):
        shown, hidden = set(questions.shown.genes(i)), set(questions.hidden.genes(i))
        assert len(shown) == k
        assert shown | hidden == set(made[name])
        assert nested.get((name, split), set()) < shown
        nested[name, split] = shown
    counts = {str(k): sum(len(genes) >= k + 5 for genes in made.values()) for k in (3, 5, 10)}
    assert questions.about["terms_of"] == counts
    assert questions.about["terms"] == counts["3"]


def test_hold_out_and_half_split_draw_the_same_orders() -> None:
    sets = library({"term": GENES[:12]})
    held, halved = hold_out(sets, shown=(3, 5, 6), splits=2), half_split(sets, splits=2)
    for split in (1, 2):
        rows = held.table.with_row_index().filter(split=split, k=6)["index"].to_list()
        assert members(held.shown[rows]) == members(halved.shown[[split - 1]])


# -- time split --------------------------------------------------------------------------------


def test_time_split_by_hand() -> None:
    older = library(
        {
            "Small_Homo sapiens_hsa00001": GENES[:4],
            "Grown_Homo sapiens_hsa00002": GENES[:7],
            "Same_Homo sapiens_hsa00003": GENES[10:20],
            "Gone_Homo sapiens_hsa00004": GENES[30:36],
            "Whole_Homo sapiens_hsa00005": GENES[:20],
        }
    )
    newer = library(
        {
            "Whole": GENES,
            "Same": GENES[10:21],
            "New": GENES[22:34],
            "Grown": [*GENES[1:6], *GENES[30:36]],
            "Small": GENES[:30],
        }
    )
    questions = time_split(older, newer)
    assert questions.protocol == "time-split"
    assert questions.table.rows() == [("Grown", 1, None, "Grown_Homo sapiens_hsa00002", "name", 2)]
    assert members(questions.shown) == [set(GENES[:7])]
    assert members(questions.hidden) == [set(GENES[30:36])]
    assert questions.candidates is None
    assert questions.older is older
    assert questions.skipped == {
        "only in the older release": 1,
        "only in the newer release": 1,
        "fewer than 5 genes of the background in the older release": 1,
        "fewer than 5 genes added": 1,
        "all genes of the background": 1,
    }
    about = {"smallest": 5, "smallest_hidden": 5, "seed": 0, "terms": 1}
    counts = {"genes_shown": 7, "genes_dropped": 2, "genes_hidden": 6}
    paired = {"paired_by": {"identifier": 0, "name": 4, "content": 0}}
    assert questions.about == about | counts | paired
    check(questions, lambda i: set(GENES))

    two = time_split(older, newer, smallest=4, smallest_hidden=1)
    assert two.table["term"].to_list() == ["Same", "Grown", "Small"]
    assert two.hidden.genes(0) == ("G20",)
    sample = time_split(older, newer, smallest=4, smallest_hidden=1, terms=2)
    assert set(sample.table["term"]) < {"Same", "Grown", "Small"}
    assert len(sample) == 2
    assert sample.skipped["not in the sample of 2"] == 1


@settings(max_examples=50)
@given(before=terms, after=terms)
def test_time_split(before: dict[str, list[str]], after: dict[str, list[str]]) -> None:
    older, newer = library(before), library(after)
    try:
        questions = time_split(older, newer, smallest=2, smallest_hidden=2)
    except GsfmError:
        assert not any(
            name in before
            and len(before[name]) >= 2
            and len({*genes} - {*before[name]}) >= 2
            and len({*genes} | {*before[name]}) < len(GENES)
            for name, genes in after.items()
        )
        return
    for i, row in enumerate(questions.table.iter_rows(named=True)):
        old, new = set(before[row["older_term"]]), set(after[row["term"]])
        assert set(questions.shown.genes(i)) == old
        assert set(questions.hidden.genes(i)) == new - old
        assert row["dropped"] == len(old - new)
    check(questions, lambda i: set(GENES))
    pairs = len(questions) + sum(questions.skipped.values())
    assert pairs == len(before) + len(after) - sum(questions.about["paired_by"].values())  # type: ignore[attr-defined]


# -- never seen --------------------------------------------------------------------------------


def test_never_seen_by_hand() -> None:
    older = library({"one (GO:0000001)": GENES[:8], "two (GO:0000002)": GENES[8:20]})
    newer = library(
        {
            "New (GO:0000003)": GENES[10:20],
            "New and small (GO:0000004)": GENES[:6],
            "Uno (GO:0000001)": GENES[:12],
            "Other (GO:0000005)": GENES[15:35],
        }
    )
    questions = never_seen(older, newer, splits=2)
    assert questions.protocol == "never-seen"
    assert questions.older is older
    assert questions.table.select("term", "split").rows() == [
        ("New (GO:0000003)", 1),
        ("New (GO:0000003)", 2),
        ("Other (GO:0000005)", 1),
        ("Other (GO:0000005)", 2),
    ]
    # 10 of the 12 genes of the second; 5 shared of 12 + 20 - 5.
    jaccard = questions.table["older_jaccard"].to_list()
    assert jaccard == pytest.approx([10 / 12, 10 / 12, 5 / 27, 5 / 27])
    assert questions.skipped == {
        "in the older release too": 1,
        "fewer than 10 genes of the background": 1,
    }
    halves = half_split(newer, splits=2)
    rows = [
        i for i, name in enumerate(halves.table["term"]) if name in set(questions.table["term"])
    ]
    assert members(questions.shown) == members(halves.shown[rows])
    check(questions, lambda i: set(GENES))


# -- context switch ----------------------------------------------------------------------------


def auroc(scores: dict[str, int], hidden: set[str], others: set[str]) -> Fraction:
    won = sum(
        2 * (scores[a] > scores[b]) + (scores[a] == scores[b]) for a in hidden for b in others
    )
    return Fraction(won, 2 * len(hidden) * len(others))


def overlapping() -> dict[str, list[str]]:
    """Terms over 300 genes, of which some share one gene, some many, and some are nested."""
    rng = np.random.default_rng(0)
    genes = [f"G{i:03}" for i in range(300)]
    made = {}
    for i in range(25):
        start = int(rng.integers(0, 280))
        size = int(rng.integers(8, 30))
        made[f"window {i}"] = [genes[(start + j) % 300] for j in range(size)]
        made[f"random {i}"] = rng.choice(genes, int(rng.integers(8, 40)), replace=False).tolist()
    made["window 0, again"] = made["window 0"]
    return made


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("context_genes", "smallest"), [(5, 5), (1, 7), (3, 1)])
def test_context_switch(seed: int, context_genes: int, smallest: int) -> None:
    made = overlapping()
    sets = GeneSets.from_lists(made)
    questions = context_switch(
        sets, context_genes=context_genes, smallest=smallest, pairs=400, seed=seed
    )
    assert len(questions) == 800
    assert questions.candidates is not None
    shown, hidden = members(questions.shown), members(questions.hidden)
    candidates = members(questions.candidates)
    rng = np.random.default_rng(seed)
    scores = {gene: int(rng.integers(0, 9)) for gene in sets.vocabulary}
    table = questions.table.rows(named=True)
    for i in range(0, 800, 2):
        one, two = table[i], table[i + 1]
        a, b = set(made[one["context"]]), set(made[one["other"]])
        assert (two["context"], two["other"]) == (one["other"], one["context"])
        assert one["term"] == two["term"]
        assert one["term"] == f"{one['gene']}: {one['context']} / {one['other']}"
        assert (one["split"], two["split"]) == (1, 2)
        # Unrelated terms of one gene.
        assert one["gene"] in a & b
        assert len(a & b) <= MAX_OVERLAP * min(len(a), len(b))
        # The gene and its context genes, of either term alone.
        assert len(shown[i]) == len(shown[i + 1]) == 1 + context_genes
        assert shown[i] - {one["gene"]} <= a - b
        assert shown[i + 1] - {one["gene"]} <= b - a
        # The same candidates, half of them of either term alone, none of them shown to either.
        assert candidates[i] == candidates[i + 1] == hidden[i] | hidden[i + 1]
        assert hidden[i] <= a - b
        assert hidden[i + 1] <= b - a
        assert len(hidden[i]) == len(hidden[i + 1]) >= smallest
        assert len(hidden[i]) == min(len(a - b), len(b - a)) - context_genes
        assert not candidates[i] & (shown[i] | shown[i + 1])
        # So a ranking that ignores the context gets one half.
        first = auroc(scores, hidden[i], candidates[i] - hidden[i])
        second = auroc(scores, hidden[i + 1], candidates[i + 1] - hidden[i + 1])
        assert first + second == 1
    check(questions, lambda i: set(sets.vocabulary))
    again = context_switch(
        sets, context_genes=context_genes, smallest=smallest, pairs=400, seed=seed
    )
    assert same(questions, again)


def test_context_switch_finds_every_triple_once() -> None:
    made = overlapping()
    names = list(made)
    expected = set()
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            a, b = set(made[one]), set(made[other])
            few = len(a & b) <= MAX_OVERLAP * min(len(a), len(b))
            if few and min(len(a - b), len(b - a)) >= 10:
                expected |= {(gene, frozenset([one, other])) for gene in a & b}
    questions = context_switch(GeneSets.from_lists(made), pairs=10**6)
    found = [
        (gene, frozenset([one, other]))
        for gene, one, other in questions.table.select("gene", "context", "other").rows()[::2]
    ]
    assert len(found) == len(set(found)) == questions.about["pairs"]
    assert set(found) == expected
    # Every gene comes before any comes again.
    n = len({gene for gene, _ in expected})
    few = context_switch(GeneSets.from_lists(made), pairs=n)
    assert few.about["genes"] == few.about["pairs"] == n


# -- what is refused ---------------------------------------------------------------------------


def test_refuses_libraries() -> None:
    nothing = library({"one": [], "two": []})
    small = library({"one": GENES[:4], "two": GENES[4:9]})
    whole = library({"one": GENES})
    for ask in (half_split, hold_out, context_switch):
        with pytest.raises(GsfmError, match=r"none of the genes of the library .*resolved"):
            ask(nothing)
        with pytest.raises(
            GsfmError, match=r"no term .* has (10|8|11) genes .* largest of 2 has 5"
        ):
            ask(small)
    for ask in (half_split, hold_out):
        with pytest.raises(GsfmError, match="whole background of 40 genes"):
            ask(whole)
    with pytest.raises(GsfmError, match="no gene is in two unrelated terms"):
        context_switch(library({"one": GENES[:20], "two": GENES[20:]}))
    with pytest.raises(GsfmError, match="no gene is in two unrelated terms"):
        context_switch(library({"one": GENES[:20], "two": GENES[:20]}))


def test_refuses_releases() -> None:
    nothing = library({"one": []})
    small = library({"one": GENES[:5], "two": GENES[4:9]})
    for ask in (time_split, never_seen):
        with pytest.raises(GsfmError, match="older release"):
            ask(nothing, small)
        with pytest.raises(GsfmError, match="newer release"):
            ask(small, nothing)
        with pytest.raises(ValueError, match="the same vocabulary"):
            ask(small, library({"one": GENES}, Vocabulary([*GENES, "another"])))
    with pytest.raises(GsfmError, match=r"time split is empty: 2 terms .* gained is 0"):
        time_split(small, small)
    with pytest.raises(GsfmError, match="no term is new: all 2 terms"):
        never_seen(small, small)
    with pytest.raises(GsfmError, match="no term of the library has 10 genes"):
        never_seen(small, library({"three": GENES[20:29]}))


@pytest.mark.parametrize("name", ["splits", "smallest", "terms"])
def test_refuses_settings(name: str) -> None:
    sets = library({"one": GENES[:20]})
    for ask in (half_split, hold_out):
        with pytest.raises(ValueError, match=f"{name} must be 1 or more, not 0"):
            ask(sets, **{name: 0})
    for shown in ((), (0, 3)):
        with pytest.raises(ValueError, match="shown must be"):
            hold_out(sets, shown=shown)
    with pytest.raises(ValueError, match="smallest_hidden must be 1 or more"):
        time_split(sets, sets, smallest_hidden=0)
    for setting in ("context_genes", "pairs", "smallest"):
        with pytest.raises(ValueError, match=f"{setting} must be 1 or more"):
            context_switch(sets, **{setting: 0})
