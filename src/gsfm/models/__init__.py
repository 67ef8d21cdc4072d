"""One contract, one file per model family; save and load."""

from gsfm.models._base import FAMILIES, Model
from gsfm.models._load import families, load
from gsfm.models.autoencoder import Autoencoder
from gsfm.models.linear import Linear
from gsfm.models.popularity import Popularity

__all__ = ["FAMILIES", "Autoencoder", "Linear", "Model", "Popularity", "families", "load"]
