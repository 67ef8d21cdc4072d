"""The pages on relations, explanations and vectors say what the code does."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

import gsfm.analysis
from gsfm.analysis import embedding, prioritization, relations
from gsfm.analysis.discover import members
from gsfm.models import FAMILIES

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(
    "page", ["relate", "explain", "embed", "prioritize", "discover", "questions"]
)
def test_the_examples_on_the_page(page: str) -> None:
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    path = DOCS / f"{page}.md"
    result = doctest.testfile(str(path), module_relative=False, optionflags=flags)
    assert result.attempted >= 5
    assert result.failed == 0


def test_the_pages_are_complete() -> None:
    text = (DOCS / "embed.md").read_text(encoding="utf-8")
    assert all(f"`{ending}`" in text for ending in embedding.FORMATS)
    text = (DOCS / "relate.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in text for name in relations.IN_CONTEXT)
    text = (DOCS / "prioritize.md").read_text(encoding="utf-8")
    columns = set(prioritization.COLUMNS) - {"symbol", "name"}
    assert all(f"| `{name}` |" in text for name in columns)
    text = (DOCS / "discover.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name in set(members.COLUMNS) - {"symbol", "name"})
    assert all(f"**{kind.name}**" in text for kind in members.PLACES)
    assert all(kind.name in text for kind in members.FAMILIES)
    text = (DOCS / "explain.md").read_text(encoding="utf-8")
    assert set(FAMILIES) >= {"linear", "features", "autoencoder", "popularity", "annotation"}
    for name in ("genes", "kinds", "by-kind", "papers"):
        assert f"`{name}`" in text or f"--show {name}`" in text


def test_the_public_face() -> None:
    assert sorted(gsfm.analysis.__all__) == gsfm.analysis.__all__
    for name in gsfm.analysis.__all__:
        assert getattr(gsfm.analysis, name).__doc__
