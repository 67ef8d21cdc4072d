"""docs/libraries.md: its examples run, and its numbers are those of the libraries."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

from gsfm import libraries
from gsfm.libraries import remote

PAGE = Path(__file__).parents[2] / "docs" / "libraries.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_examples():
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    result = doctest.testfile(str(PAGE), module_relative=False, optionflags=flags)
    assert result.attempted > 8
    assert result.failed == 0


def test_the_command_gives_the_output_that_is_shown(run):
    command, shown = re.search(r"```text\n\$ gsfm (.*?)\n(.*?)```", TEXT, re.DOTALL).groups()
    result = run(*shlex.split(command))
    assert result.stderr + result.stdout == shown


def test_numbers():
    for row in libraries.available().table.iter_rows(named=True):
        line = next(line for line in TEXT.splitlines() if line.startswith(f"| `{row['name']}` |"))
        *_, terms, genes, release, license, _ = line.split("|")
        assert (terms.strip(), genes.strip()) == (f"{row['terms']:,}", f"{row['genes']:,}")
        assert row["date"] in release
        assert row["license"].startswith(license.strip())
    words = " ".join(TEXT.split())
    defined = (libraries.load("families").metadata["description"] != "").sum()
    assert f"of {defined} of FamPlex's {len(libraries.load('families'))}" in words


def test_services_and_options():
    for service in remote.SERVICES.values():
        assert f"| `{service.example}` |" in TEXT
        assert f"`GSFM_{service.name.upper()}_URL`" in TEXT
    assert f"`--release {remote.SERVICES['msigdb'].release}` is the default" in TEXT


def test_the_public_face():
    assert sorted(libraries.__all__) == libraries.__all__
    for name in libraries.__all__:
        assert getattr(libraries, name).__doc__
