"""The negative binomial distribution of a log mean and a dispersion, stable down to Poisson's."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from nebula.losses.modules.incomplete_beta import beta_cdf

__all__ = ["negative_binomial_nll", "negative_binomial_quantile"]

# How far gamma functions are moved up: there four terms of Stirling's series err by less than 4e-9.
_SHIFT = 4.0
# Enough for every count that float64 tells from its neighbours.
_HALVINGS = 64


def negative_binomial_nll(log_mean: Tensor, dispersion: Tensor, count: Tensor) -> Tensor:
    """Return -log P(count), the variance being mean + dispersion · mean² (NB2).

    With r = 1 / dispersion and t = log(dispersion · mean):
    log y! - log(Γ(y + r) / (Γ(r) r^y)) + r log(1 + e^t) + y (log dispersion + log(1 + e^-t)).
    Finite for every finite log mean; as the dispersion falls to 0 it becomes Poisson's.

    Args:
        log_mean: Any shape.
        dispersion: Above 0, of the same shape, or a scalar.
        count: Whole, at least 0, of the shape of `log_mean`.
    """
    size, log_dispersion = 1 / dispersion, dispersion.log()
    t = log_mean + log_dispersion
    # log(1 + e^-t) = log(1 + e^t) - t, which leaves y (log dispersion - t) = -y log mean
    soft = functional.softplus(t)
    return torch.lgamma(count + 1) - _log_rise(size, dispersion, count) + (size + count) * soft - count * log_mean


def _log_rise(size: Tensor, dispersion: Tensor, count: Tensor) -> Tensor:
    """Return log(Γ(count + size) / (Γ(size) size^count)), dispersion = 1 / size: 0 at an infinite size.

    Both gamma functions are moved up by 4, where Stirling's series holds, and their difference is
    taken before anything is added up, so that no large numbers cancel at a large size.
    """
    low = size + _SHIFT
    high = low + count
    moved = (_four_factors(size) / _four_factors(size + count)).log()
    grown = (high - 0.5) * torch.log1p(count / low) + count * (torch.log1p(_SHIFT * dispersion) - 1)
    return grown + (_stirling(high) - _stirling(low)) + moved


def _four_factors(x: Tensor) -> Tensor:
    """Return x (x + 1) (x + 2) (x + 3)."""
    u = x * (x + 3)
    return u * (u + 2)


def _stirling(x: Tensor) -> Tensor:
    """Return log Γ(x) less (x - ½) log x - x + ½ log 2π, for x >= 4."""
    inverse = 1 / x
    square = inverse * inverse
    return inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680)))


def negative_binomial_quantile(level: Tensor, mean: Tensor, dispersion: Tensor) -> Tensor:
    """Return the smallest count k with P(y <= k) >= level, by bisection in float64.

    Args:
        level: In [0, 1).
        mean: At least 0; where it overflowed, so does the quantile.
        dispersion: Above 0.
    """
    level, mean, dispersion = torch.broadcast_tensors(level, mean, dispersion)  # type: ignore[no-untyped-call]
    countable = mean.isfinite()
    given, mean = mean, torch.where(countable, mean, 0.0)
    size, success = 1 / dispersion, 1 / (1 + dispersion * mean)
    # Cantelli's inequality bounds every quantile by the mean and the standard deviation
    spread = (mean + dispersion * mean.square()).sqrt()
    low, high = torch.full_like(mean, -1.0), (mean + spread * (level / (1 - level)).sqrt()).ceil()
    for _ in range(_HALVINGS):
        open_ = high - low > 1
        if not bool(open_.any()):
            break
        middle = ((low + high) / 2).floor()
        reached = beta_cdf(success, size, middle.clamp_min(0) + 1) >= level
        low = torch.where(open_ & ~reached, middle, low)
        high = torch.where(open_ & reached, middle, high)
    return torch.where(countable, high, given)
