"""What is counted on every value once the distinct ones are too many to hold."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nebula.profiling.distribution import Array
from nebula.profiling.power_sums import PowerSums, sum_counted

__all__ = ["Extremes", "Totals", "count_totals"]

Number = int | float


class Extremes(NamedTuple):
    """The smallest and the largest of some values, and how often each occurs.

    Attributes:
        low: Smallest value, exact.
        high: Largest value, exact.
        low_count: Values equal to `low`.
        high_count: Values equal to `high`.
    """

    low: Number
    high: Number
    low_count: int
    high_count: int

    def merge(self, other: Extremes) -> Extremes:
        """Return the extremes of both."""
        low, high = min(self.low, other.low), max(self.high, other.high)
        return Extremes(
            low,
            high,
            (self.low_count if self.low == low else 0) + (other.low_count if other.low == low else 0),
            (self.high_count if self.high == high else 0) + (other.high_count if other.high == high else 0),
        )


class Totals(NamedTuple):
    """Exact counts and sums over all finite values.

    Attributes:
        whole: Every value is a whole number.
        zeros: Values equal to 0.
        negatives: Values below 0.
        ignored: Values equal to the declared filler; 0 without one.
        extremes: Of all values.
        rest: Of the values that are not the declared filler; None without one, or when nothing is left.
        sums: For the moments.
    """

    whole: bool
    zeros: int
    negatives: int
    ignored: int
    extremes: Extremes
    rest: Extremes | None
    sums: PowerSums = PowerSums()

    def merge(self, other: Totals) -> Totals:
        """Return the totals of both."""
        rest = self.rest.merge(other.rest) if self.rest and other.rest else self.rest or other.rest
        return Totals(
            whole=self.whole and other.whole,
            zeros=self.zeros + other.zeros,
            negatives=self.negatives + other.negatives,
            ignored=self.ignored + other.ignored,
            extremes=self.extremes.merge(other.extremes),
            rest=rest,
            sums=self.sums.merge(other.sums),
        )


def count_totals(values: Array, counts: Array, ignore: int | None) -> Totals:
    """Count distinct ascending values, at least one, with how often each occurs."""
    zero = np.searchsorted(values, 0), np.searchsorted(values, 0, side="right")
    kept, ignored = np.ones(len(values), dtype=bool), 0
    if ignore is not None:
        kept = values != ignore
        ignored = int(counts[~kept].sum())
    left = values[kept], counts[kept]
    return Totals(
        whole=values.dtype.kind != "f" or bool((values == np.floor(values)).all()),
        zeros=int(counts[zero[0] : zero[1]].sum()),
        negatives=int(counts[: zero[0]].sum()),
        ignored=ignored,
        extremes=_ends(values, counts),
        rest=_ends(*left) if ignore is not None and len(left[0]) else None,
        sums=sum_counted(values, counts),
    )


def _ends(values: Array, counts: Array) -> Extremes:
    return Extremes(values[0].item(), values[-1].item(), int(counts[0]), int(counts[-1]))
