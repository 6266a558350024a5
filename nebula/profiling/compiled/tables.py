"""A table of 0 and 1, once: ones a column, and the range of the sums of its rows."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["count_ones"]

_ROWS = 2**14  # of a block, over the width


@njit("boolean(float32[::1])", nogil=True, cache=True)
def _is_binary(values):
    others = np.int32(0)
    for i in range(values.size):
        others |= np.int32((values[i] != np.float32(0)) & (values[i] != np.float32(1)))
    return others == 0


@njit("UniTuple(float32, 2)(float32[:, ::1], float32[::1])", fastmath={"reassoc", "nsz"}, nogil=True, cache=True)
def _add_rows(block, ones):
    low, high = np.float32(ones.size), np.float32(0)
    for place in range(block.shape[0]):
        row = block[place]
        total = np.float32(0)
        for i in range(ones.size):
            ones[i] += row[i]
            total += row[i]
        low, high = min(low, total), max(high, total)
    return low, high


@njit("UniTuple(int64, 3)(float32[:, ::1], int64[::1])", nogil=True, cache=True)
def count_ones(table, ones):
    """Read rows until the first block with anything but 0 and 1.

    Args:
        table: (N, C), C < 2^14.
        ones: (C,), added to.

    Returns:
        Rows read, and the smallest and the largest sum of one of them.
    """
    width = table.shape[1]
    step = max(1, _ROWS // width)
    low, high = np.float32(width), np.float32(0)
    part = np.zeros(width, np.float32)
    for start in range(0, table.shape[0], step):
        block = table[start : start + step]
        if not _is_binary(block.reshape(-1)):
            return start, np.int64(low), np.int64(high)
        part[:] = 0
        least, most = _add_rows(block, part)
        low, high = min(low, least), max(high, most)
        for column in range(width):
            ones[column] += np.int64(part[column])
    return table.shape[0], np.int64(low), np.int64(high)
