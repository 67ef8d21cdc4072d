"""Integrated gradients of the autoencoder (Sundararajan et al. 2017, arXiv:1703.01365)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gsfm.models.attribution import TOLERANCE, contrast
from gsfm.models.autoencoder.layers import LAYER_NORM_EPSILON, gelu_and_slope
from gsfm.models.types import Ids, Mask, Numbers, Parts

if TYPE_CHECKING:
    from gsfm.models.autoencoder.model import Autoencoder

#: Points of the integral along the path; doubled up to `MOST_NODES` until the parts add up.
NODES, MOST_NODES = 32, 512


def integrated_gradients(model: Autoencoder, ids: Ids, gene: int, others: Mask) -> Parts:
    """Integrated gradients from the empty set to the set; see `Model._attribution`.

    The path is a straight line in the output of the first layer norm: from its bias, which is its
    output for an empty set, to its output for the set. This is the same as adding all genes to the
    set at the same rate, because the norm of 10% of a set is that of the whole set. Its output is a
    sum over the genes (each vector less its mean, over the norm's spread), and so is the integral.
    """
    b = {name: tensor.astype(np.float64) for name, tensor in model.block.items()}
    out = model.output_vectors.astype(np.float64)
    against = contrast(gene, others)
    target = b["norm_out.weight"] * (against @ out)  # (d,)
    constant = float(against @ model.output_bias + against @ out @ b["norm_out.bias"])

    centered = model.input_vectors[ids].astype(np.float64)
    centered = (centered - centered.mean(axis=1, keepdims=True)) / np.sqrt(max(len(ids), 1))
    whole = centered.sum(axis=0)
    spread = np.sqrt((whole**2).mean() + LAYER_NORM_EPSILON)
    steps = centered / spread * b["norm_in.weight"]  # (n, d); their sum is the whole path

    def at(points: Numbers) -> tuple[Numbers, Numbers]:
        """(k,) the score at points of the path, and (k, d) its gradient in the block's input."""
        x = points[:, None] * steps.sum(axis=0) + b["norm_in.bias"]
        up = x @ b["up.weight"].T + b["up.bias"]
        active, slope = gelu_and_slope(up)
        y = x + active @ b["down.weight"].T + b["down.bias"]
        y -= y.mean(axis=1, keepdims=True)
        length = np.sqrt((y**2).mean(axis=1, keepdims=True) + LAYER_NORM_EPSILON)
        y /= length
        # Backwards: through the norm, then through the block and its residual connection.
        back = target - target.mean() - y * (y * target).mean(axis=1, keepdims=True)
        back /= length
        back += ((back @ b["down.weight"]) * slope) @ b["up.weight"]
        return y @ target + constant, back

    base, end = at(np.array([0.0, 1.0]))[0]
    nodes = NODES
    while True:
        points, lengths = np.polynomial.legendre.leggauss(nodes)
        gradients = at((points + 1) / 2)[1]
        of_genes = np.asarray(steps @ (lengths / 2 @ gradients), np.float64)
        error = abs(of_genes.sum() - (end - base))
        if error <= TOLERANCE / 10 * max(1.0, abs(end - base)) or nodes >= MOST_NODES:
            return float(base), of_genes
        nodes *= 2
