"""Load a corpus. The one in the package has a gene set for every human paper of moderate size.

The file is a safetensors container compressed with xz. The PubMed ids are ascending, and stored as
differences, like the gene ids (see `gsfm.sets.packed`). Names, links and years are derived from the
PubMed ids.
"""

from __future__ import annotations

import functools
import importlib.resources
import json
import lzma
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from gsfm.corpus.builder import build
from gsfm.corpus.sources import publications
from gsfm.errors import check_type
from gsfm.sets import GeneSets, packed

FORMAT = "gsfm-publications/1"
FILE = "publications.safetensors.xz"


@functools.lru_cache(maxsize=1)
def _shipped() -> bytes:
    return importlib.resources.files("gsfm.corpus").joinpath("data", FILE).read_bytes()


def embedded() -> GeneSets:
    """Return the corpus that is shipped with gsfm: human papers with 4 to 1000 genes.

    Each set is a paper, named by its PMID, with a link and an approximate year. Papers with the
    same genes are separate sets. The manifest has the same form as that of `build`.

    Examples
    --------
    >>> corpus = embedded()
    >>> corpus.manifest["inputs"][0]["release"], corpus.manifest["inputs"][0]["license"]
    ('NCBI Gene 2022-Sep12', 'NCBI, public domain')
    >>> corpus[corpus.names.index("PMID:7545954")].metadata["link"]
    'https://pubmed.ncbi.nlm.nih.gov/7545954'
    """
    return unpack(_shipped())


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
    check_type((str, Path), "'default' or a path", corpus=corpus)
    if str(corpus) == "default":
        return embedded()
    path = Path(corpus)
    if path.suffix.lower() == ".gsets":
        return GeneSets.open(path)
    return build(path, near_duplicates=None)


def pack(pmids: NDArray[np.int64], sets: GeneSets) -> bytes:
    """Compress the sets of papers with ascending `pmids`, with their vocabulary and manifest."""
    tensors = {"pmids": packed.planes(np.diff(pmids, prepend=0), 4), **packed.pack(sets)}
    about = {"format": FORMAT, "manifest": json.dumps(sets.manifest, sort_keys=True)}
    content = safetensors.numpy.save(tensors, about)
    # The window of this preset, 8 MB, has all of it.
    return lzma.compress(content, preset=6 | lzma.PRESET_EXTREME)


def unpack(content: bytes) -> GeneSets:
    """Undo `pack`."""
    content = lzma.decompress(content)
    tensors = safetensors.numpy.load(content)
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    manifest: dict[str, Any] = json.loads(header["__metadata__"]["manifest"])
    vocabulary, indptr, indices = packed.unpack(tensors)
    pmids = np.cumsum(packed.numbers(tensors["pmids"]))
    metadata = publications.metadata(pmids, "human")
    return GeneSets(vocabulary, indptr, indices, metadata, manifest=manifest)
