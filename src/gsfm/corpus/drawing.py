"""A figure of a corpus: sizes, genes, sources, years."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from gsfm.corpus.description import describe, source_table
from gsfm.errors import GsfmError, check_type, needs_extra, printable
from gsfm.io.files import atomic_path
from gsfm.sets import GeneSets

_COLOR = "#2f6f8f"
_PALE = "#c9d3d8"
_MOST = 15  # sources drawn by name


def plot(corpus: GeneSets, path: str | Path) -> None:
    """Draw set sizes, gene frequencies, sources and years of a corpus on one figure.

    Parameters
    ----------
    corpus
        Any collection of gene sets.
    path
        The file to write; ``.png``, ``.svg`` or ``.pdf`` chooses the format.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    GsfmError
        If the corpus is empty, or the suffix of the file is another.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "corpus.svg"
    >>> plot(GeneSets.from_lists({"repair": ["BRCA1", "BRCA2"], "growth": ["EGFR"]}), path)
    >>> path.read_text()[:5]
    '<?xml'
    """
    check_type((str, Path), "a path", path=path)
    check_type(GeneSets, "a GeneSets, such as of gsfm.corpus.load", corpus=corpus)
    path = Path(path)
    if path.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise GsfmError(f"cannot draw {path.name}: choose an ending of .png, .svg or .pdf")
    if not len(corpus.indices):
        raise GsfmError("there is nothing to draw: the corpus has no members")
    with needs_extra("a plot of a corpus", "plot"):
        # The object interface, without pyplot: no window system, no state shared with the caller.
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    figure = Figure(figsize=(11, 8), layout="constrained")
    FigureCanvasAgg(figure)
    about = describe(corpus)
    title = f"{about.sets:,} gene sets, {about.genes:,} genes, {about.members:,} members"
    figure.suptitle(title, fontsize=14)
    panels = figure.subplots(2, 2).ravel()
    _draw_sizes(panels[0], corpus)
    _draw_genes(panels[1], corpus)
    _draw_sources(panels[2], about.sources)
    _draw_years(panels[3], source_table(corpus)["year"])
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
        axes.title.set_fontsize(11)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=150, format=path.suffix[1:].lower())


def _draw_sizes(axes: Any, corpus: GeneSets) -> None:
    sizes = corpus.sizes[corpus.sizes > 0]
    # Three bins for each doubling: of about equal width on the logarithmic axis.
    steps = np.arange(3 * np.log2(sizes.max() + 1) + 4)
    edges = np.unique(np.floor(2 ** (steps / 3))) - 0.5
    edges = edges[np.searchsorted(edges, sizes.min(), side="right") - 1 :]
    edges = edges[: np.searchsorted(edges, sizes.max()) + 1]
    axes.hist(sizes, bins=edges, color=_COLOR)
    axes.set_xscale("log")
    median = float(np.median(sizes))
    axes.axvline(median, color="black", linewidth=1, linestyle=":")
    at: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
    axes.annotate(f"median {median:g}", (median, 1), xytext=(4, -10), fontsize=9, **at)
    axes.set(title="Set sizes", xlabel="genes in a set", ylabel="sets")
    _plain(axes.xaxis)
    _thousands(axes.yaxis)


def _draw_genes(axes: Any, corpus: GeneSets) -> None:
    frequency = corpus.gene_frequencies
    order = np.argsort(-frequency, kind="stable")[: np.count_nonzero(frequency)]
    rank = np.arange(1, len(order) + 1)
    axes.loglog(rank, frequency[order], color=_COLOR, linewidth=2)
    names = "\n".join(printable(corpus.vocabulary[int(g)]) for g in order[:8])
    at: dict[str, Any] = {"xycoords": "axes fraction", "fontsize": 9, "parse_math": False}
    axes.annotate(f"in most sets:\n{names}", (0.05, 0.06), **at)
    axes.set(title="Genes by frequency", xlabel="rank of the gene", ylabel="sets with the gene")
    _plain(axes.xaxis)
    _plain(axes.yaxis)


def _draw_sources(axes: Any, sources: pl.DataFrame) -> None:
    shown, others = sources[:_MOST], sources[_MOST:]
    names = [_short(name or "(no source)") for name in shown["source"]]
    axes.barh(np.arange(len(names)), shown["sets"], color=_COLOR)
    if others.height:
        axes.barh(len(names), others["sets"].sum(), color=_PALE)
        names.append(f"{others.height} others")
    axes.set_yticks(np.arange(len(names)), names, fontsize=8, parse_math=False)
    axes.set_ylim(max(len(names), 8) - 0.4, -0.6)  # the first on top; few bars are not wider
    axes.set(title=f"Sources ({sources.height})", xlabel="sets")
    _thousands(axes.xaxis)


def _draw_years(axes: Any, years: pl.Series) -> None:
    known = years.drop_nulls().to_numpy()
    axes.set(title="Years", xlabel="year", ylabel="sets")
    if len(known):
        bins = np.arange(known.min(), known.max() + 2) - 0.5
        axes.hist(known, bins=bins, color=_COLOR, rwidth=0.9)
        axes.xaxis.get_major_locator().set_params(integer=True)
        _thousands(axes.yaxis)
    else:
        axes.set(xticks=[], yticks=[])
    if unknown := years.null_count():
        text = f"{unknown:,} sets of unknown year"
        axes.annotate(text, (0.03, 0.93), xycoords="axes fraction", fontsize=9)


def _short(name: str, limit: int = 34) -> str:
    name = printable(name)
    return name if len(name) <= limit else name[: limit - 1] + "…"


def _plain(axis: Any) -> None:
    """Label the ticks of a logarithmic axis with numbers, not with powers of ten."""
    axis.set_major_formatter("{x:,.0f}")
    axis.set_minor_formatter("")


def _thousands(axis: Any) -> None:
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(5, integer=True))
    axis.set_major_formatter("{x:,.0f}")
