"""The losses over hidden genes and over members, with their gradients worked out by hand.

Autograd would keep several (sets, genes) matrices in float32; this keeps one, in the precision of
the matrix products.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def hidden_gene_loss(
    vectors: Tensor,
    table: Tensor,
    bias: Tensor,
    shown: tuple[Tensor, Tensor],
    hidden: tuple[Tensor, Tensor],
    dtype: torch.dtype,
) -> Tensor:
    """Mean over sets of the mean over a set's hidden genes of -log P(gene | shown genes).

    P is a softmax over all genes but the shown ones: they are no candidates.

    Parameters
    ----------
    vectors
        (n, d) set vectors, float32.
    table, bias
        (genes, d) output vectors and (genes,) biases, float32.
    shown, hidden
        The row and the gene id of every shown and of every hidden member.
    dtype
        Precision of the matrix products and of the probabilities.
    """
    loss: Tensor = _HiddenGeneLoss.apply(vectors, table, bias, shown, hidden, dtype)  # type: ignore[no-untyped-call]
    return loss


class _HiddenGeneLoss(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        vectors: Tensor,
        table: Tensor,
        bias: Tensor,
        shown: tuple[Tensor, Tensor],
        hidden: tuple[Tensor, Tensor],
        dtype: torch.dtype,
    ) -> Tensor:
        n, genes = len(vectors), len(table)
        v, t = vectors.to(dtype), table.to(dtype)
        logits = torch.addmm(bias.to(dtype), v, t.T)  # (n, genes)
        # Finite, so that half precision cannot make a NaN of it; its probability is 0 all the same.
        logits[shown] = -1e4
        p = torch.softmax(logits, dim=1)
        rows, found = hidden
        share = 1 / torch.bincount(rows, minlength=n).float()[rows]
        loss = -(torch.log(p[hidden].float().clamp(min=1e-30)) * share).sum() / n

        # n x d loss / d logits = p - one hot, averaged over the hidden genes. The factor 1 / n
        # comes last: it is cheaper on the small results.
        p.view(-1).index_add_(0, rows * genes + found, -share.to(dtype))
        grad_vectors = (p @ t).float()
        grad_table = (p.T @ v).float()
        grad_bias = (p.new_ones(1, n) @ p)[0].float()  # many times faster than p.sum(dim=0)
        ctx.save_for_backward(grad_vectors, grad_table, grad_bias)
        return loss

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        grad_vectors, grad_table, grad_bias = ctx.saved_tensors
        g = grads[0] / len(grad_vectors)
        return grad_vectors.mul_(g), grad_table.mul_(g), grad_bias.mul_(g), None, None, None


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
    vectors
        (n, d), float32.
    table, bias
        (tokens, d) and (tokens,): the last layer, float32.
    hidden
        The row and the token of every hidden member; no pair twice.
    weights
        (n,) of the sets.
    positive
        (tokens,) what the loss of a hidden token is multiplied by; None for 1.
    dtype
        Precision of the matrix products and of the probabilities.
    """
    loss: Tensor = _LogisticLoss.apply(vectors, table, bias, hidden, weights, positive, dtype)  # type: ignore[no-untyped-call]
    return loss


class _LogisticLoss(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        vectors: Tensor,
        table: Tensor,
        bias: Tensor,
        hidden: tuple[Tensor, Tensor],
        weights: Tensor,
        positive: Tensor | None,
        dtype: torch.dtype,
    ) -> Tensor:
        n, tokens = len(vectors), len(table)
        v, t = vectors.to(dtype), table.to(dtype)
        logits = torch.addmm(bias.to(dtype), v, t.T)  # (n, tokens)
        share = weights / (weights.sum() * tokens)
        rows, found = hidden
        z = logits[hidden].float()
        factor = 1.0 if positive is None else positive[found]
        softplus = torch.nn.functional.softplus
        correction = factor * softplus(-z) - softplus(z)
        per_set = softplus(logits).sum(dim=1, dtype=torch.float32)
        per_set.index_add_(0, rows, correction)
        loss = (per_set * share).sum()

        p = torch.sigmoid_(logits)
        p.view(-1)[rows * tokens + found] = (factor * (torch.sigmoid(z) - 1)).to(dtype)
        # The smallness of the shares comes last: half precision would not hold it.
        p.mul_((weights / weights.max())[:, None].to(dtype))
        grad_vectors = (p @ t).float()
        grad_table = (p.T @ v).float()
        grad_bias = (p.new_ones(1, n) @ p)[0].float()
        ctx.scale = float(share.max())
        ctx.save_for_backward(grad_vectors, grad_table, grad_bias)
        return loss

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        grad_vectors, grad_table, grad_bias = ctx.saved_tensors
        g = grads[0] * ctx.scale
        out = grad_vectors.mul_(g), grad_table.mul_(g), grad_bias.mul_(g)
        return *out, None, None, None, None
