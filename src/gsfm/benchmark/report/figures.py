"""The plots of a benchmark's page: a small SVG panel for each task, inside the page.

A method has the same color, line and marker in all panels, and the page has one key of them.
"""

from __future__ import annotations

import hashlib
import io
import math
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import resources
from typing import TYPE_CHECKING, Any, NamedTuple

from gsfm.errors import needs_extra
from gsfm.report import cell_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: A figure with the ends of its interval.
Figure = Sequence[float]

#: Distinguishable with any color vision deficiency, and dark enough on white.
COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#332288", "#e69f00"]
COLORS += ["#56b4e9", "#882255", "#999933", "#000000", "#44aa99", "#aa4499"]
REFERENCE_COLOR = "#767676"
#: The line styles of matplotlib.
LINES = ("solid", (0, (3.75, 1.25)), (0, (1.25, 1.25)), (0, (3.75, 1.25, 1.25, 1.25)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h", "*")
#: The dashed line of the value expected by chance.
GUIDE: Any = {"color": "#555555", "linewidth": 0.9, "linestyle": (0, (3, 2))}
WIDTH = 360  # of a panel, in CSS pixels


class Style(NamedTuple):
    """The color, line and marker of a method in all plots."""

    color: str
    line: Any
    marker: str


#: The style of each method.
Looks = Mapping[str, Style]


def styles(methods: Sequence[str], reference: str | None = None) -> dict[str, Style]:
    """A style for each method; the reference is gray.

    Examples
    --------
    >>> looks = styles(["GSFM", "popularity"], reference="popularity")
    >>> looks["GSFM"].color, looks["popularity"].color
    ('#0072b2', '#767676')
    """
    looks = dict.fromkeys(methods, Style(REFERENCE_COLOR, LINES[2], "d"))
    for i, method in enumerate(method for method in methods if method != reference):
        # After the twelfth method, the colors repeat with another line and marker.
        turn = i + i // len(COLORS)
        color, marker = COLORS[i % len(COLORS)], MARKERS[turn % len(MARKERS)]
        looks[method] = Style(color, LINES[turn % len(LINES)], marker)
    return looks


def key(style: Style) -> str:
    """The line and marker of a method, for the key."""
    with _panel(44, 14) as (axes, drawn):
        axes.set_axis_off()
        axes.plot([0, 1], [0, 0], color=style.color, linestyle=style.line)
        axes.plot([0.5], [0], color=style.color, marker=style.marker, markersize=6)
    return drawn[0]


def boxes(rows: Sequence[tuple[str, Figure, Any]], looks: Looks, *, label: str, low: float) -> str:
    """Boxes of methods, best on top: (method, median with interval, 5/25/75/95th percentile)."""
    with _rows(rows, label) as (axes, drawn):
        for y, (method, (median, *_), (low5, low25, high75, high95)) in enumerate(rows):
            color = looks[method].color
            axes.plot([low5, high95], [y, y], color=color, linewidth=1.2, solid_capstyle="butt")
            box: Any = {"left": low25, "height": 0.36, "color": color, "alpha": 0.3}
            axes.barh(y, high75 - low25, linewidth=0, **box)
            axes.plot([median] * 2, [y - 0.18, y + 0.18], color=color, linewidth=2.4)
        axes.axvline(0.5, **GUIDE)
        axes.set_xlim(low, 1)
    return drawn[0]


def dots(
    rows: Sequence[tuple[Any, ...]],
    looks: Looks,
    *,
    label: str,
    chance: float = 0.5,
    signed: bool = False,
) -> str:
    """Values of methods with their intervals, best on top; a second value has a hollow marker."""
    with _rows(rows, label, signed=signed) as (axes, drawn):
        for y, (method, *values) in enumerate(rows):
            look = looks[method]
            axes.plot([value[0] for value in values], [y] * len(values), color=look.color)
            faces = (look.color, "white")[: len(values)]
            # The first value is drawn last, on top.
            for (figure, low, high), face in zip(values[::-1], faces[::-1], strict=True):
                axes.plot([low, high], [y, y], color=look.color, linewidth=2.2, alpha=0.6)
                mark: Any = {"marker": look.marker, "markersize": 6.5, "markerfacecolor": face}
                axes.plot([figure], [y], color=look.color, **mark)
        axes.axvline(chance, **GUIDE)
    return drawn[0]


def curves(
    lines: Mapping[str, tuple[Any, Any]], looks: Looks, *, labels: Sequence[str], diagonal: bool
) -> str:
    """ROC curves, or curves of precision and recall: for each method, x and y."""
    with _panel(WIDTH, 300) as (axes, drawn):
        for method, (x, y) in lines.items():
            axes.plot(x, y, color=looks[method].color, linestyle=looks[method].line)
        if diagonal:
            axes.plot([0, 1], [0, 1], **GUIDE)
        top = 1 if diagonal else None
        axes.set(xlim=(0, 1), ylim=(0, top), xlabel=labels[0], ylabel=labels[1])
    return drawn[0]


def profile(
    steps: Sequence[str],
    lines: Mapping[str, Mapping[str, Figure]],
    looks: Looks,
    *,
    labels: Sequence[str],
    chance: float | None = None,
) -> str:
    """A value of each method at each step, such as a class of size, with its interval."""
    with _panel(WIDTH, 270) as (axes, drawn):
        place = {step: i for i, step in enumerate(steps)}
        faint = 0.55 if len(lines) <= 6 else 0.3
        for i, (method, figures) in enumerate(lines.items()):
            look = looks[method]
            # Side by side, so that the intervals do not overlap.
            aside = (i - (len(lines) - 1) / 2) * 0.5 / max(len(lines), 4)
            x = [place[step] + aside for step in figures]
            y, low, high = zip(*figures.values(), strict=True)
            axes.plot([x, x], [low, high], color=look.color, linewidth=1, alpha=faint)
            axes.plot(x, y, color=look.color, linestyle=look.line, marker=look.marker)
        if chance is not None:
            axes.axhline(chance, **GUIDE)
        axes.set_xticks(range(len(steps)), [cell_text(step) for step in steps])
        axes.grid(visible=False, axis="x")
        axes.set(xlim=(-0.5, len(steps) - 0.5), xlabel=labels[0], ylabel=labels[1])
    return drawn[0]


def costs(points: Sequence[tuple[str, float, Figure]], looks: Looks, *, label: str) -> str:
    """A value of each method against its seconds of training, on a logarithmic axis."""
    times = [max(seconds, 0.1) for _, seconds, _ in points]
    # At least three decades, so that small differences in cost look small.
    middle = math.sqrt(min(times) * max(times))
    start, end = min(*times, middle / 30) / 1.6, max(*times, middle * 30) * 1.6
    ticks = [10.0**i for i in range(-1, 9) if start <= 10.0**i <= end]
    with _panel(WIDTH, 270) as (axes, drawn):
        for (method, _, (figure, low, high)), at in zip(points, times, strict=True):
            look = looks[method]
            axes.plot([at, at], [low, high], color=look.color, linewidth=1, alpha=0.55)
            axes.plot([at], [figure], color=look.color, marker=look.marker, markersize=7.5)
        axes.set(xscale="log", xlim=(start, end), xlabel="seconds of training", ylabel=label)
        axes.set_xticks(ticks, ["≤ 0.1" if tick < 1 else f"{tick:,.0f}" for tick in ticks])
        axes.minorticks_off()
    return drawn[0]


def short(name: str, most: int = 44) -> str:
    """A name that fits into a panel: the start and the end of a long one.

    Examples
    --------
    >>> short("published architecture, our training time", most=22)
    'published …aining time'
    """
    name = cell_text(name)
    if len(name) <= most:
        return name
    return f"{name[: most // 2 - 1]}…{name[-(most // 2) :]}"


@contextmanager
def _rows(
    rows: Sequence[tuple[Any, ...]], label: str, *, signed: bool = False
) -> Iterator[tuple[Axes, list[str]]]:
    """A panel with a row for each method: its name above, its (first) value on the right."""
    with _panel(WIDTH, 48 + 34 * len(rows)) as (axes, drawn):
        yield axes, drawn
        axes.set_yticks([])
        axes.locator_params(axis="x", nbins=6)
        axes.set(ylim=(len(rows) - 0.55, -0.75), xlabel=label)
        axes.spines["left"].set_visible(False)
        at = axes.get_yaxis_transform()
        # On white, so that no grid line crosses the name.
        paper = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
        name: Any = {"transform": at, "va": "bottom", "bbox": paper, "in_layout": False}
        for y, (method, (figure, *_), *_) in enumerate(rows):
            text = f"{figure:+.3f}" if signed else f"{figure:.3f}"
            axes.text(1.02, y, text, transform=at, va="center")
            axes.text(0, y - 0.2, short(method), **name)


@contextmanager
def _panel(width: float, height: float) -> Iterator[tuple[Axes, list[str]]]:
    """Axes to draw on, and a list that gets the SVG when the drawing is complete."""
    with needs_extra("The page of a benchmark", "bench"):
        import matplotlib
        from matplotlib.figure import Figure as Canvas
    drawn: list[str] = []
    with (
        resources.as_file(resources.files("gsfm.benchmark.report") / "figures.mplstyle") as style,
        matplotlib.rc_context(fname=style),
        warnings.catch_warnings(),
    ):
        # The browser has glyphs that this font lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        canvas = Canvas(figsize=(width / 72, height / 72), layout="constrained")
        yield canvas.add_subplot(), drawn
        target = io.StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        canvas.savefig(target, format="svg", transparent=True, metadata=nothing)
    drawn.append(_inline(target.getvalue()))


#: What has no effect in a page, and its replacement.
_REMOVED = {
    r"<metadata>.*?</metadata>|<style.*?</style>": "",
    r" transform=\"rotate\(-0 [^\"]*\"": "",
    r"\s*\n\s*": "\n",
    r"<g/>\n|<defs>\n</defs>\n": "",
}


def _inline(svg: str) -> str:
    """The drawing of an SVG file, for a page."""
    head, body = svg[svg.index("<svg") :].split(">", 1)
    # Other drawings of the page have the same ids: only ids with a reference are kept, and made
    # unique.
    used = set(re.findall(r"#([\w-]+)", body))
    own = hashlib.sha256(svg.encode()).hexdigest()[:8]
    body = re.sub(r' id="([^"]+)"', lambda m: f' id="d{own}{m[1]}"' * (m[1] in used), body)
    body = re.sub(r'(href="|url\()#', rf"\g<1>#d{own}", body)
    for pattern, replacement in _REMOVED.items():
        body = re.sub(pattern, replacement, body, flags=re.DOTALL)
    # Rounded to a hundredth of a pixel.
    attribute = r' (?:d|x|y|width|height|transform)="[^"]*"'
    body = re.sub(attribute, lambda m: re.sub(r"(\.\d\d)\d+", r"\1", m[0]), body)
    box = re.search(r'viewBox="[^"]*"', head)
    assert box is not None
    return f"<svg {box[0]}>{body}"
