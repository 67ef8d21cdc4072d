"""Who is who: any identifier to an approved human symbol, with how it was matched."""

from gsfm.genes._facts import facts
from gsfm.genes._positions import positions, within
from gsfm.genes._record import GeneRecord, show
from gsfm.genes._resolution import Resolution
from gsfm.genes._resolve import Species, resolve
from gsfm.genes._table import provenance, table, vocabulary
from gsfm.genes._vocabulary import Vocabulary

__all__ = [
    "GeneRecord",
    "Resolution",
    "Species",
    "Vocabulary",
    "facts",
    "positions",
    "provenance",
    "resolve",
    "show",
    "table",
    "vocabulary",
    "within",
]
