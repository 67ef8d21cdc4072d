"""Words of bytes to ids, against a dict; and hashes that collide."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gsfm.sets.formats import tokens
from gsfm.sets.formats.parallel import in_order
from gsfm.sets.formats.tokens import PADDING, Encoder

#: Words of all lengths around the steps of eight bytes, many of them alike.
words = st.one_of(
    st.binary(min_size=1, max_size=40),
    st.text("AB", min_size=1, max_size=26).map(str.encode),
    st.sampled_from([b"A" * n for n in (7, 8, 9, 15, 16, 17, 24, 25, 1000)]),
).filter(lambda word: b"\0" not in word)


def encode(encoder: Encoder, rows: list[bytes]) -> list[int]:
    text = b"\t".join(rows)
    lengths = np.array([len(row) for row in rows], np.int64)
    starts = np.cumsum(lengths + 1) - lengths - 1
    return encoder.encode(text + PADDING, starts, lengths).tolist()


def check(encoder: Encoder, blocks: list[list[bytes]]) -> None:
    known: dict[bytes, int] = {}
    for rows in blocks:
        found = encode(encoder, rows)
        for row, given_id in zip(rows, found, strict=True):
            assert known.setdefault(row, given_id) == given_id
    assert encoder.words == sorted(known, key=known.__getitem__)
    assert sorted(known.values()) == list(range(len(known)))


blocks = st.lists(st.lists(words, max_size=30), max_size=4)


@given(blocks=blocks)
def test_against_a_dict(blocks: list[list[bytes]]) -> None:
    check(Encoder(), blocks)


@pytest.mark.parametrize("mix", [0, 1])
@given(blocks=blocks)
def test_with_a_hash_that_is_no_good(mix: int, blocks: list[list[bytes]]) -> None:
    """Long words of equal keys, and keys that all want the same slot: slower, never wrong."""
    with pytest.MonkeyPatch.context() as patch:
        if mix:
            patch.setattr(tokens, "_GOLD", np.uint64(0))
        else:
            patch.setattr(tokens, "_MIX", np.uint64(0))
        check(Encoder(), blocks)


@settings(max_examples=30)
@given(blocks=blocks)
def test_with_one_key_for_all_long_words(blocks: list[list[bytes]]) -> None:
    real = tokens.keys_of

    def keys(padded, starts, lengths):  # type: ignore[no-untyped-def]
        found = real(padded, starts, lengths)
        found[lengths > 8] = 0  # the key of a free slot, too
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokens, "keys_of", keys)
        check(Encoder(), blocks)


def test_the_table_grows() -> None:
    rows = [b"WORD%d" % i for i in range(100_000)]
    encoder = Encoder()
    assert encode(encoder, rows) == list(range(100_000))
    assert encode(encoder, rows[::-1]) == list(range(100_000))[::-1]
    assert encoder.words == rows


# -- work in order -----------------------------------------------------------------------------


@pytest.mark.parametrize("cores", [1, 2, 8])
def test_in_order(cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    assert list(in_order(lambda i: i * i, range(50))) == [i * i for i in range(50)]


def test_in_order_runs_few_ahead_and_passes_errors_on() -> None:
    taken = []

    def items():  # type: ignore[no-untyped-def]
        for i in range(100):
            taken.append(i)
            yield i

    def work(i: int) -> int:
        if i == 5:
            raise ValueError("five")
        return i

    results = in_order(work, items())
    assert [next(results) for _ in range(5)] == [0, 1, 2, 3, 4]
    assert len(taken) < 10
    with pytest.raises(ValueError, match="five"):
        next(results)
