"""Losses beside a task: energies, critics, teachers, domains, groups, limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import expit, log_softmax, softmax

from tests.losses.draws import indices, reals
from tests.losses.loss_case import CLASSES, ROWS, Array, LossCase

GROUPS = 3
COLUMNS = 2
IGNORED = 1


def energy(z: Array, y: Array) -> Array:
    return z[np.arange(len(y)), y] + np.log(np.exp(-z).sum(axis=1))


def taught(rng: np.random.Generator) -> tuple[Any, ...]:
    return *indices(rng), {"teacher": 2 * rng.normal(size=(ROWS, CLASSES))}


def distilled(weight: float = 0.5, temperature: float = 2.0, ignored: int = -100) -> Callable[..., Array]:
    def loss(z: Array, y: Array, teacher: Array) -> Array:
        soft = softmax(teacher / temperature, axis=1)
        divergence = (soft * (np.log(soft) - log_softmax(z / temperature, axis=1))).sum(axis=1)
        own = -log_softmax(z, axis=1)[np.arange(len(y)), y]
        return np.where(y == ignored, 0, weight * own + (1 - weight) * temperature**2 * divergence)

    return loss


def domains(rng: np.random.Generator) -> tuple[Array, Array]:
    return rng.normal(size=(ROWS, 3)), 0.5 + 2 * rng.normal(size=(ROWS - 2, 3))


def coral(z: Array, y: Array) -> float:
    return ((np.cov(z.T) - np.cov(y.T)) ** 2).sum() / (4 * z.shape[1] ** 2)


def mmd(widths: list[float], *, unbiased: bool) -> Callable[[Array, Array], float]:
    def kernel(a: Array, b: Array) -> float:
        squared = ((a - b) ** 2).sum()
        return sum(np.exp(-squared / (2 * w**2)) for w in widths) / len(widths)

    def mean(rows: Array, others: Array, *, skip: bool) -> float:
        return np.mean(
            [kernel(a, b) for i, a in enumerate(rows) for j, b in enumerate(others) if not (skip and i == j)]
        )

    def loss(z: Array, y: Array) -> float:
        return mean(z, z, skip=unbiased) + mean(y, y, skip=unbiased) - 2 * mean(z, y, skip=False)

    return loss


def grouped(rng: np.random.Generator) -> tuple[Any, ...]:
    """Three groups are known, two occur."""
    answers = rng.integers(0, 2, (ROWS, COLUMNS)).astype(float)
    answers[:2] = 1
    return 2 * rng.normal(size=(ROWS, COLUMNS)), answers, {"group": np.array([0, 2, 0, 2, 2, 0])}


def gap(kind: str, *, positives: bool) -> Callable[..., float]:
    def loss(z: Array, y: Array, group: Array) -> float:
        gaps = []
        for column in range(z.shape[1]):
            p, counted = expit(z[:, column]), y[:, column] == 1 if positives else np.ones(len(z), dtype=bool)
            means = np.array(
                [p[counted & (group == g)].mean() for g in range(GROUPS) if (counted & (group == g)).any()]
            )
            off = means - p[counted].mean()
            gaps.append({"max": np.ptp(means), "mean": np.abs(off).mean(), "squared": (off**2).mean()}[kind])
        return float(np.mean(gaps))

    return loss


def lagrangian(*, equal: bool, rho: float) -> Callable[[Array, Array], float]:
    """With all multipliers 0, as they start."""

    def loss(z: Array, y: Array) -> float:
        g = (z - y).mean(axis=0)
        return float((rho / 2 * (g if equal else np.maximum(g, 0)) ** 2).sum())

    return loss


CASES = [
    LossCase("EnergyNLLLoss", {}, indices, energy),
    LossCase(
        "EnergyNLLLoss",
        {"ignore_index": IGNORED},
        indices,
        lambda z, y: np.where(y == IGNORED, 0, energy(z, y)),
        denominator=lambda y: float((y != IGNORED).sum()),
    ),
    LossCase("WassersteinCriticLoss", {}, reals, lambda z, y: y - z),
    LossCase("DistillationLoss", {}, taught, distilled()),
    LossCase("DistillationLoss", {"label_weight": 0.1, "temperature": 5.0}, taught, distilled(0.1, 5.0)),
    LossCase(
        "DistillationLoss",
        {"ignore_index": IGNORED},
        taught,
        distilled(ignored=IGNORED),
        denominator=lambda y: float((y != IGNORED).sum()),
    ),
    LossCase("CORALAlignmentLoss", {}, domains, coral),
    LossCase("MMDLoss", {"bandwidths": [1.5]}, domains, mmd([1.5], unbiased=False)),
    LossCase("MMDLoss", {"bandwidths": [0.5, 3.0], "unbiased": True}, domains, mmd([0.5, 3.0], unbiased=True)),
    *(
        LossCase(loss, {"groups": GROUPS, "gap": kind}, grouped, gap(kind, positives=positives))
        for loss, positives in (("DemographicParityLoss", False), ("EqualOpportunityLoss", True))
        for kind in ("max", "mean", "squared")
    ),
    LossCase("ConstraintPenaltyLoss", {}, reals, lambda z, y: np.maximum(0, z - y) ** 2),
    LossCase("ConstraintPenaltyLoss", {"relation": "at_least", "power": 1}, reals, lambda z, y: np.maximum(0, y - z)),
    LossCase("ConstraintPenaltyLoss", {"relation": "equal"}, reals, lambda z, y: (z - y) ** 2),
    LossCase("BarrierLoss", {"scale": 0.3}, reals, lambda z, y: np.logaddexp(0, (y - z) / 0.3)),
    LossCase("AugmentedLagrangianLoss", {"constraints": COLUMNS}, reals, lagrangian(equal=False, rho=1.0)),
    LossCase(
        "AugmentedLagrangianLoss",
        {"constraints": COLUMNS, "relation": "equal", "stiffness": 5.0},
        reals,
        lagrangian(equal=True, rho=5.0),
    ),
]
