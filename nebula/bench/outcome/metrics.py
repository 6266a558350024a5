"""The declared metrics of one model's answers, lower is better; written for speed, checked by scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from nebula.bench.outcome.manifest import Metric

__all__ = ["FLOOR_SHARE", "Scale", "score"]

FLOOR_SHARE = 0.01
"""A deviance floors what it is given at this share of the mean training target; fixed before any training."""

_SMALLEST = float(torch.finfo(torch.float32).eps)


@dataclass(frozen=True)
class Scale:
    """What a metric must know of the target beside its values.

    Attributes:
        metric: The declared metric.
        levels: Distinct values of classes and ordered levels; empty for numbers.
        floor: Smallest prediction of a deviance, in the target's unit.
    """

    metric: Metric
    levels: tuple[float, ...]
    floor: float


def score(served: Tensor, target: Tensor, scale: Scale) -> float:
    """Return the declared metric, turned so that lower is better (1 - balanced accuracy, 1 - kappa).

    A vector of probabilities is read as the level with the largest one where the metric wants a label or
    a number; a single probability as a yes from 0.5 on; a number as the nearest level where it wants one.

    Args:
        served: (n,), (n, 1) or (n, K), as the arm serves it.
        target: (n,) in its own coding.
        scale: Metric, levels and floor.

    Returns:
        The metric; infinity when something served is not finite.
    """
    if served.ndim == 2 and served.shape[1] == 1:
        served = served[:, 0]
    if not bool(torch.isfinite(served).all()):
        return float("inf")
    name, _, level = scale.metric.partition("@")
    if name == "pinball":
        error = target.double() - _number(served, scale)
        return float(torch.maximum(float(level) * error, (float(level) - 1) * error).mean())
    return _METRICS[name](served, target, scale)


def _number(served: Tensor, scale: Scale) -> Tensor:
    if served.ndim == 2:
        return torch.tensor(scale.levels, dtype=torch.float64)[served.argmax(dim=1)]
    return served.double()


def _label(served: Tensor, scale: Scale) -> Tensor:
    """Return the place of the level that is meant, (n,)."""
    levels = torch.tensor(scale.levels, dtype=torch.float64)
    if served.ndim == 2:
        return served.argmax(dim=1)
    if len(levels) == 2 and served.is_floating_point():
        return (served >= 0.5).long()
    return (served.double()[:, None] - levels).abs().argmin(dim=1)


def _log_loss(served: Tensor, target: Tensor, scale: Scale) -> float:
    if served.ndim == 1:
        served = torch.stack((1 - served.double(), served.double()), dim=1)
    share = served.double() / served.double().sum(dim=1, keepdim=True)
    place = torch.searchsorted(torch.tensor(scale.levels, dtype=torch.float64), target.double())
    chosen = share.gather(1, place[:, None]).clamp(_SMALLEST, 1 - _SMALLEST)
    return float(-chosen.log().mean())


def _balanced_error(served: Tensor, target: Tensor, scale: Scale) -> float:
    right = _label(served, scale) == torch.searchsorted(
        torch.tensor(scale.levels, dtype=torch.float64), target.double()
    )
    recalls = [right[target == value].double().mean() for value in torch.unique(target)]
    return 1 - float(torch.stack(recalls).mean())


def _disagreement(served: Tensor, target: Tensor, scale: Scale) -> float:
    """Return 1 - Cohen's kappa with quadratic weights on ranks: squared distance over that of independent answers."""
    ours = _label(served, scale).double()
    theirs = torch.searchsorted(torch.tensor(scale.levels, dtype=torch.float64), target.double()).double()
    by_chance = ours.var(correction=0) + theirs.var(correction=0) + (ours.mean() - theirs.mean()).square()
    return float((ours - theirs).square().mean() / by_chance) if by_chance > 0 else 1.0


def _poisson(served: Tensor, target: Tensor, scale: Scale) -> float:
    rate, seen = _number(served, scale).clamp(min=scale.floor), target.double()
    return float(2 * (torch.xlogy(seen, seen / rate) - seen + rate).mean())


def _gamma(served: Tensor, target: Tensor, scale: Scale) -> float:
    rate, seen = _number(served, scale).clamp(min=scale.floor), target.double()
    return float(2 * ((rate / seen).log() + seen / rate - 1).mean())


def _rmse(served: Tensor, target: Tensor, scale: Scale) -> float:
    return float((_number(served, scale) - target.double()).square().mean().sqrt())


def _mae(served: Tensor, target: Tensor, scale: Scale) -> float:
    return float((_number(served, scale) - target.double()).abs().mean())


_METRICS: dict[str, Callable[[Tensor, Tensor, Scale], float]] = {
    "log_loss": _log_loss,
    "balanced_accuracy": _balanced_error,
    "qwk": _disagreement,
    "poisson_deviance": _poisson,
    "gamma_deviance": _gamma,
    "rmse": _rmse,
    "mae": _mae,
}
