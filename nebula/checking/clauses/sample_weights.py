"""What every row counts: NEB-C088."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from nebula.checking.case import Case, found, number, shape_of
from nebula.checking.report import Finding

__all__ = ["check_sample_weight"]


def check_sample_weight(case: Case, weight: Tensor) -> Iterator[Finding]:
    """Find weights that are not one per row, not finite, negative, or all 0.

    Args:
        case: The call.
        weight: `sample_weight`.
    """
    contract = case.subject.contract
    axis = contract.shapes[0].index("N") if contract is not None and "N" in contract.shapes[0] else 0
    rows = case.prediction.shape[axis] if case.prediction.ndim > axis else 1
    if weight.shape != (rows,) and weight.shape != case.target.shape:
        said, consequence = shape_of(weight), "torch pairs every weight with every row, or the call fails."
        fix = f"sample_weight = sample_weight.reshape({rows})"
        if weight.numel() != rows:
            fix = f"sample_weight = torch.ones({rows})  # one number a row"
    elif not bool(torch.isfinite(weight).all()):
        said, consequence = "NaN or infinity", "the loss is NaN, and with the next step every weight of the model."
        fix = "sample_weight = torch.nan_to_num(sample_weight, nan=0.0, posinf=0.0, neginf=0.0)"
    elif bool((weight < 0).any()):
        said = f"{number(float(weight.min()))} in {int((weight < 0).sum())} of {weight.numel()}"
        consequence = "the loss falls without end as these rows are answered wrong."
        fix = "sample_weight = sample_weight.clamp_min(0)"
    elif weight.numel() and not bool(weight.any()):
        said, consequence = "only 0", "nothing counts: the mean divides by 0, or nothing is learnt."
        fix = "sample_weight = torch.ones_like(sample_weight)"
    else:
        return
    yield found(
        "NEB-C088", "error", f"expected a weight of 0 or more per row, ({rows},), found {said}.", consequence, fix
    )
