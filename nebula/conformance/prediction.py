"""Predictions that a contract's prediction space admits."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from nebula.losses.contract import Contract

__all__ = ["class_axis", "draw_prediction"]

_Array = npt.NDArray[Any]


def class_axis(contract: Contract) -> int:
    """Return the axis of the prediction that holds classes."""
    first = contract.shapes[0]
    if "…" in first[: first.index("C")] if "C" in first else False:
        return first.index("C") - len(first)
    return first.index("C") if "C" in first else 1


def draw_prediction(contract: Contract, shape: tuple[int, ...], rng: np.random.Generator) -> _Array:
    """Draw a prediction of that shape."""
    values = 1.5 * rng.normal(size=shape)
    if contract.layout == "mean_and_variance":
        values[..., 1] = rng.gamma(2.0, size=shape[:-1]) + 0.1
    match contract.prediction_space:
        case "log_probabilities":
            return _log_normalised(values, contract)
        case "probabilities":
            return np.exp(_log_normalised(values, contract)) if _has_classes(contract) else 1 / (1 + np.exp(-values))
        case "rate":
            return np.exp(values)
        case _:
            return values


def _has_classes(contract: Contract) -> bool:
    return "C" in contract.shapes[0] or contract.target_kind == "class_probabilities"


def _log_normalised(values: _Array, contract: Contract) -> _Array:
    axis = class_axis(contract)
    if not values.size:
        return values
    top = values.max(axis=axis, keepdims=True)
    normalised: _Array = values - top - np.log(np.exp(values - top).sum(axis=axis, keepdims=True))
    return normalised
