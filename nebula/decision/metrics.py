"""Which declared metrics can judge which task: a mismatch is told, never overruled."""

from __future__ import annotations

from nebula.profiling.hints import Metric, Task

__all__ = ["judges"]

_LABELS: frozenset[Task] = frozenset({"binary", "multiclass", "multilabel", "ordinal"})
_SHARES: frozenset[Task] = frozenset({"distribution", "proportion"})
_NUMBERS: frozenset[Task] = frozenset(
    {"count", "proportion", "ordinal", "positive", "zero_inflated_positive", "regression"}
)
_NON_NEGATIVE: frozenset[Task] = _NUMBERS - {"regression", "ordinal"}

_TASKS: dict[Metric, frozenset[Task]] = {
    "log_loss": _LABELS | _SHARES,
    "brier": _LABELS | _SHARES,
    "accuracy": _LABELS,
    "balanced_accuracy": _LABELS,
    "f1": _LABELS,
    "f_beta": _LABELS,
    "roc_auc": _LABELS,
    "auprc": _LABELS,
    "qwk": frozenset({"ordinal", "multiclass"}),
    "kl": _SHARES | {"multiclass"},
    "rmse": _NUMBERS | _SHARES,
    "mse": _NUMBERS | _SHARES,
    "mae": _NUMBERS | _SHARES,
    "r2": _NUMBERS,
    "pinball": _NUMBERS,
    "msle": _NON_NEGATIVE,
    "rmsle": _NON_NEGATIVE,
    "gaussian_nll": frozenset({"regression", "positive"}),
    "poisson_deviance": _NON_NEGATIVE,
    "gamma_deviance": frozenset({"positive", "count"}),
    "c_index": frozenset({"survival"}),
}


def judges(metric: Metric, task: str) -> bool:
    """Say whether predictions for a task can be scored by a metric.

    Args:
        metric: The declared metric.
        task: The derived task; a name that is not one of nebula's own is not judged.
    """
    known = {name for tasks in _TASKS.values() for name in tasks}
    return task not in known or task in _TASKS[metric]
