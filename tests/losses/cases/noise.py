"""Losses for wrong labels, from probabilities and whole target distributions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import softmax

from tests.losses.draws import indices
from tests.losses.loss_case import Array, LossCase


def per_row(loss: Callable[[Array, Array], float], ignored: int = -100) -> Callable[[Array, Array], Array]:
    """Take a loss of two distributions over all rows, the label being the second, with a 1 at its place."""

    def elements(z: Array, y: Array) -> Array:
        p, hot = softmax(z, axis=1), np.eye(z.shape[1])[y]
        return np.array([0.0 if b == ignored else loss(a, h) for a, h, b in zip(p, hot, y, strict=True)])

    return elements


def symmetric(alpha: float, beta: float, log_zero: float) -> Callable[[Array, Array], float]:
    def loss(p: Array, q: Array) -> float:
        log_q = np.where(q > 0, 0.0, log_zero)
        return float(-alpha * (q * np.log(p)).sum() - beta * (p * log_q).sum())

    return loss


def bootstrap(beta: float, *, hard: bool) -> Callable[[Array, Array], float]:
    def loss(p: Array, q: Array) -> float:
        own = np.eye(len(p))[p.argmax()] if hard else p
        return float(-((beta * q + (1 - beta) * own) * np.log(p)).sum())

    return loss


def case(loss: str, params: dict[str, Any], formula: Callable[[Array, Array], float], ignored: int = -100) -> LossCase:
    return LossCase(loss, params, indices, per_row(formula, ignored), denominator=lambda y: float((y != ignored).sum()))


CASES = [
    case("GeneralizedCrossEntropyLoss", {}, lambda p, q: (1 - (p @ q) ** 0.7) / 0.7),
    case("GeneralizedCrossEntropyLoss", {"q": 1.0}, lambda p, q: 1 - p @ q),
    case("GeneralizedCrossEntropyLoss", {"q": 0.1, "ignore_index": 3}, lambda p, q: (1 - (p @ q) ** 0.1) / 0.1, 3),
    case("SymmetricCrossEntropyLoss", {}, symmetric(0.1, 1.0, -6.0)),
    case(
        "SymmetricCrossEntropyLoss",
        {"cross_entropy_weight": 6.0, "reverse_weight": 0.1, "log_zero": -4.0},
        symmetric(6.0, 0.1, -4.0),
    ),
    case("MAEProbLoss", {}, lambda p, q: float(np.abs(p - q).sum())),
    case("MAEProbLoss", {"ignore_index": 0}, lambda p, q: float(np.abs(p - q).sum()), 0),
    case("BootstrapLoss", {}, bootstrap(0.95, hard=False)),
    case("BootstrapLoss", {"kind": "hard"}, bootstrap(0.8, hard=True)),
    case("BootstrapLoss", {"label_weight": 0.3, "ignore_index": 1}, bootstrap(0.3, hard=False), 1),
]
