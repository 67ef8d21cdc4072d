"""One contract, one file per model family; save and load."""

from gsfm.models._base import FAMILIES, Model
from gsfm.models._calibration import Calibration
from gsfm.models._load import families, load
from gsfm.models._run import Progress, Run
from gsfm.models.adaptive import Adaptive
from gsfm.models.als import ALS
from gsfm.models.annotation import Annotation
from gsfm.models.attribute import Attribute
from gsfm.models.autoencoder import Autoencoder
from gsfm.models.cooccurrence import Cooccurrence
from gsfm.models.ensemble import Ensemble
from gsfm.models.features import Features
from gsfm.models.linear import Linear
from gsfm.models.popularity import Popularity
from gsfm.models.published import Published
from gsfm.models.svd import SVD

__all__ = [
    "ALS",
    "FAMILIES",
    "SVD",
    "Adaptive",
    "Annotation",
    "Attribute",
    "Autoencoder",
    "Calibration",
    "Cooccurrence",
    "Ensemble",
    "Features",
    "Linear",
    "Model",
    "Popularity",
    "Progress",
    "Published",
    "Run",
    "families",
    "load",
]
