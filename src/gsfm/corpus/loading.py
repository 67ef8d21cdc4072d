"""Load a corpus by its name or file."""

from __future__ import annotations

from pathlib import Path

from gsfm.corpus.builder import build
from gsfm.corpus.shipped import embedded
from gsfm.sets import GeneSets


def load(corpus: str | Path) -> GeneSets:
    """Return the corpus of this name or file.

    Parameters
    ----------
    corpus
        ``"default"`` for the shipped corpus (see `embedded`); a ``.gsets`` file, which is mapped
        into memory; or another gene-set file or a folder of them, from which a corpus is built
        with the default settings of `build`, but without a search for near-duplicates.

    Raises
    ------
    GsfmError
        If there is no such file, or no gene set in it.
    FormatError
        If the file does not have the format.

    Examples
    --------
    >>> load("default")[0].name
    'PMID:9982'
    """
    if str(corpus) == "default":
        return embedded()
    path = Path(corpus)
    if path.suffix.lower() == ".gsets":
        return GeneSets.open(path)
    return build(path, near_duplicates=None)
