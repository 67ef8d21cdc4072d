"""docs/enrich.md: its examples run."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

from typer.testing import CliRunner

from gsfm.analysis import terms
from gsfm.analysis.enrichment import combined, model, null
from gsfm.cli.app import app
from gsfm.models import typical

PAGE = Path(__file__).parents[2] / "docs" / "enrich.md"
TEXT = " ".join(PAGE.read_text(encoding="utf-8").split())


def test_examples() -> None:
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    result = doctest.testfile(str(PAGE), module_relative=False, optionflags=flags)
    assert result.attempted > 5
    assert result.failed == 0


def test_the_command_gives_what_is_shown() -> None:
    command, shown = re.search(
        r"```sh\ngsfm (.*)\n```\n\n```text\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL
    ).groups()
    result = CliRunner().invoke(app, command.split(), prog_name="gsfm")
    assert result.exit_code == 0
    assert result.stderr + result.stdout == shown


def test_numbers() -> None:
    assert f"bounded to {typical.LOWEST:g} and {typical.HIGHEST:g}" in TEXT
    assert f"fewer than {terms.MIN_SIZE} genes" in TEXT
    assert f"{model.TOP_GENES} (`--top-genes`) genes" in TEXT
    assert f"where {null.ENOUGH} or more do" in TEXT
    assert f"those for {typical.SETS:,} typical gene sets" in TEXT
    assert f"sets of {typical.SMALLEST} to {typical.LARGEST} genes" in TEXT
    assert f"`overlap_p_value` / {combined.SHARE}" in TEXT
