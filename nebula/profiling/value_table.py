"""Distinct values and how often each occurs, in bounded memory: exact while few, else a fair part.

Distinct sampling (Gibbons 2001): at level L a value stays when its hash falls into the last 2^-L of
all hashes, and L is the smallest at which the table holds no more than its capacity. Which values
stay, and their exact counts, follow from the data alone: not from the order, the split or the tree
of merges.
"""

from __future__ import annotations

import numpy as np

from nebula.profiling.distribution import Array, group, unify
from nebula.profiling.value_hash import hash_values, threshold_of

__all__ = ["CAPACITY", "MAX_LEVEL", "ValueTable"]

CAPACITY = 2**16
MAX_LEVEL = 31
_FEW = 2**12
_RARE = 4
_RINGS = 4


class ValueTable:
    """A mergeable table of distinct values.

    Attributes:
        capacity: Most distinct values held after `settle`.
        level: 0 while every value is held; one in 2^level distinct values is.
        values: Held values, ascending: int64, uint64 or float64.
        counts: How often each occurs in all the data, int64.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self.level = 0
        self.values: Array = np.zeros(0, dtype=np.int64)
        self.counts: Array = np.zeros(0, dtype=np.int64)
        self._loose: list[Array] = []
        self._waiting = 0

    @property
    def is_over(self) -> bool:
        """More values are held than the capacity allows."""
        return len(self.values) > self.capacity

    def add(self, values: Array, scratch: tuple[Array, Array] | None = None) -> None:
        """Add raw finite values; `settle` must follow before the table is read.

        Args:
            values: Contiguous real numbers.
            scratch: uint32 and bool arrays of at least the length, to be overwritten.
        """
        if self.level:
            values = self._pick(values, scratch)
        self.add_held(values)

    def add_held(self, values: Array) -> None:
        """Add raw finite values whose hashes stay at the present level; `settle` must follow."""
        if values.size:
            self._loose.append(values)
            self._waiting += values.size

    @property
    def is_full(self) -> bool:
        """Enough raw values wait that settling is due."""
        return self._waiting > 4 * self.capacity

    def add_counted(self, values: Array, counts: Array) -> None:
        """Add distinct ascending values with their counts.

        Args:
            values: int64, uint64 or float64.
            counts: int64.
        """
        if self.level:
            keep = _find_held(hash_values(values), self.level)
            values, counts = values[keep], counts[keep]
        if values.size:
            self.values, self.counts = _unite(self.values, self.counts, values, counts)

    def gather(self) -> None:
        """Group the raw values; from level 1 on, at the lowest level whose values fit."""
        if self._loose:
            waiting, self._loose, self._waiting = self._loose, [], 0
            for kind in dict.fromkeys(part.dtype for part in waiting):
                raw = np.concatenate([part for part in waiting if part.dtype == kind])
                if self.level and raw.size + self.values.size > self.capacity:
                    self._gather_rings(raw)
                else:
                    self.values, self.counts = _unite(self.values, self.counts, *group(raw))

    def _gather_rings(self, raw: Array) -> None:
        """Group level by level from one that surely fits downwards, until the next would not: the rest is not sorted.

        What one level holds beyond the next higher one is a ring of hashes, so that no value is in two of them.
        """
        hashed, held = hash_values(raw), hash_values(self.values)
        lowest, above = self.level, _ring_of(self.level, hashed, held)
        while sum(part.size for part in above) > self.capacity and self.level < min(lowest + _RINGS, MAX_LEVEL):
            self.level += 1
            above = _ring_of(self.level, hashed, held)
        values, counts = self._group_ring(raw, *above)
        level = self.level
        while level > lowest and len(values) <= self.capacity:
            self.level, level = level, level - 1
            more, often = self._group_ring(raw, *_ring_of(level, hashed, held, below=self.level))
            if len(values) + len(more) > self.capacity:
                break
            values, counts = _unite(values, counts, more, often)
            self.level = level
        self.values, self.counts = values, counts

    def _group_ring(self, raw: Array, places: Array, held: Array) -> tuple[Array, Array]:
        known = self.values[held], self.counts[held]
        return _unite(*known, *group(raw[places])) if places.size else known

    def shrink(self) -> None:
        """Raise the level until the capacity holds."""
        if self.is_over:
            hashed = hash_values(self.values)
            while (keep := _find_held(hashed, self.level)).size > self.capacity or not self.level:
                self.level += 1
            self.values, self.counts = self.values[keep], self.counts[keep]

    def raise_to(self, level: int) -> None:
        """Drop what does not stay at a higher level."""
        if level > self.level:
            self.level = level
            keep = _find_held(hash_values(self.values), level)
            self.values, self.counts = self.values[keep], self.counts[keep]

    def copy(self) -> ValueTable:
        """Return a table that can change alone; the arrays are shared, they are never written."""
        twin = ValueTable(self.capacity)
        twin.level, twin.values, twin.counts = self.level, self.values, self.counts
        twin._loose, twin._waiting = list(self._loose), self._waiting
        return twin

    def _pick(self, values: Array, scratch: tuple[Array, Array] | None) -> Array:
        hashed = hash_values(values, scratch[0] if scratch else None)
        picked: Array = values[_find_held(hashed, self.level, scratch[1] if scratch else None)]
        return picked


def _find_held(hashed: Array, level: int, mask: Array | None = None) -> Array:
    """Return the places of the hashes that stay: numpy takes by place several times faster than by mask."""
    kept = np.greater(hashed, np.uint32(threshold_of(level)), out=None if mask is None else mask[: hashed.size])
    if level < _RARE or hashed.size % 8:
        return np.flatnonzero(kept)
    # Few stay: first find the eights with one.
    octets = kept.view(np.uint64)
    eights = np.flatnonzero(octets != 0)
    within = np.flatnonzero(octets.take(eights).view(bool))
    places: Array = eights[within >> 3] * 8 + (within & 7)
    return places


def _ring_of(level: int, *hashes: Array, below: int | None = None) -> tuple[Array, ...]:
    """Return the places of the hashes that stay at a level, and not at the one below which they must lie."""
    rings = []
    for hashed in hashes:
        kept = hashed > np.uint32(threshold_of(level))
        if below is not None:
            kept &= hashed <= np.uint32(threshold_of(below))
        rings.append(np.flatnonzero(kept))
    return tuple(rings)


def _unite(left: Array, left_counts: Array, right: Array, right_counts: Array) -> tuple[Array, Array]:
    """Merge two ascending tables; equal values add their counts."""
    if left.size < right.size:
        left, left_counts, right, right_counts = right, right_counts, left, left_counts
    if not right.size:
        return left, left_counts
    left, right = unify(left, right)
    if right.size <= _FEW:
        places = np.searchsorted(left, right)
        known = left.take(places, mode="clip") == right
        counts = left_counts.copy()
        counts[places[known]] += right_counts[known]
        if known.all():
            return left, counts
        places = places[~known]
        return np.insert(left, places, right[~known]), np.insert(counts, places, right_counts[~known])
    values = np.concatenate([left, right])
    order = np.argsort(values, kind="stable")  # finds the two runs, and merges them in linear time
    values, counts = values[order], np.concatenate([left_counts, right_counts])[order]
    starts = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))
    return values[starts], np.add.reduceat(counts, starts)
