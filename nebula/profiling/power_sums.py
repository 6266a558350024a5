"""Moments that merge: count, mean and central power sums, at any scale and offset.

Merging follows Pébay (2008, Sandia report SAND2008-6212). The mean is the unevaluated sum of two
floats, so that a far offset does not swallow the distance of two means, and everything is held
over a power of two near the largest value, so that no power overflows or vanishes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from nebula.profiling.distribution import Array
from nebula.profiling.moments import Moments, shape_moments

__all__ = ["PowerSums", "sum_counted", "sum_in_float64", "sum_powers_about", "sum_raw"]

_FAST_RANGE = 2.0**20
_NOTHING = -1074


class PowerSums(NamedTuple):
    """Central power sums of values over 2^exponent.

    Attributes:
        n: Number of values.
        exponent: Of the power of two that the values are divided by.
        mean: Their mean, rounded.
        rest: What rounding left of the mean.
        m2: Sum of squared distances from the mean.
        m3: Sum of their cubes.
        m4: Sum of their fourth powers.
    """

    n: int = 0
    exponent: int = _NOTHING
    mean: float = 0.0
    rest: float = 0.0
    m2: float = 0.0
    m3: float = 0.0
    m4: float = 0.0

    def merge(self, other: PowerSums) -> PowerSums:
        """Return the sums of both; commutative, and associative to rounding."""
        if not self.n or not other.n:
            return self if self.n else other
        exponent = max(self.exponent, other.exponent)
        a, b = sorted((self.scaled(exponent), other.scaled(exponent)), key=_order)
        n = a.n + b.n
        share_a, share_b = a.n / n, b.n / n
        delta = (b.mean - a.mean) + (b.rest - a.rest)
        square = delta * delta
        mean, rest = _add_exactly(a.mean, delta * share_b)
        return PowerSums(
            n=n,
            exponent=exponent,
            mean=mean,
            rest=rest + a.rest,
            m2=a.m2 + b.m2 + square * a.n * share_b,
            m3=a.m3 + b.m3 + delta * square * a.n * share_b * (share_a - share_b)
            + 3 * delta * (share_a * b.m2 - share_b * a.m2),
            m4=a.m4 + b.m4 + square * square * a.n * share_b * (share_a**2 - share_a * share_b + share_b**2)
            + 6 * square * (share_a**2 * b.m2 + share_b**2 * a.m2) + 4 * delta * (share_a * b.m3 - share_b * a.m3),
        )  # fmt: skip

    def scaled(self, exponent: int) -> PowerSums:
        """Return the same sums over another power of two, no smaller than this one."""
        shift = self.exponent - exponent
        if not shift:
            return self
        return self._replace(
            exponent=exponent,
            mean=math.ldexp(self.mean, shift),
            rest=math.ldexp(self.rest, shift),
            m2=math.ldexp(self.m2, 2 * shift),
            m3=math.ldexp(self.m3, 3 * shift),
            m4=math.ldexp(self.m4, 4 * shift),
        )

    @property
    def near(self) -> float | None:
        """The mean, rounded to what a float32 holds; None when nothing was summed or it holds none."""
        value = math.ldexp(self.mean, self.exponent) if self.n and self.exponent < 127 else None
        return None if value is None else float(np.float32(value))

    def moments(self) -> Moments:
        """Return the moments of one value or more."""
        m2, m3, m4 = max(self.m2, 0.0) / self.n, self.m3 / self.n, self.m4 / self.n
        return shape_moments(self.mean + self.rest, m2, m3, m4, self.exponent)


def sum_counted(values: Array, counts: Array) -> PowerSums:
    """Sum distinct values with their counts, in float64.

    Args:
        values: Real numbers.
        counts: How often each occurs.
    """
    if not values.size:
        return PowerSums()
    floats, weights = values.astype(np.float64), counts.astype(np.float64)
    exponent = _exponent_of(max(abs(float(floats.min())), abs(float(floats.max()))))
    scaled = np.ldexp(floats, -exponent)
    n = int(counts.sum())
    centre = float((scaled * weights).sum()) / n
    centred = scaled - centre
    first = centred * weights
    second = first * centred
    third = second * centred
    sums = (float(first.sum()), float(second.sum()), float(third.sum()), float((third * centred).sum()))
    return sum_powers_about(n, centre, sums, exponent)


def sum_raw(piece: Tensor, low: float, high: float, scratch: Tensor, near: float | None = None) -> PowerSums:
    """Sum raw values: float32 as such where its range allows, others in float64.

    Args:
        piece: Finite values, (N,), N > 0, on any device.
        low: Their smallest.
        high: Their largest.
        scratch: (2, N) float32 or more columns, on the same device, to be overwritten.
        near: A guess at the mean; by default it is computed.
    """
    n = piece.numel()
    reach = high - low
    if piece.dtype != torch.float32 or not 1 / _FAST_RANGE < reach < _FAST_RANGE:
        return sum_in_float64(piece, low, high)
    # A float32 near the middle: the distances of near values from it are exact.
    centre = float((piece.sum() / n).item()) if near is None or not low <= near <= high else near
    distance, square = scratch if scratch.shape[1] == n else scratch[:, :n]
    torch.sub(piece, centre, out=distance)
    torch.mul(distance, distance, out=square)
    sums = (distance.sum(), square.sum(), torch.dot(distance, square), torch.dot(square, square))
    return sum_powers_about(n, centre, [each.item() for each in sums])


def sum_in_float64(piece: Tensor, low: float, high: float) -> PowerSums:
    """Do the work of `sum_raw` for any range and type."""
    n = piece.numel()
    exponent = _exponent_of(max(abs(low), abs(high)))
    half = exponent // 2  # 2^-exponent itself may be out of range
    scaled = piece.double() * 2.0**-half * 2.0 ** (half - exponent)
    centre = float(scaled.sum()) / n
    scaled -= centre
    square = scaled * scaled
    sums = torch.stack([scaled.sum(), square.sum(), torch.dot(scaled, square), torch.dot(square, square)]).tolist()
    return sum_powers_about(n, centre, sums, exponent)


def sum_powers_about(n: int, centre: float, sums: Sequence[float], exponent: int = 0) -> PowerSums:
    """Move sums of powers to the mean.

    Args:
        n: Number of values, 1 or more.
        centre: What the distances were taken from, over 2^exponent.
        sums: Of the first to fourth powers of the distances.
        exponent: Of the power of two that the values are divided by.
    """
    s1, s2, s3, s4 = sums
    shift = s1 / n
    mean, rest = _add_exactly(centre, shift)
    return PowerSums(
        n=n,
        exponent=exponent,
        mean=mean,
        rest=rest,
        m2=max(s2 - n * shift * shift, 0.0),
        m3=s3 - 3 * shift * s2 + 2 * n * shift**3,
        m4=max(s4 - 4 * shift * s3 + 6 * shift * shift * s2 - 3 * n * shift**4, 0.0),
    )


def _add_exactly(a: float, b: float) -> tuple[float, float]:
    """Return the rounded sum and its error (Knuth, TAOCP 4.2.2)."""
    total = a + b
    virtual = total - a
    return total, (a - (total - virtual)) + (b - virtual)


def _exponent_of(largest: float) -> int:
    return math.frexp(largest)[1] if largest else _NOTHING


def _order(sums: PowerSums) -> tuple[float, ...]:
    return (sums.n, sums.mean, sums.rest, sums.m2, sums.m3, sums.m4)
