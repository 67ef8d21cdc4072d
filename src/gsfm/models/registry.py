"""Loading a model from a folder, and the table of families."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl

from gsfm.completion import Calibration
from gsfm.errors import ModelFormatError, require
from gsfm.models.base import FAMILIES, Model, family_named
from gsfm.models.storage import FORMAT, read_json, read_tensors, read_text

#: A fitted model, the folder of one, or None for the model that comes with gsfm.
ModelLike: TypeAlias = Model | str | Path | None
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
    folder = SHIPPED if path is None else Path(path)
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
            model.manifest = read_json(folder / "manifest.json")
        file = folder / "calibration.json"
        if file.exists():
            model.calibration = Calibration.from_json(read_json(file))
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
