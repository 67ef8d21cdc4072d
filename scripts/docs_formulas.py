"""An extension of Griffe: formulas in docstrings become MathML, which browsers show by themselves.

The docstrings write formulas as reStructuredText does: ``.. math::`` and ``:math:``.
"""

from __future__ import annotations

import re
import textwrap
from typing import Any

from griffe import Extension, Object
from latex2mathml.converter import convert

BLOCK = re.compile(r"^( *)\.\. math::(.*(?:\n(?:\1 +.*| *(?=\n\1 )))*)", re.MULTILINE)
INLINE = re.compile(r":math:`([^`]+)`")


def render(text: str) -> str:
    """Return a docstring with MathML in place of its formulas."""

    def block(match: re.Match[str]) -> str:
        formula = textwrap.dedent(match[2]).strip()
        if "\\\\" in formula or "&" in formula:  # several lines
            formula = rf"\begin{{aligned}} {formula} \end{{aligned}}"
        return match[1] + convert(formula, display="block")

    return INLINE.sub(lambda match: convert(" ".join(match[1].split())), BLOCK.sub(block, text))


class Formulas(Extension):
    """Renders the formulas of every docstring."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Called for each object with its members loaded."""
        if obj.docstring is not None and "math:" in obj.docstring.value:
            obj.docstring.value = render(obj.docstring.value)
