"""Tables of a TOML file converted to typed values, with errors that name the table and the key."""

from __future__ import annotations

import contextlib
import difflib
import json
import math
import re
import tomllib
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from gsfm.errors import FormatError, join_names, require

Part = TypeVar("Part", bound=msgspec.Struct)

#: What msgspec's types are called in TOML.
_WORDS = {"int": "a whole number", "float": "a number", "str": "a text"}
_WORDS |= {"array": "a list", "object": "a table", "bool": "true or false"}


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file; a FormatError names the line that is not TOML."""
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


def convert(table: Any, kind: type[Part], elsewhere: Callable[[str], str] | None = None) -> Part:
    """Convert a table of TOML or JSON to a struct, which forbids unknown fields.

    A ValueError if a key is unknown or missing, or its value is of the wrong type or out of range.
    `elsewhere` says where an unknown key belongs; empty if nowhere.

    Examples
    --------
    >>> class Sample(msgspec.Struct, forbid_unknown_fields=True):
    ...     terms: int
    >>> convert({"terms": 2.5}, Sample)
    Traceback (most recent call last):
    ...
    ValueError: terms must be a whole number, not 2.5
    """
    require(isinstance(table, Mapping), f"must be a table, not {table!r}")
    fields = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    check_keys(table, fields, elsewhere)
    numbers = dict(_numbers({k: v for k, v in table.items() if fields[k] is not Any}))
    for key, value in numbers.items():  # TOML has 64 bits, Python has more
        too_large = isinstance(value, int) and abs(value) >= 2**63
        require(not too_large, f"{key} must be a number of up to 18 digits")
    try:
        converted = msgspec.convert(table, kind)
        for key, value in numbers.items():
            require(math.isfinite(value), f"{key} must be a finite number, not {value}")
        return converted
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$.")
    if missing := re.fullmatch("Object missing required field `(.*)`", reason):
        raise ValueError(f"the key {missing[1]!r} is missing")
    require(path, reason)  # of the struct's own checks
    key, *inside = re.split(r"[\[`.]", path.removesuffix("`"))
    words = {**_WORDS, "str": _choices(fields[key]) or _WORDS["str"]}

    def in_words(types: re.Match[str]) -> str:
        return " or ".join(
            words.get(name, name) for name in types[1].split(" | ") if name != "null"
        )

    expected = re.match("Expected (.*?)(, got .*)?$", reason)
    wanted = re.sub("`(.*)`", in_words, expected[1] if expected else "`str`")
    shown = json.dumps(table[key], default=str, ensure_ascii=False)
    raise ValueError(f"{'each of ' if inside else ''}{key} must be {wanted}, not {shown}")


def _numbers(value: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """The numbers in a table, each with its path of keys."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _numbers(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for i, inner in enumerate(value):
            yield from _numbers(inner, f"{path}[{i}]")
    elif isinstance(value, int | float):
        yield path, value


def _choices(hint: Any) -> str:
    """The values of the Literal in a type."""
    hints = [hint, *typing.get_args(hint)]
    literals = [typing.get_args(each) for each in hints if typing.get_origin(each) is Literal]
    return " or ".join(json.dumps(value) for values in literals for value in values)


@contextlib.contextmanager
def at(place: str) -> Iterator[None]:
    """Put the name of the table before the message of a ValueError."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from error


def label(kind: str, i: int, name: Any) -> str:
    """The name of one of several tables in a message: its number, and its name if it has one."""
    return f"[[{kind}]] {i + 1}" + (f" ({name!r})" if isinstance(name, str) and name else "")


def check_keys(
    keys: Iterable[str], known: Iterable[str], elsewhere: Callable[[str], str] | None = None
) -> None:
    """Raise ValueError if a key is unknown, with the most similar known one."""
    known = list(known)
    for key in keys:
        if key not in known:
            where = elsewhere(key) if elsewhere else ""
            raise ValueError(f"there is no key {key!r}{where or suggestion(key, known)}")


def one_of(value: str, known: Iterable[str], what: str) -> None:
    """Raise ValueError, `what` and the value, if it is none of those known."""
    known = list(known)
    require(isinstance(value, str), f"{what} must be a text, not {value!r}")
    if value not in known:
        raise ValueError(f"{what} {value!r}{suggestion(value, known)}")


def suggestion(word: str, known: Iterable[str]) -> str:
    """The known word that is most similar; a list of them if none is."""
    folded = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word.casefold(), folded, n=1)
    if close:
        return f"; did you mean {folded[close[0]]!r}?"
    names = sorted(folded.values())
    return f"; there are {join_names(names, 12)}" if names else "; there is none"
