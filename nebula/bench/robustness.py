"""Changes that leave the task as it is, and how often they change the choice."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nebula.bench.target import Target
from nebula.bench.task import Task
from nebula.decision.policy import Policy
from nebula.errors import NebulaError
from nebula.profiling.hints import Hints
from nebula.profiling.prediction import PredictionSpec
from nebula.selection import decide

__all__ = ["BATCHES", "CHANGES", "batch_flips", "flips"]

Array = NDArray[Any]
Tasks = Iterable[tuple[Task, Target]]

BATCHES = (8, 32, 128)
"""Rows of a batch; each size is compared with the choice on all rows."""

_DRAWS = 5


def _shuffle(values: Array) -> Array:
    return values[np.random.default_rng(0).permutation(len(values))]


def _sort(values: Array) -> Array:
    return values[np.argsort(values, axis=0, kind="stable")] if values.ndim == 1 else values[np.argsort(values[:, 0])]


def _half(values: Array) -> Array:
    return _shuffle(values)[: max(len(values) // 2, 1)]


CHANGES: dict[str, Callable[[Array], Array]] = {
    "rows shuffled": _shuffle,
    "rows sorted": _sort,
    "rows four times": lambda values: np.concatenate([values] * 4),
    "half of the rows": _half,
    "float64": lambda values: values.astype(np.float64),
    "float32": lambda values: values.astype(np.float32),
    "one column (N, 1)": lambda values: values[:, None] if values.ndim == 1 else values,
}
"""Name of the change → the changed values. Half of the rows may lose a class, the others lose nothing."""


def flips(policy: Policy, tasks: Tasks) -> dict[str, float]:
    """Return, for each change, the share of the targets whose loss changes.

    Targets on which the unchanged choice names no loss count too: a loss that appears is a flip.
    """
    changed = dict.fromkeys(CHANGES, 0)
    total = 0
    for _, target in tasks:
        total += 1
        before = _loss(policy, target.values, target.outputs)
        for name, change in CHANGES.items():
            changed[name] += _loss(policy, change(target.values), target.outputs) != before
    return {name: count / max(total, 1) for name, count in changed.items()}


def batch_flips(policy: Policy, tasks: Tasks) -> dict[int, float]:
    """Return, for each batch size, the share of random batches with another loss than all rows."""
    changed = dict.fromkeys(BATCHES, 0)
    drawn = dict.fromkeys(BATCHES, 0)
    for _, target in tasks:
        whole = _loss(policy, target.values, target.outputs)
        generator = np.random.default_rng(0)
        for size in (size for size in BATCHES if size < len(target.values)):
            for _ in range(_DRAWS):
                rows = generator.choice(len(target.values), size, replace=False)
                changed[size] += _loss(policy, target.values[rows], target.outputs) != whole
                drawn[size] += 1
    return {size: changed[size] / max(drawn[size], 1) for size in BATCHES}


def _loss(policy: Policy, values: Array, outputs: int) -> str | None:
    spec = PredictionSpec(shape=(None, outputs))
    try:
        decision = decide(policy, torch.from_numpy(np.ascontiguousarray(values)), spec, hints=Hints())
    except NebulaError as error:
        return type(error).__name__
    return decision.spec.loss if decision.spec else None
