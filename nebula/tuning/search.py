"""The search: values of the parameters under which the policy's choices cost least on some tasks."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from nebula.errors import DataError, MissingExtraError, PolicyError
from nebula.policy.compiled import CompiledPolicy
from nebula.policy.loader import load
from nebula.tuning.space import Dimension
from nebula.tuning.table import Task

__all__ = ["Costs", "fit"]

Values = tuple[float, ...]


class Costs:
    """The cost of the policy's choice on every task, by values of the parameters; each is computed once.

    Args:
        source: The policy, a path or the name of a shipped one.
        space: What is varied.
        tasks: All tasks.

    Raises:
        DataError: The policy takes another rule than the first that fires.
    """

    def __init__(self, source: str, space: Sequence[Dimension], tasks: Sequence[Task]) -> None:
        self._source, self.space, self.tasks = source, tuple(space), tuple(tasks)
        self._known: dict[Values, tuple[float, ...]] = {}
        if load(source).file.hit_policy not in (None, "first"):
            raise DataError(f"{source}: expected the hit policy `first`: others cannot be fitted.")

    @property
    def now(self) -> Values:
        """Today's values."""
        return tuple(dimension.now for dimension in self.space)

    def of(self, values: Values) -> tuple[float, ...]:
        """Return the cost of every task, in their order."""
        if values not in self._known:
            self._known[values] = self._decide(values)
        return self._known[values]

    def _decide(self, values: Values) -> tuple[float, ...]:
        given = {d.name: int(value) if d.whole else value for d, value in zip(self.space, values, strict=True)}
        policy = load(self._source, parameters=given)
        return tuple(task.cost(_chosen(policy, task.facts)) for task in self.tasks)


def _chosen(policy: CompiledPolicy, facts: Mapping[str, Any]) -> str | None:
    """Return the name of the loss, None when the policy names none."""
    fired = policy.outcome_only(facts)
    if not fired:
        otherwise = policy.file.otherwise
        return otherwise.use.loss if otherwise and otherwise.use else None
    rule = policy.rule(fired[0])
    refused = rule.ambiguous is not None and policy.file.on_ambiguous == "refuse"
    return rule.use.loss if rule.use and not refused else None


def fit(costs: Costs, part: Sequence[int], *, trials: int, seed: int) -> Values:
    """Return the values of least mean cost on some tasks; of equal ones the nearest to today's.

    Args:
        costs: The costs of all tasks.
        part: Places of the tasks that may be looked at.
        trials: Values to try, today's first.
        seed: Start of the search; equal seeds give equal answers.

    Raises:
        MissingExtraError: Optuna is not installed.
    """
    try:
        import optuna
    except ImportError:
        raise MissingExtraError("optuna", "tune", "fitting a policy's parameters") from None
    optuna.logging.set_verbosity(logging.WARNING)
    tried: dict[Values, float] = {costs.now: _mean(costs.of(costs.now), part)}

    def objective(trial: Any) -> float:
        values = tuple(d.rounded(_suggest(trial, d)) for d in costs.space)
        try:
            tried[values] = _mean(costs.of(values), part)
        except PolicyError:
            raise optuna.TrialPruned from None  # values that the policy's own checks refuse
        return tried[values]

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=max(10, trials // 3)))
    study.optimize(objective, n_trials=trials)
    best = min(tried, key=partial(_rank, tried, costs.space))
    for place, now in enumerate(costs.now):  # what the gain does not need goes back to today's value
        without = (*best[:place], now, *best[place + 1 :])
        if _mean(costs.of(without), part) <= _mean(costs.of(best), part):
            best = without
    return best


def _suggest(trial: Any, dimension: Dimension) -> float:
    log = dimension.low > 0 and dimension.high / dimension.low >= 10
    return float(trial.suggest_float(dimension.name, dimension.low, dimension.high, log=log))


def _mean(found: Sequence[float], part: Sequence[int]) -> float:
    return sum(found[place] for place in part) / len(part)


def _rank(tried: Mapping[Values, float], space: Sequence[Dimension], values: Values) -> tuple[float, float]:
    distance = sum(d.distance(value) for d, value in zip(space, values, strict=True))
    return round(tried[values], 12), distance
