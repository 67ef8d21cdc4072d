"""Run the commands that the documentation shows, and write what they print below them.

    python scripts/build_docs_outputs.py [PAGE ...]

A command is a line ``$ gsfm ...`` in a fenced block ``console``; what follows, up to the next
command or the end of the block, is its output: reports (stderr), then the result (stdout).
``tests/test_docs_site.py`` fails when a page shows other words than a command prints.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from typer.testing import CliRunner

from gsfm.cli.app import app
from gsfm.io.files import atomic_path

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"^\$ (gsfm .*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


def pages() -> list[Path]:
    """The pages that show commands with their output."""
    every = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [page for page in every if any(shown(page.read_text(encoding="utf-8")))]


def shown(text: str) -> Iterator[tuple[str, str]]:
    """Yield each command of a page, with the output below it."""
    for block in BLOCK.findall(text):
        yield from COMMAND.findall(block)


def printed(command: str) -> str:
    """Run a command in this process; return what it prints."""
    result = CliRunner().invoke(app, shlex.split(command)[1:], prog_name="gsfm")
    if result.exit_code:
        raise SystemExit(f"{command}: exit code {result.exit_code}\n{result.output}")
    return result.stderr + result.stdout


def render(text: str, run: Callable[[str], str] = printed) -> str:
    """Return a page with the output of its commands renewed."""
    return BLOCK.sub(
        lambda block: COMMAND.sub(lambda match: f"$ {match[1]}\n{run(match[1])}", block[0]), text
    )


def main() -> None:
    """Renew the pages named, or all."""
    for page in map(Path, sys.argv[1:]) if sys.argv[1:] else pages():
        rendered = render(page.read_text(encoding="utf-8"))
        with atomic_path(page) as temporary:
            temporary.write_text(rendered, encoding="utf-8")


if __name__ == "__main__":
    main()
