"""Losses of a quantity that must keep to a limit."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from nebula.losses.modules.reduction import ElementLoss
from nebula.losses.modules.served_raw import ServedRaw
from nebula.losses.modules.shapes import expect_axes, expect_kind

__all__ = ["AugmentedLagrangian", "Barrier", "ConstraintPenalty"]


class ConstraintPenalty(ElementLoss):
    """Power of what a quantity is over its limit.

    Args:
        relation: `at_most`, `at_least` or `equal`: how the quantity shall stand to the limit.
        power: 2: smooth, and small violations stay; 1: exact once its weight is above the multiplier.
        reduction: `mean`, `sum` or `none`.
    """

    def __init__(self, relation: str = "at_most", power: int = 2, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.relation, self.power = relation, power

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of quantities against limits of the same shape."""
        excess = prediction - target if self.relation != "at_least" else target - prediction
        if self.relation != "equal":
            excess = excess.relu()
        return excess.square() if self.power == 2 else excess.abs()


class Barrier(ServedRaw, ElementLoss):
    """Soft barrier before a safe distance.

    Args:
        scale: Distance, in units of the prediction, over which the barrier bends.
        reduction: `mean`, `sum` or `none`.
    """

    def __init__(self, scale: float = 1.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.scale = scale

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of distances against the least safe distances, of one shape."""
        return softplus((target - prediction) / self.scale)


class AugmentedLagrangian(ServedRaw, nn.Module):
    """Multipliers and squared violations of constraints on batch means.

    The multipliers are a state, kept in checkpoints and changed by `update_multipliers` alone: an
    optimiser that minimises would move them the wrong way.

    Args:
        constraints: Number of constraints C, one per column.
        relation: `at_most`, `at_least` or `equal`: how the mean quantity shall stand to the mean limit.
        stiffness: ρ: factor of the squared violation, and step of the multipliers.

    Attributes:
        multipliers: λ, (C,); not negative unless `relation` is `equal`.
    """

    multipliers: Tensor

    def __init__(self, constraints: int = 1, relation: str = "at_most", stiffness: float = 1.0) -> None:
        super().__init__()
        self.relation, self.stiffness = relation, stiffness
        self.register_buffer("multipliers", torch.zeros(constraints))

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the loss of quantities (N, C) against limits (N, C), summed over the constraints.

        Raises:
            ContractError: There is not one column per constraint.
        """
        excess = self._excess(prediction, target)
        multipliers = self.multipliers.to(excess.dtype)
        pressed = multipliers + self.stiffness * excess
        if self.relation != "equal":
            pressed = pressed.relu()
        value = ((pressed.square() - multipliers.square()) / (2 * self.stiffness)).sum()
        # without rows nothing is violated, whatever the multipliers are
        return value if prediction.shape[0] else prediction.sum()

    @torch.no_grad()
    def update_multipliers(self, prediction: Tensor, target: Tensor) -> None:
        """Move every multiplier by ρ times its violation; best over a whole epoch's quantities.

        Args:
            prediction: Quantities, (N, C).
            target: Limits, (N, C).

        Raises:
            ContractError: There is not one column per constraint.
        """
        moved = self.multipliers + self.stiffness * self._excess(prediction, target).to(self.multipliers.dtype)
        self.multipliers.copy_(moved if self.relation == "equal" else moved.relu())

    def _excess(self, prediction: Tensor, target: Tensor) -> Tensor:
        axes = ("N", str(len(self.multipliers)))
        expect_axes("AugmentedLagrangianLoss", prediction=(prediction, axes), target=(target, axes))
        expect_kind("AugmentedLagrangianLoss", floating=True, target=target)
        over = prediction - target if self.relation != "at_least" else target - prediction
        return over.sum(0) / max(over.shape[0], 1)
