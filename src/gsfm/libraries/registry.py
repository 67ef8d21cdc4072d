"""Load a library by its name, and list the libraries."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from gsfm.errors import GsfmError, require
from gsfm.io.frames import is_frame
from gsfm.libraries import catalogue, shipped, store
from gsfm.libraries.metadata import complete
from gsfm.report import Report
from gsfm.sets import GeneSets, read
from gsfm.sets.genesets import LibraryLike
from gsfm.version import __version__

_COLUMNS = {
    "name": "the library's name",
    "terms": "number of terms (gene sets)",
    "genes": "number of genes in any of them",
    "release": "the release of the data",
    "date": "the date of the release",
    "license": "the terms of use of the data",
    "species": "species of the genes of the source; the symbols are always those of human genes",
    "trained": "the source of the library that the shipped model was also trained on; else no",
    "where": "shipped with gsfm, or added by you",
}
#: The columns of the list of all libraries.
_OF_ALL = {
    "where": "shipped, added, a view of a shipped one, to download, or to add by hand",
    "size": "bytes of the file",
    "reason": "why it does not come with gsfm",
    "command": "the command that adds it, or what to do by hand",
}
_NUMBERS = ("terms", "genes", "size")


def names() -> list[str]:
    """Return the names of all libraries: first the shipped ones, then the added ones.

    Examples
    --------
    >>> names()[:3]
    ['go-bp', 'go-mf', 'go-cc']
    """
    return [*shipped.manifests(), *store.names()]


def default_names() -> list[str]:
    """Return the libraries that verbs use if none is named: general ones, and the added ones.

    Examples
    --------
    >>> default_names()[:5]
    ['go-bp', 'go-mf', 'go-cc', 'reactome', 'families']
    """
    shown = (name for name, manifest in shipped.manifests().items() if manifest.get("default"))
    return [*shown, *store.names()]


def load(name: LibraryLike) -> GeneSets:
    """Return the library of this name, with its terms over approved symbols.

    A library is read once in a process.

    Parameters
    ----------
    name
        The name of a shipped or added library (see `names`); of a part of GO without electronic
        annotations (IEA), such as ``"go-bp-curated"``; the path of a gene-set file; a mapping
        of names to lists of identifiers, or a data frame that `gsfm.sets.read` reads, such as a
        network of decoupler. A `GeneSets` is returned as it is.

    Returns
    -------
    GeneSets
        The terms. The metadata have the columns ``name`` ("DNA repair"), ``id`` ("GO:0006281"),
        ``description``, ``link``, ``source`` (the name of the library) and ``species``. The
        manifest has name, title, release, date, license, species, source, and what was excluded.

    Raises
    ------
    GsfmError
        If there is neither a library nor a file of this name.
    FormatError
        If the file does not have the format.

    Examples
    --------
    >>> go = load("go-bp")
    >>> term = go[go.metadata["id"].to_list().index("GO:0006281")]
    >>> term.name, "BRCA1" in term.genes, term.metadata["description"][:34]
    ('DNA repair', True, 'The process of restoring DNA after')
    >>> go.manifest["date"], go.manifest["license"]
    ('2023-11-16', 'CC BY 4.0 (Gene Ontology Consortium)')
    """
    if isinstance(name, GeneSets):
        return name
    if isinstance(name, Mapping):
        require(name, "the library has no sets: it is an empty mapping", GsfmError)
        return complete(GeneSets.from_lists(name).resolve(), {"name": "gene sets"})
    if is_frame(name):
        frame: Any = name
        return complete(read(frame), {"name": "data frame"})
    if not isinstance(name, str | Path):
        message = f"a library is a name, a file, a mapping or a GeneSets, not {type(name).__name__}"
        raise TypeError(f"{message}: use gsfm.GeneSets.from_lists for lists of genes")
    if isinstance(name, str):
        if name in shipped.manifests() or name in shipped.views():
            return shipped.load(name)
        if name in store.names():
            return store.load(name)
    path = Path(name)
    if path.is_file():
        return store.read_once(path, _read)
    known = names()
    like = difflib.get_close_matches(str(name), known, 1)
    hint = f"did you mean {like[0]!r}? There are" if like else "there are"
    raise GsfmError(f"no library {str(name)!r}, and no such file: {hint} {', '.join(known)}")


def _read(path: Path) -> GeneSets:
    sets = read(path)
    library = complete(sets, {"name": path.name.split(".")[0], "source": str(path)})
    library.report = sets.report
    return library


def available(*, everything: bool = False) -> Report:
    """List the libraries.

    Parameters
    ----------
    everything
        Also list the libraries that are not here, with the reason, and the command that gets each.

    Returns
    -------
    Report
        One row for each library: ``name``, ``terms``, ``genes``, ``release``, ``date``,
        ``license``, ``species``, ``trained``, ``where`` (``shipped`` or ``added``). With
        `everything`, ``where`` may also be ``view``, ``download`` or ``by hand``, and the columns
        ``size`` (of the file, in bytes), ``reason`` and ``command`` are added.

    Examples
    --------
    >>> available().table.row(0, named=True)["where"]
    'shipped'
    """
    rows: list[dict[str, Any]] = [
        {"trained": "no", **manifest, "where": "shipped", "size": shipped.size(name)}
        for name, manifest in shipped.manifests().items()
    ]
    for name in store.names():
        own: dict[str, Any] = {"where": "added", "size": store.path(name).stat().st_size}
        rows.append({"trained": "no", **store.load(name).manifest, **own})
    columns = _COLUMNS
    if everything:
        columns = {**_COLUMNS, **_OF_ALL}
        views = (shipped.load(name).manifest for name in shipped.views())
        reason = "a part of a shipped library; --library names it"
        rows += [{"trained": "no", **view, "where": "view", "reason": reason} for view in views]
        rows += catalogue.rows()
    table = [{key: row.get(key) for key in columns} for row in rows]
    schema = {key: pl.Int64 if key in _NUMBERS else pl.String for key in columns}
    provenance = {"task": "libraries", "gsfm": __version__, "columns": columns}
    return Report(pl.DataFrame(table, schema), provenance)
