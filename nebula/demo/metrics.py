"""The declared metrics, scored by scikit-learn on what a model serves."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from nebula.errors import HintError

__all__ = ["Metric", "find_metric"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Metric:
    """A score on held-out rows.

    Attributes:
        name: As `hints.metric` takes it.
        lower_is_better: Direction.
        serves: What it reads: class `probability`, class `label` or a `number`.
        score: From targets and served values, in that order, to the metric.
        is_deviance: Defined for positive predictions only; predictions are floored first.
    """

    name: str
    lower_is_better: bool
    serves: str
    score: Callable[[Array, Array], float]
    is_deviance: bool = False

    def __call__(self, target: Array, served: Array, *, floor: float) -> float:
        """Score served values.

        Args:
            target: (n,) or (n, k), natural coding.
            served: (n,), (n, 1) or (n, k); class probabilities (n, C) for a multiclass log-loss.
            floor: Smallest prediction a deviance is given, in the target's unit; the same for
                every arm, because a squared error may answer below zero where a deviance has no value.

        Returns:
            The metric; `worst` when a served value is NaN or infinite.
        """
        if not np.isfinite(served).all():
            return self.worst
        if served.ndim == 2 and served.shape[1] == 1:
            served = served[:, 0]
        if self.is_deviance:
            served = np.maximum(served, floor)
        return float(self.score(target, served))

    @property
    def worst(self) -> float:
        """The value that no finite prediction can be worse than."""
        return math.inf if self.lower_is_better else -math.inf

    def prefers(self, ours: float, theirs: float) -> bool:
        """Say whether `ours` is strictly better."""
        return ours < theirs if self.lower_is_better else ours > theirs

    def gain(self, ours: float, theirs: float) -> float:
        """Return the relative difference to `theirs`, positive when `ours` is better; 0 for 0 against 0."""
        difference = theirs - ours if self.lower_is_better else ours - theirs
        return difference / abs(theirs) if theirs else (0.0 if not difference else math.copysign(math.inf, difference))


def find_metric(name: str) -> Metric:
    """Return the metric of that name.

    Raises:
        HintError: The demonstration has no such metric.
    """
    from sklearn import metrics

    base, _, level = name.partition("@")
    table: dict[str, Metric] = {
        "log_loss": Metric(name, True, "probability", _log_loss),
        "brier": Metric(name, True, "number", metrics.mean_squared_error),
        "balanced_accuracy": Metric(name, False, "label", metrics.balanced_accuracy_score),
        "rmse": Metric(name, True, "number", metrics.root_mean_squared_error),
        "mae": Metric(name, True, "number", metrics.mean_absolute_error),
        "pinball": Metric(name, True, "number", partial(metrics.mean_pinball_loss, alpha=float(level or 0.5))),
        "poisson_deviance": Metric(name, True, "number", metrics.mean_poisson_deviance, is_deviance=True),
        "gamma_deviance": Metric(name, True, "number", metrics.mean_gamma_deviance, is_deviance=True),
    }
    if base not in table:
        raise HintError(f"demo metric: expected one of {', '.join(table)}; found {name!r}.")
    return table[base]


def _log_loss(target: Array, served: Array) -> float:
    from sklearn.metrics import log_loss

    classes = range(served.shape[1] if served.ndim == 2 else 2)
    return float(log_loss(target, served, labels=list(classes)))
