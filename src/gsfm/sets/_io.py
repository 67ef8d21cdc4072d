"""Reading and writing collections in every usual format."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from gsfm.genes._resolve import Species
from gsfm.sets._genesets import GeneSets
from gsfm.sets._gmt import read_gmt
from gsfm.sets._raw import finish
from gsfm.sets._streams import open_source


def read(
    path: str | Path | BinaryIO,
    *,
    format: str | None = None,
    resolve: bool = True,
    species: Species | None = None,
) -> GeneSets:
    """Read a collection of gene sets from a file."""
    with open_source(path) as source:
        raw = read_gmt(source)
        return finish(raw, source.name, "gmt", resolve=resolve, species=species)
