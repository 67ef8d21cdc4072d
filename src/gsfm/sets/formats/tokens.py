"""Dictionary encoding of the words of a text: bytes to small integers, without a string for each.

A word of up to eight bytes is its own 64-bit key; a longer word is hashed to a 64-bit key. The keys
of all words of a block are looked up at once in an open-addressing hash table. The result is exact:
words found by a hash are compared byte by byte.
"""

from __future__ import annotations

import secrets

import numpy as np
from numpy.typing import NDArray

from gsfm.sets.csr import Int32s, Int64s

Keys = NDArray[np.uint64]

#: Zero bytes after a text, so that every word can be read in steps of eight bytes.
PADDING = bytes(8)

#: Random, so that no file can be made whose words all begin at one slot of the table.
_GOLD = np.uint64(secrets.randbits(64) | 1)
_MIX = np.uint64(0xD6E8FEB86659FD93)
_32 = np.uint64(32)


def _eights(padded: bytes | bytearray) -> Keys:
    """View a text as the eight bytes from each position on, without a copy."""
    return np.ndarray((len(padded) - len(PADDING) + 1,), "<u8", padded, strides=(1,))


def _word(text: Keys, starts: Int64s, lengths: Int64s, step: int) -> Keys:
    """Bytes ``8 * step`` to ``8 * step + 8`` of each word, without those after its end."""
    follow = np.minimum(lengths - 8 * step, 8) if step else np.minimum(lengths, 8)
    follow *= -8
    follow += 64
    words = text[starts + 8 * step] if step else text[starts]
    words <<= follow.view(np.uint64)
    return words


def keys_of(padded: bytes, starts: Int64s, lengths: Int64s) -> Keys:
    """(n,) keys: the bytes of words of up to eight bytes, and a hash of longer words."""
    text = _eights(padded)
    keys = _word(text, starts, lengths, 0)
    long = every = np.flatnonzero(lengths > 8)
    step = 1
    while len(long):
        mixed = keys[long]
        mixed ^= mixed >> _32
        mixed *= _MIX
        keys[long] = mixed ^ _word(text, starts[long], lengths[long], step)
        step += 1
        long = long[lengths[long] > 8 * step]
    # The highest byte of the key of a short word is its last byte, which is not zero. With a zero
    # there, a hash is never the key of a short word.
    keys[every] >>= np.uint64(8)
    return keys


