"""Soft sizes of the sets that exclusive classes make, with one pass forward and one back per size."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

__all__ = ["soft_counts"]


def soft_counts(probability: Tensor, labels: Tensor, kept: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return for every row and class the size of both sets together, of what is taken, and of what is true.

    Args:
        probability: (N, C, L).
        labels: The true class of every position, int64 in [0, C), (N, L).
        kept: 1 for a position that counts, 0 for one of no set, in the dtype of `probability`, (N, L).

    Returns:
        Three of (N, C), in positions.

    Raises:
        RuntimeError: A label is none of the C classes (torch's own, on an accelerator an assertion).
    """
    # writing at the labels also raises on a label that is none of the outputs
    true = torch.zeros_like(probability).scatter_(1, labels.unsqueeze(1), kept.unsqueeze(1))
    hits, taken = _SoftCounts.apply(probability, true, kept)  # type: ignore[no-untyped-call]
    return hits, taken, true.sum(2)


class _SoftCounts(torch.autograd.Function):
    """Both sizes are linear in the probabilities, so these need not be held for the backward pass."""

    @staticmethod
    def forward(probability: Tensor, true: Tensor, kept: Tensor) -> tuple[Tensor, Tensor]:
        taken = torch.bmm(probability, kept.unsqueeze(2)).squeeze(2)
        return (probability * true).sum(2), taken

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, Tensor], output: tuple[Tensor, Tensor]) -> None:
        ctx.save_for_backward(*inputs[1:])

    @staticmethod
    def backward(ctx: Any, by_hits: Tensor, by_taken: Tensor) -> tuple[Tensor, None, None]:
        true, kept = ctx.saved_tensors
        gradient = true * by_hits.unsqueeze(2)
        return gradient.addcmul_(by_taken.unsqueeze(2), kept.unsqueeze(1)), None, None
