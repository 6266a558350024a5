"""Losses of levels, from the probabilities of the levels."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, softmax

from tests.losses.draws import distributions, indices
from tests.losses.loss_case import Array, LossCase

LEVELS = 4


def thresholds(rng: np.random.Generator) -> tuple[Array, Array]:
    return rng.normal(size=(6, LEVELS - 1)), rng.integers(0, LEVELS, 6)


def binary_level(rng: np.random.Generator) -> tuple[Array, Array]:
    return rng.normal(size=(6, 1)), rng.integers(0, 2, 6)


def dense_thresholds(rng: np.random.Generator) -> tuple[Array, Array]:
    return rng.normal(size=(3, LEVELS - 1, 5)), rng.integers(0, LEVELS, (3, 5))


def cumulative_logit(z: Array, y: Array) -> Array:
    """Differences of P(Y > k) along axis 1, with 1 before and 0 behind."""
    steps = np.log1p(np.exp(z[:, 1:]))
    above = expit(np.concatenate([z[:, :1], z[:, :1] - np.cumsum(steps, axis=1)], axis=1))
    edge = np.ones_like(above[:, :1])
    p = np.concatenate([edge, above], axis=1) - np.concatenate([above, 0 * edge], axis=1)
    return -np.log(np.take_along_axis(p, np.expand_dims(y, 1), axis=1))[:, 0]


def questions(z: Array, y: Array) -> Array:
    found = np.zeros(y.shape)
    for k in range(z.shape[1]):
        found -= np.where(y > k, np.log(expit(z[:, k])), np.log(expit(-z[:, k])))
    return found


def distance(z: Array, q: Array) -> Array:
    gap = np.cumsum(softmax(z, axis=1), axis=1) - np.cumsum(q, axis=1)
    return (gap**2).sum(axis=1)


CASES = [
    LossCase("OrdinalLogisticLoss", {}, thresholds, cumulative_logit),
    LossCase("OrdinalLogisticLoss", {"reduction": "sum"}, binary_level, cumulative_logit),
    LossCase("OrdinalLogisticLoss", {"ignore_index": -1}, dense_thresholds, cumulative_logit),
    LossCase(
        "OrdinalLogisticLoss",
        {"ignore_index": 2},
        thresholds,
        lambda z, y: np.where(y == 2, 0.0, cumulative_logit(z, y)),
        denominator=lambda y: float((y != 2).sum()),
    ),
    LossCase("CORALLoss", {}, thresholds, questions),
    LossCase("CORALLoss", {"ignore_index": -1}, dense_thresholds, questions),
    LossCase(
        "CORALLoss",
        {"ignore_index": 0},
        thresholds,
        lambda z, y: np.where(y == 0, 0.0, questions(z, y)),
        denominator=lambda y: float((y != 0).sum()),
    ),
    LossCase("EMDLoss", {}, indices, lambda z, y: distance(z, np.eye(z.shape[1])[y])),
    LossCase("EMDLoss", {"reduction": "sum"}, distributions, distance),
    LossCase(
        "EMDLoss",
        {"ignore_index": 1},
        indices,
        lambda z, y: np.where(y == 1, 0.0, distance(z, np.eye(z.shape[1])[y])),
        denominator=lambda y: float((y != 1).sum()),
    ),
]
