"""Headings of lists within a file of genes (UP, Down-regulated genes:, [cluster 1])."""

from __future__ import annotations

import re

_DIRECTIONS = (
    r"(?:up|down)(?:[ _-]?reg(?:ulated)?)?|(?:in|de)creased|induced|(?:re|sup)pressed|activated|"
    r"inhibited|reduced|(?:over|under)[ _-]?expressed|enriched|depleted|higher|lower"
)
#: A heading alone in its line or before the genes.
_HEADING = re.compile(
    rf"[\s\[({{<=*\"'-]*((?:{_DIRECTIONS})(?:[ _-]?(?:genes?|list|set))?|"
    r"(?:cluster|module|group)[ _-]?\d+|genes?(?=\s*:\s*\w))"
    r"[\s\])}>=*\"':-]*(?:(?<=[\s:=])(\S.*))?",
    re.IGNORECASE,
)
_NAMED = re.compile(r"\s*(\[[\w -]+\]|\w[\w -]*:)\s*()")
_LABEL = re.compile(rf"{_DIRECTIONS}|ns|n\.s\.|not? .*|none|no|unchanged|stable", re.IGNORECASE)


def heading(line: str) -> tuple[str, str] | None:
    """The heading in a line, and what follows it; None for other lines.

    Examples
    --------
    >>> heading("[up]"), heading("Down-regulated genes: TP53, MDM2"), heading("TP53")
    (('up', ''), ('Down-regulated genes', 'TP53, MDM2'), None)
    """
    found = _HEADING.fullmatch(line) or _NAMED.fullmatch(line)
    return found and (found[1], found[2] or "")


def are_labels(cells: list[str]) -> bool:
    """Whether distinct cells of a column are directions, though ``UP`` is an alias of UPP1.

    Examples
    --------
    >>> are_labels(["UP", "DOWN", "NS"]), are_labels(["TP53", "UP"])
    (True, False)
    """
    return bool(cells) and all(map(_LABEL.fullmatch, cells))
