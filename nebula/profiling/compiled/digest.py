"""The three multilinear sums of every block of words, once."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["sum_blocks"]


@njit("UniTuple(int64, 3)(int64[::1], int64[:, ::1])", nogil=True, cache=True)
def _sum_block(words, keys):
    first, second, third = keys[0], keys[1], keys[2]
    s0 = s1 = s2 = np.int64(0)
    for i in range(words.size):
        s0 += words[i] * first[i]
        s1 += (words[i] >> np.int64(21)) * second[i]
        s2 += (words[i] >> np.int64(42)) * third[i]
    return s0, s1, s2


@njit("void(int64[:, ::1], int64[:, ::1], int64[:, ::1])", nogil=True, cache=True)
def sum_blocks(blocks, keys, sums):
    """Sum whole blocks, modulo 2^64.

    Args:
        blocks: (B, words).
        keys: (3, words).
        sums: (B, 3), overwritten.
    """
    for place in range(blocks.shape[0]):
        sums[place, 0], sums[place, 1], sums[place, 2] = _sum_block(blocks[place], keys)
