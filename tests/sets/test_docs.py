"""The page on gene sets says what the code does."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import gsfm.sets
from gsfm.genes.columns import GENE_HEADERS
from gsfm.io import notes
from gsfm.sets import files
from gsfm.sets.formats import gsets, long, roles, tools

PAGE = Path(__file__).parent.parent.parent / "docs" / "gene-sets.md"


def test_the_examples_on_the_page() -> None:
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    result = doctest.testfile(str(PAGE), module_relative=False, optionflags=flags)
    assert result.attempted > 10
    assert result.failed == 0


def test_the_page_is_complete() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name, form in files.FORMATS.items():
        suffixes = ", ".join(f"`{suffix}`" for suffix in form.suffixes)
        row = re.search(rf"^\| `{name}` \| *{suffixes} \| (.+?) \| (.+?) \|", text, re.MULTILINE)
        assert row is not None, f"the table of formats has no row for {name}"
        columns = row[1].removesuffix(", as text")
        assert columns == ("all" if form.columns is None else ", ".join(form.columns))
        assert row[2] == ("yes" if form.member_weights else "no")
    for kind in notes.KINDS:
        assert f"| `{kind}` |" in text
    headers = (*roles.SET_HEADERS, *GENE_HEADERS, *long.WEIGHT_HEADERS)
    for header in (*headers, long.ID_HEADER, long.SET_WEIGHT_HEADER):
        assert f"`{header}`" in text
    for tensor, kind in gsets._TENSORS.items():
        assert f"| `{tensor}` | {kind} |" in text
    assert gsets.FORMAT in text


def test_the_public_face() -> None:
    assert sorted(gsfm.sets.__all__) == gsfm.sets.__all__
    for name in gsfm.sets.__all__:
        assert getattr(gsfm.sets, name).__doc__


def test_the_table_of_tools_has_the_columns_that_are_recognized() -> None:
    page = (PAGE.parent / "reading.md").read_text(encoding="utf-8")
    rows = [row for row in page.splitlines() if row.startswith("| ")]
    for tool in tools.TOOLS:
        wanted = [f"`{name}`" for name in (tool.genes, tool.sets, tool.id) if name is not None]
        found = [row for row in rows if all(name in row for name in wanted)]
        assert found, f"docs/reading.md does not have the columns of {tool.name}: {wanted}"
