"""The folder of a model: ``docs/model-format.md`` specifies it."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from gsfm.completion import Calibration
from gsfm.errors import ModelFormatError
from gsfm.io.files import usual_permissions
from gsfm.models.types import Tensors

if TYPE_CHECKING:
    from gsfm.models.base import Model

FORMAT = "gsfm-model/1"


def save(model: Model, folder: Path) -> None:
    """Write a model folder; see `Model.save`."""
    if folder.exists() and not folder.is_dir():
        raise ModelFormatError(f"{folder} is a file; a model is saved as a folder")
    if folder.exists() and any(folder.iterdir()) and not (folder / "config.json").exists():
        raise ModelFormatError(f"{folder} is not a model folder; it is left as it is")
    lines = model._vocab_lines()
    if any("\n" in line or "\r" in line for line in lines):
        raise ValueError("a symbol with a line break in it cannot be saved")
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".tmp-model-"))
    new = temporary / "new"
    try:
        new.mkdir()
        write_json(new / "config.json", {"format": FORMAT, **model.config_json()})
        _write(new / "vocab.txt", "".join(f"{line}\n" for line in lines))
        tensors = {k: np.ascontiguousarray(v) for k, v in model._tensors().items()}
        save_file(tensors, new / "model.safetensors")
        usual_permissions(new / "model.safetensors")
        write_json(new / "manifest.json", model.manifest)
        if model.calibration is not None:
            write_json(new / "calibration.json", model.calibration.to_json())
        if folder.exists():
            folder.rename(temporary / "old")
        new.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def load_folder(family: type[Model], folder: Path, config: dict[str, Any]) -> Model:
    """Read a folder whose format and family are known already."""
    path = folder / "config.json"
    try:
        model = family.from_config(config)
        path = folder / "vocab.txt"
        model._vocabulary = model._read_vocab(_read(path))
        path = folder / "model.safetensors"
        tensors = _read_tensors(path)
        model._restore(tensors)
        if tensors:
            raise ValueError(f"the tensor {min(tensors)!r} is not part of a {family.family} model")
        # A checkpoint published by others has neither our format key nor a manifest.
        if "format" in config or (folder / "manifest.json").exists():
            model.manifest = read_json(folder / "manifest.json")
        path = folder / "calibration.json"
        if path.exists():
            model.calibration = Calibration.from_json(read_json(path))
    except (ValueError, RecursionError) as error:
        raise ModelFormatError(f"{path}: {error}") from error
    return model


def _read_tensors(path: Path) -> Tensors:
    try:
        return load_file(path)
    # Not only SafetensorError: a dtype that NumPy lacks (bfloat16) is a KeyError or TypeError.
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ModelFormatError(f"{path}: not a readable safetensors file ({error})") from error


def take(tensors: Tensors, name: str, *shape: int | None, kinds: str = "fiu") -> NDArray[Any]:
    """Remove a tensor from `tensors` and return it, after checking its shape, type and values.

    None in `shape` stands for any length. `kinds` are the NumPy kinds of numbers that are allowed:
    floats of any width (f), signed (i) and unsigned (u) integers. Floats must be finite.
    """
    if name not in tensors:
        raise ValueError(f"the tensor {name!r} is missing")
    tensor = tensors.pop(name)
    if len(shape) != tensor.ndim or any(
        want not in (None, have) for want, have in zip(shape, tensor.shape, strict=True)
    ):
        want_text = "x".join("any" if want is None else str(want) for want in shape)
        have_text = "x".join(map(str, tensor.shape))
        raise ValueError(f"the tensor {name!r} has the shape {have_text}, not {want_text}")
    if tensor.dtype.kind not in kinds:
        want_text = "floats" if kinds == "f" else "numbers" if "f" in kinds else "integers"
        raise ValueError(f"the tensor {name!r} holds {tensor.dtype}, not {want_text}")
    if tensor.dtype.kind == "f" and not np.isfinite(tensor).all():
        raise ValueError(f"the tensor {name!r} holds values that are not finite")
    return tensor


def vocab_lines(text: str) -> list[str]:
    """The lines of a ``vocab.txt``: one symbol each, a line break after the last."""
    lines = text.split("\n")
    if lines[-1] == "":
        del lines[-1]
    if "" in lines:
        raise ValueError(f"line {lines.index('') + 1} is empty; each line holds one symbol")
    return lines


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; ModelFormatError says what is wrong with it."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not a number of JSON")

    try:
        value = json.loads(_read(path), parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise ModelFormatError(f"{path}: not JSON ({error})") from error
    if not isinstance(value, dict):
        raise ModelFormatError(f"{path}: not a JSON object")
    return value


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write one of the JSON files of a model folder."""
    _write(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _read(path: Path) -> str:
    """Read a text file of a model folder; a missing or undecodable one is a ModelFormatError."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ModelFormatError(f"{path}: {error.strerror}; is this a model folder?") from error
    except UnicodeDecodeError as error:
        raise ModelFormatError(f"{path}: not UTF-8 text ({error})") from error


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
