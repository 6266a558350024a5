"""Outputs that went through a ReLU where both signs are read: NEB-C049."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from nebula.checking.case import Case, found, number
from nebula.checking.report import Finding

__all__ = ["check_rectified"]

_FEWEST = 8
_ZEROS = 0.05
"""Share of exact zeros; a linear layer gives none."""
_FEWEST_ZEROS = 2
_A_TABLE = 2
"""Zeros and one other value are an indicator, such as a fixed answer, and no output of a ReLU."""
_NEGATIVE = 0.1
"""Share of negative targets that a rectified number cannot reach."""


def check_rectified(case: Case) -> Iterator[Finding]:
    """Find outputs that are never negative and often exactly 0, where negative ones are needed."""
    prediction, traits = case.prediction, case.subject.traits
    if not prediction.is_floating_point() or prediction.numel() < _FEWEST or bool((prediction < 0).any()):
        return
    zeros = prediction == 0
    share = float(zeros.double().mean())
    if share < _ZEROS or int(zeros.sum()) < _FEWEST_ZEROS or len(torch.unique(prediction)) <= _A_TABLE:
        return
    if traits.space in ("logits", "binary_logits"):
        needs = "logits of both signs"
        limit = (
            "no served probability falls below 0.50"
            if traits.space == "binary_logits"
            else "the classes at 0 cannot be told apart"
        )
    elif traits.space == "raw" and traits.target == "real":
        below = float((case.target < 0).double().mean())
        if below < _NEGATIVE:
            return
        needs = f"numbers of both signs, as {below:.0%} of the targets are negative"
        limit = "no negative target is reached"
    else:
        return
    yield found(
        "NEB-C049",
        "note" if traits.space == "logits" else "warning",
        f"{case.name} expected {needs}, found none below 0 and {share:.0%} exactly 0: a ReLU was taken before.",
        f"{limit}, and where the output is 0 no gradient passes the ReLU; the loss is {number(case.value())}.",
        "prediction = nn.Linear(1, 1)(prediction.reshape(-1, 1)).reshape(prediction.shape)"
        "  # better: take the ReLU out of the last layer",
    )
