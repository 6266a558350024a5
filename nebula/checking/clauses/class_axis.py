"""Where the classes are: NEB-C011 to NEB-C014, NEB-C023, NEB-C024."""

from __future__ import annotations

import math
from collections.abc import Iterator

from torch import Tensor

from nebula.checking.case import Case, found, number, shape_of
from nebula.checking.distribution import is_simplex
from nebula.checking.report import Finding

__all__ = ["check_class_axis", "check_square_axes", "class_dim", "reads_probabilities"]

_CLEAR = 0.9
_FEWEST_LABELS = 8


def reads_probabilities(case: Case) -> bool:
    """Say whether the target is read as one distribution per row."""
    if case.subject.traits.target == "distribution":
        return True
    return case.name == "CrossEntropyLoss" and case.target.is_floating_point()


def class_dim(prediction: Tensor) -> int:
    """Return the axis of the classes: 1, or 0 of a single row."""
    return 1 if prediction.ndim > 1 else 0


def check_class_axis(case: Case) -> Iterator[Finding]:
    """Find classes on another axis, a vector read as a distribution, a single output, and floating labels."""
    if case.subject.traits.layout != "class_axis":
        return
    found_any = _one_row(case) or _labels(case) or _axis(case) or _one_output(case)
    if found_any is not None:
        yield found_any


def _one_row(case: Case) -> Finding | None:
    """A floating vector against a floating vector is one row of class probabilities for torch."""
    p, t = case.prediction, case.target
    if p.ndim != 1 or t.ndim != 1 or not reads_probabilities(case) or p.shape != t.shape or is_simplex(t, 0):
        return None
    fix = "loss = nn.BCEWithLogitsLoss()" if _is_unit(t) else "loss = nn.MSELoss()"
    return found(
        "NEB-C013",
        "error",
        f"expected a row of class probabilities, found {len(t)} numbers that sum to {number(float(t.sum()))}.",
        f"torch reads all {len(t)} values as the classes of one row: loss {number(case.value())}, without an error.",
        f"{fix}  # one output per row; for classes give prediction (N, C) and target.long()",
    )


def _labels(case: Case) -> Finding | None:
    p, t = case.prediction, case.target
    if t.is_floating_point() and p.shape != t.shape:
        whole = bool((t == t.round()).all())
        fits = whole and t.shape == (*p.shape[:1], *p.shape[2:])
        fix = "target = target.long()" if fits or not whole else "target = target.reshape(-1).long()"
        if p.ndim == 2 and p.shape[1] == 1 and t.numel() == len(p):
            return _single(case)
        return found(
            "NEB-C023",
            "error",
            f"expected labels of dtype int64, found {t.dtype} {shape_of(t)}.",
            f"the call fails: {case.outcome[2]}." if case.outcome[2] else f"the loss is {number(case.value())}.",
            fix,
        )
    if not t.is_floating_point() and t.shape == p.shape and p.ndim > 1:
        one_hot = bool(((t == 0) | (t == 1)).all() and (t.sum(1) == 1).all())
        return found(
            "NEB-C024",
            "error",
            f"expected one label a row, found {t.dtype} {shape_of(t)}, the shape of the prediction.",
            f"the call fails: {case.outcome[2]}." if case.outcome[2] else f"the loss is {number(case.value())}.",
            "target = target.argmax(1)" if one_hot else "target = target.float(); loss = nn.BCEWithLogitsLoss()",
        )
    return None


