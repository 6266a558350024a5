"""Counts and their rates: NEB-C050 to NEB-C052."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from nebula.checking.case import Case, found, number
from nebula.checking.report import Finding

__all__ = ["check_counts", "check_rates"]

_FEWEST = 16
_CORRELATED = 0.3
_CLOSELY = 0.5
_BETTER = 0.5
"""The other reading must at least halve the deviance."""
_OVERSHOOT = 5.0
"""A log rate this far above the log of the largest count is no log rate: 150 times too much."""


def check_counts(case: Case) -> Iterator[Finding]:
    """Find negative counts."""
    target = case.target
    if case.subject.traits.target != "count" or target.numel() == 0 or not bool((target < 0).any()):
        return
    share = float((target < 0).double().mean())
    yield found(
        "NEB-C050",
        "error",
        f"{case.name} expected counts of 0 or more, found {number(float(target.min()))}; {share:.0%} are negative.",
        f"the loss is {number(case.value())} and unbounded below in these rows; without negative counts it is "
        f"{number(case.value(target=target.clamp(min=0)))}.",
        "loss = nn.MSELoss()  # these are no counts"
        if share > 0.2
        else "target = target.clamp(min=0)  # better: find out what the negative counts mean",
    )


def check_rates(case: Case) -> Iterator[Finding]:
    """Find rates read as log rates, and log rates read as rates."""
    if case.name != "PoissonNLLLoss" or case.prediction.shape != case.target.shape or case.prediction.numel() == 0:
        return
    p, t = case.prediction.double(), case.target.double()
    if bool((t < 0).any()):
        return
    if case.subject.option("log_input", True):
        yield from _rates_as_logs(case, p, t)
    else:
        yield from _logs_as_rates(case, p, t)


def _rates_as_logs(case: Case, p: Tensor, t: Tensor) -> Iterator[Finding]:
    """A rate follows the counts; before training nothing tells a rate from a log rate, except its size."""
    if bool((p < 0).any()):
        return
    overshoots = float(p.max()) > math.log(max(float(t.max()), 1.0)) + _OVERSHOOT and float(p.mean()) > 1
    fits = _follows(p, t) and _deviance(p, t) < _BETTER * _deviance(p.exp(), t)
    if not (overshoots or fits):
        return
    yield found(
        "NEB-C051",
        "warning" if overshoots or _follows(p, t, _CLOSELY) else "note",
        f"PoissonNLLLoss(log_input=True) expected log rates, found {number(float(p.min()))} to {number(float(p.max()))}"
        f" against counts up to {number(float(t.max()))}: rates.",
        f"exp is taken of a rate: the predicted mean is {number(float(p.exp().mean()))} where the counts' is "
        f"{number(float(t.mean()))}; loss {number(case.value())}, read as rates {number(_nll(p, t))}.",
        case.subject.rewritten(log_input=False),
    )


def _logs_as_rates(case: Case, p: Tensor, t: Tensor) -> Iterator[Finding]:
    negative = bool((p < 0).any())
    if not negative and not (_follows(p, t) and _deviance(p.exp(), t) < _BETTER * _deviance(p, t)):
        return
    share = float((p < 0).double().mean())
    said = f"found {share:.0%} below 0" if negative else f"found {number(float(p.min()))} to {number(float(p.max()))}"
    yield found(
        "NEB-C052",
        "error" if negative else "note",
        f"PoissonNLLLoss(log_input=False) expected rates, {said}: log rates.",
        f"the logarithm of a negative rate is NaN: loss {number(case.value())}, read as log rates "
        f"{number(_nll(p.exp(), t))}.",
        case.subject.rewritten(log_input=True),
    )


def _follows(p: Tensor, t: Tensor, least: float = _CORRELATED) -> bool:
    if p.numel() < _FEWEST or float(t.std()) == 0 or float(p.std()) == 0:
        return False
    return float(torch.corrcoef(torch.stack((p.flatten(), t.flatten())))[0, 1]) > least


def _deviance(rate: Tensor, t: Tensor) -> float:
    rate = rate.clamp(1e-8, 1e30)
    return float((torch.xlogy(t, t / rate) - (t - rate)).mean())


def _nll(rate: Tensor, t: Tensor) -> float:
    return float((rate - torch.xlogy(t, rate.clamp(min=1e-8))).mean())
