"""The libraries in the package: a compressed file for each, and a file with their manifests.

A file is a safetensors container compressed with xz. It has the members as in `gsfm.sets.packed`,
and the names, ids and descriptions of the terms as lines. The other metadata of a term follow from
the manifest. For GO, it also has a bit for each member: whether it has only electronic annotations
(IEA). The view ``go-bp-curated`` of ``go-bp`` is without these members.
"""

from __future__ import annotations

import functools
import importlib.resources
import json
import lzma
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
import safetensors.numpy
from numpy.typing import NDArray

from gsfm.genes import Vocabulary
from gsfm.sets import GeneSets, csr, packed

#: The columns in a file; the others are derived from the manifest.
TEXTS = ("name", "id", "description")
ENDING = ".safetensors.xz"
MANIFESTS = "manifests.json"
#: Members with electronic annotations only, as bits.
ELECTRONIC = "electronic"
#: The end of the name of a view without them.
CURATED = "-curated"

_DATA = importlib.resources.files("gsfm.libraries") / "data"


@functools.cache
def manifests() -> dict[str, dict[str, Any]]:
    """The manifest of every shipped library, by name."""
    loaded: dict[str, dict[str, Any]] = json.loads((_DATA / MANIFESTS).read_text(encoding="utf-8"))
    return loaded


def size(name: str) -> int:
    """The bytes of the file of a shipped library."""
    return len((_DATA / f"{name}{ENDING}").read_bytes())


def views() -> dict[str, str]:
    """The names of the views without electronic annotations, and the library of each."""
    found = (name for name, manifest in manifests().items() if ELECTRONIC in manifest)
    return {f"{name}{CURATED}": name for name in found}


@functools.cache
def load(name: str) -> GeneSets:
    """The shipped library, or the view, of this name."""
    library = views().get(name, name)
    content, manifest = (_DATA / f"{library}{ENDING}").read_bytes(), manifests()[library]
    return unpack(content, manifest) if name == library else unpack_curated(content, manifest)


def pack(sets: GeneSets, electronic: NDArray[np.bool_] | None = None) -> bytes:
    """Compress the members and texts of a library, without its manifest."""
    texts = {f"{column}s": packed.lines(sets.metadata[column].to_list()) for column in TEXTS}
    bits = {} if electronic is None else {ELECTRONIC: np.packbits(electronic)}
    content = safetensors.numpy.save({**packed.pack(sets), **texts, **bits})
    return lzma.compress(content, preset=6 | lzma.PRESET_EXTREME)


def unpack(content: bytes, manifest: dict[str, Any]) -> GeneSets:
    """Undo `pack`."""
    return _unpack(safetensors.numpy.load(lzma.decompress(content)), manifest)


def unpack_curated(content: bytes, manifest: dict[str, Any]) -> GeneSets:
    """Undo `pack`, without the members and terms that have electronic annotations only."""
    tensors = safetensors.numpy.load(lzma.decompress(content))
    sets = _unpack(tensors, manifest)
    bits = np.unpackbits(tensors[ELECTRONIC], count=len(sets.indices)).astype(bool)
    rows = np.repeat(np.arange(len(sets)), sets.sizes)[~bits]
    sizes = np.bincount(rows, minlength=len(sets))
    indptr = csr.to_indptr(sizes)
    sets = GeneSets(
        sets.vocabulary, indptr, sets.indices[~bits], sets.metadata, manifest=sets.manifest
    )
    sets = sets[np.flatnonzero(sizes >= manifest["settings"]["min_size"])]
    used = np.flatnonzero(sets.gene_frequencies)
    sets = sets.reindex(Vocabulary(sets.vocabulary[int(gene)] for gene in used))
    facts = {
        "name": f"{manifest['name']}{CURATED}",
        "title": f"{manifest['title']}, without electronic annotations",
        "terms": len(sets),
        "genes": sets.n_genes,
        "members": len(sets.indices),
    }
    metadata = sets.metadata.with_columns(source=pl.lit(facts["name"]))
    return GeneSets(
        sets.vocabulary,
        sets.indptr,
        sets.indices,
        metadata,
        manifest={**manifest, **facts, ELECTRONIC: 0},
    )


def _unpack(tensors: Mapping[str, NDArray[Any]], manifest: dict[str, Any]) -> GeneSets:
    vocabulary, indptr, indices = packed.unpack(tensors)
    metadata = pl.DataFrame({column: packed.text(tensors[f"{column}s"]) for column in TEXTS})
    before, template, after = manifest["link"].partition("{id}")
    link = pl.lit(before) + pl.col("id") + pl.lit(after) if template else pl.lit("")
    metadata = metadata.with_columns(
        link=link,
        source=pl.lit(manifest["name"]),
        species=pl.lit(manifest["species"]),
    )
    return GeneSets(vocabulary, indptr, indices, metadata, manifest=manifest)
