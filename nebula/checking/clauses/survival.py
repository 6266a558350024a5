"""Times and events of the survival losses: NEB-C080 to NEB-C082."""

from __future__ import annotations

import math
from collections.abc import Iterator

from torch import Tensor

from nebula.checking.case import Case, found, number, shape_of
from nebula.checking.report import Finding

__all__ = ["check_times"]


def check_times(case: Case) -> Iterator[Finding]:
    """Find targets that are no pairs of a time and an event flag, times that cannot be, and batches without events."""
    contract, target = case.subject.contract, case.target
    if contract is None or contract.target_kind != "time_and_event" or target.numel() == 0:
        return
    problem = _columns(case, target)
    if problem is None:
        problem = _times(case, target[:, 0]) or _events(case, target[:, 1])
    if problem is not None:
        yield problem


def _columns(case: Case, target: Tensor) -> Finding | None:
    """NEB-C080."""
    consequence = "times are read as events or events as times: who outlived whom is turned around, or the call fails."
    if target.ndim != 2 or target.shape[1] != 2:
        said = f"{shape_of(target)}"
        if target.ndim == 2 and target.shape[0] == 2:
            fix = "target = target.T"
        elif target.numel() == len(case.prediction):
            fix = "target = torch.stack((target.flatten(), torch.ones(target.numel())), 1)  # when every event was seen"
        else:
            fix = "target = target.reshape(len(target), -1)[:, :2]  # time, then event"
    elif _flags(target[:, 1]):
        return None
    elif _flags(target[:, 0]):
        said, fix = "the flags in the first column", "target = target.flip(1)"
    else:
        wrong = target[:, 1][(target[:, 1] != 0) & (target[:, 1] != 1)]
        said = f"{number(float(wrong[0]))} among the events"
        fix = "target = torch.stack((target[:, 0], (target[:, 1] > 0).to(target.dtype)), 1)  # 1: seen, 0: censored"
    return found("NEB-C080", "error", f"expected times and events 0 or 1, (N, 2), found {said}.", consequence, fix)


def _flags(column: Tensor) -> bool:
    return bool(((column == 0) | (column == 1)).all())


def _times(case: Case, time: Tensor) -> Finding | None:
    """NEB-C081; a time of 0 is wrong only where its logarithm is taken."""
    value = case.value()
    zero_fails = value is not None and not math.isfinite(value)
    wrong = (time <= 0) if zero_fails else (time < 0)
    if not bool(wrong.any()):
        return None
    return found(
        "NEB-C081",
        "error",
        f"expected times {'above 0' if zero_fails else 'of 0 or more'}, found {number(float(time[wrong][0]))} in "
        f"{int(wrong.sum())} of {time.numel()}.",
        f"the loss is {number(value)}; a time that ended before it began was computed with two clocks.",
        "keep = target[:, 0] > 0; prediction, target = prediction[keep], target[keep]"
        "  # better: mend the times where they are made",
    )


def _events(case: Case, event: Tensor) -> Finding | None:
    """NEB-C082."""
    if case.name != "CoxPHLoss" or bool((event == 1).any()):
        return None
    return found(
        "NEB-C082",
        "note",
        f"expected an event, found none in {event.numel()} rows.",
        f"the loss is {number(case.value())} and its gradient 0: nothing is learnt from this batch.",
        "target = torch.stack((target[:, 0], 1 - target[:, 1]), 1)  # if the flag says `censored`; else larger batches",
    )
