"""Steps on the target: shape, coding, type.

A value that the step was not planned for is never mapped silently: as a class index it becomes a
negative index, for which the loss raises; as a float it becomes NaN.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Literal

import torch
from pydantic import Field, field_validator
from torch import Tensor

from nebula.losses.label_table import LabelTable
from nebula.losses.registry import LossParams
from nebula.losses.step import NoParams, Step

__all__ = [
    "AlignTrailingAxis",
    "OneHotToIndex",
    "RemapLabels",
    "ScaleTarget",
    "ShiftLabels",
    "SqueezeAxis",
    "SqueezeLast",
    "ToLong",
    "ToPredictionDtype",
    "UnsqueezeLast",
    "VoidToIgnore",
]

_INVALID = Field(-1, lt=0, description="Index given to a value that is no label; the loss raises on it.")


class SqueezeLast(Step[NoParams]):
    """(N, …, 1) to (N, …)."""

    def forward(self, value: Tensor, _other: Tensor) -> Tensor:
        """Return a view without the trailing axis of size 1; any other shape is left as it is."""
        return value.squeeze(-1) if value.ndim > 1 else value


class SqueezeAxisParams(LossParams):
    """Which axis."""

    axis: int = Field(ge=1, description="Axis of size 1.")


class SqueezeAxis(Step[SqueezeAxisParams]):
    """(N, 1, …) to (N, …)."""

    Params = SqueezeAxisParams

    def forward(self, value: Tensor, _other: Tensor) -> Tensor:
        """Return a view without the axis."""
        return value.squeeze(self.params.axis) if value.ndim > self.params.axis else value


class UnsqueezeAxisParams(LossParams):
    """Where the axis comes."""

    axis: int = Field(ge=1, description="Place of the new axis of size 1.")


class UnsqueezeAxis(Step[UnsqueezeAxisParams]):
    """(N, …) to (N, 1, …)."""

    Params = UnsqueezeAxisParams

    def forward(self, value: Tensor, other: Tensor) -> Tensor:
        """Return a view with the axis; a target that has it is left as it is."""
        return value if value.shape == other.shape else value.unsqueeze(self.params.axis)


class UnsqueezeLast(Step[NoParams]):
    """(N, …) to (N, …, 1)."""

    def forward(self, value: Tensor, other: Tensor) -> Tensor:
        """Return a view with a trailing axis of size 1; a target that has it is left as it is."""
        return value if value.shape == other.shape else value.unsqueeze(-1)


class AlignTrailingAxis(Step[NoParams]):
    """Adds or drops a trailing axis of size 1 when that makes the shapes equal; never broadcasts."""

    def forward(self, value: Tensor, other: Tensor) -> Tensor:
        """Return a view of the prediction's shape, or the target as it is."""
        wanted = other.shape
        if (*value.shape, 1) == wanted:
            return value.unsqueeze(-1)
        return value.squeeze(-1) if value.shape == (*wanted, 1) else value


class OneHotToIndexParams(LossParams):
    """Where the classes stand."""

    axis: int = Field(1, ge=1, description="Axis of the classes.")


class OneHotToIndex(Step[OneHotToIndexParams]):
    """(N, C, …) rows with one 1 to (N, …) indices; any other row becomes -1."""

    Params = OneHotToIndexParams

    def forward(self, value: Tensor, _other: Tensor) -> Tensor:
        """Return int64 indices."""
        axis = self.params.axis
        hot = value == 1
        single = (hot.sum(axis) == 1) & ((value != 0).sum(axis) == 1)
        return torch.where(single, hot.to(torch.uint8).argmax(axis), -1)


class ToLongParams(LossParams):
    """What marks a value that is no label."""

    invalid: int = _INVALID


class ToLong(Step[ToLongParams]):
    """Any dtype to int64; a value that is not whole becomes `invalid`."""

    Params = ToLongParams

    def forward(self, value: Tensor, _other: Tensor) -> Tensor:
        """Return int64 labels; an int64 target is returned as it is."""
        if not value.is_floating_point():
            return value.long()
        return torch.where(value == value.floor(), value, self.params.invalid).long()


