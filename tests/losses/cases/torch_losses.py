"""torch's own losses, and their formulas in numpy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import expit, log_softmax

from tests.losses.draws import (
    answers,
    indices,
    log_distributions,
    log_rates,
    log_rows,
    mean_and_variance,
    rates,
    reals,
)
from tests.losses.loss_case import Array, LossCase


def binary_log_loss(z: Array, y: Array, positive: Any = 1.0) -> Array:
    return -(positive * y * np.log(expit(z)) + (1 - y) * np.log(expit(-z)))


def huber(delta: float) -> Callable[[Array, Array], Array]:
    def loss(z: Array, y: Array) -> Array:
        e = np.abs(z - y)
        return np.where(e <= delta, e**2 / 2, delta * (e - delta / 2))

    return loss


def smooth(beta: float) -> Callable[[Array, Array], Array]:
    def loss(z: Array, y: Array) -> Array:
        e = np.abs(z - y)
        return np.where(e < beta, e**2 / (2 * beta), e - beta / 2)

    return loss


def cross_entropy(
    z: Array, y: Array, weight: Array | None = None, smoothing: float = 0.0, ignored: int = -100
) -> Array:
    weight = np.ones(z.shape[1]) if weight is None else weight
    logp = log_softmax(z, axis=1)
    rows = []
    for row, label in zip(logp, y, strict=True):
        spread = np.full(len(row), smoothing / len(row))
        if label != ignored:
            spread[label] += 1 - smoothing
        rows.append(0.0 if label == ignored else -(spread * weight * row).sum())
    return np.array(rows)


def pick(z: Array, y: Array) -> Array:
    return -z[np.arange(len(y)), y]


def stirling(y: Array) -> Array:
    return np.where(y > 1, y * np.log(np.maximum(y, 1)) - y + 0.5 * np.log(2 * np.pi * np.maximum(y, 1)), 0)


def kl(log_p: Array, q: Array) -> Array:
    return q * (np.log(q) - log_p)


def gaussian(z: Array, y: Array) -> Array:
    mean, variance = z[:, 0], z[:, 1]
    return 0.5 * (np.log(variance) + (y - mean) ** 2 / variance)


WEIGHT = np.array([0.5, 1.0, 2.0, 4.0])
COLUMN = np.array([0.5, 1.0, 3.0])

CASES = [
    LossCase("L1Loss", {}, reals, lambda z, y: np.abs(z - y)),
    LossCase("MSELoss", {}, reals, lambda z, y: (z - y) ** 2),
    LossCase("SmoothL1Loss", {}, reals, smooth(1.0)),
    LossCase("SmoothL1Loss", {"beta": 2.5}, reals, smooth(2.5)),
    LossCase("HuberLoss", {}, reals, huber(1.0)),
    LossCase("HuberLoss", {"delta": 0.3}, reals, huber(0.3)),
    LossCase("GaussianNLLLoss", {}, mean_and_variance, gaussian, finite_at_extremes=False),
    LossCase(
        "GaussianNLLLoss",
        {"full": True},
        mean_and_variance,
        lambda z, y: gaussian(z, y) + 0.5 * np.log(2 * np.pi),
        finite_at_extremes=False,
    ),
    LossCase("PoissonNLLLoss", {}, log_rates, lambda z, y: np.exp(z) - y * z, finite_at_extremes=False),
    LossCase(
        "PoissonNLLLoss",
        {"full": True},
        log_rates,
        lambda z, y: np.exp(z) - y * z + stirling(y),
        finite_at_extremes=False,
    ),
    LossCase(
        "PoissonNLLLoss",
        {"log_input": False},
        rates,
        lambda z, y: z - y * np.log(z + 1e-8),
        finite_at_extremes=False,
    ),
    LossCase("CrossEntropyLoss", {}, indices, cross_entropy),
    LossCase(
        "CrossEntropyLoss",
        {"weight": WEIGHT.tolist()},
        indices,
        lambda z, y: cross_entropy(z, y, WEIGHT),
        denominator=lambda y: WEIGHT[y].sum(),
    ),
    LossCase("CrossEntropyLoss", {"label_smoothing": 0.2}, indices, lambda z, y: cross_entropy(z, y, smoothing=0.2)),
    LossCase(
        "CrossEntropyLoss",
        {"ignore_index": 2},
        indices,
        lambda z, y: cross_entropy(z, y, ignored=2),
        denominator=lambda y: float((y != 2).sum()),
    ),
    LossCase("NLLLoss", {}, log_rows, pick),
    LossCase(
        "NLLLoss",
        {"weight": WEIGHT.tolist()},
        log_rows,
        lambda z, y: WEIGHT[y] * pick(z, y),
        denominator=lambda y: WEIGHT[y].sum(),
    ),
    LossCase("BCEWithLogitsLoss", {}, answers, binary_log_loss),
    LossCase("BCEWithLogitsLoss", {"pos_weight": 3.0}, answers, lambda z, y: binary_log_loss(z, y, 3.0)),
    LossCase("BCEWithLogitsLoss", {"pos_weight": COLUMN.tolist()}, answers, lambda z, y: binary_log_loss(z, y, COLUMN)),
    LossCase("BCEWithLogitsLoss", {"weight": COLUMN.tolist()}, answers, lambda z, y: COLUMN * binary_log_loss(z, y)),
    LossCase("KLDivLoss", {}, log_distributions, kl, denominator=len),
    LossCase("MultiLabelSoftMarginLoss", {}, answers, lambda z, y: binary_log_loss(z, y).mean(axis=1)),
    LossCase(
        "MultiLabelSoftMarginLoss",
        {"weight": COLUMN.tolist()},
        answers,
        lambda z, y: (COLUMN * binary_log_loss(z, y)).mean(axis=1),
    ),
]
