"""Who is who: any identifier to an approved human symbol, with how it was matched."""

from gsfm.genes._vocabulary import Vocabulary

__all__ = ["Vocabulary"]
