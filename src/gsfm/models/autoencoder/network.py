"""The autoencoder as a torch module: the same tensors, under the same names, as its NumPy form."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from gsfm.models.autoencoder import AutoencoderConfig
from gsfm.models.autoencoder.layers import LAYER_NORM_EPSILON


class Network(nn.Module):
    """The network of `gsfm.models.Autoencoder`, with gradients.

    Parameters
    ----------
    n_genes
        Length of the vocabulary.
    config
        Its shape.
    dtype
        Precision of the matrix products; the parameters themselves are float32.
    """

    def __init__(self, n_genes: int, config: AutoencoderConfig, dtype: torch.dtype) -> None:
        super().__init__()
        d, hidden = config.dimensions, config.hidden
        self.config, self.dtype = config, dtype
        self.input_vectors = nn.Parameter(torch.randn(n_genes, d) * d**-0.5)
        if not config.tied:
            self.output_vectors = nn.Parameter(torch.randn(n_genes, d) * 0.02)
        self.output_bias = nn.Parameter(torch.zeros(n_genes))
        self.norm_in = nn.LayerNorm(d, eps=LAYER_NORM_EPSILON)
        self.up = nn.Linear(d, hidden)
        self.down = nn.Linear(hidden, d)
        self.norm_out = nn.LayerNorm(d, eps=LAYER_NORM_EPSILON)
        with torch.no_grad():
            # The block starts close to the identity.
            self.down.weight.mul_(0.1)

    @property
    def table(self) -> Tensor:
        """(genes, d) output vectors."""
        return self.input_vectors if self.config.tied else self.output_vectors

    def tables(self) -> list[nn.Parameter]:
        """The large parameters, with a row for each gene."""
        return [p for name, p in self.named_parameters() if name.endswith("put_vectors")]

    def small(self) -> list[nn.Parameter]:
        """All other parameters."""
        return [p for name, p in self.named_parameters() if not name.endswith("put_vectors")]

    def forward(self, genes: Tensor, offsets: Tensor, dropout: Tensor | None = None) -> Tensor:
        """Sets, as flat gene ids with the start of each set, to (n, d) vectors.

        `dropout`, (n, d), are factors of the pooled vectors.
        """
        ends = torch.cat([offsets[1:], offsets.new_tensor([len(genes)])])
        sizes = (ends - offsets).clamp(min=1).float()
        x = functional.embedding_bag(genes, self.input_vectors, offsets, mode="sum")
        x = self.norm_in(x / sizes.sqrt()[:, None])
        if dropout is not None:
            x = x * dropout
        half = self.dtype
        up = functional.linear(x.to(half), self.up.weight.to(half), self.up.bias.to(half))
        up = functional.gelu(up, approximate="tanh")
        down = functional.linear(up, self.down.weight.to(half), self.down.bias.to(half))
        out: Tensor = self.norm_out(x + down.float())
        return out
