"""The layers of the autoencoder, in NumPy."""

from __future__ import annotations

import numpy as np

from gsfm.models.types import Floats, Numbers

#: Added to a variance before the square root, as torch.nn.LayerNorm does.
LAYER_NORM_EPSILON = 1e-5


def layer_norm(x: Floats, weight: Floats, bias: Floats) -> Floats:
    """Normalize each row, as ``torch.nn.LayerNorm`` does."""
    x = x - x.mean(axis=1, keepdims=True)
    x /= np.sqrt((x * x).mean(axis=1, keepdims=True) + LAYER_NORM_EPSILON)
    x *= weight
    x += bias
    return x


def gelu(x: Floats) -> Floats:
    """The Gaussian error linear unit, in its tanh form (Hendrycks & Gimpel, arXiv:1606.08415)."""
    cube = x * x * x  # many times faster than **
    inner = np.float32(np.sqrt(2 / np.pi)) * (x + np.float32(0.044715) * cube)
    out: Floats = np.float32(0.5) * x * (1 + np.tanh(inner))
    return out


def gelu_and_slope(x: Numbers) -> tuple[Numbers, Numbers]:
    """`gelu` and its derivative."""
    c = np.sqrt(2 / np.pi)
    t = np.tanh(c * (x + 0.044715 * x**3))
    slope = 0.5 * (1 + t) + 0.5 * x * (1 - t**2) * c * (1 + 3 * 0.044715 * x**2)
    return 0.5 * x * (1 + t), slope
