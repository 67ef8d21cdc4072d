"""The corpus inside the package: a gene set for every human paper with a handful of genes.

The file is a safetensors container compressed with xz. The PubMed ids are ascending, and so are
the gene ids within a set, so both are stored as differences; the bytes of one significance lie
together, which compresses best. Names, links and years follow from the PubMed ids.
"""

from __future__ import annotations

import functools
import importlib.resources
import json
import lzma
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from gsfm.corpus.sources import publications
from gsfm.genes import Vocabulary
from gsfm.sets import GeneSets

FORMAT = "gsfm-publications/1"
FILE = "publications.safetensors.xz"


@functools.lru_cache(maxsize=1)
def _shipped() -> bytes:
    return importlib.resources.files("gsfm.corpus").joinpath("data", FILE).read_bytes()


def embedded() -> GeneSets:
    """Return the corpus that is shipped with gsfm: human papers with 4 to 1000 genes.

    Each set is a paper, named by its PMID, with a link and an approximate year. Papers with the
    same genes are kept apart. The manifest has the form of that of `build`.

    Examples
    --------
    >>> corpus = embedded()
    >>> corpus.manifest["inputs"][0]["release"], corpus.manifest["inputs"][0]["licence"]
    ('NCBI Gene 2022-Sep12', 'NCBI, public domain')
    >>> corpus[corpus.names.index("PMID:7545954")].metadata["link"]
    'https://pubmed.ncbi.nlm.nih.gov/7545954'
    """
    return unpack(_shipped())


def pack(pmids: NDArray[np.int64], sets: GeneSets) -> bytes:
    """Compress the sets of papers with ascending `pmids`, with their vocabulary and manifest."""
    deltas = np.diff(sets.indices, prepend=np.int32(0))
    starts = sets.indptr[:-1][sets.sizes > 0]
    deltas[starts] = sets.indices[starts]  # the first gene of a set counts from zero
    tensors = {
        "pmids": _planes(np.diff(pmids, prepend=0), 4),
        "sizes": _planes(sets.sizes, 2),
        "genes": _planes(deltas, 2),
        "vocabulary": np.frombuffer("\n".join(sets.vocabulary).encode(), np.uint8),
    }
    about = {"format": FORMAT, "manifest": json.dumps(sets.manifest, sort_keys=True)}
    content = safetensors.numpy.save(tensors, about)
    return lzma.compress(content, preset=6 | lzma.PRESET_EXTREME)  # looks back 8 MB: all of it


def unpack(content: bytes) -> GeneSets:
    """Undo `pack`."""
    content = lzma.decompress(content)
    tensors = safetensors.numpy.load(content)
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    manifest: dict[str, Any] = json.loads(header["__metadata__"]["manifest"])
    sizes = _numbers(tensors["sizes"])
    indptr = np.concatenate([[0], np.cumsum(sizes)])
    genes = np.cumsum(_numbers(tensors["genes"]))
    # The running sum goes on from set to set: take off what the sets before have added.
    before = np.concatenate([[0], genes])[indptr[:-1]]
    indices = (genes - np.repeat(before, sizes)).astype(np.int32)
    pmids = np.cumsum(_numbers(tensors["pmids"]))
    return GeneSets(
        Vocabulary(tensors["vocabulary"].tobytes().decode().split("\n")),
        indptr,
        indices,
        publications.metadata(pmids, "human"),
        manifest=manifest,
    )


def _planes(numbers: NDArray[Any], width: int) -> NDArray[np.uint8]:
    """(width, n) the bytes of whole numbers, the lowest of each first."""
    if len(numbers) and (numbers.min() < 0 or numbers.max() >= 1 << (8 * width)):
        raise ValueError(f"a number does not fit {width} bytes")
    shifts = 8 * np.arange(width)[:, None]
    return (numbers.astype(np.int64) >> shifts & 255).astype(np.uint8)


def _numbers(planes: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(n,) the whole numbers whose bytes are the (width, n) planes."""
    total = np.zeros(planes.shape[1], np.int64)
    for shift, plane in enumerate(planes):
        total |= plane.astype(np.int64) << (8 * shift)
    return total
