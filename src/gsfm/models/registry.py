"""Loading a model from a folder, and the table of families."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TypeAlias

import polars as pl

from gsfm.errors import ModelFormatError
from gsfm.models.base import FAMILIES, Model
from gsfm.models.storage import FORMAT, load_folder, read_json

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

    Returns
    -------
    Model
        A model of the folder's family, ready to score.

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
    if path is None:
        if not SHIPPED.exists():
            raise ModelFormatError(
                "this copy of gsfm comes without a trained model; name a model folder "
                "(gsfm train makes one)"
            )
        path = SHIPPED
    folder = Path(path)
    file = folder / "config.json"
    config = read_json(file)
    family = config.get("family")
    if "format" not in config and "family" not in config:
        # The checkpoints of Clarke et al. 2026 have only the settings of their network.
        family = "published"
        missing = {"vocab_size", "d_model", "depth"} - set(config)
        if missing:
            raise ModelFormatError(
                f"{file}: neither a gsfm model (there is no 'format') nor a published checkpoint "
                f"(there is no {min(missing)!r})"
            )
    elif config.get("format") != FORMAT:
        raise ModelFormatError(
            f"{file}: format is {config.get('format')!r}; this gsfm reads {FORMAT!r}"
        )
    if not isinstance(family, str) or family not in FAMILIES:
        raise ModelFormatError(
            f"{file}: family is {family!r}; there are {', '.join(sorted(FAMILIES))}"
        )
    return load_folder(FAMILIES[family], folder, config)


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
