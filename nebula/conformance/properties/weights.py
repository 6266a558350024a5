"""Sample weights: they multiply, and a weight of 0 removes the row."""

from __future__ import annotations

import torch
from torch import Tensor

from nebula.conformance.property import Nonconformity, Property, expect_close
from nebula.conformance.sample import ROWS, Sample
from nebula.conformance.subject import Subject
from nebula.errors import ContractError

__all__ = ["PROPERTIES"]

_WEIGHTS = (0.5, 2.0, 1.0, 0.25, 3.0, 1.5)
_DROPPED = 2


def _weighted(subject: Subject, sample: Sample, weight: Tensor | None, reduction: str) -> Tensor:
    criterion = subject.criterion(reduction=reduction)
    value: Tensor = criterion(sample.prediction, sample.target, sample_weight=weight, **sample.extra)
    return value


def _multiply(subject: Subject) -> None:
    sample, weight = subject.sample(1), torch.tensor(_WEIGHTS, dtype=torch.float64)
    elements = _weighted(subject, sample, None, "none")
    by_row = weight.view(-1, *(1,) * (elements.ndim - 1))
    expect_close(_weighted(subject, sample, weight, "none"), elements * by_row, "the weighted element losses")
    for reduction in set(subject.contract.reductions) - {"none"}:
        value = _weighted(subject, sample, None, reduction)
        ones = torch.ones(ROWS, dtype=torch.float64)
        expect_close(_weighted(subject, sample, ones, reduction), value, f"the {reduction} under weights of 1")
    expect_close(_weighted(subject, sample, weight, "sum"), (elements * by_row).sum(), "the weighted sum")


def _zero_removes(subject: Subject) -> None:
    sample, weight = subject.sample(2), torch.ones(ROWS, dtype=torch.float64)
    weight[_DROPPED] = 0
    rest = sample.take(torch.tensor([row for row in range(ROWS) if row != _DROPPED]))
    for reduction in set(subject.contract.reductions) - {"none"}:
        wanted = _weighted(subject, rest, None, reduction)
        expect_close(_weighted(subject, sample, weight, reduction), wanted, f"the {reduction} with one weight of 0")


def _refused(subject: Subject) -> None:
    sample = subject.sample(3)
    try:
        subject.criterion()(sample.prediction, sample.target, sample_weight=torch.ones(ROWS), **sample.extra)
    except ContractError:
        return
    raise Nonconformity("expected sample_weight to be refused, the rows having no loss of their own; found a value.")


def _weighable(subject: Subject) -> bool:
    contract = subject.contract
    return "none" in contract.reductions and not contract.couples_samples


PROPERTIES = (
    Property("weights_multiply", "Sample weights multiply the element losses.", _multiply, _weighable),
    Property("weight_zero_removes", "A weight of 0 is the same as leaving the row out.", _zero_removes, _weighable),
    Property(
        "weights_are_refused",
        "Sample weights are refused where rows have no loss of their own.",
        _refused,
        lambda subject: not _weighable(subject),
    ),
)
