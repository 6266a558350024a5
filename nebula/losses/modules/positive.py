"""Gamma and Tweedie likelihoods of a log mean."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from nebula.losses.modules.reduction import ElementLoss

__all__ = ["GammaNLL", "Tweedie"]

_HALVINGS = 200


class _LogMean(ElementLoss):
    """A loss of one output: the logarithm of the mean, or the mean itself.

    Args:
        log_input: The prediction is the logarithm of the mean.
        full: Add the terms that do not depend on the prediction.
        eps: Added to the mean inside the logarithm when `log_input` is false.
        reduction: `mean`, `sum` or `none`.
    """

    def __init__(self, log_input: bool = True, full: bool = False, eps: float = 1e-8, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.log_input, self.full, self.eps = log_input, full, eps

    def _log_mean(self, prediction: Tensor) -> Tensor:
        return prediction if self.log_input else (prediction + self.eps).log()

    def _mean(self, raw: Tensor) -> Tensor:
        return raw.exp() if self.log_input else raw


class GammaNLL(_LogMean):
    """Negative log-likelihood of a gamma distribution with a predicted mean and a fixed shape.

    Args:
        shape: Shape k: the coefficient of variation is 1 / sqrt(k).
        **options: See `_LogMean`.
    """

    def __init__(self, shape: float = 1.0, **options: Any) -> None:
        super().__init__(**options)
        self.shape = shape

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of log means against targets above 0 of the same shape."""
        z, k = self._log_mean(prediction), self.shape
        loss = torch.addcmul(z, target, (-z).exp())
        if k != 1:
            loss = loss * k
        if self.full:
            loss = loss + (math.lgamma(k) - k * math.log(k) - (k - 1) * target.log())
        return loss

    def serve(self, functional: str, raw: Tensor, level: float | None) -> Tensor:
        """Return the mean, the median, or a quantile."""
        if functional == "mean":
            return self._mean(raw)
        wanted = 0.5 if functional == "median" or level is None else level
        return self._mean(raw) * (_gamma_quantile(self.shape, wanted) / self.shape)


class Tweedie(_LogMean):
    """Half the deviance of a compound Poisson-gamma distribution with a predicted mean.

    Args:
        power: Exponent p of the variance function, mean^p, between 1 and 2.
        **options: See `_LogMean`; `full` makes the loss 0 where the mean equals the target.
    """

    def __init__(self, power: float = 1.5, **options: Any) -> None:
        super().__init__(**options)
        self.power = power

    def elements(self, prediction: Tensor, target: Tensor, **extra: Any) -> Tensor:
        """Return the loss of log means against targets of at least 0, of the same shape."""
        z, to_two, to_one = self._log_mean(prediction), 2 - self.power, self.power - 1
        loss = torch.addcmul((z * to_two).exp() / to_two, target, (z * -to_one).exp(), value=1 / to_one)
        if self.full:
            loss = loss - target.pow(to_two) / (to_one * to_two)
        return loss

    def serve(self, functional: str, raw: Tensor, level: float | None) -> Tensor:
        """Return the mean."""
        return self._mean(raw)


def _gamma_quantile(shape: float, level: float) -> float:
    """Return the quantile of a gamma distribution of scale 1, by bisection of its logarithm."""
    k = torch.tensor(shape, dtype=torch.float64)
    # P(X > x) falls at least like exp(-x / 2) times a constant beyond 2 k
    low, high = -800.0, math.log(10 * shape + 1000.0)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        below = torch.special.gammainc(k, k.new_tensor(math.exp(middle))).item() < level
        low, high = (middle, high) if below else (low, middle)
    return math.exp((low + high) / 2)
