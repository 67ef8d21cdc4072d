"""Settings of models: frozen dataclasses whose fields have types and ranges that are checked."""

from __future__ import annotations

import dataclasses
import functools
import math
import numbers
import operator
import types
import typing
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, TypeAlias, get_args

import numpy as np

#: Types of settings with a range: what a message says of it, and the test.
Count: TypeAlias = Annotated[int, ("1 or more", lambda n: n >= 1)]
AtLeast1: TypeAlias = Annotated[float, ("1 or more", lambda x: x >= 1)]
Positive: TypeAlias = Annotated[float, ("above 0", lambda x: x > 0)]
NonNegative: TypeAlias = Annotated[float, ("0 or more", lambda x: x >= 0)]
NonNegativeInt: TypeAlias = Annotated[int, ("0 or more", lambda n: n >= 0)]
AtLeast2: TypeAlias = Annotated[int, ("2 or more", lambda n: n >= 2)]
#: A fraction that may be 0, and one that may be 1.
Fraction: TypeAlias = Annotated[float, ("0 or more and below 1", lambda x: 0 <= x < 1)]
FractionTo1: TypeAlias = Annotated[float, ("above 0 and up to 1", lambda x: 0 < x <= 1)]


@dataclasses.dataclass(frozen=True)
class Settings:
    """Base class of the settings of a family; every field has a default."""

    def __post_init__(self) -> None:
        own: Any = type(self)
        for name, text, holds in _ranges(own):
            value = getattr(self, name)
            require(value is None or holds(value), f"{name} must be {text}, not {value!r}")

    def changed(self) -> dict[str, Any]:
        """Return the settings that differ from the defaults."""
        default = type(self)()
        return {k: v for k, v in vars(self).items() if v != getattr(default, k)}


@functools.cache
def _ranges(config: type[Settings]) -> list[tuple[str, str, Callable[[Any], bool]]]:
    """The settings that have a range: name, text and test."""
    hints = typing.get_type_hints(config, include_extras=True)
    # The range of an optional setting is inside the union with None.
    parts = ((name, part) for name, hint in hints.items() for part in (hint, *get_args(hint)))
    return [(name, *limit) for name, part in parts for limit in getattr(part, "__metadata__", ())]


def require(holds: bool | np.bool_, message: str) -> None:
    """Raise ValueError with the message unless the condition `holds`."""
    if not holds:
        raise ValueError(message)


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
        hint = hints[name]
        try:
            checked[name] = as_hint(hint, value)
        except TypeError:
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
        if any(value == a and type(value) is type(a) for a in arguments):
            return value
    elif origin is tuple:
        if isinstance(value, list | tuple):
            each = arguments[:1] * len(value) if arguments[1:] == (...,) else arguments
            if len(each) == len(value):
                items = tuple(map(as_hint, each, value))
                same = isinstance(value, tuple) and all(map(operator.is_, items, value))
                return value if same else items
    elif isinstance(value, bool) or hint is bool:
        if isinstance(value, bool) and hint is bool:
            return value
    elif hint is float:
        if isinstance(value, numbers.Real) and math.isfinite(value):
            return float(value)
    elif hint is int:
        if isinstance(value, numbers.Integral):
            return int(value)
    elif isinstance(value, origin or hint):
        return value
    raise TypeError
