"""Whether numbers are a distribution along an axis."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["is_log_simplex", "is_simplex", "log_mass", "tolerance"]

_HALF = frozenset((torch.float16, torch.bfloat16))


def tolerance(tensor: Tensor) -> float:
    """Return how far a row's sum may be from 1: rounding of the dtype, summed over a row."""
    return 2e-2 if tensor.dtype in _HALF else 1e-3


def is_simplex(tensor: Tensor, dim: int) -> bool:
    """Say whether every row along the axis is non-negative and sums to 1; false of one column."""
    if tensor.ndim == 0 or tensor.numel() == 0 or tensor.shape[dim] < 2 or not tensor.is_floating_point():
        return False
    if bool((tensor < 0).any()):
        return False
    return bool(((tensor.double().sum(dim) - 1).abs() <= tolerance(tensor)).all())


def log_mass(tensor: Tensor, dim: int) -> Tensor:
    """Return the logarithm of each row's total probability, in float64."""
    return torch.logsumexp(tensor.double(), dim)


def is_log_simplex(tensor: Tensor, dim: int) -> bool:
    """Say whether every row along the axis holds log-probabilities that sum to 1."""
    if tensor.ndim == 0 or tensor.numel() == 0 or not tensor.is_floating_point():
        return False
    limit = tolerance(tensor)
    if bool((tensor > limit).any()):
        return False
    return bool((log_mass(tensor, dim).abs() <= limit).all())
