"""docs/annotate.md: its examples run, and it names every column."""

from __future__ import annotations

import doctest
from pathlib import Path

from gsfm.analysis.annotation import GENE_COLUMNS, SET_COLUMNS, SIZE_WEIGHT

PAGE = Path(__file__).parents[2] / "docs" / "annotate.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_examples():
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    result = doctest.testfile(str(PAGE), module_relative=False, optionflags=flags)
    assert result.attempted > 6
    assert result.failed == 0


def test_every_column_is_explained():
    for name in GENE_COLUMNS.keys() - {"library", "id", "term"}:
        assert f"| `{name}` |" in TEXT
    for name in SET_COLUMNS.keys() - GENE_COLUMNS.keys():
        assert f"- **{name}**" in TEXT or f"**{name}**" in TEXT
    assert f"**{SIZE_WEIGHT}**" in TEXT
