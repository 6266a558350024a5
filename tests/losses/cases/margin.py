"""Margins, label by label."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import expit

from tests.losses.draws import indices
from tests.losses.loss_case import Array, LossCase

WEIGHT = np.array([0.5, 1.0, 2.0, 4.0])


def signs(rng: np.random.Generator) -> tuple[Array, Array]:
    return rng.normal(size=(6, 3)) * 2, rng.choice([-1.0, 1.0], size=(6, 3))


def summed(power: int = 1, margin: float = 1.0, weight: Array | None = None) -> Callable[[Array, Array], Array]:
    def loss(z: Array, y: Array) -> Array:
        found = []
        for row, label in zip(z, y, strict=True):
            lack = [max(0.0, margin - row[label] + row[k]) ** power for k in range(len(row)) if k != label]
            found.append((1 if weight is None else weight[label]) * sum(lack) / len(row))
        return np.array(found)

    return loss


def best_other(margin: float = 1.0, ignored: int = -100) -> Callable[[Array, Array], Array]:
    def loss(z: Array, y: Array) -> Array:
        return np.array(
            [
                0.0 if label == ignored else max(0.0, margin + max(np.delete(row, label)) - row[label])
                for row, label in zip(z, y, strict=True)
            ]
        )

    return loss


CASES = [
    LossCase("MultiMarginLoss", {}, indices, summed()),
    LossCase("MultiMarginLoss", {"p": 2, "margin": 0.5}, indices, summed(2, 0.5)),
    LossCase("MultiMarginLoss", {"weight": WEIGHT.tolist()}, indices, summed(weight=WEIGHT)),
    LossCase("CrammerSingerLoss", {}, indices, best_other()),
    LossCase("CrammerSingerLoss", {"margin": 2.5}, indices, best_other(2.5)),
    LossCase(
        "CrammerSingerLoss",
        {"ignore_index": 1},
        indices,
        best_other(ignored=1),
        denominator=lambda y: float((y != 1).sum()),
    ),
    LossCase("HingeLoss", {}, signs, lambda z, y: np.maximum(0, 1 - y * z)),
    LossCase("HingeLoss", {"squared": True, "margin": 0.4}, signs, lambda z, y: np.maximum(0, 0.4 - y * z) ** 2),
    LossCase("SoftMarginLoss", {}, signs, lambda z, y: -np.log(expit(y * z))),
]
