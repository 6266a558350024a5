"""Mean, variance, skewness and kurtosis of an empirical distribution, at any scale."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nebula.profiling.distribution import Array, Distribution

__all__ = ["Moments", "mean_of", "measure_moments", "shape_moments"]

_CHUNK = 2**15


@dataclass(frozen=True)
class Moments:
    """Moments with denominator n; infinite where float64 overflows.

    Attributes:
        mean: Arithmetic mean.
        var: Second central moment.
        std: Its root.
        skew: m3 / m2^1.5; None for a constant.
        kurtosis: m4 / m2^2 - 3; None for a constant.
    """

    mean: float
    var: float
    std: float
    skew: float | None
    kurtosis: float | None


def measure_moments(data: Distribution) -> Moments:
    """Compute the moments in float64, in two passes over the sorted values.

    A power of two first brings the values near 1, without rounding, so that their powers neither
    overflow nor vanish.

    Args:
        data: At least one value; moments that it carries are taken as they are.
    """
    if data.moments is not None:
        return data.moments
    if len(data.values) == 1:
        return Moments(mean=float(data.floats[0]), var=0.0, std=0.0, skew=None, kurtosis=None)
    exponent, centre = _centre(data)
    # The first is what rounding left of the mean; the others are moved by it.
    m1, about2, about3, about4 = _moments_about(data, exponent, centre)
    m2 = max(about2 - m1**2, 0.0)
    m3 = about3 - 3 * m1 * about2 + 2 * m1**3
    m4 = about4 - 4 * m1 * about3 + 6 * m1**2 * about2 - 3 * m1**4
    return shape_moments(centre + m1, m2, m3, m4, exponent)


def shape_moments(mean: float, m2: float, m3: float, m4: float, exponent: int) -> Moments:
    """Turn central moments of values over 2^exponent into those of the values themselves."""
    return Moments(
        mean=_scale(mean, exponent),
        var=_scale(m2, 2 * exponent),
        std=_scale(math.sqrt(m2), exponent),
        skew=m3 / m2**1.5 if m2**1.5 > 0 else None,
        kurtosis=m4 / (m2 * m2) - 3 if m2 * m2 > 0 else None,
    )


def mean_of(data: Distribution) -> float | None:
    """Return the arithmetic mean, None without values."""
    if data.moments is not None:
        return data.moments.mean
    if len(data.values) < 2:
        return float(data.floats[0]) if data.n else None
    exponent, centre = _centre(data)
    return _scale(centre, exponent)


def _centre(data: Distribution) -> tuple[int, float]:
    """Return the exponent of the largest value, and the mean of the values over 2^exponent."""
    largest = max(abs(float(data.floats[0])), abs(float(data.floats[-1])))
    exponent = max(math.frexp(largest)[1], -1022)
    sums = [float((values * counts).sum()) for values, counts in _scaled_chunks(data, exponent)]
    return exponent, math.fsum(sums) / data.n


def _moments_about(data: Distribution, exponent: int, centre: float) -> tuple[float, float, float, float]:
    sums: list[tuple[float, float, float, float]] = []
    for values, counts in _scaled_chunks(data, exponent):
        centred = values - centre
        first = centred * counts
        second = first * centred
        third = second * centred
        sums.append((float(first.sum()), float(second.sum()), float(third.sum()), float((third * centred).sum())))
    m1, m2, m3, m4 = (math.fsum(column) / data.n for column in zip(*sums, strict=True))
    return m1, m2, m3, m4


def _scaled_chunks(data: Distribution, exponent: int) -> Iterator[tuple[Array, Array]]:
    scale = math.ldexp(1.0, -exponent)
    values, counts = data.floats, data.counts
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK] * scale, counts[start : start + _CHUNK].astype(np.float64)


def _scale(value: float, exponent: int) -> float:
    """Return value × 2^exponent, infinite where it overflows."""
    try:
        return math.ldexp(value, exponent)
    except OverflowError:
        return math.copysign(math.inf, value)
