"""From element losses to one number: weights, what is left out, the denominator, empty batches."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from nebula.errors import ContractError

__all__ = ["ElementLoss", "reduce", "weigh_rows"]


def reduce(elements: Tensor, reduction: str, mass: Tensor | None = None) -> Tensor:
    """Bring element losses to one number.

    Args:
        elements: Loss of every element, already multiplied by its mass.
        reduction: `mean`: sum / mass; `batchmean`: sum / mass, the mass being that of the rows;
            `sum`; `none`: as they are.
        mass: What every element (every row, for `batchmean`) counts in the mean; None counts each as 1.

    Returns:
        A scalar, or the elements. Without any mass the mean is 0, connected to the graph.
    """
    if reduction == "none":
        return elements
    total = elements.sum()
    if reduction == "sum":
        return total
    if mass is None:
        count = elements.shape[0] if reduction == "batchmean" else elements.numel()
        return total / max(count, 1)
    denominator = mass.sum()
    return total / torch.where(denominator > 0, denominator, torch.ones_like(denominator))


def weigh_rows(weight: Tensor, elements: Tensor, loss: str) -> Tensor:
    """Return weights per row in the shape and dtype that multiply element losses.

    Args:
        weight: (N,), or the shape of the elements; finite, not negative.
        elements: (N, …).
        loss: Name, for the message.

    Raises:
        ContractError: The weights do not fit the rows.
    """
    if weight.shape != elements.shape and weight.shape != elements.shape[:1]:
        raise ContractError(
            f"{loss}: expected one sample weight per row, ({elements.shape[0] if elements.ndim else 1},), or one per "
            f"element loss, {tuple(elements.shape)}, found {tuple(weight.shape)}: nothing is broadcast."
        )
    weight = weight.to(elements.dtype)
    return weight if weight.shape == elements.shape else weight.view(-1, *(1,) * (elements.ndim - 1))


class ElementLoss(nn.Module):
    """A loss with a value per element or row; subclasses write `elements`, and `mass` where it is not 1.

    Args:
        reduction: `mean`, `sum` or `none`.
    """

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = reduction

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of every element or row, multiplied by its mass."""
        raise NotImplementedError

    def mass(self, target: Tensor) -> Tensor | None:
        """Return what every element counts in the mean, in the elements' shape; None: 1 each.

        An element that is left out counts 0.
        """
        return None

    def forward(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the reduced loss."""
        return reduce(self.elements(prediction, target, **extra), self.reduction, self.mass(target))

    def extra_repr(self) -> str:
        """Name the reduction."""
        return f"reduction={self.reduction!r}"
