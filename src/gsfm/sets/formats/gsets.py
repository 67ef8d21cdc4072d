"""The ``.gsets`` container: a safetensors file that is mapped into memory, never copied.

The layout is specified byte by byte in ``docs/gene-sets.md``. The header is read by the rules of
the safetensors format itself, and no offset is used before it is checked.
"""

from __future__ import annotations

import io
import json
import math
import struct
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gsfm.errors import FormatError
from gsfm.genes import Vocabulary
from gsfm.io.files import atomic_path

FORMAT = "gsfm-sets/1"

#: The safetensors names of the types that a gene-set file uses.
_DTYPES: dict[str, np.dtype[Any]] = {
    "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"),
    "F32": np.dtype("<f4"),
    "U8": np.dtype("u1"),
}
_SHORT = {dtype: name for name, dtype in _DTYPES.items()}

#: Tensors in the order of the file: the widest type first, so that each one is aligned.
_TENSORS = {
    "indptr": "I64",
    "indices": "I32",
    "member_weights": "F32",
    "vocabulary": "U8",
    "metadata": "U8",
}
_MAX_HEADER = 100_000_000


def write(
    path: str | Path,
    arrays: Mapping[str, NDArray[Any]],
    symbols: Sequence[str],
    metadata: pl.DataFrame,
    manifest: Mapping[str, Any],
) -> None:
    """Write a gene-set file, whole or not at all."""
    broken = next((symbol for symbol in symbols if "\n" in symbol), None)
    if broken is not None:
        raise FormatError(path, f"the symbol {broken!r} holds a line break: rename it")
    table = io.BytesIO()
    metadata.write_parquet(table)
    tensors = {
        **arrays,
        "vocabulary": np.frombuffer("\n".join(symbols).encode(), np.uint8),
        "metadata": np.frombuffer(table.getvalue(), np.uint8),
    }
    ordered = {
        name: np.ascontiguousarray(tensors[name], _DTYPES[short])
        for name, short in _TENSORS.items()
        if name in tensors
    }
    about = {
        "format": FORMAT,
        "manifest": json.dumps(manifest, sort_keys=True),
        "crc32": json.dumps({name: _crc32(tensor) for name, tensor in ordered.items()}),
    }
    header: dict[str, Any] = {"__metadata__": about}
    end = 0
    for name, tensor in ordered.items():
        start, end = end, end + tensor.nbytes
        header[name] = {
            "dtype": _TENSORS[name],
            "shape": list(tensor.shape),
            "data_offsets": [start, end],
        }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        stream.write(struct.pack("<Q", len(text)))
        stream.write(text)
        for tensor in ordered.values():
            # A mapped file may be the source: write by buffer, never through a copy.
            stream.write(_buffer(tensor))


def _buffer(tensor: NDArray[Any]) -> memoryview | bytes:
    return tensor.data.cast("B") if tensor.size else b""


def _crc32(tensor: NDArray[Any]) -> int:
    return zlib.crc32(_buffer(tensor))


