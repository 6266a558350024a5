"""Which label stands at which output: the one mapping that training, bias and serving share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from nebula.profiling.model import DataProfile

__all__ = ["LabelCode", "class_labels", "code_labels", "find_void"]


@dataclass(frozen=True)
class LabelCode:
    """How the user's labels become 0..outputs-1.

    Attributes:
        kind: `as_is`: they are; `shift`: by `-1`; `remap`: by place in `values`; `unfit`: they cannot.
        values: The labels in output order, for `remap`.
        problem: What is wrong, for `unfit`.
    """

    kind: Literal["as_is", "shift", "remap", "unfit"]
    values: tuple[float, ...] = ()
    problem: str = ""


def find_void(profile: DataProfile, params: BaseModel | None = None) -> float | None:
    """Return the target value that means *no label*: declared, set on the loss, or seen."""
    if profile.hints.ignore_value is not None:
        return float(profile.hints.ignore_value)
    if params is not None and "ignore_index" in params.model_fields_set:
        index = float(params.ignore_index)  # type: ignore[attr-defined]
        if index in (profile.target.unique_values or ()):
            return index
    return profile.target.void_value


def class_labels(profile: DataProfile, void: float | None) -> tuple[float, ...] | None:
    """Return the labels seen, in order and without the void value; None when they are too many to list."""
    values = profile.target.unique_values
    return None if values is None else tuple(value for value in values if value != void)


def code_labels(profile: DataProfile, void: float | None, outputs: int | None) -> LabelCode:
    """Choose how the labels become indices of the outputs.

    Args:
        profile: The data; only the labels' facts are read.
        void: The value that is no label.
        outputs: Size of the class axis, None while the prediction is unknown.
    """
    facts = profile.target
    labels = class_labels(profile, void)
    low, high = (labels[0], labels[-1]) if labels else (facts.label_min, facts.label_max)
    if low is None or high is None:
        low, high = facts.min, facts.max
    if low is None or high is None:
        return LabelCode("as_is")
    whole = all(label.is_integer() for label in labels) if labels else facts.is_integer_valued is not False
    if not whole:
        if labels is None or len(labels) != 2:
            return LabelCode("unfit", problem=f"values that are not whole, from {low:g} to {high:g}")
        return _remap(labels, outputs)
    if low >= 0 and (high < outputs if outputs is not None else low == 0):
        return LabelCode("as_is")
    if low == 1 and (high == outputs if outputs is not None else _without_gaps(labels, low, high)):
        return LabelCode("shift")
    if labels is None:
        return LabelCode("unfit", problem=f"labels from {low:g} to {high:g}, too many to list")
    return _remap(labels, outputs)


def _without_gaps(labels: tuple[float, ...] | None, low: float, high: float) -> bool:
    return labels is None or len(labels) == high - low + 1


def _remap(labels: tuple[float, ...], outputs: int | None) -> LabelCode:
    # fewer labels than outputs will not do either: a label not yet seen could stand between these
    if outputs is not None and len(labels) != outputs:
        shown = ", ".join(f"{label:g}" for label in labels[:8]) + (", …" if len(labels) > 8 else "")
        return LabelCode("unfit", problem=f"{len(labels)} labels ({shown}) for {outputs} outputs")
    return LabelCode("remap", values=labels)
