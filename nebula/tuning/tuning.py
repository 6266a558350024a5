"""Cross-validation over data sets: fitted on most, judged on the rest, in turns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from nebula.errors import DataError
from nebula.policy.loader import load
from nebula.tuning.gain import Gain, paired_gain
from nebula.tuning.search import Costs, fit
from nebula.tuning.space import Dimension, find_space
from nebula.tuning.table import Task, read_results

__all__ = ["Fitted", "Tuning", "tune"]

LEAST_DATA_SETS = 6
"""With fewer, no sign-flip test reaches p = 0.05."""


class Fitted(BaseModel):
    """One parameter."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    low: float
    high: float
    now: float
    fitted: float = Field(description="On all data sets.")
    folds: tuple[float, ...] = Field(description="Without each fold's data sets: how far the value can be trusted.")


class Tuning(BaseModel):
    """What fitting found."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy: str
    rows: int
    data_sets: int
    parameters: tuple[Fitted, ...]
    gain: Gain

    @property
    def changes(self) -> dict[str, float]:
        """Parameters whose fitted value is another than today's."""
        return {found.name: found.fitted for found in self.parameters if found.fitted != found.now}


def tune(
    policy: str,
    results: Path,
    ranges: Mapping[str, tuple[float, float] | None] | None = None,
    *,
    folds: int = 5,
    trials: int = 60,
    seed: int = 0,
    advance: Callable[[], object] = lambda: None,
) -> Tuning:
    """Fit named parameters to results and say what it gains on data sets that were held out.

    Args:
        policy: A policy file, or the name of a shipped one; nothing is written.
        results: Table of tasks, see `read_results`.
        ranges: Parameter → range, None for the declared one; empty: every declared range.
        folds: Parts of the data sets, each held out once; at most the number of data sets.
        trials: Values tried in each fold.
        seed: Sets the folds and the search.
        advance: Called after every fold and after the fit to all.

    Raises:
        DataError: The table cannot be used, has fewer than 6 data sets, or a range is wrong.
        MissingExtraError: Optuna is not installed.
        PolicyError: The policy cannot be used.
    """
    compiled, tasks = load(policy), read_results(results)
    names = sorted({task.data_set for task in tasks})
    if len(names) < LEAST_DATA_SETS:
        raise DataError(
            f"{results}: expected at least {LEAST_DATA_SETS} data sets to hold some out, found {len(names)}."
        )
    if not 2 <= folds <= len(names):
        raise DataError(f"folds: expected 2 to {len(names)}, one a data set at most, found {folds}.")
    costs = Costs(policy, find_space(compiled, ranges or {}), tasks)
    held_out, values = _cross_validate(costs, names, folds, trials, seed, advance)
    everything = fit(costs, range(len(tasks)), trials=trials, seed=seed)
    advance()
    now = _by_data_set(tasks, costs.of(costs.now), names)
    return Tuning(
        policy=f"{compiled.file.name} {compiled.file.version}",
        rows=len(tasks),
        data_sets=len(names),
        parameters=tuple(_fitted(d, i, everything, values) for i, d in enumerate(costs.space)),
        gain=paired_gain(now, [held_out[name] for name in names]),
    )


def _cross_validate(
    costs: Costs, names: Sequence[str], folds: int, trials: int, seed: int, advance: Callable[[], object]
) -> tuple[dict[str, float], list[tuple[float, ...]]]:
    """Return the cost of each data set under values fitted without it, and those values by fold."""
    order = np.random.default_rng(seed).permutation(len(names))
    held_out: dict[str, float] = {}
    fitted = []
    for fold in range(folds):
        out = {names[place] for place in order[fold::folds]}
        part = [place for place, task in enumerate(costs.tasks) if task.data_set not in out]
        values = fit(costs, part, trials=trials, seed=seed)
        fitted.append(values)
        held_out |= dict(zip(sorted(out), _by_data_set(costs.tasks, costs.of(values), sorted(out)), strict=True))
        advance()
    return held_out, fitted


def _by_data_set(tasks: Sequence[Task], cost: Sequence[float], names: Sequence[str]) -> list[float]:
    return [
        float(np.mean([value for task, value in zip(tasks, cost, strict=True) if task.data_set == name]))
        for name in names
    ]


def _fitted(d: Dimension, place: int, everything: Sequence[float], folds: Sequence[Sequence[float]]) -> Fitted:
    return Fitted(
        name=d.name, low=d.low, high=d.high, now=d.now, fitted=everything[place], folds=tuple(v[place] for v in folds)
    )
