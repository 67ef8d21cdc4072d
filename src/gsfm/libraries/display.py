"""What is in a library, and in a term."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from gsfm import genes
from gsfm.libraries.registry import load
from gsfm.libraries.search import find
from gsfm.report import Report
from gsfm.version import __version__

#: What the manifest of every library says; null where it is not known.
FACTS = ("name", "title", "release", "date", "license", "species", "source")


class Contents(Report):
    """The terms of a library, or the genes of a term, as `show` gives them."""

    def summary(self) -> str:
        """What the library is, and the term, in a few lines.

        Examples
        --------
        >>> print(show("families", "MCM").summary().splitlines()[0])
        families: FamPlex protein families and complexes, 0.0.5, 2024-07-10, CC0 1.0 (...)
        """
        library = self.provenance["library"]
        known = [library[key] for key in ("title", "release", "date", "license") if library[key]]
        lines = [f"{library['name']}: {', '.join(known)}"]
        if term := self.provenance.get("term"):
            called = " ".join(dict.fromkeys([term["id"], term["name"]]))
            lines.append(f"{called}: {term['size']:,} genes {term['link']}")
            lines += [term["description"]] * bool(term["description"])
        return "\n".join(line.strip() for line in lines)


def show(name: str | Path, term: str | None = None) -> Contents:
    """Say which terms a library has, or which genes a term has.

    Parameters
    ----------
    name
        The library, as `load` takes it.
    term
        A term of it, as `find` takes it.

    Returns
    -------
    Contents
        One row a term (``id``, ``term``, ``size``, the number of genes), or one a gene
        (``symbol``, ``name``). The provenance says what the library, and the term, is.

    Raises
    ------
    GsfmError
        If there is no such library.
    UnknownTermError
        If no term, or more than one, is meant.

    Examples
    --------
    >>> show("reactome", "Apoptosis").table["symbol"].to_list()[:3]
    ['ACIN1', 'ADD1', 'ADRM1']
    """
    library = load(name)
    about = {
        "task": "library",
        "gsfm": __version__,
        "library": {key: library.manifest.get(key) for key in FACTS},
    }
    if term is None:
        table = library.metadata.select("id", term="name").with_columns(size=library.sizes)
        columns = {
            "id": "the term's identifier at its source",
            "term": "its name",
            "size": "its genes",
        }
        return Contents(table, {**about, "columns": columns})
    found = find(term, str(name))
    row = library.metadata.row(found.row, named=True)
    symbols = library.genes(found.row)
    table = pl.DataFrame({"symbol": symbols}, {"symbol": pl.String})
    table = table.join(
        genes.table().select("symbol", "name"), on="symbol", how="left", maintain_order="left"
    )
    columns = {"symbol": "approved symbol", "name": "the gene's name"}
    return Contents(table, {**about, "term": {**row, "size": len(symbols)}, "columns": columns})
