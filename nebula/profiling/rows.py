"""The algebra of rows: one-hot, multi-hot, simplex."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nebula.profiling.device import lies_on_host
from nebula.profiling.distribution import Distribution
from nebula.profiling.survey import Survey

__all__ = ["SIMPLEX_TOLERANCE", "SumRange", "describe_rows", "is_binary", "sum_range", "sum_rows"]

SIMPLEX_TOLERANCE = 1e-3
_CHUNK = 2**18
_EXACT_IN_FLOAT32 = 2**24


@dataclass(frozen=True)
class SumRange:
    """The smallest and the largest finite sum of a row.

    Attributes:
        low: Smallest.
        high: Largest.
    """

    low: float
    high: float

    def merge(self, other: SumRange) -> SumRange:
        """Return the range of both."""
        return SumRange(min(self.low, other.low), max(self.high, other.high))


def describe_rows(data: Distribution, columns: int, sums: SumRange | None) -> dict[str, Any]:
    """Compute the facts of `TargetFacts` about sums over axis 1, by field name.

    Rows with a NaN or an infinity have no sum; the others are judged.

    Args:
        data: The values of the target.
        columns: Size of axis 1; 1 for a vector.
        sums: Of its rows; None when no row is finite.
    """
    if not data.n:
        return {}
    if columns < 2:
        return {"is_multi_hot": False, "is_one_hot": False, "is_simplex": False}
    in_unit = data.low is not None and data.high is not None and data.low >= 0 and data.high <= 1
    multi_hot = is_binary(data)
    if sums is None:
        return {"is_multi_hot": multi_hot}
    near = sums.low >= 1 - SIMPLEX_TOLERANCE and sums.high <= 1 + SIMPLEX_TOLERANCE
    return {
        "is_multi_hot": multi_hot,
        "is_one_hot": multi_hot and sums.low == sums.high == 1,
        "is_simplex": in_unit and near,
        "row_sum_min": sums.low + 0.0,
        "row_sum_max": sums.high + 0.0,
    }


def is_binary(data: Distribution) -> bool:
    """Say whether every finite value is 0 or 1, and there is one."""
    return bool(data.whole) and data.low in (0, 1) and data.high in (0, 1)


def sum_rows(piece: Tensor, seen: Survey) -> SumRange | None:
    """Return the range of the finite sums over axis 1 of whole rows.

    Args:
        piece: Real values, at least two axes.
        seen: What is known of its values.
    """
    largest = max(abs(seen.low), abs(seen.high))
    exact = seen.whole and not seen.nan_count and not seen.inf_count
    if lies_on_host(piece) and piece.ndim == 2 and exact and largest * piece.shape[1] < _EXACT_IN_FLOAT32:
        # Whole numbers add exactly in any order and at any precision that holds them.
        sums = piece.float().numpy() @ np.ones(piece.shape[1], dtype=np.float32)
        return SumRange(float(sums.min()), float(sums.max()))
    found = sum_range(piece, 1)
    return None if found is None else SumRange(*found)


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
        rows = tensor[start : start + step]
        sums = torch.zeros((), dtype=torch.float64, device=tensor.device)
        # A row wider than the chunk is summed in strips, so that no copy grows with it.
        for strip in torch.split(rows, max(1, _CHUNK * rows.shape[axis] // max(1, rows.numel())), axis):
            part = strip.contiguous().double()
            sums = sums + (part.exp() if exponentiate else part).sum(axis)
        sums = sums[torch.isfinite(sums)]
        if sums.numel():
            low, high = torch.aminmax(sums)
            extremes.append((float(low), float(high)))
    return (min(low for low, _ in extremes), max(high for _, high in extremes)) if extremes else None
