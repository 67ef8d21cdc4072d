"""Settings of models: frozen dataclasses whose fields have types and ranges that are checked."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import math
import numbers
import operator
import types
import typing
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, TypeAlias, get_args

from gsfm.errors import require as require

#: Types of settings with a range: what a message says of it, and the test.
Count: TypeAlias = Annotated[int, ("1 or more", lambda n: n >= 1)]
AtLeast1: TypeAlias = Annotated[float, ("1 or more", lambda x: x >= 1)]
Positive: TypeAlias = Annotated[float, ("above 0", lambda x: x > 0)]
NonNegative: TypeAlias = Annotated[float, ("0 or more", lambda x: x >= 0)]
NonNegativeInt: TypeAlias = Annotated[int, ("0 or more", lambda n: n >= 0)]
AtLeast2: TypeAlias = Annotated[int, ("2 or more", lambda n: n >= 2)]
#: The values that a setting of each type may have.
NUMBERS: dict[Any, Any] = {bool: bool, int: numbers.Integral, float: numbers.Real}
#: A fraction that may be 0, and one that may be 1.
Fraction: TypeAlias = Annotated[float, ("0 or more and below 1", lambda x: 0 <= x < 1)]
FractionTo1: TypeAlias = Annotated[float, ("above 0 and up to 1", lambda x: 0 < x <= 1)]


@dataclasses.dataclass(frozen=True)
class Settings:
    """Base class of the settings of a family; every field has a default."""

    def __post_init__(self) -> None:
        for name, text, holds in _ranges(type(self)):  # type: ignore[arg-type]
            value = getattr(self, name)
            require(value is None or holds(value), f"{name} must be {text}, not {value!r}")


@functools.cache
def _ranges(config: type[Settings]) -> list[tuple[str, str, Callable[[Any], bool]]]:
    """The settings that have a range: name, text and test."""
    hints = typing.get_type_hints(config, include_extras=True)
    # The range of an optional setting is inside the union with None.
    parts = ((name, part) for name, hint in hints.items() for part in (hint, *get_args(hint)))
    return [(name, *limit) for name, part in parts for limit in getattr(part, "__metadata__", ())]


def check_settings(config: type[Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return `settings` with the types that the fields of the dataclass `config` declare.

    JSON has no tuples and does not distinguish 1 from 1.0, so lists become tuples and integers
    become floats where a field is declared so. Anything else that does not fit is a ValueError.
    """
    hints = typing.get_type_hints(config) if settings else {}
    names = [field.name for field in dataclasses.fields(config)]
    checked = {}
    for name, value in settings.items():
        require(name in names, f"there is no setting {name!r}; there are {', '.join(names)}")
        try:
            checked[name] = as_hint(hints[name], value)
        except TypeError:
            hint = hints[name]
            want = hint.__name__ if isinstance(hint, type) else str(hint).replace("typing.", "")
            raise ValueError(f"{name} must be {want}, not {value!r}") from None
    return checked


def as_hint(hint: Any, value: Any) -> Any:
    """Return `value` as the type `hint`; TypeError if it is something else."""
    origin, arguments = typing.get_origin(hint), get_args(hint)
    if origin in (types.UnionType, typing.Union):
        for argument in arguments:
            try:
                return as_hint(argument, value)
            except TypeError:
                continue
    elif origin is Literal:
        # The types are compared as well: True == 1.
        if (type(value), value) in [(type(a), a) for a in arguments]:
            return value
    elif origin is tuple:
        if isinstance(value, list | tuple):
            each = arguments[:1] * len(value) if arguments[1:] == (...,) else arguments
            if len(each) == len(value):
                items = tuple(map(as_hint, each, value))
                same = isinstance(value, tuple) and all(map(operator.is_, items, value))
                return value if same else items
    elif hint in NUMBERS:
        same = isinstance(value, bool) == (hint is bool) and isinstance(value, NUMBERS[hint])
        with contextlib.suppress(OverflowError):  # an integer that no float can hold
            if same and (hint is not float or math.isfinite(value)):
                return hint(value)
    elif isinstance(value, origin or hint) and not isinstance(value, bool):
        return value
    raise TypeError
