"""Write docs/cli.md from the commands themselves.

    python scripts/build_cli_docs.py

A test fails when docs/cli.md differs from what this script writes.
"""

from __future__ import annotations

import inspect
import textwrap
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import typer
import typer.main
import typer.models

from gsfm.cli.app import app
from gsfm.io.files import atomic_path

TARGET = Path(__file__).parent.parent / "docs" / "cli.md"
HEAD = """\
# The command line

Generated from the commands' own help by `scripts/build_cli_docs.py`.

Results go to stdout, reports to stderr. JSON has the rows under `results`, and under `provenance`
how they were made and what was read of each file. Where a command takes a file, `-` is stdin. A
file to write cannot be an input of the same command. `--library` and `--libraries` are the same
option. Exit codes: 0 done, 1 an error explained in one line, 2 wrong usage, 130 stopped by Ctrl-C,
141 the reader of the output went away.
"""


def render() -> str:
    """The whole page."""
    root = typer.main.get_command(app)
    context = typer.Context(root, info_name="gsfm")
    return "\n".join([HEAD, *_sections(root, context, ["gsfm"])])


def _sections(group: Any, context: Any, path: list[str]) -> Iterator[str]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        here = [*path, name]
        yield f"{'#' * len(here)} {' '.join(here)}\n"
        if hasattr(command, "list_commands"):
            yield f"{_wrapped(command.help)}\n"
            inner = typer.Context(command, info_name=name, parent=context)
            yield from _sections(command, inner, here)
        else:
            parameters = _parameters(command.callback)
            arguments = "".join(f" {p.name}" for p in parameters if p.is_argument)
            yield f"    {' '.join(here)} [OPTIONS]{arguments}\n"
            yield f"{_wrapped(command.help)}\n"
            yield "".join(f"{_wrapped(f'- `{p.name}`: {p.help}', '  ')}\n" for p in parameters)


def _wrapped(text: str, indent: str = "") -> str:
    """The paragraphs of a text in lines of up to 100 characters."""
    fill = textwrap.TextWrapper(
        100, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False
    ).fill
    return "\n\n".join(map(fill, text.split("\n\n")))


class Parameter(NamedTuple):
    """An argument or an option as the page shows it."""

    is_argument: bool
    name: str
    help: str


def _parameters(function: Callable[..., None]) -> list[Parameter]:
    """The arguments and options of a command, from its signature (in any version of typer)."""
    signature = inspect.signature(function, eval_str=True)
    return [_parameter(p) for p in signature.parameters.values()]


def _parameter(p: inspect.Parameter) -> Parameter:
    kind, info = typing.get_args(p.annotation)[:2]
    shown, default = info.metavar, p.default
    if isinstance(info, typer.models.ArgumentInfo):
        name = shown or p.name.upper()
        name = f"{name}..." if "list[" in str(kind) and not name.endswith("...") else name
        return Parameter(True, name if default is p.empty else f"[{name}]", info.help or "")
    flag = f"--{p.name.replace('_', '-')}"
    # In an annotation, what stands first in typer.Option(...) is a name, not the default.
    names = [d for d in (info.default, *(info.param_decls or ())) if str(d).startswith("-")]
    if kind is bool:
        names = names or [f"{flag} / --no-{flag[2:]}"]
        return Parameter(False, ", ".join(names).replace("/--", " / --"), info.help or "")
    names = sorted(names or [flag], key=len, reverse=True)
    choices = [c for option in (kind, *typing.get_args(kind)) for c in _choices(option)]
    value = shown or "|".join(choices) or _WORDS.get(_bare(kind), "TEXT")
    known = default not in (p.empty, None, "")
    tail = f" Default: {default}." if known else ""
    return Parameter(False, f"{', '.join(names)} {value}", f"{info.help or ''}{tail}")


_WORDS = {int: "INTEGER", float: "NUMBER", Path: "PATH"}


def _bare(kind: Any) -> Any:
    """The type without ``| None`` and ``list[...]``."""
    inner = [one for one in typing.get_args(kind) if one is not type(None)]
    return _bare(inner[0]) if inner else kind


def _choices(kind: Any) -> list[str]:
    return list(typing.get_args(kind)) if typing.get_origin(kind) is typing.Literal else []


if __name__ == "__main__":
    with atomic_path(TARGET) as temporary:
        temporary.write_text(render(), encoding="utf-8")
