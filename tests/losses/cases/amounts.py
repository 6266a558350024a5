"""Losses of counts, positive amounts and shares, from scipy's distributions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import stats
from scipy.special import expit

from tests.losses.cases.regression import softplus
from tests.losses.loss_case import CLASSES, ROWS, Array, LossCase

Draw = Callable[[np.random.Generator], tuple[Array, Array]]
FLOOR = 1e-6


def drawn(target: Callable[[np.random.Generator], Array], outputs: int = 0, *, rate: bool = False) -> Draw:
    """Raw outputs (N, 2[, K]) and targets (N, 2)."""

    def draw(rng: np.random.Generator) -> tuple[Array, Array]:
        z = rng.normal(size=(ROWS, 2, outputs) if outputs else (ROWS, 2))
        return np.exp(z) if rate else z, target(rng)

    return draw


def gammas(rng: np.random.Generator) -> Array:
    return rng.gamma(2, 1, (ROWS, 2)) + 0.01


def some_zeros(rng: np.random.Generator) -> Array:
    return gammas(rng) * rng.integers(0, 2, (ROWS, 2))


def counts(rng: np.random.Generator) -> Array:
    return rng.negative_binomial(1, 0.3, (ROWS, 2)).astype(float)


def shares(rng: np.random.Generator) -> Array:
    return rng.beta(2, 3, (ROWS, 2))


def simplex(rng: np.random.Generator) -> tuple[Array, Array]:
    return rng.normal(size=(ROWS, CLASSES)), rng.dirichlet(np.ones(CLASSES) * 2, ROWS)


def gamma(k: float, *, full: bool = False, log: bool = True) -> Callable[[Array, Array], Array]:
    def loss(z: Array, y: Array) -> Array:
        mean = np.exp(z) if log else z + 1e-8
        nll = -stats.gamma.logpdf(y, k, scale=mean / k)
        return nll if full else nll + stats.gamma.logpdf(y, k, scale=y / k) + k + k * np.log(y)

    return loss


def tweedie(p: float, *, full: bool = False, log: bool = True) -> Callable[[Array, Array], Array]:
    def loss(z: Array, y: Array) -> Array:
        mean = np.exp(z) if log else z + 1e-8
        value = mean ** (2 - p) / (2 - p) - y * mean ** (1 - p) / (1 - p)
        return value + y ** (2 - p) / ((1 - p) * (2 - p)) if full else value

    return loss


def log_normal(z: Array, y: Array, floor: float = FLOOR) -> Array:
    return -stats.lognorm.logpdf(y, softplus(z[..., 1]) + floor, scale=np.exp(z[..., 0]))


def zero_inflated_log_normal(z: Array, y: Array) -> Array:
    amount = log_normal(z[..., 1:], np.where(y > 0, y, 1.0))
    return np.where(y > 0, amount - np.log(expit(z[..., 0])), -np.log(expit(-z[..., 0])))


def beta(z: Array, y: Array) -> Array:
    mean, precision = expit(z[..., 0]), softplus(z[..., 1]) + FLOOR
    return -stats.beta.logpdf(y, mean * precision, (1 - mean) * precision)


def dirichlet(z: Array, y: Array) -> Array:
    return np.array([-stats.dirichlet.logpdf(row, a) for row, a in zip(y, softplus(z), strict=True)])


def negative_binomial(y: Array, mean: Array, dispersion: Array | float) -> Array:
    return -stats.nbinom.logpmf(y, 1 / dispersion, 1 / (1 + dispersion * mean))


def predicted(z: Array, y: Array) -> Array:
    return negative_binomial(y, np.exp(z[..., 0]), softplus(z[..., 1]) + FLOOR)


def zero_inflated(z: Array, y: Array) -> Array:
    extra, probability = expit(z[..., 2]), np.exp(-predicted(z, y))
    return -np.log(np.where(y == 0, extra, 0) + (1 - extra) * probability)


CASES = [
    LossCase(
        "NegativeBinomialNLLLoss",
        {},
        drawn(counts, 2),
        predicted,
    ),
    LossCase(
        "NegativeBinomialNLLLoss",
        {"predicts_dispersion": False, "dispersion": 0.7},
        drawn(counts),
        lambda z, y: negative_binomial(y, np.exp(z), 0.7),
    ),
    LossCase(
        "NegativeBinomialNLLLoss",
        {"predicts_dispersion": False, "dispersion": 2.0, "log_input": False},
        drawn(counts, rate=True),
        lambda z, y: negative_binomial(y, z + 1e-8, 2.0),
        finite_at_extremes=False,
    ),
    LossCase("ZeroInflatedNegativeBinomialNLLLoss", {}, drawn(counts, 3), zero_inflated),
    LossCase("GammaNLLLoss", {}, drawn(gammas), gamma(1.0), finite_at_extremes=False),
    LossCase(
        "GammaNLLLoss", {"shape": 3.5, "full": True}, drawn(gammas), gamma(3.5, full=True), finite_at_extremes=False
    ),
    LossCase(
        "GammaNLLLoss",
        {"shape": 2.0, "log_input": False},
        drawn(gammas, rate=True),
        gamma(2.0, log=False),
        finite_at_extremes=False,
    ),
    LossCase("TweedieLoss", {}, drawn(some_zeros), tweedie(1.5), finite_at_extremes=False),
    LossCase(
        "TweedieLoss",
        {"power": 1.2, "full": True},
        drawn(some_zeros),
        tweedie(1.2, full=True),
        finite_at_extremes=False,
    ),
    LossCase(
        "TweedieLoss",
        {"power": 1.9, "log_input": False},
        drawn(some_zeros, rate=True),
        tweedie(1.9, log=False),
        finite_at_extremes=False,
    ),
    LossCase("LogNormalNLLLoss", {}, drawn(gammas, 2), log_normal),
    LossCase("LogNormalNLLLoss", {"scale_floor": 0.5}, drawn(gammas, 2), lambda z, y: log_normal(z, y, 0.5)),
    LossCase("ZeroInflatedLogNormalNLLLoss", {}, drawn(some_zeros, 3), zero_inflated_log_normal),
    LossCase("BetaNLLLoss", {}, drawn(shares, 2), beta),
    LossCase("DirichletNLLLoss", {}, simplex, dirichlet),
]
