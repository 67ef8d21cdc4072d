"""The pages on relations, explanations and vectors say what the code does."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

import gsfm.insight
from gsfm.insight import _discover, _embed, _prioritise, _relate
from gsfm.models import FAMILIES

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(
    "page", ["relate", "explain", "embed", "prioritise", "discover", "questions"]
)
def test_the_examples_on_the_page(page: str) -> None:
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    path = DOCS / f"{page}.md"
    result = doctest.testfile(str(path), module_relative=False, optionflags=flags)
    assert result.attempted >= 5
    assert result.failed == 0


def test_the_pages_are_complete() -> None:
    text = (DOCS / "embed.md").read_text(encoding="utf-8")
    assert all(f"`{ending}`" in text for ending in _embed.FORMATS)
    text = (DOCS / "relate.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in text for name in _relate.IN_CONTEXT)
    text = (DOCS / "prioritise.md").read_text(encoding="utf-8")
    told = set(_prioritise.COLUMNS) - {"symbol", "name"}
    assert all(f"| `{name}` |" in text for name in told)
    text = (DOCS / "discover.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name in set(_discover.COLUMNS) - {"symbol", "name"})
    assert all(f"**{kind.name}**" in text for kind in _discover.PLACES)
    assert all(kind.name in text for kind in _discover.FAMILIES)
    text = (DOCS / "explain.md").read_text(encoding="utf-8")
    assert set(FAMILIES) >= {"linear", "features", "autoencoder", "popularity", "annotation"}
    for name in ("genes", "kinds", "by-kind", "papers"):
        assert f"`{name}`" in text or f"--show {name}`" in text


def test_the_public_face() -> None:
    assert sorted(gsfm.insight.__all__) == gsfm.insight.__all__
    for name in gsfm.insight.__all__:
        assert getattr(gsfm.insight, name).__doc__
