"""The regularised incomplete beta function and its inverse, which torch lacks: for serving quantiles."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["beta_cdf", "beta_quantile"]

# The fraction converges in about the square root of the larger parameter.
_MOST_TERMS = 4000
_HALVINGS = 100
_CONVERGED = 1e-15
_TINY = 1e-300  # keeps Lentz's ratios from dividing by 0, as in its source


def beta_cdf(x: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Return I_x(a, b), the distribution function of Beta(a, b) at x.

    Computed in float64 by the continued fraction with Lentz's method; relative error about 1e-12. It
    waits for the device to see that the fraction has converged, so it is for serving, not for training.

    Args:
        x: In [0, 1].
        a: Above 0, of a shape that broadcasts with `x`.
        b: Above 0, likewise.

    Source: Press et al. 2007, Numerical Recipes, section 6.4, equation 6.4.5.
    """
    x, a, b = torch.broadcast_tensors(x.double(), a.double(), b.double())  # type: ignore[no-untyped-call]
    swap = x > (a + 1) / (a + b + 2)
    x, a, b = torch.where(swap, 1 - x, x), torch.where(swap, b, a), torch.where(swap, a, b)
    log_front = torch.lgamma(a + b) - torch.lgamma(a) - torch.lgamma(b) + torch.xlogy(a, x) + torch.xlogy(b, 1 - x)
    tail = log_front.exp() / (a * _fraction(x, a, b))
    return torch.where(swap, 1 - tail, tail)


def _fraction(x: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Return 1 + d₁/(1 + d₂/(1 + …))."""
    value = torch.ones_like(x)
    upper, lower = value, torch.zeros_like(x)
    for term in range(1, _MOST_TERMS):
        m = term // 2
        if term % 2 == 0:
            d = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        else:
            d = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        lower = 1 / _away_from_zero(1 + d * lower)
        upper = _away_from_zero(1 + d / upper)
        ratio = upper * lower
        value = value * ratio
        if bool(((ratio - 1).abs() < _CONVERGED).all()):
            break
    return value


def _away_from_zero(value: Tensor) -> Tensor:
    return torch.where(value.abs() < _TINY, _TINY, value)


def beta_quantile(level: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Return the x with I_x(a, b) = level, by bisection in float64.

    Args:
        level: In [0, 1].
        a: Above 0, of a shape that broadcasts with `level`.
        b: Above 0, likewise.
    """
    level, a, b = torch.broadcast_tensors(level.double(), a.double(), b.double())  # type: ignore[no-untyped-call]
    low, high = torch.zeros_like(level), torch.ones_like(level)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        below = beta_cdf(middle, a, b) < level
        low, high = torch.where(below, middle, low), torch.where(below, high, middle)
        if bool((high - low <= low * _CONVERGED).all()):
            break
    return (low + high) / 2
