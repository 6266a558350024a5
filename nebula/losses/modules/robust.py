"""Barron's general robust loss, with a fixed shape or one that is learnt."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from nebula.losses.modules.reduction import ElementLoss

__all__ = ["AdaptiveBarron", "Barron", "log_partition"]

# The trapezoid rule in t = log x: the integrand is analytic and falls like exp(-|t|) on both sides,
# so the rule converges exponentially; against adaptive quadrature it errs by less than 1e-8.
_REACH, _STEP = 20.0, 0.25


class Barron(ElementLoss):
    """The general robust loss with a fixed shape.

    Args:
        shape: At most 2: 2 squared, 1 Charbonnier, 0 Cauchy, -2 Geman-McClure; -inf (also as
            text) Welsch.
        scale: Error, in the target's unit, up to which the loss is nearly a square.
        reduction: `mean`, `sum` or `none`.
    """

    def __init__(self, shape: float | str = 1.0, scale: float = 1.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.shape, self.scale = float(shape), scale

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of predictions against targets of the same shape."""
        error = prediction - target
        if self.scale != 1:
            error = error / self.scale
        if self.shape == 1:
            return torch.hypot(error, error.new_ones(())) - 1
        squared = error.square()
        if self.shape == 2:
            return squared / 2
        if self.shape == -2:
            return 2 * squared / (squared + 4)
        if self.shape == 0:
            return (squared / 2).log1p()
        if math.isinf(self.shape):
            return -torch.expm1(squared / -2)
        width = abs(self.shape - 2)
        return torch.expm1((squared / width).log1p() * (self.shape / 2)) * (width / self.shape)


class AdaptiveBarron(ElementLoss):
    """Negative log-likelihood of the density that belongs to the general loss; shape and scale are learnt.

    Both are one number for all elements, kept within bounds by a sigmoid and a softplus, and must be
    given to the optimiser (`criterion.parameters()`).

    Args:
        shape_low: Lower bound of the shape, above 0.
        shape_high: Upper bound of the shape, below 2.
        scale_low: Lower bound of the scale, in the target's unit.
        scale_start: Scale at the start, above `scale_low`.
        reduction: `mean`, `sum` or `none`.

    Attributes:
        raw_shape: The shape's parameter: 0 is the middle of the bounds, at which it starts.
        raw_scale: The scale's parameter, before softplus.
    """

    def __init__(
        self,
        shape_low: float = 0.001,
        shape_high: float = 1.999,
        scale_low: float = 1e-5,
        scale_start: float = 1.0,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        self.shape_low, self.shape_high, self.scale_low = shape_low, shape_high, scale_low
        above = scale_start - scale_low
        self.raw_shape = nn.Parameter(torch.zeros(()))
        # the inverse of softplus, without overflow at a wide scale
        self.raw_scale = nn.Parameter(torch.tensor(above + math.log(-math.expm1(-above)), dtype=torch.float32))

    @property
    def shape(self) -> Tensor:
        """The shape, a scalar between its bounds."""
        return self.shape_low + (self.shape_high - self.shape_low) * torch.sigmoid(self.raw_shape)

    @property
    def scale(self) -> Tensor:
        """The scale, a scalar above its bound, in the target's unit."""
        return self.scale_low + functional.softplus(self.raw_scale)

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of predictions against targets of the same shape."""
        shape, scale = self.shape.to(prediction.dtype), self.scale.to(prediction.dtype)
        squared = ((prediction - target) / scale).square()
        return _general(squared, shape) + (scale.log() + log_partition(shape))


def _general(squared: Tensor, shape: Tensor) -> Tensor:
    """Return the general loss of squared scaled errors, for a shape strictly between 0 and 2."""
    width = 2 - shape
    return torch.expm1((squared / width).log1p() * (shape / 2)) * (width / shape)


def log_partition(shape: Tensor) -> Tensor:
    """Return log ∫ exp(-rho(x; shape, 1)) dx, with its gradient, for a scalar shape in (0, 2).

    The integral has no elementary form; it is taken by a rule of 161 points, which costs nothing
    beside a batch.

    Source: Barron 2019, equation 17.
    """
    t = torch.arange(-_REACH, _REACH + _STEP / 2, _STEP, dtype=shape.dtype, device=shape.device)
    return torch.logsumexp(t - _general((2 * t).exp(), shape), dim=0) + math.log(2 * _STEP)
