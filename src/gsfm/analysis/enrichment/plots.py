"""Plots of an enrichment: bars, dots, running sums, an UpSet of genes, and a network of terms."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import polars as pl

from gsfm.analysis import figures
from gsfm.analysis.enrichment.groups import direction, parts_of
from gsfm.errors import GsfmError, count
from gsfm.models.types import Numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from gsfm.analysis.enrichment.result import Enrichment

Kind: TypeAlias = Literal["bar", "dot", "running_sum", "upset", "network"]
#: Colors of the ends of a ranked list, and of a gene set.
SIDES = {"up": figures.COLORS[1], "down": figures.COLORS[0], "": figures.COLORS[2]}
#: A term with a larger false discovery rate is drawn pale.
SIGNIFICANT = 0.05
#: The most curves of running sums, and the most intersections of an UpSet.
CURVES, INTERSECTIONS = len(figures.COLORS), 30
#: Inches of a row of a figure.
ROW = 0.24


def bars(found: Enrichment, rows: list[int]) -> Figure:
    """The terms of some rows as bars: the false discovery rate, or the nes of prerank."""
    parts = _panels(found.table, rows)
    by_nes = "nes" in found.table.columns
    figure, panels = _stack([len(part) for _, part in parts], 9)
    for axes, (title, part) in zip(panels, parts, strict=True):
        table, at = found.table[part], np.arange(len(part))
        values = table["nes"].to_numpy() if by_nes else minus_log(table["fdr"], found)
        sides = direction(table).to_list()
        alpha = [1.0 if fdr <= SIGNIFICANT else 0.35 for fdr in table["fdr"]]
        axes.barh(at, values, color=[SIDES[side] for side in sides], height=0.75)
        for bar, a in zip(axes.patches, alpha, strict=True):
            bar.set_alpha(a)
        _terms(axes, table, title)
        pale = f"; pale: false discovery rate above {SIGNIFICANT}" if min(alpha) < 1 else ""
        axes.set_xlabel((_X_NES if by_nes else _X_FDR) + pale)
        if by_nes:
            axes.axvline(0, color="black", linewidth=0.8)
        else:
            axes.axvline(-np.log10(SIGNIFICANT), color="black", linewidth=0.8, linestyle=":")
            # Room for the overlaps, at the ends of the bars.
            axes.set_xlim(0, max(float(values.max()), 1.5) * 1.12)
            for y, x, text in zip(at, values, _overlaps(table), strict=True):
                axes.annotate(
                    text, (x, y), xytext=(3, 0), textcoords="offset points", va="center", fontsize=7
                )
        shown = [side for side in ("up", "down") if side in sides]
        if len(shown) == 2:
            _legend_of_sides(axes, shown)
    return figure


def dots(found: Enrichment, rows: list[int]) -> Figure:
    """The terms of some rows as dots; several lists are side by side."""
    if "list" in found.table.columns:
        return _dots_of_lists(found, rows)
    parts = _panels(found.table, rows)
    by_nes = "nes" in found.table.columns
    figure, panels = _stack([len(part) for _, part in parts], 9)
    for axes, (title, part) in zip(panels, parts, strict=True):
        table, at = found.table[part], np.arange(len(part))
        k, size = _counts(table)
        x = table["nes"].to_numpy() if by_nes else k / np.maximum(size, 1)
        colors = minus_log(table["fdr"], found)
        drawn = axes.scatter(
            x, at, s=_area(k, k.max()), c=colors, cmap="viridis_r", vmin=0,
            vmax=max(float(colors.max()), 2.0), edgecolors="black", linewidths=0.4,
        )  # fmt: skip
        _terms(axes, table, title)
        axes.margins(x=0.08)
        axes.grid(axis="x", linewidth=0.4, color="#dddddd")
        axes.set_axisbelow(True)
        axes.set_xlabel(_X_NES if by_nes else "overlap, as a share of the genes of the term")
        _legends(figure, axes, drawn, k, "genes of the leading edge" if by_nes else "overlap")
    return figure


def _dots_of_lists(found: Enrichment, rows: list[int]) -> Figure:
    """One column a list: the terms that are among the best of any list."""
    table = found.table
    names = table["list"].unique(maintain_order=True).to_list()
    chosen = table[rows].select("library", "term").unique(maintain_order=True)
    libraries = chosen.group_by("library", maintain_order=True).agg("term").rows()
    width = 6.5 + 0.55 * len(names)
    figure, panels = _stack([len(terms) for _, terms in libraries], width, extra=0.9)
    # Of a term in both directions, the better row.
    best = table.sort("p_value").unique(["list", "library", "term"], keep="first")
    by_nes = "nes" in table.columns
    for axes, (library, terms) in zip(panels, libraries, strict=True):
        own = best.filter((pl.col("library") == library) & pl.col("term").is_in(terms))
        x = np.array([names.index(name) for name in own["list"]])
        y = np.array([terms.index(term) for term in own["term"]])
        k, _ = _counts(own)
        colors = own["nes"].to_numpy() if by_nes else minus_log(own["fdr"], found)
        most = max(float(np.abs(colors).max()), 2.0)
        drawn = axes.scatter(
            x, y, s=_area(k, k.max()), c=colors, cmap="RdBu_r" if by_nes else "viridis_r",
            vmin=-most if by_nes else 0, vmax=most, edgecolors="black", linewidths=0.4,
        )  # fmt: skip
        _terms(axes, pl.DataFrame({"term": terms}), library)
        labels = [figures.label(name, 24) for name in names]
        many = len(names) > 3 or max(map(len, labels)) > 10
        turned: dict[str, Any] = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
        axes.set_xticks(range(len(names)), labels, parse_math=False, **(turned if many else {}))
        axes.set_xlim(-0.6, len(names) - 0.4)
        axes.grid(linewidth=0.4, color="#dddddd")
        axes.set_axisbelow(True)
        what = "genes of the leading edge" if by_nes else "overlap"
        _legends(figure, axes, drawn, k, what, "nes" if by_nes else _X_FDR)
    return figure


def running_sums(found: Enrichment, rows: list[int]) -> Figure:
    """The running sums of the terms of some rows, their genes, and the statistics."""
    rows = rows[:CURVES]
    tables = [found.running_sum_of(row) for row in rows]
    figure = figures.new_figure(9, 5.2 + 0.16 * len(rows) + 0.22 * len(rows))
    heights = [3.0, 0.16 * len(rows) + 0.15, 1.2]
    above, middle, below = figure.subplots(3, 1, sharex=True, height_ratios=heights)
    for i, (row, table) in enumerate(zip(rows, tables, strict=True)):
        about, color = found.table.row(row, named=True), figures.COLORS[i]
        name = figures.label(_named(found.table[rows], about), 70)
        text = f"{name}   NES {about['nes']:.2f}, FDR {about['fdr']:.2g}"
        position = table["position"].to_numpy()
        above.plot(position, table["running_sum"], color=color, linewidth=1.6, label=text)
        inside = position[table["in_term"].to_numpy()]
        middle.vlines(inside, -i - 0.9, -i - 0.1, color=color, linewidth=0.6)
    above.axhline(0, color="black", linewidth=0.8)
    above.set_ylabel("running sum")
    # Above the curves, where it hides none.
    shown = above.legend(
        loc="lower left", bbox_to_anchor=(0, 1.0), frameon=False, fontsize=8, borderaxespad=0.2
    )
    for line in shown.get_texts():
        line.set_parse_math(False)
    middle.set_yticks([])
    middle.set_ylabel("genes", rotation=0, ha="right", va="center")
    statistic = tables[0]["statistic"].to_numpy()
    below.fill_between(np.arange(1, len(statistic) + 1), statistic, color="#888888", linewidth=0)
    below.axhline(0, color="black", linewidth=0.8)
    below.set_ylabel("statistic")
    below.set_xlabel("position in the ranked list")
    below.set_xlim(0, len(statistic) + 1)
    figure.align_ylabels()
    return figure


def upset(found: Enrichment, rows: list[int]) -> Figure:
    """The genes that terms share: of the overlaps with the set, or of the leading edges."""
    column = "leading_edge" if "leading_edge" in found.table.columns else "overlap_genes"
    table = found.table[rows]
    patterns: dict[str, list[int]] = {}
    for i, genes in enumerate(table[column]):
        for gene in genes:
            patterns.setdefault(gene, []).append(i)
    if not patterns:
        raise GsfmError("these terms have no overlap genes: there is nothing to draw")
    counts = Counter(tuple(one) for one in patterns.values())
    every = sorted(counts.items(), key=lambda item: (-item[1], len(item[0]), item[0]))
    shown = every[:INTERSECTIONS]
    n, m = len(table), len(shown)
    width = 6.2 + 0.24 * m
    figure = figures.new_figure(width, 2.6 + ROW * n)
    above, matrix = figure.subplots(2, 1, sharex=True, height_ratios=[1.7, ROW * n + 0.1])
    x, values = np.arange(m), [number for _, number in shown]
    above.bar(x, values, color="#444444", width=0.7)
    for at, number in zip(x, values, strict=True):
        above.annotate(
            str(number), (at, number), xytext=(0, 2), textcoords="offset points", ha="center",
            fontsize=7,
        )  # fmt: skip
    above.margins(y=0.15)
    above.set_ylabel("genes")
    above.yaxis.get_major_locator().set_params(integer=True)
    above.tick_params(axis="x", length=0)
    what = "leading edges" if column == "leading_edge" else "overlaps"
    title = f"Genes in the {what} of {count(n, 'term')}: {len(patterns):,}"
    rest = sum(number for _, number in every[INTERSECTIONS:])
    if rest:
        title += f"; the {m} largest intersections, without {count(rest, 'gene')} of others"
    above.set_title(title, fontsize=10, loc="left")
    for y in range(0, n, 2):
        matrix.axhspan(y - 0.5, y + 0.5, color="#f2f2f2", zorder=0)
    grid = np.array([(i, y) for i in range(m) for y in range(n)])
    matrix.scatter(*grid.T, s=26, color="#dddddd", zorder=1)
    for i, (pattern, _) in enumerate(shown):
        matrix.plot([i, i], [min(pattern), max(pattern)], color="#444444", linewidth=1.6, zorder=2)
        matrix.scatter([i] * len(pattern), pattern, s=26, color="#444444", zorder=3)
    names = [
        f"{figures.label(_named(table, row))}  ({len(row[column])})" for row in table.to_dicts()
    ]
    matrix.set_yticks(range(n), names, fontsize=8, parse_math=False)
    matrix.set_ylim(n - 0.5, -0.5)
    matrix.set_xlim(-0.6, m - 0.4)
    matrix.set_xticks([])
    for axes in (above, matrix):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


_X_FDR = "−log10 false discovery rate"
_X_NES = "normalized enrichment score (NES)"


def minus_log(fdr: pl.Series, found: Enrichment) -> Numbers:
    """(n,) minus the decimal logarithm of false discovery rates.

    A rate of 0, of permuted lists, is drawn as one over their number.
    """
    null = found.provenance.get("null", {})
    least = 1 / null["permutations"] if "permutations" in null else 1e-300
    return np.asarray(np.maximum(-np.log10(np.clip(fdr.to_numpy(), least, 1)), 0.0))


def _panels(table: pl.DataFrame, rows: list[int]) -> list[tuple[str, list[int]]]:
    """The rows of each list and library, with a title."""
    chosen, panels = set(rows), []
    for part in parts_of(table):
        if own := [row for row in part if row in chosen]:
            keys = [name for name in ("list", "library") if name in table.columns]
            panels.append((", ".join(str(table[key][own[0]]) for key in keys), own))
    return panels


def _stack(heights: list[int], width: float, *, extra: float = 0.0) -> tuple[Figure, list[Axes]]:
    """A figure with a panel for each number of rows, one below the other."""
    inches = [max(ROW * n, 0.9) + 0.9 + extra for n in heights]
    figure = figures.new_figure(width, sum(inches))
    axes = figure.subplots(len(heights), 1, height_ratios=inches, squeeze=False)
    return figure, list(axes[:, 0])


def _terms(axes: Axes, table: pl.DataFrame, title: str) -> None:
    """The names of terms at the left, first on top, and the title."""
    names = [figures.label(name) for name in table["term"]]
    axes.set_yticks(range(len(names)), names, fontsize=8, parse_math=False)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_title(figures.label(title, 80), fontsize=10, loc="left", parse_math=False)
    axes.spines[["top", "right"]].set_visible(False)


def _named(table: pl.DataFrame, row: dict[str, Any]) -> str:
    """A term, with its list and library if the table has several."""
    several = [
        str(row[name]) for name in ("list", "library") if name in row and table[name].n_unique() > 1
    ]
    return f"{row['term']} ({', '.join(several)})" if several else str(row["term"])


def _counts(table: pl.DataFrame) -> tuple[Numbers, Numbers]:
    """(rows,) the overlap, or the size of the leading edge, and the size of the term."""
    k = table["overlap"] if "overlap" in table.columns else table["leading_edge"].list.len()
    return k.to_numpy().astype(np.float64), table["size"].to_numpy().astype(np.float64)


def _overlaps(table: pl.DataFrame) -> list[str]:
    return [f"{int(k)}/{int(size)}" for k, size in zip(*_counts(table), strict=True)]


def _area(k: Numbers, most: float) -> Numbers:
    """(n,) the areas of dots."""
    return np.asarray(14 + 130 * k / max(most, 1))


def _legend_of_sides(axes: Axes, sides: list[str]) -> None:
    from matplotlib.patches import Patch

    patches = [Patch(color=SIDES[side], label=side) for side in sides]
    axes.legend(handles=patches, loc="lower right", fontsize=8, frameon=False)


def _legends(
    figure: Figure, axes: Axes, drawn: Any, k: Numbers, what: str, color: str = _X_FDR
) -> None:
    """A scale of the colors, and one of the areas, at the right."""
    from matplotlib.lines import Line2D

    most = int(k.max())
    examples = sorted({max(round(most * share), 1) for share in (0.25, 0.5, 1)})
    dots = [
        Line2D(
            [], [], marker="o", linestyle="", label=f"{one:,}", color="#888888",
            markersize=float(np.sqrt(_area(np.array([float(one)]), most)[0])),
        )
        for one in examples
    ]  # fmt: skip
    axes.legend(
        handles=dots, title=what, loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False,
        fontsize=8, title_fontsize=8, labelspacing=1.0,
    )  # fmt: skip
    # Below the areas, and no longer than two inches.
    inches = ROW * (abs(np.diff(axes.get_ylim()).item()))
    shrink = min(0.9, 2 / max(inches, 1.0))
    bar = figure.colorbar(drawn, ax=axes, shrink=shrink, aspect=14, pad=0.02, anchor=(0, 0))
    bar.set_label(color, fontsize=8)
    bar.ax.tick_params(labelsize=8)
