"""The libraries in the package: a compressed file for each, and a file with their manifests.

A file is a safetensors container compressed with xz. It has the members as in `gsfm.sets.packed`,
and the names, ids and descriptions of the terms as lines. The other metadata of a term follow from
the manifest.
"""

from __future__ import annotations

import functools
import importlib.resources
import json
import lzma
from typing import Any

import polars as pl
import safetensors.numpy

from gsfm.sets import GeneSets, packed

#: The columns in a file; the others are derived from the manifest.
TEXTS = ("name", "id", "description")
ENDING = ".safetensors.xz"
MANIFESTS = "manifests.json"

_DATA = importlib.resources.files("gsfm.libraries") / "data"


@functools.cache
def manifests() -> dict[str, dict[str, Any]]:
    """The manifest of every shipped library, by name."""
    loaded: dict[str, dict[str, Any]] = json.loads((_DATA / MANIFESTS).read_text(encoding="utf-8"))
    return loaded


@functools.cache
def load(name: str) -> GeneSets:
    """The shipped library of this name."""
    return unpack((_DATA / f"{name}{ENDING}").read_bytes(), manifests()[name])


def pack(sets: GeneSets) -> bytes:
    """Compress the members and texts of a library, without its manifest."""
    texts = {f"{column}s": packed.lines(sets.metadata[column].to_list()) for column in TEXTS}
    content = safetensors.numpy.save({**packed.pack(sets), **texts})
    return lzma.compress(content, preset=6 | lzma.PRESET_EXTREME)


def unpack(content: bytes, manifest: dict[str, Any]) -> GeneSets:
    """Undo `pack`."""
    tensors = safetensors.numpy.load(lzma.decompress(content))
    vocabulary, indptr, indices = packed.unpack(tensors)
    metadata = pl.DataFrame({column: packed.text(tensors[f"{column}s"]) for column in TEXTS})
    before, _, after = manifest["link"].partition("{id}")
    metadata = metadata.with_columns(
        link=pl.lit(before) + pl.col("id") + pl.lit(after),
        source=pl.lit(manifest["name"]),
        species=pl.lit(manifest["species"]),
    )
    return GeneSets(vocabulary, indptr, indices, metadata, manifest=manifest)