def _axis(case: Case) -> Finding | None:
    p, t = case.prediction, case.target
    if p.ndim == 1 and t.ndim == 1 and not reads_probabilities(case):
        return _no_axis(case)
    if p.ndim < 2:
        return None
    if reads_probabilities(case):
        elsewhere = p.ndim > 2 and p.shape == t.shape and not is_simplex(t, 1) and is_simplex(t, -1)
        fix = "prediction, target = prediction.movedim(-1, 1), target.movedim(-1, 1)"
        return _moved(case, fix, {"prediction": p.movedim(-1, 1), "target": t.movedim(-1, 1)}) if elsewhere else None
    if (p.shape[0], *p.shape[2:]) == tuple(t.shape):
        return None
    if p.ndim > 2 and tuple(p.shape[:-1]) == tuple(t.shape):
        return _moved(case, "prediction = prediction.movedim(-1, 1)", {"prediction": p.movedim(-1, 1)})
    fix = "prediction = prediction.reshape(target.numel(), -1); target = target.reshape(-1)"
    if t.numel() == len(p) and p.ndim == 2:
        fix = "target = target.reshape(-1)"
    elif t.ndim == p.ndim and t.shape[1] == 1 and (p.shape[0], *p.shape[2:]) == (t.shape[0], *t.shape[2:]):
        fix = "target = target.squeeze(1)"
    return found(
        "NEB-C011",
        "error",
        f"expected logits (N, C, …) against labels (N, …), found {shape_of(p)} against {shape_of(t)}.",
        f"the call fails: {case.outcome[2]}." if case.outcome[2] else f"the loss is {number(case.value())}.",
        fix,
    )


def _no_axis(case: Case) -> Finding:
    outputs = max(int(case.target.max()) + 1, 2) if case.target.numel() else 2
    failure = case.outcome[2]
    return found(
        "NEB-C011",
        "error",
        f"expected logits (N, C) against labels (N,), found one number a row: {shape_of(case.prediction)}.",
        f"the call fails: {failure}." if failure else f"the loss is {number(case.value())}.",
        f"prediction = nn.Linear(1, {outputs})(prediction.float().unsqueeze(1))  # or {outputs} outputs a row",
    )


def _moved(case: Case, fix: str, changed: dict[str, Tensor]) -> Finding:
    failure = case.outcome[2]
    now = f"the call fails: {failure}" if failure else f"the loss is {number(case.value())} over the wrong axis"
    return found(
        "NEB-C011",
        "error",
        f"expected the classes on axis 1, found them last: {shape_of(case.prediction)} and {shape_of(case.target)}.",
        f"{now}; with the classes on axis 1 it is {number(case.value(**changed))}.",
        fix,
    )


def _one_output(case: Case) -> Finding | None:
    dim = class_dim(case.prediction)
    if case.prediction.ndim == 0 or case.prediction.shape[dim] != 1:
        return None
    return _single(case)


def _single(case: Case) -> Finding:
    _, gradient, _ = case.outcome
    size = "" if gradient is None else f", and the gradient {number(float(gradient.abs().max()))}"
    return found(
        "NEB-C014",
        "error",
        f"expected at least 2 outputs on the class axis, found 1: prediction {shape_of(case.prediction)}.",
        f"a softmax over one column is constant: the loss is {number(case.value())}{size}; nothing is learnt.",
        "loss = nn.BCEWithLogitsLoss(); prediction = prediction.squeeze(1); target = target.reshape(prediction.shape)"
        ".float()",
    )


def check_square_axes(case: Case) -> Iterator[Finding]:
    """Find (N, C, C): with as many positions as classes torch cannot see that the classes are last."""
    p, t = case.prediction, case.target
    if case.subject.traits.layout != "class_axis" or p.ndim != 3 or p.shape[1] != p.shape[2] or t.ndim != 2:
        return
    moved = p.movedim(-1, 1)
    given, other = case.value(), case.value(prediction=moved)
    if given is None or other is None or t.numel() < _FEWEST_LABELS:
        return
    chance = math.log(p.shape[1]) * _CLEAR
    if given < other and given < chance:
        return
    wrong = other < given and other < chance
    yield found(
        "NEB-C012",
        "warning" if wrong else "note",
        f"expected the classes on axis 1, found {shape_of(p)}, where the last axis is as long: nothing but the numbers "
        "can tell which holds the classes.",
        f"read on axis 1 the loss is {number(given)}, on the last axis {number(other)}.",
        "prediction = prediction.movedim(-1, 1)  # if the model gives (N, positions, classes)",
    )


def _is_unit(t: Tensor) -> bool:
    return bool((t >= 0).all() and (t <= 1).all())
