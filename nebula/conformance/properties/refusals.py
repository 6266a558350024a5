"""Refusals: every clause of the contract, broken alone, raises a ContractError."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from nebula.conformance.property import Nonconformity, Property
from nebula.conformance.sample import ROWS, Sample
from nebula.conformance.subject import Subject
from nebula.errors import ContractError

__all__ = ["PROPERTIES"]


def _expect_refusal(subject: Subject, sample: Sample, what: str, **more: Tensor) -> None:
    try:
        value = subject.criterion()(sample.prediction, sample.target, **{**sample.extra, **more})
    except ContractError as error:
        if subject.entry.name not in str(error):
            raise Nonconformity(f"expected the refusal of {what} to name the loss, found: {error}") from error
        return
    except Exception as error:
        kind = type(error).__name__
        raise Nonconformity(f"expected a ContractError for {what}, found {kind}: {error}") from error
    raise Nonconformity(f"expected a ContractError for {what}, found a value of shape {tuple(value.shape)}.")


def _rows(subject: Subject) -> None:
    sample, axes = subject.sample(1), subject.contract.shapes
    fewer = sample.take(torch.arange(ROWS - 1))
    if "N" in axes[1]:
        short = Sample(sample.contract, sample.prediction, fewer.target, sample.extra)
        _expect_refusal(subject, short, "targets of fewer rows than predictions")
    for given in subject.contract.extra_inputs:
        if "N" in given.axes:
            _expect_refusal(subject, sample, f"{given.name} of fewer rows", **{given.name: fewer.extra[given.name]})


def _axes(subject: Subject) -> None:
    """Add and take away an axis of size one: the commonest silent mistake, as torch would broadcast it."""
    sample = subject.sample(2)
    for what, prediction in _reshaped(subject, sample.prediction):
        _expect_refusal(subject, sample.with_prediction(prediction), what)
    column = Sample(sample.contract, sample.prediction, sample.target.unsqueeze(-1), sample.extra)
    _expect_refusal(subject, column, "targets with a trailing axis of size one")


def _reshaped(subject: Subject, prediction: Tensor) -> Iterator[tuple[str, Tensor]]:
    contract = subject.contract
    if contract.layout not in ("time_and_event", "levels"):  # a single level may have its axis or not
        yield "predictions with a trailing axis of size one", prediction.unsqueeze(-1)
    if contract.layout in ("parameters", "mean_and_variance"):
        yield "predictions with an output too few", prediction[..., 1:]
        yield "predictions with an output too many", torch.cat([prediction, prediction[..., :1]], dim=-1)
    if contract.min_outputs > 1 and contract.layout == "class_axis":
        yield "a single output on the class axis", prediction[:, :1]


def _dtype(subject: Subject) -> None:
    sample = subject.sample(3)
    floating = sample.target.is_floating_point()
    changed = sample.target.round().long() if floating else sample.target.double()
    wrong = Sample(sample.contract, sample.prediction, changed, sample.extra)
    _expect_refusal(subject, wrong, f"targets of {changed.dtype}")


def _extras(subject: Subject) -> None:
    sample = subject.sample(4)
    _expect_refusal(subject, sample, "an unknown extra input", no_such_input=sample.prediction)
    for given in subject.contract.extra_inputs:
        if given.required:
            rest: Mapping[str, Tensor] = {k: v for k, v in sample.extra.items() if k != given.name}
            missing = Sample(sample.contract, sample.prediction, sample.target, rest)
            _expect_refusal(subject, missing, f"a call without {given.name}")


def _weights(subject: Subject) -> None:
    sample = subject.sample(5)
    for shape in ((ROWS - 1,), (ROWS, 1, 1, 1, 1)):
        _expect_refusal(subject, sample, f"sample weights {shape}", sample_weight=torch.ones(shape))


def _params(subject: Subject) -> None:
    try:
        subject.criterion(no_such_parameter=1)
    except ContractError:
        return
    raise Nonconformity("expected an unknown parameter to be refused, found it accepted.")


def _other_readings(subject: Subject) -> bool:
    """Say whether the target's type picks the contract, so that another type is another clause."""
    return len({contract.target_dtype for contract in subject.entry.contracts}) > 1


PROPERTIES = (
    Property("refuses_other_rows", "Targets and extra inputs of other rows are refused.", _rows),
    Property("refuses_other_axes", "An axis too many or too few is refused, never broadcast.", _axes),
    Property(
        "refuses_other_dtype",
        "Targets of another type are refused.",
        _dtype,
        lambda subject: not _other_readings(subject),
    ),
    Property("refuses_other_extras", "Unknown and missing extra inputs are refused.", _extras),
    Property("refuses_other_weights", "Sample weights of another shape are refused.", _weights),
    Property("refuses_unknown_params", "Unknown parameters are refused.", _params),
)
