"""What the model emits: a tensor, or its shape declared in advance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import torch
from torch import Tensor

from nebula.errors import DataError
from nebula.profiling.arrays import as_tensor
from nebula.profiling.model import PredictionFacts, PredictionSpace
from nebula.profiling.relation import Shape
from nebula.profiling.rows import SIMPLEX_TOLERANCE, sum_range

__all__ = ["PredictionSpec", "describe_prediction"]

_MAX_AXES = 64


@dataclass(frozen=True)
class PredictionSpec:
    """A model's output, declared: its shape is worth most.

    Attributes:
        shape: Size of every axis, rows first; None where unknown.
        space: What the values are; None when that is not known.
        dtype: Element type, e.g. `float32`.
        space_is_declared: False when `space` was read off values.

    Raises:
        DataError: A size is neither None nor a whole number >= 0, or the space is unheard of.

    Example:
        >>> PredictionSpec(shape=(None, 10), space="logits").shape
        (None, 10)
    """

    shape: tuple[int | None, ...]
    space: PredictionSpace | None = None
    dtype: str | None = None
    space_is_declared: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.shape, tuple | list) or len(self.shape) > _MAX_AXES:
            raise DataError(f"PredictionSpec.shape: expected a tuple such as (None, 10), found {self.shape!r}.")
        for size in self.shape:
            if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 0):
                raise DataError(
                    f"PredictionSpec.shape: expected whole sizes >= 0, or None where unknown, found {size!r} "
                    f"in {tuple(self.shape)!r}."
                )
        if self.space is not None and self.space not in get_args(PredictionSpace):
            raise DataError(
                f"PredictionSpec.space: expected one of {', '.join(get_args(PredictionSpace))}, found {self.space!r}."
            )
        if self.dtype is not None and not isinstance(self.dtype, str):
            raise DataError(f"PredictionSpec.dtype: expected a name such as 'float32', found {self.dtype!r}.")
        object.__setattr__(self, "shape", tuple(self.shape))

    @classmethod
    def from_batch(cls, output: Tensor) -> PredictionSpec:
        """Describe a model by its output on one batch: the number of rows is left open.

        Args:
            output: Real, dense values, rows first.

        Raises:
            DataError: The output cannot be read, or is a single number.
        """
        with torch.no_grad():
            values = as_tensor(output, "prediction")
            if not values.ndim:
                raise DataError("prediction: expected an output with rows first, found a single number.")
            facts = describe_prediction(values, None)
        return cls((None, *values.shape[1:]), facts.space, facts.dtype, space_is_declared=False)


def describe_prediction(prediction: Tensor | PredictionSpec, class_axis: int | None) -> PredictionFacts:
    """Describe the model's output.

    Args:
        prediction: Real, dense, detached values; or their declaration.
        class_axis: The axis that the target does not have, or None.
    """
    shape: Shape = tuple(prediction.shape)
    layout = {
        "ndim": len(shape),
        "shape_tail": None if None in shape[1:] else tuple(shape[1:]),
        "n_outputs": shape[class_axis] if class_axis is not None else shape[1] if len(shape) > 1 else 1,
    }
    if isinstance(prediction, PredictionSpec):
        declared = prediction.space_is_declared and prediction.space not in (None, "unknown")
        return PredictionFacts(**layout, dtype=prediction.dtype, space=prediction.space, space_is_declared=declared)
    dtype = str(prediction.dtype).removeprefix("torch.")
    if not prediction.numel():
        return PredictionFacts(**layout, dtype=dtype, space="unknown", space_is_declared=False)
    values = prediction.double()
    finite = values[torch.isfinite(values)]
    low, high = _range(finite) if finite.numel() else (None, None)
    return PredictionFacts(
        **layout,
        dtype=dtype,
        space=_read_space(values, class_axis),
        space_is_declared=False,
        is_finite=finite.numel() == values.numel(),
        min=low,
        max=high,
    )


def _range(values: Tensor) -> tuple[float, float]:
    low, high = torch.aminmax(values)
    return float(low) + 0.0, float(high) + 0.0


def _read_space(values: Tensor, class_axis: int | None) -> PredictionSpace:
    """Name the space only where no other reading fits."""
    low, high = _range(values)
    if low != low:  # one NaN makes both ends NaN
        return "unknown"
    wanted = dict.fromkeys((values.ndim - 1, 1)) if class_axis is None else (class_axis,)
    axes = tuple(axis for axis in wanted if 1 <= axis < values.ndim and values.shape[axis] >= 2)
    if low >= 0 and high <= 1:
        return "probabilities" if any(_sum_to_one(values, axis) for axis in axes) else "unknown"
    if high <= 0 and any(_sum_to_one(values, axis, exponentiate=True) for axis in axes):
        return "log_probabilities"
    return "logits"


def _sum_to_one(values: Tensor, axis: int, exponentiate: bool = False) -> bool:
    sums = sum_range(values, axis, exponentiate)
    return sums is not None and sums[0] >= 1 - SIMPLEX_TOLERANCE and sums[1] <= 1 + SIMPLEX_TOLERANCE
