"""The variance of GaussianNLLLoss: NEB-C053, NEB-C054."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from nebula.checking.case import Case, found, number
from nebula.checking.report import Finding

__all__ = ["check_variance"]

_FEWEST = 64
_SPREAD = 0.25
"""Least standard deviation of log v for the slope to be read."""
_ERRORS = 2.5
_SD_LOG_CHI2 = 2.22
"""Standard deviation of log r² of a normal residual."""
_CALIBRATED = (0.7, 1.4)
_OFF = 2.5


def check_variance(case: Case) -> Iterator[Finding]:
    """Find variances that are none, and standard deviations in their place as far as residuals can tell."""
    variance = case.tensors.get("var")
    if case.name != "GaussianNLLLoss" or variance is None or variance.numel() == 0:
        return
    floor = float(case.subject.option("eps", 1e-6))
    low = variance <= floor
    if bool(low.any()):
        negative = bool((variance < 0).any())
        yield found(
            "NEB-C054",
            "error" if negative else "warning",
            f"expected variances above {floor:g}, found {number(float(variance.min()))}; "
            f"{float(low.double().mean()):.0%} are at the floor or below.",
            f"{'the call fails' if negative else f'the loss is {number(case.value())}, with gradients up to 1e12'}; "
            f"through a softplus it is {number(case.value(var=torch.nn.functional.softplus(variance) + 1e-3))}.",
            "var = F.softplus(var) + 1e-3  # the last layer gives any number: make it positive",
        )
        return
    yield from _standard_deviation(case, variance)


def _standard_deviation(case: Case, variance: Tensor) -> Iterator[Finding]:
    """Of normal residuals, log r² grows with slope 1 in the log variance, with slope 2 in the log deviation."""
    if variance.shape != case.prediction.shape or case.target.shape != case.prediction.shape:
        return
    squared = (case.prediction - case.target).double().square().flatten()
    scale = variance.double().flatten()
    if scale.numel() < _FEWEST or float(squared.min()) == 0:
        return
    x, y = scale.log(), squared.log()
    as_variance, as_deviation = float((squared / scale).mean()), float((squared / scale.square()).mean())
    calibrated = _CALIBRATED[0] < as_deviation < _CALIBRATED[1]
    off = as_variance > _OFF or as_variance < 1 / _OFF
    slope, error = 0.0, float("inf")
    if float(x.std()) >= _SPREAD:
        slope = float(((x - x.mean()) * (y - y.mean())).mean() / (x - x.mean()).square().mean())
        error = _SD_LOG_CHI2 / (float(x.std()) * scale.numel() ** 0.5)
    clear = slope - _ERRORS * error > 1 and abs(slope - 2) < _ERRORS * error
    if not calibrated or not (clear or off):
        return
    yield found(
        "NEB-C053",
        "warning" if clear and off else "note",
        f"expected variances, found numbers that fit as standard deviations: residual² over them averages "
        f"{number(as_variance)}, over their squares {number(as_deviation)}"
        + (f", and log residual² grows {slope:.1f} times as fast as their logarithm." if clear else "."),
        f"the model would have to learn the variance anew: loss {number(case.value())}, of the squares "
        f"{number(case.value(var=variance.square()))}.",
        "var = var.square()",
    )
