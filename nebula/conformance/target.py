"""Targets and extra inputs that a contract admits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from nebula.conformance.prediction import class_axis
from nebula.losses.contract import Contract, ExtraInput, Interval

__all__ = ["draw_extra", "draw_target"]

_Array = npt.NDArray[Any]
_Rng = np.random.Generator
_Shape = tuple[int, ...]


def draw_target(contract: Contract, prediction: _Shape, shape: _Shape, rng: _Rng) -> _Array:
    """Draw targets.

    Args:
        contract: Kind, interval and element type.
        prediction: The prediction's shape, which says how many classes or levels there are.
        shape: The target's shape.
        rng: Where the numbers come from.
    """
    match contract.target_kind:
        case "class_index" | "level_index" | "label_sequence":
            values = _labels(contract, prediction, shape, rng)
        case "class_probabilities":
            values = _distributions(contract, shape, rng)
        case "time_and_event":
            values = _times(contract, prediction, shape, rng)
        case "binary" | "multi_hot" | "sign":
            values = _answers(shape, rng, low=-1 if contract.target_kind == "sign" else 0)
        case kind:
            values = _NUMBERS.get(kind, _reals)(shape, rng)
            values = _inside(values, contract.target_interval, rng)
    return values.astype(np.int64 if contract.target_dtype == "long" else np.float64)


def draw_extra(given: ExtraInput, shape: _Shape, sizes: Mapping[str, int], rng: _Rng) -> _Array:
    """Draw one extra input by what it holds; lengths are full, groups alternate."""
    match given.holds:
        case "unit":
            return rng.uniform(0.05, 0.95, size=shape)
        case "index":
            return rng.integers(0, sizes["C"], size=shape)
        case "length":
            return np.full(shape, sizes["S"] if "target" in given.name else sizes["T"])
        case "group":
            return np.arange(int(np.prod(shape))).reshape(shape) % 2
        case "binary":
            return _answers(shape, rng, low=0).astype(np.float64)
        case _:
            return 1.5 * rng.normal(size=shape)


def _labels(contract: Contract, prediction: _Shape, shape: _Shape, rng: _Rng) -> _Array:
    axes = contract.shapes[0]
    if "C" in axes:
        lowest = 1 if contract.target_kind == "label_sequence" else 0  # 0 is the blank of an alignment
        return rng.integers(lowest, prediction[class_axis(contract)], size=shape)
    if contract.layout == "thresholds":
        return rng.integers(0, prediction[1] + 1, size=shape)
    # labels of embeddings: every one twice, so that every row has a partner and a stranger
    labels: _Array = rng.permutation(int(np.prod(shape))).reshape(shape) // 2
    return labels


def _distributions(contract: Contract, shape: _Shape, rng: _Rng) -> _Array:
    axis = class_axis(contract)
    rows = rng.gamma(1.5, size=shape) + 0.01
    rows = rows / rows.sum(axis=axis, keepdims=True)
    logarithms: _Array = np.log(rows)
    return logarithms if contract.target_interval.high == 0 else rows


def _times(contract: Contract, prediction: _Shape, shape: _Shape, rng: _Rng) -> _Array:
    rows = shape[0]
    whole = contract.integer_valued
    times = rng.integers(0, prediction[-1], size=rows) if whole else np.round(rng.gamma(2.0, size=rows) + 0.2, 1)
    events = rng.random(rows) < 0.7
    events[:1] = True  # without any event nothing is known
    return np.stack([times, events], axis=1)


def _answers(shape: _Shape, rng: _Rng, low: int) -> _Array:
    values = rng.integers(0, 2, size=shape)
    values[:1], values[1:2] = 0, 1  # both answers occur in every column
    return np.where(values == 1, 1, low)


def _reals(shape: _Shape, rng: _Rng) -> _Array:
    return 1.5 * rng.normal(size=shape)


_NUMBERS: dict[str, Callable[[_Shape, _Rng], _Array]] = {
    "nonnegative": lambda shape, rng: rng.gamma(1.5, size=shape) * (rng.random(shape) < 0.8),
    "positive": lambda shape, rng: rng.gamma(1.5, size=shape) + 0.1,
    "count": lambda shape, rng: rng.poisson(3.0, size=shape).astype(np.float64),
    "fraction": lambda shape, rng: rng.uniform(0.05, 0.95, size=shape),
}


def _inside(values: _Array, interval: Interval, rng: _Rng) -> _Array:
    """Replace what lies outside the interval."""
    low, high = interval.low, interval.high
    if low is not None and high is not None:
        inner = rng.uniform(low + 0.05 * (high - low), high - 0.05 * (high - low), size=values.shape)
    elif low is not None:
        inner = low + rng.gamma(2.0, size=values.shape) + 0.1
    elif high is not None:
        inner = high - rng.gamma(2.0, size=values.shape) - 0.1
    else:
        return values
    above = True if low is None else (values > low if interval.low_open else values >= low)
    below = True if high is None else (values < high if interval.high_open else values <= high)
    return np.where(np.logical_and(above, below), values, inner)
