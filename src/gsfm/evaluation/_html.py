"""The page of a benchmark: one file that needs no other, for a biologist to read."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import Any

import polars as pl

from gsfm._errors import MissingExtraError
from gsfm._report import cell_text
from gsfm.evaluation import _plots as plots
from gsfm.evaluation._sections import SECTIONS, View


def html_page(summary: Mapping[str, Any], curves: pl.DataFrame) -> str:
    """The page of a benchmark: HTML that loads nothing from anywhere.

    Parameters
    ----------
    summary
        As `summarise` gives it, or as ``summary.json`` has it.
    curves
        ``task``, ``method``, ``curve`` ("roc" or "pr"), ``x``, ``y``.

    Raises
    ------
    MissingExtraError
        Without matplotlib or Jinja2.
    """
    try:
        from jinja2 import Environment, StrictUndefined
        from markupsafe import Markup
    except ImportError as error:
        raise MissingExtraError("The page of a benchmark", "bench") from error
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    # The only HTML that is not escaped: in a drawing, matplotlib has escaped the text.
    environment.filters["drawing"] = Markup
    template = resources.files("gsfm.evaluation").joinpath("report.html.j2").read_text("utf-8")
    view = View(summary, curves)
    made = {make: make(view) for make in SECTIONS}
    return environment.from_string(template).render(
        title=cell_text(summary["about"].get("name") or "Benchmark"),
        key=[(cell_text(method), plots.key(view.looks[method])) for method in view.rivals],
        sections=[section for section in made.values() if section is not None],
        absent=[SECTIONS[make] for make, section in made.items() if section is None],
    )
