"""The order of the packages: what may import what, and that nothing private crosses a wall."""

from __future__ import annotations

import ast
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
