"""Loading a model from a folder, its description, and the table of families."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl

from gsfm.completion import Calibration
from gsfm.errors import ModelFormatError, check_type, require
from gsfm.models import typical
from gsfm.models.base import FAMILIES, Model, family_named
from gsfm.models.storage import FORMAT, read_json, read_tensors, read_text
from gsfm.report import Report

#: A fitted model, the folder of one, or None for the model that comes with gsfm.
ModelLike: TypeAlias = Model | str | Path | None
SHORT = 4  # entries of a list that a description shows separately
#: The model that comes with the package.
SHIPPED = Path(__file__).parent / "shipped"


def load(path: str | Path | None = None) -> Model:
    """Load a saved model.

    Parameters
    ----------
    path
        A model folder; the model that comes with gsfm if None.

    Raises
    ------
    ModelFormatError
        If the folder is incomplete or inconsistent; the message names the file and the field.

    Examples
    --------
    >>> import tempfile
    >>> from gsfm.models import Popularity
    >>> from gsfm.sets import GeneSets
    >>> folder = Path(tempfile.mkdtemp()) / "model"
    >>> Popularity().fit(GeneSets.from_lists([["TP53", "MDM2"], ["TP53"]])).save(folder)
    >>> load(folder).vocabulary.symbols
    ('MDM2', 'TP53')
    """
    message = "this copy of gsfm comes without a trained model; name a model folder"
    require(path is not None or SHIPPED.exists(), message, ModelFormatError)
    wrong = f"a model is a fitted model or a model folder, not {type(path).__name__}"
    require(path is None or isinstance(path, str | Path), wrong, TypeError)
    folder = SHIPPED if path is None else Path(path)
    while True:
        before = _identity(folder)
        try:
            model = _load(folder)
        except ModelFormatError:
            if _identity(folder) == before:
                raise
        else:
            if _identity(folder) == before:
                return model
        # Another process has saved a model here meanwhile.


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        state = folder.stat()
    except OSError:
        return None
    return state.st_ino, state.st_mtime_ns


def _load(folder: Path) -> Model:
    config = read_json(file := folder / "config.json")
    try:
        family = _family(config)
        model = family.from_config(config)
        model._vocabulary = model._read_vocab(read_text(file := folder / "vocab.txt"))
        tensors = read_tensors(file := folder / "model.safetensors")
        model._restore(tensors)
        surplus = min(tensors, default=None)
        require(not tensors, f"the tensor {surplus!r} is not part of a {family.family} model")
        # A checkpoint published by others has neither our format key nor a manifest.
        if "format" in config or (folder / "manifest.json").exists():
            model.manifest = read_json(file := folder / "manifest.json")
            for key in ("calibration", "corpus", "training", "typical"):
                require(isinstance(model.manifest.get(key, {}), dict), f"{key} must be an object")
        file = folder / "calibration.json"
        if os.path.lexists(file):
            model.calibration = Calibration.from_json(read_json(file))
        file = folder / "typical.safetensors"
        if os.path.lexists(file):
            source = str((model.manifest.get("typical") or {}).get("source", "unknown"))
            tensors = read_tensors(file)
            model.typical = typical.restore(tensors, len(model.vocabulary), source)
            surplus = min(tensors, default=None)
            require(not tensors, f"the tensor {surplus!r} is not known")
    except (ValueError, RecursionError) as error:
        raise ModelFormatError(f"{file}: {error}") from error
    return model


def _family(config: dict[str, Any]) -> type[Model]:
    """The family of ``config.json``."""
    if "format" not in config and "family" not in config:
        # The checkpoints of Clarke et al. 2026 have only the settings of their network.
        missing = sorted({"vocab_size", "d_model", "depth"} - set(config))
        message = f"there is no 'format', as in a gsfm model, nor {missing}, as published"
        require(not missing, message)
        return FAMILIES["published"]
    found = config.get("format")
    require(found == FORMAT, f"format is {found!r}; this gsfm reads {FORMAT!r}")
    return family_named(config.get("family"))


def load_model(model: ModelLike = None) -> Model:
    """Return a model itself, the model of a folder, or the shipped model, which is loaded once.

    Examples
    --------
    >>> load_model() is load_model()
    True
    """
    if isinstance(model, Model):
        return model
    return _shipped() if model is None else load(model)


@functools.cache
def _shipped() -> Model:
    return load()


def families() -> pl.DataFrame:
    """Return the table of model families: name, description, paper, whether fitting needs torch.

    Examples
    --------
    >>> families().filter(pl.col("name") == "linear")["paper"].item()
    'Steck, WWW 2019, doi:10.1145/3308558.3313710'
    """
    fields = ("description", "paper", "fit_needs_torch")
    return pl.DataFrame(
        {"name": name, **{field: getattr(family, field) for field in fields}}
        for name, family in sorted(FAMILIES.items())
    )


def describe(model: Model) -> Report:
    """Describe a model: family, size, settings, and the manifest of its training.

    Parameters
    ----------
    model
        A fitted or loaded model.

    Returns
    -------
    Report
        A table of ``field`` and ``value`` (text); a field inside another is ``outer.inner``, the
        first entry of a list ``list.0``. Of a long list only the number of entries is shown. The
        provenance is the model's manifest.

    Examples
    --------
    >>> from gsfm.models import Popularity
    >>> from gsfm.sets import GeneSets
    >>> model = Popularity().fit(GeneSets.from_lists([["TP53", "MDM2"], ["TP53"]]))
    >>> dict(describe(model).table.rows())["corpus.members"]
    '3'
    """
    check_type(Model, "a model, such as of gsfm.load", model=model)
    fields = {
        "family": model.family,
        "description": model.description,
        "paper": model.paper,
        "genes": len(model.vocabulary),
        "parameters": model.n_parameters,
        **dict(_flat(_settings(model), "config.")),
        **dict(_flat({k: v for k, v in model.manifest.items() if k not in ("family", "config")})),
    }
    rows = [(name, "" if value is None else str(value)) for name, value in fields.items()]
    schema = {"field": pl.String, "value": pl.String}
    return Report(pl.DataFrame(rows, schema=schema, orient="row"), model.manifest)


def _settings(model: Model) -> dict[str, Any]:
    """The settings of a model; of each member of an ensemble its family, weight and settings."""
    settings = dict(vars(model.config))
    members = settings.pop("members", ())
    for i, (weight, member) in enumerate(zip(settings.get("weights", ()), members, strict=True)):
        own = {key: value for key, value in member.items() if key != "family"}
        settings[f"members.{i}"] = {"family": member["family"], "weight": weight, **own}
    return settings


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, item in value.items():
        if isinstance(item, list | tuple) and any(isinstance(one, Mapping) for one in item):
            short = len(item) <= SHORT
            item = {str(i): one for i, one in enumerate(item)} if short else f"{len(item)} entries"
        if isinstance(item, Mapping):
            yield from _flat(item, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", item
