"""Arguments that must have one shape: NEB-C010."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from torch import Tensor

from nebula.checking.case import Case, found, number, shape_of
from nebula.checking.report import Finding

__all__ = ["check_same_shape"]


def check_same_shape(case: Case) -> Iterator[Finding]:
    """Find arguments of different shapes, which torch broadcasts or refuses."""
    if case.subject.traits.layout != "same" or case.subject.traits.target == "index_list":
        return
    prediction = case.prediction
    for name in case.subject.traits.arguments:
        other = case.tensors[name]
        if other.shape == prediction.shape or (name == "var" and _variance_fits(other, prediction)):
            continue
        if not _broadcasts(other, prediction) and not case.outcome[2]:
            continue  # a loss of another kind, which takes these shapes on purpose
        shapes = f"`prediction` {shape_of(prediction)} and `{name}` {shape_of(other)}"
        yield found(
            "NEB-C010",
            "error",
            f"expected one shape, found {shapes}.",
            _consequence(case, name, other),
            _fix(name, other, prediction),
        )
        return


def _variance_fits(variance: Tensor, mean: Tensor) -> bool:
    """Say whether it is one of the two shapes that GaussianNLLLoss allows on purpose."""
    return variance.shape == mean.shape[:-1] or variance.shape == (*mean.shape[:-1], 1) or variance.numel() == 1


def _consequence(case: Case, name: str, other: Tensor) -> str:
    now = case.value()
    if now is None:
        return f"the call fails: {case.outcome[2]}."
    pairs = math.prod(np.broadcast_shapes(tuple(case.prediction.shape), tuple(other.shape)))
    text = f"torch pairs every row with every other: {pairs} terms instead of {case.prediction.numel()}, loss {now:.4g}"
    if other.numel() != case.prediction.numel():
        return f"{text}, and the model learns what all rows have in common."
    aligned = case.value(**{name: other.reshape(case.prediction.shape)})
    return f"{text} instead of {number(aligned)}, and the model learns what all rows have in common."


def _fix(name: str, other: Tensor, prediction: Tensor) -> str:
    if other.numel() == prediction.numel():
        return f"{name} = {name}.reshape(prediction.shape)"
    if name == "target" and prediction.ndim == other.ndim + 1 and prediction.shape[:-1] == other.shape:
        return f"{name} = {name}.unsqueeze(-1).expand_as(prediction)  # or give the model one output per target value"
    if _broadcasts(other, prediction) and np.broadcast_shapes(tuple(other.shape), tuple(prediction.shape)) == tuple(
        prediction.shape
    ):
        return f"{name} = {name}.expand_as(prediction)  # when one value is meant for all; else give one per output"
    advice = "# give the model one output per target value"
    if prediction.ndim > 1 and prediction[:, 0].numel() == other.numel():
        return f"prediction = prediction[:, 0].reshape({name}.shape)  {advice}"
    sizes = f"{max(prediction.numel(), 1)}, {other.numel()}"
    return f"prediction = nn.Linear({sizes})(prediction.reshape(1, -1).float()).reshape({name}.shape)  {advice}"


def _broadcasts(left: Tensor, right: Tensor) -> bool:
    try:
        np.broadcast_shapes(tuple(left.shape), tuple(right.shape))
    except ValueError:
        return False
    return True
