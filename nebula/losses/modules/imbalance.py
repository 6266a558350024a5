"""Losses for rare classes and for errors that do not cost the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from nebula.errors import ContractError
from nebula.losses.class_weights import effective_number_weights
from nebula.losses.modules.labelled import LabelLoss
from nebula.losses.modules.reduction import ElementLoss
from nebula.losses.space import FLOAT32_TINY

__all__ = ["Asymmetric", "ClassBalanced", "CostSensitive", "CostSensitiveBCE", "Focal", "SigmoidFocal"]


class SigmoidFocal(ElementLoss):
    """Focal loss of independent yes/no questions, in log space."""

    def __init__(self, focus: float = 2.0, positive_weight: float | None = 0.25, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.focus, self.positive_weight = focus, positive_weight

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of logits against targets 0 and 1 of the same shape."""
        towards = (2 * target - 1) * prediction
        log_right = functional.logsigmoid(towards)
        elements = -log_right
        if self.focus:
            # log(1 - p) = log p - z for the p = sigmoid(z) of the right answer
            elements = elements * torch.exp(self.focus * (log_right - towards))
        if self.positive_weight is not None:
            elements = elements * (1 - self.positive_weight + (2 * self.positive_weight - 1) * target)
        return elements


class Focal(LabelLoss):
    """Focal loss of one class out of several, in log space."""

    name = "FocalLoss"

    def __init__(self, focus: float = 2.0, **options: Any) -> None:
        super().__init__(**options)
        self.focus = focus

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of logits (N, C, …) against labels (N, …)."""
        log_loss = self.cross_entropy(prediction, target)
        elements = log_loss
        if self.focus:
            # 1 - p; a power below 1 has no derivative at 0, where the log-loss is 0 with it
            miss = -torch.expm1(-log_loss.clamp_min(FLOAT32_TINY))
            elements = log_loss * miss**self.focus
        return self.weigh(elements, target)


class ClassBalanced(LabelLoss):
    """Log-loss weighed by the inverse effective number of samples of the class."""

    name = "ClassBalancedLoss"

    def __init__(
        self,
        class_counts: Sequence[float] | None = None,
        beta: float = 0.9999,
        ignore_index: int = -100,
        reduction: str = "mean",
    ) -> None:
        weight = None if class_counts is None else effective_number_weights(class_counts, beta)
        super().__init__(ignore_index, weight, reduction)

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of logits (N, C, …) against labels (N, …)."""
        return self.weigh(self.cross_entropy(prediction, target), target)


class Asymmetric(ElementLoss):
    """Log-loss of several labels a row, with a focus of its own for the labels that are absent."""

    def __init__(
        self,
        focus_positive: float = 0.0,
        focus_negative: float = 4.0,
        margin: float = 0.05,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        self.focus_positive, self.focus_negative, self.margin = focus_positive, focus_negative, margin

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of logits against targets in [0, 1] of the same shape."""
        log_p = functional.logsigmoid(prediction)
        present, absent = log_p, log_p - prediction
        if self.focus_positive:
            present = present * torch.exp(self.focus_positive * absent)
        return -(target * present + (1 - target) * self._absent(log_p, absent))

    def _absent(self, log_p: Tensor, log_not_p: Tensor) -> Tensor:
        """Return (p_m)^focus log(1 - p_m), p_m the probability less the margin, not below 0."""
        if not self.margin:
            return log_not_p * torch.exp(self.focus_negative * log_p) if self.focus_negative else log_not_p
        shifted = functional.relu(log_p.exp() - self.margin)
        log_rest = torch.log1p(-shifted)
        if not self.focus_negative:
            return log_rest
        # a power below 1 has no derivative at 0, where log(1 - p_m) is 0 with it
        return log_rest * shifted.clamp_min(FLOAT32_TINY) ** self.focus_negative


class CostSensitive(LabelLoss):
    """Expected cost of the predicted distribution, and a share of the log-loss."""

    name = "CostSensitiveLoss"

    def __init__(
        self,
        costs: Sequence[Sequence[float]] | None = None,
        cross_entropy_weight: float = 0.0,
        ignore_index: int = -100,
        reduction: str = "mean",
    ) -> None:
        super().__init__(ignore_index, reduction=reduction)
        self.cross_entropy_weight = cross_entropy_weight
        self.costs: Tensor | None
        held = None if costs is None else torch.tensor(costs, dtype=torch.float32)
        self.register_buffer("costs", held, persistent=False)

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of logits (N, C, …) against labels (N, …).

        Raises:
            ContractError: The costs are not one row and one column per output.
        """
        if self.costs is None:
            log_loss = self.cross_entropy(prediction, target)
            return -torch.expm1(-log_loss) + self.cross_entropy_weight * log_loss
        if self.costs.shape[0] != prediction.shape[1]:
            raise ContractError(
                f"{self.name}: expected one row of costs per output, {prediction.shape[1]} for predictions of "
                f"shape {tuple(prediction.shape)}, found {self.costs.shape[0]}: give a square table."
            )
        risks = torch.einsum("nk...,yk->ny...", prediction.softmax(1), self.costs.to(prediction.dtype))
        elements = self.picked(risks, target)
        if not self.cross_entropy_weight:
            return elements
        return elements + self.cross_entropy_weight * self.cross_entropy(prediction, target)


class CostSensitiveBCE(ElementLoss):
    """Log-loss of yes/no questions with a cost for each of the two errors."""

    def __init__(
        self, cost_false_negative: float = 1.0, cost_false_positive: float = 1.0, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction)
        self.cost_false_positive = cost_false_positive
        self.ratio: Tensor
        self.register_buffer("ratio", torch.tensor(cost_false_negative / cost_false_positive), persistent=False)

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of logits against targets in [0, 1] of the same shape."""
        elements = functional.binary_cross_entropy_with_logits(
            prediction, target, pos_weight=self.ratio.to(prediction.dtype), reduction="none"
        )
        return elements if self.cost_false_positive == 1 else elements * self.cost_false_positive
