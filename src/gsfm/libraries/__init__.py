"""Libraries of terms (GO, Reactome, gene families, your own): list, load, find, add."""

from gsfm.libraries.display import show
from gsfm.libraries.manage import add, remove
from gsfm.libraries.registry import available, default_names, load, names
from gsfm.libraries.search import Term, find

__all__ = [
    "Term",
    "add",
    "available",
    "default_names",
    "find",
    "load",
    "names",
    "remove",
    "show",
]
