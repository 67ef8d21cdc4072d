"""Public resources of gene sets: each has a module here, and an entry in `SOURCES`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from gsfm.corpus.sources import publications
from gsfm.errors import GsfmError
from gsfm.sets import GeneSets

__all__ = ["SOURCES", "Source", "get", "table"]


@dataclass(frozen=True)
class Source:
    """A public resource.

    Parameters
    ----------
    name
        The name on the command line, and the ``source`` of its sets.
    description
        Description of its sets.
    license
        Terms of use of the data.
    url
        Address of the data.
    files
        The files that can be read.
    read
        ``read(path, species=None)`` returns the sets.
    download
        ``download(path)`` downloads the current release to a file.
    """

    name: str
    description: str
    license: str
    url: str
    files: str
    read: Callable[..., GeneSets]
    download: Callable[..., Path]


SOURCES: dict[str, Source] = {
    source.name: source
    for source in (
        Source(
            name="publications",
            description="the genes of one paper, as NCBI Gene links them",
            license=publications.LICENSE,
            url=publications.URL,
            files="gene2pubmed[.gz], org.*.eg.sqlite, r-bioc-org.*.eg.db_*.deb",
            read=publications.read,
            download=publications.download,
        ),
    )
}


def get(name: str) -> Source:
    """Return the source of this name.

    Raises
    ------
    GsfmError
        If there is none; the message lists the sources.

    Examples
    --------
    >>> get("publications").license
    'NCBI, public domain'
    """
    if name not in SOURCES:
        known = ", ".join(sorted(SOURCES))
        raise GsfmError(f"unknown source {name!r}: the known sources are {known}")
    return SOURCES[name]


def table() -> pl.DataFrame:
    """Return the sources as a table: name, description, license, url, files.

    Examples
    --------
    >>> table()["name"].to_list()
    ['publications']
    """
    columns = ("name", "description", "license", "url", "files")
    return pl.DataFrame([{c: getattr(source, c) for c in columns} for source in SOURCES.values()])
