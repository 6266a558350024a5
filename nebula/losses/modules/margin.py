"""Losses of the margin by which the right answer's score leads."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from nebula.losses.modules.labelled import LabelLoss
from nebula.losses.modules.reduction import ElementLoss

__all__ = ["CrammerSinger", "Hinge", "SoftMargin"]


class CrammerSinger(LabelLoss):
    """Multiclass hinge in its max form."""

    def __init__(self, margin: float = 1.0, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(ignore_index, reduction=reduction)
        self.margin = margin

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of scores (N, C, …) against labels (N, …)."""
        right = self.picked(prediction, target)
        counted = self.counted(target)
        own = torch.where(counted, target, 0).long().unsqueeze(1)
        best_other = prediction.scatter(1, own, -torch.inf).amax(1)
        return torch.where(counted, functional.relu(self.margin + best_other - right), 0.0)


class Hinge(ElementLoss):
    """Hinge, or its square, of one score per yes/no question."""

    def __init__(self, margin: float = 1.0, squared: bool = False, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin, self.squared = margin, squared

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of scores against targets -1 and 1 of the same shape."""
        lack = functional.relu(self.margin - target * prediction)
        return lack.square() if self.squared else lack

    def serve(self, functional: str, raw: Tensor, level: float | None) -> Tensor:
        """Return the scores for `raw`, or 1 where the score is above 0 and else 0 for `argmax`."""
        return raw if functional == "raw" else (raw > 0).long()


class SoftMargin(ElementLoss):
    """Log-loss of one score per yes/no question, with answers -1 and 1."""

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of logits against targets -1 and 1 of the same shape."""
        return -functional.logsigmoid(target * prediction)
