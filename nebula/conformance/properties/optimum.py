"""Optimum: the functional that a loss says it elicits is where its mean is smallest."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from nebula.conformance.property import Property, expect
from nebula.conformance.subject import Subject

__all__ = ["PROPERTIES"]

_DRAWS = 41
_STEPS = (-0.5, -0.1, -0.02, 0.02, 0.1, 0.5)


def _perfect(subject: Subject) -> None:
    sample, criterion = subject.sample(1), subject.criterion()
    at_target = criterion(sample.target, sample.target, **sample.extra)
    for step in _STEPS:
        off = criterion(sample.target + step, sample.target, **sample.extra)
        expect(bool(off >= at_target), f"at least {at_target:.8g}, the loss of the perfect prediction", f"{off:.8g}")


def _elicits(subject: Subject) -> None:
    """Compare the constant prediction of the functional with its neighbours, on targets that vary."""
    contract = subject.contract
    samples = [subject.sample(seed).target for seed in range(_DRAWS)]
    target = torch.cat(samples)
    best = _RAW_OF[contract.prediction_space](_functional(subject, target))
    criterion = subject.criterion(reduction="sum")

    def total(row: Tensor) -> Tensor:
        value: Tensor = criterion(row.expand(len(target), *row.shape), target)
        return value

    lowest = total(best)
    for output in range(best.numel()):
        for step in _STEPS:
            moved = best.clone().view(-1)
            moved[output] += step
            if contract.prediction_space == "log_probabilities":
                moved = moved.view(best.shape).log_softmax(0).view(-1)
            if contract.prediction_space == "rate":
                moved = moved.clamp(min=0.01)
            found = total(moved.view(best.shape))
            least = lowest - 1e-9 * lowest.abs()
            expect(bool(found >= least), f"the {contract.proper} to have the least loss, {lowest:.8g}", f"{found:.8g}")


def _functional(subject: Subject, target: Tensor) -> Tensor:
    contract = subject.contract
    if contract.target_kind == "class_index":
        classes = subject.sample(0).prediction.shape[1]
        return torch.nn.functional.one_hot(target, classes).double().mean(dim=0)
    if contract.target_kind == "sign":
        return (1 + target.mean(dim=0)) / 2
    if contract.proper == "median":
        return target.median(dim=0).values
    values = target.exp() if contract.target_interval.high == 0 else target
    return values.mean(dim=0)


def _same(value: Tensor) -> Tensor:
    return value


def _logit_or_log(value: Tensor) -> Tensor:
    """Return logits that give these probabilities, whether one by one or together."""
    together = torch.allclose(value.sum(), torch.ones(()).double())
    return value.log() if together else value.logit()


_RAW_OF: dict[str, Callable[[Tensor], Tensor]] = {
    "raw": _same,
    "rate": _same,
    "log_rate": torch.log,
    "log_probabilities": torch.log,
    "logits": _logit_or_log,
}


def _has_perfect(subject: Subject) -> bool:
    contract = subject.contract
    return (
        contract.layout == "same"
        and contract.prediction_space == "raw"
        and contract.target_kind in ("real", "nonnegative", "positive", "count", "fraction")
        and contract.bounded_below
        and not contract.extra_inputs
    )


def _is_proper(subject: Subject) -> bool:
    contract = subject.contract
    return (
        contract.proper in ("mean", "median", "probability")
        and contract.layout in ("same", "class_axis")
        and contract.prediction_space in _RAW_OF
        and not contract.extra_inputs
        and "sum" in contract.reductions
        and not contract.couples_samples
    )


PROPERTIES = (
    Property("perfect_prediction", "No prediction is better than the target itself.", _perfect, _has_perfect),
    Property("elicits", "The functional that it elicits has the least loss.", _elicits, _is_proper),
)