class Encoder:
    """Words and their ids, in the order of their first appearance.

    Examples
    --------
    >>> encoder = Encoder()
    >>> text = b"TP53 EGFR TP53"
    >>> ids = encoder.encode(text + PADDING, np.array([0, 5, 10]), np.array([4, 4, 4]))
    >>> ids.tolist(), encoder.words
    ([0, 1, 0], [b'TP53', b'EGFR'])
    """

    def __init__(self) -> None:
        self.words: list[bytes] = []
        self._ids: dict[bytes, int] = {}
        # The same words, one after another, for comparison.
        self._store = bytearray(PADDING)
        self._starts: Int64s = np.empty(0, np.int64)
        self._lengths: Int64s = np.empty(0, np.int64)
        self._clear(1 << 14)

    def encode(
        self, padded: bytes, starts: Int64s, lengths: Int64s, keys: Keys | None = None
    ) -> Int32s:
        """(n,) ids of the words at `starts`, none of which is empty; new words get new ids.

        `padded` is the text, which has no zero byte, and `PADDING`; `keys` is their `keys_of`.
        """
        text = _eights(padded)
        if keys is None:
            keys = keys_of(padded, starts, lengths)
        ids = self._find(keys)
        new = np.flatnonzero(ids < 0)
        if len(new):
            distinct, first, inverse = np.unique(keys[new], return_index=True, return_inverse=True)
            # In the order of their appearance, not of their keys.
            order = np.argsort(first)
            rows = new[first[order]]
            new_ids = np.empty(len(order), np.int32)
            new_ids[order] = self._learn(padded, starts[rows], lengths[rows])
            self._insert(distinct, new_ids)
            ids[new] = new_ids[inverse]
        # Equal keys of long words are equal hashes: compare the words.
        wrong = self._different(text, starts, lengths, ids)
        if len(wrong):
            ids[wrong] = self._learn(padded, starts[wrong], lengths[wrong])
        return ids

    def _learn(self, text: bytes, starts: Int64s, lengths: Int64s) -> Int32s:
        """Ids of some words, by a dictionary: slow, but exact."""
        ids, words = self._ids, self.words
        known = len(words)
        result = np.empty(len(starts), np.int32)
        spans = zip(starts.tolist(), (starts + lengths).tolist(), strict=True)
        for i, (start, stop) in enumerate(spans):
            word = text[start:stop]
            result[i] = found = ids.setdefault(word, len(words))
            if found == len(words):
                words.append(word)
        sizes = np.array([len(word) for word in words[known:]], np.int64)
        end = len(self._store) - len(PADDING)
        self._store[end:] = b"".join(words[known:]) + PADDING
        self._starts = np.append(self._starts, end + np.cumsum(sizes) - sizes)
        self._lengths = np.append(self._lengths, sizes)
        return result

    def _different(self, text: Keys, starts: Int64s, lengths: Int64s, ids: Int32s) -> Int64s:
        """Positions of the long words that are not the word of their id."""
        long: Int64s = np.flatnonzero(lengths > 8)
        if not len(long):
            return long
        ids, starts, lengths = ids[long], starts[long], lengths[long]
        wrong = self._lengths[ids] != lengths
        known = _eights(self._store)
        left = np.flatnonzero(~wrong)
        step = 0
        while len(left):
            mine = _word(text, starts[left], lengths[left], step)
            wrong[left] = mine != _word(known, self._starts[ids[left]], lengths[left], step)
            step += 1
            left = left[~wrong[left] & (lengths[left] > 8 * step)]
        different: Int64s = long[wrong]
        return different

    # -- the hash table ------------------------------------------------------------------------

    def _clear(self, size: int) -> None:
        """A table of `size` free slots, a power of two; the id of a free slot is -1."""
        self._slot_keys: Keys = np.zeros(size, np.uint64)
        self._slot_ids: Int32s = np.full(size, -1, np.int32)
        self._shift = np.uint64(65 - size.bit_length())
        self._used = 0

    def _slots(self, keys: Keys) -> Int64s:
        """The first slot for each key."""
        slots = keys * _GOLD
        slots >>= self._shift
        at: Int64s = slots.view(np.int64)
        return at

    def _find(self, keys: Keys) -> Int32s:
        """The id of each key, -1 where it is not in the table."""
        slots = self._slots(keys)
        ids: Int32s = self._slot_ids[slots]
        left = np.flatnonzero(self._slot_keys[slots] != keys)
        # Continue with the next slot while this one has another key.
        left = left[ids[left] >= 0]
        at = slots[left]
        while len(left):
            at = (at + 1) & (len(self._slot_keys) - 1)
            ids[left] = self._slot_ids[at]
            wrong = (self._slot_keys[at] != keys[left]) & (ids[left] >= 0)
            left, at = left[wrong], at[wrong]
        return ids

    def _insert(self, keys: Keys, ids: Int32s) -> None:
        """Add distinct keys that are not in the table."""
        if 4 * (self._used + len(keys)) > len(self._slot_keys):
            taken = self._slot_ids >= 0
            keys = np.concatenate([self._slot_keys[taken], keys])
            ids = np.concatenate([self._slot_ids[taken], ids])
            self._clear(1 << (8 * len(keys)).bit_length())
        self._used += len(keys)
        at = self._slots(keys)
        while len(keys):
            free = self._slot_ids[at] < 0
            # Of several keys for one free slot, the last one written gets it. Compare the keys to
            # know which: two keys may have the same id if their hashes are equal.
            self._slot_keys[at[free]] = keys[free]
            won = free & (self._slot_keys[at] == keys)
            self._slot_ids[at[won]] = ids[won]
            keys, ids, at = keys[~won], ids[~won], at[~won]
            at = (at + 1) & (len(self._slot_keys) - 1)
