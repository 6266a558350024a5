"""One cache-sized piece of a target: its finite values, and what a look at each of them tells."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nebula.profiling.distribution import Array
from nebula.profiling.power_sums import sum_raw
from nebula.profiling.totals import Extremes, Totals

__all__ = ["PIECE", "SPAN", "Scratch", "Survey", "count_narrow", "join_surveys", "survey", "total_raw"]

PIECE = 2**17
SPAN = 2**16
_PROBE = 1024


class Scratch:
    """Memory that the work on one piece overwrites: fresh pages would cost more than the arithmetic."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.mask: Array = np.empty(size, dtype=bool)
        self.floats = torch.empty(2, size, dtype=torch.float32)
        self.hashes: Array = self.floats[0].numpy().view(np.uint32)  # never needed at once


@dataclass(frozen=True)
class Survey:
    """A piece after the first look.

    Attributes:
        finite: Its finite values, (N,), of a type with 32 bits or more if floating.
        nan_count: NaN values left out.
        inf_count: Infinite values left out.
        low: Smallest finite value; 0 when there is none.
        high: Largest finite value; 0 when there is none.
        whole: Every finite value is a whole number.
    """

    finite: Tensor
    nan_count: int
    inf_count: int
    low: int | float
    high: int | float
    whole: bool

    @property
    def is_narrow(self) -> bool:
        """Whole numbers that a histogram can count."""
        return self.whole and self.high - self.low < SPAN

    @property
    def is_binary(self) -> bool:
        """Only 0 and 1."""
        return self.whole and self.low >= 0 and self.high <= 1


def survey(piece: Tensor, scratch: Scratch, whole: bool | None = None) -> Survey:
    """Look at a contiguous piece of a target.

    Args:
        piece: Real values, (N,), on the host.
        scratch: Of the piece's size or more.
        whole: False when it need not be known whether the values are whole: others were not.
    """
    if not piece.dtype.is_floating_point:
        values = piece.to(torch.uint8) if piece.dtype == torch.bool else piece
        low, high = _ends(values)
        return Survey(values, 0, 0, low, high, True)
    values = piece.float() if piece.dtype.itemsize < 4 else piece
    nan_count = inf_count = 0
    low, high = _ends(values)
    if not (low > -math.inf and high < math.inf):
        finite = torch.isfinite(values)
        nan_count = int(torch.isnan(values).sum())
        inf_count = values.numel() - int(finite.sum()) - nan_count
        values = values[finite]
        low, high = _ends(values)
    return Survey(values, nan_count, inf_count, low, high, whole is not False and _is_whole(values.numpy(), scratch))


def join_surveys(parts: Sequence[Survey]) -> Survey:
    """Return what is known of several pieces together, without their values."""
    known = [part for part in parts if part.finite.numel()]
    return Survey(
        parts[0].finite[:0],
        sum(part.nan_count for part in parts),
        sum(part.inf_count for part in parts),
        min((part.low for part in known), default=0),
        max((part.high for part in known), default=0),
        all(part.whole for part in parts),
    )


def count_narrow(seen: Survey) -> tuple[Array, Array]:
    """Count the values of a narrow piece: distinct ascending values, and how often each occurs."""
    values, low = seen.finite, seen.low
    if seen.is_binary:
        ones = int(values.sum()) if values.dtype.itemsize > 1 else int(torch.count_nonzero(values))
        counts = np.array([values.numel() - ones, ones], dtype=np.int64)
        low = 0
    elif low >= 0 and seen.high < SPAN:
        counts = np.bincount(_countable(values.numpy()))
        low = 0
    else:
        array = values.numpy()
        narrow = array.dtype.kind != "f" and array.dtype.itemsize < 8
        counts = np.bincount(_countable(array.astype(np.int64) - int(low) if narrow else array - array.dtype.type(low)))
    places = np.flatnonzero(counts)
    exact = np.float64 if isinstance(low, float) and abs(low) >= 2**53 else np.uint64 if low >= 2**63 else np.int64
    return places.astype(exact) + exact(low), counts[places]


def total_raw(seen: Survey, scratch: Scratch, ignore: int | None, before: Totals | None) -> Totals:
    """Total the values of a piece with at least one finite value, and those before.

    Args:
        seen: The piece.
        scratch: Of its size or more.
        ignore: The declared filler, or None.
        before: Totals so far; they save work on the piece.
    """
    array = seen.finite.numpy()
    mask = scratch.mask[: array.size]
    # How often an end occurs is of use only if it is one of all values.
    low_counts = before is None or seen.low <= before.extremes.low
    high_counts = before is None or seen.high >= before.extremes.high
    extremes = Extremes(
        seen.low,
        seen.high,
        _count(array, seen.low, mask) if low_counts else 0,
        _count(array, seen.high, mask) if high_counts else 0,
    )
    zeros = _count(array, 0, mask) if seen.low <= 0 <= seen.high else 0
    negatives = int(np.count_nonzero(np.less(array, 0, out=mask))) if seen.low < 0 else 0
    ignored, rest = 0, None if ignore is None else extremes
    if ignore is not None and seen.low <= ignore <= seen.high:
        ignored = _count(array, ignore, mask)
        left = seen.finite[torch.from_numpy(array != ignore)] if ignored else seen.finite
        rest = _extremes(left, mask) if left.numel() else None
    centre = None if before is None else before.sums.near
    sums = sum_raw(seen.finite, float(seen.low), float(seen.high), scratch.floats, centre)
    totals = Totals(seen.whole, zeros, negatives, ignored, extremes, rest, sums)
    return totals if before is None else before.merge(totals)


def _extremes(values: Tensor, mask: Array) -> Extremes:
    low, high = _ends(values)
    array = values.numpy()
    mask = mask[: array.size]
    return Extremes(low, high, _count(array, low, mask), _count(array, high, mask))


def _ends(values: Tensor) -> tuple[int | float, int | float]:
    if not values.numel():
        return 0, 0
    array = values.numpy()  # whose reductions use SIMD for every type
    return array.min().item() + 0, array.max().item() + 0


def _is_whole(array: Array, scratch: Scratch) -> bool:
    head = array[:_PROBE]
    if not (head == np.floor(head)).all():
        return False
    if array.dtype != np.float32:
        return bool((array == np.floor(array)).all())
    floors, mask = scratch.floats[0].numpy()[: array.size], scratch.mask[: array.size]
    return bool(np.equal(array, np.floor(array, out=floors), out=mask).all())


def _count(array: Array, value: float, mask: Array) -> int:
    return int(np.count_nonzero(np.equal(array, array.dtype.type(value), out=mask)))


def _countable(offset: Array) -> Array:
    """Convert to a type that is counted without a second copy: offsets are below 65,536."""
    return offset if offset.dtype == np.int64 else offset.astype(np.int64)
