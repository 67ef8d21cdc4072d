"""Every command that the documentation shows can be parsed: its name, options and arguments."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer.main

from gsfm.cli.app import WrongUsage, app

ROOT = Path(__file__).parents[1]
PAGES = [
    *(ROOT / "README.md", ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md"),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "benchmarks").rglob("README.md")),
]
BLOCK = re.compile(r"^```(?:sh|console|text)\n(.*?)^```", re.MULTILINE | re.DOTALL)
#: A command of gsfm in a line of a shell, maybe after others.
COMMAND = re.compile(r"(?:^|^\$ |[|] |&& |\s-m |^srun .*)(?:\S*/)?gsfm (?=\w|--?\w)(.*)")
#: What ends it.
END = {"|", ">", "&&", ";", "<", "&"}


def commands(text: str) -> list[list[str]]:
    """The words of each command in the code blocks of a page."""
    found = []
    for block in BLOCK.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            for shown in COMMAND.findall(line):
                lexer = shlex.shlex(shown, posix=True, punctuation_chars="|>&;<")
                lexer.whitespace_split = True
                words = list(lexer)
                end = next((i for i, word in enumerate(words) if word in END), len(words))
                found.append(words[:end])
    return found


def parse(words: list[str]) -> None:
    """Parse a command as the command line does, without running it."""
    command = typer.main.get_command(app)
    context = command.make_context("gsfm", words[:1], resilient_parsing=True)
    while hasattr(command, "list_commands"):
        name, *words = words
        command = command.get_command(context, name)
        assert command is not None, f"there is no command {name}"
        resilient = hasattr(command, "list_commands")
        context = command.make_context(name, words[:], parent=context, resilient_parsing=resilient)


SHOWN = [
    pytest.param(words, id=f"{page.relative_to(ROOT)}: {' '.join(words)}")
    for page in PAGES
    for words in commands(page.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("words", SHOWN)
def test_a_command_that_is_shown_can_be_parsed(words):
    parse(words)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_options_in_the_text_exist(page):
    """A command in the text may lack its arguments: only its name and its options are checked."""
    for shown in re.findall(r"`gsfm ((?:[a-z]+ ?)+[^`]*)`", page.read_text(encoding="utf-8")):
        words = shlex.split(shown.replace("\n", " "))
        command = typer.main.get_command(app)
        context = typer.Context(command)
        while words and hasattr(command, "list_commands"):
            command = command.get_command(context, words.pop(0))
            assert command is not None, shown
        known = {name for parameter in command.params for name in parameter.opts}
        used = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        assert used <= known | {"--help"}, shown


def test_commands_are_found_and_checked():
    assert len(SHOWN) > 80
    lines = "$ gsfm complete A \\\n  --top 3 > x  # ten\n.venv/bin/gsfm models list | head"
    assert commands(f"```sh\n{lines}\n```\n") == [
        ["complete", "A", "--top", "3"],
        ["models", "list"],
    ]
    assert commands("```text\ngsfm: an error\n```\n") == []
    for wrong in ("complete --nope", "models describe a b", "term", "complete --top x"):
        with pytest.raises(WrongUsage):
            parse(wrong.split())
    with pytest.raises(AssertionError, match="no command complte"):
        parse(["complte", "TP53"])
