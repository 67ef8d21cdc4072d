"""Libraries of terms (GO, Reactome, families of genes, your own): list, load, find, add."""

from gsfm.libraries._add import add, remove
from gsfm.libraries._find import Term, find
from gsfm.libraries._load import available, load, names
from gsfm.libraries._show import show

__all__ = ["Term", "add", "available", "find", "load", "names", "remove", "show"]
