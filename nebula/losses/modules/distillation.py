"""Learning from a teacher's softened answers beside the labels."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from nebula.losses.modules.labelled import LabelLoss
from nebula.losses.modules.shapes import expect_axes

__all__ = ["Distillation"]


class Distillation(LabelLoss):
    """Cross entropy of the labels, and divergence from the teacher's softened distribution.

    Args:
        label_weight: Weight of the labels; the teacher's is 1 less it.
        temperature: What both models' logits are divided by in the teacher's part, which is multiplied
            by its square, so that its gradient keeps its size.
        ignore_index: The label whose element counts for nothing, in both parts.
        reduction: `mean`, `sum` or `none`.
    """

    name = "DistillationLoss"

    def __init__(
        self, label_weight: float = 0.5, temperature: float = 2.0, ignore_index: int = -100, reduction: str = "mean"
    ) -> None:
        super().__init__(ignore_index=ignore_index, reduction=reduction)
        self.label_weight, self.temperature = label_weight, temperature

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of logits (N, C, …) against labels (N, …) and `teacher` logits (N, C, …).

        No gradient flows into the teacher.
        """
        axes = ("N", "C", "…")
        expect_axes(self.name, prediction=(prediction, axes), teacher=(extra["teacher"], axes))
        teacher = (extra["teacher"].detach().to(prediction.dtype) / self.temperature).log_softmax(1)
        student = (prediction / self.temperature).log_softmax(1)
        divergence = (teacher.exp() * (teacher - student)).sum(1)
        softened = torch.where(self.counted(target), divergence, 0.0)
        return torch.add(
            self.label_weight * self.cross_entropy(prediction, target),
            softened,
            alpha=(1 - self.label_weight) * self.temperature**2,
        )
