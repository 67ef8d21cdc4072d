"""The benchmark's file and readers: what is timed is the same work."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from gsfm.sets import read

SCRIPT = Path(__file__).parent.parent.parent / "benchmarks" / "read_gmt.py"


def test_both_readers_read_the_same(tmp_path: Path) -> None:
    if not SCRIPT.exists():
        pytest.skip("the benchmarks are not in the source distribution")
    spec = importlib.util.spec_from_file_location("read_gmt", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    path = tmp_path / "large.gmt"
    script.make(path, 3000, 60)
    plain = script.plain(str(path))
    raw = read(path, resolve=False)
    assert raw.names == list(plain)
    assert [set(raw.genes(i)) for i in range(len(raw))] == [set(row) for row in plain.values()]
    counts = script.measure("resolved", str(path))
    assert counts["sets"] == len(plain) == 3000
    assert 0.99 * counts["members"] < sum(map(len, plain.values())) < 60 * 3000 * 1.2
    again = tmp_path / "again.gmt"
    script.make(again, 3000, 60)
    assert again.read_bytes() == path.read_bytes()
