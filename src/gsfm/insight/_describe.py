"""What a model is and what trained it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from gsfm._report import Report

if TYPE_CHECKING:
    from gsfm.models import Model


def describe(model: Model) -> Report:
    """Describe a model: family, size, settings, and the manifest of what trained it.

    Parameters
    ----------
    model
        A fitted or loaded model.

    Returns
    -------
    Report
        A table of ``field`` and ``value`` (text); a field inside another is written
        ``outer.inner``. The provenance is the model's manifest.

    Examples
    --------
    >>> from gsfm.models import Popularity
    >>> from gsfm.sets import GeneSets
    >>> model = Popularity().fit(GeneSets.from_lists([["TP53", "MDM2"], ["TP53"]]))
    >>> dict(describe(model).table.rows())["corpus.members"]
    '3'
    """
    fields = {
        "family": model.family,
        "description": model.description,
        "paper": model.paper,
        "genes": len(model.vocabulary),
        "parameters": model.n_parameters,
        **{f"config.{k}": v for k, v in vars(model.config).items()},
        **dict(_flat({k: v for k, v in model.manifest.items() if k not in ("family", "config")})),
    }
    rows = [(name, "" if value is None else str(value)) for name, value in fields.items()]
    schema = {"field": pl.String, "value": pl.String}
    return Report(pl.DataFrame(rows, schema=schema, orient="row"), model.manifest)


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, item in value.items():
        if isinstance(item, Mapping):
            yield from _flat(item, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", item
