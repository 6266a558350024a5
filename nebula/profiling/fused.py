"""One pass instead of a dozen: compiled kernels read ahead where one of them can do all the work.

A kernel stops at the first block that it cannot do (NaN, a wide range, a value outside the window); the plain
path reads one piece from there, and the kernel is asked again.
"""

from __future__ import annotations

from types import ModuleType
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from nebula.profiling.acceleration import load_kernel
from nebula.profiling.columns import MAX_COLUMNS, Columns
from nebula.profiling.device import lies_on_host
from nebula.profiling.distribution import Array
from nebula.profiling.marginal import Marginal
from nebula.profiling.power_sums import sum_powers_about
from nebula.profiling.rows import SumRange
from nebula.profiling.survey import SPAN
from nebula.profiling.totals import Extremes, Totals
from nebula.profiling.value_hash import threshold_of

__all__ = ["FusedReader", "open_fused"]

_FLOATS = 2**20
_CODES = 2**22
_LEAST_WINDOW = 1024
_READ = (torch.float32, torch.int64, torch.int32, torch.uint8)


class FusedReader(Protocol):
    """Reads the rows of one contiguous tensor on the host, as far as its kernel can."""

    def read(self, start: int, marginal: Marginal, columns: Columns | None) -> tuple[int, SumRange | None]:
        """Add rows from `start` on.

        Args:
            start: The first row.
            marginal: Receives their values.
            columns: Receives their columns; None for a vector.

        Returns:
            Rows added, perhaps none, and the range of their sums where the target is a table.
        """


def open_fused(values: Tensor) -> FusedReader | None:
    """Return a reader for a target, or None where no kernel suits it or is at hand."""
    if not (lies_on_host(values) and values.ndim and values.is_contiguous() and values.dtype in _READ):
        return None
    size, array = values.numel(), values.numpy()
    if values.dtype == torch.float32 and values.ndim == 2 and 2 <= values.shape[1] <= MAX_COLUMNS:
        kernel = load_kernel("tables", size)
        return None if kernel is None else _TableReader(array, kernel)
    if size != values.shape[0]:
        return None
    if values.dtype == torch.float32:
        kernel = load_kernel("floats", size)
        return None if kernel is None else _FloatReader(array.reshape(-1), kernel)
    kernel = load_kernel("codes", size)
    return None if kernel is None else _CodeReader(array.reshape(-1), kernel)


class _FloatReader:
    """Continuous values, once it is known that they are, and too many distinct ones to hold."""

    def __init__(self, values: Array, kernel: ModuleType) -> None:
        self._values, self._kernel = values, kernel
        self._held = np.empty(min(_FLOATS, values.size) + 8, np.uint32)

    def read(self, start: int, marginal: Marginal, columns: Columns | None) -> tuple[int, SumRange | None]:
        del columns
        before, level = marginal.totals, marginal.table.level
        centre = None if before is None or before.whole else before.sums.near
        if centre is None or not level or marginal.ignore is not None:
            return 0, None
        part = self._values[start : start + _FLOATS]
        read, count, found = self._kernel.scan_floats(
            part, np.float32(centre), np.uint32(threshold_of(level)), self._held
        )
        if read:
            low, high = (value + 0.0 for value in found[:2].tolist())
            low_count, high_count, zeros, negatives = (int(number) for number in found[2:6])
            extremes = Extremes(low, high, low_count, high_count)
            sums = sum_powers_about(read, centre, found[6:].tolist())
            totals = Totals(False, zeros, negatives, 0, extremes, None, sums)
            marginal.add_totalled(read, totals, self._held[:count].view(np.float32).copy())
        return read, None


class _CodeReader:
    """Whole numbers in a narrow window, once it is known."""

    def __init__(self, values: Array, kernel: ModuleType) -> None:
        self._values, self._kernel = values, kernel

    def read(self, start: int, marginal: Marginal, columns: Columns | None) -> tuple[int, SumRange | None]:
        del columns
        known = marginal.table.values
        if marginal.totals is not None or not len(known) or known.dtype != np.int64:
            return 0, None
        low, high = int(known[0]), int(known[-1])
        if low >= 0 and high < SPAN:
            low = 0
        if high - low >= SPAN:
            return 0, None
        window = max(_LEAST_WINDOW, 1 << (high - low).bit_length())
        counts = np.zeros((4, window), np.uint32)
        read = self._kernel.count_codes(self._values[start : start + _CODES], low, counts)
        if read:
            total = counts.sum(0, dtype=np.int64)
            places = np.flatnonzero(total)
            marginal.size += read
            marginal.add_counted(places + low, total[places])
        return read, None


class _TableReader:
    """Rows of 0 and 1."""

    def __init__(self, table: Array, kernel: ModuleType) -> None:
        self._table, self._kernel = table, kernel
        self._rows = max(1, _CODES // table.shape[1])

    def read(self, start: int, marginal: Marginal, columns: Columns | None) -> tuple[int, SumRange | None]:
        part = self._table[start : start + self._rows]
        ones = np.zeros(part.shape[1], np.int64)
        read, low, high = self._kernel.count_ones(part, ones)
        if not read:
            return 0, None
        total = int(ones.sum())
        counts = np.array([read * part.shape[1] - total, total])
        marginal.size += read * part.shape[1]
        marginal.add_counted(np.flatnonzero(counts), counts[counts > 0])
        if columns is not None:
            columns.add_counted(read, ones)
        return read, SumRange(float(low), float(high))
