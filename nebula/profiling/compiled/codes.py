"""Whole numbers in a narrow window, counted once."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["count_codes"]

_BLOCK = 1024


@njit(["uint64(int64[::1], int64)", "uint64(int32[::1], int64)", "uint64(uint8[::1], int64)"], nogil=True, cache=True)
def _join_offsets(values, base):
    joined = np.uint64(0)
    for i in range(values.size):
        joined |= np.uint64(np.int64(values[i]) - base)
    return joined


@njit(
    [
        "int64(int64[::1], int64, uint32[:, ::1])",
        "int64(int32[::1], int64, uint32[:, ::1])",
        "int64(uint8[::1], int64, uint32[:, ::1])",
    ],
    nogil=True,
    cache=True,
)
def count_codes(values, base, counts):
    """Count values in [base, base + window), until the first block with one outside.

    Four counts of every value take turns, as adding to the one that was just written would wait.

    Args:
        values: (N,), N < 2^32.
        base: The smallest value that may occur.
        counts: (4, window), window a power of two; added to.

    Returns:
        Values read.
    """
    mask = np.uint64(counts.shape[1] - 1)
    for start in range(0, values.size, _BLOCK):
        block = values[start : start + _BLOCK]
        if _join_offsets(block, base) > mask:
            return start
        fours = block.size // 4
        for four in range(fours):
            i = 4 * four
            counts[0, np.uint64(np.int64(block[i]) - base) & mask] += np.uint32(1)
            counts[1, np.uint64(np.int64(block[i + 1]) - base) & mask] += np.uint32(1)
            counts[2, np.uint64(np.int64(block[i + 2]) - base) & mask] += np.uint32(1)
            counts[3, np.uint64(np.int64(block[i + 3]) - base) & mask] += np.uint32(1)
        for i in range(4 * fours, block.size):
            counts[0, np.uint64(np.int64(block[i]) - base) & mask] += np.uint32(1)
    return values.size
