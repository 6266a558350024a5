"""Reductions: what is offered agrees, and what a batch without anything to count gives."""

from __future__ import annotations

import torch
from torch import Tensor

from nebula.conformance.property import Nonconformity, Property, expect, expect_close, expect_finite
from nebula.conformance.sample import Sample
from nebula.conformance.subject import Subject
from nebula.errors import ContractError

__all__ = ["PROPERTIES"]


def _value(subject: Subject, sample: Sample, reduction: str) -> Tensor:
    value: Tensor = subject.criterion(reduction=reduction)(sample.prediction, sample.target, **sample.extra)
    return value


def _agree(subject: Subject) -> None:
    sample, offered = subject.sample(1), subject.contract.reductions
    elements = _value(subject, sample, "none")
    expect(elements.ndim > 0, "one value per element or row with `reduction: none`", "a scalar")
    if "sum" in offered:
        expect_close(_value(subject, sample, "sum"), elements.sum(), "the sum")
    if "mean" in offered:
        expect_close(_value(subject, sample, "mean"), elements.sum() / _denominator(subject, sample), "the mean")
    if "batchmean" in offered:
        expect_close(_value(subject, sample, "batchmean"), elements.sum() / len(sample.target), "the batchmean")


def _denominator(subject: Subject, sample: Sample) -> Tensor | float:
    loss = subject.criterion().loss
    mass: Tensor | None = loss.mass(sample.target) if hasattr(loss, "mass") else None  # type: ignore[operator]
    return _value(subject, sample, "none").numel() if mass is None else mass.sum().double()


def _declared(subject: Subject) -> None:
    known = "reduction" in subject.entry.params.model_fields
    offered = subject.contract.reductions if known else ()
    sample = subject.sample(2)
    for reduction in offered:
        value = _value(subject, sample, reduction)
        expect(reduction == "none" or value.ndim == 0, f"a scalar with `reduction: {reduction}`", tuple(value.shape))
    for reduction in {"mean", "batchmean", "sum", "none"} - set(offered):
        try:
            subject.criterion(reduction=reduction)
        except ContractError:
            continue
        raise Nonconformity(f"expected no reduction but {', '.join(offered)}, found `{reduction}` accepted.")


def _empty(subject: Subject) -> None:
    _expect_nothing(subject, subject.sample(3, rows=0))


def _all_ignored(subject: Subject) -> None:
    sample = subject.sample(4)
    ignored = torch.full_like(sample.target, int(subject.entry.params().model_dump()["ignore_index"]))
    _expect_nothing(subject, Sample(sample.contract, sample.prediction, ignored, sample.extra))


def _expect_nothing(subject: Subject, sample: Sample) -> None:
    """Expect what the contract says of a batch without any counted element."""
    given, policy = sample.requiring_grad(), subject.contract.empty
    try:
        value: Tensor = subject.criterion()(given.prediction, given.target, **given.extra)
    except ContractError:
        expect(policy == "error", f"`{policy}` for a batch without anything to count", "a ContractError")
        return
    expect(policy != "error", "a ContractError for a batch without anything to count", value)
    if policy == "nan":
        expect(bool(value.isnan()), "NaN for a batch without anything to count", value)
        return
    expect(value.item() == 0, "0 for a batch without anything to count", value)
    value.backward()  # type: ignore[no-untyped-call]
    expect_finite(given.prediction.grad, "the gradient of a batch without anything to count")


def _per_element(subject: Subject) -> bool:
    return "none" in subject.contract.reductions


PROPERTIES = (
    Property("reductions_agree", "sum and mean are those of the element losses.", _agree, _per_element),
    Property("reductions_are_declared", "What the contract offers is accepted, and nothing else.", _declared),
    Property("empty_batch", "A batch without rows gives what the contract says.", _empty),
    Property(
        "all_ignored",
        "A batch of ignored labels gives what the contract says.",
        _all_ignored,
        lambda subject: subject.contract.supports_ignore_index,
    ),
)
