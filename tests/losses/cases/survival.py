"""Losses of censored times, by loops over rows and scipy's Weibull distribution."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import stats
from scipy.special import expit

from tests.losses.loss_case import ROWS, Array, LossCase

CUTS = [0.5, 1.0, 2.0, 4.0]


def times(rng: np.random.Generator) -> Array:
    """Times with ties, most of which end in an event."""
    time = rng.choice([0.4, 0.5, 1.3, 2.2, 5.0], size=ROWS)
    event = rng.random(ROWS) < 0.7
    event[0] = True
    return np.stack([time, event], axis=1)


def drawn(*shape: int) -> Callable[[np.random.Generator], tuple[Array, Array]]:
    return lambda rng: (rng.normal(size=(ROWS, *shape)), times(rng))


def cox(z: Array, y: Array, *, efron: bool) -> float:
    """Sum over the times at which events were seen, as the textbooks write it."""
    time, event = y[:, 0], y[:, 1] > 0
    total = 0.0
    for moment in np.unique(time[event]):
        tied = event & (time == moment)
        risk, own = np.exp(z[time >= moment]).sum(), np.exp(z[tied]).sum()
        total -= z[tied].sum()
        for rank in range(tied.sum()):
            total += np.log(risk - (rank / tied.sum() * own if efron else 0.0))
    return total


def weibull(z: Array, y: Array) -> Array:
    scale, shape = np.exp(z[:, 0]), np.exp(z[:, 1])
    density = stats.weibull_min.logpdf(y[:, 0], shape, scale=scale)
    return -np.where(y[:, 1] > 0, density, stats.weibull_min.logsf(y[:, 0], shape, scale=scale))


def discrete(z: Array, y: Array) -> Array:
    losses = []
    for hazards, (time, event) in zip(expit(z), y, strict=True):
        likelihood = 1.0
        for edge, hazard in zip(CUTS, hazards, strict=True):
            if event and time <= edge:
                likelihood *= hazard
                break
            if time < edge:
                break
            likelihood *= 1 - hazard
        losses.append(-np.log(likelihood))
    return np.array(losses)


CASES = [
    LossCase("CoxPHLoss", {"reduction": "sum"}, drawn(), lambda z, y: cox(z, y, efron=True)),
    LossCase("CoxPHLoss", {}, drawn(), lambda z, y: cox(z, y, efron=True) / y[:, 1].sum()),
    LossCase("CoxPHLoss", {"ties": "breslow"}, drawn(1), lambda z, y: cox(z[:, 0], y, efron=False) / y[:, 1].sum()),
    LossCase("WeibullAFTNLLLoss", {}, drawn(2), weibull, finite_at_extremes=False),
    LossCase("DiscreteTimeSurvivalNLLLoss", {"cuts": CUTS}, drawn(len(CUTS)), discrete),
]
