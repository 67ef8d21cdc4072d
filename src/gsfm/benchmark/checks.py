"""Tables of a TOML file: what is wrong with them is told in the file's own words."""

from __future__ import annotations

import collections.abc
import contextlib
import dataclasses
import difflib
import json
import re
import tomllib
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from gsfm.errors import FormatError
from gsfm.models.base import as_hint, require

Part = TypeVar("Part")


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file; FormatError has the line of what is no TOML."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise FormatError(path, error.strerror or "cannot be read") from error
    except UnicodeDecodeError as error:
        raise FormatError(path, f"the text is not UTF-8 ({error})") from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        at = re.search(r" \(at line (\d+), column (\d+)\)$", message)
        if at is None:  # at the end of the document
            raise FormatError(path, f"not TOML: {message}", line=text.count("\n") + 1) from error
        reason = f"not TOML: {message[: at.start()]} (column {at[2]})"
        raise FormatError(path, reason, line=int(at[1])) from error


def tables_of(key: str, value: Any) -> list[Mapping[str, Any]]:
    """The tables under ``[[key]]``; ValueError if it is something else."""
    if not isinstance(value, list | tuple) or not all(isinstance(v, Mapping) for v in value):
        raise ValueError(f"write [[{key}]], in two brackets, above the keys of each {key}")
    return list(value)


def build(part: type[Part], table: Any) -> Part:
    """Make a dataclass of the table with its fields."""
    if not isinstance(table, Mapping):
        raise ValueError(f"must be a table, not {table!r}")
    fields = {f.name: f for f in dataclasses.fields(part)}  # type: ignore[arg-type]
    hints = typing.get_type_hints(part)
    check_keys(table, fields)
    for key, f in fields.items():
        optional = f.default is not f.default_factory  # one of them is not MISSING
        require(optional or key in table, f"the key {key!r} is missing")
    return part(**{key: typed(key, hints[key], value) for key, value in table.items()})


@contextlib.contextmanager
def at(where: str) -> Iterator[None]:
    """Say in which table something is wrong."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error


def label(kind: str, i: int, name: Any) -> str:
    """How a message calls a table among several: by its number, and its name if it has one."""
    return f"[[{kind}]] {i + 1}" + (f" ({name!r})" if isinstance(name, str) and name else "")


def check_keys(
    given: Iterable[str], known: Iterable[str], elsewhere: Callable[[str], str] | None = None
) -> None:
    """Raise ValueError if a key is unknown, naming what was probably meant."""
    known = list(known)
    for key in given:
        if key not in known:
            where = elsewhere(key) if elsewhere else ""
            raise ValueError(f"there is no key {key!r}{where or meant(key, known)}")


def one_of(value: str, known: Iterable[str], what: str) -> None:
    """Raise ValueError, `what` and the value, if it is none of those known."""
    known = list(known)
    if value not in known:
        raise ValueError(f"{what} {value!r}{meant(value, known)}")


def meant(word: str, known: Iterable[str]) -> str:
    """The known word most like this one; a list of them if none is."""
    folded = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word.casefold(), folded, n=1)
    if close:
        return f"; did you mean {folded[close[0]]!r}?"
    names = sorted(folded.values())
    more = ", ..." if len(names) > 12 else ""
    return f"; there are {', '.join(names[:12])}{more}" if names else "; there is none"


def plain(table: Mapping[str, Any]) -> dict[str, Any]:
    """The table as JSON and TOML have it: tuples as lists."""
    return dict(json.loads(json.dumps(dict(table))))


def typed(key: str, hint: Any, value: Any) -> Any:
    """`value` as the type `hint`; ValueError in the words of TOML if it is something else."""
    try:
        return _as(hint, value)
    except TypeError:
        shown = json.dumps(value, default=str, ensure_ascii=False)
        raise ValueError(f"{key} must be {_words(hint)}, not {shown}") from None


def _as(hint: Any, value: Any) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is collections.abc.Mapping:
        if not isinstance(value, Mapping):
            raise TypeError
        return {k: v if arguments[1] is Any else _as(arguments[1], v) for k, v in value.items()}
    if origin in (types.UnionType, typing.Union):
        for argument in arguments:
            with contextlib.suppress(TypeError):
                return _as(argument, value)
        raise TypeError
    if origin is collections.abc.Sequence:
        hint = tuple[arguments[0], ...]  # type: ignore[valid-type]
    return as_hint(hint, value)


_NOUNS = {str: ("a text", "texts"), int: ("a whole number", "whole numbers")}
_NOUNS[float] = ("a number", "numbers")


def _words(hint: Any) -> str:
    """What a type is called by people who write TOML."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return " or ".join(_words(a) for a in arguments if a is not types.NoneType)
    if origin is Literal:
        return " or ".join(map(json.dumps, arguments))
    if origin is collections.abc.Mapping:
        return f"a table of {_NOUNS[arguments[1]][1]}" if arguments[1] in _NOUNS else "a table"
    if origin in (tuple, collections.abc.Sequence):
        return f"a list of {_NOUNS[arguments[0]][1]}"
    return "true or false" if hint is bool else _NOUNS[hint][0]
