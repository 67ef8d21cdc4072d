"""The ``.gsets`` container: a safetensors file that is mapped into memory, never copied.

The layout is specified byte by byte in ``docs/gene-sets.md``.
"""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from gsfm.errors import FormatError
from gsfm.genes import Vocabulary
from gsfm.io import child, parsers, strict_json
from gsfm.io.files import atomic_path, regular_size
from gsfm.io.limits import limits
from gsfm.sets import csr
from gsfm.sets.algebra import typed

FORMAT = "gsfm-sets/1"

#: The types of a gene-set file, by their safetensors names.
_DTYPES = {"I64": "<i8", "I32": "<i4", "F32": "<f4", "U8": "u1"}

#: What polars raises on damaged files; a panic is not an Exception.
PANICS = (pl.exceptions.PolarsError, pl.exceptions.PanicException)

#: Tensors in the order of the file: the widest type first, so that each one is aligned.
_TENSORS = {
    "indptr": "I64",
    "indices": "I32",
    "member_weights": "F32",
    "vocabulary": "U8",
    "metadata": "U8",
}


def write(
    path: str | Path,
    arrays: Mapping[str, NDArray[Any]],
    symbols: Sequence[str],
    metadata: pl.DataFrame,
    manifest: Mapping[str, Any],
) -> None:
    """Write a gene-set file atomically."""
    broken = next((symbol for symbol in symbols if "\n" in symbol), None)
    if broken is not None:
        raise FormatError(path, f"the symbol {broken!r} contains a line break: rename it")
    table = io.BytesIO()
    metadata.write_parquet(table)
    tensors = {
        **arrays,
        "vocabulary": np.frombuffer("\n".join(symbols).encode(), np.uint8),
        "metadata": np.frombuffer(table.getvalue(), np.uint8),
    }
    entries: dict[str, Any] = {}
    buffers: dict[str, memoryview | bytes] = {}
    end = 0
    for name, dtype in _TENSORS.items():
        if name in tensors:
            tensor = np.ascontiguousarray(tensors[name], _DTYPES[dtype])
            start, end = end, end + tensor.nbytes
            offsets = [start, end]
            entries[name] = {"dtype": dtype, "shape": [len(tensor)], "data_offsets": offsets}
            buffers[name] = _buffer(tensor)
    about = {
        "format": FORMAT,
        "manifest": json.dumps(manifest, sort_keys=True),
        "crc32": json.dumps({name: zlib.crc32(buffer) for name, buffer in buffers.items()}),
    }
    header = {"__metadata__": about, **entries}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        stream.write(struct.pack("<Q", len(text)) + text)
        # The source may be a mapped file: write by buffer, without a copy.
        stream.writelines(buffers.values())


def _buffer(tensor: NDArray[Any]) -> memoryview | bytes:
    return tensor.data.cast("B") if tensor.size else b""


def read(path: str | Path, *, verify: bool) -> tuple[dict[str, NDArray[Any]], dict[str, Any], bool]:
    """Read a gene-set file: its tensors, its manifest, and whether it has checksums.

    A mapped file that shrinks ends the process, which nothing can catch. So files are read, which
    takes 0.1 s for 100 MB, and only one that is too large for the memory of small machines is
    mapped (see `Limits.mapped`). gsfm itself replaces files and never changes them.

    The checksums of the vocabulary and the metadata are always compared, because a damaged table
    could crash its decoder; those of the other tensors only with `verify`.
    """
    path = Path(path)
    try:
        size, held = regular_size(path), limits()
        if size > held.size:
            raise FormatError(path, held.too_large(held.size))
        if size > held.mapped:
            # The plain view: a memmap object pays for its class at every slice.
            data = np.asarray(np.memmap(path, np.uint8, mode="r"))
        else:
            data = np.fromfile(path, np.uint8)
            data.flags.writeable = False
        # This checks the header, and that the tensors fill the file without holes and overlaps.
        with safe_open(path, "np") as opened:
            about = opened.metadata() or {}
    except OSError as error:
        raise FormatError(path, error.strerror or "cannot be opened") from error
    except (SafetensorError, ValueError) as error:
        raise FormatError(path, f"not a safetensors file, or damaged ({error})") from error
    if about.get("format") != FORMAT:
        reason = f"its format is {about.get('format')!r}, not {FORMAT!r}"
        raise FormatError(path, f"a safetensors file, but not one of gene sets: {reason}")
    # A file of another writer may be without checksums.
    sums = _json_object(path, about, "crc32")
    begin = 8 + int.from_bytes(data[:8].tobytes(), "little")
    header = _json_object(path, {"header": data[8:begin].tobytes()}, "header")
    for name in sorted(header.keys() - {*_TENSORS, "__metadata__"}):
        raise FormatError(path, f"the tensor {name!r} is not part of the format")
    tensors = {}
    for name, dtype in _TENSORS.items():
        if name == "member_weights" and name not in header:
            continue
        if name not in header:
            raise FormatError(path, f"the tensor {name!r} is missing")
        start, stop = header[name].pop("data_offsets")  # checked above
        tensor = data[begin + start : begin + stop]
        shape = [len(tensor) // np.dtype(_DTYPES[dtype]).itemsize]
        if header[name] != {"dtype": dtype, "shape": shape}:
            raise FormatError(path, f"the tensor {name!r} is not a one-dimensional {dtype} tensor")
        wanted = name in sums and (verify or name in ("vocabulary", "metadata"))
        if wanted and sums[name] != zlib.crc32(_buffer(tensor)):
            raise FormatError(path, f"the tensor {name!r} is damaged: its checksum is wrong")
        tensors[name] = tensor.view(_DTYPES[dtype])
    try:
        csr.check_offsets(tensors["indptr"], tensors["indices"], tensors.get("member_weights"))
    except ValueError as error:
        raise FormatError(path, str(error)) from error
    return tensors, _json_object(path, about, "manifest"), "metadata" in sums


def _json_object(path: Path, about: Mapping[str, str | bytes], key: str) -> dict[str, Any]:
    try:
        value = strict_json.loads(about.get(key, "{}"), constants=True)
    except ValueError as error:
        raise FormatError(path, f"the {key} is not JSON ({error})") from error
    if not isinstance(value, dict):
        raise FormatError(path, f"the {key} is not a JSON object")
    return value


def read_vocabulary(path: Path, tensor: NDArray[np.uint8]) -> Vocabulary:
    """Decode the newline-joined symbols."""
    try:
        text = tensor.tobytes().decode("utf-8")
        return Vocabulary(text.split("\n") if text else ())
    except ValueError as error:
        raise FormatError(path, f"the vocabulary is not a list of symbols ({error})") from error


def read_metadata(
    path: Path, tensor: NDArray[np.uint8], n_sets: int, *, trusted: bool
) -> pl.DataFrame:
    """Decode the table of metadata, in a child unless it is trusted."""
    content = io.BytesIO(tensor.tobytes())
    try:
        if trusted:
            table = pl.read_parquet(content)
        else:
            table = pl.read_ipc(child.run(parsers.parquet, content, str(path)))
        table = typed(table)
    except (FormatError, ValueError, OSError, *PANICS) as error:
        reason = getattr(error, "reason", error)
        raise FormatError(path, f"the table of metadata is not readable ({reason})") from error
    if table.height != n_sets or table.schema.get("name") != pl.String:
        raise FormatError(path, "the table of metadata needs a row and a name for each set")
    return table
