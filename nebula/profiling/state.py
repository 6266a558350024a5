"""Accumulators as plain arrays: for all-gather, blocks of a cluster, and checkpoints. No pickles.

What is read may come from anywhere, so every size, type and sum is checked before it is believed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nebula.errors import DataError
from nebula.profiling.columns import CAPACITY as COLUMN_CAPACITY
from nebula.profiling.columns import MAX_MEDIANS, Columns
from nebula.profiling.distribution import Array
from nebula.profiling.marginal import Marginal
from nebula.profiling.power_sums import PowerSums
from nebula.profiling.totals import Extremes, Totals
from nebula.profiling.value_hash import hash_values, threshold_of
from nebula.profiling.value_table import CAPACITY, MAX_LEVEL

__all__ = ["pack_columns", "pack_marginal", "read_array", "unpack_columns", "unpack_marginal"]

Arrays = dict[str, Array]
_WIDE = (np.dtype(np.int64), np.dtype(np.uint64), np.dtype(np.float64))


def pack_marginal(part: Marginal, prefix: str) -> Arrays:
    """Write an accumulator of values as arrays whose names begin with `prefix`."""
    part.settle()
    arrays: Arrays = {
        "sizes": np.array([part.size, part.nan_count, part.inf_count, part.table.level], dtype=np.int64),
        "values": part.table.values,
        "counts": part.table.counts,
    }
    if part.totals is not None:
        totals, sums = part.totals, part.totals.sums
        ends = [totals.extremes] + ([totals.rest] if totals.rest is not None else [])
        arrays |= {
            "totals": np.array([totals.whole, totals.zeros, totals.negatives, totals.ignored], dtype=np.int64),
            "ends": _numbers([value for end in ends for value in (end.low, end.high)]),
            "end_counts": np.array(
                [count for end in ends for count in (end.low_count, end.high_count)], dtype=np.int64
            ),
            "sums": np.array([sums.exponent, sums.mean, sums.rest, sums.m2, sums.m3, sums.m4], dtype=np.float64),
        }
    return {f"{prefix}.{name}": array for name, array in arrays.items()}


def unpack_marginal(arrays: Mapping[str, Any], prefix: str, ignore: int | None, capacity: int = CAPACITY) -> Marginal:
    """Read what `pack_marginal` wrote.

    Raises:
        DataError: An array is missing, of another type or size, or contradicts another.
    """
    part = Marginal(ignore, capacity)
    sizes = read_array(arrays, f"{prefix}.sizes", np.int64, 4)
    values = read_array(arrays, f"{prefix}.values", None, None)
    counts = read_array(arrays, f"{prefix}.counts", np.int64, len(values))
    part.size, part.nan_count, part.inf_count, level = (int(size) for size in sizes)
    total = sum(int(count) for count in counts)
    agree = part.n == total if level == 0 else part.n >= total
    with np.errstate(invalid="ignore"):
        sound = (
            values.dtype in _WIDE
            and len(values) <= capacity
            and 0 <= level <= MAX_LEVEL
            and min(part.nan_count, part.inf_count, part.n) >= 0
            and bool((counts > 0).all())
            and bool(np.isfinite(values.astype(np.float64)).all())
            and bool((values[1:] > values[:-1]).all())
            and bool((hash_values(values) > threshold_of(level)).all() or level == 0)
        )
    if not sound or not agree:
        raise _damaged(prefix, "ascending finite values with counts that add up")
    part.table.level, part.table.values, part.table.counts = level, values, counts
    if level:
        part.totals = _unpack_totals(arrays, prefix, part.n, ignore is not None)
    return part


def pack_columns(columns: Columns) -> Arrays:
    """Write an accumulator of columns as arrays."""
    arrays: Arrays = {
        "columns.counts": np.stack([columns.zeros, columns.ones, columns.n, columns.binary]),
        "columns.sums": columns.sums,
    }
    for place, part in enumerate(columns.parts or []):
        arrays |= pack_marginal(part, f"column{place}")
    return arrays


def unpack_columns(arrays: Mapping[str, Any], width: int) -> Columns:
    """Read what `pack_columns` wrote.

    Raises:
        DataError: As for `unpack_marginal`.
    """
    columns = Columns(width)
    counts = read_array(arrays, "columns.counts", np.int64, 4 * width).reshape(4, width)
    if (counts < 0).any():
        raise _damaged("columns", "counts >= 0")
    columns.zeros, columns.ones, columns.n, columns.binary = counts
    columns.sums = read_array(arrays, "columns.sums", np.float64, 2 * width).reshape(2, width)
    if width <= MAX_MEDIANS and "column0.sizes" in arrays:
        columns.parts = [unpack_marginal(arrays, f"column{place}", None, COLUMN_CAPACITY) for place in range(width)]
    return columns


def read_array(arrays: Mapping[str, Any], name: str, dtype: Any, size: int | None) -> Array:
    """Return a flat copy of one array of this type and number of elements; None leaves either open.

    Raises:
        DataError: It is missing, or something else.
    """
    array = arrays.get(name)
    if not isinstance(array, np.ndarray) or array.dtype.hasobject:
        raise _damaged(name, "a plain array")
    if (dtype is not None and array.dtype != dtype) or (size is not None and array.size != size) or array.size > 2**20:
        raise _damaged(name, f"{'any' if size is None else size} elements of {np.dtype(dtype) if dtype else 'a type'}")
    flat: Array = array.reshape(-1).copy()
    return flat


def _unpack_totals(arrays: Mapping[str, Any], prefix: str, n: int, has_ignore: bool) -> Totals:
    whole, zeros, negatives, ignored = (int(v) for v in read_array(arrays, f"{prefix}.totals", np.int64, 4))
    ends = read_array(arrays, f"{prefix}.ends", None, None)
    counts = read_array(arrays, f"{prefix}.end_counts", np.int64, len(ends))
    exponent, *sums = read_array(arrays, f"{prefix}.sums", np.float64, 6).tolist()
    sound = (
        ends.dtype in _WIDE
        and len(ends) in ((2, 4) if has_ignore else (2,))
        and bool(np.isfinite(ends.astype(np.float64)).all())
        and all(low <= high for low, high in zip(ends[::2], ends[1::2], strict=True))
        and bool(((counts > 0) & (counts <= n)).all())
        and whole in (0, 1)
        and min(zeros, negatives, ignored) >= 0
        and max(zeros + negatives, ignored) <= n
        and all(map(np.isfinite, (exponent, *sums)))
        and exponent == int(exponent)
        and -1100 <= exponent <= 1100
    )
    if not sound:
        raise _damaged(prefix, "totals that fit the number of values")
    found = [
        Extremes(ends[at].item(), ends[at + 1].item(), int(counts[at]), int(counts[at + 1]))
        for at in range(0, len(ends), 2)
    ]
    return Totals(
        bool(whole),
        zeros,
        negatives,
        ignored,
        found[0],
        found[1] if len(found) > 1 else None,
        PowerSums(n, int(exponent), *sums),
    )


def _numbers(values: list[int | float]) -> Array:
    """Return exact int64 or uint64 where all are integers that fit, else float64."""
    if all(isinstance(value, int) for value in values):
        for kind in (np.int64, np.uint64):
            limits = np.iinfo(kind)
            if limits.min <= min(values) and max(values) <= limits.max:
                return np.array(values, dtype=kind)
    return np.array(values, dtype=np.float64)


def _damaged(name: str, expected: str) -> DataError:
    return DataError(f"accumulator: {name}: expected {expected}, found something else; write it again with to_arrays.")
