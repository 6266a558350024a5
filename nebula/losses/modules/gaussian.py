"""Gaussian likelihood without the device synchronisation of torch's own."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["GaussianNLL"]


class GaussianNLL(nn.GaussianNLLLoss):
    """The value of `nn.GaussianNLLLoss`; a negative variance gives NaN.

    torch raises on a negative variance, for which it must wait for the device at every step.
    """

    def forward(self, mean: Tensor, target: Tensor, variance: Tensor) -> Tensor:  # type: ignore[override]
        """Return the negative log-likelihood.

        Args:
            mean: Predicted mean, any shape.
            target: Same shape as `mean`.
            variance: Same shape as `mean`, above 0; smaller than `eps` counts as `eps`, with the gradient kept.
        """
        checked = variance.clone()
        with torch.no_grad():
            checked.masked_fill_(checked < 0, torch.nan).clamp_(min=self.eps)
        constant = 0.5 * math.log(2 * math.pi) if self.full else 0.0
        loss = 0.5 * (checked.log() + functional.mse_loss(mean, target, reduction="none") / checked) + constant
        if self.reduction == "mean":
            return loss.mean()
        return loss.sum() if self.reduction == "sum" else loss
