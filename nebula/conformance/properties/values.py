"""Values: finite, of the right precision, the same every time, and the inputs left alone."""

from __future__ import annotations

import torch

from nebula.conformance.property import Property, expect, expect_close, expect_finite
from nebula.conformance.subject import Subject

__all__ = ["PROPERTIES"]

_RAW_SPACES = ("raw", "logits", "log_rate", "log_hazard", "embedding", "energy", "score")
_EXTREME = 1e4


def _finite(subject: Subject) -> None:
    for seed in range(3):
        for dtype in (torch.float64, torch.float32):
            sample = subject.sample(seed, dtype).requiring_grad()
            value = subject.criterion()(sample.prediction, sample.target, **sample.extra)
            value.sum().backward()
            expect(value.dtype == dtype, f"a loss of {dtype}", value.dtype)
            expect_finite(value, "the loss")
            expect_finite(sample.prediction.grad, "the gradient")


def _precisions_agree(subject: Subject) -> None:
    criterion = subject.criterion()
    values = []
    for dtype in (torch.float32, torch.float64):
        sample = subject.sample(1, torch.float32)
        prediction, target = sample.prediction.to(dtype), sample.target
        target = target.to(dtype) if target.is_floating_point() else target
        extra = {name: given.to(dtype) if given.is_floating_point() else given for name, given in sample.extra.items()}
        values.append(criterion(prediction, target, **extra))
    expect_close(values[0], values[1], "the loss in float32", rtol=1e-4, atol=1e-5)


def _half_is_upcast(subject: Subject) -> None:
    criterion = subject.criterion()
    for half in (torch.float16, torch.bfloat16):
        sample = subject.sample(2, torch.float32)
        prediction = sample.prediction.to(half)
        found = criterion(prediction, sample.target, **sample.extra)
        expect(found.dtype == torch.float32, f"a float32 loss of {half} predictions", found.dtype)
        wanted = criterion(prediction.float(), sample.target, **sample.extra)
        expect_close(found, wanted, f"the loss of {half} predictions", rtol=0, atol=0)


def _extremes(subject: Subject) -> None:
    criterion = subject.criterion()
    for size in (_EXTREME, -_EXTREME):
        sample = subject.sample(3, torch.float32)
        extreme = torch.full_like(sample.prediction, size)
        extreme[..., ::2] = -size
        for prediction in (extreme, extreme.flip(0), torch.full_like(extreme, size)):
            given = sample.with_prediction(prediction).requiring_grad()
            value = criterion(given.prediction, given.target, **given.extra)
            value.sum().backward()
            expect_finite(value, f"the loss at outputs of ±{_EXTREME:g}")
            expect_finite(given.prediction.grad, f"the gradient at outputs of ±{_EXTREME:g}")


def _has_extremes(subject: Subject) -> bool:
    contract = subject.contract
    return contract.finite_at_extremes and contract.prediction_space in _RAW_SPACES


def _repeats(subject: Subject) -> None:
    criterion, sample = subject.criterion(), subject.sample(4)
    before = sample.prediction.clone(), sample.target.clone(), {k: v.clone() for k, v in sample.extra.items()}
    first = criterion(sample.prediction, sample.target, **sample.extra)
    again = criterion.eval()(sample.prediction, sample.target, **sample.extra)
    expect_close(again, first, "the loss of a second call, in eval mode,", rtol=0, atol=0)
    expect_close(sample.prediction, before[0], "the prediction after the call", rtol=0, atol=0)
    expect_close(sample.target, before[1], "the target after the call", rtol=0, atol=0)
    for name, given in before[2].items():
        expect_close(sample.extra[name], given, f"{name} after the call", rtol=0, atol=0)


def _dense(subject: Subject) -> None:
    sample = subject.sample(5, dense=True).requiring_grad()
    value = subject.criterion()(sample.prediction, sample.target, **sample.extra)
    value.sum().backward()
    expect_finite(value, f"the loss of a prediction {tuple(sample.prediction.shape)}")
    expect_finite(sample.prediction.grad, "its gradient")


PROPERTIES = (
    Property("finite_values_and_gradients", "Valid inputs give a finite value and gradient.", _finite),
    Property("precisions_agree", "float32 and float64 give the same value.", _precisions_agree),
    Property(
        "half_precision_is_upcast",
        "float16 and bfloat16 predictions are computed in float32.",
        _half_is_upcast,
        lambda subject: subject.contract.low_precision == "upcast",
    ),
    Property("finite_at_extremes", "Outputs of ±1e4 give a finite value and gradient.", _extremes, _has_extremes),
    Property("repeats", "A second call gives the same value, and no input is changed.", _repeats),
    Property(
        "further_axes",
        "An ellipsis in the contract's axes may stand for another axis.",
        _dense,
        lambda subject: "…" in subject.contract.shapes[0],
    ),
)
