"""Regression and robust losses in numpy, from their definitions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import integrate, stats

from tests.losses.draws import reals
from tests.losses.loss_case import ROWS, Array, LossCase


def levels(count: int) -> Callable[[np.random.Generator], tuple[Array, Array]]:
    return lambda rng: (rng.normal(size=(ROWS, 2, count)), rng.normal(size=(ROWS, 2)))


def amounts(rng: np.random.Generator) -> tuple[Array, Array]:
    return rng.normal(size=(ROWS, 2)), rng.exponential(3, (ROWS, 2)) * rng.integers(0, 2, (ROWS, 2))


def quantities(rng: np.random.Generator) -> tuple[Array, Array]:
    z, y = amounts(rng)
    return np.exp(z), y


def with_parameters(count: int) -> Callable[[np.random.Generator], tuple[Array, Array]]:
    return lambda rng: (rng.normal(size=(ROWS, 2, count)), rng.normal(size=(ROWS, 2)) * 2)


def pinball(*asked: float) -> Callable[[Array, Array], Array]:
    def loss(z: Array, y: Array) -> Array:
        y = y if z.ndim == y.ndim else y[..., None]
        q = np.array(asked)
        return np.where(y > z, q * (y - z), (1 - q) * (z - y))

    return loss


def crossing(weight: float, *asked: float) -> Callable[[Array, Array], Array]:
    def loss(z: Array, y: Array) -> Array:
        found = pinball(*asked)(z, y)
        for upper in range(1, len(asked)):
            found[..., upper] += weight * np.maximum(z[..., upper - 1] - z[..., upper], 0)
        return found

    return loss


def barron(a: float, c: float) -> Callable[[Array, Array], Array]:
    def loss(z: Array, y: Array) -> Array:
        u = ((y - z) / c) ** 2
        if a == 2:
            return u / 2
        if a == 0:
            return np.log(u / 2 + 1)
        if a == -np.inf:
            return 1 - np.exp(-u / 2)
        return abs(a - 2) / a * ((u / abs(a - 2) + 1) ** (a / 2) - 1)

    return loss


def adaptive(a: float, c: float) -> Callable[[Array, Array], Array]:
    def loss(z: Array, y: Array) -> Array:
        unit = barron(a, 1.0)
        half, _ = integrate.quad(lambda x: np.exp(-unit(np.array(0.0), np.array(x))), 0, np.inf)
        return barron(a, c)(z, y) + np.log(c) + np.log(2 * half)

    return loss


def softplus(z: Array) -> Array:
    return np.logaddexp(0, z)


def student(df: float | None, floor: float = 1e-6) -> Callable[[Array, Array], Array]:
    def loss(z: Array, y: Array) -> Array:
        freedom = 2 + softplus(z[..., 2]) if df is None else df
        return -stats.t.logpdf(y, freedom, loc=z[..., 0], scale=softplus(z[..., 1]) + floor)

    return loss


def lopsided(under: float, over: float) -> Callable[[Array, Array], Array]:
    return lambda z, y: np.where(y > z, under, over) * (y - z) ** 2


CASES = [
    LossCase("QuantileLoss", {}, reals, pinball(0.5)),
    LossCase("QuantileLoss", {"levels": [0.9]}, levels(1), pinball(0.9)),
    LossCase("QuantileLoss", {"levels": [0.05, 0.5, 0.95]}, levels(3), pinball(0.05, 0.5, 0.95)),
    LossCase("QuantileLoss", {"levels": [0.1, 0.2], "crossing_weight": 3.0}, levels(2), crossing(3.0, 0.1, 0.2)),
    LossCase("AsymmetricMSELoss", {}, reals, lopsided(1, 1)),
    LossCase("AsymmetricMSELoss", {"under_weight": 0.5, "over_weight": 4.0}, reals, lopsided(0.5, 4)),
    LossCase("MSLELoss", {}, amounts, lambda z, y: (z - np.log(1 + y)) ** 2),
    LossCase(
        "MSLELoss",
        {"log_input": False},
        quantities,
        lambda z, y: (np.log(1 + z) - np.log(1 + y)) ** 2,
        finite_at_extremes=False,
    ),
    LossCase("LogCoshLoss", {}, reals, lambda z, y: np.log(np.cosh(z - y))),
    LossCase("BarronLoss", {}, reals, barron(1.0, 1.0)),
    *(
        LossCase("BarronLoss", {"shape": a, "scale": c}, reals, barron(float(a), c))
        for a, c in ((2.0, 0.5), (1.5, 2.0), (0.0, 1.0), (-2.0, 1.5), ("-inf", 2.0))
    ),
    LossCase("AdaptiveBarronLoss", {}, reals, adaptive(1.0, 1.0)),
    LossCase(
        "AdaptiveBarronLoss", {"shape_low": 0.2, "shape_high": 0.6, "scale_start": 2.5}, reals, adaptive(0.4, 2.5)
    ),
    LossCase("StudentTNLLLoss", {}, with_parameters(2), student(4.0)),
    LossCase("StudentTNLLLoss", {"df": 1.0, "scale_floor": 0.1}, with_parameters(2), student(1.0, 0.1)),
    LossCase("StudentTNLLLoss", {"predicts_df": True}, with_parameters(3), student(None)),
]
