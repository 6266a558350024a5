"""From a raw output to a positive parameter of a distribution."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["log_softplus", "to_positive"]

# Below it softplus(z) is exp(z) to float64's precision, and its logarithm z.
_LINEAR_BELOW = -37.0


def to_positive(raw: Tensor, floor: float) -> Tensor:
    """Return softplus(raw) + floor: any real number becomes at least `floor`.

    Linear for large outputs, so it does not overflow; at strongly negative outputs the value stays at
    the floor and the gradient vanishes.
    """
    # one of several outputs is a strided view, which softplus would take number by number
    return functional.softplus(raw.contiguous()) + floor


def log_softplus(raw: Tensor) -> Tensor:
    """Return log(softplus(raw)), finite with a gradient of 1 where softplus itself would round to 0."""
    linear = raw < _LINEAR_BELOW
    return torch.where(linear, raw, functional.softplus(raw.clamp_min(_LINEAR_BELOW)).log())
