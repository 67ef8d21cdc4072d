"""The terms of a library, and the genes of a term."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from gsfm.errors import count
from gsfm.genes.tables import names_of
from gsfm.libraries.registry import load
from gsfm.libraries.search import find
from gsfm.report import Report
from gsfm.version import __version__

#: Keys of the manifest of every library; null if unknown.
FACTS = ("name", "title", "release", "date", "license", "species", "source", "trained")


class Contents(Report):
    """The result of `show`: the terms of a library, or the genes of a term."""

    def summary(self) -> str:
        """Describe the library, and the term, in a few lines.

        Examples
        --------
        >>> print(show("families", "MCM").summary().splitlines()[0])
        families: FamPlex protein families and complexes, 0.0.5, 2024-07-10, CC0 1.0 (...)
        """
        library = self.provenance["library"]
        known = [library[key] for key in ("title", "release", "date", "license") if library[key]]
        lines = [f"{library['name']}: {', '.join(known)}"]
        if library["trained"] not in (None, "no"):
            lines.append(f"the shipped model was also trained on it ({library['trained']})")
        if term := self.provenance.get("term"):
            called = " ".join(dict.fromkeys([term["id"], term["name"]]))
            lines.append(f"{called}: {count(term['size'], 'gene')} {term['link']}")
            lines += [term["description"]] * bool(term["description"])
        return "\n".join(line.strip() for line in lines)


def show(name: str | Path, term: str | None = None) -> Contents:
    """Return the terms of a library, or the genes of a term.

    Parameters
    ----------
    name
        The library, as in `load`.
    term
        A term of the library, as in `find`.

    Returns
    -------
    Contents
        One row for each term (``id``, ``term``, ``size``, the number of genes), or for each gene
        (``symbol``, ``name``). The provenance describes the library, and the term.

    Raises
    ------
    GsfmError
        If there is no such library.
    UnknownTermError
        If no term matches, or several do.

    Examples
    --------
    >>> show("reactome", "Apoptosis").table["symbol"].to_list()[:3]
    ['ACIN1', 'ADD1', 'ADRM1']
    """
    library = load(name)
    facts = {**{key: library.manifest.get(key) for key in FACTS}, **library.files}
    provenance: dict[str, Any] = {"task": "library", "gsfm": __version__, "library": facts}
    if term is None:
        table = library.metadata.select("id", term="name").with_columns(size=library.sizes)
        columns = {"id": "identifier of the term", "term": "name", "size": "number of genes"}
        return Contents(table, {**provenance, "columns": columns})
    row = find(term, str(name)).row
    symbols = pl.Series("symbol", library.genes(row), dtype=pl.String)
    provenance["term"] = {**library.metadata.row(row, named=True), "size": len(symbols)}
    provenance["columns"] = {"symbol": "approved symbol", "name": "name of the gene"}
    return Contents(pl.DataFrame([symbols, names_of(symbols).alias("name")]), provenance)
