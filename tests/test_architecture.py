"""The order of the packages: what may import what, and that nothing private crosses a wall."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import gsfm

ROOT = Path(gsfm.__file__).parent
#: A package imports those before it only; see ARCHITECTURE.md.
ORDER = [
    *("version", "errors", "paths", "io", "progress", "report"),
    *("genes", "sets", "libraries", "corpus", "training", "completion", "models", "analysis"),
    *("benchmark", "scverse", "cli"),
]
MODULES = sorted(ROOT.rglob("*.py"))


def name_of(path: Path) -> str:
    """The dotted name of a module or package."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(["gsfm", *(part for part in parts if part != "__init__")])


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything of gsfm that a module imports, wherever it does."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, a.name) for a in node.names if a.name.startswith("gsfm"))
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports are not used"
            if (node.module or "").split(".")[0] == "gsfm":
                yield from ((node.lineno, f"{node.module}.{a.name}") for a in node.names)


def package(name: str) -> str:
    """The package of a dotted name; "" for the top level."""
    return ".".join(name.split(".")[1:2])


def test_the_order_names_every_package():
    there = {package(name_of(path)) for path in MODULES} - {"", "__main__"}
    assert there == set(ORDER)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_go_up_the_order(path):
    own = package(name_of(path))
    if own in ("", "__main__"):  # the face: it shows all of them
        return
    wrong = [
        f"line {line}: {name}"
        for line, name in imports(path)
        if package(name) not in ORDER[: ORDER.index(own) + 1]
    ]
    assert not wrong, f"{name_of(path)} imports what comes after {own}, or the face: {wrong}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_nothing_private_of_another_package_is_imported(path):
    own = package(name_of(path))
    wrong = [
        f"line {line}: {name}"
        for line, name in imports(path)
        if package(name) != own
        and any(part.startswith("_") and part != "__version__" for part in name.split("."))
    ]
    assert not wrong, f"{name_of(path)} imports private names: {wrong}"


def indirect(text: str) -> Iterator[tuple[str, str]]:
    """The modules of gsfm that are imported by name, and the private names read by `getattr`."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and node.args:
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            first, *rest = [re.sub("^f?['\"]|['\"]$", "", ast.unparse(one)) for one in node.args]
            if name in ("import_module", "__import__") and first.startswith("gsfm"):
                yield name, first
            if name in ("getattr", "setattr") and re.match("_[^_]", rest[0]) and first != "self":
                yield name, rest[0]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_other_packages_are_not_reached_by_name(path):
    own = package(name_of(path))
    if own in ("", "__main__"):  # the face imports packages on first use
        return
    found = list(indirect(path.read_text(encoding="utf-8")))
    assert [name for how, name in found if not name.startswith(f"gsfm.{own}.")] == []


def test_what_is_reached_by_name_is_found():
    text = 'import_module("gsfm.cli")\nimportlib.import_module(f"gsfm.{x}")\ngetattr(a, "_b")\n'
    other = (
        'import_module("torch")\ngetattr(self, "_b")\ngetattr(a, "__name__")\ngetattr(a, name)\n'
    )
    assert [name for _, name in indirect(text)] == ["gsfm.cli", "gsfm.{x}", "_b"]
    assert not list(indirect(other))


def test_the_page_of_the_architecture_names_every_package():
    page = (ROOT.parents[1] / "ARCHITECTURE.md").read_text("utf-8")
    table = "\n".join(line for line in page.splitlines() if re.match(r"\| \d+ \|", line))
    named = re.findall(r"`(\w+)`", "\n".join(row.split("|")[2] for row in table.splitlines()))
    assert named == ORDER
