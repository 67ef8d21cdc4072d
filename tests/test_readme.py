"""What the README shows is what happens."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from typer.testing import CliRunner

from gsfm import MissingExtraError
from gsfm.cli.app import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_main_job_gives_the_output_that_is_shown():
    command, shown = re.search(
        r"```sh\n.*&& \S*gsfm (.*)\n```\n\n```text\n(.*?)```", README, re.DOTALL
    ).groups()
    result = CliRunner().invoke(app, shlex.split(command), prog_name="gsfm")
    assert result.exit_code == 0
    for line in result.stderr.splitlines():
        assert line in shown
    # Processors differ in the last digits; the genes and their order do not.
    rows = [line.split()[:2] for line in result.stdout.splitlines()]
    assert [line.split()[:2] for line in shown.splitlines()[-11:]] == rows


def test_every_link_leads_somewhere():
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert len(links) >= 6
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_test_command_is_the_one_that_ci_calls():
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "\nscripts/test\n" in README
    assert "\nscripts/test\n" in ci


def test_installation_is_from_the_source_everywhere():
    assert "pip install -q . &&" in README
    pages = [README, *(page.read_text("utf-8") for page in (ROOT / "docs").rglob("*.md"))]
    commands = re.findall(
        r"pip\s+install (.+)", "\n".join(pages) + f"\n{MissingExtraError('', 'a')}"
    )
    assert [one for one in commands if not re.match(r"(-q )?'?\.", one)] == []
