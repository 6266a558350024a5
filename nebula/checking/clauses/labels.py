"""Labels of classes: NEB-C005, NEB-C020 to NEB-C022."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from nebula.checking.case import Case, found, number
from nebula.checking.clauses.class_axis import class_dim, reads_probabilities
from nebula.checking.report import Finding

__all__ = ["check_empty", "check_labels", "counted"]

_VOID = (255, -1, -100, 254, 65535)


def counted(case: Case) -> Tensor:
    """Return which labels are not left out by `ignore_index`."""
    ignore = case.subject.option("ignore_index")
    return torch.ones_like(case.target, dtype=torch.bool) if ignore is None else case.target != ignore


def check_empty(case: Case) -> Iterator[Finding]:
    """Find batches in which nothing counts: no rows, or every label ignored."""
    if case.subject.traits.layout == "free":
        return
    if case.prediction.numel() == 0 or case.target.numel() == 0:
        yield found(
            "NEB-C005",
            "error",
            "expected at least one row, found an empty batch.",
            f"the loss is {number(case.value())}.",
            "loss = lambda prediction, target: prediction.sum() * 0  # better: skip batches without rows",
        )
    elif case.subject.traits.target == "index" and not reads_probabilities(case) and not bool(counted(case).any()):
        ignore = case.subject.option("ignore_index")
        yield found(
            "NEB-C005",
            "error",
            f"expected a label that counts, found `ignore_index` {ignore} in all {case.target.numel()}.",
            f"the loss is {number(case.value())}: a mean over nothing, which poisons every sum it enters.",
            "loss = lambda prediction, target: prediction.sum() * 0  # better: skip batches in which nothing counts",
        )


def check_labels(case: Case) -> Iterator[Finding]:
    """Find labels that are no output's number."""
    if case.subject.traits.target != "index" or reads_probabilities(case) or case.prediction.ndim == 0:
        return
    outputs = case.prediction.shape[class_dim(case.prediction)]
    counts = counted(case)
    labels = case.target[counts].long()
    wrong = (labels < 0) | (labels >= outputs)
    share = float(wrong.double().mean())
    if share == 0:
        return
    said = f"found {_some(labels[wrong])} in {int(wrong.sum())} of {labels.numel()} ({share:.0%})"
    outside = sorted(set(labels[wrong].tolist()))
    low, high = int(labels.min()), int(labels.max())
    if len(outside) == 1 and outside[0] in _VOID and share < 1 and case.subject.option("ignore_index") is not None:
        kept = case.value(
            target=torch.where(case.target == outside[0], case.subject.options["ignore_index"], case.target)
        )
        yield found(
            "NEB-C022",
            "error",
            f"expected labels 0 to {outputs - 1}, {said}: a void label that `ignore_index` does not name.",
            f"the call fails on a CPU and stops the device on a GPU; ignoring it the loss is {number(kept)}.",
            case.subject.rewritten(ignore_index=outside[0]),
        )
    elif low >= 1 and high == outputs:
        yield found(
            "NEB-C021",
            "error",
            f"expected labels 0 to {outputs - 1}, found {low} to {high}: they start at 1.",
            "the call fails on a CPU and stops the device on a GPU; until the last class comes, every row is taught "
            f"its neighbour's class. Shifted, the loss is {number(case.value(target=_shift(case, counts)))}.",
            _shift_code(case, counts),
        )
    else:
        yield found(
            "NEB-C020",
            "error",
            f"expected labels 0 to {outputs - 1}, {said}.",
            "the call fails on a CPU and stops the device on a GPU.",
            f"prediction = nn.Linear({outputs}, {high + 1})(prediction)  # give the last layer {high + 1} outputs"
            if low >= 0 and class_dim(case.prediction) == case.prediction.ndim - 1 and high < 100_000
            else f"target = target.clamp(0, {outputs - 1})  # better: mend the labels where they are made",
        )


def _shift(case: Case, counts: Tensor) -> Tensor:
    return torch.where(counts, case.target - 1, case.target)


def _shift_code(case: Case, counts: Tensor) -> str:
    if bool(counts.all()):
        return "target = target - 1"
    return f"target = torch.where(target == {case.subject.option('ignore_index')}, target, target - 1)"


def _some(labels: Tensor) -> str:
    values = sorted(set(labels.tolist()))
    return ", ".join(map(str, values[:3])) + (" …" if len(values) > 3 else "")
