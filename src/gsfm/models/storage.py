"""The folder of a model: ``docs/model-format.md`` specifies it."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save_file

from gsfm.errors import ModelFormatError, require
from gsfm.io import strict_json
from gsfm.io.files import exchange, own_folder, regular_size, usual_permissions
from gsfm.models.types import Tensors

if TYPE_CHECKING:
    from gsfm.models.base import Model

FORMAT = "gsfm-model/1"
#: The NumPy kinds of numbers that a tensor may hold.
KINDS = {"f": "floats", "iu": "integers", "fiu": "numbers"}


def save(model: Model, folder: Path) -> None:
    """Write a model folder; see `Model.save`."""
    message = f"{folder} is a file; a model is saved as a folder"
    require(folder.is_dir() or not folder.exists(), message, ModelFormatError)
    ours = not folder.exists() or (folder / "config.json").exists() or not any(folder.iterdir())
    require(ours, f"{folder} is not a model folder; it is left as it is", ModelFormatError)
    lines = model._vocab_lines()
    broken = any("\n" in line or "\r" in line for line in lines)
    require(not broken, "a symbol with a line break in it cannot be saved")
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = own_folder(folder.parent, ".tmp-model-")
    new = temporary / "new"
    try:
        new.mkdir()
        write_json(new / "config.json", {"format": FORMAT, **model.config_json()})
        _write(new / "vocab.txt", "".join(f"{line}\n" for line in lines))
        tensors = {k: np.ascontiguousarray(v) for k, v in model._tensors().items()}
        save_file(tensors, new / "model.safetensors")
        usual_permissions(new / "model.safetensors")
        write_json(new / "manifest.json", model.manifest)
        if model.typical is not None:
            save_file(model.typical.tensors(), new / "typical.safetensors")
            usual_permissions(new / "typical.safetensors")
        if model.calibration is not None:
            write_json(new / "calibration.json", model.calibration.to_json())
        _put(new, folder, temporary)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _put(new: Path, folder: Path, aside: Path) -> None:
    """Rename `new` to `folder`, also if another process puts a model there at the same time.

    Where two folders cannot be exchanged, an earlier model is moved aside for a moment: if the
    process is killed then, it stays there.
    """
    old = aside / "earlier"
    for _ in range(100):
        if exchange(new, folder):
            return
        try:
            with contextlib.suppress(FileNotFoundError):
                folder.rename(old)
            new.rename(folder)
            shutil.rmtree(old, ignore_errors=True)
            return
        except BaseException as error:
            if old.exists() and not folder.exists():
                old.rename(folder)
            if not (isinstance(error, OSError) and error.errno in (errno.ENOTEMPTY, errno.EEXIST)):
                raise
            shutil.rmtree(old, ignore_errors=True)
    raise ModelFormatError(f"{folder}: other processes replace this model again and again")


def read_tensors(path: Path) -> Tensors:
    """Read all arrays of a safetensors file; ModelFormatError if it is damaged."""
    content = read_bytes(path)
    try:
        return load(content)
    # Not only SafetensorError: a dtype that NumPy lacks (bfloat16) is a KeyError or TypeError.
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ModelFormatError(f"{path}: not a readable safetensors file ({error})") from error


def take(tensors: Tensors, name: str, *shape: int | None, kinds: str = "fiu") -> NDArray[Any]:
    """Remove a tensor from `tensors` and return it, after checking its shape, type and values.

    None in `shape` stands for any length; `kinds` is a key of `KINDS`. Floats must be finite.
    """
    require(name in tensors, f"the tensor {name!r} is missing")
    tensor = tensors.pop(name)
    fits = zip(shape, tensor.shape, strict=False)
    same = len(shape) == tensor.ndim and all(want in (None, have) for want, have in fits)
    wanted = "x".join("any" if want is None else str(want) for want in shape)
    found = "x".join(map(str, tensor.shape))
    require(same, f"the tensor {name!r} has the shape {found}, not {wanted}")
    kind = tensor.dtype
    require(kind.kind in kinds, f"the tensor {name!r} holds {kind}, not {KINDS[kinds]}")
    finite = tensor.dtype.kind != "f" or np.isfinite(tensor).all()
    require(finite, f"the tensor {name!r} holds values that are not finite")
    return tensor


def vocab_lines(text: str) -> list[str]:
    """The lines of a ``vocab.txt``: one symbol each, a line break after the last."""
    lines = text.split("\n")
    if lines[-1] == "":
        del lines[-1]
    number = [*lines, ""].index("") + 1
    require(number > len(lines), f"line {number} is empty; each line holds one symbol")
    return lines


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; ModelFormatError says what is wrong with it."""
    try:
        value: dict[str, Any] = strict_json.loads(read_text(path))
        require(isinstance(value, dict), "it is no object")
    except ValueError as error:
        raise ModelFormatError(f"{path}: not JSON ({error})") from error
    return value


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write one of the JSON files of a model folder."""
    _write(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_text(path: Path) -> str:
    """Read a text file of a model folder; a missing or undecodable one is a ModelFormatError."""
    try:
        return io.TextIOWrapper(io.BytesIO(read_bytes(path)), encoding="utf-8").read()
    except UnicodeDecodeError as error:
        raise ModelFormatError(f"{path}: not UTF-8 text ({error})") from error


def read_bytes(path: Path) -> bytes:
    """Read a file of a model folder: a regular file, which is not a link out of the folder.

    It is read instead of mapped, because a mapped file that shrinks ends the process.
    """
    try:
        # Not Path.resolve, which has a RuntimeError for links that go round.
        inside = Path(os.path.realpath(path)).is_relative_to(os.path.realpath(path.parent))
        require(inside, f"{path}: a link out of the model folder: copy the file", ModelFormatError)
        regular_size(path)
        return path.read_bytes()
    except OSError as error:
        raise ModelFormatError(f"{path}: {error.strerror}; is this a model folder?") from error


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
