"""Figures by matplotlib: a new one, its text, and its file. HTML is the SVG in a page."""

from __future__ import annotations

import html
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gsfm.errors import GsfmError, needs_extra, printable
from gsfm.io.files import atomic_path

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: The suffixes of the files of a figure.
FORMATS = (".png", ".svg", ".pdf", ".html")
#: Distinguishable with any color vision deficiency; further parts are gray.
COLORS = (
    *("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#332288", "#999933"),
    *("#882255", "#44aa99"),
)
GRAY = "#b0b0b0"


def new_figure(width: float, height: float, what: str = "a plot") -> Figure:
    """A figure of a size in inches; `what` is named in the error if matplotlib is missing."""
    with needs_extra(what, "plot"):
        # Without pyplot: no window system, and no state shared with the caller.
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def label(text: str, most: int = 60) -> str:
    """A name for a figure: no control characters, and shortened in its middle.

    matplotlib must draw it with ``parse_math=False``, so that ``$`` is a character.

    Examples
    --------
    >>> label("regulation of transcription by RNA polymerase II", 30)
    'regulation of tr…polymerase II'
    """
    text = " ".join(printable(text.replace("\n", " ").replace("\t", " ")).split())
    if len(text) <= most:
        return text
    end = (most - 1) * 9 // 20
    return f"{text[: most - 1 - end]}…{text[-end:]}"


def check_suffix(path: Path, formats: tuple[str, ...] = FORMATS) -> str:
    """The suffix of a file to draw; GsfmError if it is no format."""
    suffix = path.suffix.lower()
    if suffix not in formats:
        raise GsfmError(f"cannot write {path.name}: choose an ending of {', '.join(formats)}")
    return suffix


def save(figure: Figure, path: str | Path, title: str = "") -> None:
    """Write a figure to a file, in the format of its suffix.

    Raises
    ------
    GsfmError
        If the suffix is none of `FORMATS`.
    """
    path = Path(path)
    suffix = check_suffix(path)
    with atomic_path(path) as temporary:
        write(figure, temporary, suffix, title)


def write(figure: Figure, path: Path, suffix: str, title: str = "") -> None:
    """Write a figure in the format of a suffix, whatever the name of the file is."""
    import matplotlib

    kind = "svg" if suffix == ".html" else suffix.removeprefix(".")
    metadata = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
    # The file is always the same, and the text of an SVG can be searched and copied.
    settings: Any = {"svg.hashsalt": "gsfm", "svg.fonttype": "none"}
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        # A font without a character draws a box instead.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure.savefig(path, dpi=150, format=kind, metadata=metadata[kind])
    if suffix == ".html":
        svg = path.read_text(encoding="utf-8")
        svg = svg[svg.index("<svg") :]
        name = html.escape(printable(title))
        page = (
            f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{name}</title>\n'
            f"<style>svg {{ max-width: 100%; height: auto }}</style>\n<body>\n{svg}</body>\n"
            "</html>\n"
        )
        path.write_text(page, encoding="utf-8")
