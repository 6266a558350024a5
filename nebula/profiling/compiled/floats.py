"""Continuous float32 values, once: ends and their counts, signs, power sums, and the values held by their hash.

Signed integers order the bits of floats (negative ones reversed), and vector units compare integers
without regard to NaN. Sums run in float32 over a block that fits the fastest cache, about a centre
inside it, and are moved to the common centre in float64.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["scan_floats"]

_BLOCK = 4096
_SPREAD = 2.0**20
_SUMS_ANY_ORDER = {"contract", "reassoc", "nsz"}
_GOLDEN = np.uint32(2654435769)  # as in value_hash
_MAGNITUDE = np.int32(0x7FFFFFFF)
_LEAST, _MOST = np.int32(-(2**31)), np.int32(2**31 - 1)
_INFINITY = np.int32(0x7F800000)


@njit("UniTuple(int32, 2)(int32[::1])", nogil=True, cache=True)
def _find_ends(bits):
    low, high = _MOST, _LEAST
    for i in range(bits.size):
        key = np.int32(bits[i] ^ np.int32(np.int32(bits[i] >> np.int32(31)) & _MAGNITUDE))
        low, high = min(low, key), max(high, key)
    return low, high


@njit("UniTuple(int32, 2)(int32[::1])", nogil=True, cache=True)
def _count_signs(bits):
    zeros, negatives = np.int32(0), np.int32(0)
    for i in range(bits.size):
        is_zero = np.int32(bits[i] & _MAGNITUDE) == np.int32(0)
        zeros = np.int32(zeros + np.int32(is_zero))
        negatives = np.int32(negatives + np.int32(bits[i] < np.int32(0)) - np.int32(bits[i] == _LEAST))
    return zeros, negatives


@njit("int32(float32[::1], float32)", nogil=True, cache=True)
def _count_equal(values, value):
    count = np.int32(0)
    for i in range(values.size):
        count = np.int32(count + np.int32(values[i] == value))
    return count


@njit("UniTuple(float32, 4)(float32[::1], float32)", fastmath=_SUMS_ANY_ORDER, nogil=True, cache=True)
def _sum_powers(values, centre):
    s1 = s2 = s3 = s4 = np.float32(0)
    for i in range(values.size):
        d = np.float32(values[i] - centre)
        q = np.float32(d * d)
        s1, s2, s3, s4 = s1 + d, s2 + q, s3 + d * q, s4 + q * q
    return s1, s2, s3, s4


@njit("void(float64[::1], UniTuple(float32, 4), float64, int64)", nogil=True, cache=True)
def _add_powers(sums, powers, shift, n):
    s1, s2, s3, s4 = np.float64(powers[0]), np.float64(powers[1]), np.float64(powers[2]), np.float64(powers[3])
    square = shift * shift
    sums[0] += s1 + n * shift
    sums[1] += s2 + 2 * shift * s1 + n * square
    sums[2] += s3 + 3 * shift * s2 + 3 * square * s1 + n * shift * square
    sums[3] += s4 + 4 * shift * s3 + 6 * square * s2 + 4 * shift * square * s1 + n * square * square


@njit("void(uint32[::1], uint32, uint8[::1])", nogil=True, cache=True)
def _mark_held(words, threshold, marks):
    for i in range(words.size):
        marks[i] = np.uint32(words[i] * np.uint32(words[i] + _GOLDEN)) > threshold


@njit("int64(uint32[::1], uint8[::1], uint64[::1], uint32[::1], int64)", nogil=True, cache=True)
def _gather_held(words, marks, eights, held, count):
    whole = words.size // 8
    for place in range(whole):
        if eights[place]:
            for i in range(place * 8, place * 8 + 8):
                held[count] = words[i]
                count += marks[i]
    for i in range(whole * 8, words.size):
        held[count] = words[i]
        count += marks[i]
    return count


@njit("float32(int32, int32[::1], float32[::1])", nogil=True, cache=True)
def _value_of(key, box, opened):
    box[0] = np.int32(key ^ np.int32(np.int32(key >> np.int32(31)) & _MAGNITUDE))
    return opened[0]


@njit("Tuple((int64, int64, float64[::1]))(float32[::1], float32, uint32, uint32[::1])", nogil=True, cache=True)
def scan_floats(values, centre, threshold, held):
    """Read values until the first block that is not finite, or whose range no float32 sum should span.

    Args:
        values: (N,).
        centre: Near their mean.
        threshold: A value is held when its hash exceeds it.
        held: Receives the bits of held values; 8 longer than `values`.

    Returns:
        Values read; values held; and low, high, their two counts, zeros, negatives, and the sums of
        the first to fourth powers of the distances from `centre`.
    """
    bits, words = values.view(np.int32), values.view(np.uint32)
    marks = np.zeros(_BLOCK, np.uint8)
    eights = marks.view(np.uint64)
    box = np.zeros(1, np.int32)
    opened = box.view(np.float32)
    read, count = 0, 0
    found = np.zeros(10)
    found[0], found[1] = np.inf, -np.inf
    while read < values.size:
        block = values[read : read + _BLOCK]
        low_key, high_key = _find_ends(bits[read : read + _BLOCK])
        if high_key >= _INFINITY or low_key <= np.int32(-_INFINITY - 1):
            break
        low, high = _value_of(low_key, box, opened), _value_of(high_key, box, opened)
        reach = np.float64(high) - np.float64(low)
        if reach >= _SPREAD or (reach != 0 and reach * _SPREAD <= 1):
            break
        if low <= found[0]:
            found[2] = _count_equal(block, low) + (found[2] if low == found[0] else 0.0)
            found[0] = low
        if high >= found[1]:
            found[3] = _count_equal(block, high) + (found[3] if high == found[1] else 0.0)
            found[1] = high
        if high < 0:
            found[5] += block.size
        elif low <= 0:
            zeros, negatives = _count_signs(bits[read : read + _BLOCK])
            found[4] += zeros
            found[5] += negatives
        near = centre if low <= centre <= high else np.float32(low + np.float32(reach / 2))
        _add_powers(found[6:], _sum_powers(block, near), np.float64(near) - np.float64(centre), block.size)
        part = words[read : read + _BLOCK]
        _mark_held(part, threshold, marks)
        count = _gather_held(part, marks, eights, held, count)
        read += block.size
    return read, count, found
