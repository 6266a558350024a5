"""Weights of classes and of positives: NEB-C016, NEB-C017."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from nebula.checking.case import Case, found, number
from nebula.checking.clauses.class_axis import class_dim, reads_probabilities
from nebula.checking.clauses.labels import counted
from nebula.checking.report import Finding

__all__ = ["check_weights"]


def check_weights(case: Case) -> Iterator[Finding]:
    """Find weights of another length than the classes, and weights that are no weights."""
    for name in ("weight", "pos_weight"):
        weight = case.subject.option(name)
        if not isinstance(weight, Tensor):
            continue
        problem = _length(case, name, weight) or _values(case, name, weight) or _missing(case, name, weight)
        if problem is not None:
            yield problem


def _length(case: Case, name: str, weight: Tensor) -> Finding | None:
    prediction = case.prediction
    per_class = case.subject.traits.layout == "class_axis"
    dense = name == "pos_weight" and prediction.ndim > 2 and weight.ndim == 1 and weight.numel() > 1
    if case.subject.criterion is not None or prediction.ndim == 0 or not (per_class or dense):
        return None
    classes = prediction.shape[class_dim(prediction)]
    if per_class and weight.numel() == classes:
        return None
    if dense and (weight.numel() != classes or prediction.shape[-1] == 1):
        return None
    what = f"one `{name}` per class on axis 1, {classes}"
    failure = case.outcome[2]
    shape = f"(-1, {', '.join('1' for _ in prediction.shape[2:])})"
    return found(
        "NEB-C016",
        "error",
        f"expected {what}, found {weight.numel()}{' along the last axis' if dense else ''}.",
        f"the call fails: {failure}."
        if failure
        else f"torch multiplies along the last axis: loss {number(case.value())}.",
        case.subject.rewritten().replace(f"{name}=loss.{name}", f"{name}=loss.{name}.reshape{shape}")
        if dense
        else case.subject.rewritten().replace(f"{name}=loss.{name}", f"{name}=torch.ones({classes})"),
    )


def _values(case: Case, name: str, weight: Tensor) -> Finding | None:
    bad = ~torch.isfinite(weight) | (weight < 0)
    if not bool(bad.any()):
        return None
    occurs = _occurs(case, bad.reshape(-1))
    code = case.subject.rewritten()
    for written in (f"loss.{name}", f'loss.keywords["{name}"]'):
        sound = f"torch.where({written}.isfinite() & ({written} >= 0), {written}, {1.0 if occurs else 0.0})"
        code = code.replace(f"{name}={written}", f"{name}={sound}")
    return found(
        "NEB-C017",
        "error",
        f"expected finite `{name}` of 0 or more, found {number(float(weight[bad][0]))} at {int(bad.nonzero()[0, 0])}.",
        f"the loss is {number(case.value())}; an absent class divided by its count of 0 makes such a weight.",
        code,
    )


def _occurs(case: Case, classes: Tensor) -> bool:
    """Say whether one of these classes is a label of the batch."""
    if case.subject.traits.layout != "class_axis" or reads_probabilities(case):
        return True
    labels = case.target[counted(case)].long()
    return bool(classes[labels[(labels >= 0) & (labels < len(classes))]].any())


def _missing(case: Case, name: str, weight: Tensor) -> Finding | None:
    """A class of weight 0 that occurs is never learnt."""
    if case.subject.traits.layout != "class_axis" or reads_probabilities(case):
        return None
    labels = case.target[counted(case)].long()
    ignored = (weight.reshape(-1) == 0)[labels]
    if not bool(ignored.any()):
        return None
    everything = bool(ignored.all())
    return found(
        "NEB-C017",
        "error" if everything else "warning",
        f"expected a `{name}` above 0 where the class occurs, found 0 in {int(ignored.sum())} of {len(labels)} rows.",
        f"these rows are not learnt from; the loss is {number(case.value())}.",
        case.subject.rewritten().replace(f"loss.{name}", f"torch.where(loss.{name} > 0, loss.{name}, 1.0)"),
    )
