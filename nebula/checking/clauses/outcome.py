"""What the call itself shows: NEB-C001, NEB-C004, NEB-C006, NEB-C007."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from nebula.checking.case import Case, found, number
from nebula.checking.report import Finding

__all__ = ["check_outcome"]


def check_outcome(case: Case) -> Iterator[Finding]:
    """Find calls that fail, overflow, or give no gradient, for none of the reasons found before."""
    result, gradient, failure = case.outcome
    if failure or result is None:
        yield found(
            "NEB-C001",
            "error",
            f"{case.name} expected arguments that it can be called with, found a failure.",
            f"{failure}.",
            "help(type(loss))  # which arguments it takes",
        )
        return
    finite = bool(torch.isfinite(result).all())
    if not finite or (gradient is not None and not bool(torch.isfinite(gradient).all())):
        yield _not_finite(case, result, gradient)
    elif gradient is not None and bool((gradient == 0).all()) and bool((result > 0).any()) and gradient.numel():
        yield found(
            "NEB-C006",
            "warning",
            f"expected a gradient, found 0 for all {gradient.numel()} predictions at a loss of "
            f"{number(float(result.double().mean()))}.",
            "this batch changes nothing in the model.",
            "prediction = prediction + 1e-2 * torch.randn_like(prediction)  # find what makes them equal",
        )


def _not_finite(case: Case, result: Tensor, gradient: Tensor | None) -> Finding:
    dtype = case.prediction.dtype
    wide = case.value(**{name: t.double() if t.is_floating_point() else t for name, t in case.tensors.items()})
    largest = float(case.prediction.double().abs().max()) if case.prediction.numel() else 0.0
    now = float(result.double().mean())
    if wide is not None and abs(wide) < float("inf") and dtype != torch.float64:
        limit = torch.finfo(dtype).max if dtype.is_floating_point else 0.0
        return found(
            "NEB-C004",
            "error",
            f"expected a loss within {dtype}, at most {limit:.3g}, found predictions up to {largest:.4g}.",
            f"the {'gradient' if bool(torch.isfinite(result).all()) else 'loss'} overflows: {number(now)}, float64 "
            f"gives {number(wide)}.",
            f"prediction = prediction.{_wider(dtype)}(); target = target.{_wider(dtype)}() if "
            "target.is_floating_point() else target  # compute losses in a wider type",
        )
    what = "loss" if gradient is None or not torch.isfinite(result).all() else "gradient"
    return found(
        "NEB-C007",
        "error",
        f"expected a finite {what}, found {number(now)} from predictions up to {largest:.4g}.",
        "one such step makes every weight NaN.",
        "prediction = torch.nan_to_num(prediction).clamp(-20, 20)  # find out which rows; exp and log need bounds",
    )


def _wider(dtype: torch.dtype) -> str:
    return "float" if dtype in (torch.float16, torch.bfloat16) else "double"
