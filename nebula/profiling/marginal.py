"""The values of a target, whatever their places: a mergeable accumulator in bounded memory.

Up to 65,536 distinct values are held with their counts, and everything follows from these two lists
to the last bit. With more, a fair part of the distinct values stays (see `value_table`), and what
must be exact is counted on every value (see `totals`).
"""

from __future__ import annotations

import math

import numpy as np
from torch import Tensor

from nebula.profiling.device import count_distinct, lies_on_host, pick_level, survey_on_device, total_on_device
from nebula.profiling.distribution import Array, Distribution, count_runs, group_ordered
from nebula.profiling.estimate import estimate_counts
from nebula.profiling.survey import Scratch, Survey, count_narrow, survey, total_raw
from nebula.profiling.totals import Totals, count_totals
from nebula.profiling.value_table import CAPACITY, ValueTable

__all__ = ["Marginal"]


class Marginal:
    """Counts, extremes, moments and a table of values.

    Attributes:
        ignore: The declared filler value, or None.
        size: Values seen, NaN and infinite ones included.
        nan_count: NaN values.
        inf_count: Infinite values.
        table: Distinct finite values; all of them while its level is 0.
        totals: Counted on every finite value; None while the table holds all.
    """

    def __init__(self, ignore: int | None = None, capacity: int = CAPACITY) -> None:
        self.ignore = ignore
        self.size = self.nan_count = self.inf_count = 0
        self.table = ValueTable(capacity)
        self.totals: Totals | None = None
        self._certain: ValueTable | None = None

    @property
    def n(self) -> int:
        """Finite values."""
        return self.size - self.nan_count - self.inf_count

    def add(self, piece: Tensor, scratch: Scratch, to_come: int = 0) -> Survey:
        """Add a contiguous piece, (N,).

        Args:
            piece: Real values.
            scratch: Of its size or more.
            to_come: Values that will follow before `confirm` is called.
        """
        on_host = lies_on_host(piece)
        known = None if self.totals is None else self.totals.whole
        seen = survey(piece, scratch, known) if on_host else survey_on_device(piece)
        self.size += piece.numel()
        self.nan_count += seen.nan_count
        self.inf_count += seen.inf_count
        if seen.finite.numel():
            if not on_host:
                self._add_on_device(seen)
            elif seen.is_narrow:
                self.add_counted(*count_narrow(seen))
            else:
                self._add_raw(seen, scratch, to_come)
        return seen

    def add_counted(self, values: Array, counts: Array) -> None:
        """Add distinct ascending finite values, whose number `size` holds already."""
        if not len(values):
            return
        if self.totals is not None:
            self.totals = self.totals.merge(count_totals(values, counts, self.ignore))
        self.table.add_counted(values, counts)
        if self.table.is_over:
            self.settle()

    def add_totalled(self, size: int, totals: Totals, held: Array) -> None:
        """Add finite values that were totalled, and picked by their hash at the level of the table, elsewhere.

        Args:
            size: Their number.
            totals: Of all of them.
            held: Those picked.
        """
        self.size += size
        self.totals = totals if self.totals is None else self.totals.merge(totals)
        self.table.add_held(held)
        if self.table.is_full:
            self.settle()

    def merge(self, other: Marginal) -> Marginal:
        """Return the accumulator of both; neither changes."""
        left, right = self.copy(), other.copy()
        for part in (left, right):
            part.settle()
        left.size += right.size
        left.nan_count += right.nan_count
        left.inf_count += right.inf_count
        if left.totals is not None or right.totals is not None:
            left.spill()
            right.spill()
            if left.totals is not None and right.totals is not None:
                left.totals = left.totals.merge(right.totals)
            else:
                left.totals = left.totals or right.totals
        left.table.raise_to(right.table.level)
        left.table.add_counted(right.table.values, right.table.counts)
        left.settle()
        return left

    def copy(self) -> Marginal:
        """Return an accumulator that can change alone."""
        twin = Marginal(self.ignore, self.table.capacity)
        twin.size, twin.nan_count, twin.inf_count = self.size, self.nan_count, self.inf_count
        twin.table, twin.totals = self.table.copy(), self.totals
        return twin

    def distribution(self) -> Distribution:
        """Return what is known of the values."""
        self.settle()
        if self.totals is None:
            values, counts = self.table.values, self.table.counts
            low, high = (float(values[0]), float(values[-1])) if len(values) else (None, None)
            whole = bool(values.dtype.kind != "f" or (values == np.floor(values)).all()) if len(values) else None
            moments, distinct = None, len(values)
        else:
            values, counts = estimate_counts(
                self.table.values, self.table.counts, self.table.level, self.totals, self.ignore, self.n
            )
            low, high = float(self.totals.extremes.low), float(self.totals.extremes.high)
            whole, moments, distinct = self.totals.whole, self.totals.sums.moments(), self._count_distinct()
        return Distribution(
            values, counts, self.n, self.totals is None, self.size, self.nan_count, self.inf_count, low, high, whole,
            distinct, moments,
        )  # fmt: skip

    def _add_raw(self, seen: Survey, scratch: Scratch, to_come: int) -> None:
        array = seen.finite.numpy()
        if self.totals is not None:
            self.totals = total_raw(seen, scratch, self.ignore, self.totals)
            self.table.add(array, (scratch.hashes, scratch.mask))
            if self.table.is_full:
                self.settle()
            return
        before = self.table.copy()
        ordered = np.sort(array)
        distinct = count_runs(ordered)
        if distinct > self.table.capacity:
            self.spill()
            self.totals = total_raw(seen, scratch, self.ignore, self.totals)
            self.table.raise_to(1)
            self._guess(distinct / len(array) * to_come, before)
            self.table.add(array, (scratch.hashes, scratch.mask))
            return
        self.table.add_counted(*group_ordered(ordered))
        self.settle()
        if self.totals is not None:
            self._guess(distinct / len(array) * to_come, before)

    def _add_on_device(self, seen: Survey) -> None:
        distinct, counts = count_distinct(seen)
        if self.totals is not None or len(distinct) > self.table.capacity:
            self.spill()
            found = total_on_device(seen, self.ignore)
            self.totals = found if self.totals is None else self.totals.merge(found)
        values, number, level = pick_level(distinct, counts, self.table.level, self.table.capacity)
        self.table.raise_to(level)
        self.table.add_counted(values, number)
        self.settle()

    def _guess(self, distinct: float, before: ValueTable) -> None:
        """Go on at a level that is probably, and then provably, too low for what is to come.

        Args:
            distinct: How many further distinct values are thought to come.
            before: The table without the present piece, which is counted again should the guess prove wrong.
        """
        level = math.frexp(distinct / self.table.capacity)[1] - 2 if distinct else 0
        if level > self.table.level:
            self._certain = before
            self.table.raise_to(level)

    def confirm(self) -> bool:
        """Say whether the level follows from the data; if not, recount from the first piece after which `is_guess`."""
        self.settle()
        if self._certain is None:
            return True
        self.table, self._certain = self._certain, None
        self.table.raise_to(1)  # that much is known
        return False

    @property
    def is_guess(self) -> bool:
        """The level of the table is higher than the values so far demand."""
        return self._certain is not None

    def recount(self, piece: Tensor, scratch: Scratch) -> None:
        """Add a piece to the table alone."""
        seen = survey(piece, scratch, None)
        if seen.finite.numel():
            if seen.is_narrow:
                self.table.add_counted(*count_narrow(seen))
            else:
                self.table.add(seen.finite.numpy(), (scratch.hashes, scratch.mask))
            if self.table.is_full or self.table.is_over:
                self.settle()

    def settle(self) -> None:
        """Fold waiting values into the table, and hold its capacity."""
        level = self.table.level
        self.table.gather()
        if self.table.is_over:
            self.spill()
            self.table.shrink()
        if self.table.level > level:
            self._certain = None

    def spill(self) -> None:
        """Total the values while the table still holds all of them."""
        if self.totals is None and len(self.table.values):
            self.totals = count_totals(self.table.values, self.table.counts, self.ignore)

    def _count_distinct(self) -> int:
        if len(self.table.counts) and int(self.table.counts.max()) == 1:
            return self.n  # no repetition in a fair part of some 50,000: none is assumed
        return min(self.n, len(self.table.values) << self.table.level)
