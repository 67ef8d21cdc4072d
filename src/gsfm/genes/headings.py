"""Headings and other words within a file of genes (UP, [cluster 1], the, was)."""

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
_NAMED = re.compile(r"\s*(\[[A-Za-z][\w -]+\]|\w[\w -]*:|\$`?[\w. ]+`?)\s*()")
_LABEL = re.compile(
    rf"{_DIRECTIONS}|ns|n\.s\.|not? .*|none|no|yes|true|false|unchanged|stable", re.IGNORECASE
)

#: Words above a list that are also names of genes, in the case of no symbol.
_ABOVE = re.compile(r"ids?|acc|hits?|hubs?|prey|set|degs|tfs?|orf|ref|top|tag", re.IGNORECASE)
#: Words of a text that are also names of genes, or stand in descriptions of genes.
_WORDS = re.compile(
    r"an?|are|as|at|be|been|by|for|from|ha[ds]|have|i[ns]|not|o[fn]|that|the|these|this|to|was|we|"
    r"were|which|while|with|associated|binding|domain|factor|family|kinase|like|member|protein|"
    r"proto-oncogene|receptor|regulator|subunit|tumor"
)


def is_above(word: str, symbol: str | None) -> bool:
    """Whether the first line of a list, with the symbol that it resolves to, is its name.

    Examples
    --------
    >>> is_above("ID", "ATP8B2"), is_above("IDs", "IDS"), is_above("IDS", "IDS")
    (True, True, False)
    """
    return _ABOVE.fullmatch(word) is not None and word != symbol


def prose(words: list[str]) -> list[str]:
    """The distinct words of a text among words: no list of genes has two, beside ``and``.

    Examples
    --------
    >>> prose("We found that TP53 was not bound".split()), prose(["TP53", "and", "MDM2"])
    (['we', 'that', 'was', 'not'], [])
    """
    distinct = dict.fromkeys(word.strip(".,;:").lower() for word in words)
    found = [word for word in distinct if _WORDS.fullmatch(word)]
    return found if len(found) > 1 else []


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
    """Whether distinct cells are directions or answers, though ``UP`` is an alias of UPP1.

    Examples
    --------
    >>> are_labels(["UP", "DOWN", "NS"]), are_labels(["TP53", "UP"])
    (True, False)
    """
    return bool(cells) and all(map(_LABEL.fullmatch, cells))
