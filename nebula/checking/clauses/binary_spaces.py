"""Logits and probabilities of yes/no questions: NEB-C044 to NEB-C046."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor
from torch.nn import functional

from nebula.checking.case import Case, attempt, found, number
from nebula.checking.report import Finding, Severity

__all__ = ["check_binary_spaces", "looks_like_probabilities"]

_FEWEST = 8
"""Fewest predictions from which a range is read."""
_FEWEST_COLUMNS = 4
_SPREAD = 0.8
_SPREAD_AT_HALF = 0.6
_NEAR_HALF = 0.15


def check_binary_spaces(case: Case) -> Iterator[Finding]:
    """Find logits where probabilities are read, and the other way round as far as the numbers can tell."""
    prediction = case.prediction
    if not prediction.is_floating_point() or prediction.numel() == 0:
        return
    inside = bool(((prediction >= 0) & (prediction <= 1)).all())
    if case.subject.traits.space == "probability":
        yield from _saturated(case) if inside else _logits(case)
    elif case.subject.traits.space == "binary_logits" and inside and prediction.numel() >= _FEWEST:
        yield from _probabilities(case)


def _logits(case: Case) -> Iterator[Finding]:
    prediction = case.prediction
    outside = float(((prediction < 0) | (prediction > 1)).double().mean())
    mended = attempt(lambda: functional.binary_cross_entropy_with_logits(prediction, case.target))
    failure = case.outcome[2]
    yield found(
        "NEB-C044",
        "error",
        f"BCELoss expected probabilities, found {number(float(prediction.min()))} to {number(float(prediction.max()))},"
        f" {outside:.0%} outside [0, 1]: logits.",
        (f"the call fails on a CPU: {failure}; " if failure else f"the loss is {number(case.value())}; ")
        + f"with BCEWithLogitsLoss it is {number(mended)}.",
        case.subject.rewritten("BCEWithLogitsLoss"),
    )


def _saturated(case: Case) -> Iterator[Finding]:
    """A probability of exactly 0 or 1 on the wrong side has no gradient."""
    p, t = case.prediction.double(), case.target.double()
    stuck = ((p == 0) & (t > 0)) | ((p == 1) & (t < 1))
    if bool(stuck.any()) and bool((p != t).any()):
        yield found(
            "NEB-C046",
            "warning",
            f"expected probabilities between 0 and 1, found exactly 0 or 1 on the wrong side in {int(stuck.sum())} of "
            f"{p.numel()}: the sigmoid is saturated.",
            f"torch clamps their loss to 100, which makes {number(case.value())} of the mean, and behind a saturated "
            "sigmoid their gradient is 0: they stay wrong.",
            "loss = nn.BCEWithLogitsLoss(); prediction = torch.logit(prediction, eps=1e-6)"
            "  # better: leave the sigmoid out of the model",
        )


def _probabilities(case: Case) -> Iterator[Finding]:
    strong = looks_like_probabilities(case.prediction)
    now = case.value()
    mended = attempt(lambda: functional.binary_cross_entropy(case.prediction.float(), case.target.float().clamp(0, 1)))
    severity: Severity = "warning" if strong else "note"
    doubt = "" if strong else ", or small logits: the numbers cannot tell"
    yield found(
        "NEB-C045",
        severity,
        f"{case.name} expected logits, found {case.prediction.numel()} values from "
        f"{number(float(case.prediction.min()))} to {number(float(case.prediction.max()))}, all in [0, 1]: "
        f"probabilities{doubt}.",
        f"if a sigmoid was taken before, it is taken twice: the served probability stays between 0.50 and 0.73; loss "
        f"{number(now)} instead of {number(mended)}.",
        "prediction = torch.logit(prediction, eps=1e-6)  # better: take the sigmoid out of the model",
    )


def looks_like_probabilities(prediction: Tensor) -> bool:
    """Judge values in [0, 1] that a model of logits seldom gives.

    Either they span the interval and nothing lies beyond it, or spread around 1/2, or many columns
    all centre on 1/2 as a sigmoid does before training. The targets say nothing: small outputs
    before training explain rare positives well as probabilities too.
    """
    p = prediction.double()
    low, high, mean = float(p.min()), float(p.max()), float(p.mean())
    if high - low >= _SPREAD and low < 1 - _SPREAD < _SPREAD < high:
        return True
    if high - low >= _SPREAD_AT_HALF and abs(mean - 0.5) <= _NEAR_HALF:
        return True
    columns = p.movedim(1, -1).flatten(0, -2) if p.ndim > 1 else p[:, None]
    means = columns.mean(0)
    return columns.shape[1] >= _FEWEST_COLUMNS and bool(((means > 0.25) & (means < 0.75)).all())
