"""Which term is meant by a text."""

from __future__ import annotations

import bisect
import difflib
import weakref
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gsfm.errors import UnknownTermError
from gsfm.libraries.registry import load, names
from gsfm.sets import GeneSets

#: How many terms an error names.
_SHOWN = 5


class Term(NamedTuple):
    """A term of a library."""

    library: str
    row: int  # its place among the sets of the library
    id: str
    name: str

    @property
    def genes(self) -> tuple[str, ...]:
        """Its approved symbols.

        Examples
        --------
        >>> "CHEK1" in find("GO:0006281").genes
        True
        """
        return load(self.library).genes(self.row)


def find(text: str, library: str | None = None) -> Term:
    """Find the term that is meant by an identifier or a name.

    Case and white space do not matter. In this order: the identifier, the name, the beginning of
    either. ``"reactome:DNA Repair"`` names the library too.

    Parameters
    ----------
    text
        What is looked for.
    library
        Where: the name of a library, or the path of a gene-set file; all libraries if None. An
        identifier that several of them have is taken from the first of `names`.

    Returns
    -------
    Term
        A tuple of ``library``, ``row``, ``id`` and ``name``, with ``genes``.

    Raises
    ------
    UnknownTermError
        If no term is meant, or more than one; the message names up to five that could be.
    GsfmError
        If there is no such library.

    Examples
    --------
    >>> find("GO:0006281")[:]
    ('go-bp', ..., 'GO:0006281', 'DNA repair')
    >>> find("dna repair", "reactome").id, find("reactome:dna repair").id
    ('R-HSA-73894', 'R-HSA-73894')
    >>> find("spermatogenisis", "go-bp")
    Traceback (most recent call last):
    gsfm.errors.UnknownTermError: no term 'spermatogenisis' in go-bp; like it: spermatogenesis
    (GO:0007283), ...
    """
    if library is None:
        before, colon, after = text.partition(":")
        if colon and before.strip() in names():
            library, text = before.strip(), after
    places = names() if library is None else [library]
    indices = {place: _index(load(place)) for place in places}
    wanted = _key(text)
    for among in (_Index.with_id, _Index.with_name, _Index.beginning_with):
        found = [_term(place, i) for place in places for i in among(indices[place], wanted)]
        if len(found) == 1 or _are_one(found):
            return found[0]
        if found:
            which = "an identifier" if library else "an identifier, or the library"
            shown = _shown(found, library)
            raise UnknownTermError(f"{len(found):,} terms are {text!r}: {shown}; give {which}")
    like = [_term(place, i) for place, i in _like(wanted, indices)]
    hint = f"like it: {_shown(like, library)}" if like else "and none is like it"
    raise UnknownTermError(f"no term {text!r} in {library or 'any library'}; {hint}")


def _are_one(terms: Sequence[Term]) -> bool:
    """Whether it is one identifier, once in each of several libraries."""
    places = {term.library for term in terms}
    return len(places) == len(terms) and len({_key(term.id) for term in terms}) == 1


def _term(library: str, i: int) -> Term:
    row = load(library).metadata.row(i, named=True)
    return Term(library, i, row["id"], row["name"])


def _key(text: str) -> str:
    """What is compared: without case, and with single blanks."""
    return " ".join(text.split()).casefold()


class _Index:
    """The terms of a library by identifier and name."""

    def __init__(self, sets: GeneSets) -> None:
        self.names = [_key(name) for name in sets.metadata["name"]]
        self._ids: dict[str, list[int]] = defaultdict(list)
        self._names: dict[str, list[int]] = defaultdict(list)
        for i, (key, name) in enumerate(zip(sets.metadata["id"], self.names, strict=True)):
            self._ids[_key(key)].append(i)
            self._names[name].append(i)
        self._sorted = sorted({*self._ids, *self._names})

    def with_id(self, key: str) -> Sequence[int]:
        """The terms with this identifier."""
        return self._ids.get(key, ())

    def with_name(self, key: str) -> Sequence[int]:
        """The terms with this name."""
        return self._names.get(key, ())

    def beginning_with(self, key: str) -> Sequence[int]:
        """The terms whose identifier or name begins so."""
        found: dict[int, None] = {}
        for start in range(bisect.bisect_left(self._sorted, key), len(self._sorted)):
            text = self._sorted[start]
            if not key or not text.startswith(key):
                break
            found |= dict.fromkeys([*self.with_id(text), *self.with_name(text)])
        return list(found)


_indices: weakref.WeakKeyDictionary[GeneSets, _Index] = weakref.WeakKeyDictionary()


def _index(sets: GeneSets) -> _Index:
    if sets not in _indices:
        _indices[sets] = _Index(sets)
    return _indices[sets]


def _like(key: str, indices: Mapping[str, _Index]) -> list[tuple[str, int]]:
    """Terms that could be meant: those with all words, the shortest first, then similar ones."""
    words = key.split()
    named: dict[str, tuple[str, int]] = {}
    for place, index in indices.items():
        for i, name in enumerate(index.names):
            named.setdefault(name, (place, i))
    whole = [name for name in named if words and all(word in name for word in words)]
    found = sorted(whole, key=lambda name: (len(name), name))[:_SHOWN]
    if len(found) < _SHOWN:
        found += difflib.get_close_matches(key, named, _SHOWN, cutoff=0.7)
    return [named[name] for name in dict.fromkeys(found)][:_SHOWN]


def _shown(terms: Sequence[Term], library: str | None) -> str:
    told = []
    for term in terms[:_SHOWN]:
        name = term.name if term.name == term.id else f"{term.name} ({term.id})"
        told.append(name if library else f"{term.library}: {name}")
    return ", ".join(told) + (", ..." if len(terms) > _SHOWN else "")