class VoidToIgnoreParams(LossParams):
    """From which value to which index."""

    value: int = Field(description="The void value.")
    ignore_index: int = Field(description="The loss's `ignore_index`.")


class VoidToIgnore(Step[VoidToIgnoreParams]):
    """The value that means *no label* becomes the index that the loss leaves out."""

    Params = VoidToIgnoreParams

    def forward(self, value: Tensor, _other: Tensor) -> Tensor:
        """Return the target, whole dtypes as int64 so that a negative index fits."""
        wide = value if value.is_floating_point() else value.long()
        return torch.where(wide == self.params.value, self.params.ignore_index, wide)


class ShiftLabelsParams(LossParams):
    """By how much, and which value stays."""

    by: int = Field(description="Added to every label.")
    ignore_index: int | None = Field(None, description="The index that the loss leaves out, not shifted.")


class ShiftLabels(Step[ShiftLabelsParams]):
    """Labels from another first label to labels from 0."""

    Params = ShiftLabelsParams

    def forward(self, value: Tensor, _other: Tensor) -> Tensor:
        """Return the shifted labels, whole dtypes as int64 so that nothing wraps around."""
        by, ignored = self.params.by, self.params.ignore_index
        wide = value if value.is_floating_point() else value.long()
        if ignored is None:
            return wide + by
        # a label that lands on `ignore_index` was never planned for: two shifts keep it from being left out
        shifted = torch.where(wide + by == ignored, ignored + 2 * by, wide + by)
        return torch.where(wide == ignored, ignored, shifted)


class RemapLabelsParams(LossParams):
    """The labels, and what comes out."""

    values: tuple[float, ...] = Field(min_length=1, max_length=65536, description="The labels, ascending.")
    dtype: Literal["long", "float", "sign"] = Field(
        "long", description="`long` for indices, `float` for 0 and 1, `sign` for -1 and 1."
    )
    ignore_index: int | None = Field(None, description="The index that the loss leaves out, not mapped.")
    invalid: int = _INVALID

    @field_validator("values")
    @classmethod
    def _ascending(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        if any(left >= right for left, right in pairwise(values)):
            raise ValueError("expected labels in ascending order, each once")
        return values


class RemapLabels(Step[RemapLabelsParams]):
    """Each label becomes its place in a sorted list; a label not in it becomes `invalid`, or NaN."""

    Params = RemapLabelsParams

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self.labels = LabelTable(self.params.values)

    def forward(self, value: Tensor, _other: Tensor) -> Tensor:
        """Return int64 places or float places."""
        labels = self.labels()
        if value.is_floating_point():
            labels = labels.to(value.dtype)
        else:
            value = value.to(labels.dtype)
        place = torch.searchsorted(labels, value.contiguous()).clamp_max(len(self.labels) - 1)
        known = labels[place] == value
        if self.params.dtype != "long":
            exact = value.dtype if value.is_floating_point() else torch.float32
            answer = place if self.params.dtype == "float" else 2 * place - 1
            return torch.where(known, answer.to(exact), torch.nan)
        index = torch.where(known, place, self.params.invalid)
        ignored = self.params.ignore_index
        return index if ignored is None else torch.where(value == ignored, ignored, index)


class ScaleTargetParams(LossParams):
    """The constant."""

    by: float = Field(gt=0, description="Factor.")


class ScaleTarget(Step[ScaleTargetParams]):
    """The target times a constant, e.g. percentages to fractions."""

    Params = ScaleTargetParams

    def forward(self, value: Tensor, _other: Tensor) -> Tensor:
        """Return the scaled target, floating."""
        return value * self.params.by


class ToPredictionDtype(Step[NoParams]):
    """The target in the prediction's dtype."""

    def forward(self, value: Tensor, other: Tensor) -> Tensor:
        """Return the target in the prediction's dtype, itself when it is in it already."""
        return value.to(other.dtype)
