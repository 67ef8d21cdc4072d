"""The page of a benchmark: one file that needs no other, for a biologist to read."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import Any

import polars as pl

from gsfm.benchmark.report import figures as plots
from gsfm.benchmark.report.sections import SECTIONS, View
from gsfm.errors import MissingExtraError
from gsfm.report import cell_text


def html_page(summary: Mapping[str, Any], curves: pl.DataFrame) -> str:
    """The page of a benchmark: HTML that loads nothing from anywhere.

    Parameters
    ----------
    summary
        As `summarize` gives it, or as ``summary.json`` has it.
    curves
        ``task``, ``method``, ``curve`` ("roc" or "pr"), ``x``, ``y``.

    Raises
    ------
    MissingExtraError
        Without matplotlib or Jinja2.

    Examples
    --------
    >>> from gsfm.benchmark.report.summary import METRICS, summarize
    >>> answer = {"task": "GO", "protocol": "half-split", "method": "ours", "split": 0, "k": None,
    ...           "n_shown": 5, "n_hidden": 6, **dict.fromkeys(METRICS, 0.9)}
    >>> questions = pl.DataFrame([answer | {"term": term} for term in ("one", "two", "three")])
    >>> genes = pl.DataFrame({"task": ["GO"], "method": ["ours"], "gene": ["TP53"], "auroc": [0.9],
    ...                       "matched_auroc": [0.8]})
    >>> background = pl.DataFrame(
    ...     {"task": ["GO"], "gene": ["TP53"], "popularity": [12], "papers": [3]})
    >>> curves = pl.DataFrame({"task": ["GO"] * 2, "method": ["ours"] * 2, "curve": ["roc"] * 2,
    ...                        "x": [0, 1], "y": [0.8, 1]})
    >>> page = html_page(summarize(questions, genes, background), curves)
    >>> "Best is ours: for the middle term" in page, "http" in page
    (True, False)
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
    template = (
        resources.files("gsfm.benchmark.report").joinpath("report.html.j2").read_text("utf-8")
    )
    view = View(summary, curves)
    made = {make: make(view) for make in SECTIONS}
    return environment.from_string(template).render(
        title=cell_text(summary["about"].get("name") or "Benchmark"),
        key=[(cell_text(method), plots.key(view.looks[method])) for method in view.rivals],
        sections=[section for section in made.values() if section is not None],
        absent=[SECTIONS[make] for make, section in made.items() if section is None],
    )
