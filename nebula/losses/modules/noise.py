"""Losses that hold back from labels which may be wrong."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from nebula.losses.modules.labelled import LabelLoss

__all__ = ["Bootstrap", "GeneralizedCrossEntropy", "ProbabilityMAE", "SymmetricCrossEntropy"]


class GeneralizedCrossEntropy(LabelLoss):
    """(1 - p_y^q) / q, between the log-loss (q to 0) and the linear loss (q = 1)."""

    def __init__(self, q: float = 0.7, **options: Any) -> None:
        super().__init__(**options)
        self.q = q

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of logits (N, C, …) against labels (N, …)."""
        return torch.expm1(self.cross_entropy(prediction, target) * -self.q) / -self.q


class SymmetricCrossEntropy(LabelLoss):
    """Log-loss and reverse log-loss, the latter in closed form -A (1 - p_y)."""

    def __init__(
        self, cross_entropy_weight: float = 0.1, reverse_weight: float = 1.0, log_zero: float = -6.0, **options: Any
    ) -> None:
        super().__init__(**options)
        self.cross_entropy_weight, self.slope = cross_entropy_weight, log_zero * reverse_weight

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of logits (N, C, …) against labels (N, …)."""
        log_loss = self.cross_entropy(prediction, target)
        return self.cross_entropy_weight * log_loss + self.slope * torch.expm1(-log_loss)


class ProbabilityMAE(LabelLoss):
    """L1 distance of the predicted distribution from the label, 2 (1 - p_y)."""

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of logits (N, C, …) against labels (N, …)."""
        return -2 * torch.expm1(-self.cross_entropy(prediction, target))


class Bootstrap(LabelLoss):
    """Log-loss against a mix of the label and what the model itself predicts."""

    def __init__(
        self, kind: str = "soft", label_weight: float | None = None, detach: bool = False, **options: Any
    ) -> None:
        super().__init__(**options)
        self.kind, self.detach = kind, detach
        usual = 0.95 if kind == "soft" else 0.8
        self.label_weight = usual if label_weight is None else label_weight

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of logits (N, C, …) against labels (N, …)."""
        log_p = functional.log_softmax(prediction, 1)
        given = -self.picked(log_p, target)
        own = torch.where(self.counted(target), self._own(log_p), 0.0)
        return self.label_weight * given + (1 - self.label_weight) * own

    def _own(self, log_p: Tensor) -> Tensor:
        if self.kind == "hard":
            return -log_p.amax(1)
        p = log_p.exp()
        return -((p.detach() if self.detach else p) * log_p).sum(1)
