"""Clean inputs, drawn by kind."""

from __future__ import annotations

import numpy as np
from scipy.special import log_softmax

from tests.losses.loss_case import CLASSES, ROWS, Array


def reals(rng: np.random.Generator) -> tuple[Array, Array]:
    return rng.normal(size=(ROWS, 2)) * 3, rng.normal(size=(ROWS, 2)) * 3


def indices(rng: np.random.Generator) -> tuple[Array, Array]:
    return rng.normal(size=(ROWS, CLASSES)), rng.integers(0, CLASSES, ROWS)


def log_rows(rng: np.random.Generator) -> tuple[Array, Array]:
    logits, labels = indices(rng)
    return log_softmax(logits, axis=1), labels


def distributions(rng: np.random.Generator) -> tuple[Array, Array]:
    return rng.normal(size=(ROWS, CLASSES)), rng.dirichlet(np.ones(CLASSES), ROWS)


def log_distributions(rng: np.random.Generator) -> tuple[Array, Array]:
    logits, rows = distributions(rng)
    return log_softmax(logits, axis=1), rows


def answers(rng: np.random.Generator) -> tuple[Array, Array]:
    return rng.normal(size=(ROWS, 3)) * 2, rng.integers(0, 2, (ROWS, 3)).astype(float)


def log_rates(rng: np.random.Generator) -> tuple[Array, Array]:
    return rng.normal(size=(ROWS, 1)), rng.poisson(3, (ROWS, 1)).astype(float)


def rates(rng: np.random.Generator) -> tuple[Array, Array]:
    z, y = log_rates(rng)
    return np.exp(z), y


def mean_and_variance(rng: np.random.Generator) -> tuple[Array, Array]:
    return np.stack([rng.normal(size=ROWS), rng.gamma(2, 1, ROWS) + 0.1], axis=1), rng.normal(size=ROWS)
