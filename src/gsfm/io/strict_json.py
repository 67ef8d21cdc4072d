"""JSON of strangers: what Python's parser accepts and later code cannot hold is refused."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

#: Digits of the largest float.
_DIGITS = 308


def loads(
    text: str | bytes,
    *,
    make: Callable[[list[tuple[str, Any]]], Any] | None = None,
    constants: bool = False,
) -> Any:
    """Parse JSON.

    Parameters
    ----------
    text
        The text, or its UTF-8.
    make
        Makes an object from its pairs; ``dict`` if None.
    constants
        Accept ``NaN`` and ``Infinity``, which are not JSON.

    Raises
    ------
    ValueError
        If it is not JSON, is nested too deeply, has a number that no float can hold, or half of a
        surrogate pair.

    Examples
    --------
    >>> loads('{"a": 1e999}')
    Traceback (most recent call last):
    ValueError: the number 1e999 is too large
    """
    try:
        value = json.loads(
            text,
            object_pairs_hook=make,
            parse_int=_whole,
            parse_float=_float,
            parse_constant=float if constants else _constant,
        )
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if ("\\ud" if isinstance(text, str) else b"\\ud") in text.lower():  # type: ignore[operator]
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise ValueError("a text has half of a surrogate pair") from None
    return value


def _whole(text: str) -> int:
    if len(text) > _DIGITS:
        raise ValueError(f"a number has {len(text)} digits")
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"the number {text[:40]} is too large")
    return value


def _constant(text: str) -> float:
    raise ValueError(f"{text} is not a number of JSON")
