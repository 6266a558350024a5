"""Targets whose unit does not suit the loss: NEB-C026, NEB-C070."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from nebula.checking.case import Case, found, number
from nebula.checking.report import Finding

__all__ = ["check_class_indices", "check_delta"]

_WIDE = 20
"""Target spread over delta from which hardly an error falls into the squared part."""
_LINEAR = 0.95
_FEWEST = 8
_FEWEST_INDICES = 24
_MOST_CLASSES = 100


def check_delta(case: Case) -> Iterator[Finding]:
    """Find targets so wide that HuberLoss or SmoothL1Loss is L1Loss in disguise."""
    name = {"HuberLoss": "delta", "SmoothL1Loss": "beta"}.get(case.name)
    if name is None or case.prediction.shape != case.target.shape or case.target.numel() < _FEWEST:
        return
    turn = float(case.subject.option(name, 1.0))
    target = case.target.double()
    errors = (case.prediction.double() - target).abs()
    spread = float(target.std())
    share = float((errors > turn).double().mean())
    if turn <= 0 or spread < _WIDE * turn or share < _LINEAR:
        return
    suited = float(f"{1.35 * 1.4826 * float((target - target.median()).abs().median()):.2g}") or spread
    yield found(
        "NEB-C070",
        "warning",
        f"expected `{name}` on the scale of the errors, found {turn:g} against targets with a standard deviation of "
        f"{number(spread)}.",
        f"{share:.0%} of the errors lie beyond it: the loss is L1Loss in disguise, every gradient has the same size, "
        "and the mean is not what is learnt.",
        f"{case.subject.rewritten(None, **{name: suited})}  # or scale the targets to a standard deviation of 1",
    )


def check_class_indices(case: Case) -> Iterator[Finding]:
    """Find whole numbers 0, 1, …, K-1 as targets of a regression loss."""
    target = case.target
    if case.subject.traits.target != "real" or case.name == "GaussianNLLLoss" or target.numel() < _FEWEST_INDICES:
        return
    values, counts = torch.unique(target.flatten(), return_counts=True)
    contiguous = torch.equal(values.double(), torch.arange(len(values)).double())
    if not contiguous or not 3 <= len(values) <= _MOST_CLASSES or target.numel() < 5 * len(values):
        return
    index = not target.is_floating_point()
    even = float(counts.min()) * 4 >= float(counts.max())
    yield found(
        "NEB-C026",
        "warning" if index and even else "note",
        f"expected a quantity, found the whole numbers 0 to {len(values) - 1} as {target.dtype}: labels of classes, "
        "or a count or grade.",
        f"if these are classes, {case.name} takes class 2 for nearer to class 1 than to class 0; the loss is "
        f"{number(case.value())}.",
        f"loss = nn.CrossEntropyLoss(); prediction = nn.Linear(1, {len(values)})(prediction.reshape(-1, 1)); "
        f"target = target.reshape(-1).long()  # if classes: give the model {len(values)} outputs",
    )
