"""The distinct finite values of a tensor and how often each occurs.

Everything marginal follows from these two lists, so no statistic can depend on the order of the
rows, on the element type that holds them, or on strides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

__all__ = ["SAMPLE_LIMIT", "Array", "Distribution", "distribute", "distribute_on_device"]

SAMPLE_LIMIT = 2**24
_HISTOGRAM_SPAN = 2**16
_CHUNK = 2**18
_GOLDEN = np.uint32(2654435769)  # 2^32 / golden ratio: its multiples fill the circle evenly (Knuth, TAOCP 6.4)

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class Distribution:
    """An empirical distribution.

    Attributes:
        values: The distinct finite values, ascending; int64 or uint64 for integers, else float64.
        counts: How often each occurs, int64.
        n: Sum of `counts`: the finite values the distribution stands on.
        exact: False when `values` are those of a part of the data.
        size: All values in the data, NaN and infinite ones included.
        nan_count: NaN values in the data.
        inf_count: Infinite values in the data.
        low: Smallest finite value of all the data; None when there is none.
        high: Largest finite value of all the data; None when there is none.
        whole: Every finite value is a whole number; None when there is none.
    """

    values: Array
    counts: Array
    n: int
    exact: bool
    size: int
    nan_count: int
    inf_count: int
    low: float | None
    high: float | None
    whole: bool | None

    @cached_property
    def floats(self) -> Array:
        """The distinct values as float64."""
        return self.values.astype(np.float64, copy=False)

    @cached_property
    def cumulative(self) -> Array:
        """How many of the `n` values are at most the distinct value of the same place."""
        return np.cumsum(self.counts)

    def count_below(self, value: float) -> int:
        """Count the values less than this one."""
        return self._count(int(np.searchsorted(self.floats, value, side="left")))

    def count_up_to(self, value: float) -> int:
        """Count the values less than or equal to this one."""
        return self._count(int(np.searchsorted(self.floats, value, side="right")))

    def _count(self, places: int) -> int:
        return int(self.cumulative[places - 1]) if places else 0

    def without(self, value: float) -> Distribution:
        """Return the distribution with one value left out."""
        keep = self.values != value
        values, counts = self.values[keep], self.counts[keep]
        low, high = (self.low, self.high) if len(values) else (None, None)
        low = float(values[0]) if low == value else low
        high = float(values[-1]) if high == value else high
        return replace(self, values=values, counts=counts, n=int(counts.sum()), low=low, high=high)


def distribute(tensor: Tensor, limit: int = SAMPLE_LIMIT) -> Distribution:
    """Sort and group all values of a tensor.

    Whole values that span less than 65,536 are counted in a histogram, at any size. Other values
    are sorted up to `limit`; above it a stratified sample of `limit` values stands for them, one
    from each of `limit` equal strides at an offset that has no period.

    On a CPU this is numpy, whose sort uses SIMD; elsewhere it runs on the tensor's own device and
    only the distinct values and their counts reach the host.

    Args:
        tensor: Real, dense, detached, of any shape.
        limit: Most values to sort.
    """
    flat = tensor.reshape(-1)
    if flat.dtype.is_floating_point and flat.dtype.itemsize < 4:
        flat = flat.float()
    on_host = flat.device.type == "cpu" or flat.dtype in (torch.uint16, torch.uint32, torch.uint64)
    return _distribute_host(flat.cpu().numpy(), limit) if on_host else distribute_on_device(flat, limit)


def distribute_on_device(flat: Tensor, limit: int = SAMPLE_LIMIT) -> Distribution:
    """Do the work of `distribute` in torch operations, where the tensor lives.

    Args:
        flat: Real values, (N,), of a type with 32 bits or more if floating.
        limit: Most values to sort.
    """
    size, nan_count, inf_count, whole = flat.numel(), 0, 0, True
    if flat.dtype == torch.bool:
        flat = flat.to(torch.uint8)  # not every device orders booleans
    if flat.dtype.is_floating_point:
        finite = torch.isfinite(flat)
        nan_count = int(torch.isnan(flat).sum())
        inf_count = size - nan_count - int(finite.sum())
        if nan_count or inf_count:
            flat = flat[finite]
        whole = bool((flat == flat.floor()).all())
    if not flat.numel():
        return _empty(size, nan_count, inf_count)
    low, high = float(flat.min()) + 0.0, float(flat.max()) + 0.0
    exact = flat.numel() <= limit or (whole and high - low < _HISTOGRAM_SPAN)
    if not exact:
        flat = flat[torch.from_numpy(_strides(flat.numel(), limit)).to(flat.device)]
    values, counts = torch.unique(flat, sorted=True, return_counts=True)
    grouped, number = _wide(values.cpu().numpy()), counts.cpu().numpy()
    return Distribution(grouped, number, flat.numel(), exact, size, nan_count, inf_count, low, high, whole)


def _distribute_host(flat: Array, limit: int) -> Distribution:
    size, nan_count, inf_count, whole = flat.size, 0, 0, True
    if flat.dtype.kind == "f":
        finite = np.isfinite(flat)
        lost = size - int(np.count_nonzero(finite))
        if lost:
            nan_count = int(np.count_nonzero(np.isnan(flat)))
            inf_count = lost - nan_count
            flat = flat[finite]
        whole = all(bool((chunk == np.floor(chunk)).all()) for chunk in _chunks(flat))
    if not flat.size:
        return _empty(size, nan_count, inf_count)
    low, high = flat.min(), flat.max()
    exact = True
    if whole and int(high) - int(low) < _HISTOGRAM_SPAN:
        values, counts = _histogram(flat, low, int(high) - int(low) + 1)
    else:
        exact = flat.size <= limit
        values, counts = _group(flat if exact else flat[_strides(flat.size, limit)])
    n = int(counts.sum())
    return Distribution(
        values, counts, n, exact, size, nan_count, inf_count, float(low) + 0.0, float(high) + 0.0, whole
    )


def _histogram(flat: Array, low: Any, span: int) -> tuple[Array, Array]:
    """Count whole values in low .. low + span - 1."""
    total = np.zeros(span, dtype=np.int64)
    narrow = flat.dtype.kind != "f" and flat.dtype.itemsize < 8
    for chunk in _chunks(flat):
        # Narrow integers could overflow in the subtraction, 64-bit and floating ones cannot here.
        offset = chunk.astype(np.int64) - int(low) if narrow else (chunk - low).astype(np.int64)
        total += np.bincount(offset, minlength=span)
    occurring = np.flatnonzero(total)
    base = float(low) if flat.dtype.kind == "f" else np.array(low, dtype=_wide(flat[:0]).dtype)
    return _wide(base + occurring.astype(np.asarray(base).dtype)), total[occurring]


def _group(flat: Array) -> tuple[Array, Array]:
    """Sort, and count the runs of equal values."""
    ordered = np.sort(flat)
    begins = ordered[1:] != ordered[:-1]
    if begins.all():
        return _wide(ordered), np.ones(ordered.size, dtype=np.int64)
    ends = np.append(np.flatnonzero(begins), ordered.size - 1)
    counts = ends.copy()
    counts[0] += 1
    counts[1:] -= ends[:-1]
    return _wide(ordered[ends]), counts


def _wide(values: Array) -> Array:
    """Widen ascending distinct values to float64, int64 or uint64, without negative zero."""
    if values.dtype.kind != "f":
        return values if values.dtype == np.uint64 else values.astype(np.int64)
    wide = values.astype(np.float64)
    wide[np.searchsorted(wide, 0.0) : np.searchsorted(wide, 0.0, side="right")] = 0.0
    return wide


def _strides(size: int, limit: int) -> Array:
    """Return one index from each of `limit` equal strides, jittered so that no column is favoured."""
    step = np.arange(limit, dtype=np.uint32)
    jitter = (step * _GOLDEN) * 2.0**-32
    index: Array = ((step + jitter) * (size / limit)).astype(np.int64)
    return np.minimum(index, size - 1, out=index)


def _chunks(flat: Array) -> Iterator[Array]:
    return (flat[start : start + _CHUNK] for start in range(0, flat.size, _CHUNK))


def _empty(size: int, nan_count: int, inf_count: int) -> Distribution:
    nothing = np.zeros(0)
    return Distribution(nothing, nothing.astype(np.int64), 0, True, size, nan_count, inf_count, None, None, None)
