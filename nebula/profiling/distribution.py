"""The distinct finite values of some data and how often each occurs.

Everything marginal follows from these two lists, so no statistic can depend on the order of the
rows, on the element type that holds them, or on strides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from nebula.profiling.moments import Moments

__all__ = ["SAMPLE_LIMIT", "Array", "Distribution", "count_runs", "group", "group_ordered", "unify", "widen"]

SAMPLE_LIMIT = 2**24

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class Distribution:
    """An empirical distribution.

    Attributes:
        values: Distinct finite values, ascending; int64 or uint64 for integers, else float64.
        counts: How often each occurs, int64; estimated, float64, when not `exact`.
        n: Sum of `counts`: the finite values.
        exact: All distinct values are here; otherwise a fair part stands for them.
        size: All values in the data, NaN and infinite ones included.
        nan_count: NaN values in the data.
        inf_count: Infinite values in the data.
        low: Smallest finite value; None when there is none.
        high: Largest finite value; None when there is none.
        whole: Every finite value is a whole number; None when there is none.
        distinct: Distinct finite values; estimated when not `exact`.
        moments: Of all the data, when they do not follow from `values` and `counts`.
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
    distinct: int
    moments: Moments | None = None

    @cached_property
    def floats(self) -> Array:
        """The distinct values as float64."""
        return self.values.astype(np.float64, copy=False)

    @cached_property
    def cumulative(self) -> Array:
        """How many of the `n` values are at most the distinct value of the same place."""
        return np.cumsum(self.counts)

    def count_below(self, value: float) -> float:
        """Count the values less than this one."""
        return self.counts_below((value,))[0]

    def counts_below(self, values: Sequence[float]) -> list[float]:
        """Count the values less than each of these."""
        return self._count(self.floats.searchsorted(values, side="left"))

    def count_up_to(self, value: float) -> float:
        """Count the values less than or equal to this one."""
        return self.counts_up_to((value,))[0]

    def counts_up_to(self, values: Sequence[float]) -> list[float]:
        """Count the values less than or equal to each of these."""
        return self._count(self.floats.searchsorted(values, side="right"))

    def _count(self, places: Array) -> list[float]:
        cumulative = self.cumulative
        return [min(cumulative[place - 1].item(), self.n) if place else 0 for place in places.tolist()]

    def without(self, value: float) -> Distribution:
        """Return the distribution with one value left out."""
        keep = self.values != value
        values, counts = self.values[keep], self.counts[keep]
        low, high = (self.low, self.high) if len(values) else (None, None)
        low = float(values[0]) if low == value else low
        high = float(values[-1]) if high == value else high
        left_out = len(self.values) - len(values)
        return replace(
            self,
            values=values,
            counts=counts,
            n=round(float(counts.sum())) if not self.exact else int(counts.sum()),
            low=low,
            high=high,
            distinct=self.distinct - left_out,
        )


def group(raw: Array) -> tuple[Array, Array]:
    """Sort, and count the runs of equal values.

    Args:
        raw: Finite values.

    Returns:
        The distinct values as `widen` gives them, ascending, and their counts.
    """
    return group_ordered(np.sort(raw))


def group_ordered(ordered: Array) -> tuple[Array, Array]:
    """Do the work of `group` on one ascending value or more."""
    starts = _find_runs(ordered)
    if starts.all():
        return widen(ordered), np.ones(ordered.size, dtype=np.int64)
    places = np.flatnonzero(starts)
    return widen(ordered[places]), np.diff(places, append=ordered.size)


def count_runs(ordered: Array) -> int:
    """Count the distinct values among one ascending value or more."""
    return int(np.count_nonzero(_find_runs(ordered)))


def _find_runs(ordered: Array) -> Array:
    starts = np.empty(ordered.size, dtype=bool)
    starts[:1] = True
    np.not_equal(ordered[1:], ordered[:-1], out=starts[1:])
    return starts


def widen(values: Array) -> Array:
    """Widen values to float64, int64 or uint64, without negative zero."""
    if values.dtype.kind != "f":
        return values if values.dtype == np.uint64 else values.astype(np.int64, copy=False)
    return np.add(values, 0.0, dtype=np.float64)


def unify(left: Array, right: Array) -> tuple[Array, Array]:
    """Bring two wide arrays to one type: float64 unless both are integers that int64 or uint64 holds."""
    if left.dtype == right.dtype:
        return left, right
    kinds = left.dtype.kind + right.dtype.kind
    if "f" in kinds:
        return left.astype(np.float64), right.astype(np.float64)
    signed, unsigned = (left, right) if left.dtype.kind == "i" else (right, left)
    if not unsigned.size or int(unsigned.max()) < 2**63:
        return left.astype(np.int64), right.astype(np.int64)
    wide = np.uint64 if not signed.size or int(signed.min()) >= 0 else np.float64
    return left.astype(wide), right.astype(wide)
