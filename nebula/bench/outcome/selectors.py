"""Every selector's score on every seed: rules as they picked, and those that look at scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nebula.bench.outcome.regret import normalised_regret
from nebula.bench.outcome.scores import ProblemScores

__all__ = ["brute_force", "cross_fitted", "fixed_table", "oracle", "rule"]

Scores = NDArray[np.float64]


def rule(problem: ProblemScores, name: str) -> Scores:
    """Return the test scores (S,) of what a rule picked on each seed."""
    return np.array([problem.test[arm][seed] for seed, arm in enumerate(problem.picks[name])])


def oracle(problem: ProblemScores) -> Scores:
    """Return the test scores of the best candidate in hindsight: nobody can know it before."""
    return problem.test[problem.best]


def brute_force(problem: ProblemScores) -> Scores:
    """Return the test scores of the candidate with the best validation score, seed by seed.

    It costs a training for every candidate and step size.
    """
    valid = np.array([problem.valid[name] for name in problem.candidates])
    test = np.array([problem.test[name] for name in problem.candidates])
    return np.asarray(test[valid.argmin(axis=0), np.arange(test.shape[1])])


def cross_fitted(problem: ProblemScores) -> Scores:
    """Return test scores of the best candidate on the other half of the seeds.

    Even seeds are scored with the best of the odd ones and the other way round, so that no score helps to
    choose itself: this takes the winner's luck out of the oracle.
    """
    test = np.array([problem.test[name] for name in problem.candidates])
    scores = np.empty(test.shape[1])
    for own in (0, 1):
        scores[own::2] = test[test[:, 1 - own :: 2].mean(axis=1).argmin(), own::2]
    return scores


def fixed_table(problems: Sequence[ProblemScores], place: int) -> Scores:
    """Return the test scores of what a table of (family, metric) names, made without this problem.

    The entry is the candidate with the lowest mean normalised regret on the other problems of the same family
    and metric; of the same family, where no other has the metric; the first candidate, where there is none.

    Args:
        problems: All problems with skill.
        place: Which one is asked about.
    """
    own = problems[place]
    others = [other for number, other in enumerate(problems) if number != place and other.family == own.family]
    alike = [other for other in others if other.metric == own.metric] or others
    known = [name for name in own.candidates if all(name in other.candidates for other in alike)]
    if not alike or not known:
        return own.test[own.candidates[0]]
    regrets = {
        name: np.mean([normalised_regret(float(other.test[name].mean()), other) for other in alike]) for name in known
    }
    return own.test[min(known, key=lambda name: regrets[name])]
