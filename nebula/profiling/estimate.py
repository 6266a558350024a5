"""A fair part of the distinct values → an estimate of how all values are distributed."""

from __future__ import annotations

import numpy as np

from nebula.profiling.distribution import Array
from nebula.profiling.totals import Totals

__all__ = ["estimate_counts"]

_HEAVY = 1 / 256


def estimate_counts(
    values: Array, counts: Array, level: int, totals: Totals, ignore: int | None, n: int
) -> tuple[Array, Array]:
    """Estimate how often each value of a representative set occurs.

    The smallest value, the largest, 0 and the filler have their exact counts; the values below and
    above 0 have their exact sums. In between, held values share what is left in proportion to their
    counts, but for those so common that one of them would stand for more than 1/256 of all values:
    these keep their own count.

    Args:
        values: Held distinct values, ascending.
        counts: How often each occurs.
        level: One in 2^level distinct values is held.
        totals: Of all values.
        ignore: The declared filler, or None.
        n: Finite values.

    Returns:
        Ascending values and their counts, float64, of sum `n`.
    """
    ends = totals.extremes
    known = {ends.low: ends.low_count, ends.high: ends.high_count, 0: totals.zeros}
    if ignore is not None:
        known[ignore] = totals.ignored
    known = {value: count for value, count in known.items() if count}
    fixed = np.array(sorted(known), dtype=values.dtype)
    fixed_counts = np.array([known[value] for value in sorted(known)], dtype=np.float64)
    free = ~np.isin(values, fixed)
    values, weights = values[free], counts[free].astype(np.float64)
    middle, fixed_middle = values.searchsorted(0), fixed.searchsorted(0)
    parts, shares = [], []
    for side, on_side, total, end in (
        (slice(0, middle), slice(0, fixed_middle), totals.negatives, ends.low),
        (
            slice(middle, None),
            slice(fixed_middle + (totals.zeros > 0), None),
            n - totals.zeros - totals.negatives,
            ends.high,
        ),
    ):
        mass = total - fixed_counts[on_side].sum()
        if mass > 0 and values[side].size:
            parts.append(values[side])
            shares.append(_share(mass, weights[side], weights[side] * 2.0**level > n * _HEAVY))
        elif mass > 0:
            parts.append(np.array([end / 2 if values.dtype.kind == "f" else end // 2], dtype=values.dtype))
            shares.append(np.array([mass]))
    merged, found = np.concatenate([fixed[:0], *parts]), np.concatenate([fixed_counts[:0], *shares])
    places = merged.searchsorted(fixed)
    return np.insert(merged, places, fixed), np.insert(found, places, fixed_counts)


def _share(mass: float, weights: Array, common: Array) -> Array:
    if not common.any():
        even: Array = weights * (mass / weights.sum())
        return even
    left = mass - weights[common].sum()
    rare = ~common
    if not rare.any() or left <= 0:
        shares: Array = weights * (mass / weights.sum())
        return shares
    return np.where(common, weights, weights * (left / weights[rare].sum()))
