"""0/1 against ±1, and targets outside [0, 1]: NEB-C030 to NEB-C033."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from nebula.checking.case import Case, found, number
from nebula.checking.report import Finding

__all__ = ["check_signs", "check_unit_interval"]

_PERCENT_FROM = 2.5


def check_unit_interval(case: Case) -> Iterator[Finding]:
    """Find targets outside [0, 1] of losses that read them as probabilities."""
    target = case.target
    if case.subject.traits.target != "unit" or target.numel() == 0:
        return
    low, high = float(target.min()), float(target.max())
    if low >= 0 and high <= 1:
        return
    outside = float(((target < 0) | (target > 1)).double().mean())
    said = f"found {number(low)} to {number(high)}, {outside:.0%} of them outside"
    if _is_sign(target):
        code, fix, mended = "NEB-C031", "target = (target + 1) / 2", (target + 1) / 2
    elif low >= 0 and _PERCENT_FROM < high <= 100 and not _few_whole(target):
        code, fix, mended = "NEB-C033", "target = target / 100", target / 100
    elif low >= 0 and high == 255:
        code, fix, mended = "NEB-C033", "target = target / 255", target / 255
    else:
        code, fix, mended = (
            "NEB-C030",
            "target = target.clamp(0, 1)  # better: mend it at its source",
            target.clamp(0, 1),
        )
        if _few_whole(target) and low >= 0:
            fix = "target = (target > 0).to(prediction.dtype)  # for several classes: nn.CrossEntropyLoss"
    now = case.value()
    fails = (
        "the call fails" if now is None else f"the loss is {number(now)} and unbounded below: it never stops falling"
    )
    yield found(
        code,
        "error",
        f"{case.name} expected targets in [0, 1], {said}.",
        f"{fails}; with targets in [0, 1] it is {number(case.value(target=mended))}.",
        fix,
    )


def check_signs(case: Case) -> Iterator[Finding]:
    """Find targets other than -1 and 1 of losses that multiply by the sign."""
    target = case.target
    if case.subject.traits.target != "sign" or target.numel() == 0 or bool((target.abs() == 1).all()):
        return
    zeros = float((target == 0).double().mean())
    signed = (target > 0).to(target.dtype) * 2 - 1
    binary = bool(((target == 0) | (target == 1)).all())
    yield found(
        "NEB-C032",
        "error",
        f"{case.name} expected targets -1 and 1, found {number(float(target.min()))} to {number(float(target.max()))}.",
        f"{zeros:.0%} of the rows are 0 and pull in no direction of their own: loss {number(case.value())}, "
        f"with -1 and 1 {number(case.value(target=signed))}.",
        "target = 2 * target - 1" if binary else "target = (target > 0).to(prediction.dtype) * 2 - 1",
    )


def _is_sign(target: Tensor) -> bool:
    return bool((target.abs() == 1).all())


def _few_whole(target: Tensor) -> bool:
    return bool((target == target.round()).all()) and len(set(target.flatten().tolist())) <= 10
