"""The algebra of rows: one-hot, multi-hot, simplex."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from nebula.profiling.distribution import Distribution

__all__ = ["SIMPLEX_TOLERANCE", "describe_rows", "has_columns", "is_binary", "sum_range"]

SIMPLEX_TOLERANCE = 1e-3
_CHUNK = 2**18


def describe_rows(tensor: Tensor, data: Distribution) -> dict[str, Any]:
    """Compute the facts of `TargetFacts` about sums over axis 1, by field name.

    Rows with a NaN or an infinity have no sum; the others are judged.

    Args:
        tensor: The target, of any shape.
        data: The values of the same target.
    """
    if not data.n:
        return {}
    if not has_columns(tensor):
        return {"is_multi_hot": False, "is_one_hot": False, "is_simplex": False}
    in_unit = data.low is not None and data.high is not None and data.low >= 0 and data.high <= 1
    multi_hot = is_binary(data)
    sums = sum_range(tensor, 1)
    if sums is None:
        return {"is_multi_hot": multi_hot}
    low, high = sums
    return {
        "is_multi_hot": multi_hot,
        "is_one_hot": multi_hot and low == high == 1,
        "is_simplex": in_unit and low >= 1 - SIMPLEX_TOLERANCE and high <= 1 + SIMPLEX_TOLERANCE,
        "row_sum_min": low + 0.0,
        "row_sum_max": high + 0.0,
    }


def has_columns(tensor: Tensor) -> bool:
    """Say whether there are two axes or more and at least two columns."""
    return tensor.ndim >= 2 and tensor.shape[1] >= 2


def is_binary(data: Distribution) -> bool:
    """Say whether every finite value is 0 or 1, and there is one."""
    return bool(data.whole) and data.low in (0, 1) and data.high in (0, 1)


def sum_range(tensor: Tensor, axis: int, exponentiate: bool = False) -> tuple[float, float] | None:
    """Return the smallest and the largest sum over an axis, in float64, over finite sums.

    Args:
        tensor: Real values with at least two axes.
        axis: The axis to sum over; not the first.
        exponentiate: Sum exp(values) instead.

    Returns:
        The two sums, or None when no sum is finite.
    """
    extremes: list[tuple[float, float]] = []
    step = max(1, _CHUNK // max(1, tensor[:1].numel()))
    for start in range(0, tensor.shape[0], step):
        part = tensor[start : start + step].contiguous().double()
        sums = (part.exp() if exponentiate else part).sum(axis)
        sums = sums[torch.isfinite(sums)]
        if sums.numel():
            low, high = torch.aminmax(sums)
            extremes.append((float(low), float(high)))
    return (min(low for low, _ in extremes), max(high for _, high in extremes)) if extremes else None
