"""Search for a term by its identifier or name."""

from __future__ import annotations

import bisect
import difflib
import functools
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from gsfm.errors import UnknownTermError, check_type, join_names
from gsfm.libraries import catalogue, shipped
from gsfm.libraries.metadata import complete
from gsfm.libraries.registry import load, names
from gsfm.sets import GeneSets
from gsfm.sets.genesets import LibraryLike

#: How many terms an error names.
_SHOWN = 5
#: The stages of a search that compare whole texts: identifiers, then names.
_WHOLE = 2


class Term(NamedTuple):
    """A term of a library."""

    library: str | GeneSets  # its name or file, or the gene sets that were given
    row: int  # of the sets of the library
    id: str
    name: str
    #: Terms of other libraries with the same name, and which library has them.
    others: tuple[str, ...] = ()

    @property
    def genes(self) -> tuple[str, ...]:
        """The approved symbols of its genes.

        Examples
        --------
        >>> "CHEK1" in find("GO:0006281").genes
        True
        """
        return load(self.library).genes(self.row)


def find(text: str, library: LibraryLike | None = None) -> Term:
    """Find a term by its identifier or name.

    Case and white space do not matter. The text is compared with the identifiers, then with the
    names, then with the beginnings of both. ``"reactome:DNA Repair"`` names the library, too.

    If several libraries have a term of this name, the best one is found: a name with the same case
    first, then the terms of libraries that were added, then those of the order of `names`. The
    others are listed in ``others``.

    Parameters
    ----------
    text
        The identifier or name.
    library
        A library of any kind that `load` takes; all libraries if None. If several have the
        identifier, the first one of `names` is used.

    Returns
    -------
    Term
        A tuple of ``library``, ``row``, ``id``, ``name`` and ``others``, with ``genes``.

    Raises
    ------
    UnknownTermError
        If no term matches, or several do; the message names up to five candidates.
    GsfmError
        If there is no such library.

    Examples
    --------
    >>> find("DNA repair")[:]
    ('go-bp', ..., 'GO:0006281', 'DNA repair', ('reactome: DNA Repair (R-HSA-73894)',))
    >>> find("dna repair", "reactome").id, find("reactome:dna repair").id
    ('R-HSA-73894', 'R-HSA-73894')
    >>> find("spermatogenisis", "go-bp")
    Traceback (most recent call last):
    gsfm.errors.UnknownTermError: no term 'spermatogenisis' in go-bp; like it: spermatogenesis
    (GO:0007283), ...
    """
    own, key, indices = _places(text, library)
    for i, found in enumerate(_stages(key, indices)):
        # Several libraries may have the same identifier, or the same name.
        one_each = len({term.library for term in found}) == len(found)
        if len(found) == 1 or (one_each and len({_key(term.id) for term in found}) == 1):
            return found[0]
        if found and one_each and i < _WHOLE:
            first, *others = sorted(found, key=lambda term: _preference(term, text))
            return first._replace(others=tuple(_labels(others, None)))
        if found:
            which = "an identifier" if own is not None else "an identifier, or the library"
            listed = _listed(found, own)
            raise UnknownTermError(f"{len(found):,} terms are {text!r}: {listed}; give {which}")
    similar = [_term(name, i) for name, i in _similar(key, indices)]
    hint = f"like it: {_listed(similar, own)}" if similar else "and none is like it"
    where = "any library" if own is None else own if isinstance(own, str) else "the gene sets"
    steps = catalogue.hint(text) if own is None else ""
    raise UnknownTermError(f"no term {text!r} in {where}; {steps or hint}")


def called(text: str, library: LibraryLike | None = None) -> list[Term]:
    """The terms whose identifier or name is a text, as `find` compares them."""
    _, key, indices = _places(text, library)
    first = itertools.islice(_stages(key, indices), _WHOLE)
    return list(dict.fromkeys(term for found in first for term in found))


