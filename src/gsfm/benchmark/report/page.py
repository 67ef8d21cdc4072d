"""The page and the table of a benchmark, made of the templates beside this file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import polars as pl

from gsfm.benchmark.report import figures as plots
from gsfm.benchmark.report.sections import FILTERS, NAMES, View, sections
from gsfm.errors import needs_extra
from gsfm.report import cell_text


def html_page(summary: Mapping[str, Any], curves: pl.DataFrame) -> str:
    """The page of a benchmark: HTML that loads nothing from anywhere.

    Parameters
    ----------
    summary
        As `summarize` returns it, and ``summary.json`` holds it.
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
    >>> "http" in page
    False
    """
    view = View(summary, curves)
    return _render("report.html.j2", view=view, data=sections(view))


def markdown(summary: Mapping[str, Any]) -> str:
    """The figures of a benchmark in Markdown, a row for each method and a column for each task.

    Parameters
    ----------
    summary
        As `summarize` returns it, and ``summary.json`` holds it.

    Raises
    ------
    MissingExtraError
        Without Jinja2.

    Examples
    --------
    >>> record = {"task": "GO", "method": "ours", "terms": 2}
    >>> summary = {
    ...     "about": {"name": "A run"},
    ...     "tasks": [{"task": "GO", "protocol": "half-split", "background": 900, "terms": 2}],
    ...     "methods": [{"method": "ours"}],
    ...     "results": [
    ...         record | {"metric": "auroc", "median": [0.9, 0.85, 0.95]},
    ...         record | {"metric": "average_precision", "mean": [0.2, 0.1, 0.3]},
    ...     ],
    ... }
    >>> print(markdown(summary))
    ## A run
    <BLANKLINE>
    Median AUROC / mean average precision over terms, with 95% bootstrap intervals over
    terms. The best of a task is bold.
    <BLANKLINE>
    | method | GO |
    | --- | --- |
    | ours | **0.900** (0.850–0.950) / **0.200** (0.100–0.300) |
    <BLANKLINE>
    - GO: half-split, 2 terms, background of 900 genes
    <BLANKLINE>
    """
    return _render("report.md.j2", view=View(summary))


def escaped(text: str) -> str:
    r"""A name with the characters that Markdown interprets escaped.

    Examples
    --------
    >>> print(escaped("a|b *c*"))
    a\|b \*c\*
    """
    return re.sub(r"([\\`*_\[\]<>|#~&])", r"\\\1", cell_text(text))


def _render(template: str, view: View, **context: Any) -> str:
    """Fill in a template."""
    with needs_extra("The page of a benchmark", "bench"):
        import jinja2
        from markupsafe import Markup, escape

    def drawing(svg: str, alt: str) -> Markup:
        """An SVG with a text for people who cannot see it; without one it is decoration."""
        alt = cell_text(alt.unescape() if isinstance(alt, Markup) else alt)
        label = f'role="img" aria-label="{escape(alt)}"' if alt else 'aria-hidden="true"'
        # The only HTML that is not escaped: matplotlib has escaped the text in a drawing.
        return Markup(svg.replace(">", f" {label}>", 1))

    def shown(value: Any) -> Any:
        """A value of a page without control characters; Markdown is escaped by its template."""
        return cell_text(value) if html and not isinstance(value, Markup) else value

    html = ".html." in template
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("gsfm.benchmark", "report"),
        autoescape=html,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=shown,
    )
    environment.filters |= {filter_.__name__: filter_ for filter_ in (*FILTERS, escaped, drawing)}
    environment.filters |= {"lines": escape, "key": plots.key}
    found = environment.get_template(template)
    return found.render(view=view, summary=view.summary, names=NAMES, **context)