def read(path: str | Path, *, verify: bool) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Map a gene-set file: its tensors (views of the file), and its manifest.

    The checksums of the vocabulary and the metadata are always compared, for a damaged table could
    bring its decoder down; those of the others with `verify`.
    """
    path = Path(path)
    data = _map(path)
    header, start = _header(path, data)
    about = header.pop("__metadata__", {})
    if not isinstance(about, dict) or not all(isinstance(v, str) for v in about.values()):
        raise FormatError(path, "the header's __metadata__ is not a map of strings")
    if about.get("format") != FORMAT:
        raise FormatError(
            path,
            f"this is a safetensors file, but not a collection of gene sets: its format is "
            f"{about.get('format')!r}, not {FORMAT!r}",
        )
    manifest = _json_object(path, about, "manifest")
    sums = _json_object(path, about, "crc32")
    tensors = _tensors(path, header, data[start:])
    for name, short in _TENSORS.items():
        if name not in tensors and name != "member_weights":
            raise FormatError(path, f"the tensor {name!r} is missing")
        if name in tensors and (_SHORT.get(tensors[name].dtype) != short or tensors[name].ndim > 1):
            raise FormatError(path, f"the tensor {name!r} is not a row of {short}")
    unknown = sorted(set(tensors) - set(_TENSORS))
    if unknown:
        raise FormatError(path, f"the tensor {unknown[0]!r} is not part of the format")
    for name, tensor in tensors.items():
        # A file of another writer may be without checksums.
        wanted = name in sums and (verify or name in ("vocabulary", "metadata"))
        if wanted and sums[name] != _crc32(tensor):
            raise FormatError(path, f"the tensor {name!r} is damaged: its checksum is wrong")
    _cheap_checks(path, tensors)
    return tensors, manifest


def _json_object(path: Path, about: Mapping[str, str], key: str) -> dict[str, Any]:
    try:
        value = json.loads(about.get(key, "{}"))
    except (ValueError, RecursionError) as error:
        raise FormatError(path, f"the {key} is not JSON ({error})") from error
    if not isinstance(value, dict):
        raise FormatError(path, f"the {key} is not a JSON object")
    return value


def _map(path: Path) -> NDArray[np.uint8]:
    try:
        if path.stat().st_size < 10:
            raise FormatError(path, "too short for a gene-set file")
        # The plain view: a memmap object pays for its class at every slice.
        return np.asarray(np.memmap(path, np.uint8, mode="r"))
    except OSError as error:
        raise FormatError(path, error.strerror or "cannot be opened") from error


def _header(path: Path, data: NDArray[np.uint8]) -> tuple[dict[str, Any], int]:
    (length,) = struct.unpack("<Q", data[:8].tobytes())
    if length > _MAX_HEADER or length > len(data) - 8 or data[8] != ord("{"):
        raise FormatError(path, "not a gene-set file: it does not begin with a safetensors header")
    try:
        header = json.loads(data[8 : 8 + length].tobytes(), object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError) as error:
        raise FormatError(path, f"the safetensors header is not valid JSON ({error})") from error
    if not isinstance(header, dict):
        raise FormatError(path, "the safetensors header is not an object")
    return header, 8 + length


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key occurs twice")
    return result


def _tensors(
    path: Path, header: Mapping[str, Any], data: NDArray[np.uint8]
) -> dict[str, NDArray[Any]]:
    """Views of the tensors; together they must cover the file with no hole and no overlap."""
    spans = []
    for name, entry in header.items():
        where = f"the header's entry for {name!r}"
        if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
            raise FormatError(path, f"{where} needs exactly dtype, shape and data_offsets")
        shape, offsets = entry["shape"], entry["data_offsets"]
        if not _is_sizes(shape) or not _is_sizes(offsets) or len(offsets) != 2:
            raise FormatError(path, f"{where} has a shape or offsets that are not whole numbers")
        if not isinstance(entry["dtype"], str) or entry["dtype"] not in _DTYPES:
            raise FormatError(path, f"{where} has the type {entry['dtype']!r}, which is not used")
        dtype = _DTYPES[entry["dtype"]]
        if offsets[1] - offsets[0] != math.prod(shape) * dtype.itemsize:
            raise FormatError(path, f"{where}: its offsets do not fit its shape")
        spans.append((offsets[0], offsets[1], name, shape, dtype))
    tensors = {}
    end = 0
    for start, stop, name, shape, dtype in sorted(spans, key=lambda span: span[:2]):
        if start != end or stop > len(data):
            raise FormatError(path, f"the bytes of the tensor {name!r} are not where they must be")
        tensors[name] = data[start:stop].view(dtype).reshape(shape)
        end = stop
    if end != len(data):
        raise FormatError(
            path, f"{len(data) - end} bytes belong to no tensor; is it cut or joined?"
        )
    return tensors


def _is_sizes(value: object) -> bool:
    # bool is a subclass of int: ask for the type itself.
    return isinstance(value, list) and all(type(v) is int and v >= 0 for v in value)


def _cheap_checks(path: Path, tensors: Mapping[str, NDArray[Any]]) -> None:
    """What can be known without walking over the members."""
    indptr, indices = tensors["indptr"], tensors["indices"]
    if len(indptr) == 0 or indptr[0] != 0 or indptr[-1] != len(indices):
        raise FormatError(path, "indptr does not start at 0 and end at the number of members")
    if (indptr[1:] < indptr[:-1]).any():
        raise FormatError(path, "indptr decreases")
    if "member_weights" in tensors and len(tensors["member_weights"]) != len(indices):
        raise FormatError(path, "member_weights has not one weight a member")


def read_vocabulary(path: Path, tensor: NDArray[np.uint8]) -> Vocabulary:
    """Decode the newline-joined symbols."""
    try:
        text = tensor.tobytes().decode("utf-8")
        return Vocabulary(text.split("\n") if text else ())
    except ValueError as error:
        raise FormatError(path, f"the vocabulary is not a list of symbols ({error})") from error


def read_metadata(path: Path, tensor: NDArray[np.uint8], n_sets: int) -> pl.DataFrame:
    """Decode the table of metadata."""
    try:
        table = pl.read_parquet(io.BytesIO(tensor.tobytes()))
    # Polars answers some damaged files with a panic, which is no Exception.
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
        raise FormatError(path, f"the table of metadata is not readable ({error})") from error
    if table.height != n_sets or table.schema.get("name") != pl.String:
        raise FormatError(path, "the table of metadata has not one row and a name for each set")
    return table