def _places(
    text: str, library: LibraryLike | None
) -> tuple[str | GeneSets | None, str, dict[str | GeneSets, _Index]]:
    """The one library to search, if it is one; the text to search for; the indices to search."""
    check_type(str, "one text, the name or identifier of a term", term=text)
    own: str | GeneSets | None = str(library) if isinstance(library, Path) else library  # type: ignore[assignment]
    if own is not None and not isinstance(own, str):
        own = _completed(load(own))
    before, colon, after = text.partition(":")
    if colon and before.strip() in (names() if own is None else [own]):
        own, text = before.strip(), after
    searched: list[str | GeneSets] = [*names()] if own is None else [own]
    return own, _key(text), {name: _index(load(name)) for name in searched}


def _stages(key: str, indices: Mapping[str | GeneSets, _Index]) -> Iterator[list[Term]]:
    """The terms of all indices that match, by each of the stages of `_Index.matches`."""
    for stage in zip(*(index.matches(key) for index in indices.values()), strict=True):
        yield [_term(name, i) for name, rows in zip(indices, stage, strict=True) for i in rows]


@functools.lru_cache(maxsize=8)
def _completed(sets: GeneSets) -> GeneSets:
    """Gene sets with the metadata of a library."""
    return sets if "id" in sets.metadata.columns else complete(sets, {"name": "gene sets"})


def _term(library: str | GeneSets, i: int) -> Term:
    row = load(library).metadata.row(i, named=True)
    return Term(library, i, row["id"], row["name"])


def _key(text: str) -> str:
    """The text for comparison: without case, and with single spaces."""
    return " ".join(text.split()).casefold()


class _Index:
    """The terms of a library by identifier and name."""

    def __init__(self, sets: GeneSets) -> None:
        self.names = [_key(name) for name in sets.metadata["name"]]
        self._ids: dict[str, list[int]] = defaultdict(list)
        self._names: dict[str, list[int]] = defaultdict(list)
        for i, (key, name) in enumerate(zip(sets.metadata["id"], self.names, strict=True)):
            if _key(key) != name:  # else there is no identifier
                self._ids[_key(key)].append(i)
            self._names[name].append(i)
        self._sorted = sorted({*self._ids, *self._names})

    def matches(self, key: str) -> Iterator[Iterable[int]]:
        """The terms with this identifier; with this name; whose identifier or name begins so."""
        ids, names = self._ids, self._names
        yield ids.get(key, ())
        yield names.get(key, ())
        start = bisect.bisect_left(self._sorted, key) if key else len(self._sorted)
        after = itertools.islice(self._sorted, start, None)
        texts = itertools.takewhile(lambda text: text.startswith(key), after)
        yield dict.fromkeys(i for t in texts for i in (*ids.get(t, ()), *names.get(t, ())))


#: The index of a library; it is made once.
_index = functools.lru_cache(maxsize=64)(_Index)


def _similar(
    key: str, indices: Mapping[str | GeneSets, _Index]
) -> list[tuple[str | GeneSets, int]]:
    """Terms with all words of the text, the shortest ones first, then similar names."""
    words = key.split()
    named: dict[str, tuple[str | GeneSets, int]] = {}
    for library, index in indices.items():
        for i, name in enumerate(index.names):
            named.setdefault(name, (library, i))
    whole = [name for name in named if words and all(word in name for word in words)]
    found = sorted(whole, key=lambda name: (len(name), name))[:_SHOWN]
    if len(found) < _SHOWN:
        found += difflib.get_close_matches(key, named, _SHOWN, cutoff=0.7)
    return [named[name] for name in dict.fromkeys(found)][:_SHOWN]


def _preference(term: Term, text: str) -> tuple[bool, bool]:
    """The key that sorts terms of the same name by library, the best first."""
    is_shipped = isinstance(term.library, str) and term.library in shipped.manifests()
    return " ".join(text.split()) not in (term.name, term.id), is_shipped


def _listed(terms: Sequence[Term], library: str | GeneSets | None) -> str:
    return join_names(_labels(terms, library), _SHOWN)


def _labels(terms: Sequence[Term], library: str | GeneSets | None) -> list[str]:
    labels = [t.name if t.name == t.id else f"{t.name} ({t.id})" for t in terms]
    if library is None:
        labels = [f"{term.library}: {label}" for term, label in zip(terms, labels, strict=True)]
    return labels
