"""Rows of one problem as arrays: what each arm scored on each seed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nebula.bench.outcome.rows import CONSTANT, Pick, Results, Row

__all__ = ["ProblemScores", "scores_of"]

Scores = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ProblemScores:
    """One problem; lower is better.

    Attributes:
        problem: Data set, column and metric.
        family: Family of the target.
        metric: The declared metric.
        candidates: Names of the candidates, in the manifest's order.
        test: Arm → (S,) scores on the test rows; NaN where the arm was not trained on that seed.
        valid: Arm → (S,) scores on the validation rows.
        picks: Rule → the arm it picked on each seed.
        said: Rule → its words on the first seed.
    """

    problem: str
    family: str
    metric: str
    candidates: tuple[str, ...]
    test: dict[str, Scores]
    valid: dict[str, Scores]
    picks: dict[str, tuple[str, ...]]
    said: dict[str, str]

    @property
    def constant(self) -> float:
        """Mean test score of the constant predictor."""
        return float(self.test[CONSTANT].mean())

    @property
    def best(self) -> str:
        """The candidate with the lowest mean test score: the best in hindsight."""
        return min(self.candidates, key=lambda name: float(self.test[name].mean()))

    @property
    def best_score(self) -> float:
        """Its mean test score."""
        return float(self.test[self.best].mean())

    @property
    def skill(self) -> float:
        """Share of the constant's score that the best candidate saves."""
        return 1 - self.best_score / self.constant if self.constant else 0.0


def scores_of(results: Results) -> list[ProblemScores]:
    """Arrange a run's rows by problem, in their order."""
    rows: dict[str, list[Row]] = {}
    for row in results.rows:
        rows.setdefault(row.problem, []).append(row)
    picks: dict[str, list[Pick]] = {}
    for pick in results.picks:
        picks.setdefault(pick.problem, []).append(pick)
    return [_arrange(own, picks.get(problem, [])) for problem, own in rows.items()]


def _arrange(rows: list[Row], picks: Iterable[Pick]) -> ProblemScores:
    seeds = 1 + max(row.seed for row in rows)
    test: dict[str, Scores] = {}
    valid: dict[str, Scores] = {}
    for row in rows:
        if row.test is not None:
            test.setdefault(row.arm, np.full(seeds, np.nan))[row.seed] = row.test
            valid.setdefault(row.arm, np.full(seeds, np.nan))[row.seed] = row.valid
    picked: dict[str, dict[int, str]] = {}
    said: dict[str, str] = {}
    for pick in picks:
        picked.setdefault(pick.selector, {})[pick.seed] = pick.arm
        said.setdefault(pick.selector, pick.said)
    first = rows[0]
    return ProblemScores(
        problem=first.problem,
        family=first.family,
        metric=first.metric,
        candidates=tuple(dict.fromkeys(row.arm for row in rows if row.candidate)),
        test=test,
        valid=valid,
        picks={name: tuple(by_seed[seed] for seed in range(seeds)) for name, by_seed in picked.items()},
        said=said,
    )
