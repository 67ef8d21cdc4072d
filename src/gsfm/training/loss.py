"""The losses over hidden genes and over members, with gradients written by hand.

Autograd would keep several (sets, genes) matrices in float32. These functions keep one, in the
precision of the matrix products.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import softplus


def hidden_gene_loss(
    vectors: Tensor,
    table: Tensor,
    bias: Tensor,
    shown: tuple[Tensor, Tensor],
    hidden: tuple[Tensor, Tensor],
    dtype: torch.dtype,
) -> Tensor:
    """Mean over sets of the mean over a set's hidden genes of -log P(gene | shown genes).

    P is a softmax over all genes but the shown ones, which are not candidates.

    Parameters
    ----------
    vectors, table, bias
        (n, d) set vectors, (genes, d) output vectors and (genes,) biases, float32.
    shown, hidden
        The row and the gene id of every shown and of every hidden member.
    dtype
        Precision of the matrix products and of the probabilities.
    """
    n, genes = len(vectors), len(table)
    with torch.no_grad():
        v, t = vectors.to(dtype), table.to(dtype)
        logits = torch.addmm(bias.to(dtype), v, t.T)  # (n, genes)
        # A finite number, so that half precision gives no NaN. The probability is 0 all the same.
        logits[shown] = -1e4
        p = torch.softmax(logits, dim=1)
        rows, columns = hidden
        share = 1 / torch.bincount(rows, minlength=n).float()[rows]
        loss = -(torch.log(p[hidden].float().clamp(min=1e-30)) * share).sum() / n

        # n x d loss / d logits = p - one hot, averaged over the hidden genes. The factor 1 / n
        # comes last: it is cheaper on the small results.
        p.view(-1).index_add_(0, rows * genes + columns, -share.to(dtype))
        gradients = _gradients(p, v, t)
    return _differentiable(vectors, table, bias, loss, gradients, lambda g: g / n)


def logistic_loss(
    vectors: Tensor,
    table: Tensor,
    bias: Tensor,
    hidden: tuple[Tensor, Tensor],
    weights: Tensor,
    positive: Tensor | None,
    dtype: torch.dtype,
) -> Tensor:
    """Weighted mean over sets of the binary cross-entropy of every token, hidden or not.

    Parameters
    ----------
    vectors, table, bias, dtype
        As in `hidden_gene_loss`; a token is a gene or has no gene.
    hidden
        The row and the token of every hidden member; no pair twice.
    weights
        (n,) of the sets.
    positive
        (tokens,) factor of the loss of a hidden token; None for 1.
    """
    tokens = len(table)
    with torch.no_grad():
        v, t = vectors.to(dtype), table.to(dtype)
        logits = torch.addmm(bias.to(dtype), v, t.T)  # (n, tokens)
        share = weights / (weights.sum() * tokens)
        rows, columns = hidden
        z = logits[hidden].float()
        factor = 1.0 if positive is None else positive[columns]
        correction = factor * softplus(-z) - softplus(z)
        per_set = softplus(logits).sum(dim=1, dtype=torch.float32)
        per_set.index_add_(0, rows, correction)
        loss = (per_set * share).sum()

        p = torch.sigmoid_(logits)
        p.view(-1)[rows * tokens + columns] = (factor * (torch.sigmoid(z) - 1)).to(dtype)
        # The shares are multiplied last: half precision cannot hold numbers as small.
        p.mul_((weights / weights.max())[:, None].to(dtype))
        gradients = _gradients(p, v, t)
        scale = float(share.max())
    return _differentiable(vectors, table, bias, loss, gradients, lambda g: g * scale)


def _gradients(p: Tensor, v: Tensor, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The gradients of vectors, table and bias, from those of the logits."""
    # The last is many times faster than p.sum(dim=0).
    return (p @ t).float(), (p.T @ v).float(), (p.new_ones(1, len(p)) @ p)[0].float()


class _Differentiable(torch.autograd.Function):
    """A loss whose gradients are known already, up to a factor."""

    @staticmethod
    def forward(ctx: Any, *args: Any) -> Tensor:
        *_, loss, gradients, ctx.scaled = args
        ctx.save_for_backward(*gradients)
        value: Tensor = loss.clone()
        return value

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        g = ctx.scaled(grads[0])
        return *(gradient.mul_(g) for gradient in ctx.saved_tensors), None, None, None


def _differentiable(*args: Any) -> Tensor:
    loss: Tensor = _Differentiable.apply(*args)  # type: ignore[no-untyped-call]
    return loss
