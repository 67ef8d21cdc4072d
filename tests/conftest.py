"""What all tests share."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import pytest
from hypothesis import settings

from gsfm.io import child

# How long an example takes says more about the machine than about the code.
settings.register_profile("gsfm", deadline=None)
settings.load_profile("gsfm")


def damage(data: bytes, times: int, seed: int) -> Iterator[bytes]:
    """Yield `data` with bytes that are flipped, cut, repeated or inserted; the same each time."""
    draw = random.Random(seed)
    for _ in range(times):
        changed = bytearray(data)
        for _ in range(draw.choice((1, 1, 1, 2, 8))):
            at = draw.randrange(len(changed) + 1)
            stop = min(len(changed), at + draw.choice((1, 2, 8, 64)))
            kind = draw.randrange(5)
            if kind == 0 and at < len(changed):
                changed[at] ^= 1 << draw.randrange(8)
            elif kind == 1:
                del changed[at:stop]
            elif kind == 2:
                changed[at:at] = changed[at:stop] * draw.choice((1, 2, 50))
            elif kind == 3:
                changed[at:at] = draw.randbytes(draw.choice((1, 4, 16)))
            else:
                changed[at:stop] = draw.choice(
                    (b"\0", b"\xff", b"-1", b"9" * 400, b"[" * 99, b"\n")
                )
        yield bytes(changed)


@pytest.fixture(scope="module")
def in_this_process() -> Iterator[None]:
    """Parquet and workbooks are read in this process: a child for each would take a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(child, "_answer", lambda job, held: child.work(job))
        yield


@pytest.fixture(name="damage", scope="session")
def damage_fixture() -> Callable[[bytes, int, int], Iterator[bytes]]:
    return damage
