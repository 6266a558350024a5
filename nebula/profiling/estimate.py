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
    fixed = np.array(list(known), dtype=values.dtype)
    fixed_counts = np.array(list(known.values()), dtype=np.float64)
    free = ~np.isin(values, fixed)
    values, weights = values[free], counts[free].astype(np.float64)
    common = weights * 2.0**level > n * _HEAVY
    parts, shares = [fixed], [fixed_counts]
    for below, total in ((True, totals.negatives), (False, n - totals.zeros - totals.negatives)):
        side, on_side = (values < 0, fixed < 0) if below else (values > 0, fixed > 0)
        mass = total - fixed_counts[on_side].sum()
        if mass <= 0:
            continue
        if side.any():
            parts.append(values[side])
            shares.append(_share(mass, weights[side], common[side]))
        else:
            parts.append(np.array([(ends.low if below else ends.high) // 2], dtype=values.dtype))
            shares.append(np.array([mass]))
    merged = np.concatenate(parts)
    order = np.argsort(merged)
    return merged[order], np.concatenate(shares)[order]


def _share(mass: float, weights: Array, common: Array) -> Array:
    left = mass - weights[common].sum()
    rare = ~common
    if not rare.any() or left <= 0:
        shares: Array = weights * (mass / weights.sum())
        return shares
    return np.where(common, weights, weights * (left / weights[rare].sum()))
