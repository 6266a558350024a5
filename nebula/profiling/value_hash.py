"""A 32-bit hash of a number's value: the same for every element type that holds it, wherever it stands.

x (x + c) modulo 2^32 over the bits of the value as a float32. Values that no float32 holds enter
with their 64 bits folded to 32. A quadratic spreads lattices, which a multiplication alone may keep
in runs (Knuth, TAOCP 6.4).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from nebula.profiling.distribution import Array

__all__ = ["hash_on_device", "hash_values", "threshold_of"]

_GOLDEN = 2654435769  # 2^32 / golden ratio
_FOLD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio
_EXACT_IN_FLOAT32 = 2**24


def threshold_of(level: int) -> int:
    """Return the number that a hash must exceed to stay at this level: one value in 2^level does.

    Both zeros hash to what never stays above level 0.
    """
    return (1 << 32) - (1 << (32 - level))


def hash_values(values: Array, scratch: Array | None = None) -> Array:
    """Hash finite values.

    Args:
        values: Contiguous real numbers.
        scratch: As many uint32 or more, to be overwritten and returned in part.

    Returns:
        uint32, of the same length.
    """
    words = _words(values)
    hashed = np.empty(words.size, dtype=np.uint32) if scratch is None else scratch[: words.size]
    np.add(words, np.uint32(_GOLDEN), out=hashed)
    return np.multiply(hashed, words, out=hashed)


def hash_on_device(values: Tensor) -> Tensor:
    """Return `hash_values` as int64 in [0, 2^32), computed where the tensor lives.

    Args:
        values: Finite float32, float64 or int64, (N,).
    """
    single = values.float()
    words = single.contiguous().view(torch.int32).long()
    if values.dtype != torch.float32:
        lost = single.double() != values.double() if values.dtype.is_floating_point else _lost(values)
        if bool(lost.any()):
            wide = values.double() if values.dtype.is_floating_point else values
            bits = wide.contiguous().view(torch.int64)
            if not values.dtype.is_floating_point:
                bits = torch.where(_whole_in_float64(values), values.double().view(torch.int64), values)
            folded = (bits * int(_FOLD.astype(np.int64))) >> 32
            words = torch.where(lost, folded, words)
    words = words & 0xFFFFFFFF
    return (words * ((words + _GOLDEN) & 0xFFFFFFFF)) & 0xFFFFFFFF


def _lost(values: Tensor) -> Tensor:
    back = values.float().double()
    return (back.abs() >= 2.0**63) | (back.clamp(-(2.0**63), 2.0**63 - 1024).long() != values)


def _whole_in_float64(values: Tensor) -> Tensor:
    back = values.double()
    return (back < 2.0**63) & (back.clamp(max=2.0**63 - 1024).long() == values)


def _words(values: Array) -> Array:
    """Return the 32 bits of every value that are hashed, as uint32."""
    if values.dtype == np.float32:
        return values.view(np.uint32)
    if values.dtype.kind == "f":
        with np.errstate(over="ignore", under="ignore"):
            single = values.astype(np.float32)
        return _mend(single, single.astype(np.float64) != values, values.view(np.uint64))
    single = values.astype(np.float32)
    if values.dtype.itemsize <= 2 or not values.size or _is_narrow(values):
        return single.view(np.uint32)
    lost = _differs(single, values)
    double = values.astype(np.float64)
    bits = np.where(_differs(double, values), values.astype(np.int64).view(np.uint64), double.view(np.uint64))
    return _mend(single, lost, bits)


def _is_narrow(values: Array) -> bool:
    return int(values.min()) >= -_EXACT_IN_FLOAT32 and int(values.max()) <= _EXACT_IN_FLOAT32


def _differs(floats: Array, whole: Array) -> Array:
    """Say which whole numbers are not what their floats say; 2^63 and 2^64 have no place in the types."""
    limit = 2.0**64 if whole.dtype == np.uint64 else 2.0**63
    inside = floats < limit
    back = np.where(inside, floats, np.float32(0)).astype(whole.dtype)
    differs: Array = ~inside | (back != whole)
    return differs


def _mend(single: Array, lost: Array, bits: Array) -> Array:
    words = single.view(np.uint32)
    if lost.any():
        words[lost] = ((bits[lost] * _FOLD) >> np.uint64(32)).astype(np.uint32)
    return words
