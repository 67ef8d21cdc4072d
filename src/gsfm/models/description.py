"""A table of what a model is and how it was trained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from gsfm.report import Report

if TYPE_CHECKING:
    from gsfm.models import Model

SHORT = 4  # entries of a list that are shown separately


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
