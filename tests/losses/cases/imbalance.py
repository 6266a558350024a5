"""Focus, class weights and costs, from probabilities."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import expit, softmax

from tests.losses.draws import answers, indices
from tests.losses.loss_case import Array, LossCase

WEIGHT = np.array([0.5, 1.0, 2.0, 4.0])
COUNTS = [1000, 10, 0, 3]
COSTS = np.array([[0.0, 1.0, 2.0, 3.0], [5.0, 0.0, 1.0, 2.0], [2.0, 1.0, 0.0, 1.0], [9.0, 4.0, 1.0, 0.5]])


def right(z: Array, y: Array) -> Array:
    return softmax(z, axis=1)[np.arange(len(y)), y]


def sigmoid_focal(focus: float, positive: float | None) -> Callable[[Array, Array], Array]:
    def loss(z: Array, y: Array) -> Array:
        p = np.where(y == 1, expit(z), expit(-z))
        alpha = 1.0 if positive is None else np.where(y == 1, positive, 1 - positive)
        return -alpha * (1 - p) ** focus * np.log(p)

    return loss


def focal(focus: float, weight: Array | None = None, ignored: int = -100) -> Callable[[Array, Array], Array]:
    def loss(z: Array, y: Array) -> Array:
        p = right(z, y)
        weights = 1.0 if weight is None else weight[y]
        return np.where(y == ignored, 0.0, -weights * (1 - p) ** focus * np.log(p))

    return loss


def effective(beta: float) -> Array:
    """Equation 4 of the paper in extended precision, with mean 1 over the classes that occur."""
    counts = np.array(COUNTS, dtype=np.longdouble)
    weights = np.array([(1 - beta) / (1 - np.longdouble(beta) ** n) if n else 0.0 for n in counts], dtype=float)
    return weights * 3 / weights.sum()


def asymmetric(positive: float, negative: float, margin: float) -> Callable[[Array, Array], Array]:
    def loss(z: Array, y: Array) -> Array:
        p = expit(z)
        shifted = np.maximum(p - margin, 0)
        return -(y * (1 - p) ** positive * np.log(p) + (1 - y) * shifted**negative * np.log(1 - shifted))

    return loss


def expected_cost(z: Array, y: Array) -> Array:
    return (softmax(z, axis=1) * COSTS[y]).sum(axis=1)


def counted_by(weight: Array) -> Callable[[Array], float]:
    return lambda y: float(weight[y].sum())


CASES = [
    LossCase("SigmoidFocalLoss", {}, answers, sigmoid_focal(2.0, 0.25)),
    LossCase("SigmoidFocalLoss", {"focus": 0.5, "positive_weight": None}, answers, sigmoid_focal(0.5, None)),
    LossCase("SigmoidFocalLoss", {"focus": 0.0, "positive_weight": 0.9}, answers, sigmoid_focal(0.0, 0.9)),
    LossCase("FocalLoss", {}, indices, focal(2.0)),
    LossCase("FocalLoss", {"focus": 0.5}, indices, focal(0.5)),
    LossCase("FocalLoss", {"weight": WEIGHT.tolist()}, indices, focal(2.0, WEIGHT), denominator=counted_by(WEIGHT)),
    LossCase(
        "FocalLoss",
        {"focus": 0.0, "ignore_index": 2},
        indices,
        focal(0.0, ignored=2),
        denominator=lambda y: float((y != 2).sum()),
    ),
    LossCase("ClassBalancedLoss", {}, indices, focal(0.0)),
    *(
        LossCase(
            "ClassBalancedLoss",
            {"class_counts": COUNTS, "beta": beta},
            indices,
            focal(0.0, effective(beta)),
            denominator=counted_by(effective(beta)),
        )
        for beta in (0.9, 0.999)
    ),
    LossCase("AsymmetricLoss", {}, answers, asymmetric(0.0, 4.0, 0.05)),
    LossCase(
        "AsymmetricLoss",
        {"focus_positive": 1.0, "focus_negative": 0.5, "margin": 0.3},
        answers,
        asymmetric(1.0, 0.5, 0.3),
    ),
    LossCase("AsymmetricLoss", {"focus_negative": 2.0, "margin": 0.0}, answers, asymmetric(0.0, 2.0, 0.0)),
    LossCase("CostSensitiveLoss", {}, indices, lambda z, y: 1 - right(z, y)),
    LossCase("CostSensitiveLoss", {"costs": COSTS.tolist()}, indices, expected_cost),
    LossCase(
        "CostSensitiveLoss",
        {"costs": COSTS.tolist(), "cross_entropy_weight": 0.3},
        indices,
        lambda z, y: expected_cost(z, y) - 0.3 * np.log(right(z, y)),
    ),
    LossCase("CostSensitiveBCELoss", {}, answers, lambda z, y: sigmoid_focal(0.0, None)(z, y)),
    LossCase(
        "CostSensitiveBCELoss",
        {"cost_false_negative": 5.0, "cost_false_positive": 0.5},
        answers,
        lambda z, y: np.where(y == 1, 5.0, 0.5) * sigmoid_focal(0.0, None)(z, y),
    ),
]
