"""Ranking of positives above negatives, as the mean loss of pairs."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from nebula.losses.modules.reduction import reduce

__all__ = ["PairwiseAUC"]


class PairwiseAUC(nn.Module):
    """Logistic surrogate of 1 - AUC over the pairs of a positive and a negative row.

    Row i is paired with row i + k (modulo N) for offsets k: all pairs, each once, or evenly spread
    offsets where all pairs would be more than `max_pairs`. Shapes depend on N alone; where picking the
    positives waits for no device, all pairs of one column are made of them and the negatives directly.

    Args:
        max_pairs: Most pairs of rows per column, but never fewer than N.
        reduction: `mean` over the pairs of a positive and a negative, then over the columns; or `sum`.
    """

    def __init__(self, max_pairs: int = 1_000_000, reduction: str = "mean") -> None:
        super().__init__()
        self.max_pairs, self.reduction = max_pairs, reduction

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the loss of scores (N, …) against targets 0 and 1 of the same shape."""
        rows = prediction.shape[0]
        scores, answers = (values.unsqueeze(-1).flatten(1) for values in (prediction, target))
        half = rows // 2
        stride = -(-half // max(1, min(half, self.max_pairs // max(rows, 1))))
        waits = scores.device.type != "cpu" or torch.compiler.is_compiling()
        if stride <= 1 and scores.shape[1] == 1 and not waits:
            lead = scores[answers == 1].unsqueeze(1) - scores[answers == 0]
            return reduce(functional.softplus(-lead), self.reduction)
        lead = scores.unsqueeze(-1) - _partners(scores, half, stride)
        order = answers.unsqueeze(-1) - _partners(answers, half, stride)
        offsets = torch.arange(1, half + 1, max(stride, 1), device=scores.device)
        # the offset N / 2 meets every pair twice
        mass = order.abs() * torch.where(offsets * 2 == rows, 0.5, 1.0).to(scores.dtype)
        elements = -functional.logsigmoid(order * lead) * mass
        if self.reduction == "sum":
            return reduce(elements, "sum")
        pairs = mass.sum((0, 2))
        columns = elements.sum((0, 2)) / torch.where(pairs > 0, pairs, 1.0)
        return reduce(columns, "mean", (pairs > 0).to(scores.dtype))

    def serve(self, functional: str, raw: Tensor, level: float | None) -> Tensor:
        """Return the scores: only their order has a meaning."""
        return raw


def _partners(values: Tensor, half: int, stride: int) -> Tensor:
    """Return the rows that come 1, 1 + stride, … up to `half` after each row of (N, C), as (N, C, K)."""
    rows, columns = values.shape
    ring = torch.cat((values, values[:half]))
    taken = -(-half // stride) if half else 0
    return ring.as_strided((rows, columns, taken), (columns, 1, stride * columns), columns if half else 0)
