"""Squared errors in another shape: smooth absolute, of logarithms, asymmetric."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor
from torch.nn import functional

from nebula.losses.modules.reduction import ElementLoss

__all__ = ["MSLE", "AsymmetricMSE", "LogCosh"]


class LogCosh(ElementLoss):
    """log(cosh(e)), e the error; cosh itself would overflow from an error of 89 in float32."""

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of predictions against targets of the same shape."""
        error = prediction - target
        return functional.softplus(2 * error) - error - math.log(2)


class MSLE(ElementLoss):
    """Squared error of log(1 + quantity).

    Args:
        log_input: The prediction is log(1 + quantity), not the quantity.
        reduction: `mean`, `sum` or `none`.
    """

    def __init__(self, log_input: bool = True, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.log_input = log_input

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of predictions against targets above -1 of the same shape."""
        log_quantity = prediction if self.log_input else prediction.log1p()
        return functional.mse_loss(log_quantity, target.log1p(), reduction="none")

    def serve(self, functional: str, raw: Tensor, level: float | None) -> Tensor:
        """Return the quantity: its median where log(1 + y) is spread symmetrically around its mean."""
        return raw.expm1() if self.log_input else raw


class AsymmetricMSE(ElementLoss):
    """Squared error that weighs predictions below the target other than those above.

    Args:
        under_weight: Weight of a prediction below its target.
        over_weight: Weight of a prediction above its target.
        reduction: `mean`, `sum` or `none`.
    """

    def __init__(self, under_weight: float = 1.0, over_weight: float = 1.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.under_weight, self.over_weight = under_weight, over_weight

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of predictions against targets of the same shape."""
        error = target - prediction
        # leaky_relu is one kernel for: error above 0, slope times error below
        return error * functional.leaky_relu(error, self.over_weight / self.under_weight) * self.under_weight
