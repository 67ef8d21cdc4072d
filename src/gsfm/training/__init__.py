"""[train] Fitting models; checkpoints, progress and what a fit cost."""

from gsfm._errors import MissingExtraError

try:
    import torch as _torch  # noqa: F401
except ImportError as error:
    raise MissingExtraError("fitting this family", "train") from error

from gsfm.training._fit import Interrupted, choose_dtype, fit_autoencoder

__all__ = ["Interrupted", "choose_dtype", "fit_autoencoder"]
