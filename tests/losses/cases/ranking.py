"""Pairs of a positive and a negative, one by one."""

from __future__ import annotations

import numpy as np

from tests.losses.draws import answers
from tests.losses.loss_case import Array, LossCase


def one_score(rng: np.random.Generator) -> tuple[Array, Array]:
    return rng.normal(size=9), np.array([1.0, 0, 0, 1, 0, 1, 0, 0, 1])


def one_class(rng: np.random.Generator) -> tuple[Array, Array]:
    return rng.normal(size=(5, 2)), np.array([[1.0, 0]] * 4 + [[1.0, 1]])


def pairs(z: Array, y: Array) -> list[list[float]]:
    """Losses of the pairs, column by column."""
    z, y = z.reshape(len(z), -1), y.reshape(len(y), -1)
    return [
        [
            float(np.log1p(np.exp(z[j, c] - z[i, c])))
            for i in range(len(z))
            for j in range(len(z))
            if y[i, c] == 1 and y[j, c] == 0
        ]
        for c in range(z.shape[1])
    ]


def mean_of_pairs(z: Array, y: Array) -> float:
    return float(np.mean([np.mean(column) for column in pairs(z, y) if column]))


CASES = [
    LossCase("AUCLoss", {}, one_score, mean_of_pairs),
    LossCase("AUCLoss", {"max_pairs": 18}, answers, mean_of_pairs),
    LossCase("AUCLoss", {"max_pairs": 1000}, one_class, mean_of_pairs),
    LossCase("AUCLoss", {"reduction": "sum"}, answers, lambda z, y: sum(map(sum, pairs(z, y)))),
]
