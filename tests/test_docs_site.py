"""The documentation site: its pages are complete, its examples run, its outputs are current."""

from __future__ import annotations

import doctest
import importlib.util
import json
import re
import shlex
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from typer.testing import CliRunner

import gsfm
from gsfm.cli.app import app

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
CONFIG = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
NAVIGATION = re.findall(r"^ +- [^:]+: (\S+\.md)$", CONFIG, re.MULTILINE)
PAGES = [
    *sorted(DOCS.rglob("*.md")),
    *(ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "benchmarks").rglob("README.md")),
]
NUMBER = re.compile(r"(?<![\w.:-])[-+]?(\d[\d,]*\.?\d*(e[-+]\d+)?|inf)%?(?![\w:])")


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


outputs = script("build_docs_outputs")
COMMANDS = {
    command: output
    for page in outputs.pages()
    for command, output in outputs.shown(page.read_text(encoding="utf-8"))
}


@pytest.mark.parametrize(
    "page", ["index", "complete", "reading", "tutorials/gene-list", "tutorials/training"]
)
def test_examples(page: str) -> None:
    run_examples(page)


def test_examples_of_the_anndata_tutorial() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("anndata")
        run_examples("tutorials/anndata")


def run_examples(page: str) -> None:
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    path = DOCS / f"{page}.md"
    result = doctest.testfile(str(path), module_relative=False, optionflags=flags)
    assert result.attempted >= 4
    assert result.failed == 0


def words(text: str) -> list[str]:
    """Text without numbers, whose last digits differ between processors, and without columns."""
    return NUMBER.sub("#", text).split()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_prints_what_is_shown(command: str) -> None:
    assert words(outputs.printed(command)) == words(COMMANDS[command]), (
        "run python scripts/build_docs_outputs.py"
    )


def test_the_json_of_a_completion_is_as_shown() -> None:
    text = (DOCS / "complete.md").read_text(encoding="utf-8")
    found = re.search(r"`(gsfm complete .* --json)`.*?```json\n(.*?)```", text, re.DOTALL)
    assert found is not None
    result = CliRunner().invoke(app, shlex.split(found[1])[1:], prog_name="gsfm")

    def check(shown: Any, printed: Any) -> None:
        """An ellipsis stands for any value, or for further ones."""
        if isinstance(shown, dict):
            assert shown.keys() == printed.keys() or "…" in shown
            for key in shown.keys() - {"…"}:
                check(shown[key], printed[key])
        elif isinstance(shown, list):
            assert len(shown) == len(printed) or shown[-1] == "…"
            for one, other in zip((s for s in shown if s != "…"), printed, strict=False):
                check(one, other)
        elif isinstance(shown, float):
            assert shown == pytest.approx(printed, rel=0.01)
        else:
            assert shown in ("…", printed)

    check(json.loads(found[2]), json.loads(result.stdout))


def test_outputs_are_renewed_in_place() -> None:
    other = "a\n\n```text\n$ gsfm one\nold\n```\n\nb\n\n"
    page = other + "```console\n$ gsfm one\nold\n$ gsfm two\n```\n"
    assert list(outputs.shown(page)) == [("gsfm one", "old\n"), ("gsfm two", "")]
    assert outputs.render(page, run=lambda command: f"new {command}\n") == (
        other + "```console\n$ gsfm one\nnew gsfm one\n$ gsfm two\nnew gsfm two\n```\n"
    )


def test_every_page_is_in_the_navigation_once() -> None:
    assert len(NAVIGATION) == len(set(NAVIGATION))
    inside = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")}
    outside = set(NAVIGATION) - inside
    assert inside <= set(NAVIGATION)
    assert all((ROOT / name).exists() for name in outside)


def test_every_package_has_a_page_in_the_reference() -> None:
    packages = {name for name in gsfm.__all__ if isinstance(getattr(gsfm, name), ModuleType)}
    packages -= {"discover"}  # part of gsfm.analysis
    pages = {path.stem for path in (DOCS / "reference").glob("*.md")} - {"index", "gsfm"}
    assert pages == packages | {"completion"}
    for page in pages:
        assert f"::: gsfm.{page}\n" in (DOCS / "reference" / f"{page}.md").read_text("utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_markdown_is_wrapped(page: Path) -> None:
    fenced, long = False, []
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        fenced ^= line.lstrip().startswith("```")
        if not fenced and not line.startswith("|") and len(line) > 100 and " " in line[2:100]:
            long.append(number)
    assert not long, f"lines longer than 100: {long}"


def test_formulas_become_mathml() -> None:
    pytest.importorskip("griffe")
    pytest.importorskip("latex2mathml")
    render = script("docs_formulas").render
    text = "The weight :math:`w_i`\n    is\n\n    .. math:: s = \\sum_i\n        w_i\n\n    Then."
    rendered = render(text)
    assert "math:" not in rendered
    assert rendered.count("<math") == 2
    assert rendered.startswith("The weight <math")
    assert rendered.endswith("</math>\n\n    Then.")
